package reactor

import (
	"errors"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
)

// matcher chooses events by their tag. The match is nil for the kinds that have no groups.
type matcher func(tag string) (m *pyregex.Match, ok bool)

// matcherOf reads the one of regex, startswith, endswith and fnmatch that a reactor has.
func matcherOf(entry *ordered.Map) (matcher, error) {
	var found matcher
	n := 0
	for _, kind := range []string{"regex", "startswith", "endswith", "fnmatch"} {
		v, ok := entry.Get(kind)
		if !ok || v == nil {
			continue
		}
		n++
		want := pyfmt.Str(v)
		switch kind {
		case "regex":
			re, err := pyregex.Compile(want, 0)
			if err != nil {
				return nil, err
			}
			found = func(tag string) (*pyregex.Match, bool) {
				m, err := re.Search(tag) // an error is a pattern that ran out of time: no match
				return m, err == nil && m != nil
			}
		case "startswith":
			found = func(tag string) (*pyregex.Match, bool) { return nil, strings.HasPrefix(tag, want) }
		case "endswith":
			found = func(tag string) (*pyregex.Match, bool) { return nil, strings.HasSuffix(tag, want) }
		case "fnmatch":
			found = func(tag string) (*pyregex.Match, bool) { return nil, fnmatch.Match(want, tag) }
		}
	}
	if n != 1 {
		return nil, errors.New("want exactly one of regex, startswith, endswith and fnmatch")
	}
	return found, nil
}
