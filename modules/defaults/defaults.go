// Package defaults holds the defaults.* functions: default values that a formula brings in a file of its own.
package defaults

import (
	"context"
	"errors"
	"os"
	"strings"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/internal/pyyaml"
	"brine/internal/traverse"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "defaults", Doc: "Functions for the default values of formulas.", Funcs: []modules.Func{
		modules.PureFn("deepcopy", deepcopyDoc, deepcopy),
		modules.PureFn("get", getDoc, get),
		modules.PureFn("merge", mergeDoc, merge),
		modules.PureFn("update", updateDoc, update),
	}}
}

const getDoc = `Tell a value from salt://<formula>/defaults.yaml or defaults.json; the first part of the key is the formula.

CLI Example:

    salt '*' defaults.get core:users:root`

type getArgs struct {
	Key     string `arg:"key"`
	Default any    `arg:"default" def:"''"`
}

func get(ctx context.Context, env *modules.Env, in getArgs) (any, error) {
	formula, rest, nested := strings.Cut(in.Key, ":")
	data, err := load(ctx, env, formula)
	if err != nil {
		return nil, err
	}
	if !nested || rest == "" {
		return data, nil
	}
	return traverse.Default(data, rest, in.Default, ":"), nil
}

// load reads the defaults of a formula; nil when it has none.
func load(ctx context.Context, env *modules.Env, formula string) (any, error) {
	for _, ext := range []string{"yaml", "json"} {
		local, err := env.Files.Cache(ctx, env.Saltenv, formula+"/defaults."+ext)
		if err != nil {
			return nil, err
		}
		if local == "" {
			continue
		}
		text, err := os.ReadFile(local)
		if err != nil {
			return nil, err
		}
		var v any
		if ext == "json" {
			v, err = ordered.FromJSON(text)
		} else {
			v, err = pyyaml.Load(text, pyyaml.Options{})
		}
		if v == nil {
			v = ordered.New(0)
		}
		return v, err
	}
	return nil, nil
}

const mergeDoc = `Merge one map into another, maps in them too.

merge_lists
    join lists instead of replacing them
in_place
    change the first map; otherwise a copy
convert_none
    take None for an empty map

CLI Example:

    salt '*' defaults.merge '{a: b}' '{d: e}'`

type mergeArgs struct {
	Dest        any  `arg:"dest"`
	Src         any  `arg:"src"`
	MergeLists  bool `arg:"merge_lists" def:"False"`
	InPlace     bool `arg:"in_place" def:"True"`
	ConvertNone bool `arg:"convert_none" def:"True"`
}

func merge(_ context.Context, _ *modules.Env, in mergeArgs) (any, error) {
	if in.Src == nil && in.ConvertNone {
		in.Src = ordered.New(0)
	}
	if in.Dest == nil && in.ConvertNone {
		if in.InPlace {
			return nil, errors.New("Can't perform in-place merge into NoneType")
		}
		in.Dest = ordered.New(0)
	}
	dest, ok1 := in.Dest.(*ordered.Map)
	src, ok2 := in.Src.(*ordered.Map)
	if !ok1 || !ok2 {
		return nil, dictupdate.ErrNotDict
	}
	if !in.InPlace {
		dest, _ = ordered.Copy(dest).(*ordered.Map)
	}
	return dictupdate.Update(dest, src, in.MergeLists), nil
}

const deepcopyDoc = `Copy data with all in it.

CLI Example:

    salt '*' defaults.deepcopy '{a: b}'`

type deepcopyArgs struct {
	Source any `arg:"source"`
}

func deepcopy(_ context.Context, _ *modules.Env, in deepcopyArgs) (any, error) {
	return ordered.Copy(in.Source), nil
}

const updateDoc = `Put default values under each map in a map.

CLI Example:

    salt '*' defaults.update '{node1: {a: 1}, node2: {}}' '{a: 0, b: 0}'`

type updateArgs struct {
	Dest        any  `arg:"dest"`
	Defaults    any  `arg:"defaults"`
	MergeLists  bool `arg:"merge_lists" def:"True"`
	InPlace     bool `arg:"in_place" def:"True"`
	ConvertNone bool `arg:"convert_none" def:"True"`
}

func update(ctx context.Context, env *modules.Env, in updateArgs) (any, error) {
	nodes, ok := in.Dest.(*ordered.Map)
	if !ok {
		return nil, dictupdate.ErrNotDict
	}
	if !in.InPlace {
		nodes, _ = ordered.Copy(nodes).(*ordered.Map)
	}
	for _, name := range nodes.Keys() {
		v, err := merge(ctx, env, mergeArgs{ordered.Copy(in.Defaults), nodes.Value(name), in.MergeLists, true, in.ConvertNone})
		if err != nil {
			return nil, err
		}
		nodes.Set(name, v)
	}
	return nodes, nil
}
