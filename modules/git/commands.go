package git

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

// given are the values that are not empty, as arguments.
func given(values ...any) []string {
	var out []string
	for _, v := range values {
		if s := text(v); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func add(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "add --verbose", "--", text(in.Filename))
}

func rm(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "rm", "--", text(in.Filename))
}

func commit(ctx context.Context, env *modules.Env, in args) (any, error) {
	rest := []string{"-m", text(in.Message)}
	if f := text(in.Filename); f != "" {
		rest = append(rest, "--", f)
	}
	return in.run(ctx, env, "commit", rest...)
}

func branch(ctx context.Context, env *modules.Env, in args) (any, error) {
	_, err := in.run(ctx, env, "branch", given(in.Name)...)
	return err == nil, err
}

func checkout(ctx context.Context, env *modules.Env, in args) (any, error) {
	sub := "checkout"
	if in.Force {
		sub = "checkout --force"
	}
	r, shown, err := in.try(ctx, env, sub, given(in.Rev)...)
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, modules.Errorf("Command '%s' failed: %s", shown, redact(r.Said()))
	}
	return strings.TrimSpace(r.Stdout + "\n" + r.Stderr), nil
}

func clone(ctx context.Context, env *modules.Env, in args) (any, error) {
	url, err := in.address(in.URL)
	if err != nil {
		return nil, err
	}
	target := in.Cwd
	if !pypath.IsAbs(target) {
		return nil, modules.Invalidf("Path '%s' is not absolute", target)
	}
	in.Cwd = "/"
	rest := []string{"--", url, target}
	if name := text(in.Name); name != "" { // clone below the folder
		rest[2] = filepath.Join(target, name)
	}
	if err := os.MkdirAll(filepath.Dir(rest[2]), 0o755); err != nil {
		return nil, err
	}
	_, err = in.run(ctx, env, "clone", rest...)
	return err == nil, err
}

func describe(ctx context.Context, env *modules.Env, in args) (any, error) {
	if text(in.Opts) == "" {
		in.Opts = "--always"
	}
	return in.run(ctx, env, "describe", given(in.Rev)...)
}

func diff(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "diff", append(given(in.Item1, in.Item2), "--")...)
}

func discard(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "checkout", "--", ".")
}

func merge(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "merge", given(in.Rev)...)
}

func pull(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "pull")
}

func push(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "push", given(in.Remote, in.Ref)...)
}

func reset(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "reset")
}

func revParse(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "rev-parse", given(in.Rev)...)
}

func revision(ctx context.Context, env *modules.Env, in args) (any, error) {
	sub := "rev-parse"
	if in.Short {
		sub = "rev-parse --short"
	}
	return in.run(ctx, env, sub, given(in.Rev)...)
}

func symbolicRef(ctx context.Context, env *modules.Env, in args) (any, error) {
	r, shown, err := in.try(ctx, env, "symbolic-ref", given(in.Ref, in.Value)...)
	if err == nil && r.Retcode == 128 {
		err = modules.Errorf("Command '%s' failed: %s", shown, r.Said())
	}
	return r.Stdout, err
}

func tag(ctx context.Context, env *modules.Env, in args) (any, error) {
	rest := given(in.Name)
	if m := text(in.Message); m != "" {
		rest = append([]string{"-m", m}, rest...)
	}
	if opts, _ := words(in.Opts); len(rest) > 0 && !strings.Contains(strings.Join(opts, " "), "-d") {
		rest = append(rest, given(in.Ref)...)
	}
	return in.run(ctx, env, "tag", rest...)
}

func submodule(ctx context.Context, env *modules.Env, in args) (any, error) {
	return in.run(ctx, env, "submodule "+in.Command)
}

func currentBranch(ctx context.Context, env *modules.Env, in args) (any, error) {
	out, err := in.run(ctx, env, "rev-parse --abbrev-ref HEAD")
	if out == "HEAD" {
		out = ""
	}
	return out, err
}

func initRepo(ctx context.Context, env *modules.Env, in args) (any, error) {
	target := in.Cwd
	if !pypath.IsAbs(target) {
		return nil, modules.Invalidf("Path '%s' is not absolute", target)
	}
	var rest []string
	if in.Bare {
		rest = append(rest, "--bare")
	}
	if v := text(in.Template); v != "" {
		rest = append(rest, "--template="+v)
	}
	if v := text(in.SeparateGitDir); v != "" {
		rest = append(rest, "--separate-git-dir="+v)
	}
	if in.Shared != nil {
		rest = append(rest, "--shared="+strings.ToLower(pyfmt.Str(in.Shared)))
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return nil, err
	}
	return in.run(ctx, env, "init", append(rest, "--", target)...)
}

func isWorktree(_ context.Context, _ *modules.Env, in args) (any, error) {
	return pypath.IsFile(filepath.Join(in.Cwd, ".git")), nil
}

