package cp

import (
	"context"
	"os"
	"slices"
	"strings"

	"brine/internal/fileops"
	"brine/internal/fnmatch"
	"brine/internal/hashsum"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/internal/pytext"
	"brine/internal/pyurl"
	"brine/modules"
)

const getFileDoc = `Fetch a file of the master to a path or into a folder, and tell where it is.

makedirs
    make the folders that are missing
template
    render the address and the path first, with this engine

CLI Example:

    salt '*' cp.get_file salt://path/to/file /minion/dest
    salt '*' cp.get_file "salt://{{grains.os}}/vimrc" /etc/vimrc template=jinja`

type getFileArgs struct {
	Path     string         `arg:"path"`
	Dest     string         `arg:"dest"`
	Saltenv  any            `arg:"saltenv" def:"None"`
	Makedirs bool           `arg:"makedirs" def:"False"`
	Template any            `arg:"template" def:"None"`
	Gzip     any            `arg:"gzip" def:"None"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func getFile(ctx context.Context, env *modules.Env, in getFileArgs) (any, error) {
	if err := renderNames(ctx, env, text(in.Template), in.Kwargs, &in.Path, &in.Dest); err != nil {
		return nil, err
	}
	path, saltenv, ok := place(env, in.Path, in.Saltenv)
	if !ok {
		return "", nil
	}
	sum, err := env.Files.Hash(ctx, saltenv, path)
	if err != nil || sum == "" {
		return "", err
	}
	return fetchTo(ctx, env, target{path: path, saltenv: saltenv, dest: in.Dest, sum: sum, makedirs: in.Makedirs})
}

func text(v any) string {
	if !pyfmt.Truth(v) {
		return ""
	}
	return pyfmt.Str(v)
}

// target is a file of the master and where it is to go.
type target struct {
	path, saltenv, dest, sum string
	makedirs                 bool
}

// fetchTo puts a file of the master at its destination, unless it is there already. The answer is where it is, or False.
func fetchTo(ctx context.Context, env *modules.Env, t target) (any, error) {
	if pypath.IsDir(t.dest) || strings.HasSuffix(t.dest, "/") {
		t.dest = pypath.Join(t.dest, pypath.Basename(t.path))
	}
	if have, err := hashsum.File(t.dest, "sha256"); err == nil && have == t.sum {
		return t.dest, nil
	}
	if ok, err := parent(t.dest, t.makedirs); !ok {
		return false, err
	}
	cached, err := env.Files.Cache(ctx, t.saltenv, t.path)
	if err != nil || cached == "" {
		return false, err
	}
	if err := fileops.Copy(cached, t.dest); err != nil {
		return nil, err
	}
	return t.dest, nil
}

// parent makes sure that the folder of a path is there.
func parent(path string, make bool) (bool, error) {
	dir := pypath.Dirname(path)
	if dir == "" || pypath.IsDir(dir) {
		return true, nil
	}
	if !make {
		return false, nil
	}
	err := os.MkdirAll(dir, 0o777)
	return err == nil, err
}

const getFileStrDoc = `Tell the content of a file of the master or of another address, False when there is none.

CLI Example:

    salt '*' cp.get_file_str salt://my/file`

func getFileStr(ctx context.Context, env *modules.Env, in pathEnvArgs) (any, error) {
	got, err := cacheFile(ctx, env, cacheFileArgs{Path: in.Path, Saltenv: in.Saltenv, VerifySSL: true})
	path, ok := got.(string)
	if err != nil || !ok {
		return got, err
	}
	p, err := os.ReadFile(path)
	if err != nil {
		return false, nil
	}
	return pytext.Universal(string(p)), nil
}

const getDirDoc = `Fetch a folder of the master, with all in it, into a folder, and list what was fetched.

CLI Example:

    salt '*' cp.get_dir salt://path/to/dir/ /minion/dest`

type getDirArgs struct {
	Path     string         `arg:"path"`
	Dest     string         `arg:"dest"`
	Saltenv  any            `arg:"saltenv" def:"None"`
	Template any            `arg:"template" def:"None"`
	Gzip     any            `arg:"gzip" def:"None"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

func getDir(ctx context.Context, env *modules.Env, in getDirArgs) (any, error) {
	if err := renderNames(ctx, env, text(in.Template), in.Kwargs, &in.Path, &in.Dest); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(in.Path, "salt://") {
		return nil, modules.Errorf("Unsupported path: %s", in.Path)
	}
	path, saltenv, ok := place(env, strings.TrimRight(in.Path, "/"), in.Saltenv)
	if !ok {
		return []any{}, nil
	}
	prefix := pypath.Dirname(path)
	files, err := env.Files.List(ctx, saltenv, path)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, f := range files {
		if !strings.HasPrefix(f, path+"/") {
			continue
		}
		dest := in.Dest + "/" + strings.TrimLeft(strings.TrimPrefix(f, prefix), "/")
		sum, err := env.Files.Hash(ctx, saltenv, f)
		if err != nil {
			return nil, err
		}
		got, err := fetchTo(ctx, env, target{path: f, saltenv: saltenv, dest: dest, sum: sum, makedirs: true})
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	empty, err := emptyDirs(ctx, env, saltenv, path)
	if err != nil {
		return nil, err
	}
	for _, d := range empty {
		dest := in.Dest + "/" + strings.TrimLeft(strings.TrimPrefix(d, prefix), "/")
		if err := os.MkdirAll(dest, 0o777); err != nil {
			return nil, err
		}
		out = append(out, dest)
	}
	slices.SortFunc(out, func(a, b any) int { return strings.Compare(pyfmt.Str(a), pyfmt.Str(b)) })
	return out, nil
}

// emptyDirs lists the folders below path in which there is nothing.
func emptyDirs(ctx context.Context, env *modules.Env, saltenv, path string) ([]string, error) {
	dirs, err := env.Files.Dirs(ctx, saltenv, path)
	if err != nil {
		return nil, err
	}
	files, err := env.Files.List(ctx, saltenv, path)
	if err != nil {
		return nil, err
	}
	all := append(append([]string{}, dirs...), files...)
	var out []string
	for _, d := range dirs {
		inside := slices.ContainsFunc(all, func(f string) bool { return strings.HasPrefix(f, d+"/") })
		if !inside && strings.HasPrefix(d, path+"/") {
			out = append(out, d)
		}
	}
	return out, nil
}

const cacheFileDoc = `Fetch a file of the master, or of another address, into the minion's cache and tell where it is; False when there is none. A local
path is given back as it is.

source_hash
    a checksum: a cached copy that has it is not fetched again

CLI Example:

    salt '*' cp.cache_file salt://path/to/file`

type cacheFileArgs struct {
	Path       string `arg:"path"`
	Saltenv    any    `arg:"saltenv" def:"None"`
	SourceHash any    `arg:"source_hash" def:"None"`
	VerifySSL  any    `arg:"verify_ssl" def:"True"`
	UseEtag    bool   `arg:"use_etag" def:"False"`
}

func cacheFile(ctx context.Context, env *modules.Env, in cacheFileArgs) (any, error) {
	u := pyurl.Parse(in.Path)
	switch u.Scheme {
	case "salt":
		path, saltenv, ok := place(env, in.Path, in.Saltenv)
		if !ok {
			return false, nil
		}
		cached, err := env.Files.Cache(ctx, saltenv, path)
		if err != nil || cached == "" {
			return false, err
		}
		return cached, nil
	case "", "file":
		return localPath(u)
	}
	return download(ctx, env, web{url: in.Path, saltenv: saltenvOf(env, in.Saltenv), sum: text(in.SourceHash), insecure: in.VerifySSL == false, etag: in.UseEtag})
}

func localPath(u pyurl.URL) (any, error) {
	path := strings.TrimRight(pypath.Join(u.Netloc, u.Path), "/")
	if !pypath.IsAbs(path) {
		return nil, modules.Errorf("Path '%s' is not absolute", path)
	}
	return path, nil
}

const cacheFilesDoc = `Fetch several files into the minion's cache and tell where they are.

CLI Example:

    salt '*' cp.cache_files salt://pathto/file1,salt://pathto/file1`

type cacheFilesArgs struct {
	Paths   any `arg:"paths"`
	Saltenv any `arg:"saltenv" def:"None"`
}

func cacheFiles(ctx context.Context, env *modules.Env, in cacheFilesArgs) (any, error) {
	list, ok := in.Paths.([]any)
	if !ok {
		for _, p := range strings.Split(pyfmt.Str(in.Paths), ",") {
			list = append(list, p)
		}
	}
	out := []any{}
	for _, p := range list {
		got, err := cacheFile(ctx, env, cacheFileArgs{Path: pyfmt.Str(p), Saltenv: in.Saltenv, VerifySSL: true})
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}

const cacheDirDoc = `Fetch a folder of the master into the minion's cache and tell where its files are.

include_empty
    make its empty folders too
include_pat, exclude_pat
    globs, or patterns after E@, for the files to fetch and not to fetch

CLI Example:

    salt '*' cp.cache_dir salt://path/to/dir
    salt '*' cp.cache_dir salt://path/to/dir include_pat='E@*.py$'`

type cacheDirArgs struct {
	Path         string `arg:"path"`
	Saltenv      any    `arg:"saltenv" def:"None"`
	IncludeEmpty bool   `arg:"include_empty" def:"False"`
	IncludePat   any    `arg:"include_pat" def:"None"`
	ExcludePat   any    `arg:"exclude_pat" def:"None"`
}

func cacheDir(ctx context.Context, env *modules.Env, in cacheDirArgs) (any, error) {
	if !strings.HasPrefix(in.Path, "salt://") {
		return nil, modules.Errorf("Unsupported path: %s", in.Path)
	}
	path, saltenv, ok := place(env, strings.TrimRight(in.Path, "/"), in.Saltenv)
	if !ok {
		return []any{}, nil
	}
	files, err := env.Files.List(ctx, saltenv, path)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, f := range files {
		wanted, err := included(f, text(in.IncludePat), text(in.ExcludePat))
		if err != nil {
			return nil, err
		}
		if !wanted || !strings.HasPrefix(f, path+"/") {
			continue
		}
		cached, err := env.Files.Cache(ctx, saltenv, f)
		if err != nil {
			return nil, err
		}
		if cached != "" {
			out = append(out, cached)
		}
	}
	if !in.IncludeEmpty {
		return out, nil
	}
	empty, err := emptyDirs(ctx, env, saltenv, path)
	for _, d := range empty {
		dest := cachePath(env, "files", saltenv, d)
		if err := os.MkdirAll(dest, 0o755); err != nil {
			return nil, err
		}
		out = append(out, dest)
	}
	return out, err
}

// included holds a path against the patterns of what to take and what to leave.
func included(path, include, exclude string) (bool, error) {
	hit := func(pattern string) (bool, error) {
		re, isRe := strings.CutPrefix(pattern, "E@")
		if !isRe {
			return fnmatch.Match(pattern, path), nil
		}
		compiled, err := pyregex.Compile(re, 0)
		if err != nil {
			return false, err
		}
		m, err := compiled.Search(path)
		return m != nil, err
	}
	if include != "" {
		if ok, err := hit(include); !ok || err != nil {
			return false, err
		}
	}
	if exclude != "" {
		ok, err := hit(exclude)
		return !ok, err
	}
	return true, nil
}

const cacheMasterDoc = `Fetch all files of the master into the minion's cache.

CLI Example:

    salt '*' cp.cache_master`

func cacheMaster(ctx context.Context, env *modules.Env, in envArgs) (any, error) {
	saltenv := saltenvOf(env, in.Saltenv)
	files, err := env.Files.List(ctx, saltenv, "")
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, f := range files {
		cached, err := env.Files.Cache(ctx, saltenv, f)
		if err != nil {
			return nil, err
		}
		out = append(out, cached)
	}
	return out, nil
}

const cacheLocalFileDoc = `Copy a local file into the minion's cache and tell where the copy is.

CLI Example:

    salt '*' cp.cache_local_file /etc/hosts`

type pathArgs struct {
	Path string `arg:"path"`
}

func cacheLocalFile(_ context.Context, env *modules.Env, in pathArgs) (any, error) {
	if !pypath.Exists(in.Path) {
		return "", nil
	}
	dest := pypath.Normpath(cachePath(env, "localfiles", strings.TrimLeft(in.Path, "/")))
	if !strings.HasPrefix(dest, cachePath(env, "localfiles")+"/") {
		return "", nil
	}
	if _, err := parent(dest, true); err != nil {
		return nil, err
	}
	if err := fileops.Copy(in.Path, dest); err != nil {
		return nil, err
	}
	return dest, nil
}
