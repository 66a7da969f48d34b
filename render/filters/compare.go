package filters

import (
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

func isSorted(c *Call) (starlark.Value, error) {
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	reverse, err := c.flag(0, false)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(items); i++ {
		n, err := pyvalue.Order(items[i-1], items[i])
		if err != nil {
			return nil, err
		}
		if n > 0 && !reverse || n < 0 && reverse {
			return starlark.False, nil
		}
	}
	return starlark.True, nil
}

func compareLists(c *Call) (starlark.Value, error) {
	before, err := c.items()
	if err != nil {
		return nil, err
	}
	after, err := pyvalue.Items(c.Args[0])
	if err != nil {
		return nil, err
	}
	out := starlark.NewDict(2)
	for _, side := range []struct {
		key       string
		items, of []starlark.Value
	}{{"new", after, before}, {"old", before, after}} {
		var only []starlark.Value
		for _, e := range side.items {
			have, err := pyvalue.Contains(starlark.Tuple(side.of), e)
			if err != nil {
				return nil, err
			}
			if !have {
				only = append(only, e)
			}
		}
		if only != nil {
			if err := out.SetKey(starlark.String(side.key), starlark.NewList(only)); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func compareDicts(c *Call) (starlark.Value, error) {
	before, ok1 := c.Value.(*starlark.Dict)
	after, ok2 := c.Args[0].(*starlark.Dict)
	if !ok1 || !ok2 {
		return nil, typeErrorf("compare_dicts takes two dicts")
	}
	out := starlark.NewDict(0)
	for _, k := range append(after.Keys(), before.Keys()...) {
		a, inOld, _ := before.Get(k)
		b, inNew, _ := after.Get(k)
		change := starlark.NewDict(2)
		set := func(key string, v starlark.Value) { _ = change.SetKey(starlark.String(key), v) }
		switch {
		case !inOld:
			set("old", starlark.String(""))
			set("new", b)
		case !inNew:
			set("new", starlark.String(""))
			set("old", a)
		default:
			eq, err := pyvalue.Equal(a, b)
			if err != nil {
				return nil, err
			}
			if eq {
				continue
			}
			set("old", a)
			set("new", b)
		}
		if err := out.SetKey(k, change); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func substringInList(c *Call) (starlark.Value, error) {
	items, err := pyvalue.Items(c.Args[0])
	if err != nil {
		return nil, err
	}
	for _, e := range items {
		if ok, err := pyvalue.Contains(e, c.Value); err != nil || ok {
			return starlark.Bool(ok), err
		}
	}
	return starlark.False, nil
}

// exactly counts the true items; arg is the place of the wanted number, -1 for one.
func exactly(c *Call, arg int) (starlark.Value, error) {
	want := 1
	if arg >= 0 {
		var err error
		if want, err = c.number(arg, 1); err != nil {
			return nil, err
		}
	}
	items, err := c.items()
	if err != nil {
		return nil, err
	}
	n := 0
	for _, e := range items {
		ok, err := pyvalue.Truth(e)
		if err != nil {
			return nil, err
		}
		if ok {
			n++
		}
	}
	return starlark.Bool(n == want), nil
}
