// Package test holds the test.* states: they do nothing and give the result that is asked for.
package test

import (
	"context"
	"math/rand/v2"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	type none struct{}
	simple := func(name, doc string, f func(*states.Env, commentArgs) *states.Result) states.Func {
		return states.Fn(name, doc, func(_ context.Context, env *states.Env, in commentArgs) (states.Check[none], error) {
			return states.Done[none](f(env, in)), nil
		}, nil)
	}
	return states.State{Name: "test", Doc: "States that do nothing, for trying trees out.", Watch: watch, Funcs: []states.Func{
		simple("nop", "Do nothing, successfully.", func(_ *states.Env, _ commentArgs) *states.Result { return states.Fine("Success!") }),
		simple("succeed_without_changes", "Succeed without changes.", func(env *states.Env, in commentArgs) *states.Result {
			return states.Fine(in.or("Success!"))
		}),
		simple("fail_without_changes", "Fail without changes.", func(env *states.Env, in commentArgs) *states.Result {
			if env.Test {
				return states.Failed("%s", in.or("If we weren't testing, this would be a failure!"))
			}
			return states.Failed("%s", in.or("Failure!"))
		}),
		simple("succeed_with_changes", "Pretend to change something, successfully.", func(env *states.Env, in commentArgs) *states.Result {
			if env.Test {
				return &states.Result{Comment: "If we weren't testing, this would be successful with changes", Changes: pretended()}
			}
			return &states.Result{OK: states.True(), Comment: in.or("Success!"), Changes: pretended()}
		}),
		simple("fail_with_changes", "Pretend to change something, and fail.", func(env *states.Env, in commentArgs) *states.Result {
			if env.Test {
				return &states.Result{Comment: "If we weren't testing, this would be failed with changes", Changes: pretended()}
			}
			return &states.Result{OK: states.False(), Comment: in.or("Failure!"), Changes: pretended()}
		}),
		states.Opaque("configurable_test_state", "Give the result and changes that the arguments ask for: True, False or Random.", configurable),
		states.Opaque("show_notification", "Show a text.", func(_ context.Context, _ *states.Env, in textArgs) (*states.Result, error) {
			if in.Text == "" {
				return nil, modules.Invalidf("Missing required argument text.")
			}
			return states.Fine(in.Text), nil
		}),
		states.Opaque("check_pillar", "Check that keys are in the pillar, and of the right type.", checkPillar),
	}}
}

type commentArgs struct {
	Name    any            `arg:"name"`
	Comment any            `arg:"comment" def:"None"`
	Extra   modules.Kwargs `arg:"**kwargs"`
}

func (c commentArgs) or(def string) string {
	if pyfmt.Truth(c.Comment) {
		return pyfmt.Str(c.Comment)
	}
	return def
}

func pretended() *ordered.Map {
	return ordered.Pairs("testing", ordered.Pairs("old", "Unchanged", "new", "Something pretended to change"))
}

func watch(_ context.Context, _ *states.Env, _ string, a modules.Args) (*states.Result, error) {
	changed := []any{}
	reqs, _ := a.Kw.Value("__reqs__").(*ordered.Map)
	for _, kind := range []string{"watch", "watch_any"} {
		for _, v := range reqs.List(kind) {
			low, _ := v.(*ordered.Map)
			changed = append(changed, pyfmt.Str(low.Value("state"))+": "+pyfmt.Str(low.Value("__id__")))
		}
	}
	return &states.Result{Name: a.Kw.Value("name"), OK: states.True(), Comment: "Watch statement fired.", Changes: ordered.Pairs("Requisites with changes", changed)}, nil
}

type configArgs struct {
	Name     any            `arg:"name"`
	Changes  any            `arg:"changes" def:"True"`
	Result   any            `arg:"result" def:"True"`
	Comment  string         `arg:"comment" def:"''"`
	Warnings any            `arg:"warnings" def:"None"`
	Allow    bool           `arg:"allow_test_mode_failure" def:"False"`
	Extra    modules.Kwargs `arg:"**kwargs"`
}

// pick reads True, False or Random.
func pick(v any, what string) (bool, error) {
	switch t := v.(type) {
	case bool:
		return t, nil
	case string:
		if t == "Random" {
			return rand.IntN(2) == 0, nil
		}
	}
	return false, modules.Invalidf("You have specified the state option '%s' with invalid arguments. It must be either True, False, or 'Random'", what)
}

func configurable(_ context.Context, env *states.Env, in configArgs) (*states.Result, error) {
	changed, err := pick(in.Changes, "changes")
	if err != nil {
		return nil, err
	}
	ok, err := pick(in.Result, "result")
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: &ok, Comment: in.Comment}
	if changed {
		r.Changes = pretended()
	}
	switch t := in.Warnings.(type) {
	case nil:
	case string:
		r.Warnings = []string{t}
	case []any:
		for _, w := range t {
			r.Warnings = append(r.Warnings, pyfmt.Str(w))
		}
	default:
		return nil, modules.Invalidf("You have specified the state option 'warnings' with invalid arguments. It must be a string or a list of strings")
	}
	if env.Test {
		switch {
		case in.Allow && !ok:
		case in.Changes == false:
			r.OK = states.True()
		default:
			r.OK = nil
		}
		if in.Comment == "" {
			r.Comment = "This is a test"
		}
	}
	return r, nil
}

type textArgs struct {
	Name  any            `arg:"name"`
	Text  string         `arg:"text" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

type pillarArgs struct {
	Name       any  `arg:"name"`
	Present    any  `arg:"present" def:"None"`
	Boolean    any  `arg:"boolean" def:"None"`
	Integer    any  `arg:"integer" def:"None"`
	String     any  `arg:"string" def:"None"`
	Listing    any  `arg:"listing" def:"None"`
	Dictionary any  `arg:"dictionary" def:"None"`
	Verbose    bool `arg:"verbose" def:"False"`
}

func checkPillar(ctx context.Context, env *states.Env, in pillarArgs) (*states.Result, error) {
	data, err := env.Pillar.Items(ctx)
	if err != nil {
		return nil, err
	}
	comment, good, asked := "", true, false
	for _, c := range []struct{ keys, kind any }{{in.Present, nil}, {in.Boolean, "bool"}, {in.Integer, "int"}, {in.String, "str"}, {in.Listing, "list"}, {in.Dictionary, "dict"}} {
		keys, ok := c.keys.([]any)
		if !ok && pyfmt.Truth(c.keys) {
			keys = []any{c.keys}
		}
		for _, k := range keys {
			asked = true
			v, has := traverse.Get(data, k, ":")
			switch {
			case !has || v == nil:
				comment += "Pillar key \"" + pyfmt.Str(k) + "\" is missing.\n"
				good = false
			case c.kind != nil && pyfmt.Type(v) != c.kind && !(c.kind == "int" && pyfmt.Type(v) == "bool"):
				comment += "Pillar key \"" + pyfmt.Str(k) + "\" is not " + c.kind.(string) + ".\n"
				good = false
			case in.Verbose:
				comment += "Pillar key \"" + pyfmt.Str(k) + "\" is present.\n"
			}
		}
	}
	if !asked {
		return nil, modules.Invalidf("Missing required argument text.")
	}
	return &states.Result{OK: &good, Comment: comment}, nil
}
