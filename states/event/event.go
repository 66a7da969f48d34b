// Package event holds the event.* states: they send events to the master.
package event

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	wait := func(context.Context, *states.Env, sendArgs) (*states.Result, error) { return states.Fine(""), nil }
	return states.State{Name: "event", Doc: "States that send events.", Funcs: []states.Func{
		states.Fn("send", sendDoc, check, apply),
		states.Opaque("wait", "Send an event when something watched has changed. The arguments are those of event.send.", wait),
		states.Opaque("fire_master", "Another name of event.send.", func(ctx context.Context, env *states.Env, in sendArgs) (*states.Result, error) {
			c, err := check(ctx, env, in)
			if err != nil || env.Test {
				return c.Would, err
			}
			return apply(ctx, env, in, c.Plan)
		}),
	}, Watch: func(ctx context.Context, env *states.Env, _ string, a modules.Args) (*states.Result, error) {
		a.Kw.Delete("__reqs__")
		in, err := modules.Bind[sendArgs]("send", a)
		if err != nil {
			return nil, err
		}
		return apply(ctx, env, in, struct{}{})
	}}
}

const sendDoc = `Send an event to the master.

name
    the tag
data
    a map
show_changed
    False: do not call it a change`

type sendArgs struct {
	Name        string         `arg:"name"`
	Data        any            `arg:"data" def:"None"`
	Preload     any            `arg:"preload" def:"None"`
	WithEnv     any            `arg:"with_env" def:"False"`
	WithGrains  any            `arg:"with_grains" def:"False"`
	WithPillar  any            `arg:"with_pillar" def:"False"`
	ShowChanged bool           `arg:"show_changed" def:"True"`
	Extra       modules.Kwargs `arg:"**kwargs"`
}

func (in sendArgs) changes() *ordered.Map {
	if !in.ShowChanged {
		return nil
	}
	return ordered.Pairs("tag", in.Name, "data", in.Data)
}

func check(_ context.Context, _ *states.Env, in sendArgs) (states.Check[struct{}], error) {
	return states.Change(struct{}{}, "Event would have been fired", in.changes()), nil
}

func apply(ctx context.Context, env *states.Env, in sendArgs, _ struct{}) (*states.Result, error) {
	kw := in.Extra.Clone()
	for k, v := range map[string]any{"data": in.Data, "preload": in.Preload, "with_env": in.WithEnv, "with_grains": in.WithGrains, "with_pillar": in.WithPillar} {
		if pyfmt.Truth(v) {
			kw.Set(k, v)
		}
	}
	v, err := env.Call(ctx, "event.send", modules.Args{Pos: []any{in.Name}, Kw: kw})
	if err != nil {
		return nil, err
	}
	ok := pyfmt.Truth(v)
	return &states.Result{OK: &ok, Comment: "Event fired", Changes: in.changes()}, nil
}
