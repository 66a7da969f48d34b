// Package cp holds the cp.* functions: the file client, which lists, fetches and caches files of the master and of
// other addresses.
package cp

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/modules"
)

// Pusher hands files of this minion to the master.
type Pusher interface {
	// Push sends the file at path; name is where the master keeps it below this minion's folder.
	Push(ctx context.Context, path, name string) error
}

// Moder is what env.Files may be able to do besides: tell the mode of a file below the roots; ok is false when there is
// no such file.
type Moder interface {
	Mode(ctx context.Context, saltenv, path string) (mode fs.FileMode, ok bool, err error)
}

// Symlinker is what env.Files may be able to do besides: list the links below the roots and where they lead.
type Symlinker interface {
	Symlinks(ctx context.Context, saltenv, prefix string) (*ordered.Map, error)
}

// Module is the family. push may be nil: then nothing can be sent to the master.
func Module(push Pusher) modules.Module {
	p := pusher{push}
	return modules.Module{Name: "cp", Doc: "Functions that fetch files.", Funcs: []modules.Func{
		modules.PureFn("cache_dest", cacheDestDoc, cacheDest),
		modules.Fn("cache_dir", cacheDirDoc, cacheDir),
		modules.Fn("cache_file", cacheFileDoc, cacheFile),
		modules.Fn("cache_files", cacheFilesDoc, cacheFiles),
		modules.Fn("cache_local_file", cacheLocalFileDoc, cacheLocalFile),
		modules.Fn("cache_master", cacheMasterDoc, cacheMaster),
		modules.PureFn("envs", envsDoc, envs),
		modules.Fn("get_dir", getDirDoc, getDir),
		modules.Fn("get_file", getFileDoc, getFile),
		modules.Fn("get_file_str", getFileStrDoc, getFileStr),
		modules.Fn("get_template", getTemplateDoc, getTemplate),
		modules.Fn("get_url", getURLDoc, getURL),
		modules.PureFn("hash_file", hashFileDoc, hashFile),
		modules.PureFn("hash_file_str", hashFileStrDoc, hashFileStr),
		modules.PureFn("is_cached", isCachedDoc, isCached),
		modules.PureFn("list_master", listMasterDoc, listMaster),
		modules.PureFn("list_master_dirs", listMasterDirsDoc, listMasterDirs),
		modules.PureFn("list_master_symlinks", listMasterSymlinksDoc, listMasterSymlinks),
		modules.PureFn("list_minion", listMinionDoc, listMinion),
		modules.PureFn("list_states", listStatesDoc, listStates),
		modules.Fn("push", pushDoc, p.push),
		modules.Fn("push_dir", pushDirDoc, p.pushDir),
		modules.Fn("recv", recvDoc, recv),
		modules.Fn("recv_chunked", recvChunkedDoc, recvChunked),
		modules.PureFn("stat_file", statFileDoc, statFile),
	}}
}

// saltenvOf is the environment of a call.
func saltenvOf(env *modules.Env, given any) string {
	if pyfmt.Truth(given) {
		return pyfmt.Str(given)
	}
	if env.Saltenv != "" {
		return env.Saltenv
	}
	if s := env.Opts.String("saltenv"); s != "" {
		return s
	}
	return "base"
}

// place reads a salt:// address: the path below the roots and its environment. ok is false for other addresses, and
// for paths that lead out of the roots.
func place(env *modules.Env, url string, given any) (path, saltenv string, ok bool) {
	if !strings.HasPrefix(url, "salt://") {
		return url, "", false
	}
	saltenv = saltenvOf(env, given)
	path, named := pyurl.Salt(url)
	if named != "" {
		saltenv = named
	}
	path = strings.TrimPrefix(path, "|")
	clean := pypath.Normpath(path)
	if path == "" || clean == ".." || strings.HasPrefix(clean, "../") || strings.HasPrefix(clean, "/") {
		return "", saltenv, false
	}
	return clean, saltenv, true
}

