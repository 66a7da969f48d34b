package sys

import (
	"context"
	"slices"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

type nameArgs struct {
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

type familyArgs struct {
	Args []any `arg:"*args"`
}

type moduleArgs struct {
	Module string `arg:"module" def:"''"`
}

func family(name string) string {
	f, _, _ := strings.Cut(name, ".")
	return f
}

// sorted makes the list of an answer: in order and without repeats.
func sorted(names []string) []any {
	slices.Sort(names)
	out := []any{}
	for _, n := range slices.Compact(names) {
		out = append(out, n)
	}
	return out
}

// names lists functions: a word with a star or dot is a glob for whole names, any other a family.
func (d Deps) names(src source) func(context.Context, *modules.Env, nameArgs) (any, error) {
	return func(_ context.Context, env *modules.Env, in nameArgs) (any, error) {
		var out []string
		for _, e := range src(env) {
			if len(in.Args) == 0 {
				out = append(out, e.Name)
			}
			for _, a := range in.Args {
				word := pyfmt.Str(a)
				glob := strings.ContainsAny(word, "*.")
				if glob && fnmatch.Match(word, e.Name) || !glob && strings.HasPrefix(e.Name, word+".") {
					out = append(out, e.Name)
				}
			}
		}
		return sorted(out), nil
	}
}

// families lists families: a word with a star is a glob for whole names of functions, any other a family.
func (d Deps) families(src source) func(context.Context, *modules.Env, familyArgs) (any, error) {
	return func(_ context.Context, env *modules.Env, in familyArgs) (any, error) {
		var out []string
		for _, e := range src(env) {
			if len(in.Args) == 0 {
				out = append(out, family(e.Name))
			}
			for _, a := range in.Args {
				word := pyfmt.Str(a)
				glob := strings.Contains(word, "*")
				if glob && fnmatch.Match(word, e.Name) || !glob && family(e.Name) == word {
					out = append(out, family(e.Name))
				}
			}
		}
		return sorted(out), nil
	}
}

func (d Deps) listRenderers(_ context.Context, env *modules.Env, in familyArgs) (any, error) {
	var out []string
	for _, e := range d.renderers(env) {
		if len(in.Args) == 0 {
			out = append(out, e.Name)
		}
		for _, a := range in.Args {
			if fnmatch.Match(pyfmt.Str(a), e.Name) {
				out = append(out, e.Name)
			}
		}
	}
	return sorted(out), nil
}

// selects tells whether word, as sys.doc and sys.argspec take it, means a function: "sys" and "sys." its family, a
// glob whole names, "" everything.
func selects(word, name string) bool {
	if strings.Contains(word, "*") {
		return fnmatch.Match(word, name)
	}
	prefix := word
	if word != "" && !strings.HasSuffix(word, ".") {
		prefix += "."
	}
	return name == word || strings.HasPrefix(name, prefix)
}

func anyModule(*modules.Env, string) (string, bool) { return "", false }

// docs answers {name: text}; with describe the text of the family is added under its name.
func (d Deps) docs(src source, describe func(*modules.Env, string) (string, bool)) func(context.Context, *modules.Env, familyArgs) (any, error) {
	return func(_ context.Context, env *modules.Env, in familyArgs) (any, error) {
		words := in.Args
		if len(words) == 0 {
			words = []any{""}
		}
		out := ordered.New(0)
		all := src(env)
		for _, w := range words {
			for _, e := range all {
				if !selects(pyfmt.Str(w), e.Name) {
					continue
				}
				if text, ok := describe(env, e.Name); ok && !out.Has(family(e.Name)) {
					out.Set(family(e.Name), text)
				}
				out.Set(e.Name, e.Doc)
			}
		}
		return out, nil
	}
}

func (d Deps) familyDoc(env *modules.Env, name string) (string, bool) {
	s, _, err := d.States().Lookup(env, name)
	if err != nil {
		return "", false
	}
	return s.Doc, true
}

func (d Deps) rendererDocs(_ context.Context, env *modules.Env, in familyArgs) (any, error) {
	out := ordered.New(0)
	for _, e := range d.renderers(env) {
		show := len(in.Args) == 0
		for _, a := range in.Args {
			word := pyfmt.Str(a)
			show = show || word == e.Name || strings.Contains(word, "*") && fnmatch.Match(word, e.Name)
		}
		if show {
			out.Set(e.Name, e.Doc)
		}
	}
	return out, nil
}

// report answers {name: {args, defaults, varargs, kwargs}}.
func (d Deps) report(src source) func(context.Context, *modules.Env, moduleArgs) (any, error) {
	return func(_ context.Context, env *modules.Env, in moduleArgs) (any, error) {
		out := ordered.New(0)
		for _, e := range src(env) {
			if selects(in.Module, e.Name) {
				out.Set(e.Name, signature(e.Spec))
			}
		}
		return out, nil
	}
}

func signature(s *modules.Spec) *ordered.Map {
	var args, defaults []any
	if s == nil {
		s = &modules.Spec{}
	}
	for _, p := range s.Params {
		args = append(args, p.Name)
		if !p.Required {
			defaults = append(defaults, ordered.Copy(p.Default))
		}
	}
	ret := ordered.Pairs("args", nil, "defaults", nil, "varargs", nil, "kwargs", nil)
	if args != nil {
		ret.Set("args", args)
	}
	if defaults != nil {
		ret.Set("defaults", defaults)
	}
	if s.VarArgs != "" {
		ret.Set("varargs", true)
	}
	if s.KwArg != "" {
		ret.Set("kwargs", true)
	}
	return ret
}

func (d Deps) stateSchema(_ context.Context, env *modules.Env, in moduleArgs) (any, error) {
	out := []any{}
	for _, e := range d.states(env) {
		if selects(in.Module, e.Name) {
			out = append(out, schema(e))
		}
	}
	return out, nil
}

// schema describes the parameters of a function as an object in which each may be a scalar of any kind.
func schema(e Entry) *ordered.Map {
	props := ordered.New(len(e.Spec.Params))
	order := []any{}
	for _, p := range e.Spec.Params {
		var kinds []any
		for _, kind := range []string{"boolean", "integer", "number", "string"} {
			item := ordered.Pairs("type", kind, "title", p.Name, "description", p.Name)
			if !p.Required && p.Default != nil {
				item.Set("default", ordered.Copy(p.Default))
			}
			kinds = append(kinds, item)
		}
		props.Set(p.Name, ordered.Pairs("oneOf", kinds))
		order = append(order, p.Name)
	}
	return ordered.Pairs("$schema", "http://json-schema.org/draft-04/schema#", "title", e.Name, "description", e.Name, "type", "object",
		"properties", props, "x-ordering", order, "additionalProperties", false)
}
