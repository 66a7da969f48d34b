package target

import (
	"fmt"
	"regexp"
)

// compile reads a regular expression that must match from the start of a text, as Python's re.match.
func compile(pattern string) (func(text string) bool, error) {
	re, err := regexp.Compile(`\A(?:` + pattern + `)`)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", pattern, err)
	}
	return re.MatchString, nil
}

// parsePCRE is a regular expression on the id.
func parsePCRE(pattern string) (Matcher, error) {
	match, err := compile(pattern)
	if err != nil {
		return nil, err
	}
	return matchFunc(func(f *Facts) bool { return match(f.ID) }), nil
}
