package pkg

import (
	"context"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

type installArgs struct {
	Name         any            `arg:"name" def:"None"`
	Refresh      any            `arg:"refresh" def:"False"`
	Fromrepo     any            `arg:"fromrepo" def:"None"`
	SkipVerify   bool           `arg:"skip_verify" def:"False"`
	Debconf      any            `arg:"debconf" def:"None"`
	Pkgs         any            `arg:"pkgs" def:"None"`
	Sources      any            `arg:"sources" def:"None"`
	Reinstall    bool           `arg:"reinstall" def:"False"`
	DownloadOnly bool           `arg:"downloadonly" def:"False"`
	IgnoreEpoch  any            `arg:"ignore_epoch" def:"False"`
	Kwargs       modules.Kwargs `arg:"**kwargs"`
}

const installDoc = `Install packages. The answer tells of each package that changed its old and its new version.

name, version
    one package; the version may be a comparison (>=1.2)
pkgs
    several: a list of names, or of maps of a name and its version
sources
    package files: a list of maps of a name and a path or URL (salt://, http://)
refresh, fromrepo, skip_verify
    fetch the lists first; the release to choose from; do not check signatures
reinstall, downloadonly, install_recommends, only_upgrade, update_holds
    as the words say

CLI Example:

    salt '*' pkg.install vim
    salt '*' pkg.install pkgs='["foo", {"bar": "1.2.3-0ubuntu0"}]'
    salt '*' pkg.install sources='[{"foo": "salt://foo.deb"}]'`

// pairs reads pkgs or sources: names, or maps of names and values.
func pairs(v any) ([]target, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []target
	for _, e := range list {
		m, ok := e.(*ordered.Map)
		if !ok {
			out = append(out, target{name: pyfmt.Str(e)})
			continue
		}
		if m.Len() != 1 {
			return nil, modules.Invalidf("a package is a name, or a map of one name and its version")
		}
		for k, val := range m.All() {
			t := target{name: pyfmt.Str(k)}
			if val != nil {
				t.version = pyfmt.Str(val)
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func (in installArgs) request(ctx context.Context, env *modules.Env) (request, error) {
	r := request{skipVerify: in.SkipVerify, reinstall: in.Reinstall, downloadOnly: in.DownloadOnly}
	if pyfmt.Truth(in.Fromrepo) {
		r.fromrepo = pyfmt.Str(in.Fromrepo)
	}
	if v, ok := in.Kwargs.Get("install_recommends"); ok && !pyfmt.Truth(v) {
		r.noRecommends = true
	}
	r.onlyUpgrade = pyfmt.Truth(in.Kwargs.Value("only_upgrade"))
	r.allowHeld = pyfmt.Truth(in.Kwargs.Value("update_holds"))
	var err error
	switch {
	case in.Pkgs != nil && in.Sources != nil && pyfmt.Truth(in.Pkgs) && pyfmt.Truth(in.Sources):
		return r, modules.Invalidf(`Only one of "pkgs" and "sources" can be used.`)
	case pyfmt.Truth(in.Pkgs):
		r.targets, err = pairs(in.Pkgs)
	case pyfmt.Truth(in.Sources):
		r.files, err = fetch(ctx, env, in.Sources)
	case in.Name != nil:
		for _, n := range strings.Split(pyfmt.Str(in.Name), ",") {
			r.targets = append(r.targets, target{name: n})
		}
		if v := in.Kwargs.Value("version"); v != nil && len(r.targets) == 1 {
			r.targets[0].version = pyfmt.Str(v)
		}
	}
	for _, t := range r.targets {
		if strings.HasPrefix(t.name, "-") {
			return r, modules.Invalidf("no package is called %s", t.name)
		}
	}
	return r, err
}

// fetch brings the files of sources here.
func fetch(ctx context.Context, env *modules.Env, sources any) ([]string, error) {
	list, err := pairs(sources)
	var files []string
	for _, s := range list {
		path := s.version
		if !strings.HasPrefix(path, "/") {
			v, err := env.Call(ctx, "cp.cache_file", modules.Pos(path).With("saltenv", env.Saltenv))
			if err != nil {
				return nil, modules.Errorf("Unable to cache %s: %s", path, err)
			}
			if !pyfmt.Truth(v) {
				return nil, modules.Errorf("Unable to cache %s: file not found", path)
			}
			path = pyfmt.Str(v)
		}
		files = append(files, path)
	}
	return files, err
}

func install(ctx context.Context, env *modules.Env, in installArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	r, err := in.request(ctx, env)
	if err != nil {
		return nil, err
	}
	if len(r.targets)+len(r.files) == 0 {
		return ordered.New(0), nil
	}
	if modules.IsTrue(in.Refresh) {
		if _, err := p.refresh(ctx); err != nil {
			return nil, err
		}
	}
	return around(ctx, p, func() error { return p.install(ctx, r) })
}

// around does something to packages and tells what it changed.
func around(ctx context.Context, p provider, do func() error) (any, error) {
	before, err := p.list(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	after, err := p.list(ctx, false)
	return changed(before, after), err
}

type removeArgs struct {
	Name   any            `arg:"name" def:"None"`
	Pkgs   any            `arg:"pkgs" def:"None"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const removeDoc = `Remove packages, and leave their configuration.

CLI Example:

    salt '*' pkg.remove vim
    salt '*' pkg.remove pkgs='["foo", "bar"]'`

const purgeDoc = `Remove packages and their configuration.

CLI Example:

    salt '*' pkg.purge vim
    salt '*' pkg.purge pkgs='["foo", "bar"]'`

func removing(purge bool) func(context.Context, *modules.Env, removeArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in removeArgs) (any, error) {
		p, err := pick(env)
		if err != nil {
			return nil, err
		}
		given := in.Pkgs
		if !pyfmt.Truth(given) {
			if given = in.Name; given == nil {
				return nil, modules.Invalidf("One of name or pkgs is required")
			}
		}
		if text, ok := given.(string); ok {
			given = ordered.Of(strings.Split(text, ","))
		}
		list, err := pairs(given)
		if err != nil {
			return nil, err
		}
		gone, err := present(ctx, p, list, purge)
		if err != nil || len(gone) == 0 {
			return ordered.New(0), err
		}
		old, err := p.list(ctx, true)
		if err != nil {
			return nil, err
		}
		v, err := around(ctx, p, func() error { return p.remove(ctx, gone, purge) })
		if err != nil || !purge {
			return v, err
		}
		now, err := p.list(ctx, true)
		rest := changed(old, now)
		for k := range rest.All() { // what was only configuration before
			if v.(*ordered.Map).Has(k) {
				rest.Delete(k)
			}
		}
		if rest.Len() > 0 {
			return ordered.Pairs("installed", v, "removed", rest), err
		}
		return v, err
	}
}

// present picks the packages that are there, or with purge have left configuration.
func present(ctx context.Context, p provider, list []target, purge bool) ([]string, error) {
	have, err := p.list(ctx, false)
	if err != nil {
		return nil, err
	}
	left := ordered.New(0)
	if purge {
		if left, err = p.list(ctx, true); err != nil {
			return nil, err
		}
	}
	var out []string
	for _, t := range list {
		if have.Has(t.name) || left.Has(t.name) {
			out = append(out, t.name)
		}
	}
	return slices.Compact(out), nil
}

type upgradeArgs struct {
	Refresh        bool           `arg:"refresh" def:"True"`
	DistUpgrade    bool           `arg:"dist_upgrade" def:"False"`
	Pkgs           any            `arg:"pkgs" def:"None"`
	SkipVerify     bool           `arg:"skip_verify" def:"False"`
	DownloadOnly   bool           `arg:"downloadonly" def:"False"`
	CacheValidTime any            `arg:"cache_valid_time" def:"0"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

const upgradeDoc = `Bring all packages, or those of pkgs, to their newest version.

dist_upgrade
    also where other packages have to be installed or removed for it

CLI Example:

    salt '*' pkg.upgrade`

func upgrade(ctx context.Context, env *modules.Env, in upgradeArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	if in.Refresh {
		if _, err := p.refresh(ctx); err != nil {
			return nil, err
		}
	}
	r := request{upgradeAll: true, dist: in.DistUpgrade, skipVerify: in.SkipVerify, downloadOnly: in.DownloadOnly}
	if pyfmt.Truth(in.Pkgs) {
		if r.targets, err = pairs(in.Pkgs); err != nil {
			return nil, err
		}
		r.upgradeAll, r.onlyUpgrade = false, true
	}
	return around(ctx, p, func() error { return p.install(ctx, r) })
}

type autoremoveArgs struct {
	ListOnly bool `arg:"list_only" def:"False"`
	Purge    bool `arg:"purge" def:"False"`
}

const autoremoveDoc = `Remove the packages that were installed for others and are not needed any more.

list_only
    only list them
purge
    their configuration too

CLI Example:

    salt '*' pkg.autoremove`

func autoremove(ctx context.Context, env *modules.Env, in autoremoveArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	if in.ListOnly {
		r, err := a.get(ctx, "--assume-no", "autoremove")
		out := []any{}
		for line := range strings.Lines(r.Stdout) {
			if strings.HasPrefix(line, "  ") {
				for _, n := range strings.Fields(line) {
					out = append(out, n)
				}
			}
		}
		return out, err
	}
	return around(ctx, a, func() error {
		args := []string{"--assume-yes", "autoremove"}
		if in.Purge {
			args = append(args, "--purge")
		}
		r, err := a.get(ctx, args...)
		return failure(r, err, "Problem encountered removing package(s)")
	})
}

// ops are the comparisons that may stand before a version.
var ops = []string{"<=", ">=", "!=", "==", "=", "<", ">"}

// comparison splits ">=1.2" into its operator and version; a bare version has "==".
func comparison(v string) (op, version string) {
	for _, o := range ops {
		if strings.HasPrefix(v, o) {
			if o == "=" {
				o = "=="
			}
			return o, strings.TrimSpace(strings.TrimLeft(v, "<>=! "))
		}
	}
	return "==", v
}

// fulfils tells whether a version stands in the relation op to another.
func fulfils(p provider, v, op, want string) bool {
	c := p.compare(v, want)
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "!=":
		return c != 0
	}
	return c == 0
}

// noVersion is the error for a comparison that no version fulfils.
func noVersion(t target, available []string) error {
	return modules.Errorf("No version matching '%s%s' could be found (available: %s)", t.name, t.version, strings.Join(available, ", "))
}
