package sls

import (
	"context"
	"errors"
	"fmt"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Top reads the top files of all environments, or of the one that the compiler is held to, and merges them: that of base
// counts first, then that of each environment for itself.
func (c *Compiler) Top(ctx context.Context) (*ordered.Map, error) {
	envs := []string{c.Saltenv}
	if c.Saltenv == "" {
		var err error
		if envs, err = c.Env.Files.Envs(ctx); err != nil {
			return nil, err
		}
	}
	tops := map[string][]*ordered.Map{}
	for _, env := range envs {
		list, err := c.topsOf(ctx, env)
		if err != nil {
			return nil, err
		}
		tops[env] = list
	}
	out := ordered.New(4)
	section := func(env any, body *ordered.Map) error {
		targets, ok := body.Value(env).(*ordered.Map)
		if !ok {
			return fmt.Errorf("Unable to render top file. No targets found.")
		}
		have, ok := out.Value(env).(*ordered.Map)
		if !ok {
			have = ordered.New(targets.Len())
			out.Set(env, have)
		}
		have.Update(targets)
		return nil
	}
	if c.Saltenv == "" || c.Saltenv == "base" {
		for _, t := range tops["base"] {
			for env := range t.All() {
				if env == "include" {
					continue
				}
				if err := section(env, t); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, env := range envs {
		if env == "base" || out.Has(env) && c.Saltenv == "" {
			continue
		}
		for _, t := range tops[env] {
			if t.Has(env) {
				if err := section(env, t); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// topsOf renders the top file of an environment and what it includes.
func (c *Compiler) topsOf(ctx context.Context, env string) ([]*ordered.Map, error) {
	path := "top.sls"
	if p := c.Env.Opts.String("state_top"); p != "" {
		path = trimSalt(p)
	}
	local, err := c.Env.Files.Cache(ctx, env, path)
	if err != nil || local == "" {
		return nil, err
	}
	v, err := c.RenderFile(ctx, local, path, "", env, nil)
	if err != nil {
		return nil, err
	}
	top, ok := v.(*ordered.Map)
	if !ok {
		return nil, fmt.Errorf("the top file of %s is a %s and no dictionary", env, pyfmt.Type(v))
	}
	out := []*ordered.Map{top}
	seen := map[string]bool{}
	for i := 0; i < len(out); i++ {
		for _, inc := range out[i].List("include") {
			name := pyfmt.Str(inc)
			if seen[name] {
				continue
			}
			seen[name] = true
			path, local, err := c.fetch(ctx, name, env)
			if err != nil || local == "" {
				return nil, fmt.Errorf("the top file of %s includes %s, which is not there: %w", env, name, err)
			}
			v, err := c.RenderFile(ctx, local, path, name, env, nil)
			if err != nil {
				return nil, err
			}
			if m, ok := v.(*ordered.Map); ok {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

func trimSalt(p string) string {
	const scheme = "salt://"
	if len(p) > len(scheme) && p[:len(scheme)] == scheme {
		return p[len(scheme):]
	}
	return p
}

// VerifyTop checks the shape of a merged top file.
func VerifyTop(top *ordered.Map) []string {
	var errs []string
	for env, v := range top.All() {
		if env == "include" {
			continue
		}
		name, isText := env.(string)
		if !isText {
			errs = append(errs, errorf("Environment %s in top file is not formed as a string", pyfmt.Str(env)))
		} else if name == "" {
			errs = append(errs, "Empty saltenv statement in top file")
		}
		matches, ok := v.(*ordered.Map)
		if !ok {
			errs = append(errs, errorf("The top file matches for saltenv %s are not formatted as a dict", pyfmt.Str(env)))
			continue
		}
		for _, m := range matches.All() {
			mods, ok := m.([]any)
			if !ok {
				errs = append(errs, "Malformed topfile (state declarations not formed as a list)")
				continue
			}
			for _, mod := range mods {
				switch t := mod.(type) {
				case *ordered.Map:
					for _, val := range t.All() {
						if !pyfmt.Truth(val) {
							errs = append(errs, errorf("Improperly formatted top file matcher in saltenv %s: %s file", pyfmt.Str(t), pyfmt.Str(val)))
						}
					}
				case string:
					if t == "" {
						errs = append(errs, errorf("Environment %s contains an empty sls index", t))
					}
				}
			}
		}
	}
	return errs
}

// TopMatches finds the SLS files that a top file gives to this minion, by environment.
func (c *Compiler) TopMatches(ctx context.Context, top *ordered.Map) (*ordered.Map, error) {
	out := ordered.New(top.Len())
	for env, v := range top.All() {
		name := ordered.KeyText(env)
		if c.Saltenv != "" && name != c.Saltenv {
			continue
		}
		body, _ := v.(*ordered.Map)
		for tgt, data := range body.All() {
			if err := c.match(ctx, out, name, pyfmt.Str(tgt), data); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (c *Compiler) match(ctx context.Context, out *ordered.Map, env, tgt string, data any) error {
	items := entries(data)
	kind := "compound"
	for _, i := range items {
		if m, ok := i.(*ordered.Map); ok && m.Has("match") {
			kind = pyfmt.Str(m.Value("match"))
		}
	}
	hit, err := c.matches(ctx, tgt, kind)
	if err != nil || !hit {
		return err
	}
	if !out.Has(env) {
		out.Set(env, []any{})
	}
	for _, i := range items {
		switch t := i.(type) {
		case string:
			out.Set(env, append(out.List(env), t))
		case *ordered.Map:
			if sub, ok := t.Value("subfilter").(*ordered.Map); ok {
				for inner, more := range sub.All() {
					if err := c.match(ctx, out, env, pyfmt.Str(inner), more); err != nil {
						return err
					}
				}
				continue
			}
			other, sls := first(t)
			if _, known, err := c.available(ctx, other); err != nil || !known {
				if err != nil {
					return err
				}
				continue // match: glob and other options
			}
			out.Set(other, append(out.List(other), sls))
		}
	}
	return nil
}

// matches asks the match functions, so that a target in a top file means what it means everywhere.
func (c *Compiler) matches(ctx context.Context, tgt, kind string) (bool, error) {
	if kind == "nodegroup" {
		tgt, kind = "N@"+tgt, "compound"
	}
	v, err := c.Env.Call(ctx, "match."+kind, modules.Pos(tgt))
	if errors.Is(err, modules.ErrNotAvailable) {
		c.Env.Log.Sugar().Errorf("the top file matches by %q, which is not there", kind)
		return false, nil
	}
	return pyfmt.Truth(v), err
}
