// Package grains holds the grains.* states: they set and remove grains that are kept in the grains file.
package grains

import (
	"context"
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "grains", Doc: "States that set grains.", Funcs: []states.Func{
		states.Fn("present", "Make sure that a grain has a value. name may lead into maps: a:b.", presentCheck, presentApply),
		states.Fn("absent", "Make sure that a grain has no value; with destructive=True that it is not there.", absentCheck, absentApply),
		states.Fn("list_present", "Make sure that values are in a list grain.", listPresentCheck, listPresentApply),
		states.Fn("list_absent", "Make sure that values are not in a list grain.", listAbsentCheck, listAbsentApply),
		states.Fn("append", "Append a value to a list grain; with convert=True a grain that is none becomes one.", appendCheck, appendApply),
		states.Fn("exists", "Make sure that a grain is there.", existsCheck, nil),
	}}
}

type args struct {
	Name        string         `arg:"name"`
	Value       any            `arg:"value" def:"None"`
	Delimiter   string         `arg:"delimiter" def:"':'"`
	Force       bool           `arg:"force" def:"False"`
	Destructive bool           `arg:"destructive" def:"False"`
	Convert     bool           `arg:"convert" def:"False"`
	Extra       modules.Kwargs `arg:"**kwargs"`
}

func (a args) name() string { return strings.ReplaceAll(a.Name, a.Delimiter, ":") }

type none struct{}

func get(ctx context.Context, env *states.Env, name string) (any, bool) {
	return traverse.Get(env.Grains.Items(ctx), name, ":")
}

func set(ctx context.Context, env *states.Env, a args, v any) (*states.Result, error) {
	out, err := states.Dict(env.Call(ctx, "grains.set", modules.Args{Pos: []any{a.name(), v}, Kw: ordered.Pairs("force", a.Force, "destructive", a.Destructive)}))
	if err != nil {
		return nil, err
	}
	ok := pyfmt.Truth(out.Value("result"))
	changes, _ := out.Value("changes").(*ordered.Map)
	return &states.Result{Name: a.name(), OK: &ok, Comment: out.Value("comment"), Changes: changes}, nil
}

func presentCheck(ctx context.Context, env *states.Env, a args) (states.Check[none], error) {
	v, ok := get(ctx, env, a.name())
	switch {
	case ok && ordered.Equal(v, ordered.Of(a.Value)):
		r := states.Fine("Grain is already set")
		r.Name = a.name()
		return states.Done[none](r), nil
	case !ok || v == nil:
		return states.Change(none{}, fmt.Sprintf("Grain %s is set to be added", a.name()), ordered.Pairs("new", a.name())), nil
	}
	return states.Change(none{}, fmt.Sprintf("Grain %s is set to be changed", a.name()), ordered.Pairs("changed", ordered.Pairs(a.name(), a.Value))), nil
}

func presentApply(ctx context.Context, env *states.Env, a args, _ none) (*states.Result, error) {
	r, err := set(ctx, env, a, a.Value)
	if err == nil && *r.OK && r.Changes.Len() > 0 {
		r.Comment = fmt.Sprintf("Set grain %s to %s", a.name(), pyfmt.Str(a.Value))
	}
	return r, err
}

func absentCheck(ctx context.Context, env *states.Env, a args) (states.Check[none], error) {
	v, ok := get(ctx, env, a.name())
	switch {
	case !ok:
		return states.Done[none](states.Fine(fmt.Sprintf("Grain %s does not exist", a.name()))), nil
	case a.Destructive:
		return states.Change(none{}, fmt.Sprintf("Grain %s is set to be deleted", a.name()), ordered.Pairs("deleted", a.name())), nil
	case v == nil:
		return states.Done[none](states.Fine("")), nil
	}
	return states.Change(none{}, fmt.Sprintf("Value for grain %s is set to be deleted (None)", a.name()), ordered.Pairs("grain", a.name(), "value", nil)), nil
}

func absentApply(ctx context.Context, env *states.Env, a args, _ none) (*states.Result, error) {
	r, err := set(ctx, env, a, nil)
	if err != nil || !*r.OK {
		return r, err
	}
	if a.Destructive {
		r.Comment, r.Changes = fmt.Sprintf("Grain %s was deleted", a.name()), ordered.Pairs("deleted", a.name())
	} else {
		r.Comment, r.Changes = fmt.Sprintf("Value for grain %s was set to None", a.name()), ordered.Pairs("grain", a.name(), "value", nil)
	}
	return r, nil
}

func has(list []any, v any) bool {
	for _, e := range list {
		if ordered.Equal(e, v) {
			return true
		}
	}
	return false
}

func listPresentCheck(ctx context.Context, env *states.Env, a args) (states.Check[none], error) {
	v, _ := get(ctx, env, a.name())
	if !pyfmt.Truth(v) {
		return states.Change(none{}, fmt.Sprintf("Grain %s is set to be added", a.name()), ordered.Pairs("new", v)), nil
	}
	list, ok := v.([]any)
	if !ok {
		return states.Done[none](states.Failed("Grain %s is not a valid list", a.name())), nil
	}
	values, many := a.Value.([]any)
	if !many {
		values = []any{a.Value}
	}
	missing := false
	for _, w := range values {
		missing = missing || !has(list, w)
	}
	if !missing {
		return states.Done[none](states.Fine(fmt.Sprintf("Value %s is already in grain %s", pyfmt.Str(a.Value), a.name()))), nil
	}
	return states.Change(none{}, fmt.Sprintf("Value %s is set to be appended to grain %s", pyfmt.Str(a.Value), a.name()), ordered.Pairs("new", v)), nil
}

