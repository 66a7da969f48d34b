package filters

import (
	"math/rand/v2"
	"slices"

	"brine/internal/fnmatch"
	"brine/internal/hashsum"
	"brine/internal/pyrandom"
	"brine/internal/pyregex"
	"brine/internal/starval"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// saltItems are Salt's filters of lists and dicts, some of them in the place of Jinja's own.
func saltItems(name string) *Filter {
	switch name {
	case "sequence":
		return run(func(c *Call) (starlark.Value, error) {
			switch c.Value.(type) {
			case *starlark.List, starlark.Tuple, *starlark.Set, *starlark.Dict:
				return c.Value, nil
			}
			return starlark.NewList([]starlark.Value{c.Value}), nil
		})
	case "unique":
		return run(func(c *Call) (starlark.Value, error) { return unique(c.Value) })
	case "min", "max":
		return run(func(c *Call) (starlark.Value, error) { return extreme(c, name) })
	case "avg":
		return run(average)
	case "union", "intersect", "difference", "symmetric_difference":
		return run(func(c *Call) (starlark.Value, error) { return setTheory(c, name) }, "lst2")
	case "flatten":
		return run(flattenFilter, "levels?", "preserve_nulls?")
	case "is_list":
		return run(func(c *Call) (starlark.Value, error) {
			_, ok := c.Value.(*starlark.List)
			return starlark.Bool(ok), nil
		})
	case "is_iter":
		return run(func(c *Call) (starlark.Value, error) {
			_, text := pyvalue.Text(c.Value)
			return starlark.Bool(!text && iterable(c.Value)), nil
		})
	case "is_sorted":
		return run(isSorted, "reverse?")
	case "sorted_ignorecase":
		return run(func(c *Call) (starlark.Value, error) {
			items, err := c.items()
			keys := make([]starlark.Value, len(items))
			for i, e := range items {
				keys[i] = folded(e)
			}
			if err != nil {
				return nil, err
			}
			return starlark.NewList(items), pyvalue.Sort(items, keys, false)
		})
	case "compare_lists":
		return run(compareLists, "new")
	case "compare_dicts":
		return run(compareDicts, "new")
	case "substring_in_list":
		return run(substringInList, "list_to_search")
	case "exactly_n_true":
		return run(func(c *Call) (starlark.Value, error) { return exactly(c, 0) }, "amount?")
	case "exactly_one_true":
		return run(func(c *Call) (starlark.Value, error) { return exactly(c, -1) })
	}
	return saltDicts(name)
}

func saltDicts(name string) *Filter {
	switch name {
	case "traverse":
		return run(traverseFilter, "key", "default?", "delimiter?")
	case "set_dict_key_value", "update_dict_key_value", "append_dict_key_value", "extend_dict_key_value":
		return run(func(c *Call) (starlark.Value, error) { return changeKey(c, name) }, "keys", "value", "delimiter?", "ordered_dict?")
	case "method_call":
		return &Filter{Run: methodCall}
	case "random_sample":
		return run(func(c *Call) (starlark.Value, error) { return sample(c, c.Args[0], c.Args[1]) }, "size", "seed?")
	case "random_shuffle":
		return run(func(c *Call) (starlark.Value, error) { return sample(c, nil, c.Args[0]) }, "seed?")
	case "check_whitelist_blacklist":
		return run(whiteBlack, "whitelist?", "blacklist?")
	case "json_decode_dict", "json_encode_dict", "json_decode_list", "json_encode_list", "decode_dict", "encode_dict", "decode_list", "encode_list":
		return &Filter{Run: func(c *Call) (starlark.Value, error) { return recode(c.Value, 0) }}
	}
	return itertools(name)
}

func unique(v starlark.Value) (starlark.Value, error) {
	items, err := pyvalue.Items(v)
	if err != nil {
		return nil, err
	}
	if pyvalue.Hashable(v) {
		return pyvalue.NewSet(items)
	}
	return distinct(items)
}

func distinct(items []starlark.Value) (starlark.Value, error) {
	out := starlark.NewList(nil)
	for _, e := range items {
		have, err := pyvalue.Contains(out, e)
		if err != nil {
			return nil, err
		}
		if !have {
			if err := out.Append(e); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func extreme(c *Call, name string) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, valueErrorf("%s() arg is an empty sequence", name)
	}
	best := items[0]
	for _, e := range items[1:] {
		op := "lt"
		if name == "max" {
			op = "gt"
		}
		better, err := pyvalue.Compare(op, e, best)
		if err != nil {
			return nil, err
		}
		if better {
			best = e
		}
	}
	return best, nil
}

func average(c *Call) (starlark.Value, error) {
	if pyvalue.Hashable(c.Value) {
		if f, ok := starlark.AsFloat(c.Value); ok {
			return starlark.Float(f), nil
		}
		return toFloatStrict(c.Value)
	}
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	var total starlark.Value = starlark.MakeInt(0)
	for _, e := range items {
		if total, err = pyvalue.Binary("+", total, e); err != nil {
			return nil, err
		}
	}
	v, err := pyvalue.Binary("/", total, starlark.MakeInt(len(items)))
	return v, err
}

func toFloatStrict(v starlark.Value) (starlark.Value, error) {
	if s, ok := pyvalue.Text(v); ok {
		if f, ok := parseFloat(s); ok {
			return starlark.Float(f), nil
		}
		return nil, valueErrorf("could not convert string to float: '%s'", s)
	}
	if n, err := pyvalue.Negate("+", v); err == nil {
		f, _ := starlark.AsFloat(n)
		return starlark.Float(f), nil
	}
	return nil, typeErrorf("float() argument must be a string or a real number, not '%s'", pyvalue.TypeName(v))
}

func setTheory(c *Call, name string) (starlark.Value, error) {
	a, err := c.items()
	if err != nil {
		return nil, err
	}
	b, err := pyvalue.Items(c.Args[0])
	if err != nil {
		return nil, err
	}
	in := func(items []starlark.Value, want bool, of []starlark.Value) ([]starlark.Value, error) {
		var out []starlark.Value
		for _, e := range items {
			have, err := pyvalue.Contains(starlark.Tuple(of), e)
			if err != nil {
				return nil, err
			}
			if have == want {
				out = append(out, e)
			}
		}
		return out, nil
	}
	var out []starlark.Value
	switch name {
	case "union":
		out = slices.Concat(a, b)
	case "intersect":
		out, err = in(a, true, b)
	case "difference":
		out, err = in(a, false, b)
	default:
		var onlyA, onlyB []starlark.Value
		if onlyA, err = in(a, false, b); err == nil {
			onlyB, err = in(b, false, a)
		}
		out = slices.Concat(onlyA, onlyB)
	}
	if err != nil {
		return nil, err
	}
	if pyvalue.Hashable(c.Value) && pyvalue.Hashable(c.Args[0]) {
		return pyvalue.NewSet(out)
	}
	return distinct(out)
}

func flattenFilter(c *Call) (starlark.Value, error) {
	levels, err := c.number(0, -1)
	if err != nil {
		return nil, err
	}
	nulls, err := c.flag(1, false)
	if err != nil {
		return nil, err
	}
	out := starlark.NewList(nil)
	return out, flatten(c.Value, levels, nulls, 0, out)
}

func flatten(v starlark.Value, levels int, nulls bool, depth int, out *starlark.List) error {
	if depth > 100 {
		return pyvalue.Errorf("RecursionError", "Reference cycle detected. Check input list.")
	}
	items, err := pyvalue.Items(v)
	if err != nil {
		return err
	}
	for _, e := range items {
		s, text := pyvalue.Text(e)
		switch {
		case !nulls && (e == starlark.None || text && (s == "None" || s == "null")):
		case !text && iterable(e) && levels != 0:
			err = flatten(e, levels-1, nulls, depth+1, out)
		default:
			err = out.Append(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func methodCall(c *Call) (starlark.Value, error) {
	if len(c.Raw.Pos) == 0 {
		return nil, typeErrorf("method_call() missing 1 required positional argument: 'f_name'")
	}
	name, _ := pyvalue.Text(c.Raw.Pos[0])
	m, err := pyvalue.Attr(c.Value, name)
	if err != nil || m == nil {
		return starlark.None, err
	}
	return c.Call(m, pyvalue.Args{Pos: c.Raw.Pos[1:], Kw: c.Raw.Kw})
}

func sample(c *Call, size, seed starlark.Value) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	k := len(items)
	if size != nil {
		if k, err = pyvalue.IntArg(size, 0); err != nil {
			return nil, err
		}
	}
	if k < 0 || k > len(items) {
		return nil, valueErrorf("Sample larger than population or is negative")
	}
	source := pyrandom.FromInt(rand.Int64())
	if seed != nil && seed != starlark.None {
		s, ok := pyvalue.Text(seed)
		if !ok {
			return nil, typeErrorf("object supporting the buffer API required")
		}
		source = pyrandom.FromText(hashsum.Sum("sha512", []byte(s)))
	}
	out := make([]starlark.Value, 0, k)
	for _, i := range source.Sample(len(items), k) {
		out = append(out, items[i])
	}
	return starlark.NewList(out), nil
}

func whiteBlack(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	match := func(v starlark.Value) (bool, error) {
		items := []starlark.Value{v}
		if _, text := pyvalue.Text(v); !text {
			if items, err = pyvalue.Items(v); err != nil {
				return false, err
			}
		}
		for _, e := range items {
			p, _ := pyvalue.Text(e)
			if p == s || fnmatch.Match(p, s) {
				return true, nil
			}
			if re, err := pyregex.Compile(p, 0); err == nil {
				if m, err := re.FullMatch(s); err == nil && m != nil {
					return true, nil
				}
			}
		}
		return false, nil
	}
	if v := c.Args[1]; v != nil && bool(v.Truth()) {
		if hit, err := match(v); err != nil || hit {
			return starlark.False, err
		}
	}
	if v := c.Args[0]; v != nil && bool(v.Truth()) {
		hit, err := match(v)
		return starlark.Bool(hit), err
	}
	return starlark.True, nil
}

// recode makes a deep copy with bytes as text, tuples as lists.
func recode(v starlark.Value, _ int) (starlark.Value, error) {
	d, err := starval.Data(v)
	if err != nil {
		return nil, err
	}
	return starval.Of(d), nil
}
