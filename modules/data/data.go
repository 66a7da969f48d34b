// Package data holds the data.* functions: a small store of values on the minion that outlives restarts.
package data

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pypath"
	"brine/modules"
	"brine/proto"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "data", Doc: "Functions for a store of values on the minion.", Funcs: []modules.Func{
		modules.Fn("cas", casDoc, cas),
		modules.Fn("clear", clearDoc, clearAll),
		modules.Fn("dump", dumpDoc, dump),
		modules.PureFn("get", getDoc, get),
		modules.PureFn("has_key", hasKeyDoc, hasKey),
		modules.PureFn("items", itemsDoc, load),
		modules.PureFn("keys", keysDoc, keys),
		modules.PureFn("load", loadDoc, load),
		modules.Fn("pop", popDoc, pop),
		modules.Fn("update", updateDoc, update),
		modules.PureFn("values", valuesDoc, values),
	}}
}

// path is the store's file, in Salt's place and format (msgpack).
func path(env *modules.Env) string { return pypath.Join(env.Opts.String("cachedir"), "datastore") }

func read(env *modules.Env) (*ordered.Map, error) {
	raw, err := os.ReadFile(path(env))
	if errors.Is(err, fs.ErrNotExist) {
		return ordered.New(0), nil
	}
	if err != nil {
		return nil, err
	}
	v, err := proto.DecodeAny(raw)
	if err != nil {
		return nil, modules.Errorf("The data store %s is damaged: %v", path(env), err)
	}
	if m, ok := v.(*ordered.Map); ok {
		return m, nil
	}
	return ordered.New(0), nil
}

func write(env *modules.Env, m *ordered.Map) error {
	raw, err := proto.Encode(m)
	if err != nil {
		return err
	}
	return atomicfile.Write(path(env), raw, 0o600)
}

const loadDoc = `Tell all values.

CLI Example:

    salt '*' data.load`

const itemsDoc = `Tell all values with their keys.

CLI Example:

    salt '*' data.items`

func load(_ context.Context, env *modules.Env, _ struct{}) (any, error) { return read(env) }

const clearDoc = `Forget all values.

CLI Example:

    salt '*' data.clear`

func clearAll(_ context.Context, env *modules.Env, _ struct{}) (any, error) {
	return true, atomicfile.Remove(path(env))
}

const dumpDoc = `Replace all values.

CLI Example:

    salt '*' data.dump '{'eggs': 'spam'}'`

type dumpArgs struct {
	NewData any `arg:"new_data"`
}

func dump(_ context.Context, env *modules.Env, in dumpArgs) (any, error) {
	m, ok := in.NewData.(*ordered.Map)
	if !ok {
		return false, nil
	}
	return true, write(env, m)
}

const updateDoc = `Set one value.

CLI Example:

    salt '*' data.update <key> <value>`

type updateArgs struct {
	Key   any `arg:"key"`
	Value any `arg:"value"`
}

func update(_ context.Context, env *modules.Env, in updateArgs) (any, error) {
	m, err := read(env)
	if err != nil {
		return nil, err
	}
	m.Set(in.Key, in.Value)
	return true, write(env, m)
}

const casDoc = `Set one value if it is now the old one. The answer tells whether it was.

CLI Example:

    salt '*' data.cas <key> <value> <old_value>`

type casArgs struct {
	Key   any `arg:"key"`
	Value any `arg:"value"`
	Old   any `arg:"old_value"`
}

func cas(_ context.Context, env *modules.Env, in casArgs) (any, error) {
	m, err := read(env)
	if err != nil {
		return nil, err
	}
	if v, ok := m.Get(in.Key); !ok || !ordered.Equal(v, in.Old) {
		return false, nil
	}
	m.Set(in.Key, in.Value)
	return true, write(env, m)
}

const popDoc = `Take one value out and tell it, or the default.

CLI Example:

    salt '*' data.pop <key> "there was no val"`

type getArgs struct {
	Key     any `arg:"key"`
	Default any `arg:"default" def:"None"`
}

func pop(_ context.Context, env *modules.Env, in getArgs) (any, error) {
	m, err := read(env)
	if err != nil {
		return nil, err
	}
	v, ok := m.Get(in.Key)
	if !ok {
		return in.Default, nil
	}
	m.Delete(in.Key)
	return v, write(env, m)
}

const getDoc = `Tell one value, or a list of them for a list of keys.

CLI Example:

    salt '*' data.get key
    salt '*' data.get '["key1", "key2"]'`

func get(_ context.Context, env *modules.Env, in getArgs) (any, error) {
	m, err := read(env)
	if err != nil {
		return nil, err
	}
	list, ok := in.Key.([]any)
	if !ok {
		if v, ok := m.Get(in.Key); ok {
			return v, nil
		}
		return in.Default, nil
	}
	out := []any{}
	for _, k := range list {
		if v, ok := m.Get(k); ok {
			out = append(out, v)
		} else if in.Default != nil {
			out = append(out, in.Default)
		}
	}
	return out, nil
}

const keysDoc = `List the keys.

CLI Example:

    salt '*' data.keys`

func keys(_ context.Context, env *modules.Env, _ struct{}) (any, error) {
	m, err := read(env)
	return append([]any{}, m.Keys()...), err
}

const valuesDoc = `List the values.

CLI Example:

    salt '*' data.values`

func values(_ context.Context, env *modules.Env, _ struct{}) (any, error) {
	m, err := read(env)
	out := []any{}
	for _, v := range m.All() {
		out = append(out, v)
	}
	return out, err
}

const hasKeyDoc = `Tell whether there is a value of that key.

CLI Example:

    salt '*' data.has_key <key>`

type keyArgs struct {
	Key any `arg:"key"`
}

func hasKey(_ context.Context, env *modules.Env, in keyArgs) (any, error) {
	m, err := read(env)
	return m.Has(in.Key), err
}
