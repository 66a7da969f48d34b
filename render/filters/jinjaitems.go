package filters

import (
	"math/rand/v2"
	"slices"
	"strings"

	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// jinjaItems are Jinja's filters of lists and dicts.
func jinjaItems(name string) *Filter {
	switch name {
	case "default", "d":
		return &Filter{Params: []string{"default_value?", "boolean?"}, Run: defaultTo, Lenient: true}
	case "length", "count":
		return run(func(c *Call) (starlark.Value, error) {
			n, err := pyvalue.Len(c.Value)
			return starlark.MakeInt(n), err
		})
	case "first":
		return run(func(c *Call) (starlark.Value, error) {
			cur, err := pyvalue.Iterate(c.Value)
			if err != nil {
				return nil, err
			}
			defer cur.Close()
			v, ok, err := cur.Next()
			if !ok && err == nil {
				return &pyvalue.Undefined{Message: "No first item, sequence was empty."}, nil
			}
			return v, err
		})
	case "last":
		return run(func(c *Call) (starlark.Value, error) {
			items, err := c.items()
			if pyvalue.Is(err, "TypeError") {
				err = typeErrorf("'%s' object is not reversible", pyvalue.TypeName(c.Value))
			}
			if len(items) == 0 && err == nil {
				return &pyvalue.Undefined{Message: "No last item, sequence was empty."}, nil
			}
			if err != nil {
				return nil, err
			}
			return items[len(items)-1], nil
		})
	case "list":
		return run(func(c *Call) (starlark.Value, error) {
			items, err := c.items()
			return starlark.NewList(items), err
		})
	case "join":
		return run(join, "d?", "attribute?")
	case "reverse":
		return run(reverse)
	case "sum":
		return run(sum, "attribute?", "start?")
	case "sort":
		return run(sortFilter, "reverse?", "case_sensitive?", "attribute?")
	case "dictsort":
		return run(dictsort, "case_sensitive?", "by?", "reverse?")
	case "items":
		return &Filter{Params: none(), Run: itemsFilter, Lenient: true}
	}
	return jinjaGroups(name)
}

func jinjaGroups(name string) *Filter {
	switch name {
	case "random":
		return run(func(c *Call) (starlark.Value, error) {
			items, err := c.items()
			if err != nil {
				return nil, err
			}
			if len(items) == 0 {
				return &pyvalue.Undefined{Message: "No random item, sequence was empty."}, nil
			}
			return items[rand.IntN(len(items))], nil
		})
	case "groupby":
		return run(groupby, "attribute", "default?", "case_sensitive?")
	case "batch":
		return run(batch, "linecount", "fill_with?")
	case "slice":
		return run(slice, "slices", "fill_with?")
	case "map":
		return &Filter{Run: mapFilter}
	case "select", "reject":
		return &Filter{Run: func(c *Call) (starlark.Value, error) { return pickItems(c, name, false) }}
	case "selectattr", "rejectattr":
		return &Filter{Run: func(c *Call) (starlark.Value, error) { return pickItems(c, name, true) }}
	case "attr":
		return run(func(c *Call) (starlark.Value, error) {
			n, err := pyvalue.Str(c.Args[0])
			if err != nil {
				return nil, err
			}
			v, err := pyvalue.Attr(c.Value, n)
			if v == nil && err == nil {
				return pyvalue.MissingAttr(c.Value, starlark.String(n)), nil
			}
			return v, err
		}, "name")
	case "pprint":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := pprint(c.Value)
			return starlark.String(s), err
		})
	case "xmlattr":
		return run(xmlattr, "autospace?")
	}
	return nil
}

func defaultTo(c *Call) (starlark.Value, error) {
	def := c.Args[0]
	if def == nil {
		def = starlark.String("")
	}
	if _, missing := c.Value.(*pyvalue.Undefined); missing {
		return def, nil
	}
	whenFalse, err := c.flag(1, false)
	if err != nil {
		return nil, err
	}
	if whenFalse && !bool(c.Value.Truth()) {
		return def, nil
	}
	return c.Value, nil
}

