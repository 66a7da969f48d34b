package jinja

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// module is an imported template: its exported names, and its text when printed.
type module struct {
	name string
	tc   *context_
	text string
}

func (m *module) String() string        { return "<TemplateModule " + pyfmt.Repr(m.name) + ">" }
func (m *module) Type() string          { return "TemplateModule" }
func (m *module) Freeze()               {}
func (m *module) Truth() starlark.Bool  { return true }
func (m *module) Hash() (uint32, error) { return 0, nil }

// PyStr implements pyvalue.Stringer.
func (m *module) PyStr() string { return m.text }

// Text makes the text of a module what functions are given.
func (m *module) Text() string { return m.text }

// ObjectName implements pyvalue.ObjectNamer.
func (m *module) ObjectName() string { return "jinja2.environment.TemplateModule object" }

// PyAttr implements pyvalue.Attributes.
func (m *module) PyAttr(name string) (starlark.Value, error) {
	if v, ok := m.tc.vars[name]; ok && !strings.HasPrefix(name, "_") {
		return v, nil
	}
	return nil, nil
}

func parse(src string, o syntax.Options) (*syntax.Template, error) { return syntax.Parse(src, o) }

// current is a variable as the loader sees it: what the last import set, else the render's.
func (r *run) current(name string) string {
	v, ok := r.globals[name]
	if !ok {
		if make, have := r.in.Vars[name]; have {
			v = r.convert(make())
		}
	}
	s, _ := pyvalue.Text(orNone(v))
	return s
}

func orNone(v starlark.Value) starlark.Value {
	if v == nil {
		return starlark.None
	}
	return v
}

func notFound(name string) error { return pyvalue.Errorf("TemplateNotFound", "%s", name) }

// load finds a template by the name in an import or include. Names that begin with ./ or ../ are relative to tpldir,
// which follows the files that are loaded; as in Salt, a name is looked up once in a render.
func (r *run) load(name string) (*loaded, error) {
	if t, ok := r.loaded[name]; ok {
		return t, nil
	}
	if r.in.Loader == nil {
		return nil, notFound(name)
	}
	path := name
	first, _, _ := strings.Cut(name, "/")
	relative := first == "." || first == ".."
	if relative {
		path = pypath.Normpath(r.current("tpldir") + "/" + name)
		if path == ".." || strings.HasPrefix(path, "../") {
			return nil, notFound(name)
		}
	}
	src, err := r.in.Loader.Load(r.ctx, path)
	r.setPlace(name, path, relative)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, notFound(name)
		}
		return nil, err
	}
	t := &loaded{path: path, source: string(src)}
	if t.template, err = r.in.Cache.Parse(t.source, r.in.Syntax); err == nil {
		err = r.checkNames(t)
	}
	if err != nil {
		var s *syntax.Error
		if errors.As(err, &s) {
			return nil, &located{err, t, s.Line}
		}
		return nil, err
	}
	r.loaded[name] = t
	return t, nil
}

// setPlace sets tplfile, tpldir and tpldot for the file that was loaded.
func (r *run) setPlace(name, path string, relative bool) {
	dir, file := pypath.Dirname(path), path
	if relative {
		dir, file = r.current("tpldir"), name
	}
	shown := dir
	if dir == "" {
		shown = "."
	}
	r.globals["tplfile"] = starlark.String(file)
	r.globals["tpldir"] = starlark.String(shown)
	r.globals["tpldot"] = starlark.String(strings.ReplaceAll(dir, "/", "."))
}

// loadNamed loads the template that a value names, or the first of a list that is there.
func (r *run) loadNamed(v starlark.Value) (*loaded, error) {
	if err := pyvalue.Check(v); err != nil {
		return nil, err
	}
	if name, ok := pyvalue.Text(v); ok {
		return r.load(name)
	}
	names, err := pyvalue.Items(v)
	if err != nil {
		return nil, err
	}
	var tried []string
	for _, n := range names {
		name, err := pyvalue.Str(n)
		if err != nil {
			return nil, err
		}
		t, err := r.load(name)
		if !pyvalue.Is(err, "TemplateNotFound") {
			return t, err
		}
		tried = append(tried, name)
	}
	if len(tried) == 0 {
		return nil, pyvalue.Errorf("TemplatesNotFound", "Tried to select from an empty list of templates.")
	}
	return nil, pyvalue.Errorf("TemplatesNotFound", "none of the templates given were found: %s", strings.Join(tried, ", "))
}

func (r *run) include(t *syntax.Include, f *frame, b *strings.Builder) error {
	v, err := r.eval(t.Template, f)
	if err != nil {
		return err
	}
	tpl, err := r.loadNamed(v)
	if t.IgnoreMissing && (pyvalue.Is(err, "TemplateNotFound") || pyvalue.Is(err, "TemplatesNotFound")) {
		return nil
	}
	if err != nil {
		return err
	}
	if !t.WithContext {
		m, err := r.sharedModule(tpl)
		if err != nil {
			return err
		}
		return r.write(b, m.text)
	}
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	return r.root(&context_{t: tpl, vars: map[string]starlark.Value{}, outer: f}, b)
}

// sharedModule is a template imported without context, which is run once in a render.
func (r *run) sharedModule(t *loaded) (*module, error) {
	if m, ok := r.modules[t]; ok {
		return m, nil
	}
	m, err := r.module(t, nil)
	if err == nil {
		r.modules[t] = m
	}
	return m, err
}

func (r *run) module(t *loaded, outer *frame) (*module, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	tc := &context_{t: t, vars: map[string]starlark.Value{}, outer: outer}
	var b strings.Builder
	if err := r.root(tc, &b); err != nil {
		return nil, err
	}
	return &module{t.path, tc, b.String()}, nil
}

func (r *run) imported(e syntax.Expr, withContext bool, f *frame) (*module, error) {
	v, err := r.eval(e, f)
	if err != nil {
		return nil, err
	}
	if err := pyvalue.Check(v); err != nil {
		return nil, err
	}
	name, err := pyvalue.Str(v)
	if err != nil {
		return nil, err
	}
	t, err := r.load(name)
	if err != nil {
		return nil, err
	}
	if withContext {
		return r.module(t, f)
	}
	return r.sharedModule(t)
}

func (r *run) importModule(t *syntax.Import, f *frame) error {
	m, err := r.imported(t.Template, t.WithContext, f)
	if err != nil {
		return err
	}
	if t.Format == "" {
		f.set(t.Target, m)
		return nil
	}
	v, err := r.filter("load_"+t.Format, starlark.String(m.text), pyvalue.Args{})
	if err != nil {
		return err
	}
	f.set(t.Target, v)
	return nil
}

func (r *run) fromImport(t *syntax.FromImport, f *frame) error {
	m, err := r.imported(t.Template, t.WithContext, f)
	if err != nil {
		return err
	}
	for _, n := range t.Names {
		v, _ := m.PyAttr(n[0])
		if v == nil {
			where := fmt.Sprintf("line %d", t.Line())
			if f.eval.path != "" {
				where += " in " + pyfmt.Repr(f.eval.path)
			}
			v = &pyvalue.Undefined{Message: fmt.Sprintf("the template %s (imported on %s) does not export the requested name %s",
				pyfmt.Repr(m.name), where, pyfmt.Repr(n[0]))}
		}
		f.set(n[1], v)
	}
	return nil
}
