package ordered

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"sort"
	"strings"
)

// Of brings a Go value into the form of job data: integers become int64, maps *Map (keys sorted when the Go map has
// no order), slices []any, structs a *Map of their exported fields named by the `data` tag or in lower case.
// Values that are job data already are returned as they are, nested ones are looked at too.
func Of(v any) any {
	switch t := v.(type) {
	case nil, bool, int64, float64, string, []byte, *big.Int:
		return v
	case int:
		return int64(t)
	case uint64:
		if t > math.MaxInt64 {
			return new(big.Int).SetUint64(t)
		}
		return int64(t)
	case float32:
		return float64(t)
	case *Map:
		return ofMap(t)
	case []any:
		for i, e := range t {
			t[i] = Of(e)
		}
		return t
	case []string:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = e
		}
		return out
	case error:
		return t.Error()
	}
	if n, ok := intValue(v); ok {
		return n
	}
	return ofReflect(reflect.ValueOf(v))
}

func ofMap(m *Map) any {
	if m == nil {
		return nil
	}
	for i, e := range m.vals {
		m.vals[i] = Of(e)
	}
	return m
}

func intValue(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint:
		return int64(n), n <= math.MaxInt64
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	}
	return 0, false
}

func ofReflect(r reflect.Value) any {
	switch r.Kind() {
	case reflect.Pointer, reflect.Interface:
		if r.IsNil() {
			return nil
		}
		return Of(r.Elem().Interface())
	case reflect.Slice, reflect.Array:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = Of(r.Index(i).Interface())
		}
		return out
	case reflect.Map:
		return ofGoMap(r)
	case reflect.Struct:
		return ofStruct(r)
	case reflect.String:
		return r.String()
	case reflect.Bool:
		return r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Of(r.Uint())
	case reflect.Float32, reflect.Float64:
		return r.Float()
	}
	return fmt.Sprint(r.Interface())
}

func ofGoMap(r reflect.Value) any {
	keys := r.MapKeys()
	sort.Slice(keys, func(i, j int) bool {
		return fmt.Sprint(keys[i].Interface()) < fmt.Sprint(keys[j].Interface())
	})
	out := New(len(keys))
	for _, k := range keys {
		out.Set(Of(k.Interface()), Of(r.MapIndex(k).Interface()))
	}
	return out
}

func ofStruct(r reflect.Value) any {
	t := r.Type()
	out := New(t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		name, opts, _ := strings.Cut(f.Tag.Get("data"), ",")
		if name == "-" || (opts == "omitempty" && r.Field(i).IsZero()) {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		out.Set(name, Of(r.Field(i).Interface()))
	}
	return out
}

// Copy returns a deep copy of job data: no map or list of the copy is shared with v.
func Copy(v any) any {
	switch t := v.(type) {
	case *Map:
		if t == nil {
			return nil
		}
		out := New(t.Len())
		for k, e := range t.All() {
			out.Set(k, Copy(e))
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = Copy(e)
		}
		return out
	}
	return v
}

// Equal compares job data as Python's == does: maps without regard to order, 1 equal to 1.0 but no bool to a number
// (True == 1 in Python; no caller wants that).
func Equal(a, b any) bool {
	switch x := a.(type) {
	case *Map:
		y, ok := b.(*Map)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for k, v := range x.All() {
			w, ok := y.Get(k)
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0
	case []byte:
		y, ok := b.([]byte)
		return ok && string(x) == string(y)
	}
	if a == b {
		return true
	}
	x, ok1 := number(a)
	y, ok2 := number(b)
	return ok1 && ok2 && x == y
}

func number(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := intValue(v)
	return float64(n), ok
}
