package pypath

import (
	"strings"

	"brine/internal/fnmatch"
)

// Glob is glob.glob(pattern): names in the order of the file system; "*" does not match a leading dot, "**" is "*".
func Glob(pattern string) []string {
	if !magic(pattern) {
		if strings.HasSuffix(pattern, "/") && !IsDir(pattern) || !Lexists(pattern) {
			return nil
		}
		return []string{pattern}
	}
	dir, base := Split(pattern)
	if dir == "" {
		return globIn("", base)
	}
	dirs := []string{dir}
	if dir != pattern && magic(dir) {
		dirs = Glob(dir)
	}
	var out []string
	for _, d := range dirs {
		out = append(out, globIn(d, base)...)
	}
	return out
}

func magic(s string) bool { return strings.ContainsAny(s, "*?[") }

func globIn(dir, base string) []string {
	if !magic(base) {
		p := Join(dir, base)
		if base == "" && IsDir(dir) || base != "" && Lexists(p) {
			return []string{p}
		}
		return nil
	}
	look := dir
	if look == "" {
		look = "."
	}
	names, err := Listdir(look)
	if err != nil {
		return nil
	}
	var out []string
	for _, n := range names {
		if strings.HasPrefix(n, ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		if fnmatch.Match(base, n) {
			out = append(out, Join(dir, n))
		}
	}
	return out
}

// Walk visits a folder and all below it as os.walk(top) does, without following links: fn gets the folder, the names
// of folders in it (links to folders too) and of all else, each in the order of the file system. It may shorten dirs
// in place by returning the ones to go into.
func Walk(top string, fn func(dir string, dirs, files []string) (into []string)) {
	dirs, files, err := entries(top)
	if err != nil {
		return
	}
	for _, d := range fn(top, dirs, files) {
		if p := Join(top, d); !IsLink(p) {
			Walk(p, fn)
		}
	}
}

// WalkUp is os.walk(top, topdown=False): a folder comes after those in it.
func WalkUp(top string, fn func(dir string, dirs, files []string)) {
	dirs, files, err := entries(top)
	if err != nil {
		return
	}
	for _, d := range dirs {
		if p := Join(top, d); !IsLink(p) {
			WalkUp(p, fn)
		}
	}
	fn(top, dirs, files)
}

func entries(dir string) (dirs, files []string, err error) {
	names, err := Listdir(dir)
	for _, n := range names {
		if IsDir(Join(dir, n)) {
			dirs = append(dirs, n)
		} else {
			files = append(files, n)
		}
	}
	return dirs, files, err
}
