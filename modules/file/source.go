package file

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/modules"
	"brine/modules/rendering"
)

func sourceFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("apply_template_on_contents", applyTemplateDoc, applyTemplate),
		modules.Fn("get_managed", getManagedDoc, getManaged),
		modules.PureFn("source_list", sourceListDoc, sourceList),
	}
}

const sourceListDoc = `Choose from a list of sources the first that there is, with its checksum. A single source is taken as it is.

CLI Example:

    salt '*' file.source_list salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' base`

type sourceListArgs struct {
	Source     any    `arg:"source"`
	SourceHash any    `arg:"source_hash"`
	Saltenv    string `arg:"saltenv"`
}

func sourceList(ctx context.Context, env *modules.Env, in sourceListArgs) (any, error) {
	source, hash, err := chooseSource(ctx, env, in)
	if err != nil {
		return nil, err
	}
	return []any{source, hash}, nil
}

func chooseSource(ctx context.Context, env *modules.Env, in sourceListArgs) (source, hash any, err error) {
	list, ok := in.Source.([]any)
	if !ok {
		return in.Source, in.SourceHash, nil
	}
	for _, item := range list {
		src, hash := item, in.SourceHash
		if m, isMap := item.(*ordered.Map); isMap {
			if m.Len() != 1 {
				continue
			}
			src = m.Keys()[0]
			if own := m.Value(src); pyfmt.Truth(own) {
				hash = own
			}
		}
		there, err := sourceThere(ctx, env, pyfmt.Str(src), in.Saltenv)
		if err != nil {
			return nil, nil, err
		}
		if there {
			return src, hash, nil
		}
	}
	return nil, nil, modules.Errorf("none of the specified sources were found")
}

// sourceThere tells whether a source exists: on the file server, on the web, or as a local file.
func sourceThere(ctx context.Context, env *modules.Env, src, saltenv string) (bool, error) {
	u := pyurl.Parse(src)
	switch {
	case u.Scheme == "file":
		return pypath.Exists(u.Netloc) || pypath.Exists(u.Path) || pypath.Exists(pypath.Join(u.Netloc, u.Path)), nil
	case strings.HasPrefix(u.Scheme, "http"):
		return webThere(ctx, src), nil
	case pypath.IsAbs(src):
		return pypath.Exists(src), nil
	}
	path, named := pyurl.Salt(src)
	if named != "" {
		saltenv = named
	}
	for _, fun := range []string{"cp.list_master", "cp.list_master_dirs"} {
		names, err := env.Call(ctx, fun, modules.Pos(saltenv))
		if err != nil {
			return false, err
		}
		if list, _ := names.([]any); slices.Contains(list, any(path)) {
			return true, nil
		}
	}
	return false, nil
}

const webTimeout = 20 * time.Second

func webThere(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, webTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode < 400
}

const getManagedDoc = `Fetch the source of a managed file, render it if it is a template, and tell where it lies, its checksum, and what went wrong.

CLI Example:

    salt '*' file.get_managed /etc/httpd/conf.d/httpd.conf jinja salt://http/httpd.conf '{hash_type: 'md5', 'hsum': <md5sum>}' None root root '755' base None None`

