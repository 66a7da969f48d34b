package file

import (
	"context"
	"fmt"
	"strings"

	"brine/internal/fileops"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/internal/pytext"
	"brine/internal/shlex"
	"brine/modules"
)

func sedFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("grep", grepDoc, grep),
		modules.Fn("patch", patchDoc, patch),
		modules.Fn("psed", psedDoc, psed),
		modules.Fn("sed", sedDoc, sed),
		modules.PureFn("sed_contains", sedContainsDoc, sedContains),
	}
}

// runAll runs a program and answers pid, retcode and outputs.
func runAll(ctx context.Context, env *modules.Env, argv []any) (any, error) {
	return env.Call(ctx, "cmd.run_all", modules.Pos(argv).With("python_shell", false))
}

const grepDoc = `Search files with grep(1). The path may be a glob; options come after the pattern, each for itself.

CLI Example:

    salt '*' file.grep /etc/passwd nobody
    salt '*' file.grep "/etc/sysconfig/network-scripts/*" ipaddr -- -i -l`

type grepArgs struct {
	Path    string `arg:"path"`
	Pattern any    `arg:"pattern"`
	Opts    []any  `arg:"*opts"`
}

func grep(ctx context.Context, env *modules.Env, in grepArgs) (any, error) {
	cmd := []any{"grep"}
	for _, o := range in.Opts {
		words, err := shlex.Split(pyfmt.Str(o))
		if err != nil {
			return nil, err
		}
		if len(words) > 1 {
			return nil, modules.Invalidf("Passing multiple command line arguments in a single string is not supported, please pass the following arguments separately: %s", pyfmt.Str(o))
		}
		for _, w := range words {
			cmd = append(cmd, w)
		}
	}
	cmd = append(cmd, pyfmt.Str(in.Pattern))
	path := pypath.Expanduser(in.Path)
	paths := pypath.Glob(path)
	if len(paths) == 0 {
		paths = []string{path}
	}
	for _, p := range paths {
		cmd = append(cmd, p)
	}
	return runAll(ctx, env, cmd)
}

const patchDoc = `Apply a patch to a file or folder with patch(1).

options
    more options for it
dry_run
    change nothing, tell what would happen

CLI Example:

    salt '*' file.patch /opt/file.txt /tmp/file.txt.patch`

type patchArgs struct {
	Original string `arg:"originalfile"`
	Patch    string `arg:"patchfile"`
	Options  string `arg:"options" def:"''"`
	DryRun   bool   `arg:"dry_run" def:"False"`
}

func patch(ctx context.Context, env *modules.Env, in patchArgs) (any, error) {
	program := pypath.Which("patch")
	if program == "" {
		return nil, modules.Errorf("patch executable not found. Is the distribution's patch package installed?")
	}
	words, err := shlex.Split(in.Options)
	if err != nil {
		return nil, err
	}
	words = append([]string{program}, words...)
	given := func(prefixes ...string) bool {
		for _, w := range words {
			for _, p := range prefixes {
				if w == p || strings.HasSuffix(p, "=") && strings.HasPrefix(w, p) {
					return true
				}
			}
		}
		return false
	}
	if in.DryRun {
		words = append(words, "--dry-run")
	}
	if !given("-N", "--forward") {
		words = append(words, "--forward")
	}
	if !given("-r", "--reject-file", "--reject-file=") {
		words = append(words, "--reject-file=-")
	}
	words = append(words, "-i", in.Patch)
	if pypath.IsDir(in.Original) {
		words = append(words, "-d", in.Original)
		strip := given("--strip=")
		for _, w := range words {
			strip = strip || strings.HasPrefix(w, "-p")
		}
		if !strip {
			words = append(words, "--strip=0")
		}
	} else {
		words = append(words, in.Original)
	}
	cmd := make([]any, len(words))
	for i, w := range words {
		cmd[i] = w
	}
	return runAll(ctx, env, cmd)
}

