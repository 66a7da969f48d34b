package pyyaml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func isAlpha(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}

func (s *scanner) word() string {
	from := s.at
	for isAlpha(s.c(0)) {
		s.skip()
	}
	return s.src[from:s.at]
}

func (s *scanner) scanAnchor(c byte) {
	start := s.mark
	s.skip()
	name := s.word()
	if name == "" || !s.blankzAt(0) && strings.IndexByte("?:,]}%@`", s.c(0)) < 0 {
		context := "while scanning an anchor"
		if c == '*' {
			context = "while scanning an alias"
		}
		s.fail(context, &start, "did not find expected alphabetic or numeric character")
	}
	kind := anchorToken
	if c == '*' {
		kind = aliasToken
	}
	s.add(token{kind: kind, start: start, end: s.mark, value: name})
}

func (s *scanner) scanTag() {
	start := s.mark
	t := token{kind: tagToken, start: start}
	if s.c(1) == '<' {
		s.skipBytes(2)
		t.value = s.tagURI(uriPlace{context: "while parsing a tag", brackets: true}, "", &start)
		if s.c(0) != '>' {
			s.fail("while scanning a tag", &start, "did not find the expected '>'")
		}
		s.skip()
	} else {
		t.handle = s.tagHandle("while scanning a tag", &start)
		if n := len(t.handle); n > 1 && t.handle[n-1] == '!' {
			t.value = s.tagURI(uriPlace{context: "while parsing a tag"}, "", &start)
		} else {
			t.value = s.tagURI(uriPlace{context: "while parsing a tag"}, t.handle, &start)
			if t.handle = "!"; t.value == "" {
				t.handle, t.value = "", "!"
			}
		}
	}
	if (s.flowLevel == 0 || s.c(0) != ',') && !s.blankzAt(0) {
		s.fail("while scanning a tag", &start, "did not find expected whitespace or line break")
	}
	t.end = s.mark
	s.add(t)
}

// tagHandle reads !, !! or !word!; what begins like the last and has no second ! is left to the caller.
func (s *scanner) tagHandle(context string, start *Mark) string {
	if s.c(0) != '!' {
		s.fail(context, start, "did not find expected '!'")
	}
	s.skip()
	handle := "!" + s.word()
	if s.c(0) == '!' {
		s.skip()
		handle += "!"
	} else if context == "while scanning a tag directive" && handle != "!" {
		s.fail("while parsing a tag directive", start, "did not find expected '!'")
	}
	return handle
}

type uriPlace struct {
	context  string
	brackets bool // , [ and ] may stand in it
}

func (s *scanner) tagURI(p uriPlace, head string, start *Mark) string {
	var b strings.Builder
	if len(head) > 1 {
		b.WriteString(head[1:])
	}
	length := len(head)
	for {
		c := s.c(0)
		if s.end() || !isAlpha(c) && strings.IndexByte(";/?:@&=+$.!~*'()%", c) < 0 && !(p.brackets && strings.IndexByte(",[]", c) >= 0) {
			break
		}
		if c == '%' {
			b.WriteRune(s.uriEscape(p.context, start))
		} else {
			b.WriteByte(c)
			s.skip()
		}
		length++
	}
	if length == 0 {
		s.fail(p.context, start, "did not find expected tag URI")
	}
	return b.String()
}

func (s *scanner) uriEscape(context string, start *Mark) rune {
	var raw []byte
	for {
		n, err := strconv.ParseUint(s.src[min(s.at+1, len(s.src)):min(s.at+3, len(s.src))], 16, 8)
		if s.c(0) != '%' || err != nil {
			s.fail(context, start, "did not find URI escaped octet")
		}
		raw = append(raw, byte(n))
		s.skipBytes(3)
		if utf8.FullRune(raw) {
			break
		}
	}
	r, _ := utf8.DecodeRune(raw)
	if r == utf8.RuneError {
		s.fail(context, start, "found an incorrect leading UTF-8 octet")
	}
	return r
}

func (s *scanner) fetchDirective() {
	s.unroll(-1)
	s.removeKey()
	s.keyAllowed = false
	start := s.mark
	s.skip()
	name := s.word()
	if name == "" {
		s.fail("while scanning a directive", &start, "could not find expected directive name")
	}
	if !s.blankzAt(0) {
		s.fail("while scanning a directive", &start, "found unexpected non-alphabetical character")
	}
	t := token{start: start}
	switch name {
	case "YAML":
		t.kind = versionDirective
		s.blanks()
		t.handle = s.versionNumber(&start)
		if s.c(0) != '.' {
			s.fail("while scanning a %YAML directive", &start, "did not find expected digit or '.' character")
		}
		s.skip()
		t.value = s.versionNumber(&start)
	case "TAG":
		t.kind = tagDirective
		s.blanks()
		t.handle = s.tagHandle("while scanning a tag directive", &start)
		if !isBlankByte(s.c(0)) {
			s.fail("while scanning a %TAG directive", &start, "did not find expected whitespace")
		}
		s.blanks()
		t.value = s.tagURI(uriPlace{context: "while parsing a %TAG directive", brackets: true}, "", &start)
		if !s.blankzAt(0) {
			s.fail("while scanning a %TAG directive", &start, "did not find expected whitespace or line break")
		}
	default:
		s.fail("while scanning a directive", &start, "found unknown directive name")
	}
	t.end = s.mark
	s.blanks()
	if s.c(0) == '#' {
		for !s.end() && s.breakAt(0) == 0 {
			s.skip()
		}
	}
	if !s.end() && s.breakAt(0) == 0 {
		s.fail("while scanning a directive", &start, "did not find expected comment or line break")
	}
	s.line()
	s.add(t)
}

func (s *scanner) blanks() {
	for isBlankByte(s.c(0)) {
		s.skip()
	}
}

func (s *scanner) versionNumber(start *Mark) string {
	from := s.at
	for s.c(0) >= '0' && s.c(0) <= '9' {
		if s.at-from >= 9 {
			s.fail("while scanning a %YAML directive", start, "found extremely long version number")
		}
		s.skip()
	}
	if from == s.at {
		s.fail("while scanning a %YAML directive", start, "did not find expected version number")
	}
	return s.src[from:s.at]
}
