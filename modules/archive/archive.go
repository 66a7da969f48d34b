// Package archive holds the archive.* functions: they pack, list and unpack archives.
package archive

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/archives"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/pyurl"
	"brine/internal/shlex"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "archive", Doc: "Functions for archives.", Funcs: []modules.Func{
		modules.Fn("cmd_unzip", cmdUnzipDoc, cmdUnzip),
		modules.Fn("cmd_zip", cmdZipDoc, cmdZip),
		modules.Fn("gunzip", gunzipDoc, gunzip),
		modules.Fn("gzip", gzipDoc, gzip),
		modules.Fn("is_encrypted", isEncryptedDoc, isEncrypted),
		modules.Fn("list", listDoc, list),
		modules.Fn("tar", tarDoc, tar),
		modules.Fn("unrar", unrarDoc, unrar),
		modules.Fn("unzip", unzipDoc, unzip),
		modules.Fn("zip", zipDoc, zipFiles),
	}}
}

// words splits a value given as one text or as a list.
func words(v any) []string {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, e := range t {
			out = append(out, pyfmt.Str(e))
		}
		return out
	}
	var out []string
	for _, s := range strings.Split(pyfmt.Str(v), ",") {
		out = append(out, strings.TrimSpace(s))
	}
	return out
}

// sources are files named one by one or by globs.
func sources(v any) []string {
	var out []string
	for _, s := range words(v) {
		if found := pypath.Glob(s); len(found) > 0 {
			out = append(out, found...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// trimmed keeps the first names: 100 for True, all for False.
func trimmed(names []string, trim any) []string {
	n := int64(100)
	if trim != true {
		var err error
		if n, err = modules.Int(trim); err != nil || n <= 0 {
			return names
		}
	}
	return names[:min(int64(len(names)), n)]
}

type how struct {
	dir, template, runas any
}

// lines runs a program and gives what it printed.
func lines(ctx context.Context, env *modules.Env, cmd []string, h how) ([]string, error) {
	v, err := env.Call(ctx, "cmd.run", modules.Args{Pos: []any{ordered.Of(cmd)}, Kw: ordered.Pairs("cwd", h.dir, "template", h.template, "runas", h.runas, "python_shell", false)})
	return pytext.Splitlines(pyfmt.Str(v), false), err
}

const listDoc = `List what is in an archive: tar, zip or rar.

archive_format
    told by the name when not given
strip_components
    leave out so many leading folders
verbose
    tell dirs, files and links apart, and those at the top

CLI Example:

    salt '*' archive.list /path/to/myfile.tar.gz`

type listArgs struct {
	Name       string `arg:"name"`
	Format     any    `arg:"archive_format" def:"None"`
	Options    any    `arg:"options" def:"None"`
	Strip      any    `arg:"strip_components" def:"None"`
	Clean      bool   `arg:"clean" def:"False"`
	Verbose    bool   `arg:"verbose" def:"False"`
	Saltenv    any    `arg:"saltenv" def:"'base'"`
	SourceHash any    `arg:"source_hash" def:"None"`
	UseEtag    bool   `arg:"use_etag" def:"False"`
}

// local brings an archive to this machine.
func local(ctx context.Context, env *modules.Env, name string, saltenv, hash any) (string, error) {
	u := pyurl.Parse(name)
	if u.Scheme == "" || u.Scheme == "file" {
		path := pypath.Join(u.Netloc, u.Path)
		if !pypath.IsAbs(path) {
			return "", modules.Errorf("Archive '%s' is not an absolute path", name)
		}
		if !pypath.IsFile(path) {
			return "", modules.Errorf("File '%s' not found", path)
		}
		return path, nil
	}
	v, err := env.Call(ctx, "cp.cache_file", modules.Pos(name).With("saltenv", saltenv).With("source_hash", hash))
	if err != nil {
		return "", err
	}
	path, _ := v.(string)
	if path == "" {
		return "", modules.Errorf("Failed to cache %s", pyurl.Redact(name))
	}
	return path, nil
}

func list(ctx context.Context, env *modules.Env, in listArgs) (any, error) {
	path, err := local(ctx, env, in.Name, in.Saltenv, in.SourceHash)
	if err != nil {
		return nil, err
	}
	format := archives.Guess(in.Name)
	if in.Format != nil {
		format = strings.ToLower(pyfmt.Str(in.Format))
	}
	var entries []archives.Entry
	switch format {
	case "tar":
		entries, err = listTar(ctx, env, path)
	case "zip":
		entries, err = archives.ListZip(path)
	case "rar":
		entries, err = listRar(ctx, env, path)
	case "":
		return nil, modules.Errorf("Unable to guess archive format, please pass an 'archive_format' argument.")
	default:
		return nil, modules.Errorf("Invalid archive format '%s'", format)
	}
	if errors.Is(err, archives.ErrFormat) {
		return nil, modules.Errorf("Failed to list contents of '%s': %v", in.Name, err)
	}
	if err != nil {
		return nil, err
	}
	return contents(entries, in, format)
}

// listTar falls back to xz and tar for what is not unpacked here.
func listTar(ctx context.Context, env *modules.Env, path string) ([]archives.Entry, error) {
	entries, err := archives.ListTar(path)
	if !errors.Is(err, archives.ErrFormat) || pypath.Which("xz") == "" {
		return entries, err
	}
	v, e := env.Call(ctx, "cmd.run_all", modules.Pos("xz --decompress --stdout "+shlex.Quote(path)+" | tar --list -v --file -").With("python_shell", true).With("ignore_retcode", true))
	res, _ := v.(*ordered.Map)
	if e != nil || res.Value("retcode") != int64(0) {
		return nil, err
	}
	for _, l := range pytext.Splitlines(res.String("stdout"), false) {
		f := strings.SplitN(strings.Join(strings.Fields(l), " "), " ", 6)
		if len(f) < 6 {
			continue
		}
		name, _, _ := strings.Cut(f[5], " -> ")
		kind := archives.Regular
		switch l[0] {
		case 'd':
			kind = archives.Dir
		case 'l':
			kind = archives.Link
		}
		entries = append(entries, archives.Entry{Name: strings.TrimRight(name, "/"), Kind: kind})
	}
	return entries, nil
}

func listRar(ctx context.Context, env *modules.Env, path string) ([]archives.Entry, error) {
	program := pypath.Which("unrar")
	if program == "" {
		return nil, modules.Errorf("unrar not found")
	}
	names, err := lines(ctx, env, []string{program, "lb", path}, how{})
	var out []archives.Entry
	for _, n := range names {
		out = append(out, archives.Entry{Name: n})
	}
	return out, err
}

// contents sorts entries by kind.
func contents(entries []archives.Entry, in listArgs, format string) (any, error) {
	strip, err := modules.Int(in.Strip)
	if in.Strip == nil {
		strip, err = 0, nil
	}
	if err != nil {
		return nil, err
	}
	kinds := [3][]string{{}, {}, {}}
	add := func(kind archives.Kind, name string) {
		if !slices.Contains(kinds[kind], name) {
			kinds[kind] = append(kinds[kind], name)
		}
	}
	seen := map[string]bool{}
	for _, e := range entries {
		parts := strings.Split(e.Name, "/")
		if int64(len(parts)) <= strip || seen[e.Name] {
			continue
		}
		seen[e.Name] = true
		name := strings.Join(parts[strip:], "/")
		if e.Kind == archives.Dir {
			kinds[archives.Dir] = append(kinds[archives.Dir], name+"/")
			continue
		}
		kinds[e.Kind] = append(kinds[e.Kind], name)
		if i := strings.LastIndexByte(name, '/'); format != "tar" && i > 0 {
			add(archives.Dir, name[:i+1]) // zip archives need not name their folders
		}
	}
	for i := range kinds {
		slices.Sort(kinds[i])
		kinds[i] = slices.Compact(kinds[i])
	}
	if !in.Verbose {
		all := slices.Concat(kinds[archives.Dir], kinds[archives.Regular], kinds[archives.Link])
		slices.Sort(all)
		return all, nil
	}
	top := func(list []string, slashes int) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return strings.Count(s, "/") != slashes })
	}
	return ordered.Pairs("dirs", kinds[archives.Dir], "files", kinds[archives.Regular], "links", kinds[archives.Link], "top_level_dirs", top(kinds[archives.Dir], 1),
		"top_level_files", top(kinds[archives.Regular], 0), "top_level_links", top(kinds[archives.Link], 0)), nil
}

const isEncryptedDoc = `Tell whether a zip archive needs a password.

CLI Example:

    salt '*' archive.is_encrypted /path/to/myfile.zip`

type isEncryptedArgs struct {
	Name       string `arg:"name"`
	Clean      bool   `arg:"clean" def:"False"`
	Saltenv    any    `arg:"saltenv" def:"'base'"`
	SourceHash any    `arg:"source_hash" def:"None"`
	UseEtag    bool   `arg:"use_etag" def:"False"`
}

func isEncrypted(ctx context.Context, env *modules.Env, in isEncryptedArgs) (any, error) {
	path, err := local(ctx, env, in.Name, in.Saltenv, in.SourceHash)
	if err != nil {
		return nil, err
	}
	yes, err := archives.Encrypted(path)
	if errors.Is(err, archives.ErrFormat) {
		return nil, modules.Errorf("%s is not a ZIP file", path)
	}
	return yes, err
}

const unzipDoc = `Unpack a zip archive into a folder and list what was in it. With a password the program unzip is used.

CLI Example:

    salt '*' archive.unzip /tmp/zipfile.zip /home/strongbad/ excludes=file_1,file_2`

type unzipArgs struct {
	File     string `arg:"zip_file"`
	Dest     string `arg:"dest"`
	Excludes any    `arg:"excludes" def:"None"`
	Options  any    `arg:"options" def:"None"`
	Template any    `arg:"template" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
	Trim     any    `arg:"trim_output" def:"False"`
	Password any    `arg:"password" def:"None"`
	Perms    bool   `arg:"extract_perms" def:"True"`
}

func unzip(ctx context.Context, env *modules.Env, in unzipArgs) (any, error) {
	if in.Password != nil {
		return cmdUnzip(ctx, env, cmdUnzipArgs{File: in.File, Dest: in.Dest, Excludes: in.Excludes, Options: in.Options, Template: in.Template, Runas: in.Runas, Trim: in.Trim,
			Password: in.Password})
	}
	if err := os.MkdirAll(in.Dest, 0o777); err != nil {
		return nil, modules.Errorf("Exception encountered unpacking zipfile: %v", err)
	}
	names, err := archives.ExtractZip(in.File, in.Dest, archives.Zip{Skip: words(in.Excludes), Perms: in.Perms})
	if err != nil {
		return nil, modules.Errorf("Exception encountered unpacking zipfile: %v", err)
	}
	return trimmed(names, in.Trim), nil
}

const zipDoc = `Pack files and folders into a zip archive and list what is in it.

CLI Example:

    salt '*' archive.zip /tmp/zipfile.zip /tmp/sourcefile1,/tmp/sourcefile2`

type zipArgs struct {
	File     string `arg:"zip_file"`
	Sources  any    `arg:"sources"`
	Template any    `arg:"template" def:"None"`
	Cwd      any    `arg:"cwd" def:"None"`
	Runas    any    `arg:"runas" def:"None"`
	Zip64    bool   `arg:"zip64" def:"False"`
}

func zipFiles(_ context.Context, _ *modules.Env, in zipArgs) (any, error) {
	cwd := ""
	if in.Cwd != nil {
		cwd = pyfmt.Str(in.Cwd)
	}
	out, err := os.CreateTemp(filepath.Dir(in.File), ".zip-*")
	if err != nil {
		return nil, modules.Errorf("Exception encountered creating zipfile: %v", err)
	}
	defer os.Remove(out.Name())
	w := zip.NewWriter(out)
	var names []string
	for _, src := range sources(in.Sources) {
		root := src
		if !pypath.IsAbs(src) {
			if cwd == "" {
				_ = out.Close()
				return nil, modules.Invalidf("Relative paths require the 'cwd' parameter")
			}
			root = pypath.Join(cwd, src)
		}
		if err = pack(w, root, cwd, &names); err != nil {
			break
		}
	}
	if e := w.Close(); err == nil {
		err = e
	}
	if e := out.Sync(); err == nil {
		err = e
	}
	if e := out.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(out.Name(), in.File)
	}
	if err != nil {
		return nil, modules.Errorf("Exception encountered creating zipfile: %v", err)
	}
	return names, nil
}

// pack adds a file, or all files below a folder.
func pack(w *zip.Writer, root, cwd string, names *[]string) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && p != root {
			return err
		}
		fi, err := os.Stat(p)
		if err != nil {
			return err
		}
		name := strings.TrimLeft(p, "/")
		if cwd != "" {
			name = pypath.Relpath(p, cwd)
		}
		if fi.IsDir() {
			return nil
		}
		h, err := zip.FileInfoHeader(fi)
		if err != nil {
			return err
		}
		h.Name, h.Method = name, zip.Deflate
		*names = append(*names, name)
		dst, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		src, err := os.Open(p)
		if err != nil {
			return err
		}
		defer src.Close()
		_, err = io.Copy(dst, src)
		return err
	})
}
