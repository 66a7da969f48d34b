package git

import (
	"context"
	"os"
	"path/filepath"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// empty removes what a folder holds.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if err == nil {
			err = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	return err
}

type clonedArgs struct {
	Name           string `arg:"name"`
	Target         any    `arg:"target" def:"None"`
	Branch         any    `arg:"branch" def:"None"`
	User           any    `arg:"user" def:"None"`
	Password       any    `arg:"password" def:"None"`
	Identity       any    `arg:"identity" def:"None"`
	HTTPSUser      any    `arg:"https_user" def:"None"`
	HTTPSPass      any    `arg:"https_pass" def:"None"`
	OutputEncoding any    `arg:"output_encoding" def:"None"`
}

const clonedDoc = `Make sure that a repository is cloned; it is not kept up to date.

target
    the folder
branch
    the branch to check out
user, identity, https_user, https_pass
    how it is reached`

// where checks a target; the result is a failure, nil for none.
func where(target any) (string, *states.Result) {
	if !pyfmt.Truth(target) {
		return "", states.Failed("'target' argument is required")
	}
	path := pyfmt.Str(target)
	if !pypath.IsAbs(path) {
		return "", states.Failed("'target' path must be absolute")
	}
	return path, nil
}

func (in clonedArgs) repo(env *states.Env, target string) repo {
	return repo{env, target, access{in.User, in.Identity, in.HTTPSUser, in.HTTPSPass, env.Saltenv}}
}

// plan of cloned: the branch that is checked out now, "" for a clone to make.
type clonePlan struct {
	exists  bool
	current string
}

func alreadyCloned(target string, branch any) string {
	text := "Repository already exists at " + target
	if pyfmt.Truth(branch) {
		text += " and is checked out to branch '" + pyfmt.Str(branch) + "'"
	}
	return text
}

func checkCloned(ctx context.Context, env *states.Env, in clonedArgs) (states.Check[clonePlan], error) {
	target, bad := where(in.Target)
	if bad != nil {
		return states.Done[clonePlan](bad), nil
	}
	r := in.repo(env, target)
	if !r.there(false) {
		if list, err := pypath.Listdir(target); err == nil && len(list) > 0 {
			return states.Done[clonePlan](states.Failed("Target '%s' exists, is non-empty and is not a git repository. Remove this directory's contents to proceed "+
				"with cloning the remote repository", target)), nil
		}
		return states.Change(clonePlan{}, in.Name+" would be cloned to "+target, ordered.Pairs("new", in.Name+" => "+target)), nil
	}
	if in.Branch == nil {
		return states.Done[clonePlan](states.Fine(alreadyCloned(target, nil))), nil
	}
	now, err := r.ask(ctx, "current_branch", modules.Args{})
	if err != nil {
		return states.Check[clonePlan]{}, err
	}
	if now == pyfmt.Str(in.Branch) {
		return states.Done[clonePlan](states.Fine(alreadyCloned(target, in.Branch))), nil
	}
	return states.Change(clonePlan{true, now}, "Branch would be changed to '"+pyfmt.Str(in.Branch)+"'",
		ordered.Pairs("branch", ordered.Pairs("old", now, "new", in.Branch))), nil
}

func applyCloned(ctx context.Context, env *states.Env, in clonedArgs, p clonePlan) (*states.Result, error) {
	r := in.repo(env, pyfmt.Str(in.Target))
	changes, said := ordered.New(2), []string{}
	if !p.exists {
		a := r.with(modules.Pos(r.target, in.Name), true, true)
		if in.Branch != nil {
			a = a.With("opts", []any{"--branch", in.Branch})
		}
		if _, err := env.Call(ctx, "git.clone", a); err != nil {
			text, err := why(err)
			return states.Failed("Clone failed: %s", text), err
		}
		changes.Set("new", in.Name+" => "+r.target)
		said = append(said, in.Name+" cloned to "+r.target)
		if in.Branch != nil {
			said[0] += " with branch '" + pyfmt.Str(in.Branch) + "'"
		}
		return &states.Result{OK: states.True(), Comment: joined(said), Changes: changes}, nil
	}
	if _, err := r.call(ctx, "checkout", modules.Pos(in.Branch)); err != nil {
		text, err := why(err)
		return states.Failed("Failed to change branch to '%s': %s", pyfmt.Str(in.Branch), text), err
	}
	changes.Set("branch", ordered.Pairs("old", p.current, "new", in.Branch))
	return &states.Result{OK: states.True(), Comment: "Branch changed to '" + pyfmt.Str(in.Branch) + "'", Changes: changes}, nil
}

type detachedArgs struct {
	Name           string `arg:"name"`
	Rev            any    `arg:"rev"`
	Target         any    `arg:"target" def:"None"`
	Remote         string `arg:"remote" def:"'origin'"`
	User           any    `arg:"user" def:"None"`
	Password       any    `arg:"password" def:"None"`
	ForceClone     bool   `arg:"force_clone" def:"False"`
	ForceCheckout  bool   `arg:"force_checkout" def:"False"`
	FetchRemote    bool   `arg:"fetch_remote" def:"True"`
	HardReset      bool   `arg:"hard_reset" def:"False"`
	Submodules     bool   `arg:"submodules" def:"False"`
	Identity       any    `arg:"identity" def:"None"`
	HTTPSUser      any    `arg:"https_user" def:"None"`
	HTTPSPass      any    `arg:"https_pass" def:"None"`
	OutputEncoding any    `arg:"output_encoding" def:"None"`
}

