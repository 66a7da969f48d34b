// Package environ holds the environ.* states: they set variables of the minion's environment.
package environ

import (
	"context"
	"os"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
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

// wanted are the variables as texts; nil for one that is to go.
func (a args) wanted() (*ordered.Map, *states.Result) {
	switch t := a.Value.(type) {
	case *ordered.Map:
		return t, nil
	case []any:
		return nil, states.Failed("Environ value must be string, dict or False")
	}
	return ordered.Pairs(a.Name, a.Value), nil
}

func check(_ context.Context, _ *states.Env, a args) (states.Check[*ordered.Map], error) {
	want, bad := a.wanted()
	if bad != nil {
		return states.Done[*ordered.Map](bad), nil
	}
	changes := ordered.New(want.Len())
	for k, v := range want.All() {
		key := ordered.KeyText(k)
		now, set := os.LookupEnv(key)
		switch {
		case v == false && a.Unsets:
			if set {
				changes.Set(key, nil)
			}
		case v == false:
			if now != "" || !set {
				changes.Set(key, "")
			}
		case !set || now != pyfmt.Str(v):
			changes.Set(key, v)
		}
	}
	if changes.Len() == 0 {
		return states.Done[*ordered.Map](states.Fine("Environ values are already set with the correct values")), nil
	}
	return states.Change(changes, "Environ values would be changed", changes), nil
}

func apply(ctx context.Context, env *states.Env, a args, changes *ordered.Map) (*states.Result, error) {
	_, err := env.Call(ctx, "environ.setenv", modules.Args{Pos: []any{values(a)}, Kw: ordered.Pairs("false_unsets", a.Unsets, "clear_all", a.Clear)})
	if err != nil {
		return nil, err
	}
	return &states.Result{OK: states.True(), Comment: "Environ values were set", Changes: changes}, nil
}

func values(a args) *ordered.Map {
	want, _ := a.wanted()
	return want
}
