package pkg

import (
	"context"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

type heldArgs struct {
	Name    string         `arg:"name"`
	Version any            `arg:"version" def:"None"`
	Pkgs    any            `arg:"pkgs" def:"None"`
	Replace bool           `arg:"replace" def:"False"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

const heldDoc = `Make sure that packages are kept at their version.

pkgs
    several packages
replace
    hold no others`

// holds are the packages to hold and those to let go.
type holds struct{ hold, unhold []string }

func checkHeld(ctx context.Context, env *states.Env, in heldArgs) (states.Check[holds], error) {
	if list, ok := in.Pkgs.([]any); ok && len(list) == 0 && !in.Replace {
		return states.Done[holds](states.Fine("No packages to be held provided")), nil
	}
	now, err := heldNow(ctx, env)
	if err != nil {
		return states.Check[holds]{}, err
	}
	wish, err := wants(ctx, env, asList(in.Name, in.Version, in.Pkgs), true)
	if err != nil {
		return states.Check[holds]{}, err
	}
	p, lines := holds{}, []string{}
	for k, v := range wish.All() {
		if n := pyfmt.Str(k); !slices.Contains(now, n) {
			p.hold = append(p.hold, n)
			text := "The following package would be held: " + n
			if v != nil && v != "" {
				text += " (version = " + pyfmt.Str(v) + ")"
			}
			lines = append(lines, text)
		}
	}
	for _, n := range now {
		if in.Replace && !wish.Has(n) {
			p.unhold = append(p.unhold, n)
			lines = append(lines, "The following package would be unheld: "+n)
		}
	}
	if len(lines) == 0 {
		return states.Done[holds](states.Fine("No changes made")), nil
	}
	return states.Change(p, strings.Join(lines, "\n"), nil), nil
}

func applyHeld(ctx context.Context, env *states.Env, _ heldArgs, p holds) (*states.Result, error) {
	r := &states.Result{OK: states.True(), Changes: ordered.New(2)}
	var lines []string
	for _, n := range p.hold {
		got, err := states.Dict(env.Call(ctx, "pkg.hold", modules.Args{}.With("pkgs", []any{n})))
		if err != nil {
			return states.Refused(err)
		}
		if got.Map(n).Value("result") == true {
			lines = append(lines, "Package "+n+" is now being held")
		} else {
			lines = append(lines, "Package "+n+" was not held")
			r.OK = states.False()
		}
		r.Changes.Update(got)
	}
	return letGo(ctx, env, r, lines, p.unhold)
}

// letGo lifts holds and finishes the result.
func letGo(ctx context.Context, env *states.Env, r *states.Result, lines, list []string) (*states.Result, error) {
	for _, n := range list {
		got, err := states.Dict(env.Call(ctx, "pkg.unhold", modules.Args{}.With("pkgs", []any{n})))
		if err != nil {
			return states.Refused(err)
		}
		if got.Map(n).Value("result") != true {
			r.OK = states.False()
		}
		lines = append(lines, got.Map(n).String("comment"))
		r.Changes.Update(got)
	}
	r.Comment = strings.Join(lines, "\n")
	return r, nil
}

type unheldArgs struct {
	Name    string         `arg:"name"`
	Version any            `arg:"version" def:"None"`
	Pkgs    any            `arg:"pkgs" def:"None"`
	All     bool           `arg:"all" def:"False"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

const unheldDoc = `Make sure that packages are not held.

pkgs
    several packages
all
    all packages of the system`

func checkUnheld(ctx context.Context, env *states.Env, in unheldArgs) (states.Check[holds], error) {
	if list, ok := in.Pkgs.([]any); ok && len(list) == 0 && !in.All {
		return states.Done[holds](states.Fine("No packages to be unheld provided")), nil
	}
	now, err := heldNow(ctx, env)
	if err != nil {
		return states.Check[holds]{}, err
	}
	wish, err := wants(ctx, env, asList(in.Name, in.Version, in.Pkgs), true)
	if err != nil {
		return states.Check[holds]{}, err
	}
	p, lines := holds{}, []string{}
	for _, n := range now {
		if in.All || wish.Has(n) {
			p.unhold = append(p.unhold, n)
			lines = append(lines, "The following package would be unheld: "+n)
		}
	}
	if len(lines) == 0 {
		return states.Done[holds](states.Fine("No changes made")), nil
	}
	return states.Change(p, strings.Join(lines, "\n"), nil), nil
}

func applyUnheld(ctx context.Context, env *states.Env, _ unheldArgs, p holds) (*states.Result, error) {
	return letGo(ctx, env, &states.Result{OK: states.True(), Changes: ordered.New(2)}, nil, p.unhold)
}
