// Package environ holds the environ.* states: they set variables of the minion's environment.
package environ

import (
	"context"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "environ", Doc: "States for the environment of the minion.", Funcs: []states.Func{
		states.Fn("setenv", setenvDoc, check, apply),
	}}
}

const setenvDoc = `Set variables of the minion's environment.

name
    a variable, with its value; or value is a map of variables
false_unsets
    True: a value of False takes the variable away
clear_all
    True: take all others away
update_minion
    kept for compatibility`

type args struct {
	Name      string         `arg:"name"`
	Value     any            `arg:"value"`
	Unsets    bool           `arg:"false_unsets" def:"False"`
	Clear     bool           `arg:"clear_all" def:"False"`
	Update    bool           `arg:"update_minion" def:"False"`
	Permanent any            `arg:"permanent" def:"False"`
	Extra     modules.Kwargs `arg:"**kwargs"`
}

// wanted are the variables by name.
func (a args) wanted() (*ordered.Map, *states.Result) {
	switch t := a.Value.(type) {
	case *ordered.Map:
		return t, nil
	case string:
		return ordered.Pairs(a.Name, t), nil
	case bool:
		if !t {
			return ordered.Pairs(a.Name, t), nil
		}
	}
	return nil, states.Failed("Environ value must be string, dict or False")
}

func check(_ context.Context, env *states.Env, a args) (states.Check[*ordered.Map], error) {
	want, bad := a.wanted()
	if bad != nil {
		return states.Done[*ordered.Map](bad), nil
	}
	changes := ordered.New(want.Len())
	gone := func(key string) {
		if a.Unsets {
			changes.Set(key, nil)
		} else if os.Getenv(key) != "" {
			changes.Set(key, "")
		}
	}
	if a.Clear {
		for _, pair := range os.Environ() {
			if key, _, _ := strings.Cut(pair, "="); !want.Has(key) {
				gone(key)
			}
		}
	}
	for k, v := range want.All() {
		key := ordered.KeyText(k)
		now, set := os.LookupEnv(key)
		switch {
		case v == false && set:
			gone(key)
		case v == false && !a.Unsets:
			changes.Set(key, "")
		case v != false && now != v:
			changes.Set(key, v)
		}
	}
	switch {
	case changes.Len() > 0:
		return states.Change(changes, "Environ values would be changed", changes), nil
	case env.Test:
		return states.Done[*ordered.Map](states.Fine("Environ values are already set with the correct values")), nil
	}
	return states.Done[*ordered.Map](states.Fine("Environ values were already set with the correct values")), nil
}

func apply(ctx context.Context, env *states.Env, a args, _ *ordered.Map) (*states.Result, error) {
	want, _ := a.wanted()
	v, err := env.Call(ctx, "environ.setenv", modules.Args{Pos: []any{want, a.Unsets, a.Clear, a.Update, a.Permanent}})
	if err != nil {
		return nil, err
	}
	changes, ok := v.(*ordered.Map)
	if !ok || changes.Len() == 0 {
		return states.Failed("Failed to set environ variables"), nil
	}
	return &states.Result{OK: states.True(), Comment: "Environ values were set", Changes: changes}, nil
}
