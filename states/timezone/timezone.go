// Package timezone holds the timezone state: the zone of the system and how its hardware clock runs.
package timezone

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "timezone", Doc: "States of the time zone.", Funcs: []states.Func{
		states.Fn("system", systemDoc, check, apply),
	}}
}

type systemArgs struct {
	Name string `arg:"name"`
	UTC  bool   `arg:"utc" def:"True"`
}

const systemDoc = `Make sure that the system has a time zone.

utc
    the hardware clock runs in UTC`

type plan struct{ zone, clock bool }

func check(ctx context.Context, env *states.Env, in systemArgs) (states.Check[plan], error) {
	same, err := states.Truth(env.Call(ctx, "timezone.zone_compare", modules.Pos(in.Name)))
	if err != nil {
		return states.Done[plan](states.Failed("Unable to compare desired timezone '%s' to system timezone: %s", in.Name, err)), nil
	}
	clock, err := env.Call(ctx, "timezone.get_hwclock", modules.Args{})
	if err != nil {
		return states.Check[plan]{}, err
	}
	p := plan{zone: !same, clock: in.UTC && clock == "localtime"}
	var is, todo []string
	if same {
		is = append(is, "Timezone "+in.Name+" already set")
	} else {
		todo = append(todo, "Timezone "+in.Name+" needs to be set")
	}
	if p.clock {
		todo = append(todo, "UTC needs to be set to "+pyfmt.Str(in.UTC))
	} else if in.UTC {
		is = append(is, "UTC already set to "+in.Name)
	}
	if len(todo) == 0 {
		return states.Done[plan](states.Fine(strings.Join(is, ", "))), nil
	}
	return states.Change(p, strings.Join(todo, ", "), nil), nil
}

func apply(ctx context.Context, env *states.Env, in systemArgs, p plan) (*states.Result, error) {
	r := &states.Result{OK: states.True(), Changes: ordered.New(2)}
	var said []string
	if p.zone {
		ok, err := states.Truth(env.Call(ctx, "timezone.set_zone", modules.Pos(in.Name)))
		if err != nil {
			return states.Refused(err)
		}
		if ok {
			r.Changes.Set("timezone", in.Name)
			said = append(said, "Set timezone "+in.Name)
		} else {
			r.OK = states.False()
			said = append(said, "Failed to set timezone")
		}
	}
	if p.clock {
		ok, err := states.Truth(env.Call(ctx, "timezone.set_hwclock", modules.Pos("UTC")))
		if err != nil {
			return states.Refused(err)
		}
		if ok {
			r.Changes.Set("utc", in.UTC)
			said = append(said, "Set UTC to "+pyfmt.Str(in.UTC))
		} else {
			r.OK = states.False()
			said = append(said, "Failed to set UTC to "+pyfmt.Str(in.UTC))
		}
	}
	r.Comment = strings.Join(said, ", ")
	return r, nil
}
