package pyregex

import (
	"fmt"
	"strconv"
	"strings"
)

// part is a piece of a replacement: text, or the group of that number when text is empty.
type part struct {
	text  string
	group int
}

func expand(parts []part, m *Match) string {
	var b strings.Builder
	for _, p := range parts {
		if p.group < 0 {
			b.WriteString(p.text)
		} else {
			s, _ := m.Group(p.group)
			b.WriteString(s)
		}
	}
	return b.String()
}

// parseTemplate reads a replacement: \1, \g<1>, \g<name> and the escapes of Python's re.
func (r *Regexp) parseTemplate(template string) ([]part, error) {
	var parts []part
	text := func(s string) { parts = append(parts, part{text: s, group: -1}) }
	for i := 0; i < len(template); {
		at := strings.IndexByte(template[i:], '\\')
		if at < 0 {
			text(template[i:])
			break
		}
		text(template[i : i+at])
		i += at
		p, width, err := r.templateEscape(template[i:], i)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		i += width
	}
	return parts, nil
}

func (r *Regexp) templateEscape(s string, at int) (part, int, error) {
	if len(s) < 2 {
		return part{}, 0, &Error{"bad escape (end of pattern)", at}
	}
	simple := map[byte]string{'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v", '\\': `\`}
	c := s[1]
	if text, ok := simple[c]; ok {
		return part{text, -1}, 2, nil
	}
	switch {
	case c == 'g':
		return r.namedGroup(s, at)
	case c == '0':
		n := octalDigits(s[1:], 3)
		return octal(s[1 : 1+n]), 1 + n, nil
	case c >= '1' && c <= '9':
		if octalDigits(s[1:], 3) == 3 {
			return octal(s[1:4]), 4, nil
		}
		n := 1
		if len(s) > 2 && s[2] >= '0' && s[2] <= '9' {
			n = 2
		}
		number, _ := strconv.Atoi(s[1 : 1+n])
		if number > r.groups {
			return part{}, 0, &Error{fmt.Sprintf("invalid group reference %d", number), at + 1}
		}
		return part{group: number}, 1 + n, nil
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return part{}, 0, &Error{`bad escape \` + string(c), at}
	}
	return part{s[:1], -1}, 1, nil
}

func octalDigits(s string, most int) int {
	n := 0
	for n < most && n < len(s) && s[n] >= '0' && s[n] <= '7' {
		n++
	}
	return n
}

func octal(digits string) part {
	n, _ := strconv.ParseUint(digits, 8, 32)
	return part{string(rune(n & 0xff)), -1}
}

func (r *Regexp) namedGroup(s string, at int) (part, int, error) {
	if len(s) < 3 || s[2] != '<' {
		return part{}, 0, &Error{"missing <", at + 2}
	}
	end := strings.IndexByte(s, '>')
	switch {
	case end < 0 && len(s) == 3:
		return part{}, 0, &Error{"missing group name", at + 3}
	case end < 0:
		return part{}, 0, &Error{"missing >, unterminated name", at + 3}
	case end == 3:
		return part{}, 0, &Error{"missing group name", at + 3}
	}
	name := s[3:end]
	if number, err := strconv.Atoi(name); err == nil {
		if number < 0 || number > r.groups {
			return part{}, 0, &Error{fmt.Sprintf("invalid group reference %d", number), at + 3}
		}
		return part{group: number}, end + 1, nil
	}
	number, ok := r.names[name]
	if !ok {
		return part{}, 0, fmt.Errorf("unknown group name '%s'", name)
	}
	return part{group: number}, end + 1, nil
}
