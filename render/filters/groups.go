package filters

import (
	"slices"
	"strings"

	"brine/internal/pyfmt"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// group is a pair of groupby, which also has names for its parts.
type group struct{ starlark.Tuple }

// PyAttr implements pyvalue.Attributes.
func (g group) PyAttr(name string) (starlark.Value, error) {
	switch name {
	case "grouper":
		return g.Tuple[0], nil
	case "list":
		return g.Tuple[1], nil
	}
	return pyvalue.Attr(g.Tuple, name)
}

// PyItem implements pyvalue.ItemGetter.
func (g group) PyItem(key starlark.Value) (starlark.Value, bool, error) {
	v, err := pyvalue.GetItem(g.Tuple, key)
	_, missing := v.(*pyvalue.Undefined)
	return v, !missing, err
}

// ReprParts implements pyvalue.Wrapper.
func (g group) ReprParts() (string, starlark.Value, string) { return "", g.Tuple, "" }

func (g group) String() string {
	s, _ := pyvalue.Repr(g.Tuple)
	return s
}

func groupby(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	sensitive, err := c.flag(2, false)
	if err != nil {
		return nil, err
	}
	get := attribute(c.Args[0], c.Args[1])
	keys, shown := make([]starlark.Value, len(items)), map[int]starlark.Value{}
	at := make([]starlark.Value, len(items))
	for i, e := range items {
		k, err := get(e)
		if err != nil {
			return nil, err
		}
		if err := pyvalue.Check(k); err != nil {
			return nil, err
		}
		shown[i], keys[i], at[i] = k, k, starlark.MakeInt(i)
		if !sensitive {
			keys[i] = folded(k)
		}
	}
	order := slices.Clone(at)
	if err := pyvalue.Sort(order, slices.Clone(keys), false); err != nil {
		return nil, err
	}
	var out []starlark.Value
	var last starlark.Value
	for _, o := range order {
		i, _ := starlark.AsInt32(o)
		if last != nil {
			if eq, err := pyvalue.Equal(last, keys[i]); err != nil {
				return nil, err
			} else if eq {
				if err := out[len(out)-1].(group).Tuple[1].(*starlark.List).Append(items[i]); err != nil {
					return nil, err
				}
				continue
			}
		}
		last = keys[i]
		out = append(out, group{starlark.Tuple{shown[i], starlark.NewList([]starlark.Value{items[i]})}})
	}
	return starlark.NewList(out), nil
}

func batch(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	n, err := c.number(0, 1)
	if err != nil || n < 1 {
		return nil, valueErrorf("linecount must be at least 1")
	}
	var out []starlark.Value
	for len(items) > 0 {
		k := min(n, len(items))
		row := slices.Clone(items[:k])
		items = items[k:]
		for c.Args[1] != nil && c.Args[1] != starlark.None && len(row) < n && n <= pyvalue.MaxItems {
			row = append(row, c.Args[1])
		}
		out = append(out, starlark.NewList(row))
	}
	return pyvalue.NewGenerator("generator object do_batch", out), nil
}

func slice(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	n, err := c.number(0, 1)
	if err != nil || n < 1 || n > pyvalue.MaxItems {
		return nil, pyvalue.Errorf("ZeroDivisionError", "integer division or modulo by zero")
	}
	per, extra := len(items)/n, len(items)%n
	var out []starlark.Value
	at := 0
	for i := range n {
		k := per
		if i < extra {
			k++
		}
		row := slices.Clone(items[at : at+k])
		at += k
		if c.Args[1] != nil && c.Args[1] != starlark.None && i >= extra {
			row = append(row, c.Args[1])
		}
		out = append(out, starlark.NewList(row))
	}
	return pyvalue.NewGenerator("generator object sync_do_slice", out), nil
}

// mayBeEmpty are the items of a value, none for one that is false: Jinja does not look into that.
func mayBeEmpty(c *Call) ([]starlark.Value, error) {
	if !bool(c.Value.Truth()) {
		return nil, pyvalue.Check(c.Value)
	}
	return c.items()
}

func mapFilter(c *Call) (starlark.Value, error) {
	items, err := mayBeEmpty(c)
	if err != nil {
		return nil, err
	}
	f, err := mapper(c)
	if err != nil {
		return nil, err
	}
	for i, e := range items {
		if err := c.Step(); err != nil {
			return nil, err
		}
		if items[i], err = f(e); err != nil {
			return nil, err
		}
	}
	return pyvalue.NewGenerator("generator object sync_do_map", items), nil
}

// mapper is what map does to each item: read an attribute, or apply a filter.
func mapper(c *Call) (func(starlark.Value) (starlark.Value, error), error) {
	if len(c.Raw.Pos) == 0 {
		v, err := c.Raw.Bind("map", "*", "attribute?", "default?")
		if err != nil || v[0] == nil {
			return nil, argumentErrorf("map requires a filter argument")
		}
		return attribute(v[0], v[1]), nil
	}
	name, err := pyvalue.Str(c.Raw.Pos[0])
	if err != nil {
		return nil, err
	}
	f := Lookup(name)
	if f == nil {
		return nil, pyvalue.Errorf("TemplateRuntimeError", "No filter named %s.", pyfmt.Repr(name))
	}
	rest := pyvalue.Args{Pos: c.Raw.Pos[1:], Kw: c.Raw.Kw}
	return func(v starlark.Value) (starlark.Value, error) { return Apply(c.Host, f, v, rest) }, nil
}

// pickItems is select, reject, selectattr and rejectattr.
func pickItems(c *Call, name string, byAttr bool) (starlark.Value, error) {
	items, err := mayBeEmpty(c)
	if err != nil {
		return nil, err
	}
	args := c.Raw
	get := func(v starlark.Value) (starlark.Value, error) { return v, nil }
	if byAttr {
		if len(args.Pos) == 0 {
			return nil, argumentErrorf("Missing parameter for attribute name")
		}
		get = attribute(args.Pos[0], nil)
		args.Pos = args.Pos[1:]
	}
	test := func(_ Host, v starlark.Value, _ pyvalue.Args) (bool, error) { return pyvalue.Truth(v) }
	if len(args.Pos) > 0 {
		testName, err := pyvalue.Str(args.Pos[0])
		if err != nil {
			return nil, err
		}
		if test = Test(testName); test == nil {
			return nil, pyvalue.Errorf("TemplateRuntimeError", "No test named %s.", pyfmt.Repr(testName))
		}
		args.Pos = args.Pos[1:]
	}
	want := strings.HasPrefix(name, "select")
	var out []starlark.Value
	for _, e := range items {
		if err := c.Step(); err != nil {
			return nil, err
		}
		v, err := get(e)
		if err != nil {
			return nil, err
		}
		ok, err := test(c.Host, v, args)
		if err != nil {
			return nil, err
		}
		if ok == want {
			out = append(out, e)
		}
	}
	kind := "select_or_reject"
	return pyvalue.NewGenerator("generator object "+kind, out), nil
}

func xmlattr(c *Call) (starlark.Value, error) {
	d, ok := c.Value.(*starlark.Dict)
	if !ok {
		return nil, pyvalue.Errorf("AttributeError", "'%s' object has no attribute 'items'", pyvalue.TypeName(c.Value))
	}
	var parts []string
	for _, kv := range d.Items() {
		if _, missing := kv[1].(*pyvalue.Undefined); missing || kv[1] == starlark.None {
			continue
		}
		k, err := pyvalue.Str(kv[0])
		if err != nil {
			return nil, err
		}
		if strings.ContainsAny(k, " \t\n\r\f/>=") {
			return nil, valueErrorf("Invalid character in attribute name: %s", pyfmt.Repr(k))
		}
		v, err := pyvalue.Str(kv[1])
		if err != nil {
			return nil, err
		}
		parts = append(parts, pyvalue.EscapeHTML(k)+`="`+pyvalue.EscapeHTML(v)+`"`)
	}
	out := strings.Join(parts, " ")
	if space, err := c.flag(0, true); err != nil || out == "" || !space {
		return starlark.String(out), err
	}
	return starlark.String(" " + out), nil
}
