package output

import (
	"fmt"
	"math/big"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// nested lays data out by indentation.
func nested(data any, indent int, o Options, retcode int) string {
	n := &nesting{o: o, keys: cyan}
	if retcode != 0 {
		n.keys = red
	}
	n.show(data, indent, "")
	return strings.Join(n.lines, "\n")
}

type nesting struct {
	o     Options
	keys  string // their colour
	lines []string
}

func (n *nesting) add(indent int, color, text, suffix string) {
	n.lines = append(n.lines, strings.Repeat(" ", indent)+n.o.paint(color, text+suffix))
}

func (n *nesting) show(v any, indent int, prefix string) {
	switch t := v.(type) {
	case nil, bool:
		n.add(indent, yellow, prefix+pyfmt.Str(v), "")
	case int64, float64, *big.Int:
		n.add(indent, yellow, prefix+number(v), "")
	case string:
		n.text(t, indent, prefix)
	case []byte:
		n.text(string(t), indent, prefix)
	case []any:
		for _, e := range t {
			switch e.(type) {
			case []any:
				n.add(indent, n.keys, "|_", "")
				n.show(e, indent+2, "- ")
			case *ordered.Map:
				n.add(indent, n.keys, "|_", "")
				n.show(e, indent+2, "")
			default:
				n.show(e, indent, "- ")
			}
		}
	case *ordered.Map:
		if indent > 0 {
			n.add(indent, n.keys, "----------", "")
		}
		for _, k := range sortedKeys(t) {
			n.add(indent, n.keys, prefix+safe(ordered.KeyText(k)), ":")
			n.show(t.Value(k), indent+4, "")
		}
	default:
		n.add(indent, yellow, prefix+fmt.Sprint(v), "")
	}
}

func (n *nesting) text(s string, indent int, prefix string) {
	for i, line := range splitLines(s) {
		if i > 0 {
			prefix = strings.Repeat(" ", len(prefix))
		}
		n.add(indent, green, prefix+safe(line), "")
	}
}
