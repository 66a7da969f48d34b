package file

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"brine/internal/atomicfile"
	"brine/internal/fileops"
	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/modules"
)

const manageFileDoc = `Put a managed file into its place, as file.get_managed found it, and answer as a state function does.

CLI Example:

    salt '*' file.manage_file /etc/httpd/conf.d/httpd.conf '' '{}' salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' root root '755' '' base ''`

type manageArgs struct {
	Name           string         `arg:"name"`
	Sfn            any            `arg:"sfn"`
	Ret            any            `arg:"ret"`
	Source         any            `arg:"source"`
	SourceSum      any            `arg:"source_sum"`
	User           any            `arg:"user"`
	Group          any            `arg:"group"`
	Mode           any            `arg:"mode"`
	Attrs          any            `arg:"attrs"`
	Saltenv        string         `arg:"saltenv"`
	Backup         any            `arg:"backup"`
	Makedirs       bool           `arg:"makedirs" def:"False"`
	Template       any            `arg:"template" def:"None"`
	ShowChanges    bool           `arg:"show_changes" def:"True"`
	Contents       any            `arg:"contents" def:"None"`
	DirMode        any            `arg:"dir_mode" def:"None"`
	Follow         bool           `arg:"follow_symlinks" def:"True"`
	SkipVerify     bool           `arg:"skip_verify" def:"False"`
	KeepMode       bool           `arg:"keep_mode" def:"False"`
	Encoding       any            `arg:"encoding" def:"None"`
	EncodingErrors any            `arg:"encoding_errors" def:"'strict'"`
	Seuser         any            `arg:"seuser" def:"None"`
	Serole         any            `arg:"serole" def:"None"`
	Setype         any            `arg:"setype" def:"None"`
	Serange        any            `arg:"serange" def:"None"`
	VerifySSL      any            `arg:"verify_ssl" def:"True"`
	UseEtag        bool           `arg:"use_etag" def:"False"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// manager is one call of manage_file.
type manager struct {
	manageArgs
	env    *modules.Env
	ret    *ordered.Map
	sfn    string
	sum    *ordered.Map
	source string
	// web: the source is from elsewhere than the master, so its checksum has to be the one given.
	web bool
}

func manageFile(ctx context.Context, env *modules.Env, in manageArgs) (any, error) {
	m := &manager{manageArgs: in, env: env, sfn: text(in.Sfn), sum: ordered.New(0)}
	m.Name = pypath.Expanduser(in.Name)
	if pyfmt.Truth(in.Source) {
		m.source = pyfmt.Str(in.Source)
		m.web = pyurl.Parse(m.source).Scheme != "salt" && !in.SkipVerify && !in.UseEtag
	}
	if m.ret, _ = in.Ret.(*ordered.Map); m.ret.Len() == 0 {
		m.ret = ordered.Pairs("name", m.Name, "changes", ordered.New(0), "comment", "", "result", true)
	}
	if sum, ok := in.SourceSum.(*ordered.Map); ok {
		m.sum = sum
		if h := sum.String("hsum"); h != "" {
			sum.Set("hsum", strings.ToLower(h))
		}
	}
	if m.source != "" {
		if done, err := m.prepare(ctx); done || err != nil {
			return m.ret, err
		}
	}
	defer managed{sfn: m.sfn}.clean(m.source)
	run := m.create
	if pypath.IsFile(m.Name) || pypath.IsLink(m.Name) {
		run = m.update
	}
	err := run(ctx)
	return m.ret, err
}

func (m *manager) changes() *ordered.Map { return m.ret.Map("changes") }

// fail ends the call with a comment; done tells the caller so.
func (m *manager) fail(format string, a ...any) (done bool) {
	m.ret.Set("result", false)
	m.ret.Set("comment", fmt.Sprintf(format, a...))
	return true
}

func (m *manager) hashType() string {
	for _, kind := range []string{m.sum.String("hash_type"), m.env.Opts.String("hash_type")} {
		if hashsum.Length(kind) != 0 {
			return kind
		}
	}
	return "sha256"
}

// prepare makes sure that the source lies on this machine, and takes its mode when that is to be kept.
func (m *manager) prepare(ctx context.Context) (done bool, err error) {
	if m.sfn == "" {
		got, err := m.env.Call(ctx, "cp.cache_file", modules.Pos(m.source, m.Saltenv).With("verify_ssl", m.VerifySSL))
		if err != nil {
			return false, err
		}
		if m.sfn, _ = got.(string); m.sfn == "" {
			return m.fail("Source file '%s' not found", m.source), nil
		}
		kind := m.hashType()
		sum, err := sumOf(m.sfn, kind)
		if err != nil {
			return false, err
		}
		m.sum = ordered.Pairs("hash_type", kind, "hsum", sum)
	}
	if m.KeepMode {
		m.Mode = sourceMode(ctx, m.env, m.source, m.Saltenv, m.Mode)
	}
	return false, nil
}

// wrongSum ends the call when a source from elsewhere does not have the checksum given.
func (m *manager) wrongSum(what, hint string) (done bool, err error) {
	if !m.web {
		return false, nil
	}
	got, err := sumOf(m.sfn, m.hashType())
	if err != nil || got == m.sum.String("hsum") {
		return false, err
	}
	return m.fail("Specified %s checksum for %s (%s) does not match actual checksum (%s)%s", m.hashType(), what, m.sum.String("hsum"), got, hint), nil
}

// install puts a file into its place; done tells that it could not.
func (m *manager) install(ctx context.Context, from, to string) (done bool) {
	if m.env.Test {
		return false
	}
	backup := text(m.Backup)
	if backup == "" {
		v, err := m.env.Call(ctx, "config.option", modules.Pos("backup_mode"))
		if err != nil {
			v = m.env.Opt("backup_mode")
		}
		backup = text(v)
	}
	if err := fileops.Install(from, to, fileops.Place{Backup: backup, Cachedir: m.env.Opts.String("cachedir"), Now: time.Now()}); err != nil {
		return m.fail("Failed to commit change: %s", pyerr.Text(err))
	}
	return false
}

// update changes a file that is there.
func (m *manager) update(ctx context.Context) error {
	real := m.Name
	link := pypath.IsLink(m.Name)
	if link && m.Follow {
		real = pypath.Realpath(m.Name)
	}
	steps := []func(context.Context, string) (bool, error){m.updateSource, m.updateContents}
	if link && !m.Follow {
		steps = append(steps, m.replaceLink)
	}
	for _, step := range steps {
		if done, err := step(ctx, real); done || err != nil {
			return err
		}
	}
	if err := m.perms(ctx, m.Follow); err != nil {
		return err
	}
	switch {
	case m.changes().Len() > 0:
		m.ret.Set("comment", "File "+m.Name+" updated")
	case m.ret.Value("result") == true:
		m.ret.Set("comment", "File "+m.Name+" is in the correct state")
	}
	return nil
}

func (m *manager) updateSource(ctx context.Context, real string) (bool, error) {
	if m.source == "" {
		return false, nil
	}
	if m.Follow || !pypath.IsLink(real) {
		have, err := sumOf(real, m.hashType())
		if err != nil {
			return false, err
		}
		if have == m.sum.String("hsum") {
			return false, nil
		}
	}
	if done, err := m.wrongSum(m.source, ". If the 'source_hash' value refers to a remote file with multiple possible matches, "+
		"then it may be necessary to set 'source_hash_name'."); done || err != nil {
		return done, err
	}
	switch {
	case obfuscated(ctx, m.env):
		m.changes().Set("diff", "<Obfuscated Template>")
	case !m.ShowChanges:
		m.changes().Set("diff", "<show_changes=False>")
	default:
		v, err := diffFiles(ctx, m.env, getDiffArgs{ShowChanges: true}, []string{real, m.sfn})
		if err != nil && !isCommandError(err) {
			return false, err
		}
		if err != nil {
			v = err.Error()
		}
		if v != "" {
			m.changes().Set("diff", v)
		}
	}
	return m.install(ctx, m.sfn, real), nil
}

func (m *manager) updateContents(ctx context.Context, real string) (bool, error) {
	if m.Contents == nil {
		return false, nil
	}
	tmp, err := m.contents()
	if err != nil {
		return false, err
	}
	defer os.Remove(tmp)
	v, err := diffFiles(ctx, m.env, getDiffArgs{ShowChanges: m.ShowChanges, Template: true}, []string{real, tmp})
	if isCommandError(err) {
		m.ret.Set("warnings", append(m.ret.List("warnings"), "Failed to detect changes to file: "+err.Error()))
		return false, nil
	}
	if err != nil || v == "" {
		return false, err
	}
	m.changes().Set("diff", v)
	return m.install(ctx, tmp, real), nil
}

// contents writes the given contents, encoded, to a temporary file.
func (m *manager) contents() (string, error) {
	raw, err := m.encoded()
	if err != nil {
		return "", err
	}
	return tempWith(raw)
}

// encoded is the given contents in the encoding asked for.
func (m *manager) encoded() ([]byte, error) {
	raw := contentsBytes(m.Contents)
	switch strings.ReplaceAll(strings.ToLower(text(m.Encoding)), "_", "-") {
	case "", "utf-8", "utf8":
	case "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1":
		limit := rune(0x100)
		if strings.Contains(text(m.Encoding), "ascii") {
			limit = 0x80
		}
		var out []byte
		for _, r := range string(raw) {
			switch {
			case r < limit:
				out = append(out, byte(r))
			case m.EncodingErrors == "ignore":
			case m.EncodingErrors == "replace":
				out = append(out, '?')
			default:
				return nil, fmt.Errorf("'%s' codec can't encode character '%c': ordinal not in range(%d)", text(m.Encoding), r, limit)
			}
		}
		raw = out
	default:
		return nil, fmt.Errorf("unknown encoding: %s", text(m.Encoding))
	}
	return raw, nil
}

func (m *manager) replaceLink(ctx context.Context, _ string) (bool, error) {
	if m.sfn == "" {
		return m.fail("Source file '%s' not found", m.source), nil
	}
	if done, err := m.wrongSum(m.Name, ""); done || err != nil {
		return done, err
	}
	if m.install(ctx, m.sfn, m.Name) {
		return true, nil
	}
	m.changes().Set("diff", "Replace symbolic link with regular file")
	return false, nil
}

// create makes a file that is not there.
func (m *manager) create(ctx context.Context) error {
	if m.source != "" {
		if done, err := m.wrongSum(m.Name, ""); done || err != nil {
			return err
		}
		m.changes().Set("diff", "New file")
	}
	if done, err := m.parent(); done || err != nil {
		return err
	}
	if m.env.Test {
		m.ret.Set("comment", "File "+m.Name+" not updated")
		return nil
	}
	if done, err := m.fill(ctx); done || err != nil {
		return err
	}
	if m.Mode == nil {
		m.Mode = fmt.Sprintf("%o", 0o666&^fileops.Umask())
	}
	if err := m.perms(ctx, false); err != nil {
		return err
	}
	if text(m.ret.Value("comment")) == "" {
		m.ret.Set("comment", "File "+m.Name+" updated")
	}
	if m.changes().Len() == 0 && m.ret.Value("result") == true {
		m.ret.Set("comment", "File "+m.Name+" is in the correct state")
	}
	return nil
}

// parent makes the folder of a new file, or refuses.
func (m *manager) parent() (done bool, err error) {
	if pypath.IsDir(pypath.Dirname(m.Name)) {
		return false, nil
	}
	if !m.Makedirs {
		m.changes().Delete("diff")
		return m.fail("Parent directory not present"), nil
	}
	mode := m.DirMode
	if mode == nil && m.Mode != nil {
		mode = searchable(pyfmt.Str(m.Mode))
	}
	return false, makeAll(m.env, pypath.Dirname(m.Name), m.User, m.Group, mode)
}

// searchable is the mode of a folder for a file of the given mode: whoever may do anything may enter.
func searchable(mode string) string {
	digits := []byte(mode)
	digits = digits[max(0, len(digits)-3):]
	for i, d := range digits {
		if n, err := strconv.Atoi(string(d)); err == nil && n != 0 {
			digits[i] = '0' + byte(n|1)
		}
	}
	return string(digits)
}

func (m *manager) fill(ctx context.Context) (done bool, err error) {
	switch {
	case m.Contents != nil:
		raw, err := m.encoded()
		if err != nil {
			return false, err
		}
		m.changes().Set("diff", "New file")
		mode := os.FileMode(0o600) // until the wished mode is set nobody else may look
		if !pyfmt.Truth(m.Mode) {
			mode = 0o666 &^ fileops.Umask() // as an empty file would have it: no change to report
		}
		if err := atomicfile.Write(m.Name, raw, mode); err != nil {
			return m.fail("Failed to commit change: %s", pyerr.Text(err)), nil
		}
		return false, nil
	case m.sfn != "":
		return m.install(ctx, m.sfn, m.Name), nil
	}
	mode := os.FileMode(0o666)
	if pyfmt.Truth(m.Mode) {
		mode = 0o600 // until the wished mode is set nobody else may look
	}
	f, err := os.OpenFile(m.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return m.fail("Empty file %s not created", m.Name), nil
	}
	m.changes().Set("new", "file "+m.Name+" created")
	m.ret.Set("comment", "Empty file")
	return false, f.Close()
}

func (m *manager) perms(ctx context.Context, follow bool) error {
	v, err := checkPerms(ctx, m.env, checkPermsArgs{Name: m.Name, Ret: m.ret, User: m.User, Group: m.Group, Mode: m.Mode, Attrs: m.Attrs, Follow: follow,
		Seuser: m.Seuser, Serole: m.Serole, Setype: m.Setype, Serange: m.Serange})
	if pair, ok := v.([]any); ok {
		m.ret, _ = pair[0].(*ordered.Map)
	}
	return err
}
