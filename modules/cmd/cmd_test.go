package cmd_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/cmd"
	"brine/modules/moduletest"
)

// withShell makes arguments that ask for a shell, as a job's own function has it.
func withShell(pos ...any) modules.Args { return modules.Pos(pos...).With("python_shell", true) }

// drop removes what changes from call to call.
func drop(v any) string {
	m, ok := v.(*ordered.Map)
	if ok {
		m.Delete("pid")
	}
	return pyfmt.Repr(v)
}

func TestRun(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	for _, c := range []struct {
		fun, want string
		a         modules.Args
	}{
		{"cmd.run", `'a\nb'`, withShell("echo a; echo b")},
		{"cmd.run", `'42 7'`, withShell("echo $X $Y").With("env", ordered.Pairs("X", 42, "Y", "7"))},
		{"cmd.run", `'42-'`, withShell("echo $X-$Y").With("env", []any{ordered.Pairs("X", "42"), ordered.Pairs("Y", nil)})},
		{"cmd.run", `'/'`, withShell("pwd").With("cwd", "/")},
		{"cmd.run", `'given'`, withShell("cat").With("stdin", "given")},
		{"cmd.run", `'a\nb'`, withShell("cat").With("stdin", `a\nb`)},
		{"cmd.run", `'a\\nb'`, withShell("cat").With("stdin", `a\nb`).With("stdin_raw_newlines", true)},
		{"cmd.run", `'out\nerr'`, withShell("echo out; echo err >&2")},
		{"cmd.run_stdout", `'out'`, withShell("echo out; echo err >&2")},
		{"cmd.run_stderr", `'err'`, withShell("echo out; echo err >&2")},
		{"cmd.run_stderr", `''`, withShell("echo err >&2").With("hide_output", true)},
		{"cmd.retcode", `3`, withShell("exit 3")},
		{"cmd.retcode", `0`, withShell("exit 3").With("success_retcodes", []any{int64(3), "4"})},
		{"cmd.retcode", `0`, withShell("exit 3").With("success_retcodes", "1,3")},
		{"cmd.run_all", `{'retcode': 2, 'stdout': 'out', 'stderr': 'err'}`, withShell("echo out; echo err >&2; exit 2")},
		{"cmd.run_all", `{'retcode': 0, 'stdout': 'fine enough', 'stderr': ''}`, withShell("echo fine enough; exit 2").With("success_stdout", []any{"enough"})},
		{"cmd.run_all", `{'retcode': 1, 'stdout': '', 'stderr': ''}`, withShell("echo x; exit 1").With("hide_output", true)},
		{"cmd.run_all", `{'retcode': 0, 'stdout': 'o\ne', 'stderr': ''}`, withShell("echo o; echo e >&2").With("redirect_stderr", true)},
		{"cmd.run_all", `{'retcode': -9, 'stdout': '', 'stderr': ''}`, withShell("kill -9 $$")},
		{"cmd.shell", `'2'`, modules.Pos("echo $((1+1))")},
		{"cmd.run", `'one  two'`, modules.Pos("echo 'one  two'")},
		{"cmd.run", `'a b $X'`, modules.Pos([]any{"echo", "a b", "$X"})},
		{"cmd.run", `'/bin/bash: line 1: no-such-command: command not found'`, withShell("no-such-command")},
		{"cmd.run", `'x'`, withShell(`printf 'x\n\n'`)},
		{"cmd.run", `'x\n\n'`, withShell(`printf 'x\n\n'`).With("rstrip", false)},
		{"cmd.run", `'0027'`, withShell("umask").With("umask", "027")},
		{"cmd.run", `'sleep 9 : Timed out after 0.05 seconds'`, withShell("sleep 9").With("timeout", 0.05)},
		{"cmd.run", `"['sleep', '9'] : Timed out after 0.05 seconds"`, modules.Pos("sleep 9").With("timeout", 0.05)},
		{"cmd.run", `'é'`, withShell(`printf '\351'`).With("output_encoding", "latin-1")},
		{"cmd.run", "'\uFFFD'", withShell(`printf '\351'`)},
		{"cmd.run", `'C'`, withShell("echo $LC_NUMERIC")},
		{"cmd.run", `'LANG=x\nPWD=/'`, withShell("export -n SHLVL _; env | sort").With("shell", "/bin/bash").With("cwd", "/").With("env", ordered.Pairs("LANG", "x")).
			With("clean_env", true).With("reset_system_locale", false)},
		{"cmd.exec_code", `'from-code a'`, modules.Pos("sh", "echo from-code $1").With("args", "a")},
		{"cmd.exec_code_all", `{'retcode': 4, 'stdout': '', 'stderr': ''}`, modules.Pos("sh", "exit 4")},
		{"cmd.run", `'m1'`, withShell("echo {{ grains.id }}").With("template", "jinja")},
		{"cmd.which", `None`, modules.Pos("surely-not-here")},
		{"cmd.which_bin", `'/bin/sh'`, modules.Pos([]any{"surely-not-here", "/bin/sh"})},
		{"cmd.has_exec", `False`, modules.Pos("surely-not-here")},
		{"cmd.tty", `{'Error': 'The specified device is not a valid TTY'}`, modules.Pos("../etc/passwd")},
		{"cmd.shell_info", `{'error': 'Salt does not know how to get the version number for ksh', 'installed': None}`, modules.Pos("ksh")},
	} {
		got := drop(b.Run(c.fun, c.a))
		if c.want == `'LANG=x\nPWD=/'` {
			assert.Contains(t, got, `LANG=x\nPWD=/`)
			continue
		}
		assert.Equal(t, c.want, got, "%s %v", c.fun, c.a.Pos)
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	for want, a := range map[string]modules.Args{
		"Specified cwd '/no/such/folder' either not absolute or does not exist": withShell("echo").With("cwd", "/no/such/folder"),
		"Specified cwd 'rel' either not absolute or does not exist":             withShell("echo").With("cwd", "rel"),
		"User 'no-such-user' is not available":                                  withShell("echo").With("runas", "no-such-user"),
		"Group 'no-such-group' is not available":                                withShell("echo").With("group", "no-such-group"),
		"The shell /bin/no-such-shell is not available":                         withShell("echo").With("shell", "/bin/no-such-shell"),
		"Zero umask is not allowed.":                                            withShell("echo").With("umask", "000"),
		"Invalid umask: '9'":                                                    withShell("echo").With("umask", "9"),
		"success_retcodes must be a list of integers":                           withShell("echo").With("success_retcodes", "a"),
		"No closing quotation":                                                  modules.Pos("echo 'a"),
		"Error: timeout soon must be a number":                                  withShell("echo").With("timeout", "soon"),
		"Unable to run command '['no-such-command']' with the context '{'cwd': '/', 'shell': False}', reason: [Errno 2] No such file or directory: 'no-such-command'": modules.Pos("no-such-command").With("cwd", "/"),
		"Attempted to render file paths with unavailable engine mako": withShell("echo").With("template", "mako"),
		"boom": withShell("echo boom; exit 1").With("raise_err", true),
	} {
		b.Fails(want, "cmd.run", a)
	}
	b.Fails("Must specify a valid powershell binary. Must be 'powershell' or 'pwsh'", "cmd.powershell", modules.Pos("x").With("shell", "sh"))
}

func TestShellByDefault(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	b.Want(`'a | cat'`, "cmd.run", "echo a | cat")
	b.Job.Fun = "cmd.run"
	b.Want(`'a'`, "cmd.run", "echo a | cat")
	b.Want(`'a | cat'`, "cmd.run_stdout", "echo a | cat")
	b.Opts.Set("cmd_safe", false)
	b.Want(`'a'`, "cmd.run_stdout", "echo a | cat")
}

func TestRetcodeOfTheJob(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	b.Run("cmd.run", withShell("exit 5"))
	assert.Equal(t, 5, b.Job.Retcode())
	b.Run("cmd.run", withShell("exit 5").With("ignore_retcode", true))
	assert.Zero(t, b.Job.Retcode())
}

func TestBlacklist(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	b.Job.Fun = "cmd.run"
	b.Opts.Set("cmd_blacklist_glob", []any{"rm *"})
	b.Fails(`The shell command "rm -rf x" is not permitted`, "cmd.run", modules.Pos("rm -rf x"))
	b.Want("'x'", "cmd.run", "echo x")
	b.Opts.Set("cmd_whitelist_glob", []any{"ls*"})
	b.Fails(`The shell command "echo x" is not permitted`, "cmd.run", modules.Pos("echo x"))
}

func TestBackground(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	mark := b.Work("mark")
	pid, _ := b.Run("cmd.run_bg", withShell("echo done > "+mark)).(*ordered.Map).Value("pid").(int64)
	assert.Positive(t, pid)
	require.Eventually(t, func() bool { p, err := os.ReadFile(mark); return err == nil && string(p) == "done\n" }, 5*time.Second, 5*time.Millisecond)
	b.WantArgs("''", "cmd.run", withShell("true").With("bg", true))
}

func TestCancel(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, cmd.Module())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := b.Call(ctx, "cmd.run", withShell("sleep 60"))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestScript(t *testing.T) {
	t.Parallel()
	fetched := modules.Module{Name: "cp", Funcs: []modules.Func{
		modules.Fn("cache_file", "", func(_ context.Context, env *modules.Env, in struct {
			Path    string `arg:"path"`
			Saltenv string `arg:"saltenv"`
		}) (any, error) {
			if in.Path != "salt://s.sh" {
				return false, nil
			}
			return env.Opts.String("cachedir") + "/s.sh", nil
		}),
	}}
	b := moduletest.New(t, cmd.Module(), fetched)
	require.NoError(t, os.WriteFile(b.Dir+"/cache/s.sh", []byte("#!/bin/sh\necho script $1 $2; exit 3\n"), 0o600))
	assert.Equal(t, "{'retcode': 3, 'stdout': 'script a b', 'stderr': ''}", drop(b.Run("cmd.script", modules.Pos("salt://s.sh", "a b"))))
	b.WantArgs("3", "cmd.script_retcode", modules.Pos("salt://s.sh").With("template", nil))
	b.Want("{'pid': 0, 'retcode': 1, 'stdout': '', 'stderr': '', 'cache_error': True}", "cmd.script", "salt://none.sh")
}
