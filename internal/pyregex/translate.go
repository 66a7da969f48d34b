package pyregex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// translation is a pattern in the syntax of both engines.
type translation struct {
	src        string
	at         int
	flags      Flags
	fast, back strings.Builder
	groups     int
	names      map[string]int
	open       []int // where the open groups began, in bytes
	conditions []condition
	simple     bool // Go's engine can run it
	dollar     bool
	asserts    bool
	asciiOnly  bool
	repeatable bool // what was written last can be repeated
	repeated   bool // what was written last is a repetition
}

// condition is a (?(group)...) and where it stands.
type condition struct{ group, at int }

// Python's classes. \w has letters, digits and other numbers, no marks; both engines would read it otherwise.
const (
	digitClass = `\p{Nd}`
	spaceClass = `\t\n\v\f\r\x1c-\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
	wordClass  = `\p{L}\p{N}_`
)

// translate reads a pattern once and writes it for both engines.
func translate(src string, flags Flags) (*translation, error) {
	t := &translation{src: src, flags: flags, names: map[string]int{}, simple: true}
	if strings.HasPrefix(src, "(?") {
		t.leadingFlags()
	}
	if t.flags&Verbose != 0 {
		t.simple = false
	}
	for t.at < len(t.src) {
		if err := t.step(); err != nil {
			return nil, err
		}
		if len(t.open) > maxOpen {
			return nil, t.fail(fmt.Sprintf("more than %d groups inside each other", maxOpen), t.at)
		}
	}
	if n := len(t.open); n > 0 {
		return nil, t.fail("missing ), unterminated subpattern", t.open[n-1])
	}
	for _, c := range t.conditions {
		if c.group > t.groups {
			return nil, t.fail(fmt.Sprintf("invalid group reference %d", c.group), c.at)
		}
	}
	if t.flags&IgnoreCase != 0 {
		t.asciiOnly = true
	}
	return t, nil
}

func (t *translation) fail(message string, at int) error {
	return &Error{message, utf8.RuneCountInString(t.src[:at])}
}

// leadingFlags takes a (?imsx) that opens the pattern.
func (t *translation) leadingFlags() {
	end := strings.IndexByte(t.src, ')')
	if end < 3 {
		return
	}
	flags := t.flags
	for _, c := range t.src[2:end] {
		switch c {
		case 'i':
			flags |= IgnoreCase
		case 'm':
			flags |= Multiline
		case 's':
			flags |= DotAll
		case 'x':
			flags |= Verbose
		case 'a', 'u', 'L':
		default:
			return
		}
	}
	t.flags, t.at = flags, end+1
}

// prefix is the flags as each engine writes them.
func (t *translation) prefix(engine string) string {
	letters := ""
	for _, f := range []struct {
		flag   Flags
		letter string
	}{{IgnoreCase, "i"}, {Multiline, "m"}, {DotAll, "s"}, {Verbose, "x"}} {
		if t.flags&f.flag != 0 && !(engine == "go" && f.flag == Verbose) {
			letters += f.letter
		}
	}
	if letters == "" {
		return ""
	}
	return "(?" + letters + ")"
}

func (t *translation) write(s string) {
	t.fast.WriteString(s)
	t.back.WriteString(s)
}

func (t *translation) atom(s string) {
	t.write(s)
	t.repeatable, t.repeated = true, false
}

func (t *translation) step() error {
	start := t.at
	c := t.src[t.at]
	switch c {
	case '\\':
		return t.escape()
	case '[':
		return t.class()
	case '(':
		return t.group()
	case ')':
		if len(t.open) == 0 {
			return t.fail("unbalanced parenthesis", start)
		}
		t.open = t.open[:len(t.open)-1]
		t.atom(")")
	case '|':
		t.write("|")
		t.repeatable = false
	case '^':
		t.asserts = true
		t.write("^")
		t.repeatable = false
	case '$':
		t.end()
	case '*', '+', '?', '{':
		return t.repeat(c)
	case '#', ' ', '\t', '\n':
		if t.flags&Verbose != 0 {
			t.skipVerbose(c)
			return nil
		}
		t.literal()
		return nil
	case '.':
		t.atom(".")
	default:
		t.literal()
		return nil
	}
	t.at++
	return nil
}

func (t *translation) skipVerbose(c byte) {
	t.at++
	if c == '#' {
		if n := strings.IndexByte(t.src[t.at:], '\n'); n >= 0 {
			t.at += n
		} else {
			t.at = len(t.src)
		}
	}
}

func (t *translation) literal() {
	r, n := utf8.DecodeRuneInString(t.src[t.at:])
	t.at += n
	if strings.ContainsRune("}]# \t\n", r) {
		t.atom(quoteRune(r))
		return
	}
	t.atom(t.src[t.at-n : t.at])
}

// quoteRune writes a character so that neither engine reads anything into it.
func quoteRune(r rune) string {
	switch {
	case r < 0x80 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '_'):
		return string(r)
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return string(r)
}

// end writes $, which in Python also stands before a line break that ends the text.
func (t *translation) end() {
	t.repeatable = false
	if t.flags&Multiline != 0 {
		t.write("$")
		return
	}
	t.dollar = true
	t.fast.WriteString(`\z`)
	t.back.WriteString(`(?=\n?\z)`)
}

func (t *translation) repeat(c byte) error {
	start := t.at
	text := string(c)
	t.at++
	if c == '{' {
		spec, ok, err := t.braces()
		if err != nil {
			return err
		}
		if !ok {
			t.at = start + 1
			t.atom(`\x7b`)
			return nil
		}
		text = spec
	}
	switch {
	case t.repeated:
		return t.fail("multiple repeat", start)
	case !t.repeatable:
		return t.fail("nothing to repeat", start)
	}
	if t.at < len(t.src) && t.src[t.at] == '?' {
		text += "?"
		t.at++
	}
	t.write(text)
	t.repeated = true
	return nil
}

// braces reads {n}, {n,}, {,n} or {n,m}; anything else is plain text.
func (t *translation) braces() (string, bool, error) {
	start := t.at - 1
	end := strings.IndexByte(t.src[t.at:], '}')
	if end < 0 {
		return "", false, nil
	}
	low, high, two := strings.Cut(t.src[t.at:t.at+end], ",")
	if !digitsOnly(low) || !digitsOnly(high) || low == "" && !two {
		return "", false, nil
	}
	t.at += end + 1
	if low == "" {
		low = "0"
	}
	a, _ := strconv.Atoi(low)
	b, err := strconv.Atoi(high)
	if high != "" && err == nil && b < a {
		return "", false, t.fail("min repeat greater than max repeat", start+1)
	}
	if a > 1000 || b > 1000 {
		t.simple = false
	}
	if !two {
		return "{" + low + "}", true, nil
	}
	return "{" + low + "," + high + "}", true, nil
}

func digitsOnly(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (t *translation) escape() error {
	start := t.at
	if t.at+1 >= len(t.src) {
		return t.fail("bad escape (end of pattern)", start)
	}
	c := t.src[t.at+1]
	switch c {
	case 'd', 's', 'w', 'D', 'S', 'W':
		t.at += 2
		t.shorthand(c, false)
		t.repeatable, t.repeated = true, false
		return nil
	case 'A', 'b', 'B', 'Z':
		t.at += 2
		t.asserts = t.asserts || c != 'Z'
		t.asciiOnly = t.asciiOnly || c == 'b' || c == 'B'
		if c == 'Z' {
			t.write(`\z`)
		} else {
			t.write(`\` + string(c))
		}
		t.repeatable, t.repeated = false, false
		return nil
	}
	if c >= '1' && c <= '9' && octalDigits(t.src[t.at+1:], 3) < 3 {
		return t.backReference()
	}
	r, err := t.character()
	if err != nil {
		return err
	}
	t.atom(quoteRune(r))
	return nil
}

func (t *translation) backReference() error {
	n := 1
	if t.at+2 < len(t.src) && t.src[t.at+2] >= '0' && t.src[t.at+2] <= '9' {
		n = 2
	}
	number, _ := strconv.Atoi(t.src[t.at+1 : t.at+1+n])
	if number > t.groups {
		return t.fail(fmt.Sprintf("invalid group reference %d", number), t.at+1)
	}
	t.at += 1 + n
	t.simple = false
	t.atom(fmt.Sprintf(`\k<%d>`, number))
	return nil
}

// shorthand writes \d, \s or \w and their opposites, inside a class or on their own.
func (t *translation) shorthand(c byte, inClass bool) {
	set := map[byte]string{'d': digitClass, 's': spaceClass, 'w': wordClass}[c|0x20]
	net := strings.NewReplacer(`\x{`, `\u`, `}`, ``).Replace(set)
	if c|0x20 != 's' {
		net = set
	}
	switch {
	case !inClass && c&0x20 != 0:
		t.fast.WriteString("[" + set + "]")
		t.back.WriteString("[" + net + "]")
	case !inClass:
		t.fast.WriteString("[^" + set + "]")
		t.back.WriteString("[^" + net + "]")
	case c&0x20 != 0:
		t.fast.WriteString(set)
		t.back.WriteString(net)
	default: // the opposite inside a class: each engine has its own, which differs for rare characters only
		t.asciiOnly = true
		t.write(`\` + string(c))
	}
}

// character reads an escape that stands for one character.
func (t *translation) character() (rune, error) {
	start := t.at
	c := t.src[t.at+1]
	simple := map[byte]rune{'a': '\a', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}
	if r, ok := simple[c]; ok {
		t.at += 2
		return r, nil
	}
	if length := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; length > 0 {
		digits := t.src[t.at+2 : min(t.at+2+length, len(t.src))]
		n, err := strconv.ParseUint(digits, 16, 32)
		if err != nil || len(digits) < length || n > utf8.MaxRune {
			return 0, t.fail(`incomplete escape \`+string(c)+digits, start)
		}
		t.at += 2 + length
		return rune(n), nil
	}
	if n := octalDigits(t.src[t.at+1:], 3); c == '0' || n == 3 {
		v, _ := strconv.ParseUint(t.src[t.at+1:t.at+1+n], 8, 32)
		t.at += 1 + n
		return rune(v), nil
	}
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
		return 0, t.fail(`bad escape \`+string(c), start)
	}
	r, n := utf8.DecodeRuneInString(t.src[t.at+1:])
	t.at += 1 + n
	return r, nil
}
