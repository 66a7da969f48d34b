package file

import (
	"context"
	"os"
	"slices"
	"strings"

	"brine/internal/fileops"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/states"
)

// folder is what one step of a walk finds.
type folder struct {
	root        string
	dirs, files []string
}

// walk lists a folder and those below it down to max depth; max below 0 is no bound.
func walk(top string, max int) []folder {
	var out []folder
	pypath.Walk(top, func(dir string, dirs, files []string) []string {
		into := dirs
		if max >= 0 && strings.Count(dir, "/")-strings.Count(top, "/") >= max {
			dirs, into = nil, nil
		}
		out = append(out, folder{dir, slices.Clone(dirs), slices.Clone(files)})
		return into
	})
	return out
}

// included tells whether a path passes the patterns: globs, or regular expressions after E@.
func included(path string, include, exclude any) (bool, error) {
	in, err := anyMatches(path, include)
	if err != nil {
		return false, err
	}
	out, err := anyMatches(path, exclude)
	if err != nil {
		return false, err
	}
	return (in || !pyfmt.Truth(include)) && (!out || !pyfmt.Truth(exclude)), nil
}

func anyMatches(path string, patterns any) (bool, error) {
	if !pyfmt.Truth(patterns) {
		return false, nil
	}
	for _, p := range texts(patterns) {
		expr, isRegex := strings.CutPrefix(p, "E@")
		if !isRegex {
			if fnmatch.Match(p, path) {
				return true, nil
			}
			continue
		}
		re, err := pyregex.Compile(expr, 0)
		if err != nil {
			return false, err
		}
		m, err := re.Search(path)
		if m != nil || err != nil {
			return err == nil, err
		}
	}
	return false, nil
}

// kept lists what other file states of the run, required by this one, look after below a folder.
func kept(ctx context.Context, env *states.Env, name string, require any) ([]string, error) {
	var keep []string
	list, _ := require.([]any)
	for _, r := range list {
		comp, _ := r.(*ordered.Map)
		want, ok := comp.Get("file")
		if !ok {
			continue
		}
		for _, low := range env.Chunks {
			if !ordered.Equal(low.Value("name"), want) && !ordered.Equal(low.Value("__id__"), want) {
				continue
			}
			path := pyfmt.Str(low.Value("name"))
			switch {
			case !pypath.IsDir(path):
				keep = append(keep, path)
			case !child(path, name):
			case low.Value("fun") == "recurse":
				t, err := treeOf(ctx, env, low)
				if err != nil {
					return nil, err
				}
				keep = append(keep, t.keep...)
			default:
				for _, f := range walk(path, -1) {
					keep = append(keep, f.root)
					for _, n := range append(slices.Clone(f.files), f.dirs...) {
						keep = append(keep, pypath.Join(f.root, n))
					}
				}
			}
		}
	}
	return keep, nil
}

func child(path, dir string) bool {
	rel := pypath.Relpath(absolute(path), absolute(dir))
	return !strings.HasPrefix(rel, "..")
}

func absolute(p string) string {
	if !pypath.IsAbs(p) {
		if wd, err := os.Getwd(); err == nil {
			p = pypath.Join(wd, p)
		}
	}
	return pypath.Normpath(p)
}

// clean removes what is below a folder and not in keep, nor above anything in it, and lists it. A dry run only lists.
func clean(env *states.Env, root string, keep []string, exclude any) ([]any, error) {
	stay := map[string]bool{root: true}
	for _, k := range keep {
		if !pypath.IsAbs(k) {
			continue
		}
		for k = pypath.Normpath(k); ; k = pypath.Dirname(k) {
			stay[k] = true
			if strings.Trim(k, "/") == "" {
				break
			}
		}
	}
	removed := []any{}
	var failed error
	remove := func(path string) {
		if failed != nil || stay[path] {
			return
		}
		ok, err := included(pypath.Relpath(path, root), nil, exclude)
		if err == nil && ok {
			removed = append(removed, path)
			if !env.Test {
				_, err = fileops.Remove(path)
			}
		}
		failed = err
	}
	pypath.Walk(root, func(dir string, dirs, files []string) []string {
		for _, n := range append(slices.Clone(files), dirs...) {
			remove(pypath.Join(dir, n))
		}
		return dirs
	})
	return removed, failed
}
