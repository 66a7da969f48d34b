// Package pyjson writes job data as Python's json.dumps does (separators, indentation, escapes, Infinity), and reads
// what json.loads reads.
package pyjson

import (
	"fmt"
	"math"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Options are those of json.dumps. The zero value is one line with ", " and ": ", non-ASCII kept.
type Options struct {
	Indent int // blanks a level; 0 or less is a single line
	// Newlines makes an Indent of 0 break lines, as json.dumps(indent=0) does.
	Newlines    bool
	SortKeys    bool
	EnsureASCII bool
}

// Dumps is json.dumps(v).
func Dumps(v any, o Options) string {
	w := writer{o: o}
	w.value(ordered.Of(v), 0)
	return w.b.String()
}

type writer struct {
	b strings.Builder
	o Options
}

func (w *writer) value(v any, level int) {
	switch t := v.(type) {
	case nil:
		w.b.WriteString("null")
	case bool:
		w.b.WriteString(strconv.FormatBool(t))
	case int64:
		w.b.WriteString(strconv.FormatInt(t, 10))
	case *big.Int:
		w.b.WriteString(t.String())
	case float64:
		w.b.WriteString(number(t))
	case string:
		w.text(t)
	case []byte:
		w.text(string(t))
	case []any:
		w.list(t, level)
	case *ordered.Map:
		w.object(t, level)
	default:
		w.text(fmt.Sprint(v))
	}
}

func number(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	}
	return pyfmt.Float(f)
}

func (w *writer) list(l []any, level int) {
	if len(l) == 0 {
		w.b.WriteString("[]")
		return
	}
	w.b.WriteByte('[')
	for i, e := range l {
		w.separate(i, level+1)
		w.value(e, level+1)
	}
	w.newline(level)
	w.b.WriteByte(']')
}

func (w *writer) object(m *ordered.Map, level int) {
	if m.Len() == 0 {
		w.b.WriteString("{}")
		return
	}
	keys := m.Keys()
	if w.o.SortKeys {
		sort.SliceStable(keys, func(i, j int) bool { return ordered.KeyText(keys[i]) < ordered.KeyText(keys[j]) })
	}
	w.b.WriteByte('{')
	for i, k := range keys {
		w.separate(i, level+1)
		w.text(keyText(k))
		w.b.WriteString(": ")
		w.value(m.Value(k), level+1)
	}
	w.newline(level)
	w.b.WriteByte('}')
}

func keyText(k any) string {
	if f, ok := k.(float64); ok {
		return number(f)
	}
	return ordered.KeyText(k)
}

func (w *writer) broken() bool { return w.o.Indent > 0 || w.o.Newlines }

func (w *writer) separate(i, level int) {
	if i > 0 {
		w.b.WriteByte(',')
		if !w.broken() {
			w.b.WriteByte(' ')
		}
	}
	w.newline(level)
}

func (w *writer) newline(level int) {
	if w.broken() {
		w.b.WriteByte('\n')
		w.b.WriteString(strings.Repeat(" ", max(w.o.Indent, 0)*level))
	}
}

func (w *writer) text(s string) {
	w.b.WriteByte('"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '\b':
			w.b.WriteString(`\b`)
		case r == '\f':
			w.b.WriteString(`\f`)
		case r < ' ':
			fmt.Fprintf(&w.b, `\u%04x`, r)
		case r >= 0x7f && w.o.EnsureASCII:
			w.escape(r)
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
}

func (w *writer) escape(r rune) {
	if r == 0x7f {
		w.b.WriteRune(r)
		return
	}
	if r > 0xffff {
		r -= 0x10000
		fmt.Fprintf(&w.b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		return
	}
	fmt.Fprintf(&w.b, `\u%04x`, r)
}
