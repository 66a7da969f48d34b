// Package cmd holds the cmd.* states: they run commands and scripts, always, or when something that they watch changed.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/shlex"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "cmd", Doc: "States that run commands.", Watch: watch, Funcs: []states.Func{
		states.Opaque("run", runDoc, run),
		states.Opaque("script", scriptDoc, script),
		states.Opaque("wait", "Run a command when something that it watches has changed. The arguments are those of cmd.run.", wait),
		states.Opaque("watch", "Another name of cmd.wait.", wait),
		states.Opaque("wait_script", "Run a script when something that it watches has changed. The arguments are those of cmd.script.", wait),
	}}
}

const runDoc = `Run a command. That it ran is a change; an exit code other than 0 is a failure.

name
    the command, for a shell
cwd, runas, env, timeout, shell, umask, success_retcodes
    as for the function cmd.run
stateful
    the command says itself whether it changed something, in JSON or as changed=yes comment='text' on its last line;
    a list [test_name: command] names a command for dry runs`

const scriptDoc = `Fetch a script and run it. The arguments are those of cmd.run, and:

source
    the script, such as salt://scripts/foo.sh; the name by default
args
    its arguments
template
    render it first, with defaults and context as variables`

// own are the arguments of the states that the functions do not take.
type runArgs struct {
	Name          string         `arg:"name"`
	Cwd           any            `arg:"cwd" def:"None"`
	Root          any            `arg:"root" def:"None"`
	Runas         any            `arg:"runas" def:"None"`
	Shell         any            `arg:"shell" def:"None"`
	Env           any            `arg:"env" def:"None"`
	Stateful      any            `arg:"stateful" def:"False"`
	LogLevel      any            `arg:"output_loglevel" def:"'debug'"`
	Hide          bool           `arg:"hide_output" def:"False"`
	Timeout       any            `arg:"timeout" def:"None"`
	IgnoreTimeout bool           `arg:"ignore_timeout" def:"False"`
	UseVT         bool           `arg:"use_vt" def:"False"`
	Retcodes      any            `arg:"success_retcodes" def:"None"`
	Stdout        any            `arg:"success_stdout" def:"None"`
	Stderr        any            `arg:"success_stderr" def:"None"`
	Umask         any            `arg:"umask" def:"None"`
	Prepend       any            `arg:"prepend_path" def:"None"`
	Extra         modules.Kwargs `arg:"**kwargs"`
}

// kwargs are the arguments of the execution function.
func (in runArgs) kwargs(ctx context.Context, env *states.Env) *ordered.Map {
	kw := ordered.New(16)
	kw.Update(in.Extra)
	shell := in.Shell
	if !pyfmt.Truth(shell) {
		shell = env.Grains.Items(ctx).Value("shell")
	}
	for k, v := range map[string]any{"cwd": in.Cwd, "runas": in.Runas, "shell": shell, "env": in.Env, "output_loglevel": in.LogLevel, "timeout": in.Timeout,
		"success_retcodes": in.Retcodes, "success_stdout": in.Stdout, "success_stderr": in.Stderr, "umask": in.Umask, "prepend_path": in.Prepend} {
		if v != nil {
			kw.Set(k, v)
		}
	}
	if in.Hide {
		kw.Set("hide_output", true)
	}
	kw.Set("python_shell", true)
	for _, k := range []string{"name", "sfun", "__reqs__", "defaults", "context", "source", "args", "template"} {
		kw.Delete(k)
	}
	return kw
}

// stateful reads the argument: whether the command tells its own state, and the one for dry runs.
func (in runArgs) stateful() (on bool, testName string) {
	l, ok := in.Stateful.([]any)
	if !ok {
		return in.Stateful == true, ""
	}
	if len(l) > 0 {
		if m, ok := l[0].(*ordered.Map); ok {
			testName = m.String("test_name")
		}
	}
	return true, testName
}

// refused checks what can be checked before anything runs.
func (in runArgs) refused() *states.Result {
	switch in.Env.(type) {
	case nil, []any, *ordered.Map:
	default:
		return states.Failed("Invalidly-formatted 'env' parameter. See documentation.")
	}
	return nil
}

func (in runArgs) noFolder() *states.Result {
	if !pyfmt.Truth(in.Cwd) {
		return nil
	}
	dir := pyfmt.Str(in.Cwd)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return states.Failed(`Desired working directory "%s" is not available`, dir)
	}
	return nil
}

