// Package finder searches files by name, kind, owner, size, age and content and prints, deletes or hands them to commands:
// Salt's file.find and the cleaning of folders by states.
package finder

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
)

// UsageError is a value that an option cannot have (Python's ValueError); callers show it instead of failing.
type UsageError struct{ Msg string }

func (e *UsageError) Error() string { return e.Msg }

func usage(format string, a ...any) error { return &UsageError{fmt.Sprintf(format, a...)} }

// file is one candidate.
type file struct {
	dir, name, path string
	st              *unix.Stat_t
}

// stat looks at the file, behind links where they lead somewhere.
func (f *file) stat() (*unix.Stat_t, error) {
	if f.st != nil {
		return f.st, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(f.path, &st); err != nil {
		if err := unix.Lstat(f.path, &st); err != nil {
			return nil, &fs.PathError{Op: "lstat", Path: f.path, Err: err}
		}
	}
	f.st = &st
	return f.st, nil
}

// criterion decides about a file; cost orders them, cheapest first.
type criterion struct {
	cost  int
	match func(*file) (bool, error)
}

// action does something with a file that matched; a nil answer is left out of the result.
type action func(*file) (any, error)

// Exec runs a command for the exec option and returns what it printed.
type Exec func(argv []string) (string, error)

// Finder is a search made ready.
type Finder struct {
	criteria           []criterion
	actions            []action
	minDepth, maxDepth int // maxDepth below 0 is no limit
	test               bool
	exec               Exec
}

// New reads options such as name, iname, regex, iregex, type, owner, group, size, mtime, grep, print, delete, exec,
// mindepth, maxdepth and test. Errors are *UsageError where Salt answers with a text.
func New(options *ordered.Map, exec Exec) (*Finder, error) {
	f := &Finder{maxDepth: -1, exec: exec}
	rest := options.Clone()
	for _, depth := range []struct {
		name string
		into *int
	}{{"mindepth", &f.minDepth}, {"maxdepth", &f.maxDepth}} {
		v, ok := rest.Get(depth.name)
		rest.Delete(depth.name)
		if !ok || v == nil {
			continue
		}
		n, isInt := v.(int64)
		if !isInt {
			return nil, fmt.Errorf("'<' not supported between instances of '%s' and 'int'", pyfmt.Type(v))
		}
		*depth.into = int(n)
	}
	f.test = pyfmt.Truth(rest.Value("test"))
	rest.Delete("test")
	var byCost [3][]criterion
	for k, v := range rest.All() {
		key := pyfmt.Str(k)
		if strings.HasPrefix(key, "_") {
			continue
		}
		if v == nil || pyfmt.Str(v) == "" {
			return nil, usage(`missing value for "%s" option`, key)
		}
		c, a, err := f.option(key, v)
		if err != nil {
			return nil, err
		}
		if c != nil {
			byCost[c.cost] = append(byCost[c.cost], *c)
		}
		if a != nil {
			f.actions = append(f.actions, a)
		}
	}
	for _, cs := range byCost {
		f.criteria = append(f.criteria, cs...)
	}
	if len(f.actions) == 0 {
		f.actions = []action{printer([]string{"path"})}
	}
	return f, nil
}

// Find searches below path and in it.
func (f *Finder) Find(path string) ([]any, error) {
	var out []any
	if f.minDepth < 1 {
		dir, name := pypath.Split(path)
		if err := f.try(&file{dir: dir, name: name, path: path}, &out); err != nil {
			return nil, err
		}
	}
	var failed error
	pypath.Walk(path, func(dir string, dirs, files []string) []string {
		depth := depthOf(pypath.Relpath(dir, path)) + 1
		if failed == nil && depth >= f.minDepth && (f.maxDepth < 0 || f.maxDepth >= depth) {
			for _, name := range append(append([]string{}, dirs...), files...) {
				if failed = f.try(&file{dir: dir, name: name, path: pypath.Join(dir, name)}, &out); failed != nil {
					return nil
				}
			}
		}
		if failed != nil || f.maxDepth >= 0 && depth > f.maxDepth {
			return nil
		}
		return dirs
	})
	return out, failed
}

func depthOf(rel string) int {
	if rel == "." {
		return 0
	}
	return strings.Count(rel, "/") + 1
}

func (f *Finder) try(c *file, out *[]any) error {
	for _, cr := range f.criteria {
		ok, err := cr.match(c)
		if err != nil || !ok {
			return err
		}
	}
	for _, a := range f.actions {
		v, err := a(c)
		if err != nil {
			return err
		}
		if v != nil {
			*out = append(*out, v)
		}
	}
	return nil
}

// remove deletes a file, a link or a folder with all in it; nil when it cannot.
func (f *Finder) remove(c *file) (any, error) {
	if f.test {
		return c.path, nil
	}
	if pypath.IsFile(c.path) || pypath.IsLink(c.path) {
		if os.Remove(c.path) != nil {
			return nil, nil
		}
	} else if pypath.IsDir(c.path) && os.RemoveAll(c.path) != nil {
		return nil, nil
	}
	return c.path, nil
}
