package pyvalue

import (
	"errors"
	"strings"

	"go.starlark.net/starlark"
)

// Attributes is a value with attributes of its own: nil, nil says there is none of that name.
type Attributes interface {
	PyAttr(name string) (starlark.Value, error)
}

// ItemGetter is a value with items of its own.
type ItemGetter interface {
	PyItem(key starlark.Value) (v starlark.Value, found bool, err error)
}

// GetAttr is v.name as Jinja sees it: the attribute, else the item of that name. What is not there is an *Undefined.
func GetAttr(v starlark.Value, name string) (starlark.Value, error) {
	if u, ok := v.(*Undefined); ok {
		return nil, u.Err()
	}
	a, err := Attr(v, name)
	if a != nil || err != nil {
		return a, err
	}
	item, found, err := getItem(v, starlark.String(name))
	if err == nil && found {
		return item, nil
	}
	if IsLookup(err) || err == nil {
		return MissingAttr(v, starlark.String(name)), nil
	}
	return nil, err
}

// GetItem is v[key] as Jinja sees it: the item, else the attribute of that name. What is not there is an *Undefined.
func GetItem(v, key starlark.Value) (starlark.Value, error) {
	if u, ok := v.(*Undefined); ok {
		return nil, u.Err()
	}
	if err := Check(key); err != nil {
		return nil, err
	}
	item, found, err := getItem(v, key)
	if err == nil && found {
		return item, nil
	}
	if err != nil && !IsLookup(err) {
		return nil, err
	}
	if name, ok := Text(key); ok {
		a, err := Attr(v, name)
		if a != nil || err != nil {
			return a, err
		}
	}
	return MissingAttr(v, key), nil
}

// IsLookup tells whether err is an exception that Jinja takes for "not there".
func IsLookup(err error) bool {
	for _, class := range []string{"TypeError", "KeyError", "IndexError", "LookupError", "AttributeError"} {
		if Is(err, class) {
			return true
		}
	}
	return false
}

// Attr is the attribute or method of v called name; nil when there is none. Names that begin with an underscore are
// hidden by the sandbox.
func Attr(v starlark.Value, name string) (starlark.Value, error) {
	if strings.HasPrefix(name, "_") {
		return &Undefined{
			Message:  "access to attribute '" + name + "' of '" + TypeName(v) + "' object is unsafe.",
			Security: true,
		}, nil
	}
	if a, ok := v.(Attributes); ok {
		return a.PyAttr(name)
	}
	if m := method(v, name); m != nil {
		return m, nil
	}
	switch v.(type) {
	case starlark.String, starlark.Bytes, *starlark.List, *starlark.Dict, *starlark.Set, Markup, starlark.Tuple:
		return nil, nil // only the methods that Python has
	}
	if h, ok := v.(starlark.HasAttrs); ok {
		a, err := h.Attr(name)
		var missing starlark.NoSuchAttrError
		if errors.As(err, &missing) {
			return nil, nil
		}
		return a, err
	}
	return nil, nil
}

func getItem(v, key starlark.Value) (starlark.Value, bool, error) {
	switch t := v.(type) {
	case ItemGetter:
		return t.PyItem(key)
	case *starlark.Dict:
		item, ok, err := t.Get(Key(key))
		return item, ok, hashError(key, err)
	case starlark.String, Markup:
		s, _ := Text(v)
		return indexText(s, key)
	case *starlark.List:
		i, err := index(key, t.Len(), "list")
		if err != nil || i < 0 {
			return nil, false, err
		}
		return t.Index(i), true, nil
	case starlark.Tuple:
		i, err := index(key, len(t), "tuple")
		if err != nil || i < 0 {
			return nil, false, err
		}
		return t[i], true, nil
	case starlark.Bytes:
		i, err := index(key, len(t), "byte")
		if err != nil || i < 0 {
			return nil, false, err
		}
		return starlark.MakeInt(int(t[i])), true, nil
	case starlark.Mapping:
		item, ok, err := t.Get(Key(key))
		return item, ok, err
	}
	return nil, false, typeErrorf("'%s' object is not subscriptable", TypeName(v))
}

