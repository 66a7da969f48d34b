package pyregex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// class writes a [...] set.
func (t *translation) class() error {
	start := t.at
	t.at++
	t.write("[")
	if t.at < len(t.src) && t.src[t.at] == '^' {
		t.write("^")
		t.at++
	}
	for first := true; ; first = false {
		if t.at >= len(t.src) {
			return t.fail("unterminated character set", start)
		}
		if t.src[t.at] == ']' && !first {
			break
		}
		if err := t.classItem(start); err != nil {
			return err
		}
	}
	t.at++
	t.atom("]")
	return nil
}

// classItem writes one character, range or shorthand of a set.
func (t *translation) classItem(class int) error {
	from := t.at
	low, shorthand, err := t.classCharacter()
	if err != nil {
		return err
	}
	isRange := t.at+1 < len(t.src) && t.src[t.at] == '-' && t.src[t.at+1] != ']'
	if !isRange {
		if shorthand == 0 {
			t.write(quoteRune(low))
		} else {
			t.shorthand(shorthand, true)
		}
		return nil
	}
	t.at++
	high, other, err := t.classCharacter()
	if err != nil {
		return err
	}
	if shorthand != 0 || other != 0 || high < low {
		return t.fail("bad character range "+t.src[from:t.at], from)
	}
	t.write(quoteRune(low) + "-" + quoteRune(high))
	return nil
}

func (t *translation) classCharacter() (rune, byte, error) {
	if t.at >= len(t.src) {
		return 0, 0, t.fail("unterminated character set", t.at)
	}
	if t.src[t.at] != '\\' {
		r, n := utf8.DecodeRuneInString(t.src[t.at:])
		t.at += n
		return r, 0, nil
	}
	if t.at+1 >= len(t.src) {
		return 0, 0, t.fail("bad escape (end of pattern)", t.at)
	}
	switch c := t.src[t.at+1]; c {
	case 'd', 's', 'w', 'D', 'S', 'W':
		t.at += 2
		return 0, c, nil
	case 'b':
		t.at += 2
		return '\b', 0, nil
	}
	if n := octalDigits(t.src[t.at+1:], 3); n > 0 {
		v, _ := strconv.ParseUint(t.src[t.at+1:t.at+1+n], 8, 32)
		t.at += 1 + n
		return rune(v), 0, nil
	}
	r, err := t.character()
	return r, 0, err
}

// group writes what an opening parenthesis begins. Groups get their numbers as names, since the other engine counts
// named groups after the rest.
func (t *translation) group() error {
	start := t.at
	rest := t.src[t.at+1:]
	if !strings.HasPrefix(rest, "?") {
		t.at++
		t.openGroup(start, true, "")
		return nil
	}
	for _, plain := range []string{"?:", "?=", "?!", "?<=", "?<!"} {
		if strings.HasPrefix(rest, plain) {
			t.at += 1 + len(plain)
			t.simple = t.simple && plain == "?:"
			t.openGroup(start, false, plain)
			return nil
		}
	}
	switch {
	case strings.HasPrefix(rest, "?P<"):
		return t.named(start)
	case strings.HasPrefix(rest, "?P="):
		return t.namedReference(start)
	case strings.HasPrefix(rest, "?#"):
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return t.fail("missing ), unterminated comment", start)
		}
		t.at += 1 + end + 1
		return nil
	case strings.HasPrefix(rest, "?("):
		return t.conditional(start)
	}
	return t.inlineFlags(start)
}

// maxOpen bounds groups inside groups, which both engines read by recursion.
const maxOpen = 200

func (t *translation) openGroup(start int, capture bool, kind string) {
	t.open = append(t.open, start)
	t.repeatable, t.repeated = false, false
	if !capture {
		t.write("(" + kind)
		return
	}
	t.groups++
	t.fast.WriteString("(")
	fmt.Fprintf(&t.back, "(?<%d>", t.groups)
}

func (t *translation) named(start int) error {
	at := t.at + len("(?P<")
	end := strings.IndexByte(t.src[at:], '>')
	if end < 0 {
		return t.fail("missing >, unterminated name", at)
	}
	name := t.src[at : at+end]
	switch {
	case name == "":
		return t.fail("missing group name", at)
	case !isIdentifier(name):
		return t.fail("bad character in group name '"+name+"'", at)
	}
	if n, ok := t.names[name]; ok {
		return t.fail(fmt.Sprintf("redefinition of group name '%s' as group %d; was group %d", name, t.groups+1, n), at)
	}
	t.at = at + end + 1
	t.openGroup(start, true, "")
	t.names[name] = t.groups
	return nil
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r < 0x80 && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

func (t *translation) namedReference(start int) error {
	at := t.at + len("(?P=")
	end := strings.IndexByte(t.src[at:], ')')
	if end < 0 {
		return t.fail("missing ), unterminated name", at)
	}
	name := t.src[at : at+end]
	n, ok := t.names[name]
	if !ok {
		return t.fail("unknown group name '"+name+"'", at)
	}
	t.at = at + end + 1
	t.simple = false
	t.atom(fmt.Sprintf(`\k<%d>`, n))
	return nil
}

// conditional writes (?(1)yes|no) or (?(name)yes|no).
func (t *translation) conditional(start int) error {
	at := t.at + len("(?(")
	end := strings.IndexByte(t.src[at:], ')')
	if end < 0 {
		return t.fail("missing ), unterminated name", at)
	}
	name := t.src[at : at+end]
	if n, ok := t.names[name]; ok {
		name = fmt.Sprint(n)
	} else if !digitsOnly(name) && !isIdentifier(name) {
		return t.fail("bad character in group name '"+name+"'", at)
	} else if !digitsOnly(name) || name == "" {
		return t.fail("unknown group name '"+name+"'", at)
	}
	number, _ := strconv.Atoi(name)
	t.conditions = append(t.conditions, condition{number, at})
	t.at = at + end + 1
	t.simple = false
	t.openGroup(start, false, "?("+name+")")
	return nil
}

// inlineFlags writes (?i:...) and the like; flags for the whole pattern must stand at its beginning.
func (t *translation) inlineFlags(start int) error {
	at := t.at + 2
	on, end := "", at
	for end < len(t.src) && strings.IndexByte("imsxauL-", t.src[end]) >= 0 {
		end++
	}
	if end >= len(t.src) {
		return t.fail("unexpected end of pattern", len(t.src))
	}
	if end == at || t.src[end] != ':' && t.src[end] != ')' {
		return t.fail("unknown extension ?"+t.src[at:min(at+1, len(t.src))], start+1)
	}
	for _, c := range t.src[at:end] {
		if c != 'a' && c != 'u' && c != 'L' {
			on += string(c)
		}
	}
	if t.src[end] == ')' {
		return t.fail("global flags not at the start of the expression", start)
	}
	t.at = end + 1
	t.simple = false
	t.openGroup(start, false, "?"+strings.TrimSuffix(on, "-")+":")
	return nil
}
