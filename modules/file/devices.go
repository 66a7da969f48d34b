package file

import (
	"context"
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/fileinfo"
	"brine/internal/fileperm"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

const errNotDir = unix.ENOTDIR

func deviceFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("get_devmm", getDevmmDoc, getDevmm),
		modules.PureFn("is_blkdev", isBlkdevDoc, isKind("block")),
		modules.PureFn("is_chrdev", isChrdevDoc, isKind("char")),
		modules.PureFn("is_fifo", isFifoDoc, isKind("pipe")),
		modules.Fn("mknod", mknodDoc, mknod),
		modules.Fn("mknod_blkdev", mknodBlkdevDoc, mknodBlkdev),
		modules.Fn("mknod_chrdev", mknodChrdevDoc, mknodChrdev),
		modules.Fn("mknod_fifo", mknodFifoDoc, mknodFifo),
	}
}

const mkdirDoc = `Make a folder and those above it.

CLI Example:

    salt '*' file.mkdir /opt/jetty/context`

type mkdirArgs struct {
	Dir   string `arg:"dir_path"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"None"`
}

func mkdir(_ context.Context, env *modules.Env, in mkdirArgs) (any, error) {
	dir := pypath.Normpath(pypath.Expanduser(in.Dir))
	if pypath.IsDir(dir) {
		return true, nil
	}
	return true, makeAll(env, dir, in.User, in.Group, in.Mode)
}

// makeAll makes a folder and those above it that are missing, each with owner and mode.
func makeAll(env *modules.Env, dir string, user, group, mode any) error {
	if pyfmt.Truth(mode) {
		n, err := modules.Int(mode)
		if err != nil {
			return err
		}
		mode = n
	} else {
		mode = nil
	}
	head, tail := pypath.Split(dir)
	if tail == "" {
		head, tail = pypath.Split(head)
	}
	if head != "" && tail != "" && !pypath.Exists(head) {
		if err := makeAll(env, head, user, group, mode); err != nil {
			return err
		}
		if tail == "." {
			return nil
		}
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return plain(err)
	}
	_, err := fileperm.Check(fileperm.Wish{Path: dir, User: user, Group: group, Mode: mode, Test: env.Test})
	return err
}

const makedirsDoc = `Make the folder that a path is in, and those above it. A path that ends in a slash is such a folder itself. The answer is None, or a
text that says that it is there already.

CLI Example:

    salt '*' file.makedirs /opt/code/`

type makedirsArgs struct {
	Path  string `arg:"path"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"None"`
}

func makedirs(_ context.Context, env *modules.Env, in makedirsArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	var mode any
	if pyfmt.Truth(in.Mode) {
		mode, _ = fileinfo.ModeOf(in.Mode)
	}
	dir := pypath.Normpath(pypath.Dirname(path))
	switch {
	case pypath.IsDir(dir):
		return "Directory '" + dir + "' already exists", nil
	case pypath.Exists(dir):
		return "The path '" + dir + "' already exists and is not a directory", nil
	case !pypath.IsAbs(dir):
		return nil, modules.Invalidf("Recursive creation for path '%s' would result in an infinite loop. Please use an absolute path.", "")
	}
	return nil, makeAll(env, dir, in.User, in.Group, mode)
}

const makedirsPermsDoc = `Make a folder and those above it, each with owner and mode.

CLI Example:

    salt '*' file.makedirs_perms /opt/code`

type makedirsPermsArgs struct {
	Name  string `arg:"name"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"'0755'"`
}

func makedirsPerms(_ context.Context, env *modules.Env, in makedirsPermsArgs) (any, error) {
	return nil, makeAll(env, pypath.Expanduser(in.Name), in.User, in.Group, in.Mode)
}

const getDevmmDoc = `Tell the major and minor number of a device, zeros for what is none.

CLI Example:

    salt '*' file.get_devmm /dev/chr`

func getDevmm(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	name := pypath.Expanduser(in.Name)
	i, err := fileinfo.Stat(name, true)
	if err != nil || i.Type != "char" && i.Type != "block" {
		return []any{0, 0}, nil
	}
	return []any{unix.Major(i.Rdev), unix.Minor(i.Rdev)}, nil
}

const isBlkdevDoc = `Tell whether a path is a block device.

CLI Example:

    salt '*' file.is_blkdev /dev/blk`

const isChrdevDoc = `Tell whether a path is a character device.

CLI Example:

    salt '*' file.is_chrdev /dev/chr`

const isFifoDoc = `Tell whether a path is a named pipe.

CLI Example:

    salt '*' file.is_fifo /dev/fifo`

