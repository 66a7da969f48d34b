package target

import (
	"fmt"
	"slices"
	"strings"

	"brine/internal/pyfmt"
)

// parseNodegroup is a named compound expression.
func parseNodegroup(name string, o Options) (Matcher, error) {
	words, err := Nodegroup(name, o)
	if err != nil {
		return nil, err
	}
	return parseCompound(words, o)
}

// UnknownNodegroupError names a group that is not configured.
type UnknownNodegroupError struct{ Name string }

func (e *UnknownNodegroupError) Error() string {
	return fmt.Sprintf("Node group %s unavailable", e.Name)
}

// Nodegroup gives the words of a group, in brackets, with the groups in it expanded.
func Nodegroup(name string, o Options) ([]string, error) { return expandGroup(name, o, nil) }

func expandGroup(name string, o Options, above []string) ([]string, error) {
	if slices.Contains(above, name) {
		return nil, fmt.Errorf("node group %s contains itself: %s", name, strings.Join(append(above, name), " > "))
	}
	v, ok := o.Nodegroups.Get(name)
	if !ok {
		return nil, &UnknownNodegroupError{Name: name}
	}
	var words []string
	if list, isList := v.([]any); isList {
		for _, w := range list {
			words = append(words, pyfmt.Str(w))
		}
	} else {
		words = strings.Fields(pyfmt.Str(v))
	}
	out := []string{"("}
	for _, w := range words {
		inner, isGroup := strings.CutPrefix(w, "N@")
		if !isGroup {
			out = append(out, w)
			continue
		}
		sub, err := expandGroup(inner, o, append(slices.Clone(above), name))
		if err != nil {
			return nil, err
		}
		out = append(out, sub...)
	}
	return append(out, ")"), nil
}

// Expand puts the expressions of node groups in the place of their names: a nodegroup target becomes a compound one. Other
// targets stay as they are.
func Expand(tgt any, kind string, o Options) (any, string, error) {
	if kind == "nodegroup" {
		words, err := Nodegroup(pyfmt.Str(tgt), o)
		return strings.Join(words, " "), "compound", err
	}
	text, ok := tgt.(string)
	if kind != "compound" || !ok || !strings.Contains(text, "N@") {
		return tgt, kind, nil
	}
	words, err := expandWords(strings.Fields(text), o)
	return strings.Join(words, " "), kind, err
}
