// Package serializers writes data in the formats that Salt's serializers have, and reads it again: json, yaml, configparser
// and python.
package serializers

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
	"brine/internal/pyyaml"
)

// Names lists the formats.
func Names() []string { return []string{"configparser", "json", "python", "yaml", "yamlex"} }

// UnknownError names a format that there is not.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return "Serializer '" + e.Name + "' not found." }

// Serialize writes v. The options are those of Python's libraries, as far as they mean something here.
func Serialize(name string, v any, options *ordered.Map) (string, error) {
	switch name {
	case "json":
		return pyjson.Dumps(v, pyjson.Options{Indent: number(options.Value("indent")), Newlines: options.Value("indent") != nil,
			SortKeys: pyfmt.Truth(options.Value("sort_keys")), EnsureASCII: pyfmt.Truth(options.Value("ensure_ascii"))}), nil
	case "yaml", "yamlex":
		return yaml(v, options), nil
	case "python":
		return pyfmt.Repr(sorted(v)), nil
	case "configparser":
		return ini(v)
	}
	return "", &UnknownError{name}
}

// Deserialize reads text.
func Deserialize(name, text string) (any, error) {
	switch name {
	case "json":
		return ordered.FromJSON([]byte(text))
	case "yaml", "yamlex":
		return pyyaml.Load([]byte(text), pyyaml.Options{})
	case "configparser":
		return readIni(text)
	case "python":
		return nil, errors.New("Serializer 'python' does not implement deserialize.")
	}
	return nil, &UnknownError{name}
}

func number(v any) int {
	if n, ok := v.(int64); ok {
		return int(n)
	}
	return 0
}

func yaml(v any, options *ordered.Map) string {
	o := pyyaml.DumpOptions{Indent: number(options.Value("indent")), Width: number(options.Value("width")),
		ExplicitStart: pyfmt.Truth(options.Value("explicit_start")), ExplicitEnd: pyfmt.Truth(options.Value("explicit_end")),
		EscapeUnicode: options.Value("allow_unicode") == false, KeepOrder: options.Value("sort_keys") == false}
	if flow, ok := options.Value("default_flow_style").(bool); ok {
		o.DefaultFlowStyle = &flow
	}
	if style, ok := options.Value("default_style").(string); ok && style != "" {
		o.DefaultStyle = style[0]
	}
	out := pyyaml.Dump(v, o)
	if s, ok := strings.CutSuffix(out, "\n...\n"); ok {
		return s
	}
	return strings.TrimSuffix(out, "\n")
}

// sorted is a copy with the keys of every map in order.
func sorted(v any) any {
	switch t := v.(type) {
	case *ordered.Map:
		keys := t.Keys()
		sort.SliceStable(keys, func(i, j int) bool { return ordered.KeyText(keys[i]) < ordered.KeyText(keys[j]) })
		out := ordered.New(len(keys))
		for _, k := range keys {
			out.Set(k, sorted(t.Value(k)))
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = sorted(e)
		}
		return out
	}
	return v
}

// ini writes sections of options as Python's configparser does.
func ini(v any) (string, error) {
	m, ok := v.(*ordered.Map)
	if !ok {
		return "", fmt.Errorf("configparser can only serialize dictionaries, not <class '%s'>", pyfmt.Type(v))
	}
	var b strings.Builder
	names := m.Keys()
	sort.SliceStable(names, func(i, j int) bool { return names[i] == "DEFAULT" && names[j] != "DEFAULT" })
	for _, name := range names {
		options, ok := m.Value(name).(*ordered.Map)
		if !ok {
			return "", fmt.Errorf("'%s' object has no attribute 'items'", pyfmt.Type(m.Value(name)))
		}
		b.WriteString("[" + pyfmt.Str(name) + "]\n")
		for k, val := range options.All() {
			if val == nil {
				return "", errors.New("option values must be strings")
			}
			text := pyfmt.Str(val)
			if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(text, "%%", ""), "%(", ""), "%") {
				return "", fmt.Errorf("invalid interpolation syntax in %s at position %d", pyfmt.Repr(text), strings.IndexByte(text, '%'))
			}
			b.WriteString(strings.ToLower(pyfmt.Str(k)) + " = " + strings.ReplaceAll(text, "\n", "\n\t") + "\n")
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// readIni reads sections of options. A line that is indented goes on with the value before it; DEFAULT is under all.
func readIni(text string) (any, error) {
	out, defaults := ordered.New(0), ordered.New(0)
	var section *ordered.Map
	last := ""
	for n, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		indented := line != strings.TrimLeft(line, " \t")
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case indented && last != "" && section != nil:
			section.Set(last, section.String(last)+"\n"+trimmed)
		case trimmed[0] == '[' && strings.HasSuffix(trimmed, "]"):
			name := trimmed[1 : len(trimmed)-1]
			section, last = defaults, ""
			if name != "DEFAULT" {
				section = ordered.New(0)
				out.Set(name, section)
			}
		case section == nil:
			return nil, fmt.Errorf("File contains no section headers.\nfile: '<???>', line: %d\n%s", n+1, pyfmt.Repr(line))
		default:
			i := strings.IndexAny(trimmed, "=:")
			if i < 0 {
				return nil, fmt.Errorf("Source contains parsing errors: '<???>'\n\t[line %2d]: %s", n+1, pyfmt.Repr(line))
			}
			last = strings.ToLower(strings.TrimSpace(trimmed[:i]))
			section.Set(last, strings.TrimSpace(trimmed[i+1:]))
		}
	}
	for name, s := range out.All() {
		all := defaults.Clone()
		all.Update(s.(*ordered.Map))
		out.Set(name, all)
	}
	return out, nil
}
