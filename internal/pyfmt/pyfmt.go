// Package pyfmt writes job data the way Python prints it: repr, str, type names and truth. Salt's outputs, comments
// and templates are made of these texts, so they must be equal to the letter.
package pyfmt

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"brine/internal/ordered"
)

// Repr is Python's repr(v).
func Repr(v any) string {
	var b strings.Builder
	writeRepr(&b, v)
	return b.String()
}

// Str is Python's str(v): a string stays as it is, all else is Repr.
func Str(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return Repr(v)
}

func writeRepr(b *strings.Builder, v any) {
	switch t := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(boolText(t))
	case string:
		b.WriteString(quote(t))
	case []byte:
		b.WriteString("b" + quoteBytes(t))
	case float64:
		b.WriteString(Float(t))
	case *big.Int:
		b.WriteString(t.String())
	case []any:
		writeList(b, t)
	case *ordered.Map:
		writeMap(b, t)
	default:
		if n := ordered.Of(v); fmt.Sprintf("%T", n) != fmt.Sprintf("%T", v) {
			writeRepr(b, n)
			return
		}
		fmt.Fprint(b, v)
	}
}

func boolText(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

func writeList(b *strings.Builder, l []any) {
	b.WriteByte('[')
	for i, e := range l {
		if i > 0 {
			b.WriteString(", ")
		}
		writeRepr(b, e)
	}
	b.WriteByte(']')
}

func writeMap(b *strings.Builder, m *ordered.Map) {
	b.WriteByte('{')
	first := true
	for k, e := range m.All() {
		if !first {
			b.WriteString(", ")
		}
		first = false
		writeRepr(b, k)
		b.WriteString(": ")
		writeRepr(b, e)
	}
	b.WriteByte('}')
}

// Float is Python's repr of a float: the shortest text that reads back, ".0" when whole, an exponent from 1e16 up and
// below 1e-4.
func Float(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a >= 1e16 || a < 1e-4) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote is Python's repr of a str: single quotes unless the text has a single quote and no double one.
func quote(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte(q)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\udc%02x`, s[i]) // Python's surrogateescape
			i++
			continue
		}
		writeRune(&b, r, q)
		i += n
	}
	b.WriteByte(q)
	return b.String()
}

func writeRune(b *strings.Builder, r rune, q byte) {
	switch {
	case r == rune(q) || r == '\\':
		b.WriteByte('\\')
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < ' ' || r == 0x7f:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x7f || printable(r):
		b.WriteRune(r)
	case r <= 0xff:
		fmt.Fprintf(b, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// printable follows str.isprintable: no separators but the blank, no control, format, surrogate, private or unassigned.
func printable(r rune) bool {
	return r != 0xa0 && r != 0xad && unicode.IsGraphic(r) && !unicode.Is(unicode.Z, r)
}

func quoteBytes(p []byte) string {
	var b strings.Builder
	q := byte('\'')
	if strings.Contains(string(p), "'") && !strings.Contains(string(p), `"`) {
		q = '"'
	}
	b.WriteByte(q)
	for _, c := range p {
		switch {
		case c == q || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(q)
	return b.String()
}

// Truth is Python's bool(v).
func Truth(v any) bool {
	switch t := v.(type) {
	case nil:
		return false
	case bool:
		return t
	case string:
		return t != ""
	case int64:
		return t != 0
	case int:
		return t != 0
	case float64:
		return t != 0
	case *big.Int:
		return t.Sign() != 0
	case []byte:
		return len(t) > 0
	case []any:
		return len(t) > 0
	case *ordered.Map:
		return t.Len() > 0
	}
	return true
}

// Type is the name of v's Python type: NoneType, bool, int, float, str, bytes, list, dict.
func Type(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, int, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case []any:
		return "list"
	case *ordered.Map:
		return "dict"
	}
	return fmt.Sprintf("%T", v)
}
