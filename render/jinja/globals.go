package jinja

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"

	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// maxRange is the sandbox's bound of range().
const maxRange = 100_000

// contextFunc is a function that sees the variables where it is called.
type contextFunc struct {
	name string
	run  func(f *frame, a pyvalue.Args) (starlark.Value, error)
}

func (c *contextFunc) String() string        { return "<function " + c.name + ">" }
func (c *contextFunc) Type() string          { return "function" }
func (c *contextFunc) Freeze()               {}
func (c *contextFunc) Truth() starlark.Bool  { return true }
func (c *contextFunc) Hash() (uint32, error) { return 0, nil }

// Name implements starlark.Callable.
func (c *contextFunc) Name() string { return c.name }

// CallInternal implements starlark.Callable.
func (c *contextFunc) CallInternal(*starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return nil, pyvalue.Errorf("TypeError", "%s() needs the context of a template", c.name)
}

func function(name string, f func(a pyvalue.Args) (starlark.Value, error)) starlark.Value {
	return &pyvalue.Func{Label: "<function " + name + ">", Run: f}
}

// builtin is a global of Jinja's, or one that Salt adds; nil when there is none of that name.
func (r *run) builtin(name string, f *frame) starlark.Value {
	var v starlark.Value
	switch name {
	case "range":
		v = function(name, rangeList)
	case "dict", "odict":
		v = function(name, func(a pyvalue.Args) (starlark.Value, error) {
			d := starlark.NewDict(len(a.Kw))
			return d, pyvalue.Update(d, a)
		})
	case "lipsum":
		v = function(name, lipsum)
	case "cycler":
		v = function(name, func(a pyvalue.Args) (starlark.Value, error) {
			if len(a.Pos) == 0 {
				return nil, pyvalue.Errorf("RuntimeError", "at least one item has to be provided")
			}
			return &cycler{items: a.Pos}, nil
		})
	case "joiner":
		v = function(name, newJoiner)
	case "namespace":
		v = function(name, func(a pyvalue.Args) (starlark.Value, error) {
			n := &namespace{attrs: starlark.NewDict(len(a.Kw))}
			return n, pyvalue.Update(n.attrs, a)
		})
	case "raise":
		v = function(name, raise)
	case "show_full_context":
		v = &contextFunc{name, r.fullContext}
	case "salt":
		if r.in.Salt != nil {
			v = &saltObject{r}
		}
	}
	if v != nil {
		r.globals[name] = v
	}
	return v
}

func raise(a pyvalue.Args) (starlark.Value, error) {
	v, err := a.Bind("jinja_raise", "msg")
	if err != nil {
		return nil, err
	}
	s, err := pyvalue.Str(v[0])
	if err != nil {
		return nil, err
	}
	return nil, pyvalue.Errorf("TemplateError", "%s", s)
}

