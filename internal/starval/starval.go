// Package starval turns job data into Starlark values and back, so that templates and Starlark modules work on what
// functions return and hand results to functions again.
package starval

import (
	"errors"
	"fmt"
	"math/big"
	"unsafe"

	"brine/internal/ordered"

	"go.starlark.net/starlark"
)

// MaxDepth bounds how deep values may be nested on the way out of Starlark, where a list can hold itself.
const MaxDepth = 200

// ErrDepth is a value that is nested deeper than MaxDepth, or contains itself.
var ErrDepth = errors.New("the value is nested too deeply or contains itself")

// Texter is a Starlark value that stands for a text, such as text that is safe to print as it is.
type Texter interface{ Text() string }

// DataValue is a Starlark value that knows its own form as job data.
type DataValue interface{ Data() (any, error) }

// In is one conversion into Starlark: a map or list that it meets twice becomes one value, as it was one before.
// The zero value is ready.
type In struct {
	maps  map[*ordered.Map]*starlark.Dict
	lists map[listID]*starlark.List
}

type listID struct {
	first *any
	n     int
}

// Value converts job data. Starlark values inside it (callables above all) go through as they are.
func (c *In) Value(v any) starlark.Value {
	switch t := v.(type) {
	case nil:
		return starlark.None
	case bool:
		return starlark.Bool(t)
	case string:
		return starlark.String(t)
	case int64:
		return starlark.MakeInt64(t)
	case float64:
		return starlark.Float(t)
	case *big.Int:
		return starlark.MakeBigInt(t)
	case []byte:
		return starlark.Bytes(t)
	case []any:
		return c.list(t)
	case *ordered.Map:
		return c.dict(t)
	case starlark.Value:
		return t
	}
	plain := ordered.Of(v)
	if fmt.Sprintf("%T", plain) == fmt.Sprintf("%T", v) {
		return starlark.String(fmt.Sprint(v))
	}
	return c.Value(plain)
}

func (c *In) list(l []any) starlark.Value {
	if len(l) == 0 {
		return starlark.NewList(nil)
	}
	id := listID{unsafe.SliceData(l), len(l)}
	if have, ok := c.lists[id]; ok {
		return have
	}
	elems := make([]starlark.Value, len(l))
	out := starlark.NewList(elems)
	if c.lists == nil {
		c.lists = map[listID]*starlark.List{}
	}
	c.lists[id] = out
	for i, e := range l {
		elems[i] = c.Value(e)
	}
	return out
}

func (c *In) dict(m *ordered.Map) starlark.Value {
	if m == nil {
		return starlark.None
	}
	if have, ok := c.maps[m]; ok {
		return have
	}
	out := starlark.NewDict(m.Len())
	if c.maps == nil {
		c.maps = map[*ordered.Map]*starlark.Dict{}
	}
	c.maps[m] = out
	for k, v := range m.All() {
		if err := out.SetKey(c.Value(k), c.Value(v)); err != nil {
			// NaN is the one scalar that Starlark cannot hash: its text stands for it.
			_ = out.SetKey(starlark.String(ordered.KeyText(k)), c.Value(v))
		}
	}
	return out
}

// Of converts job data into one Starlark value.
func Of(v any) starlark.Value { return new(In).Value(v) }

// Out is one conversion out of Starlark; what was shared stays shared. The zero value is ready.
type Out struct {
	done map[starlark.Value]any
}

// Data converts a Starlark value into job data: tuples and sets become lists, a callable becomes its text.
func (c *Out) Data(v starlark.Value) (any, error) { return c.data(v, 0) }

// Data converts one Starlark value into job data.
func Data(v starlark.Value) (any, error) { return new(Out).Data(v) }

func (c *Out) data(v starlark.Value, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, ErrDepth
	}
	switch t := v.(type) {
	case nil, starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(t), nil
	case starlark.String:
		return string(t), nil
	case starlark.Float:
		return float64(t), nil
	case starlark.Bytes:
		return []byte(t), nil
	case starlark.Int:
		if n, ok := t.Int64(); ok {
			return n, nil
		}
		return t.BigInt(), nil
	case Texter:
		return t.Text(), nil
	case DataValue:
		return t.Data()
	case *starlark.Dict:
		return c.dictData(t, depth)
	case starlark.Callable:
		return t.String(), nil
	case starlark.Iterable:
		return c.listData(t, depth)
	}
	return v.String(), nil
}

func (c *Out) remember(v starlark.Value, data any) {
	if c.done == nil {
		c.done = map[starlark.Value]any{}
	}
	c.done[v] = data
}

func (c *Out) dictData(d *starlark.Dict, depth int) (any, error) {
	if have, ok := c.done[d]; ok {
		return have, nil
	}
	m := ordered.New(d.Len())
	for _, item := range d.Items() {
		k, err := c.data(item[0], depth+1)
		if err != nil {
			return nil, err
		}
		switch t := k.(type) {
		case []byte:
			k = string(t)
		case []any: // a tuple as a key: its text is what job data can carry
			k = item[0].String()
		}
		e, err := c.data(item[1], depth+1)
		if err != nil {
			return nil, err
		}
		m.Set(k, e)
	}
	c.remember(d, m)
	return m, nil
}

func (c *Out) listData(it starlark.Iterable, depth int) (any, error) {
	list, isList := it.(*starlark.List)
	if isList {
		if have, ok := c.done[list]; ok {
			return have, nil
		}
	}
	out := make([]any, 0, max(starlark.Len(it), 0))
	iter := it.Iterate()
	defer iter.Done()
	var e starlark.Value
	for iter.Next(&e) {
		d, err := c.data(e, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	if isList && len(out) > 0 {
		c.remember(list, out)
	}
	return out, nil
}
