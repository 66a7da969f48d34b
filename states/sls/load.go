package sls

import (
	"context"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules/rendering"
	"brine/render"
)

// maxIncludes bounds how deep SLS files include one another.
const maxIncludes = 200

// RenderHighstate loads the SLS files that matches names by environment and merges them into high data.
func (c *Compiler) RenderHighstate(ctx context.Context, matches *ordered.Map) (*ordered.Map, []string, error) {
	high := ordered.New(0)
	var all []string
	l := &loading{Compiler: c, mods: map[string]bool{}, matches: matches}
	for env, list := range matches.All() {
		saltenv := ordered.KeyText(env)
		names, known, err := c.available(ctx, saltenv)
		if err != nil {
			return nil, nil, err
		}
		if !known {
			all = append(all, errorf("No matching salt environment for environment '%s' found", saltenv))
		}
		wanted, _ := list.([]any)
		for _, w := range wanted {
			match := pyfmt.Str(w)
			files := filter(names, match)
			if len(files) == 0 {
				files = []string{match}
			}
			for _, name := range files {
				if l.mods[saltenv+":"+name] {
					continue
				}
				state, errs, err := l.render(ctx, name, saltenv, 0)
				if err != nil {
					return nil, nil, err
				}
				if state.Len() > 0 {
					errs = append(errs, mergeIncluded(high, state)...)
				}
				for i, e := range errs {
					if strings.Contains(e, "is not available") && strings.Contains(e, "SLS "+match+" in saltenv") {
						errs[i] = errorf("No matching sls found for '%s' in env '%s'", match, saltenv)
					}
				}
				all = append(all, errs...)
			}
		}
	}
	cleanExtends(high)
	return high, all, nil
}

// loading is one walk through a tree.
type loading struct {
	*Compiler
	mods    map[string]bool // what is loaded, as env:sls
	matches *ordered.Map
}

// render loads one SLS and what it includes. Texts of errors are for the user; err ends everything.
func (l *loading) render(ctx context.Context, name, saltenv string, depth int) (*ordered.Map, []string, error) {
	if depth > maxIncludes {
		return ordered.New(0), []string{errorf("SLS '%s:%s' is included more than %d levels deep", saltenv, name, maxIncludes)}, nil
	}
	path, local, err := l.fetch(ctx, name, saltenv)
	if err != nil {
		return nil, nil, err
	}
	if local == "" {
		return ordered.New(0), []string{errorf("Specified SLS %s in saltenv %s is not available on the salt master or through a configured fileserver", name, saltenv)}, nil
	}
	data, err := l.RenderFile(ctx, local, path, name, saltenv, nil)
	l.mods[saltenv+":"+name] = true
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, err
		}
		msg := errorf("Rendering SLS '%s:%s' failed: %v", saltenv, name, err)
		l.Env.Log.Error(msg)
		return ordered.New(0), []string{msg}, nil
	}
	state, ok := data.(*ordered.Map)
	if !ok {
		if !pyfmt.Truth(data) {
			return ordered.New(0), nil, nil
		}
		return ordered.New(0), []string{errorf("SLS %s does not render to a dictionary", name)}, nil
	}
	state, _ = ordered.Copy(state).(*ordered.Map)
	var errs []string
	includes, errs := takeIncludes(state, name)
	errs = append(errs, takeExtend(state, name, saltenv)...)
	errs = append(errs, takeExclude(state, name)...)
	errs = append(errs, declarations(state, name, saltenv)...)
	for _, inc := range includes {
		more, err := l.include(ctx, state, inc, place{name, saltenv, path, depth})
		if err != nil {
			return nil, nil, err
		}
		errs = append(errs, more...)
	}
	l.number(state)
	return state, errs, nil
}

// fetch finds the file of an SLS: a/b.sls, else a/b/init.sls. local is "" when there is none.
func (c *Compiler) fetch(ctx context.Context, name, saltenv string) (path, local string, err error) {
	base := strings.ReplaceAll(name, ".", "/")
	for _, p := range []string{base + ".sls", base + "/init.sls"} {
		if local, err = c.Env.Files.Cache(ctx, saltenv, p); err != nil || local != "" {
			return p, local, err
		}
	}
	return "", "", nil
}

// RenderFile renders a file that is here as an SLS.
func (c *Compiler) RenderFile(ctx context.Context, local, path, name, saltenv string, vars *ordered.Map) (any, error) {
	src, err := os.ReadFile(local)
	if err != nil {
		return nil, err
	}
	return c.RenderText(ctx, src, path, name, saltenv, vars)
}

// RenderText renders the text of an SLS.
func (c *Compiler) RenderText(ctx context.Context, src []byte, path, name, saltenv string, vars *ordered.Map) (any, error) {
	all := render.SLSVars(name, path)
	all.Update(vars)
	renv := rendering.Env(ctx, c.Env, rendering.Options{Saltenv: saltenv, SLS: name, Path: path, Vars: all})
	return render.Render(ctx, src, renv, render.Options{Default: c.Env.Opts.String("renderer")})
}

// place is where an include stands.
type place struct {
	sls, saltenv, path string
	depth              int
}

func takeIncludes(state *ordered.Map, name string) ([]any, []string) {
	v, ok := state.Get("include")
	if !ok {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, []string{errorf("Include Declaration in SLS %s is not formed as a list", name)}
	}
	state.Delete("include")
	return list, nil
}

var relative = regexp.MustCompile(`^(\.+)(.*)$`)

