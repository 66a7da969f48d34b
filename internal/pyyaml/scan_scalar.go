package pyyaml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// fold collects the blanks and line breaks between two pieces of a scalar that goes over lines.
type fold struct {
	blanks  string
	leading string // the first break
	breaks  string // the breaks after it
	lines   bool   // a line break was met
}

// read takes one blank or break.
func (f *fold) read(s *scanner) {
	switch {
	case isBlankByte(s.c(0)):
		if !f.lines {
			f.blanks += s.src[s.at : s.at+1]
		}
		s.skip()
	case !f.lines:
		f.blanks = ""
		f.leading = s.line()
		f.lines = true
	default:
		f.breaks += s.line()
	}
}

// join is what stands for the blanks and breaks: one break is a blank, each further one a line break.
func (f *fold) join() string {
	if !f.lines {
		return f.blanks
	}
	if f.leading == "\n" {
		if f.breaks == "" {
			return " "
		}
		return f.breaks
	}
	return f.leading + f.breaks
}

// skipText moves over one character and the letters, digits and dashes behind it, which end no scalar.
func (s *scanner) skipText() {
	s.skip()
	for isAlpha(s.c(0)) {
		s.at++
		s.chars++
		s.mark.Column++
	}
}

func (s *scanner) blankOrBreak() bool {
	return !s.end() && (isBlankByte(s.c(0)) || s.breakAt(0) > 0)
}

func (s *scanner) scanPlain() {
	start, end := s.mark, s.mark
	indent := s.indent + 1
	var b strings.Builder
	f := fold{}
	for !s.documentMark() && s.c(0) != '#' {
		for !s.blankzAt(0) {
			c := s.c(0)
			if s.flowLevel > 0 && c == ':' && s.at+1 < len(s.src) && strings.IndexByte(",?[]{}", s.c(1)) >= 0 {
				s.fail("while scanning a plain scalar", &start, "found unexpected ':'")
			}
			if c == ':' && s.blankzAt(1) || s.flowLevel > 0 && strings.IndexByte(",[]{}", c) >= 0 {
				break
			}
			if f.lines || f.blanks != "" {
				b.WriteString(f.join())
				f = fold{}
			}
			from := s.at
			s.skipText()
			b.WriteString(s.src[from:s.at])
			end = s.mark
		}
		if !s.blankOrBreak() {
			break
		}
		for s.blankOrBreak() {
			if f.lines && s.column() < indent && s.c(0) == '\t' {
				s.fail("while scanning a plain scalar", &start, "found a tab character that violates indentation")
			}
			f.read(s)
		}
		if s.flowLevel == 0 && s.column() < indent {
			break
		}
	}
	s.add(token{kind: scalarToken, start: start, end: end, value: b.String(), plain: true})
	if f.lines {
		s.keyAllowed = true
	}
}

func (s *scanner) scanQuoted(quote byte) {
	start := s.mark
	s.skip()
	var b strings.Builder
	for {
		if s.documentMark() {
			s.fail("while scanning a quoted scalar", &start, "found unexpected document indicator")
		}
		if s.end() {
			s.fail("while scanning a quoted scalar", &start, "found unexpected end of stream")
		}
		f := fold{}
		for !s.blankzAt(0) {
			c := s.c(0)
			if c == '\'' && quote == '\'' && s.c(1) == '\'' {
				b.WriteByte('\'')
				s.skipBytes(2)
				continue
			}
			if c == quote {
				break
			}
			if quote == '"' && c == '\\' {
				if s.breakAt(1) > 0 {
					s.skip()
					s.line()
					f.lines = true
					break
				}
				s.scanEscape(&b, &start)
				continue
			}
			from := s.at
			s.skipText()
			b.WriteString(s.src[from:s.at])
		}
		if s.c(0) == quote {
			break
		}
		for s.blankOrBreak() {
			f.read(s)
		}
		b.WriteString(f.join())
	}
	s.skip()
	s.add(token{kind: scalarToken, start: start, end: s.mark, value: b.String()})
}

