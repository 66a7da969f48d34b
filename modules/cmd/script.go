package cmd

import (
	"context"
	"os"
	"strings"

	"brine/internal/fileinfo"
	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/shlex"
	"brine/modules"
)

const scriptDoc = `Fetch a script from the file server, or by any address that cp.cache_file takes, and run it; give back its pid, exit code and
both outputs. With template=jinja it is rendered first.
` + common + `script salt://scripts/runme.sh 'arg1 arg2 "arg 3"'`

func script(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "script", in.PythonShell)
	return in.script(ctx, env)
}

const scriptRetcodeDoc = `Fetch a script, render it, run it and give back its exit code.
` + common + `script_retcode salt://scripts/runme.sh`

func scriptRetcode(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "script_retcode", in.PythonShell)
	out, err := in.script(ctx, env)
	if err != nil {
		return nil, err
	}
	return out.Value("retcode"), nil
}

func (in *command) script(ctx context.Context, env *modules.Env) (*ordered.Map, error) {
	saltenv := text(in.Saltenv)
	if saltenv == "" {
		saltenv = env.Saltenv
	}
	source, _, _ := strings.Cut(in.Source, "?saltenv=")
	_, ext := pypath.Splitext(source)
	dir := ""
	if pyfmt.Truth(in.Cwd) {
		dir = pyfmt.Str(in.Cwd)
	}
	f, err := os.CreateTemp(dir, "__salt.tmp.*"+ext)
	if err != nil {
		return nil, err
	}
	path := f.Name()
	_ = f.Close()
	defer os.Remove(path)
	found, err := in.fetch(ctx, env, path, saltenv)
	if err != nil {
		return nil, err
	}
	if !found {
		return ordered.Pairs("pid", 0, "retcode", 1, "stdout", "", "stderr", "", "cache_error", true), nil
	}
	if err := lock(path, in.Runas, 0o500); err != nil {
		return nil, err
	}
	in.Cmd = shlex.Quote(path)
	if pyfmt.Truth(in.Args) {
		in.Cmd = shlex.Quote(path) + " " + pyfmt.Str(in.Args)
	}
	in.Template, in.Rstrip = nil, true
	res, err := in.run(ctx, env, false)
	if err != nil {
		return nil, err
	}
	return res.data(in.HideOutput), nil
}

// fetch puts the script at path; false when there is none.
func (in *command) fetch(ctx context.Context, env *modules.Env, path, saltenv string) (bool, error) {
	if tmpl := text(in.Template); tmpl != "" {
		kw := in.Kwargs.Clone()
		got, err := env.Call(ctx, "cp.get_template", modules.Args{Pos: []any{in.Source, path, tmpl, saltenv}, Kw: kw})
		return pyfmt.Truth(got), err
	}
	got, err := env.Call(ctx, "cp.cache_file", modules.Pos(in.Source, saltenv))
	if err != nil {
		return false, err
	}
	cached, ok := got.(string)
	if !ok || cached == "" {
		return false, nil
	}
	return true, fileops.Copy(cached, path)
}

// lock makes a file readable, or runnable, for one user alone.
func lock(path string, runas any, mode os.FileMode) error {
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	if uid, ok := fileinfo.UID(runas); ok && uid != os.Geteuid() {
		return os.Chown(path, uid, -1)
	}
	return nil
}

const execCodeDoc = `Run a snippet of code with an interpreter and give back what it printed. All parameters of cmd.run_all but python_shell may be
given.

CLI Example:

    salt '*' cmd.exec_code ruby 'puts "cheese"'
    salt '*' cmd.exec_code ruby 'puts "cheese"' args='["arg1", "arg2"]' env='{"FOO": "bar"}'`

const execCodeAllDoc = `Run a snippet of code with an interpreter and give back its pid, exit code and both outputs.

CLI Example:

    salt '*' cmd.exec_code_all ruby 'puts "cheese"'`

type codeArgs struct {
	Lang   string         `arg:"lang"`
	Code   string         `arg:"code"`
	Cwd    any            `arg:"cwd" def:"None"`
	Args   any            `arg:"args" def:"None"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func execCode(ctx context.Context, env *modules.Env, in codeArgs) (any, error) {
	out, err := execCodeAll(ctx, env, in)
	if m, ok := out.(*ordered.Map); ok && err == nil {
		return m.Value("stdout"), nil
	}
	return nil, err
}

func execCodeAll(ctx context.Context, env *modules.Env, in codeArgs) (any, error) {
	f, err := os.CreateTemp("", "__salt.tmp.*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(in.Code)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	if runas, ok := in.Kwargs.Get("runas"); ok && runas != nil {
		if err := lock(f.Name(), runas, 0o600); err != nil {
			return nil, err
		}
	}
	cmd := []any{in.Lang, f.Name()}
	switch a := in.Args.(type) {
	case string:
		cmd = append(cmd, a)
	case []any:
		cmd = append(cmd, a...)
	}
	kw := in.Kwargs.Clone()
	kw.Set("cwd", in.Cwd)
	kw.Set("python_shell", false)
	return env.Call(ctx, "cmd.run_all", modules.Args{Pos: []any{cmd}, Kw: kw})
}
