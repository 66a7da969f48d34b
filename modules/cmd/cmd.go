// Package cmd holds the cmd.* functions: they run commands and scripts.
package cmd

import (
	"context"

	"brine/internal/ordered"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "cmd", Doc: "Functions that run commands, scripts and snippets of code.", Funcs: []modules.Func{
		modules.Fn("exec_code", execCodeDoc, execCode),
		modules.Fn("exec_code_all", execCodeAllDoc, execCodeAll),
		modules.PureFn("has_exec", hasExecDoc, hasExec),
		modules.FnPick("powershell", powershellDoc, "cmd cwd stdin runas shell='powershell' env clean_env template rstrip umask output_encoding "+
			"output_loglevel hide_output timeout reset_system_locale ignore_retcode saltenv use_vt password depth encode_cmd "+success, powershell),
		modules.FnPick("powershell_all", powershellAllDoc, "cmd cwd stdin runas shell='powershell' env clean_env template rstrip umask output_encoding "+
			"output_loglevel quiet timeout reset_system_locale ignore_retcode saltenv use_vt password depth encode_cmd force_list "+success, powershell),
		modules.FnPick("retcode", retcodeDoc, base+"python_shell env clean_env template umask "+logging+
			"timeout reset_system_locale ignore_retcode saltenv use_vt password "+success, retcode),
		modules.FnPick("run", runDoc, base+"python_shell env clean_env template rstrip umask "+logging+
			"hide_output timeout reset_system_locale ignore_retcode saltenv use_vt bg password encoded_cmd raise_err prepend_path "+success, run),
		modules.FnPick("run_all", runAllDoc, base+"python_shell env clean_env template rstrip umask "+logging+
			"hide_output timeout reset_system_locale ignore_retcode saltenv use_vt redirect_stderr password encoded_cmd prepend_path "+success, runAll),
		modules.FnPick("run_bg", runBgDoc, "cmd cwd runas group shell python_shell env clean_env template umask timeout "+logging+
			"reset_system_locale ignore_retcode saltenv password prepend_path "+success, runBg),
		modules.FnPick("run_chroot", runChrootDoc, "root "+base+"python_shell=True binds env clean_env template rstrip umask output_encoding "+
			"output_loglevel='quiet' log_callback hide_output timeout reset_system_locale ignore_retcode saltenv use_vt bg "+success, runChroot),
		modules.FnPick("run_stderr", runStderrDoc, base+"python_shell env clean_env template rstrip umask "+logging+
			"hide_output timeout reset_system_locale ignore_retcode saltenv use_vt password prepend_path "+success, runStderr),
		modules.FnPick("run_stdout", runStdoutDoc, base+"python_shell env clean_env template rstrip umask "+logging+
			"hide_output timeout reset_system_locale ignore_retcode saltenv use_vt password prepend_path "+success, runStdout),
		modules.FnPick("script", scriptDoc, "source args cwd stdin runas group shell python_shell env template umask "+logging+
			"hide_output timeout reset_system_locale saltenv use_vt bg password "+success, script),
		modules.FnPick("script_retcode", scriptRetcodeDoc, "source args cwd stdin runas group shell python_shell env template='jinja' umask "+
			"timeout reset_system_locale saltenv output_encoding output_loglevel log_callback use_vt password "+success, scriptRetcode),
		modules.FnPick("shell", shellDoc, base+"env clean_env template rstrip umask "+logging+
			"hide_output timeout reset_system_locale ignore_retcode saltenv use_vt bg password prepend_path "+success, shell),
		modules.PureFn("shell_info", shellInfoDoc, shellInfo),
		modules.PureFn("shells", shellsDoc, shells),
		modules.Fn("tty", ttyDoc, tty),
		modules.PureFn("which", whichDoc, which),
		modules.PureFn("which_bin", whichBinDoc, whichBin),
	}}
}

// The parameters that the functions share, in the order in which Salt has them.
const (
	base    = "cmd cwd stdin runas group shell "
	logging = "output_encoding output_loglevel log_callback "
	success = "success_retcodes success_stdout success_stderr"
)

