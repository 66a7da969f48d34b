package jinja

import (
	"strings"

	"brine/render/filters"
	"brine/render/pyvalue"
	"brine/render/syntax"
)

// root runs the top level of a template, and then that of the template it extends.
func (r *run) root(tc *context_, b *strings.Builder) error {
	tc.blocks = map[string][]block{}
	t := tc.t
	for {
		addBlocks(tc, t)
		f := &frame{tc: tc, eval: t}
		tc.parent = nil
		var discarded strings.Builder
		for i := range t.template.Body {
			out := b
			if tc.parent != nil { // what stands behind extends is run but not printed
				out = &discarded
			}
			if err := r.exec(t.template.Body[i:i+1], f, out); err != nil {
				return err
			}
		}
		if tc.parent == nil {
			return nil
		}
		if err := r.enter(); err != nil {
			return err
		}
		t = tc.parent
	}
}

func addBlocks(tc *context_, t *loaded) {
	for name, b := range t.template.Blocks {
		tc.blocks[name] = append(tc.blocks[name], block{b, t})
	}
}

func (r *run) extends(t *syntax.Extends, f *frame) error {
	if f.tc.parent != nil {
		return templateErrorf("extended multiple times")
	}
	name, err := r.eval(t.Template, f)
	if err != nil {
		return err
	}
	parent, err := r.loadNamed(name)
	if err != nil {
		return err
	}
	f.tc.parent = parent
	return nil
}

func (r *run) runBlock(t *syntax.Block, f *frame, b *strings.Builder) error {
	if f.tc.parent != nil {
		return nil
	}
	if t.Required && len(f.tc.blocks[t.Name]) == 1 {
		return templateErrorf("Required block '%s' not found", t.Name)
	}
	var around *frame
	if t.Scoped {
		around = f
	}
	return r.blockVersion(f.tc, t.Name, 0, around, b)
}

// blockVersion runs one version of a block; depth 0 is the most derived. It sees the top level, and around when given.
func (r *run) blockVersion(tc *context_, name string, depth int, around *frame, b *strings.Builder) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	version := tc.blocks[name][depth]
	if around == nil {
		around = &frame{tc: tc}
	}
	f := around.child()
	f.block, f.eval = true, version.t
	f.super = &superBlock{r, tc, name, depth + 1}
	return r.exec(version.Body, f, b)
}

// checkNames refuses a template that uses filters and tests that are not there, before it runs.
func (r *run) checkNames(t *loaded) error {
	for _, u := range t.template.Filters {
		if r.lookupFilter(u.Name) == nil {
			return r.atLine(t, u.Line, "No filter named '"+u.Name+"'.")
		}
	}
	for _, u := range t.template.Tests {
		if filters.Test(u.Name) == nil {
			return r.atLine(t, u.Line, "No test named '"+u.Name+"'.")
		}
	}
	return nil
}

func (r *run) atLine(t *loaded, line int, message string) error {
	return &located{pyvalue.Errorf("TemplateAssertionError", "%s", message), t, line}
}
