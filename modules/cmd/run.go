package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"brine/internal/fnmatch"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/shlex"
	"brine/modules"
)

// result of a command. retcode is nil for one that was left in the background.
type result struct {
	pid            int
	retcode        any
	stdout, stderr string
}

func (r result) data(hide bool) *ordered.Map {
	if hide {
		r.stdout, r.stderr = "", ""
	}
	return ordered.Pairs("pid", r.pid, "retcode", r.retcode, "stdout", r.stdout, "stderr", r.stderr)
}

// pythonShell is whether a shell is used when the caller does not say: for the function that the job names yes, for
// calls from templates and other functions no, unless cmd_safe is off.
func pythonShell(env *modules.Env, name string, given any) any {
	if given != nil {
		return given
	}
	if direct(env, name) || env.Opt("cmd_safe") == false {
		return true
	}
	return false
}

func direct(env *modules.Env, name string) bool { return env.Job != nil && env.Job.Fun == "cmd."+name }

func (in *command) quiet() bool { return pyfmt.Str(in.OutputLoglevel) == "quiet" }

// run does what all functions of the family come down to.
func (in *command) run(ctx context.Context, env *modules.Env, merge bool) (result, error) {
	c, err := in.build(ctx, env)
	if err != nil {
		return result{}, err
	}
	c.MergeStderr = merge
	if in.BG {
		pid, err := env.Host.Start(c)
		if err != nil {
			return result{}, in.cannotRun(c, err)
		}
		env.Job.SetRetcode(0)
		return result{pid: pid}, nil
	}
	res, err := env.Host.Run(ctx, c)
	if err != nil {
		return result{}, in.cannotRun(c, err)
	}
	if ctx.Err() != nil {
		return result{}, ctx.Err()
	}
	if res.TimedOut {
		return result{pid: res.Pid, retcode: int64(1), stdout: fmt.Sprintf("%s : Timed out after %s seconds", in.shown(c), pyfmt.Str(in.Timeout))}, nil
	}
	out, err := in.outcome(res)
	if err != nil {
		return result{}, err
	}
	if in.IgnoreRetcode {
		env.Job.SetRetcode(0)
	} else if n, ok := out.retcode.(int64); ok {
		env.Job.SetRetcode(int(n))
	}
	if !in.quiet() && res.Truncated {
		env.Log.Warn("output was cut", zap.String("command", first(c.Argv)))
	}
	return out, nil
}

func first(argv []string) string {
	if len(argv) == 0 {
		return ""
	}
	return argv[0]
}

// shown is the command as it stands in messages: the text, or the list.
func (in *command) shown(c host.Cmd) string {
	if text, ok := in.Cmd.(string); ok && in.PythonShell == true {
		return text
	}
	return pyfmt.Repr(ordered.Of(c.Argv))
}

func (in *command) cannotRun(c host.Cmd, err error) error {
	shown := in.shown(c)
	if in.quiet() {
		shown = "REDACTED"
	}
	reason := pyerr.Text(err)
	if pyerr.Errno(err) == unix.ENOENT || strings.Contains(err.Error(), "executable file not found") {
		reason = "[Errno 2] No such file or directory: " + pyfmt.Repr(first(c.Argv))
	}
	return modules.Errorf("Unable to run command '%s' with the context '{'cwd': %s, 'shell': %s}', reason: %s",
		shown, pyfmt.Repr(c.Dir), pyfmt.Repr(in.PythonShell), reason)
}

// build checks everything and makes the command for the host.
func (in *command) build(ctx context.Context, env *modules.Env) (host.Cmd, error) {
	if err := in.checkUser(); err != nil {
		return host.Cmd{}, err
	}
	c := host.Cmd{Dir: in.dir(), User: text(in.Runas), Group: text(in.Group)}
	sh := in.Shell
	if sh == "/bin/bash" && !pypath.Executable(sh) {
		sh = "/bin/sh"
	}
	if !pypath.Executable(sh) {
		return c, modules.Errorf("The shell %s is not available", sh)
	}
	if err := in.render(ctx, env, &c); err != nil {
		return c, err
	}
	if err := in.permitted(ctx, env); err != nil {
		return c, err
	}
	vars, err := in.environment(env)
	if err != nil {
		return c, err
	}
	c.Env = vars.list()
	if c.Umask, err = umask(in.Umask); err != nil {
		return c, err
	}
	if !pypath.IsAbs(c.Dir) || !pypath.IsDir(c.Dir) {
		return c, modules.Errorf("Specified cwd '%s' either not absolute or does not exist", c.Dir)
	}
	if c.Argv, err = in.argv(sh); err != nil {
		return c, err
	}
	if path := vars.get("PATH"); path != os.Getenv("PATH") && len(c.Argv) > 0 && !strings.Contains(c.Argv[0], "/") {
		c.Path = pypath.WhichIn(c.Argv[0], path)
	}
	if in.Stdin != nil {
		c.Stdin = []byte(in.stdin())
	}
	if pyfmt.Truth(in.Timeout) {
		seconds, ok := seconds(in.Timeout)
		if !ok {
			return c, fmt.Errorf("Error: timeout %s must be a number", pyfmt.Str(in.Timeout))
		}
		c.Timeout = seconds
	}
	return c, nil
}

