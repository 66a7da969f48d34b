// Package output prints results in the layouts that Salt's outputters have: nested, highstate, json, yaml, txt, raw and
// the others of https://docs.saltproject.io/en/3006/ref/output/all/index.html.
package output

import (
	"fmt"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
	"brine/internal/pyyaml"
)

// Options say how.
type Options struct {
	// Color adds ANSI escapes.
	Color bool
	// Indent of json, yaml and pprint; nil is the outputter's own. Below zero json is one line.
	Indent *int
	// Pretty sorts the keys of json (the option output_indent: pretty).
	Pretty bool
	// Retcodes are the exit codes of minions that have one other than 0: their keys are red.
	Retcodes map[string]int
	State    StateOptions
}

// Names lists the outputters, sorted.
func Names() []string {
	return []string{"highstate", "json", "key", "nested", "newline_values_only", "no_return", "pprint", "quiet", "raw", "table", "txt", "yaml"}
}

// Known tells whether there is an outputter of that name.
func Known(name string) bool { return slices.Contains(Names(), name) }

// Text lays data out, without a line break at the end. An outputter that cannot do anything with the data leaves it to
// nested. Control characters that a terminal would obey are shown as ?.
func Text(name string, data any, o Options) string {
	switch name {
	case "json":
		return jsonText(data, o)
	case "yaml":
		indent := 2
		if o.Indent != nil {
			indent = *o.Indent
		}
		return strings.TrimRight(pyyaml.Dump(data, pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block(), Indent: indent}), "\n")
	case "raw":
		return pyfmt.Repr(data)
	case "pprint":
		return pprint(data, o)
	case "txt":
		return safe(txt(data))
	case "quiet":
		return ""
	case "no_return":
		return strings.TrimRight(noReturn(data, 0, o), " \n")
	case "newline_values_only":
		var out []string
		values(data, &out)
		return safe(strings.Join(out, "\n"))
	case "highstate":
		if text, ok := highstate(data, o); ok {
			return text
		}
	case "key":
		if text, ok := keys(data, o); ok {
			return text
		}
	case "table":
		if text, ok := table(data, o); ok {
			return text
		}
	}
	return nested(data, 0, o, retcodeOf(data, o))
}

func jsonText(data any, o Options) string {
	indent := 4
	if o.Indent != nil {
		indent = *o.Indent
	}
	text := pyjson.Dumps(data, pyjson.Options{Indent: max(indent, 0), SortKeys: o.Pretty, Newlines: o.Indent != nil && *o.Indent == 0})
	if !strings.ContainsFunc(text, isC1) {
		return text
	}
	var b strings.Builder // a terminal would obey them
	for _, r := range text {
		if isC1(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// retcodeOf is the exit code of the one minion whose result data is.
func retcodeOf(data any, o Options) int {
	m, ok := data.(*ordered.Map)
	if !ok || m.Len() != 1 || len(o.Retcodes) == 0 {
		return 0
	}
	return o.Retcodes[ordered.KeyText(m.Keys()[0])]
}

func txt(data any) string {
	m, ok := data.(*ordered.Map)
	if !ok {
		return pyfmt.Str(data)
	}
	var out []string
	for k, v := range m.All() {
		s, isText := v.(string)
		if !isText {
			out = append(out, ordered.KeyText(k)+": "+pyfmt.Str(v))
			continue
		}
		for _, line := range splitLines(s) {
			out = append(out, ordered.KeyText(k)+": "+line)
		}
	}
	return strings.Join(out, "\n")
}

func values(data any, out *[]string) {
	switch t := data.(type) {
	case *ordered.Map:
		for _, v := range t.All() {
			values(v, out)
		}
	case []any:
		for _, v := range t {
			values(v, out)
		}
	default:
		*out = append(*out, pyfmt.Str(data))
	}
}

// noReturn is the block for a minion that did not answer.
func noReturn(data any, indent int, o Options) string {
	var b strings.Builder
	pad := strings.Repeat(" ", indent)
	switch t := data.(type) {
	case string:
		for _, line := range strings.Split(t, "\n") {
			b.WriteString(o.paint(red, pad+safe(line)) + "\n")
		}
	case *ordered.Map:
		for _, k := range sortedKeys(t) {
			b.WriteString(o.paint(cyan, pad+safe(ordered.KeyText(k))) + ":\n" + noReturn(t.Value(k), indent+4, o))
		}
	}
	return b.String()
}

// sortedKeys sorts keys by their text.
func sortedKeys(m *ordered.Map) []any {
	keys := slices.Clone(m.Keys())
	slices.SortStableFunc(keys, func(a, b any) int { return strings.Compare(ordered.KeyText(a), ordered.KeyText(b)) })
	return keys
}

// The colours, by their ANSI escapes.
const (
	red      = "\x1b[0;31m"
	green    = "\x1b[0;32m"
	yellow   = "\x1b[0;1;33m"
	cyan     = "\x1b[0;36m"
	lightRed = "\x1b[0;1;31m"
	endColor = "\x1b[0;0m"
)

func (o Options) paint(color, text string) string {
	if !o.Color {
		return text
	}
	return color + text + endColor
}

// splitLines is Python's str.splitlines for what occurs in output.
func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.FieldsFunc(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\n\x00"), func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\v' || r == '\f' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
	})
	if len(lines) > 0 && lines[len(lines)-1] == "\x00" {
		lines = lines[:len(lines)-1]
	}
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "\x00")
	}
	return lines
}

func isC1(r rune) bool { return r >= 0x80 && r < 0xa0 }

// safe shows control characters as ?, so that results cannot command the terminal. Tabs and line breaks stay.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r == 0x1b || isC1(r) || r < 0x20 && r != '\n' && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

func number(v any) string {
	if f, ok := v.(float64); ok {
		return pyfmt.Float(f)
	}
	return fmt.Sprint(v)
}
