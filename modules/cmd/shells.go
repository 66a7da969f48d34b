package cmd

import (
	"context"
	"os"
	"regexp"
	"strings"
	"time"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/modules"
)

const whichDoc = `Tell where a program is, None when there is none of that name.

CLI Example:

    salt '*' cmd.which cat`

type whichArgs struct {
	Cmd string `arg:"cmd"`
}

func which(_ context.Context, _ *modules.Env, in whichArgs) (any, error) {
	if p := pypath.Which(in.Cmd); p != "" {
		return p, nil
	}
	return nil, nil
}

const whichBinDoc = `Tell where the first of several programs is that there is.

CLI Example:

    salt '*' cmd.which_bin '[pip2, pip, pip-python]'`

type whichBinArgs struct {
	Cmds []string `arg:"cmds"`
}

func whichBin(_ context.Context, _ *modules.Env, in whichBinArgs) (any, error) {
	for _, c := range in.Cmds {
		if p := pypath.Which(c); p != "" {
			return p, nil
		}
	}
	return nil, nil
}

const hasExecDoc = `Tell whether there is a program of that name.

CLI Example:

    salt '*' cmd.has_exec cat`

func hasExec(_ context.Context, _ *modules.Env, in whichArgs) (any, error) {
	return pypath.Which(in.Cmd) != "", nil
}

const ttyDoc = `Write a text to a terminal.

CLI Example:

    salt '*' cmd.tty tty0 'This is a test'
    salt '*' cmd.tty pts3 'This is a test'`

type ttyArgs struct {
	Device string `arg:"device"`
	Echo   string `arg:"echo" def:"''"`
}

func tty(_ context.Context, _ *modules.Env, in ttyArgs) (any, error) {
	var path string
	switch {
	case strings.HasPrefix(in.Device, "tty"):
		path = "/dev/" + in.Device
	case strings.HasPrefix(in.Device, "pts"):
		path = "/dev/" + strings.ReplaceAll(in.Device, "pts", "pts/")
	}
	if path == "" || strings.Contains(path, "..") {
		return ordered.Pairs("Error", "The specified device is not a valid TTY"), nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(in.Echo)
		_ = f.Close()
	}
	if err != nil {
		return ordered.Pairs("Error", "Echoing to "+path+" returned error"), nil
	}
	return ordered.Pairs("Success", "Message was successfully echoed to "+path), nil
}

const shellsDoc = `List the shells of this machine, by /etc/shells.

CLI Example:

    salt '*' cmd.shells`

func shells(context.Context, *modules.Env, struct{}) (any, error) {
	out := []any{}
	text, err := os.ReadFile("/etc/shells")
	if err != nil {
		return out, nil
	}
	for _, line := range pytext.Splitlines(string(text), false) {
		if line = pytext.Strip(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out, nil
}

const shellInfoDoc = `Tell whether a shell or interpreter is there, where, and in which version: bash, zsh, tcsh, perl, python, ruby or php.

CLI Example:

    salt '*' cmd.shell_info bash`

type shellInfoArgs struct {
	Shell       string `arg:"shell"`
	ListModules bool   `arg:"list_modules" def:"False"`
}

// probe is how a shell tells its version.
type probe struct {
	pattern *regexp.Regexp
	argv    []string
}

func probes() map[string]probe {
	return map[string]probe{
		"bash":            {regexp.MustCompile(`(?i)version (\d\S*)`), []string{"bash", "--version"}},
		"bash-test-error": {regexp.MustCompile(`(?i)versioZ ([-\w.]+)`), []string{"bash", "--version"}},
		"bash-test-env":   {regexp.MustCompile(`(?i)(HOME=.*)`), []string{"bash", "-c", "declare"}},
		"zsh":             {regexp.MustCompile(`(?i)^zsh (\d\S*)`), []string{"zsh", "--version"}},
		"tcsh":            {regexp.MustCompile(`(?i)^tcsh (\d\S*)`), []string{"tcsh", "--version"}},
		"cmd":             {regexp.MustCompile(`(?i)Version ([\d.]+)`), []string{"cmd.exe", "/C", "ver"}},
		"powershell":      {regexp.MustCompile(`(?i)PSVersion\s+(\d\S*)`), []string{"powershell", "-NonInteractive", "$PSVersionTable"}},
		"perl":            {regexp.MustCompile(`(?i)^(\d\S*)`), []string{"perl", "-e", `printf "%vd\n", $^V;`}},
		"python":          {regexp.MustCompile(`(?i)^Python (\d\S*)`), []string{"python", "-V"}},
		"ruby":            {regexp.MustCompile(`(?i)^ruby (\d\S*)`), []string{"ruby", "-v"}},
		"php":             {regexp.MustCompile(`(?i)^PHP (\d\S*)`), []string{"php", "-v"}},
	}
}

var leadingVersion = regexp.MustCompile(`^\d[\d.]*`)

func shellInfo(ctx context.Context, env *modules.Env, in shellInfoArgs) (any, error) {
	p, ok := probes()[in.Shell]
	if !ok {
		return ordered.Pairs("error", "Salt does not know how to get the version number for "+in.Shell, "installed", nil), nil
	}
	c := host.Cmd{Argv: p.argv, Env: os.Environ(), Dir: "/", Timeout: 10 * time.Second, MergeStderr: true}
	if os.Getenv("HOME") == "" {
		c.Env = append(c.Env, "HOME="+pypath.Home(""))
	}
	res, err := env.Host.Run(ctx, c)
	switch {
	case err != nil:
		reason := pyerr.Text(err)
		if pypath.Which(p.argv[0]) == "" {
			reason = "[Errno 2] No such file or directory: " + pyfmt.Repr(p.argv[0])
		}
		return ordered.Pairs("error", "Unable to run command '"+strings.Join(p.argv, " ")+"' Reason: "+reason, "installed", false), nil
	case res.TimedOut:
		return ordered.Pairs("error", "Unable to run command '"+strings.Join(p.argv, " ")+"' Reason: Timed out.", "installed", false), nil
	}
	return versionOf(in.Shell, p, pytext.Decode(res.Stdout)), nil
}

func versionOf(shell string, p probe, out string) *ordered.Map {
	ret := ordered.Pairs("installed", false, "path", pypath.Which(p.argv[0]))
	m := p.pattern.FindStringSubmatch(out)
	if m == nil {
		ret.Set("installed", nil)
	} else {
		ret.Set("version_raw", m[1])
		if v := leadingVersion.FindString(m[1]); v != "" {
			parts := strings.Split(v, ".")
			if len(parts) == 1 {
				parts = append(parts, "0")
			}
			ret.Set("installed", true)
			ret.Set("version", strings.Join(parts[:min(3, len(parts))], "."))
		}
	}
	if !ret.Has("version") {
		ret.Set("error", "The version regex pattern for shell "+shell+", could not find the version string")
		ret.Set("stdout", out)
	}
	return ret
}

const powershellDoc = `Run a PowerShell command. There is no PowerShell for this program to use, so the call is refused.

CLI Example:

    salt '*' cmd.powershell "$PSVersionTable.CLRVersion"`

const powershellAllDoc = `Run a PowerShell command. There is no PowerShell for this program to use, so the call is refused.

CLI Example:

    salt '*' cmd.powershell_all "dir mydirectory"`

func powershell(_ context.Context, _ *modules.Env, in command) (any, error) {
	if in.Shell != "powershell" && in.Shell != "pwsh" {
		return nil, modules.Errorf("Must specify a valid powershell binary. Must be 'powershell' or 'pwsh'")
	}
	return nil, modules.Errorf("The shell %s is not available", in.Shell)
}
