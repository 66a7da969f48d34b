package file

import (
	"bytes"
	"context"
	"os"
	"strings"
	"unicode/utf8"

	"brine/internal/difflib"
	"brine/internal/fileinfo"
	"brine/internal/fileops"
	"brine/internal/fileperm"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/pyurl"
	"brine/modules"
)

const checkPermsDoc = `Bring owner, group, mode, attributes and SELinux context of a file to what is wished, and tell what changed and how it was.

ret
    the return of a state function to add to; {} starts one

CLI Example:

    salt '*' file.check_perms /etc/sudoers '{}' root root 400 ai`

type checkPermsArgs struct {
	Name    string `arg:"name"`
	Ret     any    `arg:"ret"`
	User    any    `arg:"user"`
	Group   any    `arg:"group"`
	Mode    any    `arg:"mode"`
	Attrs   any    `arg:"attrs" def:"None"`
	Follow  bool   `arg:"follow_symlinks" def:"False"`
	Seuser  any    `arg:"seuser" def:"None"`
	Serole  any    `arg:"serole" def:"None"`
	Setype  any    `arg:"setype" def:"None"`
	Serange any    `arg:"serange" def:"None"`
}

func checkPerms(_ context.Context, env *modules.Env, in checkPermsArgs) (any, error) {
	name := pypath.Expanduser(in.Name)
	r, err := fileperm.Check(fileperm.Wish{Path: name, User: in.User, Group: in.Group, Mode: in.Mode, Attrs: in.Attrs, Follow: in.Follow, Test: env.Test,
		Label: fileperm.Label{User: text(in.Seuser), Role: text(in.Serole), Type: text(in.Setype), Range: text(in.Serange)}})
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	ret, _ := in.Ret.(*ordered.Map)
	return []any{r.Apply(ret, name, env.Test), r.Perms}, nil
}

const getDiffDoc = `Compare two files, local ones or such as cp.cache_file fetches, and answer a unified diff.

show_filenames
    put the names into the first two lines
show_changes
    False for a note that they differ instead of the diff
template
    these are templates: hide the diff if obfuscate_templates is configured

CLI Example:

    salt '*' file.get_diff /home/fred/.vimrc salt://users/fred/.vimrc
    salt '*' file.get_diff /tmp/foo.txt /tmp/bar.txt`

type getDiffArgs struct {
	File1         string `arg:"file1"`
	File2         string `arg:"file2"`
	Saltenv       string `arg:"saltenv" def:"'base'"`
	ShowFilenames bool   `arg:"show_filenames" def:"True"`
	ShowChanges   bool   `arg:"show_changes" def:"True"`
	Template      bool   `arg:"template" def:"False"`
	Hash1         any    `arg:"source_hash_file1" def:"None"`
	Hash2         any    `arg:"source_hash_file2" def:"None"`
}

func getDiff(ctx context.Context, env *modules.Env, in getDiffArgs) (any, error) {
	var paths []string
	var missing string
	for _, f := range []struct {
		name string
		hash any
	}{{in.File1, in.Hash1}, {in.File2, in.Hash2}} {
		path := f.name
		if pyurl.Known(pyurl.Parse(f.name).Scheme) {
			got, err := env.Call(ctx, "cp.cache_file", modules.Pos(f.name, in.Saltenv).With("source_hash", f.hash))
			if err != nil {
				return nil, err
			}
			if path, _ = got.(string); path == "" {
				missing += "\n- File " + f.name + " not found"
				continue
			}
		}
		paths = append(paths, path)
	}
	if missing != "" {
		return nil, modules.Errorf("Failed to cache one or more files. Additional info follows:\n%s", missing)
	}
	return diffFiles(ctx, env, in, paths)
}

func diffFiles(ctx context.Context, env *modules.Env, in getDiffArgs, paths []string) (any, error) {
	var content [2][]byte
	for i, p := range paths {
		var err error
		if content[i], err = os.ReadFile(p); err != nil {
			return nil, modules.Errorf("Failed to read %s: %s", p, reason(err))
		}
	}
	switch {
	case bytes.Equal(content[0], content[1]):
		return "", nil
	case in.Template && obfuscated(ctx, env):
		return "<Obfuscated Template>", nil
	case !in.ShowChanges:
		return "<show_changes=False>", nil
	}
	if note := fileops.Difference(paths[0], paths[1]); note != "" {
		return note, nil
	}
	from, to := "", ""
	if in.ShowFilenames {
		from, to = paths[0], paths[1]
	}
	return difflib.Unified(pytext.Lines(decoded(content[0])), pytext.Lines(decoded(content[1])), from, to), nil
}

// decoded is content as text: UTF-8, else each byte a character of Latin-1.
func decoded(p []byte) string {
	if utf8.Valid(p) {
		return string(p)
	}
	runes := make([]rune, len(p))
	for i, c := range p {
		runes[i] = rune(c)
	}
	return string(runes)
}

func obfuscated(ctx context.Context, env *modules.Env) bool {
	v, err := env.Call(ctx, "config.option", modules.Pos("obfuscate_templates"))
	if err != nil {
		v = env.Opt("obfuscate_templates")
	}
	return pyfmt.Truth(v)
}

