package finder

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/user"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/fileinfo"
	"brine/internal/hashsum"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/internal/shlex"
)

// option makes what one option asks for: a criterion, an action, or both.
func (f *Finder) option(key string, v any) (*criterion, action, error) {
	name := strings.ToLower(key)
	if name == "mtime" {
		c, err := byAge(pyfmt.Str(v), time.Now())
		return c, nil, err
	}
	value, ok := v.(string)
	if !ok {
		switch name {
		case "name", "iname", "regex", "iregex", "type", "owner", "group", "size", "grep", "print", "delete", "exec":
			return nil, nil, fmt.Errorf("the value of %q must be a text, not %s", key, pyfmt.Type(v))
		}
	}
	var c *criterion
	var err error
	switch name {
	case "name":
		c, err = byPattern(globToRegex(value), 0)
	case "iname":
		c, err = byPattern(globToRegex(value), pyregex.IgnoreCase)
	case "regex":
		c, err = byPattern(value, 0)
	case "iregex":
		c, err = byPattern(value, pyregex.IgnoreCase)
	case "type":
		c, err = byType(value)
	case "owner":
		c, err = byOwner(value)
	case "group":
		c, err = byGroup(value)
	case "size":
		c, err = bySize(value)
	case "grep":
		c, err = byContent(value)
	case "print":
		return nil, printer(strings.Fields(strings.ReplaceAll(value, ",", " "))), nil
	case "delete":
		if strings.Contains(value, "a") {
			value = "bcdpfls"
		}
		c, err = byType(value)
		return c, f.remove, err
	case "exec":
		return nil, f.run(value), nil
	default:
		err = usage(`invalid option "%s"`, key)
	}
	return c, nil, err
}

// globToRegex is Salt's own reading of a glob: sets stay as they are, a question mark is one character or none.
func globToRegex(glob string) string {
	return strings.NewReplacer(".", `\.`, "?", ".?", "*", ".*").Replace(glob) + "$"
}

func byPattern(pattern string, flags pyregex.Flags) (*criterion, error) {
	re, err := pyregex.Compile(pattern, flags)
	if err != nil {
		return nil, usage(`invalid regular expression: "%s"`, pattern)
	}
	return &criterion{0, func(c *file) (bool, error) {
		m, err := re.Match(c.name)
		return m != nil, err
	}}, nil
}

func byType(letters string) (*criterion, error) {
	kinds := map[uint32]bool{}
	for _, l := range strings.Join(strings.Fields(strings.ReplaceAll(letters, ",", "")), "") {
		kind, ok := typeBits()[l]
		if !ok {
			return nil, usage(`invalid file type "%c"`, l)
		}
		kinds[kind] = true
	}
	return byStat(func(st *unix.Stat_t) bool { return kinds[st.Mode&unix.S_IFMT] }), nil
}

func typeBits() map[rune]uint32 {
	return map[rune]uint32{'b': unix.S_IFBLK, 'c': unix.S_IFCHR, 'd': unix.S_IFDIR, 'f': unix.S_IFREG, 'l': unix.S_IFLNK, 'p': unix.S_IFIFO, 's': unix.S_IFSOCK}
}

func byStat(match func(*unix.Stat_t) bool) *criterion {
	return &criterion{1, func(c *file) (bool, error) {
		st, err := c.stat()
		if err != nil {
			return false, err
		}
		return match(st), nil
	}}
}

func words(list string) []string { return strings.Fields(strings.ReplaceAll(list, ",", " ")) }

func byOwner(list string) (*criterion, error) {
	ids := map[uint32]bool{}
	for _, w := range words(list) {
		id := w
		if _, err := strconv.ParseUint(w, 10, 32); err != nil {
			u, err := user.Lookup(w)
			if err != nil {
				return nil, usage(`no such user "%s"`, w)
			}
			id = u.Uid
		}
		n, _ := strconv.ParseUint(id, 10, 32) // a number by now
		ids[uint32(n)] = true
	}
	return byStat(func(st *unix.Stat_t) bool { return ids[st.Uid] }), nil
}

func byGroup(list string) (*criterion, error) {
	ids := map[uint32]bool{}
	for _, w := range words(list) {
		id := w
		if _, err := strconv.ParseUint(w, 10, 32); err != nil {
			g, err := user.LookupGroup(w)
			if err != nil {
				return nil, usage(`no such group "%s"`, w)
			}
			id = g.Gid
		}
		n, _ := strconv.ParseUint(id, 10, 32) // a number by now
		ids[uint32(n)] = true
	}
	return byStat(func(st *unix.Stat_t) bool { return ids[st.Gid] }), nil
}