func (s *scanner) scanEscape(b *strings.Builder, start *Mark) {
	simple := map[byte]string{
		'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
		' ': " ", '"': `"`, '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
	}
	c := s.c(1)
	if text, ok := simple[c]; ok {
		b.WriteString(text)
		s.skipBytes(2)
		return
	}
	length := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if length == 0 {
		s.fail("while parsing a quoted scalar", start, "found unknown escape character")
	}
	s.skipBytes(2)
	digits := s.src[s.at:min(s.at+length, len(s.src))]
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil || len(digits) < length {
		s.fail("while parsing a quoted scalar", start, "did not find expected hexdecimal number")
	}
	if n > utf8.MaxRune || n >= 0xd800 && n <= 0xdfff {
		s.fail("while parsing a quoted scalar", start, "found invalid Unicode character escape code")
	}
	b.WriteRune(rune(n))
	s.skipBytes(length)
}

// blockHeader reads the indicators behind | or >: the indent and what becomes of the last breaks (-1 strip, 1 keep).
func (s *scanner) blockHeader(start *Mark) (increment, chomping int) {
	for range 2 {
		switch c := s.c(0); {
		case chomping == 0 && (c == '+' || c == '-'):
			chomping = 1
			if c == '-' {
				chomping = -1
			}
			s.skip()
		case increment == 0 && c >= '0' && c <= '9':
			if c == '0' {
				s.fail("while scanning a block scalar", start, "found an indentation indicator equal to 0")
			}
			increment = int(c - '0')
			s.skip()
		}
	}
	s.blanks()
	if s.c(0) == '#' {
		for !s.end() && s.breakAt(0) == 0 {
			s.skip()
		}
	}
	if !s.end() && s.breakAt(0) == 0 {
		s.fail("while scanning a block scalar", start, "did not find expected comment or line break")
	}
	s.line()
	return increment, chomping
}

func (s *scanner) scanBlock(literal bool) {
	start := s.mark
	s.skip()
	increment, chomping := s.blockHeader(&start)
	indent := 0
	if increment > 0 {
		indent = max(s.indent, 0) + increment
	}
	var b strings.Builder
	leading, leadingBlank := "", false
	breaks := s.blockBreaks(&indent, &start)
	for s.column() == indent && !s.end() {
		blank := isBlankByte(s.c(0))
		if !literal && leading == "\n" && !leadingBlank && !blank {
			if breaks == "" {
				b.WriteByte(' ')
			}
		} else {
			b.WriteString(leading)
		}
		b.WriteString(breaks)
		leadingBlank = blank
		from := s.at
		for !s.end() && s.breakAt(0) == 0 {
			s.skip()
		}
		b.WriteString(s.src[from:s.at])
		leading = s.line()
		breaks = s.blockBreaks(&indent, &start)
	}
	if chomping != -1 {
		b.WriteString(leading)
	}
	if chomping == 1 {
		b.WriteString(breaks)
	}
	s.add(token{kind: scalarToken, start: start, end: s.mark, value: b.String()})
}

// blockBreaks reads empty lines and the indent, which the first line with text decides when none is given.
func (s *scanner) blockBreaks(indent *int, start *Mark) string {
	var b strings.Builder
	deepest := 0
	for {
		for (*indent == 0 || s.column() < *indent) && s.c(0) == ' ' {
			s.skip()
		}
		deepest = max(deepest, s.column())
		if (*indent == 0 || s.column() < *indent) && s.c(0) == '\t' {
			s.fail("while scanning a block scalar", start, "found a tab character where an indentation space is expected")
		}
		if s.breakAt(0) == 0 {
			break
		}
		b.WriteString(s.line())
	}
	if *indent == 0 {
		*indent = max(deepest, s.indent+1, 1)
	}
	return b.String()
}
