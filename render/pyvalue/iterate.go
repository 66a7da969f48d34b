package pyvalue

import (
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// Cursor walks a value one item at a time. A list may grow and shrink meanwhile, as in Python.
type Cursor struct {
	list  *starlark.List
	rest  []starlark.Value
	text  string
	gen   *Generator
	inner starlark.Iterator
	dict  *starlark.Dict
	size  int
	i     int
}

// Iterate starts a walk, or fails for what cannot be walked.
func Iterate(v starlark.Value) (*Cursor, error) {
	switch t := v.(type) {
	case *starlark.List:
		return &Cursor{list: t}, nil
	case starlark.Tuple:
		return &Cursor{rest: t}, nil
	case starlark.String:
		return &Cursor{text: string(t)}, nil
	case Markup:
		return &Cursor{text: string(t)}, nil
	case *starlark.Dict:
		return &Cursor{rest: t.Keys(), dict: t, size: t.Len()}, nil
	case *View:
		return &Cursor{rest: t.items(), dict: t.Dict, size: t.Dict.Len()}, nil
	case *Generator:
		return &Cursor{gen: t}, nil
	case starlark.Bytes:
		out := make([]starlark.Value, len(t))
		for i := range len(t) {
			out[i] = starlark.MakeInt(int(t[i]))
		}
		return &Cursor{rest: out}, nil
	case *Undefined:
		return &Cursor{}, Check(t)
	case starlark.Iterable:
		return &Cursor{inner: t.Iterate()}, nil
	}
	return nil, typeErrorf("'%s' object is not iterable", TypeName(v))
}

// Next is the next item, and whether there is one.
func (c *Cursor) Next() (starlark.Value, bool, error) {
	switch {
	case c.list != nil:
		if c.i >= c.list.Len() {
			return nil, false, nil
		}
		c.i++
		return c.list.Index(c.i - 1), true, nil
	case c.gen != nil:
		v, ok := c.gen.Next()
		return v, ok, nil
	case c.inner != nil:
		var v starlark.Value
		if c.inner.Next(&v) {
			return v, true, nil
		}
		c.inner.Done()
		c.inner = nil
		return nil, false, nil
	case c.text != "":
		_, n := utf8.DecodeRuneInString(c.text)
		v := starlark.String(c.text[:n])
		c.text = c.text[n:]
		return v, true, nil
	}
	if c.dict != nil && c.dict.Len() != c.size {
		return nil, false, Errorf("RuntimeError", "dictionary changed size during iteration")
	}
	if len(c.rest) == 0 {
		return nil, false, nil
	}
	v := c.rest[0]
	c.rest = c.rest[1:]
	return v, true, nil
}

// Close ends a walk that is not finished.
func (c *Cursor) Close() {
	if c.inner != nil {
		c.inner.Done()
		c.inner = nil
	}
}

// Items is list(v). The slice is the caller's.
func Items(v starlark.Value) ([]starlark.Value, error) {
	c, err := Iterate(v)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var out []starlark.Value
	for {
		e, ok, err := c.Next()
		if err != nil || !ok {
			return out, err
		}
		if len(out) >= MaxItems {
			return nil, Errorf("MemoryError", "more than %d items", MaxItems)
		}
		out = append(out, e)
	}
}

// Len is len(v).
func Len(v starlark.Value) (int, error) {
	switch t := v.(type) {
	case starlark.String:
		return utf8.RuneCountInString(string(t)), nil
	case Markup:
		return utf8.RuneCountInString(string(t)), nil
	case *Undefined:
		return 0, Check(t)
	case *View:
		return t.Len(), nil
	}
	if n := starlark.Len(v); n >= 0 {
		return n, nil
	}
	return 0, typeErrorf("object of type '%s' has no len()", TypeName(v))
}
