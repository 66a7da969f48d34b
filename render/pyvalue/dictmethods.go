package pyvalue

import (
	"go.starlark.net/starlark"
)

// SetKey is d[k] = v.
func SetKey(d *starlark.Dict, k, v starlark.Value) error {
	if err := Check(k); err != nil {
		return err
	}
	k = Key(k)
	if !Hashable(k) {
		return hashError(k, typeErrorf(""))
	}
	return d.SetKey(k, v)
}

// dictMethods is the method of dict called name.
func dictMethods(name string) methodFunc {
	switch name {
	case "keys", "values", "items":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return &View{recv.(*starlark.Dict), name}, err
		}
	case "get":
		return dictGet
	case "pop":
		return dictPop
	case "setdefault":
		return dictSetDefault
	case "update":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			return starlark.None, Update(recv.(*starlark.Dict), a)
		}
	case "copy":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return CopyDict(recv.(*starlark.Dict)), err
		}
	case "clear":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return starlark.None, firstErr(err, recv.(*starlark.Dict).Clear())
		}
	case "popitem":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			d := recv.(*starlark.Dict)
			items := d.Items()
			if len(items) == 0 {
				return nil, Errorf("KeyError", "'popitem(): dictionary is empty'")
			}
			last := items[len(items)-1]
			_, _, err := d.Delete(last[0])
			return last, err
		}
	case "fromkeys":
		return func(_ starlark.Value, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "iterable", "value?")
			if err != nil {
				return nil, err
			}
			keys, err := Items(v[0])
			d := starlark.NewDict(len(keys))
			for _, k := range keys {
				err = firstErr(err, SetKey(d, k, orNone(v[1])))
			}
			return d, err
		}
	}
	return nil
}

func orNone(v starlark.Value) starlark.Value {
	if v == nil {
		return starlark.None
	}
	return v
}

// CopyDict is d.copy().
func CopyDict(d *starlark.Dict) *starlark.Dict {
	out := starlark.NewDict(d.Len())
	for _, e := range d.Items() {
		_ = out.SetKey(e[0], e[1]) // the key was in a dict already
	}
	return out
}

func dictGet(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("get", "key", "default?")
	if err != nil {
		return nil, err
	}
	if err := Check(v[0]); err != nil {
		return nil, err
	}
	item, ok, err := recv.(*starlark.Dict).Get(Key(v[0]))
	if ok || err != nil {
		return item, hashError(v[0], err)
	}
	return orNone(v[1]), nil
}

func dictPop(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("pop", "key", "default?")
	if err != nil {
		return nil, err
	}
	item, ok, err := recv.(*starlark.Dict).Delete(Key(v[0]))
	switch {
	case err != nil:
		return nil, hashError(v[0], err)
	case ok:
		return item, nil
	case v[1] != nil:
		return v[1], nil
	}
	return nil, Errorf("KeyError", "%s", reprOrBlank(v[0]))
}

func dictSetDefault(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("setdefault", "key", "default?")
	if err != nil {
		return nil, err
	}
	d := recv.(*starlark.Dict)
	item, ok, err := d.Get(Key(v[0]))
	if ok || err != nil {
		return item, hashError(v[0], err)
	}
	return orNone(v[1]), SetKey(d, v[0], orNone(v[1]))
}

// Update is d.update(...): a mapping or pairs, then keywords.
func Update(d *starlark.Dict, a Args) error {
	if len(a.Pos) > 1 {
		return typeErrorf("update expected at most 1 argument, got %d", len(a.Pos))
	}
	if len(a.Pos) == 1 {
		if err := updateFrom(d, a.Pos[0]); err != nil {
			return err
		}
	}
	for _, kv := range a.Kw {
		if err := SetKey(d, kv[0], kv[1]); err != nil {
			return err
		}
	}
	return nil
}

func updateFrom(d *starlark.Dict, v starlark.Value) error {
	if o, ok := v.(*starlark.Dict); ok {
		for _, e := range o.Items() {
			if err := d.SetKey(e[0], e[1]); err != nil {
				return err
			}
		}
		return nil
	}
	items, err := Items(v)
	if err != nil {
		return err
	}
	for i, e := range items {
		pair, err := Items(e)
		if err != nil {
			return firstErr(Check(e), typeErrorf("cannot convert dictionary update sequence element #%d to a sequence", i))
		}
		if len(pair) != 2 {
			return valueErrorf("dictionary update sequence element #%d has length %d; 2 is required", i, len(pair))
		}
		if err := SetKey(d, pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// numberAttr is an attribute or method of int, float and bool.
func numberAttr(v starlark.Value, name string) starlark.Value {
	n, _ := number(v)
	i, isInt := n.(starlark.Int)
	run := func(f func() starlark.Value) starlark.Value {
		return &Func{Label: "<built-in method " + name + " of " + TypeName(v) + " object>", Run: func(a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return f(), err
		}}
	}
	switch {
	case name == "real" || name == "numerator" && isInt:
		return n
	case name == "imag":
		return starlark.MakeInt(0)
	case name == "denominator" && isInt:
		return starlark.MakeInt(1)
	case name == "conjugate":
		return run(func() starlark.Value { return n })
	case name == "bit_length" && isInt:
		return run(func() starlark.Value { return starlark.MakeInt(i.BigInt().BitLen()) })
	case name == "is_integer" && !isInt:
		return run(func() starlark.Value { f := float64(n.(starlark.Float)); return starlark.Bool(f == float64(int64(f))) })
	}
	return nil
}
