package sls

import (
	"context"
	"errors"
	"os"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
	"brine/states"
)

// conditions reads onlyif, unless and creates. ok is false when there are none.
func (r *runner) conditions(ctx context.Context, low *ordered.Map, env *states.Env) (out *ordered.Map, ok bool) {
	out = ordered.Pairs("result", false, "comment", "")
	add := func(res bool, comment string, skip bool) {
		if out.Value("result") != true || res {
			out.Set("comment", comment)
		}
		out.Set("result", out.Value("result") == true || res)
		if skip {
			out.Set("skip_watch", true)
		}
		ok = true
	}
	opts := r.commandOpts(low)
	if v, has := low.Get("onlyif"); has {
		good, why := r.every(ctx, env, entries(v), opts, "onlyif", 100)
		if why == "" {
			why = map[bool]string{true: "onlyif condition is true", false: "onlyif condition is false"}[good]
		}
		add(!good, why, !good)
	}
	if v, has := low.Get("unless"); has {
		holds, why := r.every(ctx, env, entries(v), opts, "unless", 0)
		if why == "" {
			why = map[bool]string{true: "unless condition is true", false: "unless condition is false"}[holds]
		} else {
			holds = false
		}
		add(holds, why, holds)
	}
	if v, has := low.Get("creates"); has {
		done, why := created(v)
		add(done, why, done)
	}
	return out, ok
}

func entries(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// commandOpts are the arguments of a state that its conditions run with too.
func (r *runner) commandOpts(low *ordered.Map) *ordered.Map {
	out := ordered.Pairs("ignore_retcode", true, "python_shell", true)
	for _, key := range []string{"cwd", "root", "runas", "env", "prepend_path", "umask", "timeout", "success_retcodes", "shell"} {
		if v := low.Value(key); v != nil && key != "root" && key != "prepend_path" {
			out.Set(key, v)
		}
	}
	return out
}

// every tells whether all conditions hold: commands that succeed, functions whose answer is true. A command that cannot
// be run counts as unable. why is set when a condition is none.
func (r *runner) every(ctx context.Context, env *states.Env, list []any, opts *ordered.Map, what string, unable int64) (holds bool, why string) {
	holds = len(list) > 0
	for _, e := range list {
		switch t := e.(type) {
		case string:
			code, err := env.Call(ctx, "cmd.retcode", modules.Args{Pos: []any{t}, Kw: opts})
			var failed *modules.CommandError
			if errors.As(err, &failed) || err != nil {
				code = unable
			}
			if code != int64(0) {
				return false, ""
			}
		case *ordered.Map:
			if !t.Has("fun") {
				return what == "onlyif", "no `fun` argument in " + what + ": " + pyfmt.Repr(t)
			}
			v, err := r.function(ctx, env, t)
			if err != nil || !pyfmt.Truth(v) {
				return false, ""
			}
		case bool:
			if !t {
				return false, ""
			}
		default:
			if what == "onlyif" {
				return true, "onlyif execution failed, bad type passed"
			}
			return false, "unless condition is false, bad type passed"
		}
	}
	return holds, ""
}

// function runs a function as a condition: {fun, args, get_return, keyword arguments}.
func (r *runner) function(ctx context.Context, env *states.Env, cond *ordered.Map) (any, error) {
	cond = copied(cond)
	fun := pyfmt.Str(cond.Value("fun"))
	pos, get := cond.List("args"), cond.Value("get_return")
	for _, k := range []string{"fun", "args", "get_return"} {
		cond.Delete(k)
	}
	for i := range pos {
		v, err := r.slot(ctx, pos[i])
		if err != nil {
			return nil, err
		}
		pos[i] = v
	}
	if env.Job != nil { // the exit code of a condition is not that of the run
		before := env.Job.Retcode()
		defer env.Job.SetRetcode(before)
	}
	v, err := env.Call(ctx, fun, modules.Args{Pos: pos, Kw: cond})
	if err != nil || get == nil {
		return v, err
	}
	got, _ := traverse.Get(v, get, ":")
	return got, nil
}

func created(v any) (bool, string) {
	if s, ok := v.(string); ok {
		if _, err := os.Stat(s); err == nil {
			return true, s + " exists"
		}
		return false, "Creates files not found"
	}
	l, ok := v.([]any)
	for _, e := range l {
		if _, err := os.Stat(pyfmt.Str(e)); err != nil {
			return false, "Creates files not found"
		}
	}
	if !ok {
		return false, "Creates files not found"
	}
	return true, "All files in creates exist"
}

// checkCmd lets commands decide whether the state succeeded.
func (r *runner) checkCmd(ctx context.Context, low *ordered.Map, env *states.Env) *ordered.Map {
	out := ordered.Pairs("result", false)
	for _, e := range entries(low.Value("check_cmd")) {
		code, err := env.Call(ctx, "cmd.retcode", modules.Args{Pos: []any{e}, Kw: ordered.Pairs("ignore_retcode", true, "python_shell", true)})
		if err != nil || code != int64(0) {
			return ordered.Pairs("comment", "check_cmd determined the state failed", "result", false)
		}
		out = ordered.Pairs("comment", "check_cmd determined the state succeeded", "result", true)
	}
	return out
}
