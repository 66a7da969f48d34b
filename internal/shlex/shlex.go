// Package shlex splits command lines as Python's shlex.split does, and quotes words as shlex.quote does.
package shlex

import (
	"errors"
	"strings"
)

// Errors of Split, in Python's words.
var (
	ErrNoClosingQuote = errors.New("No closing quotation")
	ErrNoEscaped      = errors.New("No escaped character")
)

// Split is shlex.split(s): words as a POSIX shell sees them, without comments and expansions.
func Split(s string) ([]string, error) {
	var out []string
	var word strings.Builder
	in := false // a word has begun, if only with empty quotes
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\r':
			if in {
				out = append(out, word.String())
				word.Reset()
				in = false
			}
		case '\'', '"':
			end, err := quoted(&word, s, i)
			if err != nil {
				return nil, err
			}
			i, in = end, true
		case '\\':
			if i+1 >= len(s) {
				return nil, ErrNoEscaped
			}
			i, in = i+1, true
			word.WriteByte(s[i])
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if in {
		out = append(out, word.String())
	}
	return out, nil
}

// quoted adds the text of quotes that open at i and returns where they close. Within double quotes a backslash escapes
// the quote and itself.
func quoted(word *strings.Builder, s string, i int) (int, error) {
	q := s[i]
	for i++; i < len(s); i++ {
		switch {
		case s[i] == q:
			return i, nil
		case s[i] == '\\' && q == '"':
			if i+1 >= len(s) {
				return 0, ErrNoEscaped
			}
			i++
			if s[i] != '"' && s[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(s[i])
		default:
			word.WriteByte(s[i])
		}
	}
	return 0, ErrNoClosingQuote
}

// Quote is shlex.quote(s).
func Quote(s string) string {
	if s == "" {
		return "''"
	}
	if strings.IndexFunc(s, unsafe) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

func unsafe(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_@%+=:,./-", r):
		return false
	}
	return true
}