func indexText(s string, key starlark.Value) (starlark.Value, bool, error) {
	runes := []rune(s)
	i, err := index(key, len(runes), "string")
	if err != nil || i < 0 {
		return nil, false, err
	}
	return starlark.String(string(runes[i])), true, nil
}

// index resolves a position in a sequence of n items; -1 when it is outside.
func index(key starlark.Value, n int, what string) (int, error) {
	k, ok := key.(starlark.Int)
	if b, isBool := key.(starlark.Bool); isBool {
		k, ok = starlark.MakeInt(0), true
		if b {
			k = starlark.MakeInt(1)
		}
	}
	if !ok {
		if what == "string" {
			return -1, typeErrorf("string indices must be integers")
		}
		return -1, typeErrorf("%s indices must be integers or slices, not %s", what, TypeName(key))
	}
	i, fits := k.Int64()
	if i < 0 {
		i += int64(n)
	}
	if !fits || i < 0 || i >= int64(n) {
		return -1, nil
	}
	return int(i), nil
}

// Slice is v[start:stop:step]; nil bounds are left out.
func Slice(v, start, stop, step starlark.Value) (starlark.Value, error) {
	if err := Check(v); err != nil {
		return nil, err
	}
	switch t := v.(type) {
	case starlark.String, Markup:
		s, _ := Text(v)
		runes := []rune(s)
		picked, err := pick(len(runes), start, stop, step)
		if err != nil {
			return nil, err
		}
		out := make([]rune, len(picked))
		for i, at := range picked {
			out[i] = runes[at]
		}
		if _, ok := v.(Markup); ok {
			return Markup(out), nil
		}
		return starlark.String(out), nil
	case *starlark.List:
		items, err := sliceItems(listItems(t), start, stop, step)
		return starlark.NewList(items), err
	case starlark.Tuple:
		items, err := sliceItems(t, start, stop, step)
		return starlark.Tuple(items), err
	case starlark.Bytes:
		picked, err := pick(len(t), start, stop, step)
		out := make([]byte, len(picked))
		for i, at := range picked {
			out[i] = t[at]
		}
		return starlark.Bytes(out), err
	case *starlark.Dict:
		return nil, typeErrorf("unhashable type: 'slice'")
	}
	return nil, typeErrorf("'%s' object is not subscriptable", TypeName(v))
}

func sliceItems(items []starlark.Value, start, stop, step starlark.Value) ([]starlark.Value, error) {
	picked, err := pick(len(items), start, stop, step)
	out := make([]starlark.Value, len(picked))
	for i, at := range picked {
		out[i] = items[at]
	}
	return out, err
}

// pick lists the positions that a slice of n items takes.
func pick(n int, start, stop, step starlark.Value) ([]int, error) {
	stepBy, err := bound(step, 1)
	if err != nil {
		return nil, err
	}
	if stepBy == 0 {
		return nil, valueErrorf("slice step cannot be zero")
	}
	low, high := 0, n
	first, last := 0, n
	if stepBy < 0 {
		low, high = -1, n-1
		first, last = n-1, -1
	}
	clamp := func(v starlark.Value, def int) (int, error) {
		if v == nil || v == starlark.None {
			return def, nil
		}
		i, err := bound(v, def)
		if i < 0 {
			i += n
		}
		return min(max(i, low), high), err
	}
	if first, err = clamp(start, first); err != nil {
		return nil, err
	}
	if last, err = clamp(stop, last); err != nil {
		return nil, err
	}
	var out []int
	for i := first; stepBy > 0 && i < last || stepBy < 0 && i > last; i += stepBy {
		out = append(out, i)
	}
	return out, nil
}

// bound is one part of a slice, cut to what fits.
func bound(v starlark.Value, def int) (int, error) {
	if v == nil || v == starlark.None {
		return def, nil
	}
	if err := Check(v); err != nil {
		return 0, err
	}
	n, ok := number(v)
	i, isInt := n.(starlark.Int)
	if !ok || !isInt {
		return 0, typeErrorf("slice indices must be integers or None or have an __index__ method")
	}
	k, fits := i.Int64()
	const far = 1 << 40
	if !fits && i.Sign() > 0 || k > far {
		return far, nil
	}
	if !fits || k < -far {
		return -far, nil
	}
	return int(k), nil
}
