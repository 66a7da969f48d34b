package jinja

import (
	"strings"

	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// loaded is a template with where it came from; path and source are empty for the one being rendered.
type loaded struct {
	template     *syntax.Template
	path, source string
}

// context_ is one run of a template's top level: its own variables and what lies around it.
type context_ struct {
	t    *loaded
	main bool
	// vars are the variables of the render and those set at the top level.
	vars     map[string]starlark.Value
	exported []string
	// outer is where the template was included or imported from, when it shares that context.
	outer *frame
	// blocks are the versions of each block, the most derived first.
	blocks map[string][]block
	parent *loaded // set by extends
}

type block struct {
	*syntax.Block
	t *loaded
}

type binding struct {
	name  string
	value starlark.Value
}

// frame is a scope: a loop's round, a macro's call, a with block, or the top level of a template.
type frame struct {
	buf    [3]binding
	vars   []binding
	parent *frame
	tc     *context_
	// block is set for the body of a block, whose lines Salt's errors skip.
	block bool
	super *superBlock
	loop  *loop
	eval  *loaded // the template whose code runs here
}

func (f *frame) child() *frame {
	c := &frame{parent: f, tc: f.tc, block: f.block, super: f.super, loop: f.loop, eval: f.eval}
	c.vars = c.buf[:0]
	return c
}

// set binds a name in this scope; at the top level the name is exported too.
func (f *frame) set(name string, v starlark.Value) {
	if f.parent == nil && f.vars == nil {
		if _, have := f.tc.vars[name]; !have {
			f.tc.exported = append(f.tc.exported, name)
		}
		f.tc.vars[name] = v
		return
	}
	for i := range f.vars {
		if f.vars[i].name == name {
			f.vars[i].value = v
			return
		}
	}
	f.vars = append(f.vars, binding{name, v})
}

// get finds a name in the scopes; main tells whether they reach the template being rendered.
func (f *frame) get(name string) (v starlark.Value, found, main bool) {
	for ; f != nil; f = f.parent {
		for i := range f.vars {
			if f.vars[i].name == name {
				return f.vars[i].value, true, false
			}
		}
		if f.parent == nil {
			if v, ok := f.tc.vars[name]; ok {
				return v, true, false
			}
			if f.tc.outer != nil {
				return f.tc.outer.get(name)
			}
			return nil, false, f.tc.main
		}
	}
	return nil, false, false
}

// lookup finds a variable: in the scopes, then among what every template sees. What importing a file changed is only
// seen in files that do not share the context of the template being rendered.
func (r *run) lookup(f *frame, name string) (starlark.Value, error) {
	v, found, main := f.get(name)
	if found {
		return v, nil
	}
	if v, ok := r.globals[name]; ok && !main {
		return v, nil
	}
	if v, ok := r.vars[name]; ok {
		return v, nil
	}
	if make, ok := r.in.Vars[name]; ok {
		v := r.convert(make())
		r.vars[name] = v
		return v, nil
	}
	if v, ok := r.globals[name]; ok {
		return v, nil
	}
	switch {
	case name == "super" && f.super != nil:
		return f.super, nil
	case name == "self":
		return &selfRef{r, f.tc}, nil
	}
	if v := r.builtin(name, f); v != nil {
		return v, nil
	}
	return r.lenient(pyvalue.Missing(name), nil)
}

// lenient lets a missing value pass where the render allows it.
func (r *run) lenient(v starlark.Value, err error) (starlark.Value, error) {
	if u, ok := v.(*pyvalue.Undefined); ok && r.in.AllowUndefined && !u.Security {
		u.Lenient = true
	}
	return v, err
}

// names lists every variable that can be seen, for show_full_context.
func (r *run) names(f *frame) []string {
	var out []string
	seen := map[string]bool{}
	add := func(n string) {
		if !seen[n] && !strings.HasPrefix(n, "_") {
			seen[n] = true
			out = append(out, n)
		}
	}
	for ; f != nil; f = f.parent {
		for _, b := range f.vars {
			add(b.name)
		}
		if f.parent == nil {
			for _, n := range f.tc.exported {
				add(n)
			}
		}
	}
	for n := range r.in.Vars {
		add(n)
	}
	return out
}

// assign binds a target: a name, a tuple of targets, or the attribute of a namespace.
func (r *run) assign(f *frame, target syntax.Expr, v starlark.Value) error {
	switch t := target.(type) {
	case *syntax.Name:
		f.set(t.Name, v)
		return nil
	case *syntax.NSRef:
		ns, err := r.lookup(f, t.Name)
		if err != nil {
			return err
		}
		n, ok := ns.(*namespace)
		if !ok {
			return templateErrorf("cannot assign attribute on non-namespace object")
		}
		n.set(t.Attr, v)
		return nil
	case *syntax.Tuple:
		return r.unpack(f, t, v)
	}
	return templateErrorf("cannot assign to this expression")
}

func (r *run) unpack(f *frame, t *syntax.Tuple, v starlark.Value) error {
	items, err := pyvalue.Items(v)
	if err != nil {
		if pyvalue.Is(err, "TypeError") {
			return pyvalue.Errorf("TypeError", "cannot unpack non-iterable %s object", pyvalue.TypeName(v))
		}
		return err
	}
	want := len(t.Items)
	switch {
	case len(items) > want:
		return pyvalue.Errorf("ValueError", "too many values to unpack (expected %d)", want)
	case len(items) < want:
		return pyvalue.Errorf("ValueError", "not enough values to unpack (expected %d, got %d)", want, len(items))
	}
	for i, target := range t.Items {
		if err := r.assign(f, target, items[i]); err != nil {
			return err
		}
	}
	return nil
}
