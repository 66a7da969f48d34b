// Package pyregex runs regular expressions in the syntax of Python's re module: its groups, flags and classes, its
// search, match, split and sub, and its error texts.
//
// Patterns run on Go's regexp, which is fast and cannot run away, where the meaning is the same, and on
// dlclark/regexp2 with a time limit where it is not (look-around, back-references, $ before a last line break).
package pyregex

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// Flags are those of Python's re.
type Flags uint8

// The flags, with Python's letters.
const (
	IgnoreCase Flags = 1 << iota // (?i)
	Multiline                    // (?m)
	DotAll                       // (?s)
	Verbose                      // (?x)
)

// Timeout bounds one match attempt; a pattern that backtracks for longer fails with ErrTimeout.
const Timeout = 2 * time.Second

// ErrTimeout is a match that took longer than Timeout.
var ErrTimeout = errors.New("the regular expression took too long to match")

// Error is a pattern or a replacement that Python's re would refuse, in its words.
type Error struct {
	Message  string
	Position int // in characters; -1 when Python names none
}

func (e *Error) Error() string {
	if e.Position < 0 {
		return e.Message
	}
	return fmt.Sprintf("%s at position %d", e.Message, e.Position)
}

// Regexp is a compiled pattern, safe for concurrent use.
type Regexp struct {
	pattern string
	groups  int
	names   map[string]int
	// fast is nil when the pattern needs back.
	fast     map[mode]*regexp.Regexp
	endsLine bool // has a $ that may stand before a last line break
	ascii    bool // means the same in fast only for ASCII text
	asserts  bool // looks at what stands before the place where it starts
	back     map[mode]func() (*regexp2.Regexp, error)
}

// Compile reads a pattern. An error is an *Error where Python would refuse the pattern too.
func Compile(pattern string, flags Flags) (*Regexp, error) {
	t, err := translate(pattern, flags)
	if err != nil {
		return nil, err
	}
	r := &Regexp{pattern: pattern, groups: t.groups, names: t.names, endsLine: t.dollar, ascii: t.asciiOnly, asserts: t.asserts}
	if t.simple {
		r.compileFast(t.prefix("go") + t.fast.String())
	}
	body := t.prefix("net") + t.back.String()
	r.back = map[mode]func() (*regexp2.Regexp, error){}
	for m, src := range map[mode]string{
		searching: body, anchored: `\G(?:` + body + `)`, whole: `\G(?:` + body + `)\z`, advancing: `\G(?:` + body + `)(?!\G)`,
	} {
		r.back[m] = sync.OnceValues(func() (*regexp2.Regexp, error) { return compileBack(src) })
	}
	if r.fast == nil {
		if _, err := r.back[searching](); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Regexp) compileFast(body string) {
	fast := map[mode]*regexp.Regexp{}
	for m, src := range map[mode]string{searching: body, anchored: `\A(?:` + body + `)`, whole: `\A(?:` + body + `)\z`} {
		re, err := regexp.Compile(src)
		if err != nil {
			return // more than Go's engine takes: the other one serves
		}
		fast[m] = re
	}
	r.fast = fast
}

func compileBack(src string) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(src, regexp2.None)
	if err != nil {
		return nil, &Error{Message: strings.TrimPrefix(err.Error(), "error parsing regexp: "), Position: -1}
	}
	re.MatchTimeout = Timeout
	return re, nil
}

// String is the pattern as it was written.
func (r *Regexp) String() string { return r.pattern }

// Groups is the number of groups, not counting the whole match.
func (r *Regexp) Groups() int { return r.groups }

// Names maps the named groups to their numbers.
func (r *Regexp) Names() map[string]int { return r.names }

// Match is one match in a text.
type Match struct {
	re   *Regexp
	text string
	at   []int // byte offsets, two a group; -1 for a group that took no part
}

// Span is where group n stands, in bytes; -1, -1 when it took no part.
func (m *Match) Span(n int) (start, end int) { return m.at[2*n], m.at[2*n+1] }

// Group is the text of group n and whether it took part.
func (m *Match) Group(n int) (string, bool) {
	if n < 0 || n > m.re.groups || m.at[2*n] < 0 {
		return "", false
	}
	return m.text[m.at[2*n]:m.at[2*n+1]], true
}

// Text is the whole match.
func (m *Match) Text() string {
	s, _ := m.Group(0)
	return s
}

// Captured is the text of each group from 1 on, nil for those that took no part (Python's groups()).
func (m *Match) Captured() []any {
	out := make([]any, m.re.groups)
	for i := range out {
		if s, ok := m.Group(i + 1); ok {
			out[i] = s
		}
	}
	return out
}

// Search finds the first match anywhere; nil when there is none.
func (r *Regexp) Search(text string) (*Match, error) { return r.find(text, 0, searching) }

// Match matches at the beginning of text, as re.match.
func (r *Regexp) Match(text string) (*Match, error) { return r.find(text, 0, anchored) }

