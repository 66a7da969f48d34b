package output

import (
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// table draws lists of maps as boxes, by minion. It is not ok when data is something else.
func table(data any, o Options) (string, bool) {
	m, ok := data.(*ordered.Map)
	if !ok {
		return "", false
	}
	var lines []string
	for id, v := range m.All() {
		rows, ok := v.([]any)
		if !ok {
			return "", false
		}
		box, ok := box(rows)
		if !ok {
			return "", false
		}
		lines = append(lines, o.paint(cyan, safe(ordered.KeyText(id))+":"), o.paint(cyan, "----------"))
		for _, l := range box {
			lines = append(lines, "    "+o.paint(cyan, safe(l)))
		}
	}
	return strings.Join(lines, "\n"), true
}

func box(rows []any) ([]string, bool) {
	var names []string
	width := map[string]int{}
	for _, r := range rows {
		m, ok := r.(*ordered.Map)
		if !ok {
			return nil, false
		}
		for k, v := range m.All() {
			name := ordered.KeyText(k)
			if _, seen := width[name]; !seen {
				names = append(names, name)
				width[name] = len([]rune(name))
			}
			width[name] = max(width[name], len([]rune(pyfmt.Str(v))))
		}
	}
	line := func(cell func(name string) string) string {
		var b strings.Builder
		b.WriteString("|")
		for _, n := range names {
			fmt.Fprintf(&b, " %-*s |", width[n], cell(n))
		}
		return b.String()
	}
	head := line(func(n string) string { return strings.ToUpper(n[:1]) + n[1:] })
	rule := strings.Repeat("-", len([]rune(head)))
	out := []string{rule, head, rule}
	for _, r := range rows {
		m, _ := r.(*ordered.Map)
		out = append(out, line(func(n string) string {
			if !m.Has(n) {
				return ""
			}
			return pyfmt.Str(m.Value(n))
		}), rule)
	}
	return out, true
}