type envArgs struct {
	Saltenv any `arg:"saltenv" def:"None"`
}

type prefixArgs struct {
	Saltenv any    `arg:"saltenv" def:"None"`
	Prefix  string `arg:"prefix" def:"''"`
}

type pathEnvArgs struct {
	Path    string `arg:"path"`
	Saltenv any    `arg:"saltenv" def:"None"`
}

const envsDoc = `List the environments that the master has files of.

CLI Example:

    salt '*' cp.envs`

func envs(ctx context.Context, env *modules.Env, _ struct{}) (any, error) { return env.Files.Envs(ctx) }

const listMasterDoc = `List the files of the master.

CLI Example:

    salt '*' cp.list_master`

func listMaster(ctx context.Context, env *modules.Env, in prefixArgs) (any, error) {
	l, err := env.Files.List(ctx, saltenvOf(env, in.Saltenv), in.Prefix)
	return append([]string{}, l...), err
}

const listMasterDirsDoc = `List the folders of the master's files.

CLI Example:

    salt '*' cp.list_master_dirs`

func listMasterDirs(ctx context.Context, env *modules.Env, in prefixArgs) (any, error) {
	l, err := env.Files.Dirs(ctx, saltenvOf(env, in.Saltenv), in.Prefix)
	return append([]string{}, l...), err
}

const listMasterSymlinksDoc = `List the symbolic links among the master's files, and where they lead.

CLI Example:

    salt '*' cp.list_master_symlinks`

func listMasterSymlinks(ctx context.Context, env *modules.Env, in prefixArgs) (any, error) {
	if s, ok := env.Files.(Symlinker); ok {
		return s.Symlinks(ctx, saltenvOf(env, in.Saltenv), in.Prefix)
	}
	return ordered.New(0), nil
}

const listStatesDoc = `List the SLS files of the master by the names that states use.

CLI Example:

    salt '*' cp.list_states`