func run(ctx context.Context, env *states.Env, in runArgs) (*states.Result, error) {
	on, testName := in.stateful()
	if r := in.refused(); r != nil {
		return r, nil
	}
	name := in.Name
	if env.Test {
		if testName == "" {
			r := &states.Result{Comment: fmt.Sprintf(`Command "%s" would have been executed`, name)}
			if on {
				reinterpret(r)
			}
			return r, nil
		}
		name = testName
	}
	if r := in.noFolder(); r != nil {
		return r, nil
	}
	fun, pos := "cmd.run_all", []any{name}
	if pyfmt.Truth(in.Root) {
		fun, pos = "cmd.run_chroot", []any{in.Root, name}
	}
	v, err := env.Call(ctx, fun, modules.Args{Pos: pos, Kw: in.kwargs(ctx, env)})
	if err != nil {
		return failed(ctx, err)
	}
	out, _ := v.(*ordered.Map)
	ok := out.Value("retcode") == int64(0)
	if in.IgnoreTimeout && out.Value("retcode") == int64(1) && strings.Contains(out.String("stdout"), "Timed out after") {
		out.Set("retcode", int64(0))
		ok = true
	}
	r := &states.Result{OK: &ok, Changes: out, Comment: fmt.Sprintf(`Command "%s" run`, name)}
	return finish(env, r, on, ok), nil
}

// failed makes a result of a function that refused; the end of the job is no result.
func failed(ctx context.Context, err error) (*states.Result, error) {
	if ctx.Err() != nil {
		return nil, err
	}
	var command *modules.CommandError
	var invalid *modules.InvocationError
	if errors.As(err, &command) || errors.As(err, &invalid) {
		return states.Failed("%s", err.Error()), nil
	}
	return states.Failed("%v", err), nil
}

func finish(env *states.Env, r *states.Result, stateful, ok bool) *states.Result {
	if stateful {
		reinterpret(r)
	}
	if env.Test && ok && r.Changes.Len() > 0 {
		r.OK = nil
	}
	return r
}

// reinterpret takes result and changes from what the command printed: a JSON object, or words on the last line.
func reinterpret(r *states.Result) {
	ret := r.Changes
	r.Changes, r.Comment = ordered.New(0), ""
	out := ret.String("stdout")
	if out == "" {
		if e := ret.String("stderr"); e != "" {
			r.Comment = e
		}
		return
	}
	data, at, isJSON := ordered.New(4), len(out), false
	if v, err := ordered.FromJSON([]byte(out)); err == nil {
		m, ok := v.(*ordered.Map)
		if !ok {
			r.OK, r.Comment = states.False(), "script JSON output must be a JSON object (e.g., {})!"
			return
		}
		data, isJSON = m, true
	} else {
		line := strings.TrimRight(out, " \t\r\n")
		if at = strings.LastIndexByte(line, '\n'); at >= 0 {
			out = out[at+1:]
		}
		words, err := shlex.Split(out)
		for _, w := range words {
			k, v, ok := strings.Cut(w, "=")
			if !ok || strings.Contains(v, "=") {
				err = errors.New("no pair")
				break
			}
			data.Set(k, v)
		}
		if err != nil {
			r.OK, r.Comment, r.Changes = states.False(), "Failed parsing script output! Stdout must be JSON or a line of name=value pairs.", ret
			return
		}
	}
	changed := truthy(data.Value("changed"))
	if c, ok := data.Get("comment"); ok {
		r.Comment = c
		data.Delete("comment")
	}
	if !changed {
		return
	}
	for k, v := range ret.All() {
		if !data.Has(k) {
			data.Set(k, v)
		}
	}
	text := ""
	if s := data.String("stdout"); !isJSON && at >= 0 {
		text = s[:min(at, len(s))]
	} else if !isJSON && len(s) > 0 {
		text = s[:len(s)-1] // Python's [: -1]
	}
	data.Set("stdout", text)
	r.Changes = data
}

func truthy(v any) bool {
	switch t := v.(type) {
	case string:
		switch strings.ToLower(t) {
		case "true", "t", "yes", "y", "on", "1", "enable", "enabled", "force":
			return true
		}
		return false
	}
	return pyfmt.Truth(v)
}

