package file

import (
	"context"
	"os"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/internal/shlex"
	"brine/modules"
	"brine/states"
)

// fetched is the source on this machine: where it lies, its checksum, and what is wrong with it.
type fetched struct {
	path    any
	sum     any
	problem string
}

// apply fetches the source and puts the file into its place.
func (m *managing) apply(ctx context.Context) (*states.Result, error) {
	v, err := call(ctx, m.env, "file.source_list", m.Source, m.SourceHash, m.env.Saltenv)
	if err != nil {
		return m.unmanageable(err)
	}
	pair, _ := v.([]any)
	m.Source, m.SourceHash = pair[0], pair[1]
	kw := ordered.Pairs("verify_ssl", m.VerifySSL, "use_etag", m.UseEtag)
	kw.Update(m.Kwargs)
	v, err = m.env.Call(ctx, "file.get_managed", modules.Args{Pos: []any{m.Name, m.Template, m.Source, m.SourceHash, m.SourceHashName, m.User, m.Group, m.Mode,
		m.Attrs, m.env.Saltenv, m.context, m.Defaults, m.SkipVerify}, Kw: kw})
	if err != nil {
		return m.unmanageable(err)
	}
	got, _ := v.([]any)
	src := fetched{path: got[0], sum: got[1], problem: text(got[2])}
	if pyfmt.Truth(m.CheckCmd) {
		r, tmp, err := m.tried(ctx, src)
		if tmp != "" {
			defer os.Remove(tmp)
		}
		if r != nil || err != nil {
			return r, err
		}
		if tmp != "" {
			src.path = tmp
		}
	}
	if src.problem != "" && m.Contents == nil {
		return states.Failed("%s", src.problem), nil
	}
	r, err := m.manage(ctx, m.Name, src)
	if err != nil {
		return m.unmanageable(err)
	}
	m.forget(ctx, src)
	return r, nil
}

// manage puts a file into its place.
func (m *managing) manage(ctx context.Context, name string, src fetched) (*states.Result, error) {
	a := m.withLabels(modules.Pos(name, src.path, ordered.Copy(m.ret), m.Source, src.sum, m.User, m.Group, m.Mode, m.Attrs, m.env.Saltenv, m.Backup, m.Makedirs, m.Template,
		m.ShowChanges, m.Contents, m.DirMode, m.Follow, m.SkipVerify, m.keepMode))
	a.Kw.Set("encoding", m.Encoding)
	a.Kw.Set("encoding_errors", m.EncodingErrors)
	a.Kw.Set("use_etag", m.UseEtag)
	v, err := m.env.Call(ctx, "file.manage_file", a)
	if err != nil {
		return nil, err
	}
	return resultOf(v), nil
}

// tried makes the file beside its place and lets a command judge it. The path is that of the accepted file, "" when nothing
// changes.
func (m *managing) tried(ctx context.Context, src fetched) (r *states.Result, path string, err error) {
	f, err := os.CreateTemp(m.TmpDir, "__salt.tmp.*"+m.TmpExt)
	if err != nil {
		return nil, "", err
	}
	tmp := f.Name()
	if err := f.Close(); err != nil {
		return nil, tmp, err
	}
	if pypath.IsFile(m.Name) {
		if _, err := call(ctx, m.env, "file.copy", m.Name, tmp); err != nil {
			return states.Failed("Unable to copy file %s to %s: %v", m.Name, tmp, err), tmp, nil
		}
	}
	r, err = m.manage(ctx, tmp, src)
	if err != nil {
		return states.Failed("Unable to check_cmd file: %v", err), tmp, nil
	}
	if r.Changes.Len() == 0 {
		_ = os.Remove(tmp)
		return nil, "", nil
	}
	kw := ordered.New(1)
	if shell := m.env.Grains.Items(ctx).Value("shell"); shell != nil {
		kw.Set("shell", shell)
	}
	kw.Set("python_shell", true)
	v, err := m.env.Call(ctx, "cmd.run_all", modules.Args{Pos: []any{pyfmt.Str(m.CheckCmd) + " " + shlex.Quote(tmp)}, Kw: kw})
	if err != nil {
		return nil, tmp, err
	}
	out, _ := v.(*ordered.Map)
	if out.Value("retcode") == int64(0) {
		return nil, tmp, nil
	}
	comment := "check_cmd execution failed"
	for _, k := range []string{"stdout", "stderr"} {
		if s := out.String(k); s != "" {
			comment += "\n" + s
		}
	}
	return &states.Result{Name: m.Name, OK: states.False(), Comment: comment, Extra: ordered.Pairs("skip_watch", true)}, tmp, nil
}

// forget drops the cached copy of the source when it is not to be kept. A source that lies on this machine stays.
func (m *managing) forget(ctx context.Context, src fetched) {
	if m.KeepSource || !pyfmt.Truth(m.Source) {
		return
	}
	path, source := text(src.path), pyfmt.Str(m.Source)
	if path == "" && pyurl.Parse(source).Scheme == "salt" {
		if v, err := call(ctx, m.env, "cp.is_cached", source, m.env.Saltenv); err == nil {
			path = text(v)
		}
	}
	if s := pyurl.Parse(source).Scheme; path != "" && s != "" && s != "file" {
		_ = os.Remove(path)
	}
}
