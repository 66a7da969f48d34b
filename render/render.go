// Package render turns the text of an SLS, or of any templated file, into data: a pipeline of renderers that the first
// line of the text names (#!jinja|yaml), as in Salt.
package render

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/render/jinja"
)

// Caller runs execution functions for templates.
type Caller = jinja.Caller

// Loader finds files of an environment. Load wraps fs.ErrNotExist for a file that is not there.
type Loader interface {
	Load(ctx context.Context, saltenv, path string) ([]byte, error)
}

// Renderer is one stage of a pipeline. It gets the output of the stage before, text at first, and the rest of its part of
// the shebang line.
type Renderer func(ctx context.Context, in any, env *Env, args string) (any, error)

// Env is what a render may see. It is not changed by a render, and nothing that a template does to the data it sees
// reaches another render.
type Env struct {
	// Saltenv and SLS name what is rendered; SLS is empty for files that are no SLS.
	Saltenv, SLS string
	// Path is where the template stands in its environment, such as app/init.sls; empty for text from elsewhere.
	Path string
	// Vars are further variables; they win over the ones that are set here.
	Vars *ordered.Map
	// Grains and Pillar are called at most once a render, when a template first asks for them; nil is an empty map.
	Grains, Pillar func() *ordered.Map
	Opts           *ordered.Map
	Salt           Caller // nil: templates have no salt object
	Loader         Loader // nil: templates cannot import
	Cache          *Cache // nil: templates are parsed each time
	Limits         Limits
	// Renderers are the ones beside the built-in ones, such as those synced from _renderers.
	Renderers map[string]Renderer
	// Decrypt opens one PGP message for the gpg renderer; nil refuses.
	Decrypt func(ctx context.Context, message string) (string, error)
}

// Cache keeps parsed templates; see jinja.Cache.
type Cache = jinja.Cache

// Limits bound a render; see jinja.Limits.
type Limits = jinja.Limits

// NewCache makes an empty cache of templates, safe for concurrent use.
func NewCache() *Cache { return jinja.NewCache() }

// DefaultPipeline is how an SLS is rendered when its first line does not say.
const DefaultPipeline = "jinja|yaml"

// Options of one render.
type Options struct {
	// Default is the pipeline for text whose first line names none; empty is jinja|yaml.
	Default string
}

// Render runs the pipeline that the text, or the default, asks for. The answer is job data: what the last stage makes,
// which is text when that is jinja. Blank text is an empty map, as an SLS that renders to nothing is.
func Render(ctx context.Context, src []byte, env *Env, o Options) (any, error) {
	if len(bytes.TrimSpace(src)) == 0 {
		return ordered.New(0), nil
	}
	pipeline, err := pipelineOf(src, env, o.Default)
	if err != nil {
		return nil, err
	}
	var out any = string(src)
	for _, s := range pipeline {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if out, err = s.run(ctx, out, env, s.args); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type stage struct {
	run  Renderer
	args string
}

// pipelineOf reads the shebang line. A path (#!/bin/sh) is none.
func pipelineOf(src []byte, env *Env, def string) ([]stage, error) {
	spec := def
	if spec == "" {
		spec = DefaultPipeline
	}
	first, _, _ := strings.Cut(string(src[:min(len(src), 1024)]), "\n")
	if named, ok := strings.CutPrefix(first, "#!"); ok && !strings.HasPrefix(named, "/") {
		spec = strings.TrimSpace(named)
	}
	if old := strings.SplitN(spec, "_", 2); len(old) == 2 && !strings.ContainsAny(spec, "| ") && env.Renderers[spec] == nil {
		spec = old[1] + "|" + old[0] // yaml_jinja is the old way to write jinja|yaml
	}
	var out []stage
	for _, part := range strings.Split(spec, "|") {
		name, args, _ := strings.Cut(strings.TrimSpace(part), " ")
		r, err := renderer(name, env)
		if err != nil {
			return nil, err
		}
		out = append(out, stage{r, strings.TrimSpace(args)})
	}
	return out, nil
}

// renderer finds a stage by name; synced ones win.
func renderer(name string, env *Env) (Renderer, error) {
	if r := env.Renderers[name]; r != nil {
		return r, nil
	}
	switch name {
	case "jinja":
		return renderJinja, nil
	case "yaml":
		return renderYAML, nil
	case "json":
		return renderJSON, nil
	case "gpg":
		return renderGPG, nil
	case "text":
		return func(_ context.Context, in any, _ *Env, _ string) (any, error) { return in, nil }, nil
	case "py", "pyobjects", "pydsl":
		return nil, fmt.Errorf("the renderer '%s' runs Python and is not available: write the file in jinja|yaml, or as a Starlark renderer in _renderers", name)
	}
	return nil, fmt.Errorf("the renderer '%s' is not available", name)
}
