package file

import (
	"context"
	"errors"
	"os"
	"strings"

	"brine/internal/fileinfo"
	"brine/internal/fileops"
	"brine/internal/fileperm"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

func linkFuncs() []states.Func {
	return []states.Func{
		fn("symlink", "Make a symbolic link, or lead one that is there elsewhere.", symlink),
		fn("hardlink", "Give a file another name.", hardlink),
	}
}

type symlinkArgs struct {
	Name           string         `arg:"name"`
	Target         string         `arg:"target"`
	Force          bool           `arg:"force" def:"False"`
	Backupname     any            `arg:"backupname" def:"None"`
	Makedirs       bool           `arg:"makedirs" def:"False"`
	User           any            `arg:"user" def:"None"`
	Group          any            `arg:"group" def:"None"`
	Mode           any            `arg:"mode" def:"None"`
	WinOwner       any            `arg:"win_owner" def:"None"`
	WinPerms       any            `arg:"win_perms" def:"None"`
	WinDenyPerms   any            `arg:"win_deny_perms" def:"None"`
	WinInheritance any            `arg:"win_inheritance" def:"None"`
	Atomic         bool           `arg:"atomic" def:"False"`
	RenameOnly     bool           `arg:"disallow_copy_and_unlink" def:"False"`
	Inherit        bool           `arg:"inherit_user_and_group" def:"False"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// linking is one run of symlink.
type linking struct {
	symlinkArgs
	env     *states.Env
	changes *ordered.Map
}

func symlink(ctx context.Context, env *states.Env, in symlinkArgs) (check, error) {
	l := &linking{symlinkArgs: in, env: env, changes: ordered.New(0)}
	l.User, l.Mode = owner(in.User, in.Kwargs), modeOf(in.Mode)
	if have, err := fileinfo.Stat(in.Target, true); err == nil && in.Inherit && in.User == nil && in.Group == nil {
		l.User, l.Group = have.User, have.Group
	}
	var err error
	if l.User, l.Group, err = ourOwner(ctx, env, l.User, l.Group); err != nil {
		return check{}, err
	}
	problems := missingOwner(l.User, l.Group)
	if !pypath.IsAbs(in.Name) {
		problems = append(problems, "Specified file "+in.Name+" is not an absolute path")
	}
	if len(problems) > 0 {
		return refuse("%s", joined(problems))
	}
	parent := pypath.Dirname(in.Name)
	if env.Test {
		r := l.predict()
		switch {
		case pypath.IsDir(parent):
		case in.Makedirs:
			r.Comment = text(r.Comment) + "\n" + parent + " will be created"
		default:
			r.Comment = text(r.Comment) + "\nDirectory " + parent + " for symlink is not present"
		}
		return states.Check[work]{Would: r}, nil
	}
	if !pypath.IsDir(parent) && !in.Makedirs {
		return refuse("Directory %s for symlink is not present", parent)
	}
	return check{Plan: l.apply}, nil
}

// joined puts problems into one sentence after another.
func joined(problems []string) string {
	msg := strings.Join(problems, ". ")
	if len(problems) > 1 {
		msg += "."
	}
	return msg
}

// owned are user and group of a link itself.
func owned(path string) (user, group any) {
	i, err := fileinfo.Stat(path, false)
	if err != nil {
		return nil, nil
	}
	return i.User, i.Group
}

func (l *linking) isOwned() bool {
	user, group := owned(l.Name)
	return ordered.Equal(user, l.User) && ordered.Equal(group, l.Group)
}

func pair(user, group any) string { return pyfmt.Str(user) + ":" + pyfmt.Str(group) }

func (l *linking) predict() *states.Result {
	would := func(comment string, kv ...any) *states.Result {
		return &states.Result{Comment: comment, Changes: ordered.Pairs(kv...)}
	}
	switch {
	case !pypath.Lexists(l.Name):
		return would("Symlink "+l.Name+" to "+l.Target+" is set for creation", "new", l.Name)
	case !pypath.IsLink(l.Name) && l.Force:
		return would("The file or directory " + l.Name + " is set for removal to make way for a new symlink targeting " + l.Target)
	case !pypath.IsLink(l.Name):
		return states.Failed("File or directory exists where the symlink %s should be. Did you mean to use force?", l.Name)
	}
	if to, _ := os.Readlink(l.Name); to != l.Target {
		return would("Link "+l.Name+" target is set to be changed to "+l.Target, "change", l.Name)
	}
	comment := "The symlink " + l.Name + " is present"
	if l.isOwned() {
		return states.Fine(comment)
	}
	had := pair(owned(l.Name))
	return would(comment+", but the ownership of the symlink would be changed from "+had+" to "+pair(l.User, l.Group), "ownership", had)
}

func (l *linking) own() bool {
	if l.isOwned() {
		return true
	}
	_, _ = fileperm.Chown(l.Name, l.User, l.Group, false) // whether it helped is looked at
	return l.isOwned()
}

func (l *linking) result(ok bool, format string) *states.Result {
	return &states.Result{OK: &ok, Comment: format, Changes: l.changes}
}

func (l *linking) apply(ctx context.Context) (*states.Result, error) {
	if !pypath.IsDir(pypath.Dirname(l.Name)) {
		if err := makeParent(ctx, l.env, l.Name, l.User, l.Group, l.Mode); err != nil {
			return nil, err
		}
	}
	switch {
	case pypath.IsLink(l.Name):
		to, err := os.Readlink(l.Name)
		if err != nil {
			return nil, err
		}
		if pypath.Normpath(to) == pypath.Normpath(l.Target) {
			return l.keep(), nil
		}
	case pypath.Exists(l.Name):
		if r, err := l.clear(ctx); r != nil || err != nil {
			return r, err
		}
	}
	if _, err := l.env.Call(ctx, "file.symlink", modules.Pos(l.Target, l.Name).With("force", true)); err != nil {
		r, other := states.Refused(err)
		if r != nil {
			r = l.result(false, "Unable to create new symlink "+l.Name+" -> "+l.Target+": "+err.Error())
		}
		return r, other
	}
	comment := "Created new symlink " + l.Name + " -> " + l.Target
	l.changes.Set("new", l.Name)
	if !l.own() {
		return l.result(false, comment+", but was unable to set ownership to "+pair(l.User, l.Group)), nil
	}
	return l.result(true, comment), nil
}

// keep leaves a link that leads to the target, and sees to its owner.
func (l *linking) keep() *states.Result {
	who := pair(l.User, l.Group)
	switch {
	case l.isOwned():
		return states.Fine("Symlink " + l.Name + " is present and owned by " + who)
	case l.own():
		l.changes.Set("ownership", who)
		return l.result(true, "Set ownership of symlink "+l.Name+" to "+who)
	}
	return l.result(false, "Failed to set ownership of symlink "+l.Name+" to "+who)
}

// clear takes away what stands where the link is to be.
func (l *linking) clear(ctx context.Context) (*states.Result, error) {
	if l.Backupname != nil {
		return l.moveAway(ctx)
	}
	if l.Force || l.Atomic {
		if !l.Atomic || pypath.IsDir(l.Name) {
			_, err := fileops.Remove(l.Name)
			return nil, err
		}
		return nil, nil // the link takes the place in one step
	}
	kind := "File system entry"
	switch {
	case pypath.IsFile(l.Name):
		kind = "File"
	case pypath.IsDir(l.Name):
		kind = "Directory"
	}
	return states.Failed("%s exists where the symlink %s should be", kind, l.Name), nil
}

func (l *linking) moveAway(ctx context.Context) (*states.Result, error) {
	to := pyfmt.Str(l.Backupname)
	if !pypath.IsAbs(to) {
		if to != pypath.Basename(to) {
			return states.Failed("Backupname must be an absolute path or a file name: %s", to), nil
		}
		to = pypath.Join(pypath.Dirname(pypath.Normpath(l.Name)), to)
	}
	if pypath.Lexists(to) {
		if !l.Force {
			return states.Failed("Symlink & backup dest exists and Force not set. %s -> %s - backup: %s", l.Name, l.Target, to), nil
		}
		if _, err := fileops.Remove(to); err != nil {
			return nil, err
		}
	}
	if _, err := call(ctx, l.env, "file.move", l.Name, to, l.RenameOnly); err != nil {
		return states.Failed("Unable to rename %s to backup %s -> : %v", l.Name, to, err), nil
	}
	return nil, nil
}

type hardlinkArgs struct {
	Name     string         `arg:"name"`
	Target   string         `arg:"target"`
	Force    bool           `arg:"force" def:"False"`
	Makedirs bool           `arg:"makedirs" def:"False"`
	User     any            `arg:"user" def:"None"`
	Group    any            `arg:"group" def:"None"`
	DirMode  any            `arg:"dir_mode" def:"None"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func hardlink(ctx context.Context, env *states.Env, in hardlinkArgs) (check, error) {
	var err error
	if in.User, in.Group, err = ourOwner(ctx, env, owner(in.User, in.Kwargs), in.Group); err != nil {
		return check{}, err
	}
	problems := missingOwner(in.User, in.Group)
	if !pypath.IsAbs(in.Name) {
		problems = append(problems, "Specified file "+in.Name+" is not an absolute path")
	}
	if !pypath.IsAbs(in.Target) {
		problems = append(problems, "Specified target "+in.Target+" is not an absolute path")
	}
	if len(problems) > 0 {
		return refuse("%s", joined(problems))
	}
	if env.Test {
		return states.Check[work]{Would: in.predict()}, nil
	}
	parent := pypath.Dirname(in.Name)
	switch {
	case pypath.IsDir(in.Name):
		return refuse("Unable to hard link to directory %s", in.Name)
	case pypath.IsDir(in.Target):
		return refuse("Unable to hard link from directory %s", in.Target)
	case !pypath.Exists(in.Target):
		return refuse("Target %s for hard link does not exist", in.Target)
	case !pypath.IsDir(parent) && !in.Makedirs:
		return refuse("Directory %s for hard link is not present", parent)
	case pypath.IsFile(in.Name) && !isHardlink(in.Name) && !in.Force:
		return refuse("File exists where the hard link %s should be", in.Name)
	case isHardlink(in.Name) && in.same():
		return final(states.Fine("Target of hard link " + in.Name + " is already pointing to " + in.Target))
	}
	return check{Plan: func(ctx context.Context) (*states.Result, error) { return in.apply(ctx, env) }}, nil
}

func isHardlink(path string) bool {
	i, err := fileinfo.Stat(path, false)
	return err == nil && i.Type == "file" && i.Nlink > 1
}

func (in hardlinkArgs) same() bool {
	a, err := fileinfo.Stat(in.Name, false)
	if err != nil {
		return false
	}
	b, err := fileinfo.Stat(in.Target, false)
	return err == nil && a.Inode == b.Inode
}

func (in hardlinkArgs) predict() *states.Result {
	would := func(comment string, kv ...any) *states.Result {
		return &states.Result{Comment: comment, Changes: ordered.Pairs(kv...)}
	}
	switch {
	case !pypath.Exists(in.Target):
		return states.Failed("Target %s for hard link does not exist", in.Target)
	case pypath.IsDir(in.Target):
		return states.Failed("Unable to hard link from directory %s", in.Target)
	case pypath.IsDir(in.Name):
		return states.Failed("Unable to hard link to directory %s", in.Name)
	case !pypath.Exists(in.Name):
		return would("Hard link "+in.Name+" to "+in.Target+" is set for creation", "new", in.Name)
	case isHardlink(in.Name) && in.same():
		return states.Fine("The hard link " + in.Name + " is presently targetting " + in.Target)
	case isHardlink(in.Name):
		return would("Link "+in.Name+" target is set to be changed to "+in.Target, "change", in.Name)
	case in.Force:
		return would("The file or directory " + in.Name + " is set for removal to make way for a new hard link targeting " + in.Target)
	}
	return states.Failed("File or directory exists where the hard link %s should be. Did you mean to use force?", in.Name)
}

// apply makes the link; another link at its place is replaced in one step.
func (in hardlinkArgs) apply(ctx context.Context, env *states.Env) (*states.Result, error) {
	changes := ordered.New(1)
	if !pypath.IsDir(pypath.Dirname(in.Name)) {
		if err := makeParent(ctx, env, in.Name, in.User, in.Group, modeOf(in.DirMode)); err != nil {
			return nil, err
		}
	}
	done, failed := "Created new hard link ", "Unable to create new hard link "
	if isHardlink(in.Name) {
		done, failed = "Set target of hard link ", "Unable to set target of hard link "
	} else if pypath.IsFile(in.Name) {
		changes.Set("forced", "File for hard link was forcibly replaced")
	}
	ends := in.Name + " -> " + in.Target
	if err := linkInPlace(in.Target, in.Name); err != nil {
		return states.Failed("%s%s: Could not create '%s': %s", failed, ends, in.Name, pyerr.Text(err)), nil
	}
	changes.Set("new", in.Name)
	return &states.Result{OK: states.True(), Comment: done + ends, Changes: changes}, nil
}

func linkInPlace(target, name string) error {
	err := os.Link(target, name)
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	dir, err := os.MkdirTemp(pypath.Dirname(name), ".link-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Link(target, dir+"/l"); err != nil {
		return err
	}
	return os.Rename(dir+"/l", name)
}
