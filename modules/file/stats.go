package file

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/fileattr"
	"brine/internal/fileinfo"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

func statFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("access", accessDoc, access),
		modules.Fn("chattr", chattrDoc, chattr),
		modules.PureFn("get_selinux_context", getSelinuxDoc, getSelinux),
		modules.PureFn("is_hardlink", isHardlinkDoc, isHardlink),
		modules.PureFn("lsattr", lsattrDoc, lsattr),
		modules.PureFn("lstat", lstatDoc, lstat),
		modules.PureFn("open_files", openFilesDoc, openFiles),
		modules.Fn("restorecon", restoreconDoc, restorecon),
		modules.Fn("set_selinux_context", setSelinuxDoc, setSelinux),
		modules.PureFn("stats", statsDoc, stats),
		modules.PureFn("statvfs", statvfsDoc, statvfs),
	}
}

const statsDoc = `Tell what is known of a file: owner, group, mode, size, times, kind and where it leads.

hash_type
    add the checksum of this kind

CLI Example:

    salt '*' file.stats /etc/passwd`

type statsArgs struct {
	Path     string `arg:"path"`
	HashType any    `arg:"hash_type" def:"None"`
	Follow   bool   `arg:"follow_symlinks" def:"True"`
}

func stats(_ context.Context, _ *modules.Env, in statsArgs) (any, error) {
	i, err := stat(in.Path, in.Follow)
	if err != nil {
		return nil, err
	}
	sum := ""
	if kind := text(in.HashType); kind != "" {
		if sum, err = sumOf(pypath.Expanduser(in.Path), kind); err != nil {
			return nil, err
		}
	}
	return i.Map(sum), nil
}

const lstatDoc = `Tell what the system's lstat call says of a path, an empty map when nothing is there.

CLI Example:

    salt '*' file.lstat /path/to/file`

func lstat(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("Path to file must be absolute.")
	}
	if !pypath.Lexists(path) {
		return ordered.New(0), nil
	}
	i, err := fileinfo.Stat(path, false)
	if err != nil {
		return ordered.New(0), nil
	}
	return ordered.Pairs("st_atime", i.Atime, "st_ctime", i.Ctime, "st_gid", i.GID, "st_mode", i.RawMode, "st_mtime", i.Mtime,
		"st_nlink", i.Nlink, "st_size", i.Size, "st_uid", i.UID), nil
}

const isHardlinkDoc = `Tell whether a file has more than one name.

CLI Example:

    salt '*' file.is_hardlink /path/to/link`

func isHardlink(ctx context.Context, env *modules.Env, in pathArgs) (any, error) {
	v, err := lstat(ctx, env, in)
	m, ok := v.(*ordered.Map)
	if err != nil || !ok || m.Len() == 0 {
		return v, err
	}
	n, _ := m.Value("st_nlink").(int64)
	return n > 1, nil
}

const accessDoc = `Tell whether we may do something with a file: f (it exists), r, w or x.

CLI Example:

    salt '*' file.access /path/to/file f
    salt '*' file.access /path/to/file x`

type accessArgs struct {
	Path string `arg:"path"`
	Mode any    `arg:"mode"`
}

func access(_ context.Context, _ *modules.Env, in accessArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("Path to link must be absolute.")
	}
	modes := map[any]uint32{"f": unix.F_OK, "r": unix.R_OK, "w": unix.W_OK, "x": unix.X_OK,
		int64(0): unix.F_OK, int64(4): unix.R_OK, int64(2): unix.W_OK, int64(1): unix.X_OK}
	switch in.Mode.(type) {
	case string, int64:
	default:
		return nil, modules.Invalidf("Invalid mode specified.")
	}
	mode, ok := modes[in.Mode]
	if !ok {
		return nil, modules.Invalidf("Invalid mode specified.")
	}
	return unix.Access(path, mode) == nil, nil
}

const statvfsDoc = `Tell about the file system that a file is on: sizes and numbers of blocks and inodes.

CLI Example:

    salt '*' file.statvfs /path/to/file`

func statvfs(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("File path must be absolute.")
	}
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return nil, modules.Errorf("Could not statvfs '%s'", path)
	}
	const valid = 0x20 // the kernel's mark that the flags are there; the C library takes it off
	return ordered.Pairs("f_bavail", st.Bavail, "f_bfree", st.Bfree, "f_blocks", st.Blocks, "f_bsize", st.Bsize, "f_favail", st.Ffree,
		"f_ffree", st.Ffree, "f_files", st.Files, "f_flag", st.Flags&^valid, "f_frsize", st.Frsize, "f_namemax", st.Namelen), nil
}

const lsattrDoc = `Tell the attribute letters of a file, or of what is in a folder.

CLI Example:

    salt '*' file.lsattr foo1.txt`

func lsattr(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	if !pypath.Exists(in.Path) {
		return nil, modules.Invalidf("File or directory does not exist: %s", in.Path)
	}
	paths := []string{in.Path}
	if pypath.IsDir(in.Path) {
		names, err := pypath.Listdir(in.Path)
		if err != nil {
			return nil, plain(err)
		}
		paths = nil
		for _, n := range names {
			if !strings.HasPrefix(n, ".") {
				paths = append(paths, pypath.Join(in.Path, n))
			}
		}
	}
	out := ordered.New(len(paths))
	for _, p := range paths {
		if letters, err := fileattr.Get(p); err == nil {
			out.Set(p, strings.Split(letters, ""))
		}
	}
	return out, nil
}