// FullMatch matches the whole text.
func (r *Regexp) FullMatch(text string) (*Match, error) { return r.find(text, 0, whole) }

type mode int

const (
	searching mode = iota
	anchored
	whole
	advancing // at the place itself, and not empty
)

// useFast tells whether Go's engine gives Python's answer for a search that starts at from.
func (r *Regexp) useFast(text string, from int, m mode) bool {
	if r.fast[m] == nil || from > 0 && r.asserts || r.endsLine && strings.HasSuffix(text, "\n") {
		return false
	}
	return !r.ascii || isASCII(text)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (r *Regexp) find(text string, from int, m mode) (*Match, error) {
	if r.useFast(text, from, m) {
		at := r.fast[m].FindStringSubmatchIndex(text[from:])
		if at == nil {
			return nil, nil
		}
		for i := range at {
			if at[i] >= 0 {
				at[i] += from
			}
		}
		return &Match{re: r, text: text, at: at}, nil
	}
	re, err := r.back[m]()
	if err != nil {
		return nil, err
	}
	found, err := re.FindStringMatchStartingAt(text, from)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrTimeout, r.pattern)
	}
	if found == nil {
		return nil, nil
	}
	out := &Match{re: r, text: text, at: make([]int, 2*(r.groups+1))}
	for n := range r.groups + 1 {
		out.at[2*n], out.at[2*n+1] = -1, -1
		if g := found.GroupByNumber(n); g != nil && len(g.Captures) > 0 {
			start, length := g.ByteRange()
			out.at[2*n], out.at[2*n+1] = start, start+length
		}
	}
	return out, nil
}

// each calls yield with the matches that do not overlap, in order, until it returns false. Behind an empty match
// Python first looks for one at the same place that is not empty.
func (r *Regexp) each(text string, yield func(*Match) bool) error {
	afterEmpty := false
	for from := 0; from <= len(text); {
		var m *Match
		var err error
		if afterEmpty {
			if m, err = r.find(text, from, advancing); m == nil && err == nil {
				from, afterEmpty = next(text, from), false
				continue
			}
		} else {
			m, err = r.find(text, from, searching)
		}
		if err != nil || m == nil {
			return err
		}
		if !yield(m) {
			return nil
		}
		start, end := m.Span(0)
		from, afterEmpty = end, start == end
	}
	return nil
}

func next(text string, at int) int {
	_, n := utf8.DecodeRuneInString(text[at:])
	return at + max(n, 1)
}

// FindIter returns every match.
func (r *Regexp) FindIter(text string) ([]*Match, error) {
	var out []*Match
	err := r.each(text, func(m *Match) bool {
		out = append(out, m)
		return true
	})
	return out, err
}

// FindAll is re.findall: the whole matches when the pattern has no group, the group's text when it has one, else a
// list of the groups' texts; a group that took no part is "".
func (r *Regexp) FindAll(text string) ([]any, error) {
	out := []any{}
	err := r.each(text, func(m *Match) bool {
		switch r.groups {
		case 0:
			out = append(out, m.Text())
		case 1:
			s, _ := m.Group(1)
			out = append(out, s)
		default:
			row := make([]any, r.groups)
			for i := range row {
				row[i], _ = m.Group(i + 1)
			}
			out = append(out, row)
		}
		return true
	})
	return out, err
}

// Split is re.split; max bounds the number of cuts, 0 is no bound. The texts of groups stand between the pieces, nil
// for a group that took no part.
func (r *Regexp) Split(text string, max int) ([]any, error) {
	out := []any{}
	from := 0
	err := r.each(text, func(m *Match) bool {
		start, end := m.Span(0)
		out = append(out, text[from:start])
		out = append(out, m.Captured()...)
		from = end
		max--
		return max != 0
	})
	return append(out, text[from:]), err
}

// Sub is re.subn with a replacement template: it replaces up to count matches (0 is all) and tells how many it found.
func (r *Regexp) Sub(template, text string, count int) (string, int, error) {
	parts, err := r.parseTemplate(template)
	if err != nil {
		return "", 0, err
	}
	return r.SubFunc(func(m *Match) string { return expand(parts, m) }, text, count)
}

// SubFunc is Sub with a function instead of a template.
func (r *Regexp) SubFunc(replace func(*Match) string, text string, count int) (string, int, error) {
	var b strings.Builder
	n, from := 0, 0
	err := r.each(text, func(m *Match) bool {
		start, end := m.Span(0)
		b.WriteString(text[from:start])
		b.WriteString(replace(m))
		from = end
		n++
		return n != count
	})
	b.WriteString(text[from:])
	return b.String(), n, err
}

// Escape is re.escape: a backslash before each character that means something in a pattern.
func Escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if slices.Contains([]rune("()[]{}?*+-|^$\\.&~# \t\n\r\v\f"), r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
