package target

import (
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
)

// dataMatch holds a path and a pattern, as in "os_family:Debian", against nested data: Salt's subdict_match. As the
// pattern may hold the delimiter itself, every split of the text into a path and a pattern is tried.
type dataMatch struct {
	expr, delim string
	// compare decides about one value; both texts are in lower case.
	compare func(value, pattern string) bool
	// keys tells whether the pattern may also be the name of a key in the map that the path leads to.
	keys bool
}

func parseData(expr, delim string, get func(*Facts) *ordered.Map) Matcher {
	m := &dataMatch{expr: expr, delim: delim, keys: true, compare: func(value, pattern string) bool { return fnmatch.Match(pattern, value) }}
	return matchFunc(func(f *Facts) bool { return m.match(get(f), expr) })
}

func parseDataExact(expr, delim string, get func(*Facts) *ordered.Map) Matcher {
	m := &dataMatch{expr: expr, delim: delim, keys: true, compare: func(value, pattern string) bool { return value == pattern }}
	return matchFunc(func(f *Facts) bool { return m.match(get(f), expr) })
}

func parseDataPCRE(expr, delim string, get func(*Facts) *ordered.Map) Matcher {
	compiled := map[string]func(string) bool{}
	for _, p := range patterns(expr, delim) { // all that a match can ask for, so that a Matcher stays safe for concurrent use
		if match, err := compile(p); err == nil {
			compiled[p] = match
		}
	}
	m := &dataMatch{expr: expr, delim: delim, keys: true, compare: func(value, pattern string) bool {
		match := compiled[pattern]
		return match != nil && match(value)
	}}
	return matchFunc(func(f *Facts) bool { return m.match(get(f), expr) })
}

func patterns(expr, delim string) []string {
	parts := strings.Split(strings.ToLower(expr), delim)
	out := make([]string, 0, len(parts))
	for i := range parts {
		out = append(out, strings.Join(parts[i:], delim))
	}
	return out
}

func (m *dataMatch) match(data *ordered.Map, expr string) bool {
	splits := strings.Split(expr, m.delim)
	for i := len(splits) - 1; i > 0; i-- {
		key := strings.Join(splits[:i], m.delim)
		pattern := strings.Join(splits[i:], m.delim)
		var found any
		if key == "*" {
			pattern, found = expr, data // everything below the top
		} else {
			var ok bool
			if found, ok = traverse.Get(data, key, m.delim); !ok {
				continue
			}
		}
		if m.value(found, pattern) {
			return true
		}
	}
	return false
}

func (m *dataMatch) value(found any, pattern string) bool {
	switch v := found.(type) {
	case *ordered.Map:
		return v.Len() > 0 && m.dict(v, pattern)
	case []any:
		for _, e := range v {
			if d, ok := e.(*ordered.Map); ok && m.dict(d, pattern) {
				return true
			}
			if m.scalar(e, pattern) {
				return true
			}
		}
		return false
	}
	return m.scalar(found, pattern)
}

func (m *dataMatch) scalar(v any, pattern string) bool {
	return m.compare(strings.ToLower(pyfmt.Str(v)), strings.ToLower(pattern))
}

// dict looks for the pattern in a map: as the name of a key, as a path further down, or below any key with "*:".
func (m *dataMatch) dict(d *ordered.Map, pattern string) bool {
	rest, wildcard := strings.CutPrefix(pattern, "*"+m.delim)
	if wildcard {
		pattern = rest
	}
	if pattern == "*" || d.Has(pattern) || m.match(d, pattern) {
		return true
	}
	if !wildcard {
		return false
	}
	for _, v := range d.All() {
		if sub, ok := v.(*ordered.Map); ok {
			if m.dict(sub, pattern) {
				return true
			}
			continue
		}
		if list, ok := v.([]any); ok {
			for _, e := range list {
				if m.scalar(e, pattern) {
					return true
				}
			}
			continue
		}
		if m.scalar(v, pattern) {
			return true
		}
	}
	return false
}
