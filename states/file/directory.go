package file

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"brine/internal/fileinfo"
	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

func directoryFuncs() []states.Func {
	return []states.Func{fn("directory", "Bring a folder, and what is in it, to owner and mode; remove what should not be in it.", directory)}
}

type directoryArgs struct {
	Name           string         `arg:"name"`
	User           any            `arg:"user" def:"None"`
	Group          any            `arg:"group" def:"None"`
	Recurse        any            `arg:"recurse" def:"None"`
	MaxDepth       any            `arg:"max_depth" def:"None"`
	DirMode        any            `arg:"dir_mode" def:"None"`
	FileMode       any            `arg:"file_mode" def:"None"`
	Makedirs       bool           `arg:"makedirs" def:"False"`
	Clean          bool           `arg:"clean" def:"False"`
	Require        any            `arg:"require" def:"None"`
	ExcludePat     any            `arg:"exclude_pat" def:"None"`
	Follow         bool           `arg:"follow_symlinks" def:"False"`
	Force          bool           `arg:"force" def:"False"`
	Backupname     any            `arg:"backupname" def:"None"`
	AllowSymlink   bool           `arg:"allow_symlink" def:"True"`
	ChildrenOnly   bool           `arg:"children_only" def:"False"`
	WinOwner       any            `arg:"win_owner" def:"None"`
	WinPerms       any            `arg:"win_perms" def:"None"`
	WinDenyPerms   any            `arg:"win_deny_perms" def:"None"`
	WinInheritance any            `arg:"win_inheritance" def:"True"`
	WinPermsReset  any            `arg:"win_perms_reset" def:"False"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// directing is one run of directory.
type directing struct {
	directoryArgs
	env     *states.Env
	depth   int
	changes *ordered.Map
}

func directory(ctx context.Context, env *states.Env, in directoryArgs) (check, error) {
	d := &directing{directoryArgs: in, env: env, depth: -1, changes: ordered.New(0)}
	if len(d.Name) > 1 {
		d.Name = strings.TrimSuffix(d.Name, "/")
	}
	if in.MaxDepth != nil {
		if in.Clean {
			return refuse("Cannot specify both max_depth and clean")
		}
		n, err := modules.Int(in.MaxDepth)
		if err != nil {
			return check{}, err
		}
		d.depth = int(max(n, 0))
	}
	d.User = owner(in.User, in.Kwargs)
	if mode, ok := in.Kwargs.Get("mode"); ok && !pyfmt.Truth(in.DirMode) {
		d.DirMode = mode
	}
	if !pyfmt.Truth(in.FileMode) {
		d.FileMode = d.DirMode
	}
	d.DirMode, d.FileMode = modeOf(d.DirMode), modeOf(d.FileMode)
	if unknown := unknownOwner(d.User, d.Group); unknown != "" && !env.Test {
		return refuse("%s", unknown)
	}
	if !pypath.IsAbs(d.Name) {
		return notAbsolute(d.Name)
	}
	clear, r := d.obstacle()
	if r != nil {
		r.Name = d.Name
		return final(r)
	}
	if env.Test {
		r, err := d.find(ctx)
		return states.Check[work]{Would: r}, err
	}
	return check{Plan: func(ctx context.Context) (*states.Result, error) { return d.apply(ctx, clear) }}, nil
}

// obstacle finds what is in the way, and how to clear it; r is why it stays.
func (d *directing) obstacle() (clear func() error, r *states.Result) {
	isFile, isLink := pypath.IsFile(d.Name), pypath.IsLink(d.Name)
	nothing := func() error { return nil }
	if !isFile && (!isLink || d.AllowSymlink && !d.Force) {
		return nothing, nil
	}
	if d.Backupname != nil {
		to := pyfmt.Str(d.Backupname)
		if pypath.Lexists(to) && !d.Force {
			return nil, states.Failed("File exists where the backup target %s should go", to)
		}
		return func() error {
			if _, err := fileops.Remove(to); err != nil {
				return err
			}
			return os.Rename(d.Name, to)
		}, nil
	}
	kind := "Symlink"
	if isFile {
		kind = "File"
	}
	switch {
	case d.Force && d.env.Test:
		d.changes.Set("forced", kind+" would be forcibly replaced")
	case d.Force:
		d.changes.Set("forced", kind+" was forcibly replaced")
	default:
		return nil, states.Failed("Specified location %s exists and is a %s", d.Name, strings.ToLower(kind))
	}
	return func() error { return os.Remove(d.Name) }, nil
}

// find compares and gives the result of a dry run.
func (d *directing) find(ctx context.Context) (*states.Result, error) {
	found, err := d.differences(ctx)
	var refused *recurseError
	if errors.As(err, &refused) {
		return &states.Result{Name: d.Name, OK: states.False(), Comment: refused.msg, Changes: d.changes}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &states.Result{Name: d.Name, Changes: d.changes, Comment: "The directory " + d.Name + " is in the correct state"}
	if found.Len() == 0 {
		r.OK = states.True()
		return r, nil
	}
	comment := "The following files will be changed:\n"
	for path, c := range found.All() {
		for k, v := range c.(*ordered.Map).All() {
			comment += pyfmt.Str(path) + ": " + pyfmt.Str(k) + " - " + pyfmt.Str(v) + "\n"
		}
	}
	d.changes.Update(found)
	r.Comment = comment
	return r, nil
}

// recurseError says that the recurse argument is wrong.
type recurseError struct{ msg string }

func (e *recurseError) Error() string { return e.msg }

// recurseSet reads the recurse argument.
func recurseSet(v any) ([]string, error) {
	if !pyfmt.Truth(v) {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, &recurseError{`"recurse" must be formed as a list of strings`}
	}
	types := []string{"user", "group", "mode", "ignore_files", "ignore_dirs", "silent"}
	set := texts(list)
	for _, s := range set {
		if !slices.Contains(types, s) {
			return nil, &recurseError{`Types for "recurse" limited to "` + strings.Join(types, `", "`) + `".`}
		}
	}
	if slices.Contains(set, "ignore_files") && slices.Contains(set, "ignore_dirs") {
		return nil, &recurseError{`Must not specify "recurse" options "ignore_files" and "ignore_dirs" at the same time.`}
	}
	return set, nil
}

// differences lists by path what is not as wished.
func (d *directing) differences(ctx context.Context) (*ordered.Map, error) {
	changes := ordered.New(0)
	note := func(path string, m *ordered.Map) {
		if m.Len() > 0 {
			changes.Set(path, m)
		}
	}
	var tree []folder
	if pyfmt.Truth(d.Recurse) || d.Clean {
		tree = walk(d.Name, d.depth)
	}
	w := wishOf(d)
	if pyfmt.Truth(d.Recurse) {
		set, err := recurseSet(d.Recurse)
		if err != nil {
			return nil, err
		}
		w = w.limited(set)
		for _, f := range tree {
			if !slices.Contains(set, "ignore_files") {
				for _, n := range f.files {
					note(pypath.Join(f.root, n), w.ofFile(pypath.Join(f.root, n)))
				}
			}
			if !slices.Contains(set, "ignore_dirs") {
				for _, n := range f.dirs {
					note(pypath.Join(f.root, n), w.ofDir(pypath.Join(f.root, n)))
				}
			}
		}
	}
	note(d.Name, w.ofDir(d.Name))
	if d.Clean {
		keep, err := kept(ctx, d.env, d.Name, d.Require)
		if err != nil {
			return nil, err
		}
		for _, f := range tree {
			for _, n := range append(slices.Clone(f.files), f.dirs...) {
				path := pypath.Join(f.root, n)
				ok, err := included(pypath.Relpath(path, d.Name), nil, d.ExcludePat)
				if err != nil {
					return nil, err
				}
				if ok && !slices.Contains(keep, path) {
					changes.Set(path, ordered.Pairs("removed", "Removed due to clean"))
				}
			}
		}
	}
	if !pypath.IsDir(d.Name) {
		changes.Set(d.Name, ordered.Pairs("directory", "new"))
	}
	return changes, nil
}

// wish is owner and modes of what is in a folder.
type wish struct {
	user, group, dirMode, fileMode any
	follow                         bool
}

func wishOf(d *directing) wish { return wish{d.User, d.Group, d.DirMode, d.FileMode, d.Follow} }

// limited keeps what recurse names.
func (w wish) limited(set []string) wish {
	if !slices.Contains(set, "user") {
		w.user = nil
	}
	if !slices.Contains(set, "group") {
		w.group = nil
	}
	if !slices.Contains(set, "mode") {
		w.dirMode, w.fileMode = nil, nil
	}
	return w
}

func (w wish) ofFile(path string) *ordered.Map {
	out := ordered.New(0)
	have, err := fileinfo.Stat(path, w.follow)
	if err != nil {
		return out
	}
	if w.user != nil && !ordered.Equal(w.user, have.User) {
		out.Set("user", w.user)
	}
	if w.group != nil && !ordered.Equal(w.group, have.Group) {
		out.Set("group", w.group)
	}
	if w.fileMode != nil && w.fileMode != have.Mode && (w.follow || have.Type != "link") {
		out.Set("mode", w.fileMode)
	}
	return out
}

func (w wish) ofDir(path string) *ordered.Map {
	have, err := fileinfo.Stat(path, w.follow)
	if err != nil {
		return ordered.Pairs("directory", "new")
	}
	out := ordered.New(0)
	if w.user != nil && !ordered.Equal(w.user, have.User) && !ordered.Equal(w.user, int64(have.UID)) {
		out.Set("user", w.user)
	}
	if w.group != nil && !ordered.Equal(w.group, have.Group) && !ordered.Equal(w.group, int64(have.GID)) {
		out.Set("group", w.group)
	}
	if w.dirMode != nil && w.dirMode != have.Mode && (w.follow || have.Type != "link") {
		out.Set("mode", w.dirMode)
	}
	return out
}
