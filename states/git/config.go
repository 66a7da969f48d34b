package git

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

type setArgs struct {
	Name           string         `arg:"name"`
	Value          any            `arg:"value" def:"None"`
	Multivar       any            `arg:"multivar" def:"None"`
	Repo           any            `arg:"repo" def:"None"`
	User           any            `arg:"user" def:"None"`
	Password       any            `arg:"password" def:"None"`
	OutputEncoding any            `arg:"output_encoding" def:"None"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

const configSetDoc = `Make sure that a configuration value is set.

value, multivar
    the value, or a list of values
repo, global
    the repository, or True for the user's own configuration
user
    run git as this user`

// refuseKwargs is the result for arguments that there are not; nil for none.
func refuseKwargs(kw modules.Kwargs, known ...string) *states.Result {
	var bad []string
	for k, v := range kw.All() {
		if !slices.Contains(known, pyfmt.Str(k)) {
			bad = append(bad, pyfmt.Str(k)+"="+pyfmt.Str(v))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return states.Failed("The following keyword arguments are not valid: %s", strings.Join(bad, ", "))
}

func (in setArgs) global() bool { return pyfmt.Truth(in.Kwargs.Value("global")) }

// wish is the list of values wished, and how comments show it.
func (in setArgs) wish() (list []any, shown string) {
	if in.Multivar == nil {
		return []any{pyfmt.Str(in.Value)}, "'" + pyfmt.Str(in.Value) + "'"
	}
	given, ok := in.Multivar.([]any)
	if !ok {
		for _, p := range strings.Split(pyfmt.Str(in.Multivar), ",") {
			given = append(given, p)
		}
	}
	list = make([]any, len(given))
	for i, v := range given {
		list[i] = pyfmt.Str(v)
	}
	return list, pyfmt.Repr(list)
}

func (in setArgs) label() string {
	if in.global() {
		return "Global key '" + in.Name + "'"
	}
	return "'" + in.Name + "'"
}

func (in setArgs) kw(kv ...any) modules.Args {
	m := ordered.Pairs("cwd", in.Repo, "user", in.User, "global", in.global())
	m.Update(ordered.Pairs(kv...))
	return modules.Args{Kw: m}
}

func checkSet(ctx context.Context, env *states.Env, in setArgs) (states.Check[any], error) {
	if in.Value != nil && in.Multivar != nil {
		return states.Done[any](states.Failed("Only one of 'value' and 'multivar' is permitted")), nil
	}
	if r := refuseKwargs(in.Kwargs, "global"); r != nil {
		return states.Done[any](r), nil
	}
	if !in.global() && !pyfmt.Truth(in.Repo) {
		return states.Done[any](states.Failed("Non-global config options require the 'repo' argument to be set")), nil
	}
	pre, err := env.Call(ctx, "git.config_get", in.kw("key", in.Name, "all", true))
	if err != nil {
		r, err := states.Refused(err)
		return states.Done[any](r), err
	}
	want, shown := in.wish()
	if ordered.Equal(pre, want) {
		return states.Done[any](states.Fine(in.label() + " is already set to " + shown)), nil
	}
	return states.Change(pre, in.label()+" would be "+setOrAdded(pre)+" "+shown, ordered.Pairs("old", pre, "new", want)), nil
}

func setOrAdded(pre any) string {
	if pre == nil {
		return "added as"
	}
	return "set to"
}

func applySet(ctx context.Context, env *states.Env, in setArgs, pre any) (*states.Result, error) {
	want, shown := in.wish()
	key := "Failed to set '" + in.Name + "' to " + shown
	if in.global() {
		key = "Failed to set global key '" + in.Name + "' to " + shown
	}
	post, err := env.Call(ctx, "git.config_set", in.kw("key", in.Name, "value", in.Value, "multivar", in.Multivar))
	if err != nil {
		text, err := why(err)
		return states.Failed("%s: %s", key, text), err
	}
	r := &states.Result{OK: states.True(), Comment: in.label() + " was " + setOrAdded(pre) + " " + shown,
		Changes: ordered.Pairs(in.Name, ordered.Pairs("old", pre, "new", post))}
	if !ordered.Equal(post, want) {
		r.OK, r.Comment = states.False(), key
	}
	return r, nil
}

type unsetArgs struct {
	Name           string         `arg:"name"`
	ValueRegex     any            `arg:"value_regex" def:"None"`
	Repo           any            `arg:"repo" def:"None"`
	User           any            `arg:"user" def:"None"`
	Password       any            `arg:"password" def:"None"`
	OutputEncoding any            `arg:"output_encoding" def:"None"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

const configUnsetDoc = `Make sure that a configuration value is not set.

name
    the key, or a pattern that matches whole keys
value_regex
    only values that match it
all
    also keys with several values
repo, global
    the repository, or True for the user's own configuration
user
    run git as this user`

// matches are the keys and values that are set.
func (in unsetArgs) matches(ctx context.Context, env *states.Env, valueRegex any) (*ordered.Map, error) {
	key := "^" + strings.TrimRight(strings.TrimLeft(in.Name, "^"), "$") + "$"
	return states.Dict(env.Call(ctx, "git.config_get_regexp", modules.Args{Kw: ordered.Pairs("key", key, "value_regex", valueRegex, "cwd", in.Repo,
		"user", in.User, "global", in.flag("global"))}))
}

func (in unsetArgs) flag(name string) bool { return pyfmt.Truth(in.Kwargs.Value(name)) }

// keysAndValues lists "key (a, b)".
func keysAndValues(m *ordered.Map, several bool) []string {
	var out []string
	for k, v := range m.All() {
		list, _ := v.([]any)
		if several && len(list) < 2 {
			continue
		}
		parts := make([]string, len(list))
		for i, e := range list {
			parts[i] = pyfmt.Str(e)
		}
		out = append(out, pyfmt.Str(k)+" ("+strings.Join(parts, ", ")+")")
	}
	return out
}

func checkUnset(ctx context.Context, env *states.Env, in unsetArgs) (states.Check[*ordered.Map], error) {
	if r := refuseKwargs(in.Kwargs, "global", "all"); r != nil {
		return states.Done[*ordered.Map](r), nil
	}
	if !in.flag("global") && !pyfmt.Truth(in.Repo) {
		return states.Done[*ordered.Map](states.Failed("Non-global config options require the 'repo' argument to be set")), nil
	}
	m, err := in.matches(ctx, env, in.ValueRegex)
	if err != nil {
		r, err := states.Refused(err)
		return states.Done[*ordered.Map](r), err
	}
	if m.Len() == 0 {
		return states.Done[*ordered.Map](states.Fine("No matching keys are set")), nil
	}
	if greedy := keysAndValues(m, true); len(greedy) > 0 && !in.flag("all") {
		text := "Multivar(s) matched by the key expression (set 'all' to True to force removal): "
		if in.ValueRegex != nil {
			text = "Multiple values are matched by value_regex for the following keys (set 'all' to True to force removal): "
		}
		return states.Done[*ordered.Map](states.Failed("%s", text+strings.Join(greedy, "; "))), nil
	}
	return states.Change(m, fmt.Sprintf("%d key(s) would have value(s) unset", m.Len()), m), nil
}

func applyUnset(ctx context.Context, env *states.Env, in unsetArgs, m *ordered.Map) (*states.Result, error) {
	var bad []string
	for k := range m.All() {
		kw := ordered.Pairs("key", k, "value_regex", in.ValueRegex, "cwd", in.Repo, "user", in.User, "global", in.flag("global"), "all", in.flag("all"))
		if _, err := env.Call(ctx, "git.config_unset", modules.Args{Kw: kw}); err != nil {
			if _, err := why(err); err != nil {
				return nil, err
			}
			bad = append(bad, pyfmt.Str(k))
		}
	}
	if len(bad) > 0 {
		return states.Failed("Error(s) occurred unsetting values for the following keys (see the minion log for details): %s", strings.Join(bad, ", ")), nil
	}
	left, err := in.matches(ctx, env, in.ValueRegex)
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: states.True(), Comment: "Value(s) successfully unset", Changes: m}
	if left.Len() > 0 {
		r.OK, r.Comment = states.False(), "Failed to unset value(s): "+strings.Join(keysAndValues(left, false), "; ")
	}
	return r, nil
}
