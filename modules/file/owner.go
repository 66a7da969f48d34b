package file

import (
	"context"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/fileinfo"
	"brine/internal/fileperm"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

func ownerFuncs() []modules.Func {
	return []modules.Func{
		modules.Fn("chgrp", chgrpDoc, chgrp),
		modules.Fn("chown", chownDoc, chown),
		modules.PureFn("get_gid", getGidDoc, getGid),
		modules.PureFn("get_group", getGroupDoc, getGroup),
		modules.PureFn("get_mode", getModeDoc, getMode),
		modules.PureFn("get_uid", getUidDoc, getUid),
		modules.PureFn("get_user", getUserDoc, getUser),
		modules.PureFn("gid_to_group", gidToGroupDoc, gidToGroup),
		modules.PureFn("group_to_gid", groupToGidDoc, groupToGid),
		modules.Fn("lchown", lchownDoc, lchown),
		modules.Fn("set_mode", setModeDoc, setMode),
		modules.PureFn("uid_to_user", uidToUserDoc, uidToUser),
		modules.PureFn("user_to_uid", userToUidDoc, userToUid),
	}
}

type followArgs struct {
	Path   string `arg:"path"`
	Follow bool   `arg:"follow_symlinks" def:"True"`
}

const getGidDoc = `Tell the number of the group that a file belongs to.

CLI Example:

    salt '*' file.get_gid /etc/passwd`

func getGid(_ context.Context, _ *modules.Env, in followArgs) (any, error) {
	i, err := stat(in.Path, in.Follow)
	if err != nil {
		return nil, err
	}
	return i.GID, nil
}

const getGroupDoc = `Tell the group that a file belongs to.

CLI Example:

    salt '*' file.get_group /etc/passwd`

func getGroup(_ context.Context, _ *modules.Env, in followArgs) (any, error) {
	i, err := stat(in.Path, in.Follow)
	if err != nil {
		return nil, err
	}
	return i.Group, nil
}

const getUidDoc = `Tell the number of the user who owns a file.

CLI Example:

    salt '*' file.get_uid /etc/passwd`

func getUid(_ context.Context, _ *modules.Env, in followArgs) (any, error) {
	i, err := stat(in.Path, in.Follow)
	if err != nil {
		return nil, err
	}
	return i.UID, nil
}

const getUserDoc = `Tell the user who owns a file.

CLI Example:

    salt '*' file.get_user /etc/passwd`

func getUser(_ context.Context, _ *modules.Env, in followArgs) (any, error) {
	i, err := stat(in.Path, in.Follow)
	if err != nil {
		return nil, err
	}
	return i.User, nil
}

const getModeDoc = `Tell the mode of a file, with four digits.

CLI Example:

    salt '*' file.get_mode /etc/passwd`

func getMode(_ context.Context, _ *modules.Env, in followArgs) (any, error) {
	i, err := stat(in.Path, in.Follow)
	if err != nil {
		return nil, err
	}
	return i.Mode, nil
}

const setModeDoc = `Set the mode of a file and tell it.

CLI Example:

    salt '*' file.set_mode /etc/passwd 0644`

type setModeArgs struct {
	Path string `arg:"path"`
	Mode any    `arg:"mode"`
}

func setMode(ctx context.Context, env *modules.Env, in setModeArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	mode := strings.TrimLeft(pyfmt.Str(in.Mode), "0Oo")
	if mode == "" {
		mode = "0"
	}
	if !pypath.Exists(path) {
		return nil, modules.Errorf("%s: File not found", path)
	}
	bits, err := fileinfo.Octal(mode)
	if err != nil || unix.Chmod(path, bits) != nil {
		return "Invalid Mode " + mode, nil
	}
	return getMode(ctx, env, followArgs{path, true})
}

type idArgs struct {
	ID any `arg:"gid"`
}

const gidToGroupDoc = `Tell the name of a group by its number.

CLI Example:

    salt '*' file.gid_to_group 0`

func gidToGroup(_ context.Context, _ *modules.Env, in idArgs) (any, error) {
	n, err := modules.Int(in.ID)
	if err != nil {
		gid, ok := fileinfo.GID(in.ID)
		if !ok {
			return "", nil
		}
		n = int64(gid)
	}
	return fileinfo.GroupName(int(n)), nil
}

type groupArgs struct {
	Group any `arg:"group"`
}

const groupToGidDoc = `Tell the number of a group, an empty text for one that there is not.

CLI Example:

    salt '*' file.group_to_gid root`

func groupToGid(_ context.Context, _ *modules.Env, in groupArgs) (any, error) {
	if gid, ok := fileinfo.GID(in.Group); ok {
		return gid, nil
	}
	return "", nil
}

type uidArgs struct {
	UID any `arg:"uid"`
}

const uidToUserDoc = `Tell the name of a user by the number.

CLI Example:

    salt '*' file.uid_to_user 0`

func uidToUser(_ context.Context, _ *modules.Env, in uidArgs) (any, error) {
	n, ok := in.UID.(int64)
	if !ok {
		parsed, err := strconv.ParseInt(pyfmt.Str(in.UID), 10, 32)
		if err != nil {
			return in.UID, nil
		}
		n = parsed
	}
	return fileinfo.UserName(int(n)), nil
}

type userArgs struct {
	User any `arg:"user"`
}

const userToUidDoc = `Tell the number of a user, an empty text for one that there is not.

CLI Example:

    salt '*' file.user_to_uid root`

func userToUid(_ context.Context, _ *modules.Env, in userArgs) (any, error) {
	if uid, ok := fileinfo.UID(in.User); ok {
		return uid, nil
	}
	return "", nil
}

type chownArgs struct {
	Path  string `arg:"path"`
	User  any    `arg:"user"`
	Group any    `arg:"group"`
}

const chownDoc = `Give a file to a user and a group. The answer is None, or a text that says what does not exist.

CLI Example:

    salt '*' file.chown /etc/passwd root root`

func chown(_ context.Context, _ *modules.Env, in chownArgs) (any, error) {
	return answer(fileperm.Chown(pypath.Expanduser(in.Path), in.User, in.Group, true))
}

// answer is None, or the text of what is wrong.
func answer(text string, err error) (any, error) {
	if text != "" {
		return text, nil
	}
	if err != nil {
		return nil, plain(err)
	}
	return nil, nil
}

const lchownDoc = `Give a file, or a link itself, to a user and a group.

CLI Example:

    salt '*' file.lchown /etc/passwd root root`

func lchown(_ context.Context, _ *modules.Env, in chownArgs) (any, error) {
	return answer(fileperm.Chown(pypath.Expanduser(in.Path), in.User, in.Group, false))
}

const chgrpDoc = `Give a file to a group.

CLI Example:

    salt '*' file.chgrp /etc/passwd root`

type chgrpArgs struct {
	Path  string `arg:"path"`
	Group any    `arg:"group"`
}

func chgrp(ctx context.Context, env *modules.Env, in chgrpArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	i, err := stat(path, true)
	if err != nil {
		return nil, err
	}
	return chown(ctx, env, chownArgs{path, i.User, in.Group})
}

// reason is why the operating system refused, without the path.
func reason(err error) string { return pyerr.Strerror(err) }
