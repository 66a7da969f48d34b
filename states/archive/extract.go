package archive

import (
	"context"
	"errors"
	"os"
	"strings"

	"brine/internal/archives"
	"brine/internal/atomicfile"
	"brine/internal/fileinfo"
	"brine/internal/fileops"
	"brine/internal/fileperm"
	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/internal/shlex"
	"brine/modules"
	"brine/states"
)

// fetch brings the archive to this machine and finds its checksum.
func (x *extraction) fetch(ctx context.Context) (*states.Result, error) {
	if pyfmt.Truth(x.SourceHash) {
		var err error
		x.sum, err = states.Dict(x.env.Call(ctx, "file.get_source_sum", modules.Args{Kw: ordered.Pairs("source", x.source, "source_hash", x.SourceHash,
			"source_hash_name", x.SourceHashName, "saltenv", x.env.Saltenv)}))
		if r, err := states.Refused(err); r != nil || err != nil {
			return r, err
		}
	}
	shown := pyurl.Redact(x.source)
	if x.local {
		x.cached = x.source
	} else {
		if x.env.Test {
			return &states.Result{Comment: "Archive " + shown + " would be cached (if necessary) and checked to discover if extraction is needed"}, nil
		}
		if pyurl.Remote(pyurl.Parse(x.source).Scheme) && !x.SkipVerify && x.sum.Len() == 0 && !x.UseEtag {
			return fail("Unable to verify upstream hash of source file %s, please set source_hash or set skip_verify or use_etag to True", shown)
		}
		v, err := x.env.Call(ctx, "cp.cache_file", modules.Pos(x.source).With("saltenv", x.env.Saltenv).With("source_hash", x.sum.Value("hsum")).With("use_etag", x.UseEtag))
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			return fail("%s", pyurl.Redact(err.Error()))
		}
		if x.cached, _ = v.(string); x.cached == "" {
			return fail("Failed to cache %s, check minion log for more information", shown)
		}
		if want := x.sum.String("hsum"); want != "" && !x.SkipVerify {
			have, err := hashsum.File(x.cached, x.sum.String("hash_type"))
			if err != nil {
				return nil, err
			}
			if have != want {
				return fail("File is cached to %s, but the hash (%s) does not match the specified hash (%s)", x.cached, have, want)
			}
		}
	}
	if p, err := os.ReadFile(x.cached + ".hash"); err == nil {
		x.was = strings.TrimSpace(string(p))
	}
	return nil, nil
}

// sumNow is the checksum of the archive as it is noted beside the copy, "" when it cannot be told.
func (x *extraction) sumNow() string {
	sum, err := hashsum.File(x.cached, "sha256")
	if err != nil {
		return ""
	}
	return "sha256:" + sum
}

