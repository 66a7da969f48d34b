// Package sysctl holds the sysctl states: settings of the kernel, now and at every boot.
package sysctl

import (
	"context"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{
		Name: "sysctl", Doc: "States of settings of the kernel.",
		Virtual: func(env *modules.Env) error {
			_, err := env.Mods.Lookup(env, "sysctl.show")
			return err
		},
		Funcs: []states.Func{states.Fn("present", presentDoc, check, apply)},
	}
}

type presentArgs struct {
	Name   string `arg:"name"`
	Value  any    `arg:"value"`
	Config any    `arg:"config" def:"None"`
}

const presentDoc = `Make sure that a setting of the kernel has a value, now and at every boot.

config
    the file to keep it in`

func same(a, b any) bool {
	return slices.Equal(strings.Fields(pyfmt.Str(a)), strings.Fields(pyfmt.Str(b)))
}

func check(ctx context.Context, env *states.Env, in presentArgs) (states.Check[string], error) {
	file := pyfmt.Str(in.Config)
	if in.Config == nil {
		v, err := env.Call(ctx, "sysctl.default_config", modules.Args{})
		if err != nil {
			return states.Check[string]{}, err
		}
		file = pyfmt.Str(v)
	}
	conf, err := env.Call(ctx, "sysctl.show", modules.Args{}.With("config_file", file))
	if err != nil {
		return states.Check[string]{}, err
	}
	now, err := env.Call(ctx, "sysctl.get", modules.Pos(in.Name))
	if err != nil {
		return states.Check[string]{}, err
	}
	value := pyfmt.Str(in.Value)
	kept, readable := conf.(*ordered.Map)
	running := now != ""
	var text string
	switch {
	case !readable:
		text = "Sysctl option " + in.Name + " might be changed, we failed to check config file at " + file + ". The file is either unreadable, or missing."
	case running && !kept.Has(in.Name) && !same(now, value):
		text = "Sysctl option " + in.Name + " set to be changed to " + value
	case running && !kept.Has(in.Name):
		text = "Sysctl value is currently set on the running system but not in a config file. Sysctl option " + in.Name + " set to be changed to " + value + " in config file."
	case kept.Has(in.Name) && !running:
		text = "Sysctl value " + in.Name + " is present in configuration file but is not present in the running config. The value " + in.Name + " is set to be changed to " + value
	case kept.Has(in.Name) && same(now, value) && same(kept.Value(in.Name), value):
		return states.Done[string](states.Fine("Sysctl value " + in.Name + " = " + value + " is already set")), nil
	default:
		text = "Sysctl option " + in.Name + " would be changed to " + value
	}
	return states.Change(file, text, nil), nil
}

func apply(ctx context.Context, env *states.Env, in presentArgs, file string) (*states.Result, error) {
	value := pyfmt.Str(in.Value)
	did, err := env.Call(ctx, "sysctl.persist", modules.Pos(in.Name, in.Value, file))
	if err != nil {
		r, err := states.Refused(err)
		if r != nil {
			r.Comment = "Failed to set " + in.Name + " to " + value + ": " + pyfmt.Str(r.Comment)
		}
		return r, err
	}
	if did == "Updated" {
		return &states.Result{OK: states.True(), Comment: "Updated sysctl value " + in.Name + " = " + value, Changes: ordered.Pairs(in.Name, in.Value)}, nil
	}
	return states.Fine("Sysctl value " + in.Name + " = " + value + " is already set"), nil
}
