package file

import (
	"context"
	"errors"
	"os"
	"sort"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/finder"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/modules"
)

func pathFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("basename", basenameDoc, basename),
		modules.PureFn("directory_exists", directoryExistsDoc, directoryExists),
		modules.PureFn("dirname", dirnameDoc, dirname),
		modules.PureFn("diskusage", diskusageDoc, diskusage),
		modules.PureFn("file_exists", fileExistsDoc, fileExists),
		modules.Fn("find", findDoc, find),
		modules.PureFn("is_link", isLinkDoc, isLink),
		modules.PureFn("join", joinDoc, join),
		modules.PureFn("normpath", normpathDoc, normpath),
		modules.PureFn("pardir", pardirDoc, pardir),
		modules.PureFn("path_exists_glob", pathExistsGlobDoc, pathExistsGlob),
		modules.PureFn("readdir", readdirDoc, readdir),
		modules.PureFn("readlink", readlinkDoc, readlink),
	}
}

const basenameDoc = `Tell the last part of a path.

CLI Example:

    salt '*' file.basename 'test/test.config'`

func basename(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return pypath.Basename(in.Path), nil
}

const dirnameDoc = `Tell the folder part of a path.

CLI Example:

    salt '*' file.dirname 'test/path/filename.config'`

func dirname(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return pypath.Dirname(in.Path), nil
}

const normpathDoc = `Tidy a path: without double slashes, "." and "..".

CLI Example:

    salt '*' file.normpath 'a/b/c/..'`

func normpath(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return pypath.Normpath(in.Path), nil
}

const pardirDoc = `Tell the name of the parent folder, "..".

CLI Example:

    salt '*' file.pardir`

func pardir(context.Context, *modules.Env, struct{}) (any, error) { return "..", nil }

const joinDoc = `Put the parts of a path together.

CLI Example:

    salt '*' file.join '/' 'usr' 'local' 'bin'`

type joinArgs struct {
	Args []any `arg:"*args"`
}

func join(_ context.Context, _ *modules.Env, in joinArgs) (any, error) {
	if len(in.Args) == 0 {
		return nil, &modules.ArgError{Fun: "join", Msg: "join() missing 1 required positional argument: 'a'"}
	}
	parts := make([]string, len(in.Args))
	for i, a := range in.Args {
		parts[i] = pyfmt.Str(a)
	}
	return pypath.Join(parts...), nil
}

const directoryExistsDoc = `Tell whether there is a folder.

CLI Example:

    salt '*' file.directory_exists /etc`

func directoryExists(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return pypath.IsDir(pypath.Expanduser(in.Path)), nil
}

const fileExistsDoc = `Tell whether there is a regular file.

CLI Example:

    salt '*' file.file_exists /etc/passwd`

func fileExists(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return pypath.IsFile(pypath.Expanduser(in.Path)), nil
}

const pathExistsGlobDoc = `Tell whether a glob matches any file or folder.

CLI Example:

    salt '*' file.path_exists_glob /etc/pam*/pass*`

func pathExistsGlob(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return len(pypath.Glob(pypath.Expanduser(in.Path))) > 0, nil
}

const isLinkDoc = `Tell whether a path is a symbolic link.

CLI Example:

    salt '*' file.is_link /path/to/link`

func isLink(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	return pypath.IsLink(pypath.Expanduser(in.Path)), nil
}

const readlinkDoc = `Tell where a symbolic link leads; with canonicalize=True where it leads in the end.

CLI Example:

    salt '*' file.readlink /path/to/link`

type readlinkArgs struct {
	Path         string `arg:"path"`
	Canonicalize bool   `arg:"canonicalize" def:"False"`
}

func readlink(_ context.Context, _ *modules.Env, in readlinkArgs) (any, error) {
	path := pypath.Expandvars(pypath.Expanduser(in.Path))
	switch {
	case !pypath.IsAbs(path):
		return nil, modules.Invalidf("Path to link must be absolute: %s", path)
	case !pypath.IsLink(path):
		return nil, modules.Invalidf("A valid link was not specified: %s", path)
	case in.Canonicalize:
		return pypath.Realpath(path), nil
	}
	to, err := os.Readlink(path)
	if err != nil {
		return nil, modules.Errorf("%s", pyerr.Text(err))
	}
	return to, nil
}

