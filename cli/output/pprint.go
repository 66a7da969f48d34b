package output

import (
	"regexp"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// pprint is Python's pprint.pformat: its notation, wrapped at 80 columns, keys sorted.
func pprint(data any, o Options) string {
	p := &pretty{step: 1}
	if o.Indent != nil && *o.Indent > 0 {
		p.step = *o.Indent
	}
	p.format(data, 0, 0, 1)
	return p.b.String()
}

type pretty struct {
	b    strings.Builder
	step int
}

const pprintWidth = 80

func (p *pretty) format(v any, indent, allowance, level int) {
	rep := pyfmt.Repr(sorted(v))
	if len([]rune(rep)) <= pprintWidth-indent-allowance {
		p.b.WriteString(rep)
		return
	}
	switch t := v.(type) {
	case *ordered.Map:
		p.open("{")
		p.items(t, indent, allowance+1, level)
		p.b.WriteString("}")
	case []any:
		p.open("[")
		p.list(t, indent, allowance+1, level)
		p.b.WriteString("]")
	case string:
		p.text(t, indent, allowance, level)
	default:
		p.b.WriteString(rep)
	}
}

func (p *pretty) open(bracket string) {
	p.b.WriteString(bracket + strings.Repeat(" ", p.step-1))
}

func (p *pretty) items(m *ordered.Map, indent, allowance, level int) {
	indent += p.step
	keys := sortedKeys(m)
	for i, k := range keys {
		rep := pyfmt.Repr(k)
		p.b.WriteString(rep + ": ")
		last := i == len(keys)-1
		p.format(m.Value(k), indent+len([]rune(rep))+2, pick(last, allowance, 1), level+1)
		if !last {
			p.b.WriteString(",\n" + strings.Repeat(" ", indent))
		}
	}
}

func (p *pretty) list(l []any, indent, allowance, level int) {
	indent += p.step
	for i, v := range l {
		if i > 0 {
			p.b.WriteString(",\n" + strings.Repeat(" ", indent))
		}
		p.format(v, indent, pick(i == len(l)-1, allowance, 1), level+1)
	}
}

func pick(yes bool, a, b int) int {
	if yes {
		return a
	}
	return b
}

var words = regexp.MustCompile(`\S*\s*`)

// text breaks a long string at its blanks into pieces one under the other.
func (p *pretty) text(s string, indent, allowance, level int) {
	if level == 1 {
		indent++
		allowance++
	}
	width := pprintWidth - indent
	var chunks []string
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		lastLine, room := i == len(lines)-1, width
		if lastLine {
			room -= allowance
		}
		if rep := pyfmt.Repr(line); len([]rune(rep)) <= room {
			chunks = append(chunks, rep)
			continue
		}
		parts := words.FindAllString(line, -1)
		current := ""
		for j, part := range parts {
			room = width
			if lastLine && j == len(parts)-1 {
				room -= allowance
			}
			if len([]rune(pyfmt.Repr(current+part))) > room {
				if current != "" {
					chunks = append(chunks, pyfmt.Repr(current))
				}
				current = part
			} else {
				current += part
			}
		}
		if current != "" {
			chunks = append(chunks, pyfmt.Repr(current))
		}
	}
	if len(chunks) == 1 {
		p.b.WriteString(chunks[0])
		return
	}
	text := strings.Join(chunks, "\n"+strings.Repeat(" ", indent))
	if level == 1 {
		text = "(" + text + ")"
	}
	p.b.WriteString(text)
}

// sorted is a copy with all keys sorted.
func sorted(v any) any {
	switch t := v.(type) {
	case *ordered.Map:
		out := ordered.New(t.Len())
		for _, k := range sortedKeys(t) {
			out.Set(k, sorted(t.Value(k)))
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = sorted(t[i])
		}
		return out
	}
	return v
}
