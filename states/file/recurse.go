package file

import (
	"context"
	"slices"
	"strings"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/modules"
	"brine/states"
)

func recurseFuncs() []states.Func {
	return []states.Func{states.Opaque("recurse", "Bring a folder to the content of a folder of the file roots.", recurse)}
}

type recurseArgs struct {
	Name           string         `arg:"name"`
	Source         any            `arg:"source"`
	KeepSource     bool           `arg:"keep_source" def:"True"`
	Clean          bool           `arg:"clean" def:"False"`
	Require        any            `arg:"require" def:"None"`
	User           any            `arg:"user" def:"None"`
	Group          any            `arg:"group" def:"None"`
	DirMode        any            `arg:"dir_mode" def:"None"`
	FileMode       any            `arg:"file_mode" def:"None"`
	SymMode        any            `arg:"sym_mode" def:"None"`
	Template       any            `arg:"template" def:"None"`
	Context        any            `arg:"context" def:"None"`
	Replace        bool           `arg:"replace" def:"True"`
	Defaults       any            `arg:"defaults" def:"None"`
	IncludeEmpty   bool           `arg:"include_empty" def:"False"`
	Backup         any            `arg:"backup" def:"''"`
	IncludePat     any            `arg:"include_pat" def:"None"`
	ExcludePat     any            `arg:"exclude_pat" def:"None"`
	Maxdepth       any            `arg:"maxdepth" def:"None"`
	KeepSymlinks   bool           `arg:"keep_symlinks" def:"False"`
	ForceSymlinks  bool           `arg:"force_symlinks" def:"False"`
	WinOwner       any            `arg:"win_owner" def:"None"`
	WinPerms       any            `arg:"win_perms" def:"None"`
	WinDenyPerms   any            `arg:"win_deny_perms" def:"None"`
	WinInheritance any            `arg:"win_inheritance" def:"True"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// tree is what a folder of the file roots asks for: files with their sources, folders, links, and all of their paths.
type tree struct {
	files, links [][2]string
	dirs, keep   []string
}

// treeOf is the tree of the recurse state of another chunk.
func treeOf(ctx context.Context, env *states.Env, low *ordered.Map) (*tree, error) {
	kw := ordered.New(low.Len())
	for k, v := range low.All() {
		if k != "fun" && k != "state" {
			kw.Set(k, v)
		}
	}
	in, err := modules.Bind[recurseArgs]("recurse", modules.Args{Kw: kw})
	if err != nil {
		return nil, err
	}
	return in.tree(ctx, env, pyfmt.Str(in.Source))
}

// wanted tells whether a path below the source is to be managed.
func (in recurseArgs) wanted(rel string) (bool, error) {
	if strings.Contains("/"+rel+"/", "/../") {
		return false, nil
	}
	if in.Maxdepth != nil {
		n, err := modules.Int(in.Maxdepth)
		if err != nil {
			return false, err
		}
		if int64(strings.Count(strings.Trim(rel, "/"), "/")) > n {
			return false, nil
		}
	}
	return included(rel, in.IncludePat, in.ExcludePat)
}

func (in recurseArgs) tree(ctx context.Context, env *states.Env, source string) (*tree, error) {
	t := &tree{}
	path, saltenv := pyurl.Salt(source)
	if saltenv == "" {
		saltenv = env.Saltenv
	}
	path = strings.TrimRight(path, "/") + "/"
	names, err := listed(ctx, env, "cp.list_master", saltenv, path)
	if err != nil {
		return nil, err
	}
	seen, links := map[string]bool{}, ordered.New(0)
	if in.KeepSymlinks {
		if links, err = states.Dict(call(ctx, env, "cp.list_master_symlinks", saltenv, path)); err != nil {
			return nil, err
		}
		if names, err = in.links(t, links, names, path); err != nil {
			return nil, err
		}
	}
	for _, k := range t.keep {
		seen[k] = true
	}
	for _, n := range names {
		rel := pypath.Relpath(n, path)
		ok, err := in.wanted(rel)
		if err != nil {
			return nil, err
		}
		if !ok || strings.TrimSpace(n) == "" {
			continue
		}
		dest := pypath.Join(in.Name, pypath.Normpath(rel))
		t.keep = append(t.keep, dest)
		if dir := pypath.Dirname(dest); !seen[dir] {
			seen[dir] = true
			t.dirs = append(t.dirs, dir)
		}
		t.files = append(t.files, [2]string{dest, "salt://" + n + "?saltenv=" + saltenv})
	}
	if !in.IncludeEmpty {
		return t, nil
	}
	return t, in.empty(ctx, env, t, links, saltenv+"\x00"+path)
}

// empty adds the folders, those without files too. where is environment and path.
func (in recurseArgs) empty(ctx context.Context, env *states.Env, t *tree, links *ordered.Map, where string) error {
	saltenv, path, _ := strings.Cut(where, "\x00")
	dirs, err := listed(ctx, env, "cp.list_master_dirs", saltenv, path)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		rel := pypath.Relpath(d, path)
		ok, err := in.wanted(rel)
		if err != nil {
			return err
		}
		behind := slices.ContainsFunc(links.Keys(), func(l any) bool { return strings.HasPrefix(d, pyfmt.Str(l)+"/") })
		if !ok || behind {
			continue
		}
		dest := pypath.Join(in.Name, pypath.Normpath(rel))
		if !slices.Contains(t.dirs, dest) {
			t.dirs = append(t.dirs, dest)
		}
		t.keep = append(t.keep, dest)
	}
	return nil
}

// links takes the links out of the files.
func (in recurseArgs) links(t *tree, links *ordered.Map, names []string, path string) ([]string, error) {
	for l, to := range links.All() {
		link := pyfmt.Str(l)
		rel := pypath.Relpath(link, path)
		ok, err := in.wanted(rel)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == link || strings.HasPrefix(n, link+"/") })
		t.links = append(t.links, [2]string{rel, pyfmt.Str(to)})
		t.keep = append(t.keep, pypath.Join(in.Name, pypath.Normpath(rel)))
	}
	return names, nil
}

func listed(ctx context.Context, env *states.Env, fun, saltenv, prefix string) ([]string, error) {
	v, err := call(ctx, env, fun, saltenv, prefix)
	if err != nil {
		return nil, err
	}
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s := pyfmt.Str(e); strings.HasPrefix(s, prefix) {
			out = append(out, s)
		}
	}
	return out, nil
}

// recursing is one run of recurse.
type recursing struct {
	recurseArgs
	env      *states.Env
	keepMode bool
	result   *bool
	changes  *ordered.Map
	comments *ordered.Map
}

func recurse(ctx context.Context, env *states.Env, in recurseArgs) (*states.Result, error) {
	r := &recursing{recurseArgs: in, env: env, result: states.True(), changes: ordered.New(0), comments: ordered.New(0)}
	source, refused, err := r.prepare(ctx)
	if refused != nil || err != nil {
		return refused, err
	}
	if !pypath.IsDir(in.Name) {
		if pypath.Exists(in.Name) {
			return states.Failed("The path %s exists and is not a directory", in.Name), nil
		}
		if !env.Test {
			if _, err := call(ctx, env, "file.makedirs_perms", in.Name, r.User, r.Group, r.DirMode); err != nil {
				return nil, err
			}
		}
	}
	t, err := in.tree(ctx, env, source)
	if err != nil {
		return nil, err
	}
	if err := r.all(ctx, t); err != nil {
		return nil, err
	}
	if in.Clean {
		more, err := kept(ctx, env, in.Name, in.Require)
		if err != nil {
			return nil, err
		}
		removed, err := clean(env, in.Name, append(t.keep, more...), in.ExcludePat)
		if err != nil {
			return nil, err
		}
		switch {
		case len(removed) == 0:
		case env.Test:
			if r.result != nil && *r.result {
				r.result = nil
			}
			r.comments.Set("removed", append(r.comments.List("removed"), removed...))
		default:
			r.changes.Set("removed", removed)
		}
	}
	return r.told(), nil
}

// prepare reads the arguments and chooses the source.
func (r *recursing) prepare(ctx context.Context) (source string, refused *states.Result, err error) {
	r.User = owner(r.User, r.Kwargs)
	if r.Kwargs.Has("mode") {
		return "", states.Failed("'mode' is not allowed in 'file.recurse'. Please use 'file_mode' and 'dir_mode'."), nil
	}
	if s, ok := r.FileMode.(string); ok && strings.EqualFold(s, "keep") {
		r.keepMode, r.FileMode = true, nil
	}
	r.DirMode, r.FileMode = modeOf(r.DirMode), modeOf(r.FileMode)
	if unknown := unknownOwner(r.User, r.Group); unknown != "" {
		return "", states.Failed("%s", unknown), nil
	}
	if !pypath.IsAbs(r.Name) {
		return "", states.Failed("Specified file %s is not an absolute path", r.Name), nil
	}
	var sources []any
	for _, s := range texts(r.Source) {
		s = strings.TrimRight(s, "/")
		if !strings.HasPrefix(s, "salt://") {
			return "", states.Failed("Invalid source '%s' (must be a salt:// URI)", s), nil
		}
		sources = append(sources, s)
	}
	v, err := call(ctx, r.env, "file.source_list", sources, "", r.env.Saltenv)
	if refused, err := states.Refused(err); err != nil {
		return "", nil, err
	} else if refused != nil {
		refused.Comment = "Recurse failed: " + pyfmt.Str(refused.Comment)
		return "", refused, nil
	}
	pair, _ := v.([]any)
	source = pyfmt.Str(pair[0])
	path, saltenv := pyurl.Salt(source)
	if saltenv == "" {
		saltenv = r.env.Saltenv
	}
	dirs, err := listed(ctx, r.env, "cp.list_master_dirs", saltenv, "")
	if err != nil {
		return "", nil, err
	}
	if !slices.ContainsFunc(dirs, func(d string) bool { return d == path || strings.HasPrefix(d, path+"/") }) {
		return "", states.Failed("The directory '%s' does not exist on the salt fileserver in saltenv '%s'", path, saltenv), nil
	}
	return source, nil, nil
}

func (r *recursing) all(ctx context.Context, t *tree) error {
	for _, l := range t.links {
		path := pypath.Join(r.Name, l[0])
		if err := part(ctx, r, path, symlink, ordered.Pairs("target", l[1], "makedirs", true, "force", r.ForceSymlinks, "user", r.User, "group", r.Group, "mode", r.SymMode)); err != nil {
			return err
		}
	}
	for _, d := range t.dirs {
		if pypath.Basename(d) == ".." {
			continue
		}
		if stop, err := r.instead(d, pypath.IsDir(d), "Replacing "+d+" with a directory", "Replaced file with a directory"); stop || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := part(ctx, r, d, directory, ordered.Pairs("user", r.User, "group", r.Group, "recurse", []any{}, "dir_mode", r.DirMode, "makedirs", true)); err != nil {
			return err
		}
	}
	for _, f := range t.files {
		stop, err := r.instead(f[0], !pypath.IsDir(f[0]) || !r.Replace, "Replacing directory "+f[0]+" with a file", "Replaced directory with a new file")
		if err != nil {
			return err
		}
		if stop {
			continue
		}
		kw := ordered.New(16)
		for k, v := range r.Kwargs.All() {
			if k != "mode" && k != "makedirs" && k != "env" {
				kw.Set(k, v)
			}
		}
		mode := r.FileMode
		if r.keepMode {
			mode = "keep"
		}
		kw.Update(ordered.Pairs("source", f[1], "keep_source", r.KeepSource, "user", r.User, "group", r.Group, "mode", mode, "template", r.Template, "makedirs", true,
			"replace", r.Replace, "context", r.Context, "defaults", r.Defaults, "backup", r.Backup))
		if err := part(ctx, r, f[0], managed, kw); err != nil {
			return err
		}
	}
	return nil
}

// instead clears what is of the wrong kind, with clean; stop says that a dry run ends there.
func (r *recursing) instead(path string, right bool, would, did string) (stop bool, err error) {
	if !r.Clean || right || !pypath.Exists(path) {
		return false, nil
	}
	if r.env.Test {
		r.merge(path, &states.Result{Comment: would})
		return true, nil
	}
	if _, err := fileops.Remove(path); err != nil {
		return false, err
	}
	r.merge(path, &states.Result{OK: states.True(), Changes: ordered.Pairs("diff", did)})
	return false, nil
}

// part runs another function of the family for one path.
func part[In any](ctx context.Context, r *recursing, path string, look func(context.Context, *states.Env, In) (check, error), kw *ordered.Map) error {
	in, err := modules.Bind[In]("recurse", modules.Args{Kw: kw}.With("name", path))
	if err != nil {
		return err
	}
	c, err := look(ctx, r.env, in)
	if err != nil {
		return err
	}
	res := c.Final
	switch {
	case res != nil:
	case r.env.Test:
		res = c.Would
	default:
		if res, err = c.Plan(ctx); err != nil {
			return err
		}
	}
	r.merge(path, res)
	return nil
}

// merge adds the result for one path: a failure stays, a wish to change stays unless something failed.
func (r *recursing) merge(path string, res *states.Result) {
	failed := res.OK != nil && !*res.OK
	if failed || r.result != nil && *r.result {
		r.result = res.OK
	}
	if comment := text(res.Comment); (res.OK == nil || failed) && comment != "" {
		r.comments.Set(path, append(r.comments.List(path), comment))
	}
	if res.Changes.Len() > 0 {
		r.changes.Set(path, res.Changes)
	}
}

func (r *recursing) told() *states.Result {
	var parts []string
	for path, list := range r.comments.All() {
		parts = append(parts, "\n#### "+pyfmt.Str(path)+" ####\n"+strings.Join(texts(list), "\n"))
	}
	comment := strings.TrimSpace(strings.Join(parts, "\n"))
	if comment == "" {
		comment = "Recursively updated " + r.Name
	}
	if r.changes.Len() == 0 && r.result != nil && *r.result {
		comment = "The directory " + r.Name + " is in the correct state"
	}
	return &states.Result{OK: r.result, Comment: comment, Changes: r.changes}
}
