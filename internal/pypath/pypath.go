// Package pypath has Python's os.path on POSIX: the answers of Join, Normpath and the others differ from path/filepath
// in corner cases that users of file functions and templates see.
package pypath

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// Join is os.path.join: an absolute part discards what stands before it, and no part is cleaned.
func Join(parts ...string) string {
	if len(parts) == 0 {
		return ""
	}
	out := parts[0]
	for _, p := range parts[1:] {
		switch {
		case strings.HasPrefix(p, "/"):
			out = p
		case out == "" || strings.HasSuffix(out, "/"):
			out += p
		default:
			out += "/" + p
		}
	}
	return out
}

// Split is os.path.split.
func Split(p string) (head, tail string) {
	i := strings.LastIndexByte(p, '/') + 1
	head, tail = p[:i], p[i:]
	if head != "" && strings.Trim(head, "/") != "" {
		head = strings.TrimRight(head, "/")
	}
	return head, tail
}

// Basename is os.path.basename: what follows the last slash, "" for a path that ends in one.
func Basename(p string) string {
	_, tail := Split(p)
	return tail
}

// Dirname is os.path.dirname.
func Dirname(p string) string {
	head, _ := Split(p)
	return head
}

// Splitext is os.path.splitext: leading dots of the last part belong to the root.
func Splitext(p string) (root, ext string) {
	base := strings.LastIndexByte(p, '/') + 1
	dot := strings.LastIndexByte(p, '.')
	if dot < base || strings.Trim(p[base:dot], ".") == "" {
		return p, ""
	}
	return p[:dot], p[dot:]
}

// IsAbs is os.path.isabs.
func IsAbs(p string) bool { return strings.HasPrefix(p, "/") }

// Normpath is os.path.normpath: exactly two leading slashes stay, "" becomes ".".
func Normpath(p string) string {
	if p == "" {
		return "."
	}
	slashes := 0
	if p[0] == '/' {
		slashes = 1
		if strings.HasPrefix(p, "//") && !strings.HasPrefix(p, "///") {
			slashes = 2
		}
	}
	var out []string
	for _, c := range strings.Split(p, "/") {
		switch {
		case c == "" || c == ".":
		case c != "..", slashes == 0 && len(out) == 0, len(out) > 0 && out[len(out)-1] == "..":
			out = append(out, c)
		case len(out) > 0:
			out = out[:len(out)-1]
		}
	}
	p = strings.Repeat("/", slashes) + strings.Join(out, "/")
	if p == "" {
		return "."
	}
	return p
}

// Relpath is os.path.relpath of two absolute paths, or two relative ones.
func Relpath(p, start string) string {
	rel, err := filepath.Rel(start, p)
	if err != nil {
		return p
	}
	return rel
}

// Expanduser is os.path.expanduser: "~" and "~name" at the front become home folders, of users that exist.
func Expanduser(p string) string {
	if !strings.HasPrefix(p, "~") {
		return p
	}
	name, rest := p[1:], ""
	if i := strings.IndexByte(p, '/'); i >= 0 {
		name, rest = p[1:i], p[i:]
	}
	home := Home(name)
	if home == "" {
		return p
	}
	home = strings.TrimRight(home, "/") + rest
	if home == "" {
		return "/"
	}
	return home
}

// Home is the home folder of a user, "" for one that does not exist. The empty name is the user that runs us.
func Home(name string) string {
	if name == "" {
		if home := os.Getenv("HOME"); home != "" {
			return home
		}
		u, err := user.Current()
		if err != nil {
			return ""
		}
		return u.HomeDir
	}
	u, err := user.Lookup(name)
	if err != nil {
		return ""
	}
	return u.HomeDir
}

// Expandvars is os.path.expandvars: $NAME and ${NAME} of the environment; unknown ones stay.
func Expandvars(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); {
		if p[i] != '$' {
			b.WriteByte(p[i])
			i++
			continue
		}
		name, end := varName(p, i+1)
		if val, ok := os.LookupEnv(name); ok && name != "" {
			b.WriteString(val)
		} else {
			b.WriteString(p[i:end])
		}
		i = end
	}
	return b.String()
}

func varName(p string, i int) (name string, end int) {
	if i < len(p) && p[i] == '{' {
		if j := strings.IndexByte(p[i:], '}'); j >= 0 {
			return p[i+1 : i+j], i + j + 1
		}
		return "", i
	}
	end = i
	for end < len(p) && (p[end] == '_' || '0' <= p[end] && p[end] <= '9' || 'a' <= p[end]|0x20 && p[end]|0x20 <= 'z') {
		end++
	}
	return p[i:end], end
}

// maxLinks bounds how many symbolic links one Realpath follows.
const maxLinks = 255

// Realpath is os.path.realpath (strict=False): links are resolved as far as the path exists, the rest is kept.
func Realpath(p string) string {
	if !IsAbs(p) {
		if wd, err := os.Getwd(); err == nil {
			p = Join(wd, p)
		}
	}
	done, rest, links := "/", p, 0
	for rest != "" {
		var name string
		name, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
		switch name {
		case "", ".":
			continue
		case "..":
			done = Dirname(done)
			continue
		}
		next := Join(done, name)
		to, err := os.Readlink(next)
		if err != nil || links >= maxLinks {
			done = next
			continue
		}
		links++
		if IsAbs(to) {
			done = "/"
		}
		rest = Join(to, rest)
	}
	return done
}

// Exists is os.path.exists: false for a broken link.
func Exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// Lexists is os.path.lexists: true for a broken link.
func Lexists(p string) bool {
	_, err := os.Lstat(p)
	return err == nil
}

// IsDir is os.path.isdir; links are followed.
func IsDir(p string) bool {
	fi, err := os.Stat(p)
	return err == nil && fi.IsDir()
}

// IsFile is os.path.isfile; links are followed.
func IsFile(p string) bool {
	fi, err := os.Stat(p)
	return err == nil && fi.Mode().IsRegular()
}

// IsLink is os.path.islink.
func IsLink(p string) bool {
	fi, err := os.Lstat(p)
	return err == nil && fi.Mode()&os.ModeSymlink != 0
}

// Listdir is os.listdir: the names of a folder in the order in which the file system has them.
func Listdir(p string) ([]string, error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