func seconds(v any) (time.Duration, bool) {
	switch n := v.(type) {
	case int64:
		return time.Duration(n) * time.Second, true
	case float64:
		return time.Duration(n * float64(time.Second)), true
	}
	return 0, false
}

func text(v any) string {
	if !pyfmt.Truth(v) {
		return ""
	}
	return pyfmt.Str(v)
}

func (in *command) checkUser() error {
	if name := text(in.Runas); name != "" {
		if _, err := user.Lookup(name); err != nil {
			return modules.Errorf("User '%s' is not available", name)
		}
	}
	if name := text(in.Group); name != "" {
		if _, err := user.LookupGroup(name); err != nil {
			return modules.Errorf("Group '%s' is not available", name)
		}
	}
	return nil
}

func (in *command) dir() string {
	if pyfmt.Truth(in.Cwd) {
		return pyfmt.Str(in.Cwd)
	}
	home := pypath.Home(text(in.Runas))
	if home == "" || unix.Access(home, unix.R_OK) != nil {
		return "/"
	}
	return home
}

// permitted holds the command of a job against the black and white lists of the configuration.
func (in *command) permitted(ctx context.Context, env *modules.Env) error {
	if env.Job == nil || !strings.HasPrefix(env.Job.Fun, "cmd.") {
		return nil
	}
	cmd := in.joined()
	matches := func(option string) (listed, hit bool) {
		v, err := env.Call(ctx, "config.get", modules.Pos(option))
		if err != nil {
			v = env.Opt(option)
		}
		list, _ := v.([]any)
		for _, p := range list {
			hit = hit || fnmatch.Match(pyfmt.Str(p), cmd)
		}
		return len(list) > 0, hit
	}
	_, black := matches("cmd_blacklist_glob")
	listed, white := matches("cmd_whitelist_glob")
	if black || listed && !white {
		return modules.Errorf("The shell command \"%s\" is not permitted", cmd)
	}
	return nil
}

func (in *command) joined() string {
	list, ok := in.Cmd.([]any)
	if !ok {
		return pyfmt.Str(in.Cmd)
	}
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = pyfmt.Str(w)
	}
	return strings.Join(words, " ")
}

func (in *command) argv(sh string) ([]string, error) {
	var words []string
	if list, ok := in.Cmd.([]any); ok {
		for _, w := range list {
			words = append(words, pyfmt.Str(w))
		}
	} else if in.PythonShell == true {
		words = []string{pyfmt.Str(in.Cmd)}
	} else {
		var err error
		if words, err = shlex.Split(pyfmt.Str(in.Cmd)); err != nil {
			return nil, err
		}
	}
	if in.PythonShell == true {
		return append([]string{sh, "-c"}, words...), nil
	}
	if len(words) == 0 {
		return nil, errors.New("list index out of range")
	}
	return words, nil
}

func (in *command) stdin() string {
	s := pyfmt.Str(in.Stdin)
	if raw, ok := in.Kwargs.Get("stdin_raw_newlines"); ok && pyfmt.Truth(raw) {
		return s
	}
	return strings.ReplaceAll(s, `\n`, "\n")
}

func umask(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text := strings.TrimLeft(pyfmt.Str(v), "0")
	if text == "" {
		return "", modules.Errorf("Zero umask is not allowed.")
	}
	if _, err := strconv.ParseUint(text, 8, 12); err != nil {
		return "", modules.Errorf("Invalid umask: '%s'", pyfmt.Str(v))
	}
	return text, nil
}