type scriptArgs struct {
	Name     string         `arg:"name"`
	Source   any            `arg:"source" def:"None"`
	Template any            `arg:"template" def:"None"`
	Args     any            `arg:"args" def:"None"`
	Cwd      any            `arg:"cwd" def:"None"`
	Runas    any            `arg:"runas" def:"None"`
	Shell    any            `arg:"shell" def:"None"`
	Env      any            `arg:"env" def:"None"`
	Stateful any            `arg:"stateful" def:"False"`
	Timeout  any            `arg:"timeout" def:"None"`
	LogLevel any            `arg:"output_loglevel" def:"'debug'"`
	Hide     bool           `arg:"hide_output" def:"False"`
	UseVT    bool           `arg:"use_vt" def:"False"`
	Defaults any            `arg:"defaults" def:"None"`
	Context  any            `arg:"context" def:"None"`
	Retcodes any            `arg:"success_retcodes" def:"None"`
	Stdout   any            `arg:"success_stdout" def:"None"`
	Stderr   any            `arg:"success_stderr" def:"None"`
	Umask    any            `arg:"umask" def:"None"`
	Extra    modules.Kwargs `arg:"**kwargs"`
}

func script(ctx context.Context, env *states.Env, in scriptArgs) (*states.Result, error) {
	as := runArgs{Name: in.Name, Cwd: in.Cwd, Runas: in.Runas, Shell: in.Shell, Env: in.Env, Stateful: in.Stateful, Timeout: in.Timeout, LogLevel: in.LogLevel,
		Hide: in.Hide, Retcodes: in.Retcodes, Stdout: in.Stdout, Stderr: in.Stderr, Umask: in.Umask, Extra: in.Extra}
	vars := ordered.New(2)
	for name, v := range map[string]any{"defaults": in.Defaults, "context": in.Context} {
		m, ok := v.(*ordered.Map)
		if pyfmt.Truth(v) && !ok {
			return states.Failed("Invalidly-formatted '%s' parameter. Must be formed as a dict.", name), nil
		}
		if name == "defaults" {
			merged := m.Clone()
			merged.Update(vars)
			vars = merged
		} else {
			vars.Update(m)
		}
	}
	if r := as.refused(); r != nil {
		return r, nil
	}
	on, testName := as.stateful()
	if env.Test && testName == "" {
		r := &states.Result{Comment: fmt.Sprintf("Command '%s' would have been executed", in.Name)}
		if on {
			r.Comment = ""
		}
		return r, nil
	}
	if r := as.noFolder(); r != nil {
		return r, nil
	}
	source := in.Source
	if source == nil {
		source = in.Name
	}
	kw := as.kwargs(ctx, env)
	if !pyfmt.Truth(in.Args) {
		if _, rest, ok := strings.Cut(in.Name, " "); ok {
			in.Args = rest
		}
	}
	for k, v := range map[string]any{"args": in.Args, "template": in.Template} {
		if v != nil {
			kw.Set(k, v)
		}
	}
	if vars.Len() > 0 {
		kw.Set("context", vars)
	}
	kw.Set("saltenv", env.Saltenv)
	v, err := env.Call(ctx, "cmd.script", modules.Args{Pos: []any{source}, Kw: kw})
	if err != nil {
		return failed(ctx, err)
	}
	out, _ := v.(*ordered.Map)
	ok := out.Value("retcode") == int64(0)
	r := &states.Result{OK: &ok, Changes: out, Comment: fmt.Sprintf("Command '%s' run", in.Name)}
	if pyfmt.Truth(out.Value("cache_error")) {
		r.Comment = fmt.Sprintf("Unable to cache script %s from saltenv '%s'", pyfmt.Str(source), env.Saltenv)
	}
	return finish(env, r, on, ok), nil
}

type waitArgs struct {
	Name  string         `arg:"name"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// wait does nothing: watch does it when something has changed.
func wait(context.Context, *states.Env, waitArgs) (*states.Result, error) {
	return states.Fine(""), nil
}

func watch(ctx context.Context, env *states.Env, fun string, a modules.Args) (*states.Result, error) {
	a.Kw.Delete("__reqs__")
	switch fun {
	case "wait", "run", "watch":
		in, err := modules.Bind[runArgs]("run", a)
		if err != nil {
			return nil, err
		}
		return run(ctx, env, in)
	case "wait_script", "script":
		in, err := modules.Bind[scriptArgs]("script", a)
		if err != nil {
			return nil, err
		}
		return script(ctx, env, in)
	}
	return states.Failed("cmd.%s does not work with the watch requisite, please use cmd.wait or cmd.wait_script", fun), nil
}
