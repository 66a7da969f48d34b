package pyvalue

import (
	"slices"

	"go.starlark.net/starlark"
)

// setList gives a list new items in place. A list is only changed by Starlark when nothing walks it; the walks of
// templates are our own, which stand such changes.
func setList(l *starlark.List, items []starlark.Value) error {
	for l.Len() > len(items) {
		if err := shrink(l, len(items)); err != nil {
			return err
		}
	}
	for i, v := range items {
		var err error
		if i < l.Len() {
			err = l.SetIndex(i, v)
		} else {
			err = l.Append(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func shrink(l *starlark.List, n int) error {
	kept := listItems(l)[:n]
	if err := l.Clear(); err != nil {
		return err
	}
	for _, v := range kept {
		if err := l.Append(v); err != nil {
			return err
		}
	}
	return nil
}

// listMethods is the method of list called name.
func listMethods(name string) methodFunc {
	switch name {
	case "append":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "object")
			if err != nil {
				return nil, err
			}
			return starlark.None, recv.(*starlark.List).Append(v[0])
		}
	case "extend":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "iterable")
			if err != nil {
				return nil, err
			}
			items, err := Items(v[0])
			if err != nil {
				return nil, err
			}
			l := recv.(*starlark.List)
			if l.Len()+len(items) > MaxItems {
				return nil, tooLarge()
			}
			return starlark.None, setList(l, append(listItems(l), items...))
		}
	case "insert":
		return listInsert
	case "pop":
		return listPop
	case "remove":
		return listRemove
	case "clear":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return starlark.None, firstErr(err, recv.(*starlark.List).Clear())
		}
	case "copy":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return starlark.NewList(listItems(recv.(*starlark.List))), err
		}
	case "reverse":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			l := recv.(*starlark.List)
			items := listItems(l)
			slices.Reverse(items)
			_, err := a.Bind(name)
			return starlark.None, firstErr(err, setList(l, items))
		}
	case "sort":
		return listSort
	}
	return tupleMethods(name)
}

func listInsert(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("insert", "index", "object")
	if err != nil {
		return nil, err
	}
	i, err := bound(v[0], 0)
	if err != nil {
		return nil, err
	}
	l := recv.(*starlark.List)
	if i < 0 {
		i = max(i+l.Len(), 0)
	}
	return starlark.None, setList(l, slices.Insert(listItems(l), min(i, l.Len()), v[1]))
}

func listPop(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("pop", "index?")
	if err != nil {
		return nil, err
	}
	l := recv.(*starlark.List)
	if l.Len() == 0 {
		return nil, Errorf("IndexError", "pop from empty list")
	}
	key := v[0]
	if key == nil {
		key = starlark.MakeInt(-1)
	}
	i, err := index(key, l.Len(), "list")
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, Errorf("IndexError", "pop index out of range")
	}
	gone := l.Index(i)
	return gone, setList(l, slices.Delete(listItems(l), i, i+1))
}

func listRemove(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("remove", "value")
	if err != nil {
		return nil, err
	}
	l := recv.(*starlark.List)
	items := listItems(l)
	for i, e := range items {
		same, err := Equal(e, v[0])
		if err != nil {
			return nil, err
		}
		if same {
			return starlark.None, setList(l, slices.Delete(items, i, i+1))
		}
	}
	return nil, valueErrorf("list.remove(x): x not in list")
}

func listSort(recv starlark.Value, a Args) (starlark.Value, error) {
	v, err := a.Bind("sort", "*", "key?", "reverse?")
	if err != nil {
		return nil, err
	}
	reverse, err := BoolArg(v[1], false)
	if err != nil {
		return nil, err
	}
	l := recv.(*starlark.List)
	items := listItems(l)
	if err := Sort(items, nil, reverse); err != nil {
		return nil, err
	}
	return starlark.None, setList(l, items)
}

// Sort sorts items as Python's sorted does, by the keys when there are any; equal ones keep their order.
func Sort(items, keys []starlark.Value, reverse bool) error {
	if keys == nil {
		keys = items
	}
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	var failed error
	slices.SortStableFunc(at, func(i, j int) int {
		n, err := Order(keys[i], keys[j])
		if err != nil && failed == nil {
			failed = err
		}
		if reverse {
			return -n
		}
		return n
	})
	if failed != nil {
		return failed
	}
	sorted := make([]starlark.Value, len(items))
	for i, from := range at {
		sorted[i] = items[from]
	}
	copy(items, sorted)
	return nil
}

// tupleMethods are the methods that lists and tuples share.
func tupleMethods(name string) methodFunc {
	switch name {
	case "index":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "value", "start?", "stop?")
			if err != nil {
				return nil, err
			}
			items, err := Items(recv)
			if err != nil {
				return nil, err
			}
			picked, err := pick(len(items), v[1], v[2], nil)
			if err != nil {
				return nil, err
			}
			for _, i := range picked {
				if same, err := Equal(items[i], v[0]); err != nil || same {
					return starlark.MakeInt(i), err
				}
			}
			if _, ok := recv.(starlark.Tuple); ok {
				return nil, valueErrorf("tuple.index(x): x not in tuple")
			}
			return nil, valueErrorf("%s is not in list", reprOrBlank(v[0]))
		}
	case "count":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "value")
			if err != nil {
				return nil, err
			}
			items, err := Items(recv)
			n := 0
			for _, e := range items {
				if same, err := Equal(e, v[0]); err != nil {
					return nil, err
				} else if same {
					n++
				}
			}
			return starlark.MakeInt(n), err
		}
	}
	return nil
}

// setMethods are the methods of sets, views and generators that templates meet.
func setMethods(name string) methodFunc {
	switch name {
	case "isdisjoint", "union", "intersection", "difference", "add", "issubset", "issuperset", "discard", "remove", "update", "copy":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			s, ok := recv.(*starlark.Set)
			if !ok {
				return nil, Errorf("AttributeError", "'%s' object has no attribute '%s'", TypeName(recv), name)
			}
			if name == "copy" {
				return NewSet(setItems(s))
			}
			m, err := s.Attr(name)
			if err != nil || m == nil {
				return nil, firstErr(err, Errorf("AttributeError", "'set' object has no attribute '%s'", name))
			}
			return starlark.Call(&starlark.Thread{Name: "set"}, m, a.Pos, a.Kw)
		}
	}
	return nil
}

// NewSet makes a set of items.
func NewSet(items []starlark.Value) (*starlark.Set, error) {
	s := starlark.NewSet(len(items))
	for _, v := range items {
		if err := s.Insert(Key(v)); err != nil {
			return nil, hashError(v, err)
		}
	}
	return s, nil
}