const checkFileMetaDoc = `Tell in what a file differs from what is wished: content, owner, group, mode, attributes, SELinux context.

CLI Example:

    salt '*' file.check_file_meta /etc/httpd/conf.d/httpd.conf None salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root root '755' None base`

type metaArgs struct {
	Name      string `arg:"name"`
	Sfn       any    `arg:"sfn"`
	Source    any    `arg:"source"`
	SourceSum any    `arg:"source_sum"`
	User      any    `arg:"user"`
	Group     any    `arg:"group"`
	Mode      any    `arg:"mode"`
	Attrs     any    `arg:"attrs"`
	Saltenv   string `arg:"saltenv"`
	Contents  any    `arg:"contents" def:"None"`
	Seuser    any    `arg:"seuser" def:"None"`
	Serole    any    `arg:"serole" def:"None"`
	Setype    any    `arg:"setype" def:"None"`
	Serange   any    `arg:"serange" def:"None"`
	VerifySSL any    `arg:"verify_ssl" def:"True"`
	Follow    bool   `arg:"follow_symlinks" def:"False"`
}

func checkFileMeta(ctx context.Context, env *modules.Env, in metaArgs) (any, error) {
	changes := ordered.New(0)
	have, err := fileinfo.Stat(in.Name, in.Follow)
	if err != nil {
		changes.Set("newfile", in.Name)
		return changes, nil
	}
	if err := in.content(ctx, env, changes); err != nil {
		return nil, err
	}
	differs := func(wish any, name any, id int) bool {
		return wish != nil && !ordered.Equal(wish, name) && !ordered.Equal(wish, int64(id))
	}
	if differs(in.User, have.User, have.UID) {
		changes.Set("user", in.User)
	}
	if differs(in.Group, have.Group, have.GID) {
		changes.Set("group", in.Group)
	}
	if mode, ok := fileinfo.ModeOf(in.Mode); ok && mode != have.Mode {
		changes.Set("mode", mode)
	}
	if attrs := text(in.Attrs); attrs != "" {
		if add, remove, ok := fileperm.DiffAttrs(in.Name, attrs); ok && (add != "" || remove != "") {
			changes.Set("attrs", attrs)
		}
	}
	in.labels(ctx, env, changes)
	return changes, nil
}

// content notes what differs in the content.
func (in metaArgs) content(ctx context.Context, env *modules.Env, changes *ordered.Map) error {
	note := func(other string, template bool) error {
		v, err := getDiff(ctx, env, getDiffArgs{File1: in.Name, File2: other, ShowChanges: true, Template: template})
		switch {
		case isCommandError(err):
			changes.Set("diff", err.Error())
		case err != nil:
			return err
		case template || v != "":
			changes.Set("diff", v)
		}
		return nil
	}
	sum, _ := in.SourceSum.(*ordered.Map)
	if want := sum.String("hsum"); want != "" {
		have, err := sumOf(in.Name, sum.String("hash_type"))
		if err != nil {
			return err
		}
		sfn := text(in.Sfn)
		if have != want && sfn == "" && pyfmt.Truth(in.Source) {
			got, err := env.Call(ctx, "cp.cache_file", modules.Pos(in.Source, in.Saltenv).With("source_hash", want).With("verify_ssl", in.VerifySSL))
			if err != nil {
				return err
			}
			sfn, _ = got.(string)
		}
		switch {
		case have == want:
		case sfn == "":
			changes.Set("sum", "Checksum differs")
		default:
			if err := note(sfn, true); err != nil {
				return err
			}
		}
	}
	if in.Contents == nil {
		return nil
	}
	tmp, err := tempWith(contentsBytes(in.Contents))
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	if err := note(tmp, false); err != nil {
		return err
	}
	if changes.Has("diff") && obfuscated(ctx, env) {
		changes.Set("diff", "<Obfuscated Template>")
	}
	return nil
}

func contentsBytes(v any) []byte {
	if p, ok := v.([]byte); ok {
		return p
	}
	return []byte(pyfmt.Str(v))
}

// tempWith makes a temporary file with the content; only we can read it.
func tempWith(content []byte) (string, error) {
	f, err := os.CreateTemp("", "__salt.tmp.*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func (in metaArgs) labels(ctx context.Context, env *modules.Env, changes *ordered.Map) {
	wish := []string{text(in.Seuser), text(in.Serole), text(in.Setype), text(in.Serange)}
	if strings.Join(wish, "") == "" {
		return
	}
	v, _ := getSelinux(ctx, env, pathArgs{in.Name}) // it has no error to give
	have := strings.SplitN(pyfmt.Str(v), ":", 4)
	if len(have) != 4 {
		changes.Set("selinux", nil)
		return
	}
	for i, part := range []string{"user", "role", "type", "range"} {
		if wish[i] != "" && wish[i] != have[i] {
			changes.Set("selinux", ordered.Pairs(part, wish[i]))
		}
	}
}
