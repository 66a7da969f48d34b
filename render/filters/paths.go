package filters

import (
	"strings"

	"brine/internal/pyyaml"
	"brine/internal/starval"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// traverseFilter follows a path such as "a:b:0" through dicts and lists.
func traverseFilter(c *Call) (starlark.Value, error) {
	def := orNone(c.Args[1])
	var parts []starlark.Value
	if s, ok := pyvalue.Text(c.Args[0]); ok {
		for _, p := range strings.Split(s, c.str(2, ":")) {
			parts = append(parts, starlark.String(p))
		}
	} else {
		var err error
		if parts, err = pyvalue.Items(c.Args[0]); err != nil {
			return nil, err
		}
	}
	at := c.Value
	for _, p := range parts {
		next := step(at, p)
		if next == nil {
			return def, nil
		}
		at = next
	}
	return at, nil
}

// step is one part of a path; a list without such an index is searched for a dict with the key.
func step(at, part starlark.Value) starlark.Value {
	s, _ := pyvalue.Text(part)
	switch t := at.(type) {
	case *starlark.List:
		n, isInt := parseInt(s, 10)
		if !isInt {
			for i := range t.Len() {
				if d, ok := t.Index(i).(*starlark.Dict); ok {
					if v, ok, _ := d.Get(part); ok {
						return v
					}
				}
			}
			return nil
		}
		v, err := pyvalue.GetItem(t, n)
		if _, missing := v.(*pyvalue.Undefined); missing || err != nil {
			return nil
		}
		return v
	case *starlark.Dict:
		if v, ok, err := t.Get(pyvalue.Key(part)); ok && err == nil {
			return v
		}
		typed, err := pyyaml.Load([]byte(s), pyyaml.Options{})
		if err != nil {
			return nil
		}
		if v, ok, err := t.Get(starval.Of(typed)); ok && err == nil {
			return v
		}
	}
	return nil
}

// changeKey is set_, update_, append_ and extend_dict_key_value: it changes the dict in place and returns it.
func changeKey(c *Call, name string) (starlark.Value, error) {
	d, ok := c.Value.(*starlark.Dict)
	if !ok {
		return nil, typeErrorf("%s works on a dict, not %s", name, pyvalue.TypeName(c.Value))
	}
	keys, err := pyvalue.StrArg(c.Args[0], "")
	if err != nil {
		return nil, err
	}
	parts := strings.Split(keys, c.str(2, ":"))
	for _, p := range parts[:len(parts)-1] {
		inner, found, _ := d.Get(starlark.String(p))
		next, isDict := inner.(*starlark.Dict)
		if !found || !isDict {
			next = starlark.NewDict(1)
			if err := d.SetKey(starlark.String(p), next); err != nil {
				return nil, err
			}
		}
		d = next
	}
	return c.Value, change(d, starlark.String(parts[len(parts)-1]), c.Args[1], strings.TrimSuffix(name, "_dict_key_value"))
}

func change(d *starlark.Dict, key, value starlark.Value, how string) error {
	if how == "set" {
		return d.SetKey(key, value)
	}
	have, found, _ := d.Get(key)
	if !found || have == starlark.None {
		have = starlark.NewList(nil)
		if how == "update" {
			have = starlark.NewDict(1)
		}
		if err := d.SetKey(key, have); err != nil {
			return err
		}
	}
	m, err := pyvalue.Attr(have, how)
	if err != nil {
		return err
	}
	f, ok := m.(*pyvalue.Func)
	if !ok {
		return pyvalue.Errorf("SaltInvocationError", "The last key contains a %s, which cannot %s.", pyvalue.TypeName(have), how)
	}
	_, err = f.Run(pyvalue.Args{Pos: []starlark.Value{value}})
	return err
}