// apply unpacks the archive, when that is needed, and sees to the owner.
func (x *extraction) apply(ctx context.Context) (*states.Result, error) {
	if x.SourceHashUpdate && pyfmt.Truth(x.SourceHash) && !x.SkipVerify {
		if err := atomicfile.Write(x.cached+".hash", []byte(x.sumNow()+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	r := states.Fine("All files in archive are already present")
	if x.ifMissingThere {
		r.Comment = pyfmt.Str(x.IfMissing) + " exists"
	}
	if x.needed {
		var done bool
		var err error
		if r, done, err = x.extract(ctx); !done || err != nil {
			if r != nil && r.Changes == nil {
				r.Changes = x.changes
			}
			return r, err
		}
	}
	o := x.own(false)
	if o.changed {
		x.changes.Set("updated ownership", true)
	}
	comment := pyfmt.Str(r.Comment)
	if len(o.missing) > 0 {
		if x.IfMissing == nil {
			r.OK = states.False()
		}
		comment += "\n\nWhile trying to enforce user/group ownership, the following paths were missing:\n"
		for _, p := range o.missing {
			comment += "\n- " + p
		}
	}
	if len(o.failed) > 0 {
		r.OK = states.False()
		comment += "\n\nWhile trying to enforce user/group ownership, Salt was unable to change ownership on the following paths:\n"
		for _, p := range o.failed {
			comment += "\n- " + p
		}
	}
	r.Comment, r.Changes, r.Warnings = comment, x.changes, x.warnings
	if !x.local && !x.keep {
		if err := os.Remove(x.cached); err != nil {
			r.Warnings = append(r.Warnings, "Failed to delete "+x.cached+": "+err.Error())
		}
	}
	return r, nil
}

// extract clears the way and unpacks; done tells that it came to the end.
func (x *extraction) extract(ctx context.Context) (r *states.Result, done bool, err error) {
	if want := x.sum.String("hsum"); x.local && want != "" && !x.SkipVerify {
		ok, err := states.Truth(x.env.Call(ctx, "file.check_hash", modules.Pos(x.source, want)))
		if err != nil {
			return nil, false, err
		}
		if !ok {
			return states.Failed("%s does not match the desired source_hash %s", x.source, want), false, nil
		}
	}
	if err := x.clear(); err != nil {
		return nil, false, err
	}
	created := !pypath.IsDir(x.Name)
	if created {
		if _, err := x.env.Call(ctx, "file.makedirs", modules.Pos(x.Name, x.User)); err != nil {
			return nil, false, err
		}
		if pyfmt.Truth(x.User) {
			if _, err := fileperm.Chown(x.Name, x.User, nil, true); err != nil {
				return nil, false, err
			}
		}
	}
	files, r, err := x.unpack(ctx)
	if refused, other := states.Refused(err); refused != nil || other != nil {
		return refused, false, other
	}
	if r != nil {
		if created {
			_ = os.Remove(x.Name) // stays when something is in it
		}
		return r, false, nil
	}
	if !pyfmt.Truth(ordered.Of(files)) {
		return states.Failed("No files were extracted from %s", pyurl.Redact(x.source)), true, nil
	}
	if created {
		x.changes.Set("directories_created", []any{x.Name})
	}
	x.changes.Set("extracted_files", ordered.Of(files))
	comment := x.told(pyurl.Redact(x.source) + " extracted to " + x.Name)
	return states.Fine(comment + ". Output was trimmed to " + pyfmt.Str(x.TrimOutput) + " number of lines"), true, nil
}

// clear removes what is to go before.
func (x *extraction) clear() error {
	var gone []string
	if x.strangers {
		gone = append(gone, x.wrong...)
	}
	if x.Clean {
		for _, k := range []string{"top_level_dirs", "top_level_files"} {
			for _, p := range x.contents.List(k) {
				gone = append(gone, pyfmt.Str(p))
			}
		}
	}
	removed := x.changes.List("removed")
	for _, p := range gone {
		full := pypath.Join(x.Name, p)
		was, err := fileops.Remove(strings.TrimRight(full, "/"))
		if err != nil {
			return err
		}
		if was {
			removed = append(removed, full)
		}
	}
	if x.CleanParent && pypath.Lexists(strings.TrimRight(x.Name, "/")) {
		if _, err := fileops.Remove(strings.TrimRight(x.Name, "/")); err != nil {
			return err
		}
		removed = append(removed, "Directory "+x.Name+" was removed prior to the extraction")
	}
	if len(removed) > 0 {
		x.changes.Set("removed", removed)
	}
	return nil
}

// unpack gives the names of what was unpacked, or the output of the program that did it; r is why it could not be done.
func (x *extraction) unpack(ctx context.Context) (files any, r *states.Result, err error) {
	kw := ordered.Pairs("trim_output", x.TrimOutput)
	switch {
	case x.format == "zip" && pyfmt.Truth(x.UseCmdUnzip):
		kw.Update(ordered.Pairs("options", x.Options, "password", x.Password))
		files, err = x.env.Call(ctx, "archive.cmd_unzip", modules.Args{Pos: []any{x.cached, x.Name}, Kw: kw})
		return files, nil, err
	case x.format == "zip":
		kw.Update(ordered.Pairs("password", x.Password, "extract_perms", x.ExtractPerms))
		files, err = x.env.Call(ctx, "archive.unzip", modules.Args{Pos: []any{x.cached, x.Name}, Kw: kw})
		return files, nil, err
	case x.format == "rar":
		files, err = x.env.Call(ctx, "archive.unrar", modules.Args{Pos: []any{x.cached, x.Name}, Kw: kw})
		return files, nil, err
	case x.Options != nil:
		return x.tar(ctx)
	}
	names, err := archives.ExtractTar(x.cached, x.Name)
	if errors.Is(err, archives.ErrFormat) && len(names) == 0 {
		return x.xz(ctx)
	}
	if n, e := modules.Int(x.TrimOutput); e == nil && n > 0 && int64(len(names)) > n {
		names = names[:n]
	}
	return names, nil, err
}

// xz unpacks with the programs xz and tar.
func (x *extraction) xz(ctx context.Context) (any, *states.Result, error) {
	if pypath.Which("xz") == "" {
		return nil, states.Failed("Failed to read from tar archive. If it is XZ-compressed, install xz-utils to attempt extraction."), nil
	}
	code, err := x.env.Call(ctx, "cmd.retcode", modules.Pos([]any{"xz", "-t", x.cached}).With("python_shell", false).With("ignore_retcode", true))
	if err != nil {
		return nil, nil, err
	}
	if code != int64(0) {
		return nil, states.Failed("Failed to read from tar archive using Python's native tar file support. If archive is compressed using something other than gzip or bzip2, " +
			"the 'options' argument may be required to pass the correct options to the tar command in order to extract the archive."), nil
	}
	return x.run(ctx, "xz --decompress --stdout "+shlex.Quote(x.cached)+" | tar xvf -", true)
}

// tar unpacks with the program tar and the options given.
func (x *extraction) tar(ctx context.Context) (any, *states.Result, error) {
	if pypath.Which("tar") == "" {
		return nil, states.Failed("tar command not available, it might not be installed on minion"), nil
	}
	options, err := shlex.Split(pyfmt.Str(x.Options))
	if err != nil {
		return nil, nil, err
	}
	short, long := "x", []any{}
	for i, o := range options {
		if i > 0 || strings.HasPrefix(o, "-") {
			long = append(long, o)
		} else {
			short += strings.NewReplacer("x", "", "f", "").Replace(o)
		}
	}
	files, r, err := x.run(ctx, append(append([]any{"tar", short}, long...), "-f", x.cached), false)
	if r == nil && err == nil && files == "" {
		files = "no tar output so far"
	}
	return files, r, err
}

func (x *extraction) run(ctx context.Context, cmd any, shell bool) (any, *states.Result, error) {
	res, err := states.Dict(x.env.Call(ctx, "cmd.run_all", modules.Pos(cmd).With("cwd", x.Name).With("python_shell", shell)))
	if err != nil {
		return nil, nil, err
	}
	if res.Value("retcode") != int64(0) {
		return nil, &states.Result{OK: states.False(), Comment: "", Changes: res}, nil
	}
	return res.String("stdout"), nil, nil
}

// owning is what came of the owner's part.
type owning struct {
	changed         bool
	missing, failed []string
}

// own gives what was unpacked to user and group; a dry run only looks.
func (x *extraction) own(dry bool) owning {
	var o owning
	if !pyfmt.Truth(x.User) && !pyfmt.Truth(x.Group) {
		return o
	}
	var paths []string
	if x.EnforceOwnership != nil {
		paths = []string{pyfmt.Str(x.EnforceOwnership)}
	} else {
		for _, k := range []string{"top_level_dirs", "top_level_files", "top_level_links"} {
			for _, p := range x.contents.List(k) {
				paths = append(paths, pypath.Join(x.Name, pyfmt.Str(p)))
			}
		}
	}
	for _, p := range paths {
		if !pypath.Lexists(strings.TrimRight(p, "/")) {
			o.missing = append(o.missing, p)
			continue
		}
		x.ownOne(&o, p, dry)
		if pypath.IsDir(p) && !pypath.IsLink(strings.TrimRight(p, "/")) {
			pypath.Walk(p, func(dir string, dirs, files []string) []string {
				for _, n := range append(files, dirs...) {
					x.ownOne(&o, pypath.Join(dir, n), dry)
				}
				return dirs
			})
		}
	}
	return o
}

func (x *extraction) ownOne(o *owning, path string, dry bool) {
	have, err := fileinfo.Stat(path, false)
	if err != nil {
		o.failed = append(o.failed, path)
		return
	}
	uid, hasUser := fileinfo.UID(x.User)
	gid, hasGroup := fileinfo.GID(x.Group)
	userDiffers := pyfmt.Truth(x.User) && hasUser && uid != have.UID
	groupDiffers := pyfmt.Truth(x.Group) && hasGroup && gid != have.GID
	if !userDiffers && !groupDiffers {
		return
	}
	if !dry {
		if text, err := fileperm.Chown(path, x.User, x.Group, false); err != nil || text != "" {
			o.failed = append(o.failed, path)
			return
		}
	}
	o.changed = true
}
