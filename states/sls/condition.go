package sls

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
	"brine/states"
)

// conditions reads onlyif, unless and creates. ok is false when there are none. A result of true ends the state.
func (r *runner) conditions(ctx context.Context, low *ordered.Map, env *states.Env) (out *ordered.Map, ok bool, err error) {
	skip, why := false, []string{}
	add := func(res bool, comment string) {
		skip, why = skip || res, append(why, comment)
	}
	opts := r.commandOpts(low)
	for _, c := range []condition{{what: "onlyif", unable: 100}, {what: "unless", unable: 0}} {
		v, has := low.Get(c.what)
		if !has {
			continue
		}
		c.runner, c.env, c.opts = r, env, opts
		res, comment, err := c.decide(ctx, entries(v))
		if err != nil {
			return nil, false, err
		}
		add(res, comment)
	}
	if v, has := low.Get("creates"); has {
		add(created(v))
	}
	if len(why) == 0 {
		return nil, false, nil
	}
	out = ordered.Pairs("result", skip, "comment", strings.Join(why, "\n"))
	if skip {
		out.Set("skip_watch", true)
	}
	return out, true, nil
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

// condition is onlyif or unless of one state. A command that cannot be run counts as one that exits with unable.
type condition struct {
	*runner
	what   string
	unable int64
	env    *states.Env
	opts   *ordered.Map
}

// decide tells whether the condition ends the state, and Salt's words for it. onlyif ends it when one entry does not
// hold, unless when all do.
func (c *condition) decide(ctx context.Context, list []any) (skip bool, why string, err error) {
	if len(list) == 0 {
		return false, "", fmt.Errorf("%s is an empty list", c.what)
	}
	onlyif := c.what == "onlyif"
	for _, e := range list {
		var holds bool
		switch t := e.(type) {
		case string:
			if holds, err = c.command(ctx, t); err != nil {
				return false, "", err
			}
		case *ordered.Map:
			if !t.Has("fun") {
				return skip, "no `fun` argument in " + c.what + ": " + pyfmt.Repr(t), nil
			}
			if holds, err = c.function(ctx, t); err != nil {
				return false, "", err
			}
		default:
			if onlyif {
				return false, "onlyif execution failed, bad type passed", nil
			}
			skip, why = false, "unless condition is false, bad type passed"
			continue
		}
		why = c.what + " condition is " + strings.ToLower(pyfmt.Str(holds))
		skip = holds != onlyif
		if !holds {
			return skip, why, nil
		}
	}
	return skip, why, nil
}

func (c *condition) command(ctx context.Context, line string) (bool, error) {
	code, err := c.env.Call(ctx, "cmd.retcode", modules.Args{Pos: []any{line}, Kw: c.opts})
	var failed *modules.CommandError
	if errors.As(err, &failed) {
		code, err = c.unable, nil
	}
	return code == int64(0), err
}

// function runs a function as a condition: {fun, args, get_return, keyword arguments}. An exit code that it leaves, as the
// functions that run commands do, counts more than what it returns.
func (c *condition) function(ctx context.Context, cond *ordered.Map) (bool, error) {
	cond = copied(cond)
	fun := pyfmt.Str(cond.Value("fun"))
	pos, get := cond.List("args"), cond.Value("get_return")
	for _, k := range []string{"fun", "args", "get_return"} {
		cond.Delete(k)
	}
	for i := range pos {
		v, err := c.slot(ctx, pos[i])
		if err != nil {
			return false, err
		}
		pos[i] = v
	}
	cond, err := c.slots(ctx, cond)
	if err != nil {
		return false, err
	}
	if c.env.Job != nil { // the exit code of a condition is not that of the run
		before := c.env.Job.Retcode()
		defer c.env.Job.SetRetcode(before)
		c.env.Job.SetRetcode(0)
	}
	v, err := c.env.Call(ctx, fun, modules.Args{Pos: pos, Kw: cond})
	if err != nil {
		return false, err
	}
	if get != nil {
		v, _ = traverse.Get(v, get, ":")
	}
	return pyfmt.Truth(v) && (c.env.Job == nil || c.env.Job.Retcode() == 0), nil
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

// checkCmd lets commands decide whether the state succeeded, also one that its conditions kept from running. It is nil
// when there are none, or the family runs them itself.
func (r *runner) checkCmd(ctx context.Context, low *ordered.Map, env *states.Env) *ordered.Map {
	if f := r.States.Family(text(low, "state")); !low.Has("check_cmd") || f != nil && f.OwnCheckCmd {
		return nil
	}
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