// include loads what one entry of an include names and merges it into state.
func (l *loading) include(ctx context.Context, state *ordered.Map, inc any, at place) ([]string, error) {
	const anyEnv = "_xenv"
	env := at.saltenv
	var name string
	if m, ok := inc.(*ordered.Map); ok {
		k, v := first(m)
		env, name = k, pyfmt.Str(v)
	} else {
		name = pyfmt.Str(inc)
	}
	if env != anyEnv {
		if _, known, err := l.available(ctx, env); err != nil || !known {
			return []string{errorf("Nonexistent saltenv '%s' found in include of '%s' within SLS '%s:%s'", env, name, at.saltenv, at.sls)}, err
		}
	}
	if m := relative.FindStringSubmatch(name); m != nil {
		parts := strings.Split(at.sls, ".")
		if strings.HasSuffix(at.path, "/init.sls") {
			parts = append(parts, "init")
		}
		if len(m[1]) > len(parts) {
			return []string{errorf("Attempted relative include of '%s' within SLS '%s:%s' goes beyond top level package ", name, at.saltenv, at.sls)}, nil
		}
		name = strings.Join(append(slices.Clone(parts[:len(parts)-len(m[1])]), m[2]), ".")
	}
	envs, err := l.resolve(ctx, name, env, anyEnv)
	if err != nil {
		return nil, err
	}
	if len(envs) != 1 && !slices.Contains(envs, at.saltenv) {
		return []string{ambiguous(envs, env, name, anyEnv, l.matches)}, nil
	}
	names, _, err := l.available(ctx, at.saltenv)
	if err != nil {
		return nil, err
	}
	targets := filter(names, name)
	if len(targets) == 0 {
		targets = []string{name}
	}
	sort.Strings(targets)
	var errs []string
	for _, target := range targets {
		from := at.saltenv
		if len(envs) == 1 {
			from = envs[0]
		}
		if l.mods[from+":"+target] {
			continue
		}
		l.mods[from+":"+target] = true
		inner, more, err := l.render(ctx, target, from, at.depth+1)
		if err != nil {
			return nil, err
		}
		errs = append(errs, mergeIncluded(state, inner)...)
		errs = append(errs, more...)
	}
	return errs, nil
}

// resolve finds the environments that an include can mean.
func (l *loading) resolve(ctx context.Context, name, env, anyEnv string) ([]string, error) {
	if env != anyEnv {
		names, _, err := l.available(ctx, env)
		if l.matches.Has(env) || len(filter(names, name)) > 0 {
			return []string{env}, err
		}
		return nil, err
	}
	var out []string
	for k := range l.matches.All() {
		names, _, err := l.available(ctx, ordered.KeyText(k))
		if err != nil {
			return nil, err
		}
		if len(filter(names, name)) > 0 {
			out = append(out, ordered.KeyText(k))
		}
	}
	return out, nil
}

func ambiguous(envs []string, env, name, anyEnv string, matches *ordered.Map) string {
	if len(envs) > 1 {
		return errorf("Ambiguous include: Specified SLS %s: %s is available on the salt master in multiple available saltenvs: %s", env, name, strings.Join(envs, ", "))
	}
	where := env
	if env == anyEnv {
		var keys []string
		for k := range matches.All() {
			keys = append(keys, ordered.KeyText(k))
		}
		where = strings.Join(keys, ", ")
	}
	return errorf("Unknown include: Specified SLS %s: %s is not available on the salt master in saltenv(s): %s ", env, name, where)
}

// mergeIncluded puts the states of an included file beside those that are there: an id must be unique.
func mergeIncluded(high, state *ordered.Map) []string {
	var errs []string
	for _, key := range []string{"__extend__", "__exclude__"} {
		if v, ok := state.Get(key); ok {
			more, _ := v.([]any)
			high.Set(key, append(high.List(key), more...))
			state.Delete(key)
		}
	}
	for id, v := range state.All() {
		if old, ok := high.Get(id); ok && !ordered.Equal(old, v) {
			a, _ := old.(*ordered.Map)
			b, _ := v.(*ordered.Map)
			errs = append(errs, errorf("Detected conflicting IDs, SLS IDs need to be globally unique.\n    The conflicting ID is '%s' and is found in SLS '%s:%s' and SLS '%s:%s'",
				ordered.KeyText(id), text(a, "__env__"), text(a, "__sls__"), text(b, "__env__"), text(b, "__sls__")))
		}
		high.Set(id, v)
	}
	return errs
}

// cleanExtends drops extensions that stand twice: a file that two others include brings its own along twice.
func cleanExtends(high *ordered.Map) {
	if !high.Has("__extend__") {
		return
	}
	var out []any
	for _, e := range high.List("__extend__") {
		m, _ := e.(*ordered.Map)
		for k, v := range m.All() {
			one := ordered.New(1)
			one.Set(k, v)
			if !slices.ContainsFunc(out, func(o any) bool { return ordered.Equal(o, one) }) {
				out = append(out, one)
			}
		}
	}
	high.Set("__extend__", out)
}

// number gives each state that has none its order: that of the files.
func (c *Compiler) number(state *ordered.Map) {
	if v, ok := c.Env.Opts.Get("state_auto_order"); ok && !pyfmt.Truth(v) {
		return
	}
	for id, body := range state.All() {
		m, ok := body.(*ordered.Map)
		if !ok {
			if _, short := body.([]any); !short && !hidden(id) {
				c.Env.Log.Debug("no state", zap.Any("id", id))
			}
			continue
		}
		for k, v := range m.All() {
			args, ok := v.([]any)
			if !ok || strings.HasPrefix(ordered.KeyText(k), "_") {
				continue
			}
			found := false
			for _, a := range args {
				if one, ok := a.(*ordered.Map); ok && one.Len() > 0 {
					name, _ := first(one)
					found = found || name == "order"
				}
			}
			if !found {
				m.Set(k, append(args, ordered.Pairs("order", c.order)))
				c.order++
			}
		}
	}
}
