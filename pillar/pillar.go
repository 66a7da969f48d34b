// Package pillar compiles the data that a minion is given: the top file of the pillar roots chooses SLS files by target,
// they are rendered, merged, and joined by what external programs add.
//
// Rules and errors are Salt's: https://docs.saltproject.io/en/3006/topics/pillar/index.html.
package pillar

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"

	"brine/fileroots"
	"brine/internal/dictupdate"
	"brine/internal/fnmatch"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/render"
	"brine/target"
)

// Compiler compiles the pillar of one minion.
type Compiler struct {
	ID     string
	Grains *ordered.Map
	// Opts is the configuration under Salt's names: pillar_source_merging_strategy, pillar_merge_lists,
	// pillar_includes_override_sls, pillar_safe_render_error, ext_pillar, ext_pillar_first, renderer, nodegroups.
	Opts  *ordered.Map
	Roots *fileroots.Roots
	// Env holds the compilation to one environment; empty takes all.
	Env string
	// Override is data given with a call: it wins.
	Override *ordered.Map
	// Salt lets templates call execution functions; nil: they cannot.
	Salt render.Caller
	// Host runs external programs (ext_pillar); nil: there are none.
	Host  host.Runner
	Cache *render.Cache
	Log   *zap.Logger
	// Decrypt opens one PGP message for the gpg renderer; nil refuses.
	Decrypt func(ctx context.Context, message string) (string, error)
	// ByGrain is told of targets of the top file that match on grains; nil: nobody is.
	ByGrain func(target string)

	avail map[string][]string
	errs  []string
}

// Compile returns the pillar. What went wrong stands in it under "_errors", as texts; the error is for the end of ctx.
func (c *Compiler) Compile(ctx context.Context) (*ordered.Map, error) {
	c.avail, c.errs = map[string][]string{}, nil
	out := ordered.New(8)
	if pyfmt.Truth(c.Opts.Value("ext_pillar_first")) {
		out = c.external(ctx, out)
	}
	top := c.top(ctx)
	matches := c.matches(ctx, top)
	for env, list := range matches.All() {
		out = c.environment(ctx, out, ordered.KeyText(env), list)
	}
	if !pyfmt.Truth(c.Opts.Value("ext_pillar_first")) {
		out = c.external(ctx, out)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(c.errs) > 0 {
		list := make([]any, len(c.errs))
		for i, e := range c.errs {
			c.Log.Error("Pillar render error: "+e, zap.String("minion", c.ID))
			list[i] = e
		}
		out.Set("_errors", list)
	}
	if c.Override.Len() > 0 {
		out = c.merge(out, c.Override)
	}
	return out, nil
}

func (c *Compiler) fail(format string, a ...any) { c.errs = append(c.errs, fmt.Sprintf(format, a...)) }

func (c *Compiler) merge(a, b *ordered.Map) *ordered.Map {
	strategy := c.Opts.String("pillar_source_merging_strategy")
	if strategy == "" {
		strategy = "smart"
	}
	if strategy == "none" {
		strategy = "recurse"
	}
	return dictupdate.Merge(a, b, dictupdate.Options{Strategy: strategy, Renderer: c.Opts.String("renderer"), MergeLists: pyfmt.Truth(c.Opts.Value("pillar_merge_lists"))})
}

// available lists the SLS files of an environment; nil when there is no such environment.
func (c *Compiler) available(ctx context.Context, env string) []string {
	if list, ok := c.avail[env]; ok {
		return list
	}
	var list []string
	if slices.Contains(c.Roots.Envs(), env) {
		files, err := c.Roots.List(ctx, env, "")
		if err != nil {
			c.fail("Listing the pillar environment '%s' failed: %v", env, err)
		}
		list = []string{}
		for _, f := range files {
			if base, ok := strings.CutSuffix(f, ".sls"); ok {
				base = strings.TrimSuffix(base, "/init")
				list = append(list, strings.ReplaceAll(base, "/", "."))
			}
		}
	}
	c.avail[env] = list
	return list
}

// envs are the environments to compile, base first.
func (c *Compiler) envs() []string {
	if c.Env != "" {
		return []string{c.Env}
	}
	out := c.Roots.Envs()
	slices.SortStableFunc(out, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "base":
			return -1
		case b == "base":
			return 1
		}
		return strings.Compare(a, b)
	})
	return out
}