func isKind(kind string) func(context.Context, *modules.Env, nameArgs) (any, error) {
	return func(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
		name := pypath.Expanduser(in.Name)
		var st unix.Stat_t
		err := unix.Stat(name, &st)
		if errors.Is(err, unix.ENOENT) {
			return false, nil
		}
		if err != nil {
			return nil, plain(&os.PathError{Op: "stat", Path: name, Err: err})
		}
		i, err := fileinfo.Stat(name, true)
		return err == nil && i.Type == kind, nil
	}
}

// node is a device or pipe to make.
type node struct {
	name, what   string
	kind         uint32
	major, minor any
	user, group  any
	mode         any
}

func (n node) make(env *modules.Env) (any, error) {
	name := pypath.Expanduser(n.name)
	ret := ordered.Pairs("name", name, "changes", ordered.New(0), "comment", "", "result", false)
	made := ordered.Pairs("new", n.what+" "+name+" created.")
	if env.Test {
		ret.Set("changes", made)
		ret.Set("result", nil)
		return ret, nil
	}
	bits, err := fileinfo.Octal(pyfmt.Str(n.mode))
	if err != nil {
		return nil, err
	}
	major, err1 := modules.Int(n.major)
	minor, err2 := modules.Int(n.minor)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	err = unix.Mknod(name, n.kind|bits, int(unix.Mkdev(uint32(major), uint32(minor))))
	switch {
	case err == nil:
		ret.Set("changes", made)
		ret.Set("result", true)
	case errors.Is(err, unix.EEXIST):
		ret.Set("comment", "File "+name+" exists and cannot be overwritten")
	default:
		return nil, plain(&os.PathError{Op: "mknod", Path: name, Err: err})
	}
	mode, _ := fileinfo.ModeOf(strings.TrimSpace(pyfmt.Str(n.mode)))
	if _, err := fileperm.Check(fileperm.Wish{Path: name, User: n.user, Group: n.group, Mode: mode}); err != nil {
		return nil, modules.Errorf("%v", err)
	}
	return ret, nil
}

const mknodChrdevDoc = `Make a character device.

CLI Example:

    salt '*' file.mknod_chrdev /dev/chr 180 31`

type mknodDevArgs struct {
	Name  string `arg:"name"`
	Major any    `arg:"major"`
	Minor any    `arg:"minor"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"'0660'"`
}

func mknodChrdev(_ context.Context, env *modules.Env, in mknodDevArgs) (any, error) {
	return node{in.Name, "Character device", unix.S_IFCHR, in.Major, in.Minor, in.User, in.Group, in.Mode}.make(env)
}

const mknodBlkdevDoc = `Make a block device.

CLI Example:

    salt '*' file.mknod_blkdev /dev/blk 8 999`

func mknodBlkdev(_ context.Context, env *modules.Env, in mknodDevArgs) (any, error) {
	return node{in.Name, "Block device", unix.S_IFBLK, in.Major, in.Minor, in.User, in.Group, in.Mode}.make(env)
}

const mknodFifoDoc = `Make a named pipe.

CLI Example:

    salt '*' file.mknod_fifo /dev/fifo`

type mknodFifoArgs struct {
	Name  string `arg:"name"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"'0660'"`
}

func mknodFifo(_ context.Context, env *modules.Env, in mknodFifoArgs) (any, error) {
	return node{in.Name, "Fifo pipe", unix.S_IFIFO, int64(0), int64(0), in.User, in.Group, in.Mode}.make(env)
}

const mknodDoc = `Make a character device (c), a block device (b) or a named pipe (p).

CLI Example:

    salt '*' file.mknod /dev/chr c 180 31
    salt '*' file.mknod /dev/blk b 8 999
    salt '*' file.mknod /dev/fifo p`

type mknodArgs struct {
	Name  string `arg:"name"`
	Type  string `arg:"ntype"`
	Major any    `arg:"major" def:"0"`
	Minor any    `arg:"minor" def:"0"`
	User  any    `arg:"user" def:"None"`
	Group any    `arg:"group" def:"None"`
	Mode  any    `arg:"mode" def:"'0600'"`
}

func mknod(ctx context.Context, env *modules.Env, in mknodArgs) (any, error) {
	if _, err := makedirs(ctx, env, makedirsArgs{Path: in.Name, User: in.User, Group: in.Group}); err != nil {
		return nil, err
	}
	dev := mknodDevArgs{in.Name, in.Major, in.Minor, in.User, in.Group, in.Mode}
	switch in.Type {
	case "c":
		return mknodChrdev(ctx, env, dev)
	case "b":
		return mknodBlkdev(ctx, env, dev)
	case "p":
		return mknodFifo(ctx, env, mknodFifoArgs{in.Name, in.User, in.Group, in.Mode})
	}
	return nil, modules.Invalidf("Node type unavailable: '%s'. Available node types are character ('c'), block ('b'), and pipe ('p').", in.Type)
}
