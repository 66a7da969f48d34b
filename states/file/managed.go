package file

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/traverse"
	"brine/modules"
	"brine/states"
)

func managedFuncs() []states.Func {
	return []states.Func{fn("managed", "Bring a file to content, owner and mode: from a source, a template, or texts given here.", managed)}
}

type managedArgs struct {
	Name            string         `arg:"name"`
	Source          any            `arg:"source" def:"None"`
	SourceHash      any            `arg:"source_hash" def:"''"`
	SourceHashName  any            `arg:"source_hash_name" def:"None"`
	KeepSource      bool           `arg:"keep_source" def:"True"`
	User            any            `arg:"user" def:"None"`
	Group           any            `arg:"group" def:"None"`
	Mode            any            `arg:"mode" def:"None"`
	Attrs           any            `arg:"attrs" def:"None"`
	Template        any            `arg:"template" def:"None"`
	Makedirs        bool           `arg:"makedirs" def:"False"`
	DirMode         any            `arg:"dir_mode" def:"None"`
	Context         any            `arg:"context" def:"None"`
	Replace         bool           `arg:"replace" def:"True"`
	Defaults        any            `arg:"defaults" def:"None"`
	Backup          any            `arg:"backup" def:"''"`
	ShowChanges     bool           `arg:"show_changes" def:"True"`
	Create          bool           `arg:"create" def:"True"`
	Contents        any            `arg:"contents" def:"None"`
	TmpDir          string         `arg:"tmp_dir" def:"''"`
	TmpExt          string         `arg:"tmp_ext" def:"''"`
	ContentsPillar  any            `arg:"contents_pillar" def:"None"`
	ContentsGrains  any            `arg:"contents_grains" def:"None"`
	ContentsNewline bool           `arg:"contents_newline" def:"True"`
	Delimiter       string         `arg:"contents_delimiter" def:"':'"`
	Encoding        any            `arg:"encoding" def:"None"`
	EncodingErrors  any            `arg:"encoding_errors" def:"'strict'"`
	AllowEmpty      bool           `arg:"allow_empty" def:"True"`
	Follow          bool           `arg:"follow_symlinks" def:"True"`
	CheckCmd        any            `arg:"check_cmd" def:"None"`
	SkipVerify      bool           `arg:"skip_verify" def:"False"`
	Selinux         any            `arg:"selinux" def:"None"`
	WinOwner        any            `arg:"win_owner" def:"None"`
	WinPerms        any            `arg:"win_perms" def:"None"`
	WinDenyPerms    any            `arg:"win_deny_perms" def:"None"`
	WinInheritance  any            `arg:"win_inheritance" def:"True"`
	WinPermsReset   any            `arg:"win_perms_reset" def:"False"`
	VerifySSL       any            `arg:"verify_ssl" def:"True"`
	UseEtag         bool           `arg:"use_etag" def:"False"`
	Kwargs          modules.Kwargs `arg:"**kwargs"`
}

// managing is one run of managed.
type managing struct {
	managedArgs
	env      *states.Env
	ret      *ordered.Map
	keepMode bool
	context  *ordered.Map
	labels   *ordered.Map
}

func managed(ctx context.Context, env *states.Env, in managedArgs) (check, error) {
	m := &managing{managedArgs: in, env: env, ret: ordered.Pairs("changes", ordered.New(0), "comment", "", "name", in.Name, "result", true)}
	steps := []func(context.Context) (*states.Result, error){m.prepare, m.given, m.templated, m.place, m.variables, m.permissions}
	for _, step := range steps {
		r, err := step(ctx)
		if r != nil || err != nil {
			return states.Done[work](r), err
		}
	}
	if env.Test {
		r, err := m.predict(ctx)
		return states.Check[work]{Would: r}, err
	}
	return check{Plan: m.apply}, nil
}

