package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"brine/internal/pyfmt"
)

// Options are the settings of Jinja's environment that change how a template is read.
type Options struct {
	TrimBlocks, LstripBlocks, KeepTrailingNewline bool
}

// lexer cuts a template into tokens one at a time, so that of two faults the first is found.
type lexer struct {
	o            Options
	src          string
	pos, line    int
	inside       kind // variableBegin, blockBegin or "" for text
	balance      []byte
	ready        []token
	buffer       [4]token // what ready uses
	lineStarting bool
}

func newLexer(src string, o Options) *lexer {
	if strings.IndexByte(src, '\r') >= 0 {
		src = strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n")
	}
	if !o.KeepTrailingNewline {
		src = strings.TrimSuffix(src, "\n")
	}
	return &lexer{o: o, src: src, line: 1, lineStarting: true}
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x1f }

// skipSpace is the offset of the first character from i on that is no white space.
func (l *lexer) skipSpace(i int) int {
	for i < len(l.src) {
		if isSpace(l.src[i]) {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(l.src[i:])
		if r < 0x80 || !unicode.IsSpace(r) {
			break
		}
		i += n
	}
	return i
}

// next is the next token; at the end it is eof again and again.
func (l *lexer) next() token {
	for len(l.ready) == 0 {
		if l.inside == "" {
			l.text()
		} else {
			l.code()
		}
	}
	t := l.ready[0]
	if l.ready = l.ready[1:]; len(l.ready) == 0 {
		l.ready = l.buffer[:0]
	}
	return t
}

func (l *lexer) emit(t token) { l.ready = append(l.ready, t) }

// advance moves to an offset and counts the lines on the way.
func (l *lexer) advance(to int) {
	l.line += strings.Count(l.src[l.pos:to], "\n")
	if to > l.pos {
		l.lineStarting = l.src[to-1] == '\n'
	}
	l.pos = to
}

// opening finds the next {{, {% or {#.
func (l *lexer) opening() int {
	for i := l.pos; ; {
		n := strings.IndexByte(l.src[i:], '{')
		if n < 0 || i+n+1 >= len(l.src) {
			return -1
		}
		if c := l.src[i+n+1]; c == '{' || c == '%' || c == '#' {
			return i + n
		}
		i += n + 1
	}
}

// text emits what stands before the next tag and enters the tag.
func (l *lexer) text() {
	at := l.opening()
	if at < 0 {
		if l.pos < len(l.src) {
			l.emit(token{kind: data, line: l.line, text: l.src[l.pos:]})
			l.advance(len(l.src))
		}
		l.emit(token{kind: eof, line: l.line})
		return
	}
	sign := byte(0)
	if at+2 < len(l.src) {
		sign = l.src[at+2]
	}
	after := at + 2
	if sign == '-' || sign == '+' {
		after++
	} else {
		sign = 0
	}
	body := l.strip(l.src[l.pos:at], sign, l.src[at+1] == '{')
	if body != "" {
		l.emit(token{kind: data, line: l.line, text: body})
	}
	l.advance(at)
	switch l.src[at+1] {
	case '#':
		l.comment(after)
	case '%':
		if end, ok := l.rawStart(after); ok {
			l.advance(end)
			l.raw()
			return
		}
		l.emit(token{kind: blockBegin, line: l.line})
		l.inside = blockBegin
		l.advance(after)
	default:
		l.emit(token{kind: variableBegin, line: l.line})
		l.inside = variableBegin
		l.advance(after)
	}
}

// strip takes white space off the end of the text before a tag, as the tag's sign and lstrip_blocks ask.
func (l *lexer) strip(text string, sign byte, variable bool) string {
	if sign == '-' {
		return strings.TrimRightFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
	}
	if sign == '+' || !l.o.LstripBlocks || variable {
		return text
	}
	begin := strings.LastIndexByte(text, '\n') + 1
	if (begin > 0 || l.lineStarting) && strings.TrimSpace(text[begin:]) == "" {
		return text[:begin]
	}
	return text
}

// closing is the end of the closing mark at i and whether it stands there: with -, white space behind it goes too.
func (l *lexer) closing(i int, mark string, plus bool) (int, bool) {
	rest := l.src[i:]
	switch {
	case strings.HasPrefix(rest, "-"+mark):
		return l.skipSpace(i + 1 + len(mark)), true
	case plus && strings.HasPrefix(rest, "+"+mark):
		return i + 1 + len(mark), true
	case strings.HasPrefix(rest, mark):
		end := i + len(mark)
		if plus && l.o.TrimBlocks && end < len(l.src) && l.src[end] == '\n' {
			end++
		}
		return end, true
	}
	return 0, false
}

func (l *lexer) comment(from int) {
	for i := from; i < len(l.src); i++ {
		if end, ok := l.closing(i, "#}", true); ok {
			l.advance(end)
			return
		}
	}
	fail(l.line, "Missing end of comment tag")
}

// rawStart tells whether a raw block begins here, and where its text does.
func (l *lexer) rawStart(i int) (int, bool) {
	i = l.skipSpace(i)
	if !strings.HasPrefix(l.src[i:], "raw") {
		return 0, false
	}
	return l.closing(l.skipSpace(i+3), "%}", false)
}

// raw emits everything up to endraw as text.
func (l *lexer) raw() {
	for i := l.pos; i < len(l.src); i++ {
		if !strings.HasPrefix(l.src[i:], "{%") {
			continue
		}
		j, sign := i+2, byte(0)
		if j < len(l.src) && (l.src[j] == '-' || l.src[j] == '+') {
			sign = l.src[j]
			j++
		}
		if j = l.skipSpace(j); !strings.HasPrefix(l.src[j:], "endraw") {
			continue
		}
		end, ok := l.closing(l.skipSpace(j+len("endraw")), "%}", true)
		if !ok {
			continue
		}
		if body := l.strip(l.src[l.pos:i], sign, false); body != "" {
			l.emit(token{kind: data, line: l.line, text: body})
		}
		l.advance(end)
		return
	}
	fail(l.line, "Missing end of raw directive")
}

// code emits one token of a tag.
func (l *lexer) code() {
	if l.pos >= len(l.src) {
		l.emit(token{kind: eof, line: l.line})
		return
	}
	if len(l.balance) == 0 && l.leave() {
		return
	}
	if end := l.skipSpace(l.pos); end > l.pos {
		l.advance(end)
		return
	}
	c := l.src[l.pos]
	switch {
	case c >= '0' && c <= '9':
		l.number()
	case c == '\'' || c == '"':
		l.quoted(c)
	case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf:
		l.name()
	default:
		l.operator()
	}
}

// leave ends the tag when its closing mark stands here.
func (l *lexer) leave() bool {
	mark, closed := "}}", variableEnd
	if l.inside == blockBegin {
		mark, closed = "%}", blockEnd
	}
	end, ok := l.closing(l.pos, mark, l.inside == blockBegin)
	if !ok {
		return false
	}
	l.emit(token{kind: closed, line: l.line})
	l.advance(end)
	l.inside = ""
	return true
}

func (l *lexer) name() {
	end := l.pos
	for end < len(l.src) {
		if c := l.src[end]; c < utf8.RuneSelf {
			if !isWordByte(c) {
				break
			}
			end++
			continue
		}
		r, n := utf8.DecodeRuneInString(l.src[end:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
			break
		}
		end += n
	}
	if end == l.pos {
		l.unexpected()
	}
	l.emit(token{kind: name, line: l.line, text: l.src[l.pos:end]})
	l.pos = end
}

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func (l *lexer) unexpected() {
	r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
	fail(l.line, "unexpected char %s at %d", pyfmt.Repr(string(r)), utf8.RuneCountInString(l.src[:l.pos]))
}

func (l *lexer) operator() {
	rest := l.src[l.pos:]
	for _, o := range operators {
		if strings.HasPrefix(rest, o.text) {
			l.checkBalance(o.text)
			l.emit(token{kind: o.kind, line: l.line, text: o.text})
			l.pos += len(o.text)
			return
		}
	}
	l.unexpected()
}

func (l *lexer) checkBalance(op string) {
	switch op {
	case "(":
		l.balance = append(l.balance, ')')
	case "[":
		l.balance = append(l.balance, ']')
	case "{":
		l.balance = append(l.balance, '}')
	case ")", "]", "}":
		if len(l.balance) == 0 {
			fail(l.line, "unexpected '%s'", op)
		}
		want := l.balance[len(l.balance)-1]
		l.balance = l.balance[:len(l.balance)-1]
		if want != op[0] {
			fail(l.line, "unexpected '%s', expected '%c'", op, want)
		}
	}
}