const detachedDoc = `Make sure that a repository is cloned and that one revision is checked out, on no branch.

rev
    the branch, tag or revision
target
    the folder
force_clone, force_checkout, hard_reset
    remove what the folder holds when it is not a repository; drop changes of files
fetch_remote, submodules
    fetch first; update submodules
remote, user, identity, https_user, https_pass
    how it is reached`

func (in detachedArgs) repo(env *states.Env) repo {
	return repo{env, pyfmt.Str(in.Target), access{in.User, in.Identity, in.HTTPSUser, in.HTTPSPass, env.Saltenv}}
}

// wanted is the revision that the remote has for rev; a revision that it does not name stands for itself.
func (in detachedArgs) wanted(ctx context.Context, env *states.Env) (string, error) {
	r := in.repo(env)
	refs, err := states.Dict(env.Call(ctx, "git.remote_refs", r.with(modules.Pos(in.Name).With("heads", false).With("tags", false), true, true)))
	rev := pyfmt.Str(in.Rev)
	for _, name := range []string{"refs/heads/" + rev, "refs/tags/" + rev + "^{}", "refs/tags/" + rev, rev} {
		if refs.Has(name) {
			return refs.String(name), err
		}
	}
	return rev, err
}

func checkDetached(ctx context.Context, env *states.Env, in detachedArgs) (states.Check[string], error) {
	target, bad := where(in.Target)
	if bad != nil {
		return states.Done[string](bad), nil
	}
	if pypath.IsFile(target) {
		return states.Done[string](states.Failed("Target '%s' exists and is a regular file, cannot proceed", target)), nil
	}
	want, err := in.wanted(ctx, env)
	if err != nil {
		text, err := why(err)
		return states.Done[string](states.Failed("Failed to check remote refs: %s", text)), err
	}
	r := in.repo(env)
	if !r.there(false) {
		if list, err := pypath.Listdir(target); err == nil && len(list) > 0 && !in.ForceClone {
			return states.Done[string](states.Failed("Target '%s' exists, is non-empty and is not a git repository. Set the 'force_clone' option to True to "+
				"remove this directory's contents and proceed with cloning the remote repository", target)), nil
		}
		return states.Change(want, "Repository "+in.Name+" would be cloned to "+target, ordered.Pairs("new", in.Name+" => "+target)), nil
	}
	now, err := r.ask(ctx, "rev_parse", modules.Pos("HEAD"))
	if err != nil {
		return states.Check[string]{}, err
	}
	branch, err := r.ask(ctx, "symbolic_ref", modules.Pos("HEAD").With("opts", "--quiet"))
	if err != nil {
		return states.Check[string]{}, err
	}
	if branch == "" && now != "" && (now == want || len(want) >= 7 && now[:min(len(want), len(now))] == want) {
		return states.Done[string](states.Fine("HEAD is already detached at " + short(now))), nil
	}
	return states.Change(want, "HEAD would be detached at "+short(want), ordered.Pairs("HEAD", ordered.Pairs("old", now, "new", want))), nil
}

func applyDetached(ctx context.Context, env *states.Env, in detachedArgs, want string) (*states.Result, error) {
	r, changes, said := in.repo(env), ordered.New(2), []string{}
	stop := func(what string, err error) (*states.Result, error) {
		text, err := why(err)
		return failed(what+text, said, changes), err
	}
	old := any(nil)
	if !r.there(false) {
		if pypath.IsDir(r.target) {
			if err := empty(r.target); err != nil {
				return nil, err
			}
		}
		if _, err := env.Call(ctx, "git.clone", r.with(modules.Pos(r.target, in.Name).With("opts", []any{"--no-checkout", "--origin", in.Remote}), true, true)); err != nil {
			return stop("Clone failed: ", err)
		}
		changes.Set("new", in.Name+" => "+r.target)
		said = append(said, in.Name+" cloned to "+r.target)
	} else {
		now, err := r.ask(ctx, "rev_parse", modules.Pos("HEAD"))
		if err != nil {
			return nil, err
		}
		old = now
		if in.FetchRemote {
			a := modules.Pos(r.target, in.Remote).With("refspecs", []any{"refs/heads/*:refs/remotes/" + in.Remote + "/*", "+refs/tags/*:refs/tags/*"}).With("force", true)
			if _, err := env.Call(ctx, "git.fetch", r.with(a, true, false)); err != nil {
				return stop("Fetch failed: ", err)
			}
		}
		if in.HardReset {
			if _, err := r.call(ctx, "reset", modules.Args{}.With("opts", []any{"--hard", "HEAD"})); err != nil {
				return stop("", err)
			}
			said = append(said, "Repository was reset to HEAD before checking out revision")
		}
	}
	if _, err := r.call(ctx, "checkout", modules.Pos(want).With("force", in.ForceCheckout).With("opts", "--detach")); err != nil {
		return stop("", err)
	}
	if in.Submodules {
		a := modules.Pos(r.target, "update").With("opts", []any{"--init", "--recursive"})
		if _, err := env.Call(ctx, "git.submodule", r.with(a, true, false)); err != nil {
			return stop("Failed to update submodules: ", err)
		}
	}
	now, err := r.ask(ctx, "rev_parse", modules.Pos("HEAD"))
	if err != nil {
		return nil, err
	}
	said = append(said, "Commit ID "+now+" was checked out at "+r.target)
	changes.Set("HEAD", ordered.Pairs("old", old, "new", now))
	return &states.Result{OK: states.True(), Comment: joined(said), Changes: changes}, nil
}