// sedEscape makes a text fit for the place between the slashes of a sed command.
func sedEscape(s string, all bool) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "'", `'"'"'`), "/", `\/`)
	if all {
		for _, c := range "^.[$()|*+?{" {
			s = strings.ReplaceAll(s, string(c), `\`+string(c))
		}
	}
	return s
}

const sedDoc = `Edit a file with sed(1). file.replace does this without a further program.

limit
    a pattern for the lines to look at
backup
    what is added to the name of the copy that is kept, empty for none

CLI Example:

    salt '*' file.sed /etc/httpd/httpd.conf 'LogLevel warn' 'LogLevel info'`

type sedArgs struct {
	Path      string `arg:"path"`
	Before    any    `arg:"before"`
	After     any    `arg:"after"`
	Limit     any    `arg:"limit" def:"''"`
	Backup    any    `arg:"backup" def:"'.bak'"`
	Options   string `arg:"options" def:"'-r -e'"`
	Flags     any    `arg:"flags" def:"'g'"`
	EscapeAll bool   `arg:"escape_all" def:"False"`
	Negate    bool   `arg:"negate_match" def:"False"`
}

func sed(ctx context.Context, env *modules.Env, in sedArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.Exists(path) {
		return false, nil
	}
	inPlace := "-i"
	if pyfmt.Truth(in.Backup) {
		inPlace += pyfmt.Str(in.Backup)
	}
	cmd := []any{"sed", inPlace}
	words, err := shlex.Split(in.Options)
	if err != nil {
		return nil, err
	}
	for _, w := range words {
		cmd = append(cmd, w)
	}
	not := ""
	if in.Negate {
		not = "!"
	}
	cmd = append(cmd, fmt.Sprintf("%s%ss/%s/%s/%s", address(sedEscape(text(in.Limit), in.EscapeAll)), not,
		sedEscape(pyfmt.Str(in.Before), in.EscapeAll), sedEscape(pyfmt.Str(in.After), in.EscapeAll), pyfmt.Str(in.Flags)), path)
	return runAll(ctx, env, cmd)
}

func address(limit string) string {
	if limit == "" {
		return ""
	}
	return "/" + limit + "/ "
}

const sedContainsDoc = `Tell whether sed(1) finds a pattern in a file. file.search does this without a further program.

CLI Example:

    salt '*' file.sed_contains /etc/crontab 'mymaintenance.sh'`

type sedContainsArgs struct {
	Path  string `arg:"path"`
	Text  any    `arg:"text"`
	Limit any    `arg:"limit" def:"''"`
	Flags any    `arg:"flags" def:"'g'"`
}

func sedContains(ctx context.Context, env *modules.Env, in sedContainsArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.Exists(path) {
		return false, nil
	}
	script := fmt.Sprintf("%ss/%s/$/p%s", address(sedEscape(text(in.Limit), false)), sedEscape(pyfmt.Str(in.Text), false), pyfmt.Str(in.Flags))
	out, err := env.Call(ctx, "cmd.run", modules.Pos([]any{"sed", "-n", "-r", "-e", script, path}).With("python_shell", false))
	return pyfmt.Truth(out), err
}

const psedDoc = `Edit a file by a pattern, over all its lines at once. file.replace does this better.

flags
    letters: g (all matches) I L M S U X

CLI Example:

    salt '*' file.psed /etc/httpd/httpd.conf 'LogLevel warn' 'LogLevel info'`

type psedArgs struct {
	Path      string `arg:"path"`
	Before    any    `arg:"before"`
	After     any    `arg:"after"`
	Limit     any    `arg:"limit" def:"''"`
	Backup    any    `arg:"backup" def:"'.bak'"`
	Flags     any    `arg:"flags" def:"'gMS'"`
	EscapeAll bool   `arg:"escape_all" def:"False"`
	Multi     bool   `arg:"multi" def:"False"`
}

func psed(_ context.Context, _ *modules.Env, in psedArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if limit := text(in.Limit); limit != "" {
		return nil, fmt.Errorf("must be str or None, not re.Pattern")
	}
	content, err := readText(path)
	if err != nil {
		return nil, plain(err)
	}
	letters := pyfmt.Str(in.Flags)
	count := 1
	if strings.Contains(letters, "g") {
		count, letters = 0, strings.ReplaceAll(letters, "g", "")
	}
	var flags pyregex.Flags
	for _, l := range letters {
		f, ok := map[rune]pyregex.Flags{'I': pyregex.IgnoreCase, 'M': pyregex.Multiline, 'S': pyregex.DotAll, 'X': pyregex.Verbose, 'U': 0, 'L': 0}[l]
		if !ok {
			return nil, fmt.Errorf("%s", pyfmt.Repr(string(l)))
		}
		flags |= f
	}
	re, err := pyregex.Compile(sedEscape(pyfmt.Str(in.Before), in.EscapeAll), flags)
	if err != nil {
		return nil, err
	}
	out, _, err := re.Sub(pyfmt.Str(in.After), pytext.Universal(content), count)
	if err != nil {
		return nil, err
	}
	if err := fileops.Keep(path, path+text(in.Backup)); err != nil {
		return nil, plain(err)
	}
	return nil, put(path, out)
}