// lines are the lines of the output, without empty ones.
func lines(out string) []string {
	list := []string{}
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func listBranches(ctx context.Context, env *modules.Env, in args) (any, error) {
	ns := "refs/heads/"
	if pyfmt.Truth(in.Remote) {
		ns = "refs/remotes/"
	}
	out, err := in.run(ctx, env, "for-each-ref --format=%(refname:short)", ns)
	return lines(out), err
}

func listTags(ctx context.Context, env *modules.Env, in args) (any, error) {
	out, err := in.run(ctx, env, "for-each-ref --format=%(refname:short)", "refs/tags/")
	return lines(out), err
}

func refs(out string) *ordered.Map {
	m := ordered.New(8)
	for _, line := range lines(out) {
		if sha, name, ok := strings.Cut(line, "\t"); ok {
			m.Set(name, sha)
		}
	}
	return m
}

func lsRemote(ctx context.Context, env *modules.Env, in args) (any, error) {
	remote, err := in.address(text(in.Remote))
	if err != nil {
		return nil, err
	}
	out, err := in.run(ctx, env, "ls-remote", append([]string{"--", remote}, given(in.Ref)...)...)
	return refs(out), err
}

func remoteRefs(ctx context.Context, env *modules.Env, in args) (any, error) {
	url, err := in.address(in.URL)
	if err != nil {
		return nil, err
	}
	sub := "ls-remote"
	if in.Heads && !in.Tags {
		sub += " --heads"
	}
	if in.Tags && !in.Heads {
		sub += " --tags"
	}
	if in.Heads && in.Tags {
		sub += " --heads --tags"
	}
	out, err := in.run(ctx, env, sub, "--", url)
	return refs(out), err
}

var fetched = regexp.MustCompile(`^\s*(?:([0-9a-f]+)\.+([0-9a-f]+)|\[([^]]+)\]|\* \[([^]]+)\]|\+ .*|- .*|t .*)`)

func fetch(ctx context.Context, env *modules.Env, in args) (any, error) {
	sub := "fetch"
	if in.Force {
		sub = "fetch --force"
	}
	specs, err := words(in.Refspecs)
	if err != nil {
		return nil, err
	}
	rest := append([]string{"--"}, given(in.Remote)...)
	r, shown, err := in.try(ctx, env, sub, append(rest, specs...)...)
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, modules.Errorf("Command '%s' failed: %s", shown, redact(r.Said()))
	}
	out := ordered.New(2)
	for line := range strings.Lines(r.Stderr) { // " * [new tag]  v1 -> v1", "   a1..b2  main -> origin/main"
		_, to, ok := strings.Cut(line, "->")
		if !ok || !fetched.MatchString(line) {
			continue
		}
		name := strings.Fields(to)[0]
		m := fetched.FindStringSubmatch(line)
		switch {
		case m[1] != "":
			out.Set("updated_branches", set(out.Map("updated_branches"), name, ordered.Pairs("old", m[1], "new", m[2])))
		case m[4] == "new branch" || m[4] == "new ref":
			out.Set("new_branches", append(out.List("new_branches"), name))
		case m[4] == "new tag":
			out.Set("new_tags", append(out.List("new_tags"), name))
		default:
			out.Set("updated_refs", append(out.List("updated_refs"), name))
		}
	}
	return out, nil
}

func set(m *ordered.Map, k string, v any) *ordered.Map {
	if m == nil {
		m = ordered.New(1)
	}
	m.Set(k, v)
	return m
}

func mergeBase(ctx context.Context, env *modules.Env, in args) (any, error) {
	list, err := words(in.Refs)
	if err != nil {
		return nil, err
	}
	if !in.IsAncestor {
		return in.run(ctx, env, "merge-base", list...)
	}
	if len(list) != 2 {
		return nil, modules.Invalidf("Two refs/commits are required if 'is_ancestor' is True")
	}
	r, shown, err := in.try(ctx, env, "merge-base --is-ancestor", list...)
	if err == nil && r.Retcode > 1 {
		err = modules.Errorf("Command '%s' failed: %s", shown, r.Said())
	}
	return r.OK(), err
}

func allRemotes(ctx context.Context, env *modules.Env, in args) (*ordered.Map, error) {
	out, err := in.run(ctx, env, "remote --verbose")
	m := ordered.New(1)
	for _, line := range lines(out) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		url := f[1]
		if v, ok := in.Kwargs.Get("redact_auth"); !ok || pyfmt.Truth(v) {
			url = redact(url)
		}
		m.Set(f[0], set(m.Map(f[0]), strings.Trim(f[2], "()"), url))
	}
	return m, err
}

func remotes(ctx context.Context, env *modules.Env, in args) (any, error) {
	return allRemotes(ctx, env, in)
}

func remoteGet(ctx context.Context, env *modules.Env, in args) (any, error) {
	all, err := allRemotes(ctx, env, in)
	if err != nil {
		return nil, err
	}
	if !all.Has(text(in.Remote)) {
		return nil, modules.Errorf("Remote '%s' not present in git checkout located at %s", text(in.Remote), in.Cwd)
	}
	return all.Map(text(in.Remote)), nil
}

func remoteSet(ctx context.Context, env *modules.Env, in args) (any, error) {
	url, err := in.address(in.URL)
	if err != nil {
		return nil, err
	}
	all, err := allRemotes(ctx, env, in)
	if err != nil {
		return nil, err
	}
	sub, name := "remote add", text(in.Remote)
	if all.Has(name) {
		sub = "remote set-url"
	}
	if _, err := in.run(ctx, env, sub, "--", name, url); err != nil {
		return nil, err
	}
	return remoteGet(ctx, env, in)
}