// bySize reads [+-]number[bkmgt]; without a sign the size must be that of the unit's whole number.
func bySize(value string) (*criterion, error) {
	s := strings.TrimSpace(value)
	style := byte('=')
	if s != "" && (s[0] == '-' || s[0] == '+') {
		style, s = s[0], s[1:]
	}
	unit := int64(1)
	if s != "" {
		if i := strings.IndexByte("bkmgt", s[len(s)-1]|0x20); i >= 0 {
			unit, s = 1<<(10*i), strings.TrimSpace(s[:len(s)-1])
		}
	}
	var n int64
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		n = i * unit
	} else if x, err := strconv.ParseFloat(s, 64); err == nil {
		n = int64(x * float64(unit))
	} else {
		return nil, usage(`invalid size: "%s"`, value)
	}
	low, high := n, n+unit-1
	switch style {
	case '-':
		low, high = 0, n
	case '+':
		high = math.MaxInt64
	}
	return byStat(func(st *unix.Stat_t) bool { return low <= st.Size && st.Size <= high }), nil
}

var interval = regexp.MustCompile(`^\s*([+-]?)(?:(\d+(?:\.\d*)?)\s*[wW])?\s*(?:(\d+(?:\.\d*)?)\s*[dD])?\s*(?:(\d+(?:\.\d*)?)\s*[hH])?\s*(?:(\d+(?:\.\d*)?)\s*[mM])?\s*(?:(\d+(?:\.\d*)?)\s*[sS])?\s*$`)

// byAge reads an interval such as 1w3d6h: with a minus younger than that, else older. The smallest unit named is the
// resolution.
func byAge(value string, now time.Time) (*criterion, error) {
	m := interval.FindStringSubmatch(value)
	if m == nil {
		return nil, usage("invalid time interval: '%s'", value)
	}
	seconds, resolution := 0.0, 0
	for i, unit := range []int{7 * 24 * 3600, 24 * 3600, 3600, 60, 1} {
		if m[i+2] != "" {
			x, _ := strconv.ParseFloat(m[i+2], 64) // digits, by the pattern
			seconds, resolution = seconds+x*float64(unit), unit
		}
	}
	if resolution == 0 {
		return nil, errors.New("unsupported operand type(s) for /: 'int' and 'NoneType'")
	}
	at := float64(now.UnixNano())/1e9 - math.Trunc(seconds/float64(resolution))*float64(resolution)
	younger := m[1] == "-"
	return byStat(func(st *unix.Stat_t) bool {
		if younger {
			return float64(st.Mtim.Sec) >= at
		}
		return float64(st.Mtim.Sec) <= at
	}), nil
}

// maxContent bounds how much of a file is searched for a pattern.
const maxContent = 256 << 20

func byContent(pattern string) (*criterion, error) {
	re, err := pyregex.Compile(pattern, 0)
	if err != nil {
		return nil, usage(`invalid regular expression: "%s"`, pattern)
	}
	return &criterion{2, func(c *file) (bool, error) {
		st, err := c.stat()
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > maxContent {
			return false, err
		}
		text, err := os.ReadFile(c.path)
		if err != nil {
			return false, err
		}
		m, err := re.Search(string(text))
		return m != nil, err
	}}, nil
}

// printer tells facts of a file: one as it is, several as a list.
func printer(fields []string) action {
	if len(fields) == 0 {
		fields = []string{"path"}
	}
	return func(c *file) (any, error) {
		out := []any{}
		for _, name := range fields {
			v, ok, err := fact(c, name)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, v)
			}
		}
		if len(out) == 1 {
			return out[0], nil
		}
		return out, nil
	}
}

func fact(c *file, name string) (v any, ok bool, err error) {
	switch name {
	case "path":
		return c.path, true, nil
	case "name":
		return pypath.Basename(c.path), true, nil
	}
	st, err := c.stat()
	if err != nil {
		return nil, false, err
	}
	switch name {
	case "size":
		return st.Size, true, nil
	case "type":
		for l, bits := range typeBits() {
			if bits == st.Mode&unix.S_IFMT {
				return string(l), true, nil
			}
		}
		return "?", true, nil
	case "mode":
		return int64(st.Mode & 0o777), true, nil
	case "mtime":
		return st.Mtim.Sec, true, nil
	case "user":
		return fileinfo.UserName(int(st.Uid)), true, nil
	case "group":
		return fileinfo.GroupName(int(st.Gid)), true, nil
	case "md5":
		if st.Mode&unix.S_IFMT != unix.S_IFREG {
			return "", true, nil
		}
		sum, err := hashsum.File(c.path, "md5")
		return sum, true, err
	}
	return nil, false, nil
}

// run hands files to a command, their path in the place of {}.
func (f *Finder) run(command string) action {
	return func(c *file) (any, error) {
		line := strings.ReplaceAll(command, "{}", c.path)
		argv, err := shlex.Split(line)
		if err != nil || len(argv) == 0 || f.exec == nil {
			return c.path + ": Failed", nil
		}
		out, err := f.exec(argv)
		if err != nil {
			return c.path + ": Failed", nil
		}
		return line + ":\n" + out + "\n", nil
	}
}
