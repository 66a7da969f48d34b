package file

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"brine/internal/fileops"
	"brine/internal/fileperm"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

func treeFuncs() []modules.Func {
	return []modules.Func{
		modules.Fn("copy", copyDoc, copyFile),
		modules.Fn("link", linkDoc, link),
		modules.Fn("makedirs", makedirsDoc, makedirs),
		modules.Fn("makedirs_perms", makedirsPermsDoc, makedirsPerms),
		modules.Fn("mkdir", mkdirDoc, mkdir),
		modules.Fn("move", moveDoc, move),
		modules.Fn("remove", removeDoc, remove),
		modules.Fn("rename", renameDoc, rename),
		modules.Fn("rmdir", rmdirDoc, rmdir),
		modules.Fn("symlink", symlinkDoc, symlink),
	}
}

const copyDoc = `Copy a file, or with recurse=True a folder.

remove_existing
    remove the destination folder first; otherwise what is in it stays

CLI Example:

    salt '*' file.copy /path/to/src /path/to/dst
    salt '*' file.copy /path/to/src_dir /path/to/dst_dir recurse=True remove_existing=True`

type copyArgs struct {
	Src            string `arg:"src"`
	Dst            string `arg:"dst"`
	Recurse        bool   `arg:"recurse" def:"False"`
	RemoveExisting bool   `arg:"remove_existing" def:"False"`
}

func copyFile(_ context.Context, env *modules.Env, in copyArgs) (any, error) {
	src, dst := pypath.Expanduser(in.Src), pypath.Expanduser(in.Dst)
	if !pypath.IsAbs(src) {
		return nil, modules.Invalidf("File path must be absolute.")
	}
	if !pypath.Exists(src) {
		return nil, modules.Errorf("No such file or directory '%s'", src)
	}
	from, err := stat(src, true)
	if err != nil {
		return nil, err
	}
	if pypath.IsDir(dst) || pypath.IsDir(src) {
		if !in.Recurse {
			return nil, modules.Invalidf("Cannot copy overwriting a directory without recurse flag set to true!")
		}
		if in.RemoveExisting {
			if err := os.RemoveAll(dst); err != nil {
				return nil, modules.Errorf("Could not copy '%s' to '%s'", src, dst)
			}
		}
		err = fileops.CopyTree(src, dst)
	} else {
		err = fileops.Copy(src, dst)
	}
	if err != nil {
		return nil, modules.Errorf("Could not copy '%s' to '%s'", src, dst)
	}
	_, err = fileperm.Check(fileperm.Wish{Path: dst, User: from.User, Group: from.Group, Mode: from.Mode, Test: env.Test})
	return true, err
}

const moveDoc = `Move a file or folder, across file systems too unless disallow_copy_and_unlink=True.

CLI Example:

    salt '*' file.move /path/to/src /path/to/dst`

type moveArgs struct {
	Src        string `arg:"src"`
	Dst        string `arg:"dst"`
	RenameOnly bool   `arg:"disallow_copy_and_unlink" def:"False"`
}

func move(ctx context.Context, env *modules.Env, in moveArgs) (any, error) {
	if in.RenameOnly {
		return rename(ctx, env, renameArgs{in.Src, in.Dst})
	}
	src, dst := pypath.Expanduser(in.Src), pypath.Expanduser(in.Dst)
	switch {
	case !pypath.IsAbs(src):
		return nil, modules.Invalidf("Source path must be absolute.")
	case !pypath.IsAbs(dst):
		return nil, modules.Invalidf("Destination path must be absolute.")
	}
	if err := fileops.Move(src, dst); err != nil {
		return nil, modules.Errorf("Unable to move '%s' to '%s': %s", src, dst, pyerr.Text(err))
	}
	return ordered.Pairs("result", true, "comment", "'"+src+"' moved to '"+dst+"'"), nil
}

const renameDoc = `Rename a file or folder.

CLI Example:

    salt '*' file.rename /path/to/src /path/to/dst`

type renameArgs struct {
	Src string `arg:"src"`
	Dst string `arg:"dst"`
}

func rename(_ context.Context, _ *modules.Env, in renameArgs) (any, error) {
	src, dst := pypath.Expanduser(in.Src), pypath.Expanduser(in.Dst)
	if !pypath.IsAbs(src) {
		return nil, modules.Invalidf("File path must be absolute.")
	}
	if err := os.Rename(src, dst); err != nil {
		return nil, modules.Errorf("Could not rename '%s' to '%s'", src, dst)
	}
	return true, nil
}

const linkDoc = `Give a file another name (a hard link).

CLI Example:

    salt '*' file.link /path/to/file /path/to/link`

type linkArgs struct {
	Src  string `arg:"src"`
	Path string `arg:"path"`
}

