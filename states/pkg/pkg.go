// Package pkg holds the pkg states: packages that are installed, at a version, held, or not there.
package pkg

import (
	"context"
	"slices"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	funcs := []states.Func{
		states.Fn("held", heldDoc, checkHeld, applyHeld),
		states.Fn("installed", installedDoc, checkInstalled, applyInstalled),
		states.Fn("latest", latestDoc, checkLatest, applyLatest),
		states.Fn("purged", purgedDoc, checkGone("purge"), applyGone("purge")),
		states.Fn("removed", removedDoc, checkGone("remove"), applyGone("remove")),
		states.Fn("unheld", unheldDoc, checkUnheld, applyUnheld),
		states.Fn("uptodate", uptodateDoc, checkUptodate, applyUptodate),
	}
	return states.State{
		Name: "pkg", Doc: "States of packages.", Funcs: funcs, Aggregate: aggregate,
		Virtual: func(env *modules.Env) error {
			_, err := env.Mods.Lookup(env, "pkg.install")
			return err
		},
		Watch: func(ctx context.Context, env *states.Env, fun string, a modules.Args) (*states.Result, error) {
			i := slices.IndexFunc(funcs, func(f states.Func) bool { return f.Name == fun })
			if i < 0 || !slices.Contains(aggregated(), fun) {
				return states.Failed("pkg.%s does not work with the watch requisite", fun), nil
			}
			return funcs[i].Run(ctx, env, a)
		},
	}
}

// aggregated are the functions that act on many packages at once as well as on one.
func aggregated() []string { return []string{"installed", "latest", "removed", "purged"} }

// aggregate folds the packages of later chunks of the same function into this one.
func aggregate(low *ordered.Map, chunks []*ordered.Map, running *ordered.Map) *ordered.Map {
	if !slices.Contains(aggregated(), low.String("fun")) {
		return low
	}
	kind, all := "", []any{}
	for _, c := range chunks {
		tag := c.String("state") + "_|-" + c.String("__id__") + "_|-" + pyfmt.Str(c.Value("name")) + "_|-" + c.String("fun")
		if running.Has(tag) || c.String("state") != "pkg" || c.Has("__agg__") || c.String("fun") != low.String("fun") ||
			!ordered.Equal(c.Value("fromrepo"), low.Value("fromrepo")) || c.Has("hold") {
			continue
		}
		of := "pkgs"
		if c.Has("sources") {
			of = "sources"
		}
		if kind == "" {
			kind = of
		}
		if of != kind {
			continue
		}
		switch {
		case c.Has(of):
			all = append(all, c.List(of)...)
		case c.Value("version") != nil:
			all = append(all, ordered.Pairs(c.Value("name"), c.Value("version")))
			c.Delete("version")
		default:
			all = append(all, c.Value("name"))
		}
		c.Set("__agg__", true)
	}
	if len(all) > 0 {
		if low.Has(kind) {
			all = append(slices.Clone(low.List(kind)), all...)
		}
		low.Set(kind, unique(all))
	}
	return low
}

// unique drops what stands twice: the chunk's own packages are among those of all chunks.
func unique(list []any) []any {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(v any) bool {
		key := pyfmt.Repr(v)
		was := seen[key]
		seen[key] = true
		return was
	})
}

// wants reads pkgs: names, or maps of names and versions; nil is any version.
func wants(ctx context.Context, env *states.Env, pkgs []any, normalize bool) (*ordered.Map, error) {
	out := ordered.New(len(pkgs))
	put := func(name, version any) error {
		if normalize {
			n, err := env.Call(ctx, "pkg.normalize_name", modules.Pos(name))
			if err != nil {
				return err
			}
			name = n
		}
		if version != nil {
			version = pyfmt.Str(version)
		}
		out.Set(pyfmt.Str(name), version)
		return nil
	}
	for _, p := range pkgs {
		m, ok := p.(*ordered.Map)
		if !ok {
			if err := put(p, nil); err != nil {
				return nil, err
			}
			continue
		}
		for k, v := range m.All() {
			if err := put(k, v); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// asList is pkgs as given, or the name with its version.
func asList(name string, version, pkgs any) []any {
	if list, ok := pkgs.([]any); ok {
		return list
	}
	if pkgs != nil && pyfmt.Truth(pkgs) {
		return []any{pkgs}
	}
	if version != nil && pyfmt.Truth(version) {
		return []any{ordered.Pairs(name, version)}
	}
	return []any{name}
}

func installedNow(ctx context.Context, env *states.Env, removed bool) (*ordered.Map, error) {
	return states.Dict(env.Call(ctx, "pkg.list_pkgs", modules.Args{}.With("removed", removed)))
}

// spec splits a wish for a version into operator and version.
func spec(want string) (op, version string) {
	for _, o := range []string{"<=", ">=", "!=", "==", "=", "<", ">"} {
		if v, ok := strings.CutPrefix(want, o); ok {
			if o == "=" {
				o = "=="
			}
			return o, strings.TrimSpace(v)
		}
	}
	return "==", want
}

// fits tells whether an installed version is as wished; the wish may have several comparisons, with commas.
func fits(ctx context.Context, env *states.Env, have, want string, ignoreEpoch any) (bool, error) {
	for _, w := range strings.Split(want, ",") {
		op, version := spec(strings.TrimSpace(w))
		if op == "==" && strings.ContainsAny(version, "*?[") {
			if !fnmatch.Match(version, have) {
				return false, nil
			}
			continue
		}
		ignore := ignoreEpoch == nil && !strings.Contains(version, ":") || ignoreEpoch != nil && pyfmt.Truth(ignoreEpoch)
		c, err := env.Call(ctx, "pkg.version_cmp", modules.Pos(have, version, ignore))
		if err != nil {
			return false, err
		}
		n, _ := c.(int64)
		ok := map[string]bool{"==": n == 0, "!=": n != 0, "<": n < 0, "<=": n <= 0, ">": n > 0, ">=": n >= 0}[op]
		if !ok {
			return false, nil
		}
	}
	return true, nil
}

// desired is a package with its wished version, as comments name it.
func desired(name string, wish *ordered.Map) string {
	v := wish.Value(name)
	if v == nil || v == "" {
		return name
	}
	text := pyfmt.Str(v)
	if strings.ContainsAny(text[:1], "<>=") {
		return name + text
	}
	return name + "=" + text
}

const refreshed = "pkg.refreshed"

// refresh says whether the lists are to be fetched: as said, else once a run.
func refresh(env *states.Env, given any) bool {
	if env.Test {
		return false // a dry run changes nothing, the lists neither
	}
	if given != nil {
		return modules.IsTrue(given)
	}
	if env.Run == nil {
		return true
	}
	_, done := env.Run.Get(refreshed)
	return !done
}

// didRefresh remembers that the lists have been fetched in this run.
func didRefresh(env *states.Env, did bool) {
	if did && env.Run != nil {
		env.Run.Set(refreshed, true)
	}
}

func names(m *ordered.Map) []string {
	out := make([]string, 0, m.Len())
	for k := range m.All() {
		out = append(out, pyfmt.Str(k))
	}
	return out
}

// news are the changes of a dry run.
func news(list []string, word string) *ordered.Map {
	out := ordered.New(len(list))
	for _, n := range list {
		out.Set(n, ordered.Pairs("new", word, "old", ""))
	}
	return out
}
