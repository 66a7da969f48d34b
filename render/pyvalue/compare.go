package pyvalue

import (
	"math/big"
	"strings"

	"go.starlark.net/starlark"
)

// number brings bools to ints; ok tells whether v is a number.
func number(v starlark.Value) (starlark.Value, bool) {
	switch t := v.(type) {
	case starlark.Bool:
		if t {
			return starlark.MakeInt(1), true
		}
		return starlark.MakeInt(0), true
	case starlark.Int, starlark.Float:
		return t, true
	}
	return v, false
}

func compareNumbers(a, b starlark.Value) int {
	x, xInt := a.(starlark.Int)
	y, yInt := b.(starlark.Int)
	if xInt && yInt {
		n, _ := x.Cmp(y, 0)
		return n
	}
	f, _ := starlark.AsFloat(a)
	g, _ := starlark.AsFloat(b)
	if xInt || yInt { // exactly, for ints beyond the floats
		return bigOf(a).Cmp(bigOf(b))
	}
	switch {
	case f < g:
		return -1
	case f > g:
		return 1
	}
	return 0
}

func bigOf(v starlark.Value) *big.Float {
	if i, ok := v.(starlark.Int); ok {
		return new(big.Float).SetInt(i.BigInt())
	}
	f, _ := starlark.AsFloat(v)
	return big.NewFloat(f)
}

func isNaN(v starlark.Value) bool {
	f, ok := v.(starlark.Float)
	return ok && f != f
}

const maxCompareDepth = 200

// Equal is a == b.
func Equal(a, b starlark.Value) (bool, error) { return equal(a, b, 0) }

func equal(a, b starlark.Value, depth int) (bool, error) {
	if depth > maxCompareDepth {
		return false, Errorf("RecursionError", "maximum recursion depth exceeded in comparison")
	}
	if err := firstErr(Check(a), Check(b)); err != nil {
		return false, err
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && !isNaN(x) && !isNaN(y) && compareNumbers(x, y) == 0, nil
	}
	if s, ok := Text(a); ok {
		t, ok := Text(b)
		return ok && s == t, nil
	}
	switch x := a.(type) {
	case *starlark.List:
		y, ok := b.(*starlark.List)
		return ok && x.Len() == y.Len() && allEqual(listItems(x), listItems(y), depth), nil
	case starlark.Tuple:
		y, ok := b.(starlark.Tuple)
		return ok && len(x) == len(y) && allEqual(x, y, depth), nil
	case *starlark.Dict:
		y, ok := b.(*starlark.Dict)
		return ok && dictsEqual(x, y, depth), nil
	case *View:
		return viewEqual(x, b, depth), nil
	}
	if TypeName(a) != TypeName(b) {
		return false, nil
	}
	same, err := starlark.Equal(a, b)
	return same && err == nil, nil
}

func firstErr(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

func allEqual(a, b []starlark.Value, depth int) bool {
	for i := range a {
		if same, err := equal(a[i], b[i], depth+1); err != nil || !same {
			return false
		}
	}
	return true
}

func dictsEqual(a, b *starlark.Dict, depth int) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, e := range a.Items() {
		v, ok, err := b.Get(e[0])
		if err != nil || !ok {
			return false
		}
		if same, err := equal(e[1], v, depth+1); err != nil || !same {
			return false
		}
	}
	return true
}

// viewEqual compares keys and items as the sets they are.
func viewEqual(v *View, other starlark.Value, depth int) bool {
	o, ok := other.(*View)
	if !ok || o.Kind != v.Kind || o.Kind == "values" || o.Len() != v.Len() {
		return ok && o == v
	}
	if v.Kind == "items" {
		return dictsEqual(v.Dict, o.Dict, depth)
	}
	for _, k := range v.Dict.Keys() {
		if _, ok, _ := o.Dict.Get(k); !ok {
			return false
		}
	}
	return true
}

// Compare is a op b, where op is one of eq, ne, lt, lteq, gt, gteq.
func Compare(op string, a, b starlark.Value) (bool, error) {
	if op == "eq" || op == "ne" {
		same, err := Equal(a, b)
		return same == (op == "eq"), err
	}
	if isNaN(a) || isNaN(b) {
		if _, ok := number(a); ok {
			if _, ok := number(b); ok {
				return false, nil
			}
		}
	}
	n, err := order(a, b, symbol(op), 0)
	if err != nil {
		return false, err
	}
	switch op {
	case "lt":
		return n < 0, nil
	case "lteq":
		return n <= 0, nil
	case "gt":
		return n > 0, nil
	}
	return n >= 0, nil
}