// prepare reads the arguments that exclude each other.
func (m *managing) prepare(context.Context) (*states.Result, error) {
	if labels, ok := m.Selinux.(*ordered.Map); ok {
		m.labels = labels
	}
	if s, ok := m.Mode.(string); ok && strings.EqualFold(s, "keep") {
		m.keepMode, m.Mode = true, nil
	}
	m.Mode = modeOf(m.Mode)
	count := 0
	for _, v := range []any{m.Contents, m.ContentsPillar, m.ContentsGrains} {
		if v != nil {
			count++
		}
	}
	switch {
	case pyfmt.Truth(m.Source) && count > 0:
		return states.Failed("'source' cannot be used in combination with 'contents', 'contents_pillar', or 'contents_grains'"), nil
	case m.keepMode && count > 0:
		return states.Failed("Mode preservation cannot be used in combination with 'contents', 'contents_pillar', or 'contents_grains'"), nil
	case count > 1:
		return states.Failed("Only one of 'contents', 'contents_pillar', and 'contents_grains' is permitted"), nil
	}
	if !pyfmt.Truth(m.Source) && count == 0 {
		m.Replace = false
	}
	if m.Kwargs.Has("file_mode") {
		m.ret.Set("warnings", []any{"The 'file_mode' argument will be ignored.  Please use 'mode' instead to set file permissions."})
	}
	return nil, nil
}

// looked finds contents in pillar or grains: one value, or several that become one text.
func (m *managing) looked(data *ordered.Map, keys any, what string) (any, *states.Result) {
	list, several := keys.([]any)
	if !several {
		list = []any{keys}
	}
	var found []string
	for _, k := range list {
		v, ok := traverse.Get(data, k, m.Delimiter)
		switch {
		case !ok:
			return nil, states.Failed("%s %s does not exist", what, pyfmt.Str(k))
		case !several:
			return v, nil
		}
		found = append(found, pyfmt.Str(v))
	}
	return strings.Join(found, "\n"), nil
}

// given makes the contents out of what was given here, or lies in pillar or grains.
func (m *managing) given(ctx context.Context) (*states.Result, error) {
	from := m.Contents
	id := "'contents'"
	var r *states.Result
	switch {
	case m.ContentsPillar != nil:
		data, err := m.env.Pillar.Items(ctx)
		if err != nil {
			return nil, err
		}
		from, r = m.looked(data, m.ContentsPillar, "Pillar")
		id = "contents_pillar " + pyfmt.Str(m.ContentsPillar)
	case m.ContentsGrains != nil:
		from, r = m.looked(m.env.Grains.Items(ctx), m.ContentsGrains, "Grain")
		id = "contents_grains " + pyfmt.Str(m.ContentsGrains)
	case from == nil:
		return nil, nil
	}
	if r != nil {
		return r, nil
	}
	if m.Contents = from; from == nil {
		return nil, nil
	}
	if !m.AllowEmpty && !pyfmt.Truth(from) {
		return states.Failed("%s value would result in empty contents. Set allow_empty to True to allow the managed file to be empty.", id), nil
	}
	if b, ok := from.([]byte); ok && !utf8.Valid(b) {
		if m.Template != nil {
			return states.Failed("Contents specified by contents/contents_pillar/contents_grains appears to be binary data, and as will not be able to be treated as a Jinja template."), nil
		}
		return nil, nil
	}
	parts := texts(from)
	if len(parts) == 0 {
		return states.Failed("Contents specified by contents/contents_pillar/contents_grains is not a string or list of strings, and is not binary data. SLS is likely malformed."), nil
	}
	var out strings.Builder
	for _, part := range parts {
		for _, line := range pytext.Splitlines(part, false) {
			out.WriteString(line + "\n")
		}
	}
	content := out.String()
	if !m.ContentsNewline {
		content = strings.TrimRight(strings.TrimRight(content, "\n"), "\r")
	}
	m.Contents = content
	return nil, nil
}

// templated renders contents that are a template.
func (m *managing) templated(ctx context.Context) (*states.Result, error) {
	if m.Contents == nil || !pyfmt.Truth(m.Template) {
		return nil, nil
	}
	v, err := m.env.Call(ctx, "file.apply_template_on_contents", modules.Args{Kw: ordered.Pairs("contents", m.Contents, "template", m.Template,
		"context", m.Context, "defaults", m.Defaults, "saltenv", m.env.Saltenv)})
	if err != nil {
		return nil, err
	}
	if refused, ok := v.(*ordered.Map); ok {
		r := resultOf(refused)
		r.Name = m.Name
		return r, nil
	}
	m.Contents = v
	return nil, nil
}