// top reads and merges the top files: all sections of base, and of each other environment its own.
func (c *Compiler) top(ctx context.Context) *ordered.Map {
	out := ordered.New(2)
	for _, env := range c.envs() {
		name := c.Roots.Path(env, "top.sls")
		if name == "" {
			continue
		}
		v, err := c.renderFile(ctx, name, "top.sls", "top", env, nil)
		if err != nil {
			c.Log.Error("render the pillar top file", zap.String("environment", env), zap.Error(err))
			c.fail("Rendering Primary Top file failed, render error:\n%v", err)
			continue
		}
		tops := []*ordered.Map{}
		if m, ok := v.(*ordered.Map); ok {
			tops = append(tops, m)
			tops = append(tops, c.topIncludes(ctx, env, m)...)
		}
		for _, top := range tops {
			for k, body := range top.All() {
				section := ordered.KeyText(k)
				if section == "include" || env != "base" && section != env || c.Env != "" && section != c.Env {
					continue
				}
				m, ok := body.(*ordered.Map)
				if !ok {
					c.fail("The top file matches for saltenv %s are not formatted as a dict", section)
					continue
				}
				have, ok := out.Value(section).(*ordered.Map)
				if !ok {
					have = ordered.New(m.Len())
					out.Set(section, have)
				}
				have.Update(m)
			}
		}
	}
	return out
}

func (c *Compiler) topIncludes(ctx context.Context, env string, top *ordered.Map) (out []*ordered.Map) {
	for _, inc := range top.List("include") {
		name := pyfmt.Str(inc)
		p, file := c.find(env, name)
		if file == "" {
			c.fail("Specified SLS '%s' in environment '%s' is not available on the salt master", name, env)
			continue
		}
		v, err := c.renderFile(ctx, file, p, name, env, nil)
		if err != nil {
			c.fail("Rendering Top file %s failed, render error:\n%v", name, err)
		} else if m, ok := v.(*ordered.Map); ok {
			out = append(out, m)
		}
	}
	return out
}

// matches finds the SLS files of this minion, by environment.
func (c *Compiler) matches(ctx context.Context, top *ordered.Map) *ordered.Map {
	out := ordered.New(top.Len())
	for env, body := range top.All() {
		m, _ := body.(*ordered.Map)
		for tgt, data := range m.All() {
			items, ok := data.([]any)
			if !ok {
				items = []any{data}
			}
			if !c.means(pyfmt.Str(tgt), items) {
				continue
			}
			for _, i := range items {
				switch t := i.(type) {
				case string:
					out.Set(env, append(out.List(env), t))
				case *ordered.Map:
					for other, sls := range t.All() {
						if c.available(ctx, ordered.KeyText(other)) != nil && other != "match" {
							out.Set(other, append(out.List(other), sls))
						}
					}
				}
			}
		}
	}
	return out
}

// means tells whether a target of the top file means this minion.
func (c *Compiler) means(tgt string, items []any) bool {
	kind := "compound"
	for _, i := range items {
		if m, ok := i.(*ordered.Map); ok && m.Has("match") {
			kind = pyfmt.Str(m.Value("match"))
		}
	}
	o := target.Options{Nodegroups: c.Opts.Map("nodegroups")}
	expr, err := target.Parse(tgt, kind, o)
	if err != nil {
		c.fail("The target '%s' of the top file is wrong: %v", tgt, err)
		return false
	}
	return expr.Match(&target.Facts{ID: c.ID, Grains: func() *ordered.Map {
		if c.ByGrain != nil {
			c.ByGrain(tgt)
		}
		return c.Grains
	}, Pillar: func() *ordered.Map { return nil }})
}

