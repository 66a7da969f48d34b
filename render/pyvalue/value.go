// Package pyvalue gives Starlark values the behaviour that Python's have in a Jinja template: operators, comparison,
// str() and repr(), methods, formatting, and the errors in Python's words.
//
// The values are Starlark's own (see go.starlark.net/starlark) so that templates and Starlark modules share them, and a
// few more: Markup, Undefined, views of dicts and generators. Unlike Starlark, a list may be changed while it is walked.
package pyvalue

import (
	"errors"
	"fmt"

	"brine/internal/pyfmt"

	"go.starlark.net/starlark"
)

// What one operation may make.
const (
	MaxSize  = 16 << 20 // bytes of a text
	MaxItems = 1 << 20  // items of a list
)

// Error is an exception, with Python's class and text.
type Error struct {
	Class   string // TypeError, ValueError, KeyError ...
	Message string
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an exception of a class.
func Errorf(class, format string, a ...any) error { return &Error{class, fmt.Sprintf(format, a...)} }

func typeErrorf(format string, a ...any) error  { return Errorf("TypeError", format, a...) }
func valueErrorf(format string, a ...any) error { return Errorf("ValueError", format, a...) }

// ErrUndefined is the use of a value that is not there.
type ErrUndefined struct{ Message string }

func (e *ErrUndefined) Error() string { return e.Message }

// Is tells whether err is an exception of the class.
func Is(err error, class string) bool {
	var e *Error
	return errors.As(err, &e) && e.Class == class
}

// Undefined is a variable, attribute or item that is not there. Everything but asking whether it is defined fails.
type Undefined struct {
	Message string
	// Security is set where the sandbox hides what would be there.
	Security bool
	// Lenient is jinja2's plain Undefined: it prints as nothing and is false and empty.
	Lenient bool
}

func (u *Undefined) String() string        { return "Undefined" }
func (u *Undefined) Type() string          { return "StrictUndefined" }
func (u *Undefined) Freeze()               {}
func (u *Undefined) Truth() starlark.Bool  { return false }
func (u *Undefined) Hash() (uint32, error) { return 0, u.Err() }

// Err is the error of using it.
func (u *Undefined) Err() error {
	if u.Security {
		return Errorf("SecurityError", "%s", u.Message)
	}
	return &ErrUndefined{u.Message}
}

// Missing is the variable called name when there is none.
func Missing(name string) *Undefined {
	return &Undefined{Message: pyfmt.Repr(name) + " is undefined"}
}

// MissingAttr is an attribute or item that v does not have.
func MissingAttr(v, key starlark.Value) *Undefined {
	if name, ok := Text(key); ok {
		return &Undefined{Message: pyfmt.Repr(objectName(v)) + " has no attribute " + pyfmt.Repr(name)}
	}
	return &Undefined{Message: objectName(v) + " has no element " + reprOrBlank(key)}
}

func reprOrBlank(v starlark.Value) string {
	s, err := Repr(v)
	if err != nil {
		return "?"
	}
	return s
}

// ObjectNamer is a value that knows what Jinja calls it in errors.
type ObjectNamer interface{ ObjectName() string }

func objectName(v starlark.Value) string {
	if n, ok := v.(ObjectNamer); ok {
		return n.ObjectName()
	}
	if v == starlark.None {
		return "None"
	}
	return TypeName(v) + " object"
}

// Check fails when v is undefined.
func Check(v starlark.Value) error {
	if u, ok := v.(*Undefined); ok && !u.Lenient {
		return u.Err()
	}
	return nil
}

// Markup is text that is marked as safe to print: other text that is added to it is escaped first.
type Markup string

func (m Markup) String() string        { return string(m) }
func (m Markup) Type() string          { return "string" }
func (m Markup) Freeze()               {}
func (m Markup) Truth() starlark.Bool  { return m != "" }
func (m Markup) Hash() (uint32, error) { return starlark.String(m).Hash() }

// Text is the text itself.
func (m Markup) Text() string { return string(m) }

// Text is the text of a str or Markup.
func Text(v starlark.Value) (string, bool) {
	switch t := v.(type) {
	case starlark.String:
		return string(t), true
	case Markup:
		return string(t), true
	}
	return "", false
}

// View is what dict.keys(), values() and items() return: it shows the dict as it is now.
type View struct {
	Dict *starlark.Dict
	Kind string // keys, values or items
}

func (v *View) String() string        { return reprOrBlank(v) }
func (v *View) Type() string          { return "dict_" + v.Kind }
func (v *View) Freeze()               {}
func (v *View) Truth() starlark.Bool  { return v.Dict.Len() > 0 }
func (v *View) Hash() (uint32, error) { return 0, typeErrorf("unhashable type: 'dict_%s'", v.Kind) }

// Len is the number of entries.
func (v *View) Len() int { return v.Dict.Len() }

// Iterate implements starlark.Iterable.
func (v *View) Iterate() starlark.Iterator { return starlark.Tuple(v.items()).Iterate() }

func (v *View) items() []starlark.Value {
	if v.Kind == "keys" {
		return v.Dict.Keys()
	}
	entries := v.Dict.Items()
	out := make([]starlark.Value, len(entries))
	for i, e := range entries {
		if v.Kind == "values" {
			out[i] = e[1]
		} else {
			out[i] = e
		}
	}
	return out
}

// Generator yields its items once, as a Python generator does.
type Generator struct {
	Name string // such as "generator object sync_do_map"
	rest []starlark.Value
}

// NewGenerator makes a generator of items.
func NewGenerator(name string, items []starlark.Value) *Generator {
	return &Generator{Name: name, rest: items}
}

func (g *Generator) String() string        { return fmt.Sprintf("<%s at %p>", g.Name, g) }
func (g *Generator) Type() string          { return "generator" }
func (g *Generator) Freeze()               {}
func (g *Generator) Truth() starlark.Bool  { return true }
func (g *Generator) Hash() (uint32, error) { return 0, nil }

// Next takes one item.
func (g *Generator) Next() (starlark.Value, bool) {
	if len(g.rest) == 0 {
		return nil, false
	}
	v := g.rest[0]
	g.rest = g.rest[1:]
	return v, true
}

// Iterate implements starlark.Iterable.
func (g *Generator) Iterate() starlark.Iterator {
	rest := g.rest
	g.rest = nil
	return starlark.Tuple(rest).Iterate()
}