// command is what may be said of a command; each function takes a part of it.
type command struct {
	Root            string         `arg:"root"`
	Source          string         `arg:"source"`
	Args            any            `arg:"args" def:"None"`
	Cmd             any            `arg:"cmd"`
	Cwd             any            `arg:"cwd" def:"None"`
	Stdin           any            `arg:"stdin" def:"None"`
	Runas           any            `arg:"runas" def:"None"`
	Group           any            `arg:"group" def:"None"`
	Shell           string         `arg:"shell" def:"'/bin/bash'"`
	PythonShell     any            `arg:"python_shell" def:"None"`
	Binds           any            `arg:"binds" def:"None"`
	Env             any            `arg:"env" def:"None"`
	CleanEnv        bool           `arg:"clean_env" def:"False"`
	Template        any            `arg:"template" def:"None"`
	Rstrip          bool           `arg:"rstrip" def:"True"`
	Umask           any            `arg:"umask" def:"None"`
	OutputEncoding  any            `arg:"output_encoding" def:"None"`
	OutputLoglevel  any            `arg:"output_loglevel" def:"'debug'"`
	LogCallback     any            `arg:"log_callback" def:"None"`
	HideOutput      bool           `arg:"hide_output" def:"False"`
	Quiet           any            `arg:"quiet" def:"False"`
	Timeout         any            `arg:"timeout" def:"None"`
	ResetLocale     bool           `arg:"reset_system_locale" def:"True"`
	IgnoreRetcode   bool           `arg:"ignore_retcode" def:"False"`
	Saltenv         any            `arg:"saltenv" def:"None"`
	UseVT           bool           `arg:"use_vt" def:"False"`
	BG              bool           `arg:"bg" def:"False"`
	RedirectStderr  bool           `arg:"redirect_stderr" def:"False"`
	Password        any            `arg:"password" def:"None"`
	Depth           any            `arg:"depth" def:"None"`
	EncodeCmd       bool           `arg:"encode_cmd" def:"False"`
	EncodedCmd      bool           `arg:"encoded_cmd" def:"False"`
	ForceList       bool           `arg:"force_list" def:"False"`
	RaiseErr        bool           `arg:"raise_err" def:"False"`
	PrependPath     any            `arg:"prepend_path" def:"None"`
	SuccessRetcodes any            `arg:"success_retcodes" def:"None"`
	SuccessStdout   any            `arg:"success_stdout" def:"None"`
	SuccessStderr   any            `arg:"success_stderr" def:"None"`
	Kwargs          modules.Kwargs `arg:"**kwargs"`
}

const common = `
cwd
    folder to run in; the home of the user who runs it when not given
stdin
    text for the standard input; \n in it becomes a line break unless stdin_raw_newlines=True
runas, group
    run as another user or group
shell, python_shell
    the shell, and whether one is used at all: True for pipes and the like
env, clean_env, prepend_path
    environment variables to set, whether all others are dropped, and folders to put before PATH
umask, timeout
    umask in octal, and seconds after which the command is ended
success_retcodes, success_stdout, success_stderr
    exit codes, and texts in the output, that count as success

CLI Example:

    salt '*' cmd.`

const runDoc = `Run a command and give back what it printed, standard output and errors together.
` + common + `run "ls -l | awk '/foo/{print \\$2}'"
    salt '*' cmd.run cmd='sed -e s/=/:/g' stdin='a=b' env='{"LANG": "C"}'`

func run(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "run", in.PythonShell)
	return in.text(ctx, env)
}

// text runs with both streams together and answers what was printed.
func (in *command) text(ctx context.Context, env *modules.Env) (any, error) {
	res, err := in.run(ctx, env, true)
	if err != nil {
		return nil, err
	}
	out := res.stdout
	if in.HideOutput {
		out = ""
	}
	if in.RaiseErr && !in.quiet() && !in.IgnoreRetcode && res.retcode != int64(0) {
		return nil, modules.Errorf("%s", out)
	}
	return out, nil
}

const shellDoc = `Run a command line with a shell and give back what it printed.
` + common + `shell "ls -l | awk '/foo/{print \\$2}'"`

func shell(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = true
	if v, ok := in.Kwargs.Get("python_shell"); ok {
		in.PythonShell = v
	}
	return in.text(ctx, env)
}

const runStdoutDoc = `Run a command and give back its standard output alone.
` + common + `run_stdout "ls -l | awk '/foo/{print \\$2}'"`

func runStdout(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "run_stdout", in.PythonShell)
	res, err := in.run(ctx, env, false)
	if err != nil || in.HideOutput {
		return "", err
	}
	return res.stdout, nil
}

const runStderrDoc = `Run a command and give back its standard error alone.
` + common + `run_stderr "ls -l /absent"`

func runStderr(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "run_stderr", in.PythonShell)
	res, err := in.run(ctx, env, false)
	if err != nil || in.HideOutput {
		return "", err
	}
	return res.stderr, nil
}

const runAllDoc = `Run a command and give back its pid, exit code and both outputs.
` + common + `run_all "ls -l | awk '/foo/{print \\$2}'"`

func runAll(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "run_all", in.PythonShell)
	return in.all(ctx, env)
}

// all runs and answers everything.
func (in *command) all(ctx context.Context, env *modules.Env) (any, error) {
	res, err := in.run(ctx, env, in.RedirectStderr)
	if err != nil {
		return nil, err
	}
	return res.data(in.HideOutput), nil
}

const retcodeDoc = `Run a command and give back its exit code.
` + common + `retcode "file /bin/bash"`

func retcode(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "retcode", in.PythonShell)
	res, err := in.run(ctx, env, true)
	return res.retcode, err
}

const runBgDoc = `Start a command, give back its pid and do not wait for it.
` + common + `run_bg "fstrim-all"`

func runBg(ctx context.Context, env *modules.Env, in command) (any, error) {
	in.PythonShell = pythonShell(env, "run_bg", in.PythonShell)
	in.BG, in.IgnoreRetcode = true, true
	res, err := in.run(ctx, env, false)
	if err != nil {
		return nil, err
	}
	return ordered.Pairs("pid", res.pid), nil
}
