package target

import (
	"regexp"

	"brine/internal/fnmatch"
)

// parseGlob is a shell pattern on the id, compiled once.
func parseGlob(pattern string) Matcher {
	if re, err := regexp.Compile(fnmatch.Translate(pattern)); err == nil {
		return matchFunc(func(f *Facts) bool { return re.MatchString(f.ID) })
	}
	return matchFunc(func(f *Facts) bool { return fnmatch.Match(pattern, f.ID) })
}
