package grains

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/ifaces"
	"brine/internal/pypath"
)

// Machine is what the files of a root folder cannot tell.
type Machine struct {
	// Kernel, Node, Release, Version and Arch are those of uname.
	Kernel, Node, Release, Version, Arch string
	Interfaces                           []ifaces.Iface
	// Routes are the main tables of IPv4 and IPv6.
	Routes [2][]ifaces.Route
	// Env looks up an environment variable.
	Env func(string) string
	// UID, GID and PID are those of this process.
	UID, GID, PID int
	// Dir is the working folder, Exe our program, Timezone the name of the zone of now.
	Dir, Exe, Timezone string
	// Resolver asks DNS; nil asks nobody.
	Resolver *net.Resolver
}

func thisMachine() *Machine {
	m := &Machine{Env: os.Getenv, UID: os.Geteuid(), GID: os.Getegid(), PID: os.Getpid(), Resolver: &net.Resolver{PreferGo: true}}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel, m.Node = unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Nodename[:])
		m.Release, m.Version = unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Version[:])
		m.Arch = unix.ByteSliceToString(u.Machine[:])
	}
	m.Interfaces, _ = ifaces.List()
	m.Routes[0], _ = ifaces.Routes(4)
	m.Routes[1], _ = ifaces.Routes(6)
	m.Dir, _ = os.Getwd()
	m.Exe, _ = os.Executable()
	m.Timezone = zone()
	return m
}

// root is a folder that stands for /.
type root string

func (r root) path(p string) string { return string(r) + p }

// read returns the text of a file, "" when there is none.
func (r root) read(p string) string {
	b, err := os.ReadFile(r.path(p))
	if err != nil {
		return ""
	}
	return string(b)
}

// line returns a file of one line without the white space around it.
func (r root) line(p string) string { return strings.TrimSpace(r.read(p)) }

func (r root) exists(p string) bool { return pypath.Exists(r.path(p)) }
func (r root) isDir(p string) bool  { return pypath.IsDir(r.path(p)) }
func (r root) isFile(p string) bool { return pypath.IsFile(r.path(p)) }

// list returns the names in a folder, sorted.
func (r root) list(p string) []string {
	entries, err := os.ReadDir(r.path(p))
	if err != nil {
		return nil
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out
}

// glob returns the paths that match, below the root.
func (r root) glob(pattern string) []string {
	list, err := filepath.Glob(r.path(pattern))
	if err != nil {
		return nil
	}
	for i, p := range list {
		list[i] = strings.TrimPrefix(p, string(r))
	}
	return list
}

// which finds a program in PATH and the folders where systems keep theirs; "" for none.
func (d *detector) which(name string) string {
	folders := "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
	if d.root == "" {
		folders = d.m.Env("PATH") + ":" + folders
	}
	for _, dir := range strings.Split(folders, ":") {
		p := pypath.Join(dir, name)
		if strings.HasPrefix(p, "/") && pypath.Executable(d.root.path(p)) {
			return p
		}
	}
	return ""
}

// has tells whether all programs are there.
func (d *detector) has(names ...string) bool {
	for _, n := range names {
		if d.which(n) == "" {
			return false
		}
	}
	return true
}

// same tells whether two paths are the same file; unknown is yes.
func (r root) same(a, b string) bool {
	sa, err := os.Stat(r.path(a))
	if err != nil {
		return true
	}
	sb, err := os.Stat(r.path(b))
	return err != nil || os.SameFile(sa, sb)
}

// account returns the name of an id in /etc/passwd or /etc/group, the number when it has none.
func (r root) account(file string, id int) any {
	want := strconv.Itoa(id)
	for line := range strings.Lines(r.read(file)) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 4); len(f) == 4 && f[2] == want {
			return f[0]
		}
	}
	return int64(id)
}

// link returns where a symbolic link points.
func (r root) link(p string) string {
	to, err := os.Readlink(r.path(p))
	if err != nil {
		return ""
	}
	return to
}
