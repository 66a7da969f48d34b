package file

import (
	"context"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/modules"
	"brine/states"
)

func removeFuncs() []states.Func {
	return []states.Func{
		fn("absent", "Remove a file, a link, or a folder with all in it.", absent),
		fn("exists", "Check that something is at a path.", exists),
		fn("missing", "Check that nothing is at a path.", missing),
		fn("tidied", "Remove old or large files from a folder.", tidied),
		fn("pruned", "Remove empty folders.", pruned),
	}
}

type nameArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func absent(_ context.Context, _ *states.Env, in nameArgs) (check, error) {
	kind := "file"
	switch {
	case !pypath.IsAbs(in.Name):
		return notAbsolute(in.Name)
	case in.Name == "/":
		return refuse(`Refusing to make "/" absent`)
	case pypath.IsFile(in.Name) || pypath.IsLink(in.Name):
	case pypath.IsDir(in.Name):
		kind = "directory"
	default:
		return final(states.Fine("File " + in.Name + " is not present"))
	}
	changes := ordered.Pairs("removed", in.Name)
	return change(func(context.Context) (*states.Result, error) {
		if _, err := fileops.Remove(in.Name); err != nil {
			return states.Failed("Could not remove '%s': %s", in.Name, pyerr.Text(err)), nil
		}
		return &states.Result{OK: states.True(), Comment: "Removed " + kind + " " + in.Name, Changes: changes}, nil
	}, strings.ToUpper(kind[:1])+kind[1:]+" "+in.Name+" is set for removal", changes)
}

func exists(_ context.Context, _ *states.Env, in nameArgs) (check, error) {
	if !pypath.Exists(in.Name) {
		return refuse("Specified path %s does not exist", in.Name)
	}
	return final(states.Fine("Path " + in.Name + " exists"))
}

func missing(_ context.Context, _ *states.Env, in nameArgs) (check, error) {
	if pypath.Exists(in.Name) {
		return refuse("Specified path %s exists", in.Name)
	}
	return final(states.Fine("Path " + in.Name + " is missing"))
}

