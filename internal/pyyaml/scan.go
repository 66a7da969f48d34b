package pyyaml

import "strings"

type tokenKind byte

const (
	streamEnd tokenKind = iota
	versionDirective
	tagDirective
	documentStart
	documentEnd
	blockSequenceStart
	blockMappingStart
	blockEnd
	flowSequenceStart
	flowSequenceEnd
	flowMappingStart
	flowMappingEnd
	blockEntry
	flowEntry
	keyToken
	valueToken
	aliasToken
	anchorToken
	tagToken
	scalarToken
)

type token struct {
	kind       tokenKind
	start, end Mark
	value      string // scalar text, anchor name, tag suffix, directive value
	handle     string // of a tag or a %TAG directive
	plain      bool   // a scalar without quotes or block indicator
}

// simpleKey is a place where a key without ? may begin.
type simpleKey struct {
	possible, required bool
	number             int // of its token
	index              int
	mark               Mark
}

// scanner cuts a document into tokens, following libyaml step by step: the order in which it looks at things decides
// which fault is reported and where.
type scanner struct {
	src        string
	at         int // byte offset
	chars      int // character offset
	mark       Mark
	queue      []token
	parsed     int // tokens taken from the queue
	done       bool
	indent     int
	indents    []int
	keyAllowed bool
	keys       []simpleKey
	flowLevel  int
}

func newScanner(src string) *scanner {
	return &scanner{src: src, mark: Mark{1, 1}, indent: -1, keyAllowed: true, keys: []simpleKey{{}}}
}

// fail ends the scan: the error is raised as a panic that parse recovers, as the grammar is deeply nested.
func (s *scanner) fail(context string, at *Mark, problem string) {
	m := s.mark
	e := &Error{Stage: Scanner, Problem: problem, ProblemMark: &m}
	if context != "" {
		c := *at
		e.Context, e.ContextMark = context, &c
	}
	panic(e)
}

// c is the byte n places ahead, 0 past the end.
func (s *scanner) c(n int) byte {
	if s.at+n < len(s.src) {
		return s.src[s.at+n]
	}
	return 0
}

func (s *scanner) end() bool { return s.at >= len(s.src) }

func isBlankByte(c byte) bool { return c == ' ' || c == '\t' }

// breakAt is the width of the line break n bytes ahead, 0 when there is none.
func (s *scanner) breakAt(n int) int {
	switch s.c(n) {
	case '\n':
		return 1
	case '\r':
		if s.c(n+1) == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if s.c(n+1) == 0x85 {
			return 2
		}
	case 0xe2:
		if s.c(n+1) == 0x80 && (s.c(n+2) == 0xa8 || s.c(n+2) == 0xa9) {
			return 3
		}
	}
	return 0
}

func (s *scanner) blankzAt(n int) bool {
	return s.at+n >= len(s.src) || isBlankByte(s.c(n)) || s.breakAt(n) > 0
}

// skip moves over one character that is no line break.
func (s *scanner) skip() {
	s.at++
	if s.at < len(s.src) && s.src[s.at] < 0x80 {
		s.chars++
		s.mark.Column++
		return
	}
	for s.at < len(s.src) && s.src[s.at]&0xc0 == 0x80 {
		s.at++
	}
	s.chars++
	s.mark.Column++
}

func (s *scanner) skipBytes(n int) {
	for range n {
		s.skip()
	}
}

// line moves over a line break and returns what it stands for: \n, or the Unicode line and paragraph separators.
func (s *scanner) line() string {
	n := s.breakAt(0)
	if n == 0 {
		return ""
	}
	text := "\n"
	if n == 3 {
		text = s.src[s.at : s.at+3]
	}
	s.at += n
	s.chars++
	if s.src[s.at-1] == '\n' && n == 2 {
		s.chars++
	}
	s.mark.Line++
	s.mark.Column = 1
	return text
}

func (s *scanner) column() int { return s.mark.Column - 1 }

// documentMark tells whether --- or ... stands at the beginning of this line.
func (s *scanner) documentMark() bool {
	if s.column() != 0 || !s.blankzAt(3) {
		return false
	}
	rest := s.src[s.at:]
	return strings.HasPrefix(rest, "---") || strings.HasPrefix(rest, "...")
}

func (s *scanner) peek() *token {
	s.more()
	return &s.queue[0]
}

func (s *scanner) take() token {
	s.more()
	t := s.queue[0]
	s.queue = s.queue[1:]
	s.parsed++
	return t
}

// more fetches until the first token is certain: no key can begin before it any more.
func (s *scanner) more() {
	for len(s.queue) == 0 || s.firstMayBecomeKey() {
		if s.done {
			return
		}
		s.fetch()
	}
}

func (s *scanner) firstMayBecomeKey() bool {
	s.dropStaleKeys()
	for i := range s.keys {
		if s.keys[i].possible && s.keys[i].number == s.parsed {
			return true
		}
	}
	return false
}

// dropStaleKeys ends keys that go over a line or 1024 characters.
func (s *scanner) dropStaleKeys() {
	for i := range s.keys {
		k := &s.keys[i]
		if k.possible && (k.mark.Line < s.mark.Line || k.index+1024 < s.chars) {
			if k.required {
				s.fail("while scanning a simple key", &k.mark, "could not find expected ':'")
			}
			k.possible = false
		}
	}
}

func (s *scanner) saveKey() {
	if !s.keyAllowed {
		return
	}
	k := simpleKey{
		possible: true, required: s.flowLevel == 0 && s.indent == s.column(),
		number: s.parsed + len(s.queue), index: s.chars, mark: s.mark,
	}
	s.removeKey()
	s.keys[len(s.keys)-1] = k
}

func (s *scanner) removeKey() {
	k := &s.keys[len(s.keys)-1]
	if k.possible && k.required {
		s.fail("while scanning a simple key", &k.mark, "could not find expected ':'")
	}
	k.possible = false
}

func (s *scanner) add(t token) { s.queue = append(s.queue, t) }

func (s *scanner) insert(number int, t token) {
	i := number - s.parsed
	s.queue = append(s.queue, token{})
	copy(s.queue[i+1:], s.queue[i:])
	s.queue[i] = t
}

// roll begins a block collection when the column is deeper than the current one; number is the token it begins
// before, -1 for the next.
func (s *scanner) roll(column, number int, kind tokenKind, at Mark) {
	if s.flowLevel > 0 || s.indent >= column {
		return
	}
	s.indents = append(s.indents, s.indent)
	s.indent = column
	t := token{kind: kind, start: at, end: at}
	if number < 0 {
		s.add(t)
	} else {
		s.insert(number, t)
	}
}

func (s *scanner) unroll(column int) {
	if s.flowLevel > 0 {
		return
	}
	for s.indent > column {
		s.add(token{kind: blockEnd, start: s.mark, end: s.mark})
		s.indent = s.indents[len(s.indents)-1]
		s.indents = s.indents[:len(s.indents)-1]
	}
}

func (s *scanner) toNextToken() {
	for {
		if s.column() == 0 && strings.HasPrefix(s.src[s.at:], "\ufeff") {
			s.skip()
		}
		for s.c(0) == ' ' || (s.flowLevel > 0 || !s.keyAllowed) && s.c(0) == '\t' {
			s.skip()
		}
		if s.c(0) == '#' {
			for !s.end() && s.breakAt(0) == 0 {
				s.skip()
			}
		}
		if s.line() == "" {
			return
		}
		if s.flowLevel == 0 {
			s.keyAllowed = true
		}
	}
}
