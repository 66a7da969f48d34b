// Package fnmatch matches shell-style patterns exactly as Python's fnmatch.fnmatchcase does: * spans every character
// (a slash too), ? is one, [seq] and [!seq] are sets, nothing else is special and braces are plain.
package fnmatch

import (
	"regexp"
	"strings"
)

// Match tells whether the whole of name matches pattern.
func Match(pattern, name string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return pattern == name
	}
	if p, ok := strings.CutSuffix(pattern, "*"); ok && !strings.ContainsAny(p, "*?[") {
		return strings.HasPrefix(name, p)
	}
	re, err := regexp.Compile(Translate(pattern))
	return err == nil && re.MatchString(name)
}

// Translate is the regular expression (RE2 syntax) of a pattern, anchored at both ends.
func Translate(pattern string) string {
	var b strings.Builder
	b.WriteString(`(?s)\A(?:`)
	runes := []rune(pattern)
	for i := 0; i < len(runes); {
		c := runes[i]
		i++
		switch c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			set, next := class(runes, i)
			b.WriteString(set)
			i = next
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`)\z`)
	return b.String()
}

// class reads a set whose bracket is at i-1; an unclosed bracket is a plain one.
func class(runes []rune, i int) (text string, next int) {
	j := i
	if j < len(runes) && runes[j] == '!' {
		j++
	}
	if j < len(runes) && runes[j] == ']' {
		j++
	}
	for j < len(runes) && runes[j] != ']' {
		j++
	}
	if j >= len(runes) {
		return `\[`, i
	}
	body := string(runes[i:j])
	neg := ""
	if rest, ok := strings.CutPrefix(body, "!"); ok {
		neg, body = "^", rest
	}
	ranges := classRanges([]rune(body))
	switch {
	case ranges == "" && neg == "":
		return `[^\x00-\x{10FFFF}]`, j + 1 // an empty set matches nothing
	case ranges == "":
		return `.`, j + 1
	}
	return "[" + neg + ranges + "]", j + 1
}

// classRanges writes a set's members for RE2; a range that runs backwards is empty, as in Python.
func classRanges(body []rune) string {
	var b strings.Builder
	quote := func(r rune) {
		if strings.ContainsRune(`\]^-[&~|`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	for i := 0; i < len(body); i++ {
		if i+2 < len(body) && body[i+1] == '-' {
			if body[i] <= body[i+2] {
				quote(body[i])
				b.WriteByte('-')
				quote(body[i+2])
			}
			i += 2
			continue
		}
		quote(body[i])
	}
	return b.String()
}

// Filter returns the names that match, in their order.
func Filter(names []string, pattern string) []string {
	var out []string
	for _, n := range names {
		if Match(pattern, n) {
			out = append(out, n)
		}
	}
	return out
}