func (r *run) fullContext(f *frame, a pyvalue.Args) (starlark.Value, error) {
	if _, err := a.Bind("show_full_context"); err != nil {
		return nil, err
	}
	names := r.names(f)
	sort.Strings(names)
	d := starlark.NewDict(len(names))
	for _, n := range names {
		v, err := r.lookup(f, n)
		if err != nil {
			return nil, err
		}
		if err := pyvalue.SetKey(d, starlark.String(n), v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func rangeList(a pyvalue.Args) (starlark.Value, error) {
	if len(a.Pos) < 1 || len(a.Pos) > 3 || len(a.Kw) > 0 {
		return nil, pyvalue.Errorf("TypeError", "range expected at least 1 argument, got %d", len(a.Pos))
	}
	nums := make([]int, len(a.Pos))
	for i, v := range a.Pos {
		var err error
		if v == starlark.None {
			return nil, pyvalue.Errorf("TypeError", "'NoneType' object cannot be interpreted as an integer")
		}
		if nums[i], err = pyvalue.IntArg(v, 0); err != nil {
			return nil, err
		}
	}
	rg := &rangeValue{step: 1}
	switch len(nums) {
	case 1:
		rg.stop = nums[0]
	case 2:
		rg.start, rg.stop = nums[0], nums[1]
	default:
		rg.start, rg.stop, rg.step = nums[0], nums[1], nums[2]
	}
	if rg.step == 0 {
		return nil, pyvalue.Errorf("ValueError", "range() arg 3 must not be zero")
	}
	if rg.Len() > maxRange {
		return nil, pyvalue.Errorf("OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", maxRange)
	}
	return rg, nil
}

// rangeValue is what range() returns.
type rangeValue struct{ start, stop, step int }

func (g *rangeValue) String() string {
	if g.step == 1 {
		return fmt.Sprintf("range(%d, %d)", g.start, g.stop)
	}
	return fmt.Sprintf("range(%d, %d, %d)", g.start, g.stop, g.step)
}

func (g *rangeValue) Type() string          { return "range" }
func (g *rangeValue) Freeze()               {}
func (g *rangeValue) Truth() starlark.Bool  { return g.Len() > 0 }
func (g *rangeValue) Hash() (uint32, error) { return uint32(g.start ^ g.stop<<8 ^ g.step<<16), nil }

// Len is the number of items.
func (g *rangeValue) Len() int {
	if g.step > 0 {
		return max(0, (g.stop-g.start+g.step-1)/g.step)
	}
	return max(0, (g.start-g.stop-g.step-1)/-g.step)
}

// Index is an item.
func (g *rangeValue) Index(i int) starlark.Value { return starlark.MakeInt(g.start + i*g.step) }

// Iterate implements starlark.Iterable.
func (g *rangeValue) Iterate() starlark.Iterator { return &rangeIterator{g: g, n: g.Len()} }

type rangeIterator struct {
	g    *rangeValue
	i, n int
}

// Next implements starlark.Iterator.
func (it *rangeIterator) Next(p *starlark.Value) bool {
	if it.i >= it.n {
		return false
	}
	*p = it.g.Index(it.i)
	it.i++
	return true
}

// Done implements starlark.Iterator.
func (it *rangeIterator) Done() {}

// PyItem implements pyvalue.ItemGetter.
func (g *rangeValue) PyItem(key starlark.Value) (starlark.Value, bool, error) {
	i, err := pyvalue.IntArg(key, 0)
	if err != nil {
		return nil, false, err
	}
	if i < 0 {
		i += g.Len()
	}
	if i < 0 || i >= g.Len() {
		return nil, false, nil
	}
	return g.Index(i), true, nil
}

// cycler is the global cycler().
type cycler struct {
	items []starlark.Value
	at    int
}

func (c *cycler) String() string        { return "<Cycler>" }
func (c *cycler) Type() string          { return "Cycler" }
func (c *cycler) Freeze()               {}
func (c *cycler) Truth() starlark.Bool  { return true }
func (c *cycler) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (c *cycler) ObjectName() string { return "jinja2.utils.Cycler object" }

// PyAttr implements pyvalue.Attributes.
func (c *cycler) PyAttr(name string) (starlark.Value, error) {
	switch name {
	case "current":
		return c.items[c.at], nil
	case "next":
		return function("next", func(pyvalue.Args) (starlark.Value, error) {
			v := c.items[c.at]
			c.at = (c.at + 1) % len(c.items)
			return v, nil
		}), nil
	case "reset":
		return function("reset", func(pyvalue.Args) (starlark.Value, error) {
			c.at = 0
			return starlark.None, nil
		}), nil
	}
	return nil, nil
}

func newJoiner(a pyvalue.Args) (starlark.Value, error) {
	v, err := a.Bind("joiner", "sep?")
	if err != nil {
		return nil, err
	}
	sep := v[0]
	if sep == nil {
		sep = starlark.String(", ")
	}
	used := false
	return function("joiner", func(pyvalue.Args) (starlark.Value, error) {
		if !used {
			used = true
			return starlark.String(""), nil
		}
		return sep, nil
	}), nil
}

// namespace is the global namespace(): its attributes can be set from inner scopes.
type namespace struct{ attrs *starlark.Dict }

func (n *namespace) String() string {
	s, _ := pyvalue.Repr(n.attrs)
	return "<Namespace " + s + ">"
}

// ReprParts implements pyvalue.Wrapper.
func (n *namespace) ReprParts() (string, starlark.Value, string) { return "<Namespace ", n.attrs, ">" }

func (n *namespace) Type() string          { return "Namespace" }
func (n *namespace) Freeze()               {}
func (n *namespace) Truth() starlark.Bool  { return true }
func (n *namespace) Hash() (uint32, error) { return 0, nil }

func (n *namespace) set(name string, v starlark.Value) { _ = n.attrs.SetKey(starlark.String(name), v) }

// ObjectName implements pyvalue.ObjectNamer.
func (n *namespace) ObjectName() string { return "jinja2.utils.Namespace object" }

// PyAttr implements pyvalue.Attributes.
func (n *namespace) PyAttr(name string) (starlark.Value, error) {
	v, found, err := n.attrs.Get(starlark.String(name))
	if !found {
		return nil, err
	}
	return v, err
}

// words of lorem ipsum.
const loremWords = "lorem ipsum dolor sit amet consectetuer adipiscing elit sed diam nonummy nibh euismod tincidunt ut laoreet dolore magna aliquam erat volutpat"

func lipsum(a pyvalue.Args) (starlark.Value, error) {
	v, err := a.Bind("generate_lorem_ipsum", "n?", "html?", "min?", "max?")
	if err != nil {
		return nil, err
	}
	n, err := pyvalue.IntArg(v[0], 5)
	if err != nil {
		return nil, err
	}
	html, err := pyvalue.BoolArg(v[1], true)
	if err != nil {
		return nil, err
	}
	low, err1 := pyvalue.IntArg(v[2], 20)
	high, err2 := pyvalue.IntArg(v[3], 100)
	if err1 != nil || err2 != nil || low >= high || high > 10_000 || n > 1000 {
		return nil, pyvalue.Errorf("ValueError", "empty range for randrange()")
	}
	words := strings.Fields(loremWords)
	var out []string
	for range n {
		var p []string
		for range low + rand.IntN(high-low) {
			p = append(p, words[rand.IntN(len(words))])
		}
		text := pyvalue.Capitalize(strings.Join(p, " ")) + "."
		if html {
			text = "<p>" + text + "</p>"
		}
		out = append(out, text)
	}
	sep := "\n\n"
	if html {
		return pyvalue.Markup(strings.Join(out, "\n")), nil
	}
	return starlark.String(strings.Join(out, sep)), nil
}
