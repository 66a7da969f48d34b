package file

import (
	"context"
	"slices"
	"strings"

	"brine/internal/fileinfo"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// apply brings the folder to the wish.
func (d *directing) apply(ctx context.Context, clear func() error) (*states.Result, error) {
	if err := clear(); err != nil {
		return nil, err
	}
	r, err := d.find(ctx)
	if err != nil || r.Changes.Len() == 0 {
		return r, err
	}
	ret := ordered.Pairs("name", d.Name, "changes", r.Changes, "result", true, "comment", "")
	if !pypath.IsDir(d.Name) {
		return d.create(ctx, ret)
	}
	if !d.ChildrenOnly {
		if err := d.perms(ctx, &ret, d.Name, wishOf(d), d.DirMode); err != nil {
			return nil, err
		}
	}
	problems, err := d.descend(ctx, &ret)
	if err != nil {
		return nil, err
	}
	if d.Clean {
		keep, err := kept(ctx, d.env, d.Name, d.Require)
		if err != nil {
			return nil, err
		}
		removed, err := clean(d.env, d.Name, keep, d.ExcludePat)
		if err != nil {
			return nil, err
		}
		if len(removed) > 0 {
			ret.Map("changes").Set("removed", removed)
			ret.Set("comment", "Files cleaned from directory "+d.Name)
		}
	}
	return d.told(ret, problems), nil
}

// told puts the comment together.
func (d *directing) told(ret *ordered.Map, problems []string) *states.Result {
	comment := text(ret.Value("comment"))
	changed := ret.Map("changes").Len() > 0
	switch {
	case comment != "":
	case d.ChildrenOnly:
		comment = "Directory " + d.Name + "/* updated"
	case changed:
		comment = "Directory " + d.Name + " updated"
	}
	if !changed && ret.Value("result") == true {
		was := comment
		comment = "Directory " + d.Name + " is in the correct state"
		if was != "" {
			comment += "\n" + was
		}
	}
	if len(problems) > 0 {
		ret.Set("result", false)
		comment += "\n\nThe following errors were encountered:\n"
		for _, p := range problems {
			comment += "\n- " + p
		}
	}
	ret.Set("comment", comment)
	return resultOf(ret)
}

func (d *directing) create(ctx context.Context, ret *ordered.Map) (*states.Result, error) {
	refused := func(format string) (*states.Result, error) {
		r := states.Failed(format, d.Name)
		r.Name, r.Changes = d.Name, ret.Map("changes")
		return r, nil
	}
	if !pypath.IsDir(pypath.Dirname(d.Name)) {
		if !d.Makedirs {
			return refused("No directory to create %s in")
		}
		if err := makeParent(ctx, d.env, d.Name, d.User, d.Group, d.DirMode); err != nil {
			return nil, err
		}
	}
	if _, err := call(ctx, d.env, "file.mkdir", d.Name, d.User, d.Group, d.DirMode); err != nil {
		return nil, err
	}
	if !pypath.IsDir(d.Name) {
		return refused("Failed to create directory %s")
	}
	ret.Map("changes").Set(d.Name, ordered.Pairs("directory", "new"))
	return resultOf(ret), nil
}

// perms brings one path to owner and mode and adds to the return.
func (d *directing) perms(ctx context.Context, ret **ordered.Map, path string, w wish, mode any) error {
	v, err := d.env.Call(ctx, "file.check_perms", modules.Pos(path, *ret, w.user, w.group, mode, nil, d.Follow))
	if pair, ok := v.([]any); ok {
		*ret, _ = pair[0].(*ordered.Map)
	}
	return err
}

// descend does the same to what is in the folder and lists what went wrong.
func (d *directing) descend(ctx context.Context, ret **ordered.Map) (problems []string, err error) {
	set, err := recurseSet(d.Recurse)
	if err != nil {
		(*ret).Set("result", false)
		(*ret).Set("comment", err.Error())
		return nil, nil
	}
	if set == nil {
		return nil, nil
	}
	w := wishOf(d).limited(set)
	d.verify(set, *ret)
	if slices.Contains(set, "silent") {
		(*ret).Set("changes", ordered.Pairs("recursion", "Changes silenced"))
	}
	each := func(dir string, names []string, mode any) error {
		for _, n := range names {
			err := d.perms(ctx, ret, pypath.Join(dir, n), w, mode)
			if _, refused := states.Refused(err); err != nil && refused != nil {
				return err
			}
			if err != nil && !strings.HasPrefix(err.Error(), "Path not found") {
				problems = append(problems, err.Error())
			}
		}
		return nil
	}
	for _, f := range walk(d.Name, d.depth) {
		if !slices.Contains(set, "ignore_files") {
			if err := each(f.root, f.files, w.fileMode); err != nil {
				return nil, err
			}
		}
		if !slices.Contains(set, "ignore_dirs") {
			if err := each(f.root, f.dirs, w.dirMode); err != nil {
				return nil, err
			}
		}
	}
	return problems, nil
}

// verify notes an owner that recurse names and that is not given or does not exist.
func (d *directing) verify(set []string, ret *ordered.Map) {
	fail := func(comment string) {
		ret.Set("result", false)
		ret.Set("comment", comment)
	}
	given := func(v any) bool {
		_, isInt := v.(int64)
		return isInt || pyfmt.Truth(v)
	}
	if slices.Contains(set, "user") {
		if _, ok := fileinfo.UID(d.User); !given(d.User) {
			fail("user not specified, but configured as a target for recursive ownership management")
		} else if !ok {
			fail("Failed to enforce ownership for user " + pyfmt.Str(d.User) + " (user does not exist)")
		}
	}
	if slices.Contains(set, "group") {
		if _, ok := fileinfo.GID(d.Group); !given(d.Group) {
			fail("group not specified, but configured as a target for recursive ownership management")
		} else if !ok {
			fail("Failed to enforce group ownership for group " + pyfmt.Str(d.Group))
		}
	}
}