func link(_ context.Context, _ *modules.Env, in linkArgs) (any, error) {
	src := pypath.Expanduser(in.Src)
	if !pypath.IsAbs(src) {
		return nil, modules.Invalidf("File path must be absolute.")
	}
	if err := os.Link(src, in.Path); err != nil {
		return nil, modules.Errorf("Could not create '%s': %s", in.Path, pyerr.Text(err))
	}
	return true, nil
}

const symlinkDoc = `Make a symbolic link.

force
    replace what is there
atomic
    replace what is there in one step

CLI Example:

    salt '*' file.symlink /path/to/file /path/to/link`

type symlinkArgs struct {
	Src    string `arg:"src"`
	Path   string `arg:"path"`
	Force  bool   `arg:"force" def:"False"`
	Atomic bool   `arg:"atomic" def:"False"`
}

func symlink(_ context.Context, _ *modules.Env, in symlinkArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("Link path must be absolute: %s", path)
	}
	replace := in.Force || in.Atomic
	if pypath.IsLink(path) {
		if to, err := os.Readlink(path); err == nil && pypath.Normpath(to) == pypath.Normpath(in.Src) {
			return true, nil
		}
		if !replace {
			return nil, modules.Errorf("Found existing symlink: %s", path)
		}
	}
	if pypath.Exists(path) && !replace {
		return nil, modules.Errorf("Existing path is not a symlink: %s", path)
	}
	if !replace {
		if err := os.Symlink(in.Src, path); err != nil {
			return nil, modules.Errorf("Could not create '%s'", path)
		}
		return true, nil
	}
	if err := replaceLink(in.Src, path); err != nil {
		return nil, modules.Errorf("Could not create '%s'", path)
	}
	return true, nil
}

// replaceLink makes a link beside its place and moves it there, so that the place is never empty.
func replaceLink(to, path string) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".link-*")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	tmp := pypath.Join(dir, "l")
	if err := os.Symlink(to, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return nil
}

const removeDoc = `Remove a file, a link itself, or a folder with all in it. The answer tells whether something was there.

CLI Example:

    salt '*' file.remove /tmp/foo`

type removeArgs struct {
	Path   string         `arg:"path"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func remove(_ context.Context, _ *modules.Env, in removeArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("File path must be absolute: %s", path)
	}
	was, err := fileops.Remove(path)
	if err != nil {
		return nil, modules.Errorf("Could not remove '%s': %s", path, pyerr.Text(err))
	}
	return was, nil
}

const rmdirDoc = `Remove an empty folder.

recurse
    remove the empty folders in it first
older_than
    only folders that have not changed for so many days
verbose
    tell what was removed and what could not be

CLI Example:

    salt '*' file.rmdir /tmp/foo/`

type rmdirArgs struct {
	Path      string `arg:"path"`
	Recurse   bool   `arg:"recurse" def:"False"`
	Verbose   bool   `arg:"verbose" def:"False"`
	OlderThan any    `arg:"older_than" def:"None"`
}

func rmdir(_ context.Context, _ *modules.Env, in rmdirArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("File path must be absolute.")
	}
	if !pypath.IsDir(path) {
		return nil, modules.Invalidf("A valid directory was not specified.")
	}
	deleted, failed := []any{}, []any{}
	old := oldEnough(in.OlderThan)
	del := func(p string) bool {
		if !old(p) {
			return true
		}
		if err := removeDir(p); err != nil {
			failed = append(failed, []any{p, pyerr.Text(err)})
			return false
		}
		deleted = append(deleted, p)
		return true
	}
	ok := true
	if in.Recurse {
		pypath.WalkUp(path, func(dir string, dirs, _ []string) {
			for _, d := range dirs {
				ok = del(pypath.Join(dir, d)) && ok
			}
		})
	}
	if old(path) {
		ok = del(path) && ok
	} else if !in.Recurse {
		ok = false
	}
	if in.Verbose {
		return ordered.Pairs("deleted", deleted, "errors", failed, "result", ok), nil
	}
	return ok, nil
}

// removeDir is os.rmdir: it removes no file.
func removeDir(p string) error {
	fi, err := os.Lstat(p)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return &os.PathError{Op: "rmdir", Path: p, Err: errNotDir}
	}
	return os.Remove(p)
}

// oldEnough tells whether a folder has not changed for so many days; nothing asked is always enough.
func oldEnough(days any) func(string) bool {
	n, err := modules.Int(days)
	if !pyfmt.Truth(days) || err != nil {
		return func(string) bool { return true }
	}
	limit := time.Now().Add(-time.Duration(n) * 24 * time.Hour)
	return func(p string) bool {
		fi, err := os.Stat(p)
		return err == nil && fi.ModTime().Before(limit)
	}
}