// shown keeps, for a run, the lists that results of list_present show: they show the grain as the run leaves it, so a
// later list_absent is seen in them, as in Salt.
func shown(env *states.Env, name string) *ordered.Map {
	v, _ := env.Run.Get("grains.lists." + name)
	m, _ := v.(*ordered.Map)
	return m
}

func listPresentApply(ctx context.Context, env *states.Env, a args, _ none) (*states.Result, error) {
	out, err := states.Dict(env.Call(ctx, "grains.append", modules.Pos(a.name(), a.Value)))
	if err != nil {
		return nil, err
	}
	env.Run.Set("grains.lists."+a.name(), out)
	return &states.Result{Name: a.name(), OK: states.True(), Comment: fmt.Sprintf("Append value %s to grain %s", pyfmt.Str(a.Value), a.name()), Changes: ordered.Pairs("new", out)}, nil
}

func listAbsentCheck(ctx context.Context, env *states.Env, a args) (states.Check[[]any], error) {
	v, _ := get(ctx, env, a.name())
	if !pyfmt.Truth(v) {
		return states.Done[[]any](states.Fine(fmt.Sprintf("Grain %s does not exist", a.name()))), nil
	}
	list, ok := v.([]any)
	if !ok {
		return states.Done[[]any](states.Failed("Grain %s is not a valid list", a.name())), nil
	}
	comments, gone := absences(a, list, "Value %[2]s in grain %[1]s is set to be deleted")
	if len(gone) == 0 {
		return states.Done[[]any](states.Fine(comments)), nil
	}
	return states.Change(gone, comments, ordered.Pairs("deleted", gone)), nil
}

// absences says of each value what becomes of it, and lists those that are there.
func absences(a args, list []any, there string) (comments string, gone []any) {
	values, many := a.Value.([]any)
	if !many {
		values = []any{a.Value}
	}
	var lines []string
	for _, w := range values {
		if !has(list, w) {
			lines = append(lines, fmt.Sprintf("Value %[2]s is absent from grain %[1]s", a.name(), pyfmt.Str(w)))
			continue
		}
		gone = append(gone, w)
		lines = append(lines, fmt.Sprintf(there, a.name(), pyfmt.Str(w)))
	}
	return strings.Join(lines, "\n"), gone
}

func listAbsentApply(ctx context.Context, env *states.Env, a args, gone []any) (*states.Result, error) {
	before, _ := get(ctx, env, a.name())
	list, _ := before.([]any)
	comments, _ := absences(a, list, "Value %[2]s was deleted from grain %[1]s")
	for _, w := range gone {
		if _, err := env.Call(ctx, "grains.remove", modules.Pos(a.name(), w)); err != nil {
			return nil, err
		}
	}
	if m := shown(env, a.name()); m != nil {
		if v, ok := get(ctx, env, a.name()); ok {
			m.Set(a.name(), v)
		}
	}
	return &states.Result{Name: a.name(), OK: states.True(), Comment: comments, Changes: ordered.Pairs("deleted", gone)}, nil
}

func appendCheck(ctx context.Context, env *states.Env, a args) (states.Check[[]any], error) {
	v, ok := get(ctx, env, a.name())
	if !ok {
		return states.Done[[]any](states.Failed("Grain %s does not exist", a.name())), nil
	}
	list, isList := v.([]any)
	switch {
	case isList && has(list, a.Value):
		return states.Done[[]any](states.Fine(fmt.Sprintf("Value %s is already in the list for grain %s", pyfmt.Str(a.Value), a.name()))), nil
	case isList:
		return states.Change[[]any](nil, fmt.Sprintf("Value %s in grain %s is set to be added", pyfmt.Str(a.Value), a.name()), ordered.Pairs("added", a.Value)), nil
	case !a.Convert:
		return states.Done[[]any](states.Failed("Grain %s is not a valid list", a.name())), nil
	}
	converted := []any{}
	if v != nil {
		converted = append(converted, v)
	}
	return states.Change(append(converted, a.Value), fmt.Sprintf("Grain %s is set to be converted to list and value %s will be added", a.name(), pyfmt.Str(a.Value)), ordered.Pairs("added", a.Value)), nil
}

func appendApply(ctx context.Context, env *states.Env, a args, converted []any) (*states.Result, error) {
	fun, pos := "grains.append", []any{a.name(), a.Value}
	if converted != nil {
		fun, pos = "grains.setval", []any{a.name(), converted}
	}
	if _, err := env.Call(ctx, fun, modules.Args{Pos: pos}); err != nil {
		return nil, err
	}
	return &states.Result{Name: a.name(), OK: states.True(), Comment: fmt.Sprintf("Value %s was added to grain %s", pyfmt.Str(a.Value), a.name()), Changes: ordered.Pairs("added", a.Value)}, nil
}

func existsCheck(ctx context.Context, env *states.Env, a args) (states.Check[none], error) {
	if _, ok := get(ctx, env, a.name()); !ok {
		return states.Done[none](states.Failed("Grain does not exist")), nil
	}
	return states.Done[none](states.Fine("Grain exists")), nil
}
