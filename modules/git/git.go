// Package git holds the git.* functions: they drive the git program.
package git

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/internal/shlex"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	pick := func(name, doc, params string, run func(context.Context, *modules.Env, args) (any, error)) modules.Func {
		doc += "\n" + common + name + " /path/to/repo"
		return modules.FnPick(name, doc, params+" "+tail, run)
	}
	return modules.Module{
		Name: "git", Doc: "Functions for git repositories.",
		Virtual: func(*modules.Env) error {
			if pypath.Which("git") == "" {
				return errors.New("The git execution module cannot be loaded: git unavailable.")
			}
			return nil
		},
		Funcs: []modules.Func{
			pick("add", "Add files to the index.", "cwd filename opts git_opts", add),
			pick("branch", "Run git branch.", "cwd name=None opts git_opts", branch),
			pick("checkout", "Check out a branch or revision.", "cwd rev=None force opts git_opts", checkout),
			pick("clone", "Clone a repository to a folder.", "cwd url name=None opts git_opts identity https_user https_pass", clone),
			pick("commit", "Commit what is in the index.", "cwd message opts git_opts filename=None", commit),
			pick("config_get", "Tell a configuration value; all=True a list of its values, global=True the user's.", "key cwd=None", configGet),
			pick("config_get_regexp", "List configuration values by a pattern of their keys.", "key value_regex cwd=None", configGetRegexp),
			pick("config_set", "Set a configuration value, or several with multivar or add=True. The answer is the list of values.", "key value multivar cwd=None", configSet),
			pick("config_unset", "Unset a configuration value; all=True all of them.", "key value_regex cwd=None", configUnset),
			pick("current_branch", "Name the branch that is checked out, an empty text for none.", "cwd", currentBranch),
			pick("describe", "Describe a revision by the nearest tag.", "cwd rev='HEAD' opts", describe),
			pick("diff", "Show differences.", "cwd item1 item2 opts git_opts", diff),
			pick("discard_local_changes", "Check out all files again, whatever was changed.", "cwd", discard),
			pick("fetch", "Fetch from a remote. The answer tells what is new.", "cwd remote=None force refspecs opts git_opts identity", fetch),
			pick("init", "Make a repository.", "cwd bare template separate_git_dir shared opts git_opts", initRepo),
			pick("is_worktree", "Tell whether a folder is a worktree of another repository.", "cwd", isWorktree),
			pick("list_branches", "List the local branches, with remote=True those of the remotes.", "cwd remote=False", listBranches),
			pick("list_tags", "List the tags.", "cwd", listTags),
			pick("ls_remote", "List the references of a remote: name to revision.", "cwd=None remote='origin' ref opts git_opts identity https_user https_pass", lsRemote),
			pick("merge", "Merge a revision.", "cwd rev=None opts git_opts", merge),
			pick("merge_base", "Find the common ancestor of revisions; is_ancestor=True tells whether the first is one of the second.", "cwd refs is_ancestor opts", mergeBase),
			pick("pull", "Pull from a remote.", "cwd opts git_opts identity", pull),
			pick("push", "Push a reference to a remote.", "cwd remote ref opts git_opts identity", push),
			pick("remote_get", "Tell the addresses of a remote.", "cwd remote='origin'", remoteGet),
			pick("remote_refs", "List the references of a repository by its address.", "url heads tags identity https_user https_pass", remoteRefs),
			pick("remote_set", "Set the address of a remote.", "cwd url remote='origin' https_user https_pass", remoteSet),
			pick("remotes", "List the remotes and their addresses.", "cwd", remotes),
			pick("reset", "Reset the checkout.", "cwd opts git_opts", reset),
			pick("rev_parse", "Turn a name into a revision.", "cwd rev=None opts git_opts", revParse),
			pick("revision", "Tell the revision that a name stands for; short=True in short.", "cwd rev='HEAD' short", revision),
			pick("rm", "Remove files.", "cwd filename opts git_opts", rm),
			pick("status", "List the files that are new, modified, deleted or untracked.", "cwd", status),
			pick("submodule", "Run git submodule.", "cwd command opts git_opts identity", submodule),
			pick("symbolic_ref", "Read or set a symbolic reference.", "cwd ref='HEAD' value opts git_opts", symbolicRef),
			pick("tag", "Run git tag.", "cwd name=None ref='HEAD' message=None opts git_opts", tag),
			modules.PureFn("version", "Tell the version of git.\n\nCLI Example:\n\n    salt '*' git.version", version),
		},
	}
}

