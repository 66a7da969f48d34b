// Package fileinfo tells what Salt's file.stats tells of a file: owner, mode, times and kind, with Salt's words and
// types; and turns names of users and groups into numbers and back.
package fileinfo

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
)

// Info is what is known of one file.
type Info struct {
	Inode               uint64
	UID, GID            int
	User, Group         any // the name, or the number (int64) when there is no name
	Atime, Mtime, Ctime float64
	Size                int64
	Mode                string // four octal digits, "0644"
	Type                string // file, dir, link, char, block, pipe or socket
	Target              string
	Nlink               uint64
	RawMode             uint32
	Rdev                uint64
}

// NotFoundError says that no file is at a path, in Salt's words.
type NotFoundError struct{ Path string }

func (e *NotFoundError) Error() string { return "Path not found: " + e.Path }

// Stat looks at a file; a broken link is looked at itself, whatever follow says.
func Stat(path string, follow bool) (*Info, error) {
	path = pypath.Expanduser(path)
	var st unix.Stat_t
	var err error
	if follow {
		err = unix.Stat(path, &st)
	}
	if !follow || err != nil {
		err = unix.Lstat(path, &st)
	}
	if err != nil {
		return nil, &NotFoundError{path}
	}
	return &Info{
		Inode: st.Ino, UID: int(st.Uid), GID: int(st.Gid), User: UserName(int(st.Uid)), Group: GroupName(int(st.Gid)),
		Atime: seconds(st.Atim), Mtime: seconds(st.Mtim), Ctime: seconds(st.Ctim), Size: st.Size,
		Mode: Mode(fmt.Sprintf("%o", st.Mode&0o7777)), Type: kind(st.Mode), Target: pypath.Realpath(path),
		Nlink: uint64(st.Nlink), RawMode: st.Mode, Rdev: uint64(st.Rdev), //nolint:unconvert // other widths on 32-bit machines,
	}, nil
}

func seconds(t unix.Timespec) float64 { return float64(t.Sec) + float64(t.Nsec)*1e-9 }

func kind(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return "dir"
	case unix.S_IFCHR:
		return "char"
	case unix.S_IFBLK:
		return "block"
	case unix.S_IFLNK:
		return "link"
	case unix.S_IFIFO:
		return "pipe"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "file"
}

// Map is the answer of file.stats; sum is added when it is not empty.
func (i *Info) Map(sum string) *ordered.Map {
	m := ordered.Pairs(
		"inode", i.Inode, "uid", i.UID, "gid", i.GID, "group", i.Group, "user", i.User,
		"atime", i.Atime, "mtime", i.Mtime, "ctime", i.Ctime, "size", i.Size, "mode", i.Mode)
	if sum != "" {
		m.Set("sum", sum)
	}
	m.Set("type", i.Type)
	m.Set("target", i.Target)
	return m
}

// UserName is the name of a user, or the number when there is none.
func UserName(uid int) any {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return int64(uid)
}

// GroupName is the name of a group, or the number when there is none.
func GroupName(gid int) any {
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return int64(gid)
}

// UID turns a user given by name or number into a number. The nil user is who we are.
func UID(name any) (uid int, ok bool) {
	switch v := name.(type) {
	case nil:
		return os.Geteuid(), true
	case int64:
		return int(v), true
	case int:
		return v, true
	}
	u, err := user.Lookup(pyfmt.Str(name))
	if err != nil {
		return 0, false
	}
	uid, err = strconv.Atoi(u.Uid)
	return uid, err == nil
}

// GID turns a group given by name or number into a number.
func GID(name any) (gid int, ok bool) {
	switch v := name.(type) {
	case nil:
		return 0, false
	case int64:
		return int(v), true
	case int:
		return v, true
	}
	g, err := user.LookupGroup(pyfmt.Str(name))
	if err != nil {
		return 0, false
	}
	gid, err = strconv.Atoi(g.Gid)
	return gid, err == nil
}

// Mode writes a mode with four digits: "644", "0o644" and "00644" become "0644".
func Mode(mode string) string {
	s := strings.ReplaceAll(mode, "0o", "0")
	s = strings.TrimLeft(strings.Trim(strings.Trim(s, `"`), "'"), "0")
	if n := len(s); n < 4 {
		s = strings.Repeat("0", 4-n) + s
	}
	return s
}

// ModeOf is Mode for a value as users give it, text or number; ok is false for none.
func ModeOf(v any) (mode string, ok bool) {
	if v == nil {
		return "", false
	}
	return Mode(pyfmt.Str(v)), true
}

// Octal reads a mode as text into its bits.
func Octal(mode string) (uint32, error) {
	s := strings.TrimLeft(mode, "0Oo")
	if s == "" {
		s = "0"
	}
	n, err := strconv.ParseUint(s, 8, 32)
	return uint32(n), err
}