func symbol(op string) string {
	return map[string]string{"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}[op]
}

// Order compares two values for sorting: negative when a comes first.
func Order(a, b starlark.Value) (int, error) { return order(a, b, "<", 0) }

func order(a, b starlark.Value, op string, depth int) (int, error) {
	if depth > maxCompareDepth {
		return 0, Errorf("RecursionError", "maximum recursion depth exceeded in comparison")
	}
	if err := firstErr(Check(a), Check(b)); err != nil {
		return 0, err
	}
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return compareNumbers(x, y), nil
		}
	}
	if s, ok := Text(a); ok {
		if t, ok := Text(b); ok {
			return strings.Compare(s, t), nil
		}
	}
	switch x := a.(type) {
	case *starlark.List:
		if y, ok := b.(*starlark.List); ok {
			return orderItems(listItems(x), listItems(y), op, depth)
		}
	case starlark.Tuple:
		if y, ok := b.(starlark.Tuple); ok {
			return orderItems(x, y, op, depth)
		}
	case starlark.Bytes:
		if y, ok := b.(starlark.Bytes); ok {
			return strings.Compare(string(x), string(y)), nil
		}
	}
	return 0, typeErrorf("'%s' not supported between instances of '%s' and '%s'", op, TypeName(a), TypeName(b))
}

func orderItems(a, b []starlark.Value, op string, depth int) (int, error) {
	for i := range min(len(a), len(b)) {
		same, err := equal(a[i], b[i], depth+1)
		if err != nil {
			return 0, err
		}
		if !same {
			return order(a[i], b[i], op, depth+1)
		}
	}
	return len(a) - len(b), nil
}

// Container is a value that answers "in" itself, with any key.
type Container interface {
	Contains(key starlark.Value) (bool, error)
}

// Contains is item in v.
func Contains(v, item starlark.Value) (bool, error) {
	if err := Check(v); err != nil {
		return false, err
	}
	if s, ok := Text(v); ok {
		t, ok := Text(item)
		if !ok {
			return false, typeErrorf("'in <string>' requires string as left operand, not %s", TypeName(item))
		}
		return strings.Contains(s, t), nil
	}
	switch t := v.(type) {
	case Container:
		return t.Contains(item)
	case *starlark.Dict:
		_, ok, err := t.Get(Key(item))
		return ok, hashError(item, err)
	case *View:
		if t.Kind == "keys" {
			_, ok, err := t.Dict.Get(Key(item))
			return ok, hashError(item, err)
		}
	case *starlark.Set:
		ok, err := t.Has(Key(item))
		return ok, hashError(item, err)
	}
	c, err := Iterate(v)
	if err != nil {
		return false, typeErrorf("argument of type '%s' is not iterable", TypeName(v))
	}
	defer c.Close()
	for {
		e, ok, err := c.Next()
		if err != nil || !ok {
			return false, err
		}
		if same, err := Equal(e, item); err != nil || same {
			return same, err
		}
	}
}

// Key is v as a dict key: marked text is the text. A tuple that is nested too deep to be hashed becomes a value that
// cannot be a key.
func Key(v starlark.Value) starlark.Value {
	switch t := v.(type) {
	case Markup:
		return starlark.String(t)
	case starlark.Tuple:
		if tooDeep(t, 0) {
			return starlark.NewList(nil)
		}
	}
	return v
}

func tooDeep(t starlark.Tuple, depth int) bool {
	if depth > maxCompareDepth {
		return true
	}
	for _, e := range t {
		if inner, ok := e.(starlark.Tuple); ok && tooDeep(inner, depth+1) {
			return true
		}
	}
	return false
}

func hashError(v starlark.Value, err error) error {
	if err == nil {
		return nil
	}
	if err := Check(v); err != nil {
		return err
	}
	return typeErrorf("unhashable type: '%s'", TypeName(v))
}

// Hashable tells whether v can be a dict key.
func Hashable(v starlark.Value) bool {
	_, err := Key(v).Hash()
	return err == nil
}