const (
	tail   = "user password ignore_retcode saltenv output_encoding"
	common = `
opts, git_opts
    more options for the subcommand, and for git itself
user
    run as this user
identity
    the private key, or list of keys, for ssh

CLI Example:

    salt '*' git.`
)

// args is what may be given; each function takes a part of it.
type args struct {
	Cwd            string         `arg:"cwd"`
	URL            string         `arg:"url"`
	Key            string         `arg:"key"`
	Command        string         `arg:"command"`
	Message        any            `arg:"message"`
	Filename       any            `arg:"filename"`
	Remote         any            `arg:"remote"`
	Rev            any            `arg:"rev" def:"None"`
	Ref            any            `arg:"ref" def:"None"`
	Name           any            `arg:"name" def:"None"`
	Force          bool           `arg:"force" def:"False"`
	Short          bool           `arg:"short" def:"False"`
	Value          any            `arg:"value" def:"None"`
	Multivar       any            `arg:"multivar" def:"None"`
	ValueRegex     any            `arg:"value_regex" def:"None"`
	Item1          any            `arg:"item1" def:"None"`
	Item2          any            `arg:"item2" def:"None"`
	Refspecs       any            `arg:"refspecs" def:"None"`
	Refs           any            `arg:"refs" def:"None"`
	IsAncestor     bool           `arg:"is_ancestor" def:"False"`
	Heads          bool           `arg:"heads" def:"True"`
	Tags           bool           `arg:"tags" def:"True"`
	Bare           bool           `arg:"bare" def:"False"`
	Template       any            `arg:"template" def:"None"`
	SeparateGitDir any            `arg:"separate_git_dir" def:"None"`
	Shared         any            `arg:"shared" def:"None"`
	Opts           any            `arg:"opts" def:"''"`
	GitOpts        any            `arg:"git_opts" def:"''"`
	User           any            `arg:"user" def:"None"`
	Password       any            `arg:"password" def:"None"`
	Identity       any            `arg:"identity" def:"None"`
	HTTPSUser      any            `arg:"https_user" def:"None"`
	HTTPSPass      any            `arg:"https_pass" def:"None"`
	IgnoreRetcode  bool           `arg:"ignore_retcode" def:"False"`
	Saltenv        any            `arg:"saltenv" def:"'base'"`
	OutputEncoding any            `arg:"output_encoding" def:"None"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// words splits options given as text or list.
func words(v any) ([]string, error) {
	switch t := v.(type) {
	case nil:
		return nil, nil
	case []any:
		var out []string
		for _, e := range t {
			out = append(out, pyfmt.Str(e))
		}
		return out, nil
	}
	return shlex.Split(pyfmt.Str(v))
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return pyfmt.Str(v)
}

// run runs git; a failure is an error that says what git said.
func (in *args) run(ctx context.Context, env *modules.Env, sub string, rest ...string) (string, error) {
	r, shown, err := in.try(ctx, env, sub, rest...)
	if err != nil {
		return "", err
	}
	if !r.OK() {
		msg := "Command '" + shown + "' failed"
		if r.Stderr != "" {
			msg += ": " + redact(r.Stderr)
		}
		return "", modules.Errorf("%s", msg)
	}
	return r.Stdout, nil
}

// try runs git and leaves the exit code to the caller; shown is the command line without secrets.
func (in *args) try(ctx context.Context, env *modules.Env, sub string, rest ...string) (host.Text, string, error) {
	var none host.Text
	if in.Cwd != "" && !pypath.IsAbs(in.Cwd) {
		return none, "", modules.Invalidf("Path '%s' is not absolute", in.Cwd)
	}
	opts, err := words(in.Opts)
	if err != nil {
		return none, "", err
	}
	top, err := words(in.GitOpts)
	if err != nil {
		return none, "", err
	}
	argv := append(append([]string{"git"}, top...), strings.Fields(sub)...)
	argv = append(append(argv, opts...), rest...)
	c := host.Cmd{Argv: argv, Dir: in.Cwd, User: text(in.User), Env: []string{"GIT_TERMINAL_PROMPT=0"}}
	if c.User != "" {
		c.Env = append(c.Env, "HOME="+pypath.Home(c.User))
	}
	if c.Dir != "" && !pypath.IsDir(c.Dir) {
		return none, "", modules.Errorf("Specified cwd '%s' either not absolute or does not exist", c.Dir)
	}
	ssh, err := in.ssh(ctx, env)
	if err != nil {
		return none, "", err
	}
	c.Env = append(c.Env, ssh...)
	r, err := host.Exec(ctx, env.Host, c)
	return r, redact(strings.Join(argv, " ")), err
}

// ssh makes git use the keys of identity.
func (in *args) ssh(ctx context.Context, env *modules.Env) ([]string, error) {
	if in.Identity == nil {
		return nil, nil
	}
	keys, ok := in.Identity.([]any)
	if !ok {
		keys = []any{in.Identity}
	}
	cmd := "ssh -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oPasswordAuthentication=no -oKbdInteractiveAuthentication=no -oIdentitiesOnly=yes"
	for _, k := range keys {
		path := pyfmt.Str(k)
		if strings.HasPrefix(path, "salt://") {
			v, err := env.Call(ctx, "cp.cache_file", modules.Pos(path, in.Saltenv))
			if err != nil {
				return nil, err
			}
			if path = text(v); !pyfmt.Truth(v) {
				return nil, modules.Errorf("identity file %s not found", pyfmt.Str(k))
			}
			if err := os.Chmod(path, 0o600); err != nil {
				return nil, err
			}
		}
		cmd += " -i " + shlex.Quote(path)
	}
	return []string{"GIT_SSH_COMMAND=" + cmd}, nil
}

var credentials = regexp.MustCompile(`(https?)://[^/@\s]*@`)

// redact hides names and passwords in addresses.
func redact(s string) string { return credentials.ReplaceAllString(s, "$1://<redacted>@") }

// address adds the name and password to an https address.
func (in *args) address(url string) (string, error) {
	if in.HTTPSUser == nil && in.HTTPSPass == nil {
		return url, nil
	}
	if pyurl.Parse(url).Scheme != "https" {
		return "", modules.Errorf("Basic Auth only supported for HTTPS")
	}
	if in.HTTPSUser == nil {
		return "", modules.Errorf("user is required when password is specified")
	}
	auth := text(in.HTTPSUser)
	if in.HTTPSPass != nil {
		auth += ":" + text(in.HTTPSPass)
	}
	return "https://" + auth + "@" + strings.TrimPrefix(url, "https://"), nil
}

type none struct {
	VersionInfo bool `arg:"versioninfo" def:"False"`
}

func version(ctx context.Context, env *modules.Env, in none) (any, error) {
	out, err := (&args{}).run(ctx, env, "--version")
	if err != nil {
		return nil, err
	}
	v, _, _ := strings.Cut(strings.TrimPrefix(out, "git version "), " ")
	if !in.VersionInfo {
		return v, nil
	}
	parts := []any{}
	for _, p := range strings.Split(v, ".") {
		if n, err := modules.Int(p); err == nil {
			parts = append(parts, n)
		} else {
			parts = append(parts, p)
		}
	}
	return parts, nil
}

func status(ctx context.Context, env *modules.Env, in args) (any, error) {
	out, err := in.run(ctx, env, "status -z --porcelain")
	res := ordered.New(4)
	kinds := map[string]string{"M": "modified", "A": "new", "D": "deleted", "??": "untracked"}
	fields := strings.Split(out, "\x00")
	for i := 0; i < len(fields); i++ {
		line := fields[i]
		if len(line) < 4 {
			continue
		}
		state, name := strings.TrimSpace(line[:2]), line[3:]
		if strings.HasPrefix(state, "R") { // the old name stands in the next field
			i++
			state = "M"
		}
		kind := kinds[state]
		if kind == "" {
			kind = kinds[state[:1]]
		}
		if kind != "" {
			res.Set(kind, append(res.List(kind), name))
		}
	}
	return res, err
}