// environment adds the SLS files of one environment.
func (c *Compiler) environment(ctx context.Context, out *ordered.Map, env string, list any) *ordered.Map {
	names := c.available(ctx, env)
	if names == nil {
		c.fail("No matching pillar environment for environment '%s' found", env)
	}
	wanted, _ := list.([]any)
	mods := map[string]bool{}
	for _, w := range wanted {
		pattern := pyfmt.Str(w)
		files := filter(names, pattern)
		if len(files) == 0 {
			files = []string{pattern}
		}
		for _, f := range files {
			m := c.sls(ctx, f, env, mods, nil, 0)
			if m != nil {
				out = c.merge(out, m)
			}
		}
	}
	return out
}

func filter(names []string, pattern string) []string {
	var out []string
	for _, n := range names {
		if fnmatch.Match(pattern, n) {
			out = append(out, n)
		}
	}
	return out
}

// find returns the path of an SLS in the roots and the file; "" when there is none.
func (c *Compiler) find(env, name string) (p, file string) {
	base := strings.ReplaceAll(name, ".", "/")
	for _, p := range []string{base + ".sls", base + "/init.sls"} {
		if file := c.Roots.Path(env, p); file != "" {
			return p, file
		}
	}
	return "", ""
}

const maxIncludes = 100

// sls renders one SLS and what it includes; nil when it has no data.
func (c *Compiler) sls(ctx context.Context, name, env string, mods map[string]bool, defaults *ordered.Map, depth int) *ordered.Map {
	p, file := c.find(env, name)
	mods[name] = true
	if file == "" {
		if !slices.Contains(c.ignored(env), name) {
			c.fail("Specified SLS '%s' in environment '%s' is not available on the salt master", name, env)
		}
		return nil
	}
	if depth > maxIncludes || ctx.Err() != nil {
		c.fail("SLS '%s' is included more than %d levels deep", name, maxIncludes)
		return nil
	}
	v, err := c.renderFile(ctx, file, p, name, env, defaults)
	if err != nil {
		c.Log.Error(fmt.Sprintf("Rendering SLS '%s' failed, render error:\n%v", name, err), zap.String("minion", c.ID))
		if safe, ok := c.Opts.Get("pillar_safe_render_error"); !ok || pyfmt.Truth(safe) {
			c.fail("Rendering SLS '%s' failed. Please see master log for details.", name)
		} else {
			c.fail("Rendering SLS '%s' failed, render error:\n%v", name, err)
		}
		return nil
	}
	if !pyfmt.Truth(v) {
		return nil
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		c.fail("SLS '%s' does not render to a dictionary", name)
		return nil
	}
	inc, ok := m.Get("include")
	if !ok {
		return m
	}
	list, ok := inc.([]any)
	if !ok {
		c.fail("Include Declaration in SLS '%s' is not formed as a list", name)
		return m
	}
	m = m.Clone()
	m.Delete("include")
	return c.includes(ctx, m, list, at{name, env, p, depth}, mods)
}

func (c *Compiler) ignored(env string) []string {
	var out []string
	if m, ok := c.Opts.Value("ignored_pillars").(*ordered.Map); ok {
		for _, v := range m.List(env) {
			out = append(out, pyfmt.Str(v))
		}
	}
	return out
}

func (c *Compiler) renderFile(ctx context.Context, file, p, name, env string, vars *ordered.Map) (any, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := render.SLSVars(name, p)
	all.Update(vars)
	renv := &render.Env{
		Saltenv: env, SLS: name, Path: p, Vars: all, Opts: c.Opts, Salt: c.Salt, Loader: loader{c.Roots}, Cache: c.Cache, Decrypt: c.Decrypt,
		Grains: func() *ordered.Map { return c.Grains }, Pillar: func() *ordered.Map { return c.Override },
	}
	return render.Render(ctx, src, renv, render.Options{Default: c.Opts.String("renderer")})
}

// loader reads the files that templates import from the pillar roots.
type loader struct{ roots *fileroots.Roots }

func (l loader) Load(_ context.Context, env, name string) ([]byte, error) {
	f, err := l.roots.Open(env, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f)
}
