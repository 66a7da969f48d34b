// Package module holds the module.* states: they call execution functions.
package module

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "module", Doc: "States that call execution functions.", Funcs: []states.Func{
		states.Opaque("run", runDoc, run),
		states.Opaque("wait", "Call execution functions when something watched has changed. The arguments are those of module.run.",
			func(context.Context, *states.Env, args) (*states.Result, error) { return states.Fine(""), nil }),
		states.Opaque("watch", "Another name of module.wait.",
			func(context.Context, *states.Env, args) (*states.Result, error) { return states.Fine(""), nil }),
	}, Watch: func(ctx context.Context, env *states.Env, _ string, a modules.Args) (*states.Result, error) {
		a.Kw.Delete("__reqs__")
		return run(ctx, env, args{Extra: a.Kw})
	}}
}

const runDoc = `Call execution functions, each under its name with a list of its arguments:

    fetch_out_of_band:
      module.run:
        - git.fetch:
          - cwd: /path/to/my/repo

The older form, with the function as name and its arguments beside it, works too; arguments that are called name, fun,
names, state or saltenv are written m_name, m_fun and so on there.`

type args struct {
	Extra modules.Kwargs `arg:"**kwargs"`
}

func run(ctx context.Context, env *states.Env, in args) (*states.Result, error) {
	kw := in.Extra.Clone()
	var keys []string
	for k := range kw.All() {
		if name := ordered.KeyText(k); name != "name" {
			keys = append(keys, name)
		}
	}
	old := len(keys) == 0 || slices.ContainsFunc(keys, func(k string) bool { return !strings.Contains(k, ".") })
	if old {
		return legacy(ctx, env, kw)
	}
	return several(ctx, env, kw, keys)
}

// several calls each function that is named.
func several(ctx context.Context, env *states.Env, kw *ordered.Map, funs []string) (*states.Result, error) {
	r := &states.Result{Name: texts(funs), Changes: ordered.New(len(funs))}
	var missing, tests []string
	for _, f := range funs {
		f, _, _ = strings.Cut(f, ":")
		if !env.Mods.Has(env.Env, f) {
			missing = append(missing, f)
		} else if env.Test {
			tests = append(tests, f)
		}
	}
	if len(missing)+len(tests) > 0 {
		var parts []string
		if len(missing) > 0 {
			parts = append(parts, fmt.Sprintf("Unavailable function%s: %s.", plural(missing), strings.Join(missing, ", ")))
		}
		if len(tests) > 0 {
			parts = append(parts, fmt.Sprintf("Function%s %s to be executed.", plural(tests), strings.Join(tests, ", ")))
		}
		ok := len(missing) == 0 && len(tests) > 0
		r.OK, r.Comment = &ok, strings.Join(parts, " ")
		return r, nil
	}
	var failures, good []string
	for _, f := range funs {
		fun, _, _ := strings.Cut(f, ":")
		v, err := call(ctx, env, fun, kw.Value(f))
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			failures = append(failures, fmt.Sprintf("'%s' failed: %v", f, err))
			continue
		}
		m, isMap := v.(*ordered.Map)
		switch {
		case !success(v, nil) && isMap:
			failures = append(failures, fmt.Sprintf("'%s' failed: %s", f, orElse(m.Value("comment"), "(error message N/A)")))
		case v == false:
			failures = append(failures, fmt.Sprintf("'%s': False", f))
		case success(v, nil):
			said := pyfmt.Str(v)
			if isMap {
				said = orElse(m.Value("comment"), "Success")
			}
			good = append(good, f+": "+said)
			r.Changes.Set(f, v)
		}
	}
	ok := len(failures) == 0
	r.OK, r.Comment = &ok, strings.Join(append(failures, good...), ", ")
	return r, nil
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func plural(list []string) string {
	if len(list) > 1 {
		return "True" // Salt's own text
	}
	return ""
}

func orElse(v any, def string) string {
	if v == nil {
		return def
	}
	return pyfmt.Str(v)
}