func join(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	sep := ""
	if c.Args[0] != nil {
		if sep, err = pyvalue.Str(c.Args[0]); err != nil {
			return nil, err
		}
	}
	get := func(v starlark.Value) (starlark.Value, error) { return v, nil }
	if c.Args[1] != nil && c.Args[1] != starlark.None {
		get = attribute(c.Args[1], nil)
	}
	var b strings.Builder
	for i, e := range items {
		v, err := get(e)
		if err != nil {
			return nil, err
		}
		s, err := pyvalue.Str(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(sep)
		}
		if b.WriteString(s); b.Len() > pyvalue.MaxSize {
			return nil, pyvalue.Errorf("MemoryError", "the text is too large")
		}
	}
	return starlark.String(b.String()), nil
}

func reverse(c *Call) (starlark.Value, error) {
	if s, ok := pyvalue.Text(c.Value); ok {
		runes := []rune(s)
		slices.Reverse(runes)
		return same(c.Value, string(runes)), nil
	}
	items, err := c.items()
	if err != nil {
		return nil, argumentErrorf("argument must be iterable")
	}
	slices.Reverse(items)
	return pyvalue.NewGenerator("list_reverseiterator object", items), nil
}

func sum(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	total := c.Args[1]
	if total == nil {
		total = starlark.MakeInt(0)
	}
	for _, e := range items {
		if c.Args[0] != nil && c.Args[0] != starlark.None {
			if e, err = attribute(c.Args[0], nil)(e); err != nil {
				return nil, err
			}
		}
		if total, err = pyvalue.Binary("+", total, e); err != nil {
			return nil, err
		}
	}
	return total, nil
}

func sortFilter(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	reversed, err := c.flag(0, false)
	if err != nil {
		return nil, err
	}
	sensitive, err := c.flag(1, false)
	if err != nil {
		return nil, err
	}
	var paths []starlark.Value
	if c.Args[2] != nil && c.Args[2] != starlark.None {
		if s, ok := pyvalue.Text(c.Args[2]); ok {
			for _, p := range strings.Split(s, ",") {
				paths = append(paths, starlark.String(p))
			}
		} else {
			paths = []starlark.Value{c.Args[2]}
		}
	}
	keys := make([]starlark.Value, len(items))
	for i, e := range items {
		if keys[i], err = sortKey(e, paths, sensitive); err != nil {
			return nil, err
		}
	}
	return starlark.NewList(items), pyvalue.Sort(items, keys, reversed)
}

func sortKey(e starlark.Value, paths []starlark.Value, sensitive bool) (starlark.Value, error) {
	fold := folded
	if sensitive {
		fold = func(v starlark.Value) starlark.Value { return v }
	}
	if paths == nil {
		return fold(e), nil
	}
	key := starlark.Tuple{}
	for _, p := range paths {
		v, err := attribute(p, nil)(e)
		if err != nil {
			return nil, err
		}
		if err := pyvalue.Check(v); err != nil {
			return nil, err
		}
		key = append(key, fold(v))
	}
	return key, nil
}

func dictsort(c *Call) (starlark.Value, error) {
	sensitive, err := c.flag(0, false)
	if err != nil {
		return nil, err
	}
	pos := 0
	switch by := c.str(1, "key"); by {
	case "key":
	case "value":
		pos = 1
	default:
		return nil, argumentErrorf(`You can only sort by either "key" or "value"`)
	}
	reversed, err := c.flag(2, false)
	if err != nil {
		return nil, err
	}
	d, ok := c.Value.(*starlark.Dict)
	if !ok {
		return nil, pyvalue.Errorf("AttributeError", "'%s' object has no attribute 'items'", pyvalue.TypeName(c.Value))
	}
	entries := d.Items()
	items, keys := make([]starlark.Value, len(entries)), make([]starlark.Value, len(entries))
	for i, e := range entries {
		items[i], keys[i] = e, e[pos]
		if !sensitive {
			keys[i] = folded(e[pos])
		}
	}
	return starlark.NewList(items), pyvalue.Sort(items, keys, reversed)
}

func itemsFilter(c *Call) (starlark.Value, error) {
	if _, missing := c.Value.(*pyvalue.Undefined); missing {
		return pyvalue.NewGenerator("generator object do_items", nil), nil
	}
	d, ok := c.Value.(*starlark.Dict)
	if !ok {
		return nil, typeErrorf("Can only get item pairs from a mapping.")
	}
	var items []starlark.Value
	for _, e := range d.Items() {
		items = append(items, e)
	}
	return pyvalue.NewGenerator("generator object do_items", items), nil
}
