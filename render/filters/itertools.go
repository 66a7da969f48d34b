package filters

import (
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// maxRows bounds what the filters of itertools make.
const maxRows = 200_000

// rows collects tuples up to the bound.
type rows struct {
	c   *Call
	out []starlark.Value
}

func (r *rows) add(t starlark.Tuple) error {
	if len(r.out) >= maxRows {
		return pyvalue.Errorf("MemoryError", "more than %d rows", maxRows)
	}
	r.out = append(r.out, append(starlark.Tuple{}, t...))
	return r.c.Step()
}

// itertools are the filters that Salt takes from Python's itertools.
func itertools(name string) *Filter {
	var build func(c *Call, r *rows) error
	switch name {
	case "combinations", "combinations_with_replacement", "permutations":
		build = func(c *Call, r *rows) error { return choose(c, r, name) }
	case "compress":
		build = compress
	case "product":
		build = product
	case "zip", "zip_longest":
		build = func(c *Call, r *rows) error { return zip(c, r, name == "zip_longest") }
	default:
		return nil
	}
	return &Filter{Run: func(c *Call) (starlark.Value, error) {
		r := &rows{c: c}
		if err := build(c, r); err != nil {
			return nil, err
		}
		label := "itertools." + name + " object"
		if name == "zip" {
			label = "zip object"
		}
		return pyvalue.NewGenerator(label, r.out), nil
	}}
}

func choose(c *Call, r *rows, name string) error {
	items, err := c.items()
	if err != nil {
		return err
	}
	params := []string{"r"}
	if name == "permutations" {
		params = []string{"r?"}
	}
	v, err := c.Raw.Bind(name, params...)
	if err != nil {
		return err
	}
	n, err := pyvalue.IntArg(v[0], len(items))
	if err != nil {
		return err
	}
	if n < 0 {
		return valueErrorf("r must be non-negative")
	}
	picked := make(starlark.Tuple, 0, n)
	used := make([]bool, len(items))
	var pick func(from int) error
	pick = func(from int) error {
		if len(picked) == n {
			return r.add(picked)
		}
		start := from
		if name == "permutations" {
			start = 0
		}
		for i := start; i < len(items); i++ {
			if name == "permutations" && used[i] {
				continue
			}
			next := i + 1
			if name == "combinations_with_replacement" {
				next = i
			}
			used[i] = true
			picked = append(picked, items[i])
			if err := pick(next); err != nil {
				return err
			}
			picked = picked[:len(picked)-1]
			used[i] = false
		}
		return nil
	}
	if n > 1000 {
		return nil
	}
	return pick(0)
}

func compress(c *Call, r *rows) error {
	items, err := c.items()
	if err != nil {
		return err
	}
	v, err := c.Raw.Bind("compress", "selectors")
	if err != nil {
		return err
	}
	selectors, err := pyvalue.Items(v[0])
	if err != nil {
		return err
	}
	for i := range min(len(items), len(selectors)) {
		ok, err := pyvalue.Truth(selectors[i])
		if err != nil {
			return err
		}
		if ok {
			r.out = append(r.out, items[i])
		}
	}
	return nil
}

// pools are the value and the arguments as lists; one keyword is allowed.
func pools(c *Call, keyword string) ([][]starlark.Value, starlark.Value, error) {
	var option starlark.Value
	for _, kv := range c.Raw.Kw {
		if string(kv[0].(starlark.String)) != keyword {
			return nil, nil, typeErrorf("'%s' is an invalid keyword argument", string(kv[0].(starlark.String)))
		}
		option = kv[1]
	}
	var out [][]starlark.Value
	for _, v := range append([]starlark.Value{c.Value}, c.Raw.Pos...) {
		items, err := pyvalue.Items(v)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, items)
	}
	return out, option, nil
}

func product(c *Call, r *rows) error {
	lists, option, err := pools(c, "repeat")
	if err != nil {
		return err
	}
	n, err := pyvalue.IntArg(option, 1)
	if err != nil || n < 0 || n > 64 {
		return valueErrorf("repeat argument cannot be %d", n)
	}
	all := make([][]starlark.Value, 0, n*len(lists))
	for range n {
		all = append(all, lists...)
	}
	row := make(starlark.Tuple, 0, len(all))
	var pick func(i int) error
	pick = func(i int) error {
		if i == len(all) {
			return r.add(row)
		}
		for _, e := range all[i] {
			row = append(row, e)
			if err := pick(i + 1); err != nil {
				return err
			}
			row = row[:len(row)-1]
		}
		return nil
	}
	return pick(0)
}

func zip(c *Call, r *rows, longest bool) error {
	lists, fill, err := pools(c, "fillvalue")
	if err != nil {
		return err
	}
	n := len(lists[0])
	for _, l := range lists {
		if longest {
			n = max(n, len(l))
		} else {
			n = min(n, len(l))
		}
	}
	for i := range n {
		row := make(starlark.Tuple, len(lists))
		for j, l := range lists {
			row[j] = orNone(fill)
			if i < len(l) {
				row[j] = l[i]
			}
		}
		if err := r.add(row); err != nil {
			return err
		}
	}
	return nil
}
