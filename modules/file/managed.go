package file

import (
	"context"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyurl"
	"brine/modules"
)

func manageFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("check_file_meta", checkFileMetaDoc, checkFileMeta),
		modules.PureFn("check_managed", checkManagedDoc, checkManaged),
		modules.PureFn("check_managed_changes", checkManagedChangesDoc, checkManagedChanges),
		modules.Fn("check_perms", checkPermsDoc, checkPerms),
		modules.PureFn("get_diff", getDiffDoc, getDiff),
		modules.Fn("manage_file", manageFileDoc, manageFile),
	}
}

const checkManagedDoc = `Tell whether a managed file is as wished: True, or None with what would change, or False with what is wrong.

CLI Example:

    salt '*' file.check_managed /etc/httpd/conf.d/httpd.conf salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root, root, '755' jinja True None None base`

type checkManagedArgs struct {
	Name       string         `arg:"name"`
	Source     any            `arg:"source"`
	SourceHash any            `arg:"source_hash"`
	HashName   any            `arg:"source_hash_name"`
	User       any            `arg:"user"`
	Group      any            `arg:"group"`
	Mode       any            `arg:"mode"`
	Attrs      any            `arg:"attrs"`
	Template   any            `arg:"template"`
	Context    any            `arg:"context"`
	Defaults   any            `arg:"defaults"`
	Saltenv    string         `arg:"saltenv"`
	Contents   any            `arg:"contents" def:"None"`
	SkipVerify bool           `arg:"skip_verify" def:"False"`
	Seuser     any            `arg:"seuser" def:"None"`
	Serole     any            `arg:"serole" def:"None"`
	Setype     any            `arg:"setype" def:"None"`
	Serange    any            `arg:"serange" def:"None"`
	Follow     bool           `arg:"follow_symlinks" def:"False"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

const checkManagedChangesDoc = `Tell what would change to bring a managed file to what is wished.

CLI Example:

    salt '*' file.check_managed_changes /etc/httpd/conf.d/httpd.conf salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root, root, '755' jinja True None None base`

type checkManagedChangesArgs struct {
	Name       string         `arg:"name"`
	Source     any            `arg:"source"`
	SourceHash any            `arg:"source_hash"`
	HashName   any            `arg:"source_hash_name"`
	User       any            `arg:"user"`
	Group      any            `arg:"group"`
	Mode       any            `arg:"mode"`
	Attrs      any            `arg:"attrs"`
	Template   any            `arg:"template"`
	Context    any            `arg:"context"`
	Defaults   any            `arg:"defaults"`
	Saltenv    string         `arg:"saltenv"`
	Contents   any            `arg:"contents" def:"None"`
	SkipVerify bool           `arg:"skip_verify" def:"False"`
	KeepMode   bool           `arg:"keep_mode" def:"False"`
	Seuser     any            `arg:"seuser" def:"None"`
	Serole     any            `arg:"serole" def:"None"`
	Setype     any            `arg:"setype" def:"None"`
	Serange    any            `arg:"serange" def:"None"`
	VerifySSL  any            `arg:"verify_ssl" def:"True"`
	Follow     bool           `arg:"follow_symlinks" def:"False"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

func checkManaged(ctx context.Context, env *modules.Env, in checkManagedArgs) (any, error) {
	changes, refused, err := checkManagedChangesArgs{
		Name: in.Name, Source: in.Source, SourceHash: in.SourceHash, HashName: in.HashName, User: in.User, Group: in.Group, Mode: in.Mode, Attrs: in.Attrs,
		Template: in.Template, Context: in.Context, Defaults: in.Defaults, Saltenv: in.Saltenv, Contents: in.Contents, SkipVerify: in.SkipVerify,
		Seuser: in.Seuser, Serole: in.Serole, Setype: in.Setype, Serange: in.Serange, VerifySSL: true, Follow: in.Follow, Kwargs: in.Kwargs,
	}.changes(ctx, env)
	switch {
	case err != nil:
		return nil, err
	case refused != "":
		return []any{false, refused}, nil
	}
	if strings.HasPrefix(in.Name, os.TempDir()) {
		for _, k := range []string{"user", "group", "mode"} {
			changes.Delete(k)
		}
	}
	if changes.Len() == 0 {
		return []any{true, "The file " + in.Name + " is in the correct state"}, nil
	}
	comment := "The following values are set to be changed:\n"
	for k, v := range changes.All() {
		comment += pyfmt.Str(k) + ": " + pyfmt.Str(v) + "\n"
	}
	return []any{nil, comment}, nil
}

func checkManagedChanges(ctx context.Context, env *modules.Env, in checkManagedChangesArgs) (any, error) {
	changes, refused, err := in.changes(ctx, env)
	if err == nil && refused != "" {
		return []any{false, refused}, nil
	}
	return changes, err
}

// changes finds out what would change; refused is why that cannot be told.
func (in checkManagedChangesArgs) changes(ctx context.Context, env *modules.Env) (changes *ordered.Map, refused string, err error) {
	source, hash, err := chooseSource(ctx, env, sourceListArgs{in.Source, in.SourceHash, in.Saltenv})
	if err != nil {
		return nil, "", err
	}
	var m managed
	mode := in.Mode
	if in.Contents == nil {
		m, err = getManagedArgs{Name: in.Name, Template: in.Template, Source: source, SourceHash: hash, HashName: in.HashName, User: in.User, Group: in.Group,
			Mode: in.Mode, Attrs: in.Attrs, Saltenv: in.Saltenv, Context: in.Context, Defaults: in.Defaults, SkipVerify: in.SkipVerify,
			VerifySSL: in.VerifySSL, Kwargs: in.Kwargs}.get(ctx, env)
		if err != nil {
			return nil, "", err
		}
		defer m.clean(source)
		if m.comment != "" {
			return nil, m.comment, nil
		}
		if h := m.sum.String("hsum"); h != "" {
			m.sum.Set("hsum", strings.ToLower(h))
		}
		if m.sfn != "" && in.KeepMode {
			mode = sourceMode(ctx, env, source, in.Saltenv, mode)
		}
	}
	v, err := checkFileMeta(ctx, env, metaArgs{Name: in.Name, Sfn: m.sfn, Source: source, SourceSum: m.sum, User: in.User, Group: in.Group, Mode: mode,
		Attrs: in.Attrs, Saltenv: in.Saltenv, Contents: in.Contents, Seuser: in.Seuser, Serole: in.Serole, Setype: in.Setype, Serange: in.Serange,
		VerifySSL: in.VerifySSL, Follow: in.Follow})
	changes, _ = v.(*ordered.Map)
	return changes, "", err
}

// clean removes what was rendered for one call; a cached copy or a local source stays.
func (m managed) clean(source any) {
	if m.sfn != "" && m.sfn != pyfmt.Str(source) && strings.HasPrefix(m.sfn, os.TempDir()+"/__salt.tmp.") {
		_ = os.Remove(m.sfn)
	}
}

// sourceMode is the mode of the source, where it can be told.
func sourceMode(ctx context.Context, env *modules.Env, source any, saltenv string, otherwise any) any {
	src := text(source)
	if s := pyurl.Parse(src).Scheme; s != "salt" && s != "file" && s != "" {
		return otherwise
	}
	got, err := env.Call(ctx, "cp.stat_file", modules.Pos(src).With("saltenv", saltenv).With("octal", true))
	if err != nil || got == nil {
		env.Log.Warn("the mode of the source cannot be told")
		return otherwise
	}
	return got
}
