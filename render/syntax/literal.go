package syntax

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

var (
	floatForm   = regexp.MustCompile(`^(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?[eE][+-]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)`)
	integerForm = regexp.MustCompile(`^(?:0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?[0-9])*|0(?:_?0)*)`)
)

func (l *lexer) number() {
	rest := l.src[l.pos:]
	afterDot := l.pos > 0 && l.src[l.pos-1] == '.'
	if text := floatForm.FindString(rest); text != "" && !afterDot {
		f, _ := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		l.emit(token{kind: float, line: l.line, text: text, value: starlark.Float(f)})
		l.pos += len(text)
		return
	}
	text := integerForm.FindString(rest)
	n, _ := new(big.Int).SetString(text, 0)
	if n == nil {
		n = new(big.Int)
	}
	l.emit(token{kind: integer, line: l.line, text: text, value: starlark.MakeBigInt(n)})
	l.pos += len(text)
}

func (l *lexer) quoted(quote byte) {
	end := l.pos + 1
	for ; end < len(l.src) && l.src[end] != quote; end++ {
		if l.src[end] == '\\' {
			end++
		}
	}
	if end >= len(l.src) {
		l.unexpected()
	}
	text := l.src[l.pos+1 : end]
	line := l.line
	l.advance(end + 1)
	if strings.IndexByte(text, '\\') >= 0 {
		text = unescape(text, line)
	}
	l.emit(token{kind: str, line: line, text: text, value: starlark.String(text)})
}

// unescape resolves the escapes of a Python string literal; unknown ones stay as they are.
func unescape(s string, line int) string {
	simple := map[byte]string{
		'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	}
	lengths := map[byte]int{'x': 2, 'u': 4, 'U': 8}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		c := s[i+1]
		if text, ok := simple[c]; ok {
			b.WriteString(text)
			i += 2
			continue
		}
		if n := lengths[c]; n > 0 {
			b.WriteRune(hexEscape(s[i+2:], c, n, line))
			i += 2 + n
			continue
		}
		if c >= '0' && c <= '7' {
			n := 1
			for n < 3 && i+1+n < len(s) && s[i+1+n] >= '0' && s[i+1+n] <= '7' {
				n++
			}
			v, _ := strconv.ParseUint(s[i+1:i+1+n], 8, 32)
			b.WriteRune(rune(v))
			i += 1 + n
			continue
		}
		b.WriteByte('\\')
		i++
	}
	return b.String()
}

func hexEscape(s string, c byte, n, line int) rune {
	if len(s) >= n {
		if v, err := strconv.ParseUint(s[:n], 16, 32); err == nil && v <= utf8.MaxRune {
			return rune(v)
		}
	}
	form := `\` + string(c) + strings.Repeat("X", n)
	if c == 'U' {
		form = `\UXXXXXXXX`
	}
	fail(line, "truncated %s escape", form)
	return 0
}