func listStates(ctx context.Context, env *modules.Env, in envArgs) (any, error) {
	files, err := env.Files.List(ctx, saltenvOf(env, in.Saltenv), "")
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, f := range files {
		name, ok := strings.CutSuffix(f, ".sls")
		if !ok {
			continue
		}
		out = append(out, strings.ReplaceAll(strings.TrimSuffix(name, "/init"), "/", "."))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

const listMinionDoc = `List the files that the minion has in its cache.

CLI Example:

    salt '*' cp.list_minion`

func listMinion(_ context.Context, env *modules.Env, in envArgs) (any, error) {
	out := []string{}
	for _, dir := range []string{cachePath(env, "files", saltenvOf(env, in.Saltenv)), cachePath(env, "localfiles")} {
		pypath.Walk(dir, func(d string, dirs, files []string) []string {
			for _, f := range files {
				out = append(out, pypath.Join(d, f))
			}
			return dirs
		})
	}
	slices.Sort(out)
	return out, nil
}

// cachePath is a path below the minion's cache folder.
func cachePath(env *modules.Env, parts ...string) string {
	return pypath.Join(append([]string{env.Opts.String("cachedir")}, parts...)...)
}

const hashFileDoc = `Tell the checksum of a file of the master, or of a local one. What is not there is answered with an empty text or map.

CLI Example:

    salt '*' cp.hash_file salt://path/to/file`

func hashFile(ctx context.Context, env *modules.Env, in pathEnvArgs) (any, error) {
	if !strings.HasPrefix(in.Path, "salt://") {
		return localHash(env, in.Path)
	}
	path, saltenv, ok := place(env, in.Path, in.Saltenv)
	if !ok {
		return "", nil
	}
	sum, err := env.Files.Hash(ctx, saltenv, path)
	if err != nil || sum == "" {
		return "", err
	}
	return ordered.Pairs("hsum", sum, "hash_type", "sha256"), nil
}

func localHash(env *modules.Env, path string) (any, error) {
	if !pypath.IsFile(path) {
		return ordered.New(0), nil
	}
	kind := env.Opts.String("hash_type")
	if hashsum.Length(kind) == 0 {
		kind = "sha256"
	}
	sum, err := hashsum.File(path, kind)
	if err != nil {
		return nil, err
	}
	return ordered.Pairs("hsum", sum, "hash_type", kind), nil
}

const hashFileStrDoc = `Tell the checksum of a file of the master, or of a local one, as a text alone.

CLI Example:

    salt '*' cp.hash_file_str salt://path/to/file`

func hashFileStr(ctx context.Context, env *modules.Env, in pathEnvArgs) (any, error) {
	v, err := hashFile(ctx, env, in)
	if m, ok := v.(*ordered.Map); ok {
		return m.String("hsum"), err
	}
	return "", err
}

const statFileDoc = `Tell the mode of a file of the master, or of a local one.

CLI Example:

    salt '*' cp.stat_file salt://path/to/file`

type statArgs struct {
	Path    string `arg:"path"`
	Saltenv any    `arg:"saltenv" def:"None"`
	Octal   any    `arg:"octal" def:"True"`
}

func statFile(ctx context.Context, env *modules.Env, in statArgs) (any, error) {
	mode, ok, err := modeOf(ctx, env, in)
	switch {
	case err != nil || !ok:
		return nil, err
	case in.Octal == true:
		return octal(mode), nil
	}
	return int64(mode), nil
}

const cacheDestDoc = `Tell where the cached copy of an address would lie, whether there is one or not.

CLI Example:

    salt '*' cp.cache_dest https://foo.com/bar.rpm
    salt '*' cp.cache_dest salt://my/file saltenv=dev`

type urlEnvArgs struct {
	URL     string `arg:"url"`
	Saltenv any    `arg:"saltenv" def:"None"`
}

func cacheDest(_ context.Context, env *modules.Env, in urlEnvArgs) (any, error) {
	switch u := pyurl.Parse(in.URL); u.Scheme {
	case "salt":
		path, saltenv, ok := place(env, in.URL, in.Saltenv)
		if !ok {
			return "", nil
		}
		return cachePath(env, "files", saltenv, path), nil
	case "", "file":
		return pypath.Join(u.Netloc, u.Path), nil
	}
	return webCache(env, in.URL, saltenvOf(env, in.Saltenv)), nil
}

const isCachedDoc = `Tell where the cached copy of an address lies, an empty text when there is none.

CLI Example:

    salt '*' cp.is_cached salt://path/to/file`

func isCached(_ context.Context, env *modules.Env, in pathEnvArgs) (any, error) {
	saltenv := saltenvOf(env, in.Saltenv)
	path := in.Path
	if strings.HasPrefix(path, "salt://") {
		var ok bool
		if path, saltenv, ok = place(env, path, in.Saltenv); !ok {
			return "", nil
		}
	}
	path = strings.TrimLeft(path, "|/")
	for _, p := range []string{cachePath(env, "files", saltenv, path), cachePath(env, "localfiles", path), webCache(env, in.Path, saltenv)} {
		if p != "" && path != "" && pypath.Exists(p) {
			return p, nil
		}
	}
	return "", nil
}

// webCache is where a copy of a web address lies; "" for an address whose path leads out of its folder.
func webCache(env *modules.Env, url, saltenv string) string {
	u := pyurl.Parse(url)
	if i := strings.LastIndexByte(u.Netloc, '@'); i >= 0 {
		u.Netloc = u.Netloc[i+1:] // a password is no part of a file name
	}
	name := u.Path
	if u.Query != "" {
		name += "-" + u.Query
	}
	root := cachePath(env, "extrn_files", saltenv, u.Netloc)
	p := pypath.Normpath(root + "/" + name)
	if u.Netloc == ".." || u.Netloc == "." || name != "" && !strings.HasPrefix(p, pypath.Normpath(root)+"/") || name == "" && u.Netloc == "" {
		return ""
	}
	return p
}