const chattrDoc = `Add attribute letters to files, or remove them.

operator
    add or remove
attributes
    letters of aAcCdDeijPsStTu
flags
    R for all below a folder, f for fewer messages

CLI Example:

    salt '*' file.chattr foo1.txt foo2.txt operator=add attributes=ai
    salt '*' file.chattr foo3.txt operator=remove attributes=i version=2`

type chattrArgs struct {
	Files  []any          `arg:"*files"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func chattr(ctx context.Context, env *modules.Env, in chattrArgs) (any, error) {
	operator, attributes := in.Kwargs.String("operator"), text(in.Kwargs.Value("attributes"))
	switch {
	case operator != "add" && operator != "remove":
		return nil, modules.Invalidf("Need an operator: 'add' or 'remove' to modify attributes.")
	case in.Kwargs.Value("attributes") == nil:
		return nil, modules.Invalidf("Need attributes: [aAcCdDeijPsStTu]")
	}
	sign := "+"
	if operator == "remove" {
		sign = "-"
	}
	cmd := []any{"chattr", sign + attributes}
	if flags := in.Kwargs.Value("flags"); flags != nil {
		cmd = append(cmd, "-"+pyfmt.Str(flags))
	}
	if version := in.Kwargs.Value("version"); version != nil {
		cmd = append(cmd, "-v", pyfmt.Str(version))
	}
	out, err := env.Call(ctx, "cmd.run", modules.Pos(append(cmd, in.Files...)).With("python_shell", false))
	return !pyfmt.Truth(out), err
}

const getSelinuxDoc = `Tell the SELinux context of a file.

CLI Example:

    salt '*' file.get_selinux_context /etc/hosts`

func getSelinux(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	if label, err := fileattr.Label(in.Path); err == nil {
		return label, nil
	}
	return "No selinux context information is available for " + in.Path, nil
}

const setSelinuxDoc = `Set parts of the SELinux context of a file and tell it. The change does not outlive a relabelling of the file system.

CLI Example:

    salt '*' file.set_selinux_context path <user> <role> <type> <range>
    salt '*' file.set_selinux_context /etc/yum.repos.d/epel.repo system_u object_r system_conf_t s0`

type setSelinuxArgs struct {
	Path    string `arg:"path"`
	User    any    `arg:"user" def:"None"`
	Role    any    `arg:"role" def:"None"`
	Type    any    `arg:"type" def:"None"`
	Range   any    `arg:"range" def:"None"`
	Persist bool   `arg:"persist" def:"False"`
}

func setSelinux(_ context.Context, _ *modules.Env, in setSelinuxArgs) (any, error) {
	want := []string{text(in.User), text(in.Role), text(in.Type), text(in.Range)}
	if slices.Equal(want, []string{"", "", "", ""}) {
		return false, nil
	}
	label, err := fileattr.Label(in.Path)
	parts := strings.SplitN(label, ":", 4)
	if err != nil || len(parts) != 4 {
		return false, nil
	}
	for i, w := range want {
		if w != "" {
			parts[i] = w
		}
	}
	if fileattr.SetLabel(in.Path, strings.Join(parts, ":")) != nil {
		return false, nil
	}
	return fileattr.Label(in.Path)
}

const restoreconDoc = `Give a file, with recursive=True all below a folder too, the SELinux context that the policy says.

CLI Example:

    salt '*' file.restorecon /home/user/.ssh/authorized_keys`

type restoreconArgs struct {
	Path      string `arg:"path"`
	Recursive bool   `arg:"recursive" def:"False"`
}

func restorecon(ctx context.Context, env *modules.Env, in restoreconArgs) (any, error) {
	flags := "-F"
	if in.Recursive {
		flags = "-FR"
	}
	code, err := env.Call(ctx, "cmd.retcode", modules.Pos([]any{"restorecon", flags, in.Path}).With("python_shell", false))
	return code == int64(0), err
}

const openFilesDoc = `List the files that processes have open, with the processes; with by_pid=True the other way round.

CLI Example:

    salt '*' file.open_files
    salt '*' file.open_files by_pid=True`

type openFilesArgs struct {
	ByPid bool `arg:"by_pid" def:"False"`
}

func openFiles(_ context.Context, _ *modules.Env, in openFilesArgs) (any, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, plain(err)
	}
	byPid, byFile := ordered.New(0), ordered.New(0)
	for _, n := range names {
		pid, err := strconv.ParseInt(n.Name(), 10, 64)
		if err != nil {
			continue
		}
		open := opened("/proc/" + n.Name())
		byPid.Set(pid, ordered.Of(open))
		for _, f := range open {
			byFile.Set(f, append(byFile.List(f), pid))
		}
	}
	if in.ByPid {
		return byPid, nil
	}
	return byFile, nil
}

// opened lists the files that a process has open and that still exist, its program first among them.
func opened(proc string) []string {
	var out []string
	add := func(link string) {
		to, err := os.Readlink(link)
		if err == nil && pypath.IsAbs(to) && !slices.Contains(out, to) && pypath.Exists(to) {
			out = append(out, to)
		}
	}
	add(proc + "/exe")
	fds, err := os.ReadDir(proc + "/fd")
	if errors.Is(err, os.ErrNotExist) {
		return out
	}
	for _, fd := range fds {
		add(proc + "/fd/" + fd.Name())
	}
	slices.Sort(out)
	return out
}
