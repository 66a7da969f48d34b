// Package filters has the filters and tests that templates use: Jinja 3.1's own and the ones that Salt 3006 adds or
// puts in the place of Jinja's.
package filters

import (
	"context"
	"strings"

	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// Host is what a filter may ask of the render that it runs in.
type Host interface {
	// Context ends when the render should.
	Context() context.Context
	// Call calls a value of the template.
	Call(fn starlark.Value, a pyvalue.Args) (starlark.Value, error)
	// Salt calls an execution function.
	Salt(fun string, a pyvalue.Args) (starlark.Value, error)
	// Step counts work; it fails when the render has run for long enough.
	Step() error
}

// Call is one use of a filter.
type Call struct {
	Host
	Value starlark.Value
	// Args are the arguments in the order of the filter's parameters, nil where one was left out.
	Args []starlark.Value
	// Raw are the arguments as they were given.
	Raw pyvalue.Args
}

// Filter is one filter.
type Filter struct {
	Name string
	// Params are the parameters behind the value, as pyvalue.Args.Bind reads them; nil leaves Call.Args empty and any
	// arguments in Call.Raw.
	Params []string
	Run    func(c *Call) (starlark.Value, error)
	// Lenient filters take values that are not defined.
	Lenient bool
}

// Lookup finds a filter by name; nil when there is none.
func Lookup(name string) *Filter {
	for _, table := range []func(string) *Filter{jinjaText, jinjaItems, saltText, saltItems, saltHost} {
		if f := table(name); f != nil {
			f.Name = name
			return f
		}
	}
	return nil
}

// Apply runs a filter on a value.
func Apply(h Host, f *Filter, v starlark.Value, a pyvalue.Args) (starlark.Value, error) {
	if !f.Lenient {
		if err := pyvalue.Check(v); err != nil {
			return nil, err
		}
	}
	c := &Call{Host: h, Value: v, Raw: a}
	if f.Params != nil || f.Run == nil {
		var err error
		if c.Args, err = a.Bind(f.Name, f.Params...); err != nil {
			return nil, err
		}
	}
	return f.Run(c)
}

// none marks a filter without parameters: Bind then refuses arguments.
func none() []string { return []string{} }

func run(f func(c *Call) (starlark.Value, error), params ...string) *Filter {
	if params == nil {
		params = none()
	}
	return &Filter{Params: params, Run: f}
}

// onText makes a filter of a function on the text of the value.
func onText(f func(s string) string) *Filter {
	return run(func(c *Call) (starlark.Value, error) {
		s, err := c.text()
		return starlark.String(f(s)), err
	})
}

// text is the value as text: what str() makes of it.
func (c *Call) text() (string, error) { return pyvalue.Str(c.Value) }

func (c *Call) items() ([]starlark.Value, error) { return pyvalue.Items(c.Value) }

// str is an argument as text.
func (c *Call) str(i int, def string) string {
	s, _ := pyvalue.StrArg(c.Args[i], def)
	return s
}

func (c *Call) flag(i int, def bool) (bool, error) { return pyvalue.BoolArg(c.Args[i], def) }

func (c *Call) number(i, def int) (int, error) { return pyvalue.IntArg(c.Args[i], def) }

func typeErrorf(format string, a ...any) error { return pyvalue.Errorf("TypeError", format, a...) }

func valueErrorf(format string, a ...any) error { return pyvalue.Errorf("ValueError", format, a...) }

// argumentErrorf is jinja2's FilterArgumentError.
func argumentErrorf(format string, a ...any) error {
	return pyvalue.Errorf("FilterArgumentError", format, a...)
}

// attribute is the function that jinja2's attribute= makes: it follows "a.b.0" from an item. What is missing is def,
// when that is given.
func attribute(path, def starlark.Value) func(v starlark.Value) (starlark.Value, error) {
	parts := attributeParts(path)
	return func(v starlark.Value) (starlark.Value, error) {
		for _, p := range parts {
			var err error
			if v, err = pyvalue.GetItem(v, p); err != nil {
				return nil, err
			}
			if _, missing := v.(*pyvalue.Undefined); missing && def != nil {
				v = def
			}
		}
		return v, nil
	}
}

func attributeParts(path starlark.Value) []starlark.Value {
	s, ok := pyvalue.Text(path)
	if !ok {
		return []starlark.Value{path}
	}
	var parts []starlark.Value
	for _, p := range strings.Split(s, ".") {
		if p != "" && strings.Trim(p, "0123456789") == "" && len(p) < 10 {
			n := 0
			for _, d := range p {
				n = n*10 + int(d-'0')
			}
			parts = append(parts, starlark.MakeInt(n))
		} else {
			parts = append(parts, starlark.String(p))
		}
	}
	return parts
}

// folded is the text to compare by when case does not count.
func folded(v starlark.Value) starlark.Value {
	if s, ok := pyvalue.Text(v); ok {
		return starlark.String(strings.ToLower(s))
	}
	return v
}
