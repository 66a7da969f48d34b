package target

import (
	"strings"

	"brine/internal/pyfmt"
)

// ListIDs are the ids of a list target: a list, or a text separated by commas.
func ListIDs(tgt any) []string {
	if list, ok := tgt.([]any); ok {
		out := make([]string, len(list))
		for i, e := range list {
			out[i] = pyfmt.Str(e)
		}
		return out
	}
	return strings.Split(pyfmt.Str(tgt), ",")
}

func parseList(tgt any) Matcher {
	ids := map[string]bool{}
	for _, id := range ListIDs(tgt) {
		ids[id] = true
	}
	return matchFunc(func(f *Facts) bool { return ids[f.ID] })
}