type getManagedArgs struct {
	Name       string         `arg:"name"`
	Template   any            `arg:"template"`
	Source     any            `arg:"source"`
	SourceHash any            `arg:"source_hash"`
	HashName   any            `arg:"source_hash_name"`
	User       any            `arg:"user"`
	Group      any            `arg:"group"`
	Mode       any            `arg:"mode"`
	Attrs      any            `arg:"attrs"`
	Saltenv    string         `arg:"saltenv"`
	Context    any            `arg:"context"`
	Defaults   any            `arg:"defaults"`
	SkipVerify bool           `arg:"skip_verify" def:"False"`
	VerifySSL  any            `arg:"verify_ssl" def:"True"`
	UseEtag    bool           `arg:"use_etag" def:"False"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

// managed is what get_managed found: the local path of the content, its checksum, and what is wrong.
type managed struct {
	sfn     string
	sum     *ordered.Map
	comment string
}

func (m managed) data() []any { return []any{m.sfn, m.sum, m.comment} }

func problem(format string, a ...any) managed {
	return managed{sum: ordered.New(0), comment: modules.Errorf(format, a...).Error()}
}

func getManaged(ctx context.Context, env *modules.Env, in getManagedArgs) (any, error) {
	m, err := in.get(ctx, env)
	if err != nil {
		return nil, err
	}
	return m.data(), nil
}

func localSum(path string) (*ordered.Map, error) {
	sum, err := sumOf(path, "sha256")
	if err != nil {
		return nil, err
	}
	return ordered.Pairs("hsum", sum, "hash_type", "sha256"), nil
}

func (in getManagedArgs) get(ctx context.Context, env *modules.Env) (managed, error) {
	if !pyfmt.Truth(in.Source) {
		return managed{sum: ordered.New(0)}, nil
	}
	source := pyfmt.Str(in.Source)
	u := pyurl.Parse(source)
	scheme := u.Scheme
	if !pyurl.Known(scheme) {
		scheme = ""
	}
	local := ""
	switch scheme {
	case "":
		local = source
	case "file":
		local = strings.TrimRight(pypath.Join(u.Netloc, u.Path), "/")
	}
	if local != "" && !pypath.Exists(local) {
		return problem("Local file source %s does not exist", local), nil
	}
	m, err := in.verify(ctx, env, source, scheme, local)
	if err != nil || m.comment != "" {
		return m, err
	}
	m.sfn = local
	if text(in.Template) == "" && !pyurl.Remote(scheme) {
		return m, nil
	}
	if problem, err := in.fetch(ctx, env, &m); err != nil || problem.comment != "" {
		return problem, err
	}
	if text(in.Template) != "" {
		return in.render(ctx, env, m)
	}
	return m, nil
}

// verify finds out which checksum the source is to have.
func (in getManagedArgs) verify(ctx context.Context, env *modules.Env, source, scheme, local string) (managed, error) {
	switch {
	case scheme == "salt":
		got, err := env.Call(ctx, "cp.hash_file", modules.Pos(source, in.Saltenv))
		if err != nil {
			return managed{}, err
		}
		sum, _ := got.(*ordered.Map)
		if sum.Len() == 0 {
			return problem("Source file %s not found in saltenv '%s'", source, in.Saltenv), nil
		}
		return managed{sum: sum}, nil
	case !pyfmt.Truth(in.SourceHash) && local != "":
		sum, err := localSum(local)
		return managed{sum: sum}, err
	case in.SkipVerify:
		return managed{sum: ordered.New(0)}, nil
	case pyfmt.Truth(in.SourceHash):
		got, err := getSourceSum(ctx, env, sourceSumArgs{FileName: in.Name, Source: source, SourceHash: in.SourceHash, HashName: in.HashName,
			Saltenv: in.Saltenv, VerifySSL: in.VerifySSL})
		if isCommandError(err) {
			return problem("%s", err.Error()), nil
		}
		sum, _ := got.(*ordered.Map)
		return managed{sum: sum}, err
	case in.UseEtag:
		return managed{sum: ordered.New(0)}, nil
	}
	return problem("Unable to verify upstream hash of source file %s, please set source_hash or set skip_verify to True", pyurl.Redact(source)), nil
}

// fetch brings a remote file or a template to the minion, unless the copy there is still right.
func (in getManagedArgs) fetch(ctx context.Context, env *modules.Env, m *managed) (managed, error) {
	source := pyfmt.Str(in.Source)
	cached, err := env.Call(ctx, "cp.is_cached", modules.Pos(source, in.Saltenv))
	if err != nil {
		return managed{}, err
	}
	if path, _ := cached.(string); path != "" && (pyfmt.Truth(in.SourceHash) || in.SkipVerify) {
		kind := m.sum.String("hash_type")
		if hashsum.Length(kind) == 0 {
			kind = "sha256"
		}
		sum, err := sumOf(path, kind)
		switch {
		case err != nil:
		case in.SkipVerify:
			m.sfn, m.sum = path, ordered.Pairs("hsum", sum, "hash_type", kind)
		case sum == m.sum.String("hsum"):
			m.sfn = path
		}
	}
	if m.sfn == "" {
		args := modules.Pos(source, in.Saltenv).With("source_hash", m.sum.Value("hsum")).With("verify_ssl", in.VerifySSL).With("use_etag", in.UseEtag)
		got, err := env.Call(ctx, "cp.cache_file", args)
		if err != nil {
			return problem("Failed to cache %s: %v", pyurl.Redact(source), err), nil
		}
		m.sfn, _ = got.(string)
	}
	switch {
	case m.sfn == "" || !pypath.Exists(m.sfn):
		p := problem("Source file '%s' not found", pyurl.Redact(source))
		p.sfn = m.sfn
		return p, nil
	case m.sfn == in.Name:
		return managed{}, modules.Invalidf("Source file cannot be the same as destination")
	}
	return managed{}, nil
}

func isCommandError(err error) bool {
	var c *modules.CommandError
	return errors.As(err, &c)
}

const applyTemplateDoc = `Render a text as a template.

context, defaults
    variables for it; context goes over defaults

CLI Example:

    salt '*' file.apply_template_on_contents \
        contents='This is a {{ template }} string.' \
        template=jinja \
        "context={}" "defaults={'template': 'cool'}" \
        saltenv=base`

type applyTemplateArgs struct {
	Contents string `arg:"contents"`
	Template string `arg:"template"`
	Context  any    `arg:"context"`
	Defaults any    `arg:"defaults"`
	Saltenv  string `arg:"saltenv"`
}

func applyTemplate(ctx context.Context, env *modules.Env, in applyTemplateArgs) (any, error) {
	if !rendering.Known(in.Template) {
		return ordered.Pairs("result", false, "comment", "Specified template format "+in.Template+" is not supported"), nil
	}
	out, err := rendering.Text(ctx, env, in.Template, in.Contents, rendering.Options{Saltenv: in.Saltenv, Vars: contextOf(in.Defaults, in.Context)})
	if err != nil {
		return err.Error(), nil // Salt answers with the text of the error
	}
	return out, nil
}

// contextOf puts the variables of context over the defaults.
func contextOf(defaults, context any) *ordered.Map {
	vars := ordered.New(0)
	for _, v := range []any{defaults, context} {
		if m, ok := v.(*ordered.Map); ok {
			vars.Update(m)
		}
	}
	return vars
}

// render renders the source that m has and returns where the result lies.
func (in getManagedArgs) render(ctx context.Context, env *modules.Env, m managed) (managed, error) {
	engine := text(in.Template)
	if !rendering.Known(engine) {
		return managed{m.sfn, ordered.New(0), "Specified template format " + engine + " is not supported"}, nil
	}
	source, err := readText(m.sfn)
	if err != nil {
		return managed{}, plain(err)
	}
	vars := ordered.Pairs("name", in.Name, "source", in.Source, "user", in.User, "group", in.Group, "mode", in.Mode, "attrs", in.Attrs)
	vars.Update(in.Kwargs)
	vars.Update(contextOf(in.Defaults, in.Context))
	path, named := pyurl.Salt(pyfmt.Str(in.Source))
	saltenv := in.Saltenv
	if named != "" {
		saltenv = named
	}
	out, err := rendering.Text(ctx, env, engine, source, rendering.Options{Saltenv: saltenv, Path: path, Vars: vars})
	if err != nil {
		return managed{m.sfn, ordered.New(0), err.Error()}, nil
	}
	tmp, err := tempWith([]byte(out))
	if err != nil {
		return managed{}, err
	}
	sum, err := localSum(tmp)
	return managed{sfn: tmp, sum: sum}, err
}
