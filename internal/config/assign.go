package config

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Assign stores a YAML value in an option's field; the error says what was wanted. Nothing is guessed: "yes" in quotes
// is no bool. Only a number may stand for a string, and one value for a list of one.
func Assign(dst reflect.Value, v any) error {
	if v == nil {
		dst.SetZero()
		return nil
	}
	if dst.Type() == reflect.TypeFor[time.Duration]() {
		return assignDuration(dst, v)
	}
	bad := func(want string) error {
		return fmt.Errorf("want %s, got %s (%s)", want, pyfmt.Repr(v), pyfmt.Type(v))
	}
	switch dst.Kind() {
	case reflect.Interface:
		dst.Set(reflect.ValueOf(v))
	case reflect.String:
		switch v.(type) {
		case string, int64, float64:
			dst.SetString(pyfmt.Str(v))
		default:
			return bad("a text")
		}
	case reflect.Bool:
		b, ok := v.(bool)
		if !ok {
			return bad("True or False")
		}
		dst.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, ok := v.(int64)
		if !ok {
			return bad("a whole number")
		}
		dst.SetInt(n)
	case reflect.Float64:
		switch n := v.(type) {
		case float64:
			dst.SetFloat(n)
		case int64:
			dst.SetFloat(float64(n))
		default:
			return bad("a number")
		}
	case reflect.Slice:
		return assignStrings(dst, v)
	case reflect.Map:
		return assignLists(dst, v)
	case reflect.Pointer:
		m, ok := v.(*ordered.Map)
		if !ok {
			return bad("a map")
		}
		dst.Set(reflect.ValueOf(m))
	default:
		return fmt.Errorf("an option cannot have type %s", dst.Type())
	}
	return nil
}

func assignDuration(dst reflect.Value, v any) error {
	var d time.Duration
	switch n := v.(type) {
	case int64:
		d = time.Duration(n) * time.Second
	case float64:
		d = time.Duration(n * float64(time.Second))
	case string:
		var err error
		if d, err = time.ParseDuration(n); err != nil {
			if secs, err2 := strconv.ParseFloat(n, 64); err2 == nil {
				d = time.Duration(secs * float64(time.Second))
				break
			}
			return fmt.Errorf("want seconds, or a time such as 90s or 5m, got %s", pyfmt.Repr(v))
		}
	default:
		return fmt.Errorf("want seconds, got %s (%s)", pyfmt.Repr(v), pyfmt.Type(v))
	}
	dst.SetInt(int64(d))
	return nil
}

func assignStrings(dst reflect.Value, v any) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]string, len(list))
	for i, e := range list {
		if err := Assign(reflect.ValueOf(&out[i]).Elem(), e); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	dst.Set(reflect.ValueOf(out))
	return nil
}

func assignLists(dst reflect.Value, v any) error {
	m, ok := v.(*ordered.Map)
	if !ok {
		return fmt.Errorf("want a map of lists, got %s (%s)", pyfmt.Repr(v), pyfmt.Type(v))
	}
	out := make(map[string][]string, m.Len())
	for k, e := range m.All() {
		var list []string
		if err := assignStrings(reflect.ValueOf(&list).Elem(), e); err != nil {
			return fmt.Errorf("%s: %w", pyfmt.Str(k), err)
		}
		out[pyfmt.Str(k)] = list
	}
	dst.Set(reflect.ValueOf(out))
	return nil
}