// place checks where the file is to be.
func (m *managing) place(context.Context) (*states.Result, error) {
	m.User = owner(m.User, m.Kwargs)
	switch unknown := unknownOwner(m.User, m.Group); {
	case !m.Create && !pypath.IsFile(m.Name):
		return states.Fine("File " + m.Name + " is not present and is not set for creation"), nil
	case unknown != "":
		return states.Failed("%s", unknown), nil
	case !pypath.IsAbs(m.Name):
		return states.Failed("Specified file %s is not an absolute path", m.Name), nil
	case pypath.IsDir(m.Name):
		return states.Failed("Specified target %s is a directory", m.Name), nil
	}
	return nil, nil
}

// dictOf reads a map, also in the other spelling, a list of maps with one key each.
func dictOf(v any) (*ordered.Map, bool) {
	m, ok := v.(*ordered.Map)
	return m, ok
}

// variables are those of the template: context, defaults and what accumulated for the file.
func (m *managing) variables(context.Context) (*states.Result, error) {
	if m.context = ordered.New(0); m.Context != nil {
		given, ok := dictOf(m.Context)
		if !ok {
			return states.Failed("Context must be formed as a dict"), nil
		}
		m.context.Update(given)
	}
	if _, ok := dictOf(m.Defaults); pyfmt.Truth(m.Defaults) && !ok {
		return states.Failed("Defaults must be formed as a dict"), nil
	}
	if texts := accumulatedFor(m.env, m.Name); texts != nil {
		m.context.Set("accumulator", texts)
	}
	return nil, nil
}

// permissions ends the run for a file whose content is to stay.
func (m *managing) permissions(ctx context.Context) (*states.Result, error) {
	if m.Replace || !pypath.Exists(m.Name) {
		return nil, nil
	}
	a := modules.Pos(m.Name, m.ret, m.User, m.Group, m.Mode, m.Attrs, m.Follow)
	v, err := m.env.Call(ctx, "file.check_perms", m.withLabels(a))
	if err != nil {
		return nil, err
	}
	pair, _ := v.([]any)
	r := resultOf(pair[0])
	perms, _ := pair[1].(*ordered.Map)
	switch had := perms.Value("lmode"); {
	case m.env.Test && m.Mode != nil && had != nil && m.Mode != had:
		r.Comment = "File " + m.Name + " will be updated with permissions " + pyfmt.Str(m.Mode) + " from its current state of " + pyfmt.Str(had)
	case m.env.Test:
		r.Comment = "File " + m.Name + " not updated"
	case r.Changes.Len() == 0 && r.OK != nil && *r.OK:
		r.Comment = "File " + m.Name + " exists with proper permissions. No changes made."
	}
	return r, nil
}

func (m *managing) withLabels(a modules.Args) modules.Args {
	kw := ordered.New(8)
	kw.Update(a.Kw)
	for _, k := range []string{"seuser", "serole", "setype", "serange"} {
		kw.Set(k, m.labels.Value(k))
	}
	a.Kw = kw
	return a
}

// predict tells what apply would change.
func (m *managing) predict(ctx context.Context) (*states.Result, error) {
	a := m.withLabels(modules.Pos(m.Name, m.Source, m.SourceHash, m.SourceHashName, m.User, m.Group, m.Mode, m.Attrs, m.Template, m.context, m.Defaults, m.env.Saltenv,
		m.Contents, m.SkipVerify, m.keepMode))
	a.Kw.Set("verify_ssl", m.VerifySSL)
	a.Kw.Set("follow_symlinks", m.Follow)
	for k, v := range m.Kwargs.All() {
		a.Kw.Set(k, v)
	}
	v, err := m.env.Call(ctx, "file.check_managed_changes", a)
	if err != nil {
		return m.unmanageable(err)
	}
	r := resultOf(m.ret)
	if pair, ok := v.([]any); ok {
		r.OK, r.Comment = states.False(), pair[1]
		return r, nil
	}
	r.Changes, _ = v.(*ordered.Map)
	if r.Changes.Len() == 0 {
		r.Comment = "The file " + m.Name + " is in the correct state"
		return r, nil
	}
	r.OK = nil
	r.Comment = "The file " + m.Name + " is set to be changed\nNote: No changes made, actual changes may\nbe different due to other states."
	if r.Changes.Has("diff") && !m.ShowChanges {
		r.Changes.Set("diff", "<show_changes=False>")
	}
	return r, nil
}

// unmanageable is the result for an error on the way; an ended job stays one.
func (m *managing) unmanageable(err error) (*states.Result, error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	return states.Failed("Unable to manage file: %v", err), nil
}
