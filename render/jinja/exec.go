package jinja

import (
	"errors"
	"strings"

	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// Signals that leave a body early.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

// exec runs the statements of a body. An error that comes up is given the line of its statement.
func (r *run) exec(body []syntax.Stmt, f *frame, b *strings.Builder) error {
	for _, s := range body {
		if err := r.step(); err != nil {
			return err
		}
		if err := r.stmt(s, f, b); err != nil {
			return r.place(err, f, s.Line())
		}
	}
	return nil
}

func (r *run) place(err error, f *frame, line int) error {
	if f.block || errors.Is(err, errBreak) || errors.Is(err, errContinue) {
		return err
	}
	return locate(err, f.eval, line)
}

func (r *run) stmt(s syntax.Stmt, f *frame, b *strings.Builder) error {
	switch t := s.(type) {
	case *syntax.Output:
		return r.output(t, f, b)
	case *syntax.If:
		return r.ifElse(t, f, b)
	case *syntax.For:
		return r.forLoop(t, f, b)
	case *syntax.Set:
		v, err := r.eval(t.Expr, f)
		if err != nil {
			return err
		}
		return r.assign(f, t.Target, v)
	case *syntax.Do:
		_, err := r.eval(t.Expr, f)
		return err
	case *syntax.Macro:
		f.set(t.Name, r.newMacro(t.Name, &t.Sig, t.Body, f))
		return nil
	case *syntax.Break:
		return errBreak
	case *syntax.Continue:
		return errContinue
	}
	return r.blockStmt(s, f, b)
}

// blockStmt runs the statements that stand less often.
func (r *run) blockStmt(s syntax.Stmt, f *frame, b *strings.Builder) error {
	switch t := s.(type) {
	case *syntax.SetBlock:
		return r.setBlock(t, f)
	case *syntax.With:
		return r.with(t, f, b)
	case *syntax.CallBlock:
		return r.callBlock(t, f, b)
	case *syntax.FilterBlock:
		v, err := r.captured(t.Body, f.child())
		if err == nil {
			v, err = r.applyChain(t.Filter, v, f)
		}
		return r.print(v, err, b)
	case *syntax.Block:
		return r.runBlock(t, f, b)
	case *syntax.Extends:
		return r.extends(t, f)
	case *syntax.Include:
		return r.include(t, f, b)
	case *syntax.Import:
		return r.importModule(t, f)
	case *syntax.FromImport:
		return r.fromImport(t, f)
	case *syntax.Scope:
		if _, err := r.eval(t.Expr, f); err != nil {
			return err
		}
		return r.exec(t.Body, f.child(), b)
	case *syntax.Load:
		return r.loadBlock(t, f)
	case *syntax.Profile:
		if _, err := r.eval(t.Label, f); err != nil {
			return err
		}
		return r.exec(t.Body, f, b)
	}
	return templateErrorf("unknown statement")
}

func (r *run) output(o *syntax.Output, f *frame, b *strings.Builder) error {
	for _, item := range o.Items {
		if d, ok := item.(*syntax.Data); ok {
			if err := r.write(b, d.Text); err != nil {
				return err
			}
			continue
		}
		v, err := r.eval(item, f)
		if err = r.print(v, err, b); err != nil {
			return r.place(err, f, item.Line())
		}
	}
	return nil
}

func (r *run) print(v starlark.Value, err error, b *strings.Builder) error {
	if err != nil {
		return err
	}
	s, err := pyvalue.Str(v)
	if err != nil {
		return err
	}
	return r.write(b, s)
}

func (r *run) truth(e syntax.Expr, f *frame) (bool, error) {
	v, err := r.eval(e, f)
	if err != nil {
		return false, err
	}
	return pyvalue.Truth(v)
}

func (r *run) ifElse(t *syntax.If, f *frame, b *strings.Builder) error {
	ok, err := r.truth(t.Test, f)
	if err != nil {
		return err
	}
	if ok {
		return r.exec(t.Body, f, b)
	}
	for _, e := range t.Elifs {
		ok, err := r.truth(e.Test, f)
		if err != nil {
			return r.place(err, f, e.Line())
		}
		if ok {
			return r.exec(e.Body, f, b)
		}
	}
	return r.exec(t.Else, f, b)
}

// captured runs a body and returns its text as marked text.
func (r *run) captured(body []syntax.Stmt, f *frame) (starlark.Value, error) {
	var b strings.Builder
	if err := r.exec(body, f, &b); err != nil {
		return nil, err
	}
	return starlark.String(b.String()), nil
}

func (r *run) setBlock(t *syntax.SetBlock, f *frame) error {
	v, err := r.captured(t.Body, f.child())
	if err != nil {
		return err
	}
	if t.Filter != nil {
		if v, err = r.applyChain(t.Filter, v, f); err != nil {
			return err
		}
	}
	return r.assign(f, t.Target, v)
}

func (r *run) with(t *syntax.With, f *frame, b *strings.Builder) error {
	inner := f.child()
	for i, target := range t.Targets {
		v, err := r.eval(t.Values[i], f)
		if err != nil {
			return err
		}
		if err := r.assign(inner, target, v); err != nil {
			return err
		}
	}
	return r.exec(t.Body, inner, b)
}

// loadBlock runs {% load_yaml as x %}: the body is a macro's, so what it sets stays inside.
func (r *run) loadBlock(t *syntax.Load, f *frame) error {
	inner := f.child()
	inner.block = false
	v, err := r.captured(t.Body, inner)
	if err != nil {
		return err
	}
	v, err = r.filter("load_"+t.Format, v, pyvalue.Args{})
	if err != nil {
		return err
	}
	return r.assign(f, t.Target, v)
}