type tidiedArgs struct {
	Name       string         `arg:"name"`
	Age        any            `arg:"age" def:"0"`
	Matches    any            `arg:"matches" def:"None"`
	Rmdirs     bool           `arg:"rmdirs" def:"False"`
	Size       any            `arg:"size" def:"0"`
	Exclude    any            `arg:"exclude" def:"None"`
	FullPath   bool           `arg:"full_path_match" def:"False"`
	Follow     bool           `arg:"followlinks" def:"False"`
	Comparison any            `arg:"time_comparison" def:"'atime'"`
	Operator   any            `arg:"age_size_logical_operator" def:"'OR'"`
	Only       any            `arg:"age_size_only" def:"None"`
	Rmlinks    bool           `arg:"rmlinks" def:"True"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

// tidying decides about one file after another.
type tidying struct {
	tidiedArgs
	age, size        int64
	matches, exclude []*pyregex.Regexp
	today            time.Time
}

func tidied(_ context.Context, _ *states.Env, in tidiedArgs) (check, error) {
	switch {
	case !pypath.IsAbs(in.Name):
		return notAbsolute(in.Name)
	case !pypath.IsDir(in.Name):
		return refuse("%s does not exist or is not a directory.", in.Name)
	}
	t := &tidying{tidiedArgs: in, today: day(time.Now())}
	if err := t.read(); err != nil {
		return check{}, err
	}
	found, err := t.find()
	if err != nil {
		return check{}, err
	}
	if len(found) == 0 {
		return final(states.Fine("Nothing to remove from directory " + in.Name))
	}
	return change(func(context.Context) (*states.Result, error) {
		removed := []any{}
		for _, path := range found {
			if _, err := fileops.Remove(pyfmt.Str(path)); err != nil {
				r := states.Failed("Could not remove '%s': %s", path, pyerr.Text(err))
				r.Changes = ordered.Pairs("removed", removed)
				return r, nil
			}
			removed = append(removed, path)
		}
		comment := "Removed " + pyfmt.Str(int64(len(found))) + " files or directories from directory " + in.Name
		return &states.Result{OK: states.True(), Comment: comment, Changes: ordered.Pairs("removed", removed)}, nil
	}, in.Name+" is set for tidy", ordered.Pairs("removed", found))
}

// day is the date of a moment, at noon UTC so that dates can be subtracted.
func day(t time.Time) time.Time {
	y, m, d := t.Local().Date()
	return time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
}

func (t *tidying) read() (err error) {
	if t.age, err = modules.Int(t.Age); err != nil {
		return err
	}
	if t.size, err = bytesOf(t.Size); err != nil {
		return err
	}
	if t.Matches == nil {
		t.Matches = ".*"
	}
	if t.matches, err = compiled(t.Matches); err != nil || !pyfmt.Truth(t.Exclude) {
		return err
	}
	t.exclude, err = compiled(t.Exclude)
	return err
}

func compiled(patterns any) ([]*pyregex.Regexp, error) {
	var out []*pyregex.Regexp
	for _, p := range texts(patterns) {
		re, err := pyregex.Compile(p, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	return out, nil
}

// bytesOf reads a size such as 10MB; units are powers of 1024, a unit that is not known makes it 0.
func bytesOf(v any) (int64, error) {
	s, ok := v.(string)
	if !ok {
		return modules.Int(v)
	}
	s = strings.TrimSpace(s)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		i = len(s)
	}
	n, err := modules.Float(s[:i])
	if err != nil {
		return 0, nil
	}
	unit := strings.ToUpper(strings.TrimSpace(s[i:]))
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I")
	power := slices.Index([]string{"", "K", "M", "G", "T", "P", "E"}, unit)
	if power < 0 {
		return 0, nil
	}
	return int64(n * float64(int64(1)<<(10*power))), nil
}

func (t *tidying) find() (found []any, err error) {
	look := func(dir string, dirs, files []string) {
		for i, n := range append(slices.Clone(files), dirs...) {
			path := pypath.Join(dir, n)
			ok, e := t.removes(path, n, i >= len(files))
			if e != nil {
				err = e
			}
			if ok {
				found = append(found, path)
			}
		}
	}
	if t.Follow {
		walkUp(t.Name, map[string]bool{}, look)
	} else {
		pypath.WalkUp(t.Name, look)
	}
	return found, err
}

// walkUp visits folders behind links too, each once.
func walkUp(top string, seen map[string]bool, look func(dir string, dirs, files []string)) {
	real := pypath.Realpath(top)
	names, err := pypath.Listdir(top)
	if err != nil || seen[real] {
		return
	}
	seen[real] = true
	var dirs, files []string
	for _, n := range names {
		if pypath.IsDir(pypath.Join(top, n)) {
			dirs = append(dirs, n)
			walkUp(pypath.Join(top, n), seen, look)
		} else {
			files = append(files, n)
		}
	}
	look(top, dirs, files)
}

func (t *tidying) removes(path, name string, isDir bool) (bool, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return false, nil
	}
	size, may := int64(0), true
	switch {
	case fi.Mode()&os.ModeSymlink != 0:
		may = t.Rmlinks
	case isDir:
		may = t.Rmdirs
	default:
		size = fi.Size()
	}
	days := int64(t.today.Sub(day(t.moment(fi))).Abs().Hours() / 24)
	old, large := days >= t.age, size >= t.size
	hit := old || large
	switch only := strings.ToLower(text(t.Only)); {
	case only == "age":
		hit = old
	case only == "size":
		hit = large
	case strings.EqualFold(text(t.Operator), "AND"):
		hit = old && large
	}
	if !hit || !may {
		return false, nil
	}
	if t.FullPath {
		name = path
	}
	in, err := anyAtStart(t.matches, name)
	if err != nil || !in {
		return false, err
	}
	out, err := anyAtStart(t.exclude, name)
	return !out, err
}

// moment is the time of a file that its age counts from.
func (t *tidying) moment(fi os.FileInfo) time.Time {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return fi.ModTime()
	}
	switch strings.ToLower(text(t.Comparison)) {
	case "mtime":
		return fi.ModTime()
	case "ctime":
		return time.Unix(st.Ctim.Unix())
	}
	return time.Unix(st.Atim.Unix())
}

func anyAtStart(list []*pyregex.Regexp, s string) (bool, error) {
	for _, re := range list {
		if m, err := re.Match(s); m != nil || err != nil {
			return err == nil, err
		}
	}
	return false, nil
}

type prunedArgs struct {
	Name         string `arg:"name"`
	Recurse      bool   `arg:"recurse" def:"False"`
	IgnoreErrors bool   `arg:"ignore_errors" def:"False"`
	OlderThan    any    `arg:"older_than" def:"None"`
}

func pruned(_ context.Context, env *states.Env, in prunedArgs) (check, error) {
	switch {
	case !pypath.IsAbs(in.Name):
		return notAbsolute(in.Name)
	case !pypath.IsDir(in.Name):
		return final(states.Fine("Directory " + in.Name + " is not present"))
	}
	return change(func(ctx context.Context) (*states.Result, error) {
		res, err := states.Dict(env.Call(ctx, "file.rmdir", modules.Pos(in.Name).With("recurse", in.Recurse).With("verbose", true).With("older_than", in.OlderThan)))
		if err != nil {
			return nil, err
		}
		ok := res.Value("result") == true
		deleted := texts(res.Value("deleted"))
		slices.Sort(deleted)
		switch {
		case (ok && in.Recurse || !ok && in.IgnoreErrors) && len(deleted) > 0:
			return &states.Result{OK: states.True(), Comment: "Recursively removed empty directories under " + in.Name, Changes: ordered.Pairs("deleted", deleted)}, nil
		case ok && in.Recurse:
			return states.Fine(""), nil
		case ok:
			return &states.Result{OK: states.True(), Comment: "Removed directory " + in.Name, Changes: ordered.Pairs("deleted", in.Name)}, nil
		}
		res.Delete("result")
		r := states.Failed("Failed to remove directory %s", in.Name)
		r.Changes = res
		return r, nil
	}, "Directory "+in.Name+" is set for removal", ordered.Pairs("deleted", in.Name))
}