const readdirDoc = `List what is in a folder, with "." and "..".

CLI Example:

    salt '*' file.readdir /path/to/dir/`

func readdir(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsAbs(path) {
		return nil, modules.Invalidf("Dir path must be absolute.")
	}
	if !pypath.IsDir(path) {
		return nil, modules.Invalidf("A valid directory was not specified.")
	}
	names, err := pypath.Listdir(path)
	if err != nil {
		return nil, plain(err)
	}
	return append([]string{".", ".."}, names...), nil
}

const diskusageDoc = `Add up the sizes of the files below a folder, in bytes.

CLI Example:

    salt '*' file.diskusage /path/to/check`

func diskusage(_ context.Context, _ *modules.Env, in pathArgs) (any, error) {
	if pypath.IsFile(in.Path) {
		fi, err := os.Stat(in.Path)
		if err != nil {
			return nil, plain(err)
		}
		return fi.Size(), nil
	}
	total, seen := int64(0), map[uint64]bool{}
	pypath.Walk(in.Path, func(dir string, dirs, files []string) []string {
		for _, f := range files {
			var st unix.Stat_t
			if unix.Stat(pypath.Join(dir, f), &st) == nil && !seen[st.Ino] {
				seen[st.Ino] = true
				total += st.Size
			}
		}
		return dirs
	})
	return total, nil
}

const findDoc = `Search files below a path and list them.

What to match:

    name, iname     glob for the name, iname without regard to case
    regex, iregex   pattern for the name
    type            letters: b c d f l p s
    owner, group    names or numbers
    size            [+-]number[b|k|m|g|t]
    mtime           [+-]interval such as 1w2d3h4m5s: with - younger, else older
    grep            pattern for the content
    mindepth, maxdepth

What to do with them:

    print           path, name, size, type, mode, mtime, user, group, md5; path when nothing is said
    delete          letters of the types to delete; f when none are given
    exec            a command, {} stands for the path

CLI Example:

    salt '*' file.find / type=f name=\*.bak size=+10m
    salt '*' file.find /var mtime=+30d size=+10m print=path,size,mtime
    salt '*' file.find /var/log name=\*.[0-9] mtime=+30d size=+10m delete`

type findArgs struct {
	Path   string         `arg:"path"`
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func find(ctx context.Context, env *modules.Env, in findArgs) (any, error) {
	options := in.Kwargs.Clone()
	for _, a := range in.Args {
		switch {
		case a == "delete":
			options.Set("delete", "f")
		case a == "print" && !has(in.Args, "delete"):
			options.Set("print", "path")
		}
	}
	f, err := finder.New(options, execFound(ctx, env))
	var usage *finder.UsageError
	if errors.As(err, &usage) {
		return "error: " + usage.Error(), nil
	}
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, p := range pypath.Glob(pypath.Expanduser(in.Path)) {
		got, err := f.Find(p)
		if err != nil {
			return nil, plain(err)
		}
		out = append(out, got...)
	}
	sort.SliceStable(out, func(i, j int) bool { return less(out[i], out[j]) })
	return out, nil
}

func has(list []any, word string) bool {
	for _, a := range list {
		if a == word {
			return true
		}
	}
	return false
}

// execFound runs a command for a file that was found.
func execFound(ctx context.Context, env *modules.Env) finder.Exec {
	return func(argv []string) (string, error) {
		res, err := env.Host.Run(ctx, host.Cmd{Argv: argv, Env: os.Environ(), Timeout: time.Hour})
		return pytext.Decode(res.Stdout), err
	}
}

// less orders results as Python does: texts, numbers, and lists item by item.
func less(a, b any) bool {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return ok && x < y
	case int64:
		y, ok := b.(int64)
		return ok && x < y
	case []any:
		y, _ := b.([]any)
		for i := range min(len(x), len(y)) {
			if !ordered.Equal(x[i], y[i]) {
				return less(x[i], y[i])
			}
		}
		return len(x) < len(y)
	}
	return strings.Compare(pyfmt.Repr(a), pyfmt.Repr(b)) < 0
}
