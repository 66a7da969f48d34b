package fileedit

import (
	"errors"
	"strings"

	"brine/internal/pyregex"
	"brine/internal/pytext"
)

// Loose is the pattern that finds a text whatever white space is between its words.
func Loose(s string) (string, error) {
	var out strings.Builder
	out.WriteString("(?m)^")
	for _, l := range pytext.Splitlines(s, false) {
		parts, err := words(l, quotesOf(s))
		if err != nil {
			return "", err
		}
		for i := range parts {
			parts[i] = pyregex.Escape(parts[i])
		}
		out.WriteString(`(?:[\s]+)?` + strings.Join(parts, `(?:[\s]+)?`) + `(?:[\s]+)?`)
	}
	return out.String() + "$", nil
}

// quotesOf are the characters that hold words together: not those that stand in the text by themselves.
func quotesOf(s string) string {
	switch {
	case strings.Contains(s, `'\"`):
		return ""
	case strings.Contains(s, "'"):
		return `"`
	case strings.Contains(s, `"`):
		return "'"
	}
	return `'"`
}

// words splits at white space; a word that begins with a quote goes to the next one.
func words(s, quotes string) ([]string, error) {
	var out []string
	for s = strings.TrimLeft(s, " \t\r\n"); s != ""; s = strings.TrimLeft(s, " \t\r\n") {
		end := strings.IndexAny(s, " \t\r\n")
		if strings.Contains(quotes, s[:1]) {
			close := strings.IndexByte(s[1:], s[0])
			if close < 0 {
				return nil, errors.New("No closing quotation")
			}
			end = close + 2
		}
		if end < 0 {
			end = len(s)
		}
		out = append(out, s[:end])
		s = s[end:]
	}
	return out, nil
}
