// Package git holds the git states: clones that are up to date, repositories that are there, configuration values.
package git

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{
		Name: "git", Doc: "States of git repositories.",
		Virtual: func(env *modules.Env) error {
			_, err := env.Mods.Lookup(env, "git.version")
			return err
		},
		Funcs: []states.Func{
			states.Fn("cloned", clonedDoc, checkCloned, applyCloned),
			states.Fn("config_set", configSetDoc, checkSet, applySet),
			states.Fn("config_unset", configUnsetDoc, checkUnset, applyUnset),
			states.Fn("detached", detachedDoc, checkDetached, applyDetached),
			states.Fn("latest", latestDoc, checkLatest, applyLatest),
			states.Fn("present", presentDoc, checkPresent, applyPresent),
		},
	}
}

// access is how a repository is reached.
type access struct {
	user, identity, httpsUser, httpsPass any
	saltenv                              string
}

// with adds the user, and the rest for functions that talk to the remote.
func (a access) with(args modules.Args, remote, web bool) modules.Args {
	args = args.With("user", a.user)
	if remote {
		args = args.With("identity", a.identity).With("saltenv", a.saltenv)
	}
	if web {
		args = args.With("https_user", a.httpsUser).With("https_pass", a.httpsPass)
	}
	return args
}

// repo is a checkout and how to work with it.
type repo struct {
	env    *states.Env
	target string
	access
}

func (r repo) call(ctx context.Context, fun string, a modules.Args) (any, error) {
	return r.env.Call(ctx, "git."+fun, r.with(modules.Args{Pos: append([]any{r.target}, a.Pos...), Kw: a.Kw}, false, false))
}

// ask is call where a failure of git is no answer.
func (r repo) ask(ctx context.Context, fun string, a modules.Args) (string, error) {
	v, err := r.call(ctx, fun, a)
	var refused *modules.CommandError
	if errors.As(err, &refused) {
		return "", nil
	}
	s, _ := v.(string)
	return s, err
}

func (r repo) list(ctx context.Context, fun string) ([]string, error) {
	v, err := r.call(ctx, fun, modules.Args{})
	var out []string
	list, _ := v.([]any)
	for _, e := range list {
		out = append(out, pyfmt.Str(e))
	}
	return out, err
}

// there tells whether the folder is a checkout, or with bare a bare repository.
func (r repo) there(bare bool) bool {
	if bare {
		return pypath.IsDir(filepath.Join(r.target, "refs"))
	}
	return pypath.Exists(filepath.Join(r.target, ".git"))
}

var command = regexp.MustCompile(`^Command ['"].+?['"] failed: `)

// why is the reason of a failure of git, without the command; any other error stays one.
func why(err error) (string, error) {
	var refused *modules.CommandError
	if errors.As(err, &refused) {
		return command.ReplaceAllString(refused.Msg, ""), nil
	}
	return "", err
}

// joined makes a comment of several.
func joined(comments []string) string {
	s := strings.Join(comments, ". ")
	if len(comments) > 1 {
		s += "."
	}
	return s
}

// failed is a result that says why, and what was changed before.
func failed(text string, comments []string, changes *ordered.Map) *states.Result {
	if len(comments) > 0 {
		text += "\n\nChanges already made: " + joined(comments)
	}
	r := states.Failed("%s", text)
	r.Changes = changes
	return r
}

func short(sha string) string { return sha[:min(len(sha), 7)] }

type presentArgs struct {
	Name           string `arg:"name"`
	Force          bool   `arg:"force" def:"False"`
	Bare           bool   `arg:"bare" def:"True"`
	Template       any    `arg:"template" def:"None"`
	SeparateGitDir any    `arg:"separate_git_dir" def:"None"`
	Shared         any    `arg:"shared" def:"None"`
	User           any    `arg:"user" def:"None"`
	Password       any    `arg:"password" def:"None"`
	OutputEncoding any    `arg:"output_encoding" def:"None"`
}

const presentDoc = `Make sure that a folder is a repository.

bare
    one without a checkout
force
    remove what the folder holds when it is not a repository
template, separate_git_dir, shared
    as for git init
user
    run git as this user`

func (in presentArgs) kind() string {
	if in.Bare {
		return "bare "
	}
	return ""
}

func checkPresent(_ context.Context, _ *states.Env, in presentArgs) (states.Check[bool], error) {
	changes := ordered.Pairs("new", in.Name)
	if pypath.IsDir(in.Name) {
		if in.Bare && pypath.IsFile(in.Name+"/HEAD") || !in.Bare && pypath.Exists(in.Name+"/.git") {
			return states.Done[bool](states.Fine("")), nil
		}
		list, err := pypath.Listdir(in.Name)
		if err != nil {
			return states.Check[bool]{}, err
		}
		if in.Force {
			changes.Set("forced init", true)
			return states.Change(true, "Target directory "+in.Name+" exists. Since force=True, the contents of "+in.Name+" would be deleted, and a "+in.kind()+
				"repository would be initialized in its place.", changes), nil
		}
		if len(list) > 0 {
			return states.Done[bool](states.Failed("Target '%s' exists, is non-empty, and is not a git repository. Set the 'force' option to True to remove "+
				"this directory's contents and proceed with initializing a repository", in.Name)), nil
		}
	}
	return states.Change(false, "New "+in.kind()+"repository would be created", changes), nil
}

func applyPresent(ctx context.Context, env *states.Env, in presentArgs, forced bool) (*states.Result, error) {
	changes := ordered.New(2)
	if forced {
		if err := empty(in.Name); err != nil {
			return states.Failed("Unable to remove %s: %s", in.Name, err), nil
		}
		changes.Set("forced init", true)
	}
	kw := ordered.Pairs("cwd", in.Name, "bare", in.Bare, "template", in.Template, "separate_git_dir", in.SeparateGitDir, "shared", in.Shared, "user", in.User)
	if _, err := env.Call(ctx, "git.init", modules.Args{Kw: kw}); err != nil {
		return states.Refused(err)
	}
	said := []string{"Initialized " + in.kind() + "repository in " + in.Name}
	if pyfmt.Truth(in.Template) {
		said = append(said, "Template directory set to "+pyfmt.Str(in.Template))
	}
	if pyfmt.Truth(in.SeparateGitDir) {
		said = append(said, "Gitdir set to "+pyfmt.Str(in.SeparateGitDir))
	}
	changes.Set("new", in.Name)
	return &states.Result{OK: states.True(), Comment: joined(said), Changes: changes}, nil
}
