package modules

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Fn makes a Func from a Go function whose arguments are the fields of In (see SpecOf).
func Fn[In any](name, doc string, run func(context.Context, *Env, In) (any, error)) Func {
	return fn(name, doc, SpecOf, run)
}

// FnPick is Fn for one of several functions that share In: params lists which of its parameters this one has and in which
// order, "name=literal" with another default. The others keep the default of their tag.
func FnPick[In any](name, doc, params string, run func(context.Context, *Env, In) (any, error)) Func {
	return fn(name, doc, func(t reflect.Type) *Spec { return SpecOf(t).pick(params) }, run)
}

func fn[In any](name, doc string, specOf func(reflect.Type) *Spec, run func(context.Context, *Env, In) (any, error)) Func {
	t := reflect.TypeFor[In]()
	spec := sync.OnceValue(func() *Spec { return specOf(t) })
	return Func{
		Name: name, Doc: doc, Spec: spec,
		Call: func(ctx context.Context, env *Env, a Args) (any, error) {
			in, err := spec().bind(name, t, a)
			if err != nil {
				return nil, err
			}
			return run(ctx, env, in.Interface().(In))
		},
	}
}

// PureFn is Fn for a function that only reads (see Func.Pure).
func PureFn[In any](name, doc string, run func(context.Context, *Env, In) (any, error)) Func {
	f := Fn(name, doc, run)
	f.Pure = true
	return f
}

// Bind checks arguments against the signature of In and returns them as In: what Fn does before the call, for those who
// declare arguments in the same way (states, runners). fun is the name for errors.
func Bind[In any](fun string, a Args) (In, error) {
	t := reflect.TypeFor[In]()
	in, err := SpecOf(t).bind(fun, t, a)
	if err != nil {
		var zero In
		return zero, err
	}
	return in.Interface().(In), nil
}

// assign stores job data in a field. It is as lenient as Python callers are used to: numbers become strings where a
// string is wanted, texts of digits become numbers, any value has a truth, one value is a list of one.
func assign(dst reflect.Value, v any) error {
	if dst.Kind() == reflect.Interface {
		if v != nil {
			dst.Set(reflect.ValueOf(v))
		}
		return nil
	}
	if v == nil {
		return nil // the zero value stands for None
	}
	switch dst.Kind() {
	case reflect.Pointer:
		if m, ok := v.(*ordered.Map); ok && dst.Type() == reflect.TypeOf(m) {
			dst.Set(reflect.ValueOf(m))
			return nil
		}
		if dst.Type() == reflect.TypeFor[*ordered.Map]() {
			return mapOf(dst, v)
		}
		p := reflect.New(dst.Type().Elem())
		if err := assign(p.Elem(), v); err != nil {
			return err
		}
		dst.Set(p)
	case reflect.String:
		dst.SetString(text(v))
	case reflect.Bool:
		dst.SetBool(pyfmt.Truth(v))
	case reflect.Int, reflect.Int64:
		n, err := Int(v)
		if err != nil {
			return err
		}
		dst.SetInt(n)
	case reflect.Float64:
		f, err := Float(v)
		if err != nil {
			return err
		}
		dst.SetFloat(f)
	case reflect.Slice:
		return assignList(dst, v)
	default:
		return fmt.Errorf("a parameter cannot have type %s", dst.Type())
	}
	return nil
}

// mapOf accepts Salt's other spelling of a map, a list of one-key maps.
func mapOf(dst reflect.Value, v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("want a dict, got %s", pyfmt.Type(v))
	}
	out := ordered.New(len(list))
	for _, e := range list {
		m, ok := e.(*ordered.Map)
		if !ok {
			return fmt.Errorf("want a dict, got a list with %s", pyfmt.Type(e))
		}
		out.Update(m)
	}
	dst.Set(reflect.ValueOf(out))
	return nil
}

func assignList(dst reflect.Value, v any) error {
	if b, ok := v.([]byte); ok && dst.Type().Elem().Kind() == reflect.Uint8 {
		dst.SetBytes(b)
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, e := range list {
		if err := assign(out.Index(i), e); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	dst.Set(out)
	return nil
}

func text(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return pyfmt.Str(v)
}

// Int is Python's int(v) for job data.
func Int(v any) (int64, error) {
	switch t := v.(type) {
	case int64:
		return t, nil
	case int:
		return int64(t), nil
	case bool:
		if t {
			return 1, nil
		}
		return 0, nil
	case float64:
		if t == math.Trunc(t) || !math.IsInf(t, 0) && !math.IsNaN(t) {
			return int64(t), nil
		}
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(strings.ReplaceAll(t, "_", "")), 10, 64); err == nil {
			return n, nil
		}
	case *big.Int:
		return 0, fmt.Errorf("the number %s is too large", t)
	}
	return 0, fmt.Errorf("invalid literal for int() with base 10: %s", pyfmt.Repr(v))
}

// Float is Python's float(v) for job data.
func Float(v any) (float64, error) {
	switch t := v.(type) {
	case float64:
		return t, nil
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(t), 64); err == nil {
			return f, nil
		}
		return 0, fmt.Errorf("could not convert string to float: %s", pyfmt.Repr(v))
	}
	n, err := Int(v)
	return float64(n), err
}

// IsTrue is Salt's idea of a true value where texts may stand for booleans: "true", numbers above zero, whatever is not
// empty.
func IsTrue(v any) bool {
	if f, err := Float(v); err == nil {
		return f > 0
	}
	if s, ok := v.(string); ok {
		return strings.EqualFold(s, "true")
	}
	return pyfmt.Truth(v)
}
