// Package environ holds the environ.* functions: the environment variables of the minion's own process.
package environ

import (
	"context"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "environ", Doc: "Functions for the environment variables of the minion's process.", Funcs: []modules.Func{
		modules.PureFn("get", getDoc, get),
		modules.PureFn("has_value", hasValueDoc, hasValue),
		modules.PureFn("item", itemDoc, item),
		modules.PureFn("items", itemsDoc, items),
		modules.Fn("setenv", setenvDoc, setenv),
		modules.Fn("setval", setvalDoc, setval),
	}}
}

const getDoc = `Tell one environment variable, or the default.

CLI Example:

    salt '*' environ.get foo
    salt '*' environ.get baz default=False`

type getArgs struct {
	Key     any `arg:"key"`
	Default any `arg:"default" def:"''"`
}

func get(_ context.Context, _ *modules.Env, in getArgs) (any, error) {
	key, ok := in.Key.(string)
	if !ok {
		return false, nil
	}
	if v, ok := os.LookupEnv(key); ok {
		return v, nil
	}
	return in.Default, nil
}

const hasValueDoc = `Tell whether an environment variable is set, and to the value when one is given.

CLI Example:

    salt '*' environ.has_value foo`

type hasValueArgs struct {
	Key   any `arg:"key"`
	Value any `arg:"value" def:"None"`
}

func hasValue(_ context.Context, _ *modules.Env, in hasValueArgs) (any, error) {
	key, ok := in.Key.(string)
	if !ok {
		return false, nil
	}
	v, ok := os.LookupEnv(key)
	return ok && (in.Value == nil || in.Value == v), nil
}

const itemDoc = `Tell one or several environment variables.

CLI Example:

    salt '*' environ.item foo
    salt '*' environ.item '[foo, baz]' default=None`

type itemArgs struct {
	Keys    any `arg:"keys"`
	Default any `arg:"default" def:"''"`
}

func item(_ context.Context, _ *modules.Env, in itemArgs) (any, error) {
	out := ordered.New(0)
	var keys []any
	switch k := in.Keys.(type) {
	case string:
		keys = []any{k}
	case []any:
		keys = k
	}
	for _, k := range keys {
		if v, ok := os.LookupEnv(pyfmt.Str(k)); ok {
			out.Set(k, v)
		} else {
			out.Set(k, in.Default)
		}
	}
	return out, nil
}

const itemsDoc = `Tell all environment variables.

CLI Example:

    salt '*' environ.items`

func items(context.Context, *modules.Env, struct{}) (any, error) {
	out := ordered.New(0)
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		out.Set(k, v)
	}
	return out, nil
}

const setvalDoc = `Set one environment variable of the minion's process and give back its value. False empties it, or removes it with
false_unsets=True.

CLI Example:

    salt '*' environ.setval foo bar
    salt '*' environ.setval baz val=False false_unsets=True`

type setvalArgs struct {
	Key         any `arg:"key"`
	Val         any `arg:"val"`
	FalseUnsets any `arg:"false_unsets" def:"False"`
	Permanent   any `arg:"permanent" def:"False"`
}

func setval(_ context.Context, _ *modules.Env, in setvalArgs) (any, error) {
	key, ok := in.Key.(string)
	if !ok {
		return false, nil
	}
	if in.Val == false {
		if in.FalseUnsets == true {
			if err := os.Unsetenv(key); err != nil {
				return false, nil
			}
			return nil, nil
		}
		in.Val = ""
	}
	val, ok := in.Val.(string)
	if !ok || os.Setenv(key, val) != nil {
		return false, nil
	}
	return val, nil
}

const setenvDoc = `Set several environment variables of the minion's process.

clear_all
    remove or empty all that are not given
update_minion
    tell the minion by an event too

CLI Example:

    salt '*' environ.setenv '{"foo": "bar", "baz": "quux"}'
    salt '*' environ.setenv '{"a": "b", "c": False}' false_unsets=True`

type setenvArgs struct {
	Environ      any `arg:"environ"`
	FalseUnsets  any `arg:"false_unsets" def:"False"`
	ClearAll     any `arg:"clear_all" def:"False"`
	UpdateMinion any `arg:"update_minion" def:"False"`
	Permanent    any `arg:"permanent" def:"False"`
}

func setenv(ctx context.Context, env *modules.Env, in setenvArgs) (any, error) {
	vars, ok := in.Environ.(*ordered.Map)
	if !ok {
		return false, nil
	}
	out := ordered.New(0)
	set := func(k, v, falseUnsets any) {
		r, _ := setval(ctx, env, setvalArgs{Key: k, Val: v, FalseUnsets: falseUnsets}) // it has no error to give
		out.Set(k, r)
	}
	if in.ClearAll == true {
		for _, kv := range os.Environ() {
			if k, _, _ := strings.Cut(kv, "="); !vars.Has(k) {
				set(k, false, in.FalseUnsets)
			}
		}
	}
	for k, v := range vars.All() {
		if _, text := v.(string); !text && v != false {
			return false, nil
		}
		set(k, v, in.FalseUnsets)
	}
	if in.UpdateMinion == true && env.Events != nil {
		data := ordered.Pairs("environ", vars, "false_unsets", in.FalseUnsets, "clear_all", in.ClearAll, "permanent", in.Permanent)
		if err := env.Events.Fire(ctx, "environ_setenv", data); err != nil {
			return nil, err
		}
	}
	return out, nil
}
