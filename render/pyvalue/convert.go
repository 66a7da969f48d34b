package pyvalue

import (
	"strings"

	"brine/internal/pyfmt"

	"go.starlark.net/starlark"
)

// PyTyper is a value that knows the name of its Python class.
type PyTyper interface{ PyType() string }

// TypeName is the name of v's class in Python.
func TypeName(v starlark.Value) string {
	switch t := v.(type) {
	case nil, starlark.NoneType:
		return "NoneType"
	case starlark.String:
		return "str"
	case Markup:
		return "Markup"
	case *starlark.Builtin:
		return "builtin_function_or_method"
	case PyTyper:
		return t.PyType()
	case *starlark.Function:
		return "function"
	}
	return v.Type()
}

// Truth is bool(v); an undefined value fails.
func Truth(v starlark.Value) (bool, error) {
	if err := Check(v); err != nil {
		return false, err
	}
	return bool(v.Truth()), nil
}

// Str is str(v): what a template prints.
func Str(v starlark.Value) (string, error) {
	switch t := v.(type) {
	case starlark.String:
		return string(t), nil
	case Markup:
		return string(t), nil
	case *Undefined:
		return "", Check(t)
	case Stringer:
		return t.PyStr(), nil
	}
	return Repr(v)
}

// Stringer is a value whose str() is not its repr().
type Stringer interface{ PyStr() string }

// Repr is repr(v).
func Repr(v starlark.Value) (string, error) {
	var b strings.Builder
	w := reprWriter{b: &b}
	if err := w.write(v); err != nil {
		return "", err
	}
	return b.String(), nil
}

const maxReprDepth = 200

// Wrapper is a value that prints as another one between two texts.
type Wrapper interface {
	ReprParts() (before string, inner starlark.Value, after string)
}

type reprWriter struct {
	b     *strings.Builder
	depth int
	open  []starlark.Value // lists and dicts being written, which print as ... when they contain themselves
}

// write adds the repr of v. The depth is bounded: values can be nested, or contain themselves, in many ways.
func (w *reprWriter) write(v starlark.Value) error {
	if w.depth++; w.depth > maxReprDepth {
		return Errorf("RecursionError", "maximum recursion depth exceeded while getting the repr of an object")
	}
	defer func() { w.depth-- }()
	if w.b.Len() > MaxSize {
		return Errorf("MemoryError", "the text is larger than %d bytes", MaxSize)
	}
	switch t := v.(type) {
	case nil, starlark.NoneType:
		w.b.WriteString("None")
	case starlark.Bool:
		w.b.WriteString(pyfmt.Repr(bool(t)))
	case starlark.Int:
		w.b.WriteString(t.String())
	case starlark.Float:
		w.b.WriteString(pyfmt.Float(float64(t)))
	case starlark.String:
		w.b.WriteString(pyfmt.Repr(string(t)))
	case starlark.Bytes:
		w.b.WriteString(pyfmt.Repr([]byte(t)))
	case Markup:
		w.b.WriteString("Markup(" + pyfmt.Repr(string(t)) + ")")
	case *Undefined:
		w.b.WriteString("Undefined")
	case starlark.Tuple:
		return w.sequence("(", t, ")", len(t) == 1)
	case *starlark.List:
		return w.nested(t, "[...]", func() error { return w.sequence("[", listItems(t), "]", false) })
	case *starlark.Dict:
		return w.nested(t, "{...}", func() error { return w.dict(t) })
	case *starlark.Set:
		if t.Len() == 0 {
			w.b.WriteString("set()")
			return nil
		}
		return w.sequence("{", setItems(t), "}", false)
	case *View:
		w.b.WriteString("dict_" + t.Kind + "(")
		if err := w.sequence("[", t.items(), "]", false); err != nil {
			return err
		}
		w.b.WriteByte(')')
	case Wrapper:
		before, inner, after := t.ReprParts()
		w.b.WriteString(before)
		if err := w.write(inner); err != nil {
			return err
		}
		w.b.WriteString(after)
	default:
		w.b.WriteString(v.String())
	}
	return nil
}

func (w *reprWriter) nested(v starlark.Value, again string, write func() error) error {
	for _, o := range w.open {
		if o == v {
			w.b.WriteString(again)
			return nil
		}
	}
	w.open = append(w.open, v)
	defer func() { w.open = w.open[:len(w.open)-1] }()
	return write()
}

func (w *reprWriter) sequence(open string, items []starlark.Value, end string, single bool) error {
	w.b.WriteString(open)
	for i, e := range items {
		if i > 0 {
			w.b.WriteString(", ")
		}
		if err := w.write(e); err != nil {
			return err
		}
	}
	if single {
		w.b.WriteByte(',')
	}
	w.b.WriteString(end)
	return nil
}

func (w *reprWriter) dict(d *starlark.Dict) error {
	w.b.WriteByte('{')
	for i, e := range d.Items() {
		if i > 0 {
			w.b.WriteString(", ")
		}
		if err := w.write(e[0]); err != nil {
			return err
		}
		w.b.WriteString(": ")
		if err := w.write(e[1]); err != nil {
			return err
		}
	}
	w.b.WriteByte('}')
	return nil
}

func listItems(l *starlark.List) []starlark.Value {
	out := make([]starlark.Value, l.Len())
	for i := range out {
		out[i] = l.Index(i)
	}
	return out
}

func setItems(s *starlark.Set) []starlark.Value {
	out := make([]starlark.Value, 0, s.Len())
	it := s.Iterate()
	defer it.Done()
	var v starlark.Value
	for it.Next(&v) {
		out = append(out, v)
	}
	return out
}