// call reads the list of arguments: maps are keywords, all else is positional.
func call(ctx context.Context, env *states.Env, fun string, list any) (any, error) {
	a := modules.Args{Kw: ordered.New(4)}
	entries, ok := list.([]any)
	if !ok && list != nil {
		entries = []any{list}
	}
	for _, e := range entries {
		if m, ok := e.(*ordered.Map); ok {
			a.Kw.Update(m)
		} else {
			a.Pos = append(a.Pos, e)
		}
	}
	return env.Call(ctx, fun, a)
}

// success reads what a function gave back: a result, an exit code, or a truth.
func success(v any, changes *ordered.Map) bool {
	if m, ok := v.(*ordered.Map); ok {
		if code, has := m.Get("retcode"); has && pyfmt.Truth(code) {
			return false
		}
	}
	if b, ok := v.(bool); ok {
		return b
	}
	ret, ok := changes.Value("ret").(*ordered.Map)
	if !ok {
		return true
	}
	if b, ok := ret.Value("result").(bool); ok {
		return b
	}
	if pyfmt.Truth(ret.Value("retcode")) {
		return false
	}
	return deep(ret)
}

// deep looks for a result of False in nested maps: a call that ran states.
func deep(m *ordered.Map) bool {
	for k, v := range m.All() {
		if k == "result" && v == false {
			return false
		}
		if inner, ok := v.(*ordered.Map); ok && k != "changes" && !deep(inner) {
			return false
		}
	}
	return true
}

// renamed are the arguments that a state of the older form has names of its own for.
func renamed(name string) string {
	switch name {
	case "name", "fun", "names", "state", "saltenv":
		return "m_" + name
	}
	return name
}

// legacy is the older form: the name is the function.
func legacy(ctx context.Context, env *states.Env, kw *ordered.Map) (*states.Result, error) {
	fun := pyfmt.Str(kw.Value("name"))
	kw.Delete("name")
	f, err := env.Mods.Lookup(env.Env, fun)
	if err != nil {
		return states.Failed("Module function %s is not available", fun), nil
	}
	if env.Test {
		return &states.Result{Comment: fmt.Sprintf("Module function %s is set to be executed", fun)}, nil
	}
	spec, a := f.Spec(), modules.Args{Kw: ordered.New(4)}
	var missing []string
	for _, p := range spec.Params {
		v, ok := kw.Get(renamed(p.Name))
		if !ok && p.Name != renamed(p.Name) {
			ok = false
		}
		switch {
		case ok:
			a.Kw.Set(p.Name, v)
		case p.Required:
			missing = append(missing, renamed(p.Name))
		}
	}
	if len(missing) > 0 {
		return states.Failed("The following arguments are missing: %s", strings.Join(missing, " ")), nil
	}
	if spec.VarArgs != "" {
		if v, ok := kw.Get(renamed(spec.VarArgs)); ok {
			l, isList := v.([]any)
			if !isList {
				return states.Failed("'%s' must be a list.", renamed(spec.VarArgs)), nil
			}
			for _, p := range spec.Params { // positional ones come first
				if v, ok := a.Kw.Get(p.Name); ok {
					a.Pos = append(a.Pos, v)
					a.Kw.Delete(p.Name)
				}
			}
			a.Pos = append(a.Pos, l...)
		}
	}
	if spec.KwArg != "" {
		if v, ok := kw.Get(spec.KwArg); ok {
			m, isMap := v.(*ordered.Map)
			if !isMap {
				return states.Failed("'%s' must be a dict.", spec.KwArg), nil
			}
			a.Kw.Update(m)
		}
	}
	v, err := env.Call(ctx, fun, a)
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
			return nil, err
		}
		return states.Failed("Module function %s threw an exception. Exception: %v", fun, err), nil
	}
	changes := ordered.Pairs("ret", v)
	ok := success(v, changes)
	return &states.Result{OK: &ok, Name: fun, Changes: changes, Comment: fmt.Sprintf("Module function %s executed", fun)}, nil
}
