// Package alternatives holds the alternatives.* states: which of several programs a name stands for. Comments and changes
// are Salt's: https://docs.saltproject.io/en/3006/ref/states/all/salt.states.alternatives.html.
package alternatives

import (
	"context"
	"errors"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "alternatives", Doc: "States for alternatives.", Virtual: usable, Funcs: []states.Func{
		states.Fn("install", "See that a path is one of the alternatives of a name.", lookInstall, install),
		states.Fn("remove", "See that a path is none of the alternatives of a name.", lookRemove, remove),
		states.Fn("auto", "Let the priorities choose the alternative of a name.", lookAuto, auto),
		states.Fn("set", "Choose the alternative of a name.", lookSet, set),
	}}
}

func usable(env *modules.Env) error {
	if !env.Mods.Has(env, "alternatives.auto") {
		return errors.New("alternatives module could not be loaded")
	}
	return nil
}

type none struct{}

type check = states.Check[none]

func call(ctx context.Context, env *states.Env, fun string, pos ...any) (any, error) {
	return env.Call(ctx, "alternatives."+fun, modules.Pos(pos...))
}

// current is the path that a name stands for, "" for none.
func current(ctx context.Context, env *states.Env, name string) (string, error) {
	v, err := call(ctx, env, "show_current", name)
	s, _ := v.(string)
	return s, err
}

type installArgs struct {
	Name     string `arg:"name"`
	Link     string `arg:"link"`
	Path     string `arg:"path"`
	Priority any    `arg:"priority"`
}

func (in installArgs) with(r *states.Result) *states.Result {
	r.Extra = ordered.Pairs("link", in.Link, "path", in.Path, "priority", in.Priority)
	return r
}

func lookInstall(ctx context.Context, env *states.Env, in installArgs) (check, error) {
	there, err := states.Truth(call(ctx, env, "check_exists", in.Name, in.Path))
	if err != nil {
		return check{}, err
	}
	if there {
		return states.Done[none](in.with(states.Fine("Alternative " + in.Path + " for " + in.Name + " is already registered"))), nil
	}
	comment := "Alternative will be set for " + in.Name + " to " + in.Path + " with priority " + pyfmt.Str(in.Priority)
	return check{Would: in.with(&states.Result{Comment: comment})}, nil
}

func install(ctx context.Context, env *states.Env, in installArgs, _ none) (*states.Result, error) {
	out, err := call(ctx, env, "install", in.Name, in.Link, in.Path, in.Priority)
	if err != nil {
		return nil, err
	}
	now, err := current(ctx, env, in.Name)
	if err != nil {
		return nil, err
	}
	link, err := call(ctx, env, "show_link", in.Name)
	if err != nil {
		return nil, err
	}
	if now != in.Path || link != in.Link {
		return in.with(states.Failed("Alternative for %s not installed: %s", in.Name, pyfmt.Str(out))), nil
	}
	return in.with(&states.Result{OK: states.True(), Comment: "Alternative for " + in.Name + " set to path " + now + " with priority " + pyfmt.Str(in.Priority),
		Changes: ordered.Pairs("name", in.Name, "link", in.Link, "path", in.Path, "priority", in.Priority)}), nil
}

type pathArgs struct {
	Name string `arg:"name"`
	Path string `arg:"path"`
}

func (in pathArgs) with(r *states.Result) *states.Result {
	r.Extra = ordered.Pairs("path", in.Path)
	return r
}

func lookRemove(ctx context.Context, env *states.Env, in pathArgs) (check, error) {
	there, err := states.Truth(call(ctx, env, "check_exists", in.Name, in.Path))
	if err != nil {
		return check{}, err
	}
	if there {
		return check{Would: in.with(&states.Result{Comment: "Alternative for " + in.Name + " will be removed"})}, nil
	}
	now, err := current(ctx, env, in.Name)
	if err != nil {
		return check{}, err
	}
	if now != "" {
		return states.Done[none](in.with(states.Fine("Alternative for " + in.Name + " is set to it's default path " + now))), nil
	}
	return states.Done[none](in.with(states.Failed("Alternative for %s doesn't exist", in.Name))), nil
}

func remove(ctx context.Context, env *states.Env, in pathArgs, _ none) (*states.Result, error) {
	if _, err := call(ctx, env, "remove", in.Name, in.Path); err != nil {
		return nil, err
	}
	now, err := current(ctx, env, in.Name)
	if err != nil {
		return nil, err
	}
	if now != "" {
		return in.with(&states.Result{OK: states.True(), Comment: "Alternative for " + in.Name + " removed. Falling back to path " + now, Changes: ordered.Pairs("path", now)}), nil
	}
	return in.with(states.Fine("Alternative for " + in.Name + " removed")), nil
}

type nameArgs struct {
	Name string `arg:"name"`
}

func lookAuto(ctx context.Context, env *states.Env, in nameArgs) (check, error) {
	v, err := call(ctx, env, "display", in.Name)
	if err != nil {
		return check{}, err
	}
	first, _, _ := strings.Cut(pyfmt.Str(v), "\n")
	if strings.HasSuffix(strings.TrimRight(first, "\r"), " auto mode") {
		return states.Done[none](states.Fine(in.Name + " already in auto mode")), nil
	}
	return states.Change(none{}, in.Name+" will be put in auto mode", nil), nil
}

func auto(ctx context.Context, env *states.Env, in nameArgs, _ none) (*states.Result, error) {
	v, err := call(ctx, env, "auto", in.Name)
	if err != nil {
		return nil, err
	}
	return &states.Result{OK: states.True(), Comment: "", Changes: ordered.Pairs("result", v)}, nil
}

func lookSet(ctx context.Context, env *states.Env, in pathArgs) (check, error) {
	now, err := current(ctx, env, in.Name)
	if err != nil {
		return check{}, err
	}
	if now == in.Path {
		return states.Done[none](in.with(states.Fine("Alternative for " + in.Name + " already set to " + in.Path))), nil
	}
	there, err := states.Truth(call(ctx, env, "check_exists", in.Name, in.Path))
	if err != nil {
		return check{}, err
	}
	if !there {
		return states.Done[none](in.with(states.Failed("Alternative %s for %s doesn't exist", in.Path, in.Name))), nil
	}
	return check{Would: in.with(&states.Result{Comment: "Alternative for " + in.Name + " will be set to path " + in.Path})}, nil
}

func set(ctx context.Context, env *states.Env, in pathArgs, _ none) (*states.Result, error) {
	if _, err := call(ctx, env, "set", in.Name, in.Path); err != nil {
		return nil, err
	}
	now, err := current(ctx, env, in.Name)
	if err != nil {
		return nil, err
	}
	if now != in.Path {
		return in.with(states.Fine("Alternative for " + in.Name + " not updated")), nil
	}
	return in.with(&states.Result{OK: states.True(), Comment: "Alternative for " + in.Name + " set to path " + now, Changes: ordered.Pairs("path", now)}), nil
}
