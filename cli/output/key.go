package output

import (
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// keys lays out what is known of keys, group by group: lists of ids, or maps of ids to fingerprints or keys. It is not
// ok when data is something else.
func keys(data any, o Options) (string, bool) {
	m, ok := data.(*ordered.Map)
	if !ok {
		return "", false
	}
	groups := []struct{ key, title, color, idColor string }{
		{"local", "Local Keys:", cyan, cyan},
		{"minions", "Accepted Keys:", green, green},
		{"minions_denied", "Denied Keys:", lightRed, lightRed},
		{"minions_pre", "Unaccepted Keys:", red, red},
		{"minions_rejected", "Rejected Keys:", lightRed, red},
	}
	var lines []string
	known := 0
	for _, g := range groups {
		v, has := m.Get(g.key)
		if !has {
			continue
		}
		known++
		lines = append(lines, o.paint(g.color, g.title))
		switch t := v.(type) {
		case []any:
			for _, id := range t {
				lines = append(lines, o.paint(g.idColor, safe(pyfmt.Str(id))))
			}
		case *ordered.Map:
			for _, id := range sortedKeys(t) {
				lines = append(lines, o.paint(g.idColor, safe(ordered.KeyText(id))+":  "+safe(strings.TrimRight(pyfmt.Str(t.Value(id)), "\n"))))
			}
		}
	}
	return strings.Join(lines, "\n"), known == m.Len()
}
