// Package rendering renders templates with what a job may see: its grains, pillar, options, files and functions. Execution
// functions, states and the compiler of SLS files use it, so that a template means the same everywhere.
package rendering

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/render"
)

// Options of one render.
type Options struct {
	// Saltenv is the environment of the template; empty is that of the job.
	Saltenv string
	// SLS is the name of an SLS; empty for other files.
	SLS string
	// Path is where the template stands in its environment; empty for text from elsewhere.
	Path string
	// Vars are further variables.
	Vars *ordered.Map
	// Pillar goes in the place of the job's pillar.
	Pillar *ordered.Map
}

// Env is the environment in which templates of a job are rendered.
func Env(ctx context.Context, env *modules.Env, o Options) *render.Env {
	if o.Saltenv == "" {
		o.Saltenv = env.Saltenv
	}
	return &render.Env{
		Saltenv: o.Saltenv, SLS: o.SLS, Path: o.Path, Vars: o.Vars, Opts: env.Opts,
		Grains: func() *ordered.Map { return env.Grains.Items(ctx) },
		Pillar: func() *ordered.Map { return pillar(ctx, env, o.Pillar) },
		Salt:   caller{env}, Loader: loader{env.Files}, Cache: cache(env),
	}
}

func pillar(ctx context.Context, env *modules.Env, given *ordered.Map) *ordered.Map {
	if given != nil || env.Pillar == nil {
		return given
	}
	m, err := env.Pillar.Items(ctx)
	if err != nil {
		env.Log.Error("the pillar is not there for a template", zap.Error(err))
	}
	return m
}

// cache keeps parsed templates as long as the job lives.
func cache(env *modules.Env) *render.Cache {
	const key = "rendering.cache"
	if c, ok := env.Context.Get(key); ok {
		return c.(*render.Cache)
	}
	c := render.NewCache()
	env.Context.Set(key, c)
	return c
}

// caller lets templates call execution functions.
type caller struct{ env *modules.Env }

func (c caller) Call(ctx context.Context, fun string, pos []any, kw *ordered.Map) (any, error) {
	return c.env.Call(ctx, fun, modules.Args{Pos: pos, Kw: kw})
}

func (c caller) Has(fun string) bool { return c.env.Mods.Has(c.env, fun) }

// loader lets templates import files of the environment.
type loader struct{ files modules.Files }

func (l loader) Load(ctx context.Context, saltenv, path string) ([]byte, error) {
	if l.files == nil {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	local, err := l.files.Cache(ctx, saltenv, path)
	if err != nil {
		return nil, err
	}
	if local == "" {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return os.ReadFile(local)
}

// Known tells whether there is a template engine of a name.
func Known(engine string) bool { return engine == "jinja" }

// Text renders a text with an engine and returns the text that it makes.
func Text(ctx context.Context, env *modules.Env, engine, text string, o Options) (string, error) {
	if !Known(engine) {
		return "", fmt.Errorf("Specified template format %s is not supported", engine)
	}
	if strings.TrimSpace(text) == "" {
		return text, nil
	}
	if strings.HasPrefix(text, "#!") {
		text = "{##}" + text // the first line of a file is no list of renderers, whatever it looks like
	}
	out, err := render.Render(ctx, []byte(text), Env(ctx, env, o), render.Options{Default: engine})
	if err != nil {
		return "", err
	}
	return pyfmt.Str(out), nil
}
