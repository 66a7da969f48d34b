package jinja

import (
	"errors"
	"strings"

	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// loop is the loop variable of a for block.
type loop struct {
	r       *run
	index0  int
	depth0  int
	over    starlark.Value // what is walked, for the length
	filter  bool           // a condition was given, so that the length is that of items
	items   []starlark.Value
	cursor  *pyvalue.Cursor
	ahead   []starlark.Value // items read before their turn
	prev    starlark.Value
	current starlark.Value
	last    starlark.Value // of changed()
	recurse func(v starlark.Value, depth0 int) (starlark.Value, error)
}

func (l *loop) String() string        { return "<LoopContext>" }
func (l *loop) Type() string          { return "LoopContext" }
func (l *loop) Freeze()               {}
func (l *loop) Truth() starlark.Bool  { return true }
func (l *loop) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (l *loop) ObjectName() string { return "jinja2.runtime.LoopContext object" }

// Name implements starlark.Callable.
func (l *loop) Name() string { return "loop" }

// CallInternal implements starlark.Callable: a recursive loop called with more items.
func (l *loop) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if l.recurse == nil {
		return nil, pyvalue.Errorf("TypeError", "The loop must have the 'recursive' marker to be called recursively.")
	}
	v, err := pyvalue.Args{Pos: args, Kw: kwargs}.Bind("loop", "iterable")
	if err != nil {
		return nil, err
	}
	return l.recurse(v[0], l.depth0+1)
}

// next moves to the next item.
func (l *loop) next() (bool, error) {
	v, ok, err := l.read()
	if !ok || err != nil {
		return false, err
	}
	l.prev, l.current = l.current, v
	l.index0++
	return true, nil
}

func (l *loop) read() (starlark.Value, bool, error) {
	if len(l.ahead) > 0 {
		v := l.ahead[0]
		l.ahead = l.ahead[1:]
		return v, true, nil
	}
	return l.cursor.Next()
}

// peek looks at the item after the current one.
func (l *loop) peek() (starlark.Value, bool, error) {
	if len(l.ahead) == 0 {
		v, ok, err := l.cursor.Next()
		if !ok || err != nil {
			return nil, false, err
		}
		l.ahead = append(l.ahead, v)
	}
	return l.ahead[0], true, nil
}

// length is how many items there are in all; a generator is read to its end for it.
func (l *loop) length() (int, error) {
	if n := starlark.Len(l.over); !l.filter && n >= 0 {
		if _, text := pyvalue.Text(l.over); !text {
			return n, nil
		}
	}
	for {
		v, ok, err := l.cursor.Next()
		if err != nil {
			return 0, err
		}
		if !ok {
			return l.index0 + 1 + len(l.ahead), nil
		}
		l.ahead = append(l.ahead, v)
	}
}

// PyAttr implements pyvalue.Attributes.
func (l *loop) PyAttr(name string) (starlark.Value, error) {
	number := func(n int, err error) (starlark.Value, error) { return starlark.MakeInt(n), err }
	switch name {
	case "index":
		return number(l.index0+1, nil)
	case "index0":
		return number(l.index0, nil)
	case "depth":
		return number(l.depth0+1, nil)
	case "depth0":
		return number(l.depth0, nil)
	case "first":
		return starlark.Bool(l.index0 == 0), nil
	case "last":
		_, more, err := l.peek()
		return starlark.Bool(!more), err
	case "length":
		return number(l.length())
	case "revindex", "revindex0":
		n, err := l.length()
		if name == "revindex0" {
			n--
		}
		return number(n-l.index0, err)
	case "previtem":
		if l.index0 == 0 {
			return &pyvalue.Undefined{Message: "there is no previous item"}, nil
		}
		return l.prev, nil
	case "nextitem":
		v, more, err := l.peek()
		if !more && err == nil {
			return &pyvalue.Undefined{Message: "there is no next item"}, nil
		}
		return v, err
	case "cycle":
		return &pyvalue.Func{Label: "<bound method LoopContext.cycle>", Run: l.cycle}, nil
	case "changed":
		return &pyvalue.Func{Label: "<bound method LoopContext.changed>", Run: l.changed}, nil
	}
	return nil, nil
}

func (l *loop) cycle(a pyvalue.Args) (starlark.Value, error) {
	if len(a.Pos) == 0 {
		return nil, pyvalue.Errorf("TypeError", "no items for cycling given")
	}
	return a.Pos[l.index0%len(a.Pos)], nil
}

func (l *loop) changed(a pyvalue.Args) (starlark.Value, error) {
	now := starlark.Tuple(a.Pos)
	if l.last != nil {
		if same, err := pyvalue.Equal(l.last, now); err != nil || same {
			return starlark.False, err
		}
	}
	l.last = now
	return starlark.True, nil
}

func (r *run) forLoop(t *syntax.For, f *frame, b *strings.Builder) error {
	v, err := r.eval(t.Iter, f)
	if err != nil {
		return err
	}
	return r.walk(t, v, f, b, 0)
}

// walk runs the loop over one value; a recursive loop comes here again for each call of loop().
func (r *run) walk(t *syntax.For, v starlark.Value, f *frame, b *strings.Builder, depth0 int) error {
	l := &loop{r: r, index0: -1, depth0: depth0, over: v}
	var err error
	if t.Test != nil {
		if l.items, err = r.filtered(t, v, f); err != nil {
			return err
		}
		l.over, l.filter = starlark.Tuple(l.items), true
		v = l.over
	}
	if l.cursor, err = pyvalue.Iterate(v); err != nil {
		return err
	}
	defer l.cursor.Close()
	if t.Recursive {
		l.recurse = func(v starlark.Value, depth0 int) (starlark.Value, error) {
			if err := r.enter(); err != nil {
				return nil, err
			}
			defer r.leave()
			var inner strings.Builder
			if err := r.walk(t, v, f, &inner, depth0); err != nil {
				return nil, err
			}
			return starlark.String(inner.String()), nil
		}
	}
	// As in Jinja, else runs when no round came to its end: also when each was left by break or continue.
	completed := false
	for {
		ok, err := l.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		err = r.round(t, l, f, b)
		if errors.Is(err, errBreak) {
			break
		}
		if err != nil && !errors.Is(err, errContinue) {
			return err
		}
		completed = completed || err == nil
	}
	if completed {
		return nil
	}
	return r.exec(t.Else, f.child(), b)
}

func (r *run) round(t *syntax.For, l *loop, f *frame, b *strings.Builder) error {
	if err := r.step(); err != nil {
		return err
	}
	inner := f.child()
	inner.loop = l
	if err := r.assign(inner, t.Target, l.current); err != nil {
		return err
	}
	inner.set("loop", l)
	return r.exec(t.Body, inner, b)
}

// filtered is the items for which the loop's condition holds.
func (r *run) filtered(t *syntax.For, v starlark.Value, f *frame) ([]starlark.Value, error) {
	c, err := pyvalue.Iterate(v)
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
		if err := r.step(); err != nil {
			return nil, err
		}
		inner := f.child()
		if err := r.assign(inner, t.Target, e); err != nil {
			return nil, err
		}
		if ok, err := r.truth(t.Test, inner); err != nil {
			return nil, err
		} else if ok {
			out = append(out, e)
		}
	}
}
