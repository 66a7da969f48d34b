package pillar

import (
	"context"
	"path"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// at is where an include stands.
type at struct {
	name, env, path string
	depth           int
}

// includes merges what is included under the file's own data, or with pillar_includes_override_sls over it.
func (c *Compiler) includes(ctx context.Context, own *ordered.Map, list []any, from at, mods map[string]bool) *ordered.Map {
	over := pyfmt.Truth(c.Opts.Value("pillar_includes_override_sls"))
	under := []*ordered.Map{}
	for _, inc := range list {
		name, key, defaults := pyfmt.Str(inc), "", (*ordered.Map)(nil)
		if m, ok := inc.(*ordered.Map); ok {
			for k, v := range m.All() {
				name = ordered.KeyText(k)
				if o, ok := v.(*ordered.Map); ok {
					defaults, key = o.Map("defaults"), o.String("key")
				}
			}
		}
		name = absolute(strings.ReplaceAll(name, "/", "."), from)
		targets := filter(c.available(ctx, from.env), name)
		if len(targets) == 0 {
			targets = []string{name}
		}
		for _, t := range targets {
			if mods[t] {
				continue
			}
			m := c.sls(ctx, t, from.env, mods, defaults, from.depth+1)
			if m == nil {
				continue
			}
			if key != "" {
				parts := strings.Split(key, ":")
				slices.Reverse(parts)
				for _, part := range parts {
					m = ordered.Pairs(part, m)
				}
			}
			if over {
				own = c.merge(own, m)
			} else {
				under = append(under, m)
			}
		}
	}
	out := own
	if len(under) > 0 {
		out = under[0]
		for _, m := range under[1:] {
			out = c.merge(out, m)
		}
		out = c.merge(out, own)
	}
	return out
}

// absolute resolves a relative include.
func absolute(name string, from at) string {
	if !strings.HasPrefix(name, ".") {
		return name
	}
	parts := strings.Split(from.name, ".")
	if path.Base(from.path) != "init.sls" {
		parts = parts[:len(parts)-1]
	}
	name = name[1:]
	for strings.HasPrefix(name, ".") && len(parts) > 0 {
		name, parts = name[1:], parts[:len(parts)-1]
	}
	return strings.Join(append(slices.Clone(parts), name), ".")
}
