package pkg

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

type installedArgs struct {
	Name            string         `arg:"name"`
	Version         any            `arg:"version" def:"None"`
	Refresh         any            `arg:"refresh" def:"None"`
	Fromrepo        any            `arg:"fromrepo" def:"None"`
	SkipVerify      bool           `arg:"skip_verify" def:"False"`
	SkipSuggestions bool           `arg:"skip_suggestions" def:"False"`
	Pkgs            any            `arg:"pkgs" def:"None"`
	Sources         any            `arg:"sources" def:"None"`
	AllowUpdates    bool           `arg:"allow_updates" def:"False"`
	PkgVerify       any            `arg:"pkg_verify" def:"False"`
	Normalize       bool           `arg:"normalize" def:"True"`
	IgnoreEpoch     any            `arg:"ignore_epoch" def:"None"`
	Reinstall       bool           `arg:"reinstall" def:"False"`
	UpdateHolds     bool           `arg:"update_holds" def:"False"`
	Kwargs          modules.Kwargs `arg:"**kwargs"`
}

const installedDoc = `Make sure that packages are installed.

version
    at this version; it may be a comparison (>=1.2), have a star, or be latest
pkgs
    several packages: names, or maps of names and versions
sources
    package files: maps of names and paths or URLs
refresh
    fetch the lists first; by default once a run
fromrepo, skip_verify, install_recommends, update_holds
    how they are installed
allow_updates
    a newer version is fine too
reinstall
    install them again
hold
    True or False: also hold them, or hold them no longer`

// plan is what checkInstalled found.
type plan struct {
	// wish maps each package to the version wished, nil for any; for sources to the file.
	wish      *ordered.Map
	targets   []string
	reinstall []string
	before    *ordered.Map
	// base is the comment when nothing is to be installed.
	base string
}

func checkInstalled(ctx context.Context, env *states.Env, in installedArgs) (states.Check[plan], error) {
	if list, ok := in.Pkgs.([]any); ok && len(list) == 0 {
		return states.Done[plan](states.Fine("No packages to install provided")), nil
	}
	if pyfmt.Truth(in.Pkgs) && pyfmt.Truth(in.Sources) {
		return states.Done[plan](states.Failed(`Only one of "pkgs" and "sources" is permitted.`)), nil
	}
	if pyfmt.Truth(in.PkgVerify) {
		return states.Done[plan](states.Failed("pkg.verify not implemented")), nil
	}
	p, problems, err := in.find(ctx, env)
	if err != nil {
		r, err := states.Refused(err)
		return states.Done[plan](r), err
	}
	if len(problems) > 0 {
		return states.Done[plan](states.Failed("%s", strings.Join(problems, " "))), nil
	}
	if len(p.targets)+len(p.reinstall) == 0 {
		return in.checkHold(ctx, env, p)
	}
	var lines []string
	if len(p.targets) > 0 {
		lines = append(lines, "The following packages would be installed/updated: "+strings.Join(p.targets, ", "))
	}
	changes := news(p.targets, "installed")
	if len(p.reinstall) > 0 {
		again := make([]string, len(p.reinstall))
		for i, n := range p.reinstall {
			if again[i] = n; !pyfmt.Truth(in.Sources) {
				again[i] = desired(n, p.wish)
			}
		}
		lines = append(lines, "The following packages would be reinstalled: "+strings.Join(again, ", "))
		changes.Update(news(again, "installed"))
	}
	return states.Change(p, strings.Join(lines, "\n"), changes), nil
}

// find compares the installed packages with the wish.
func (in installedArgs) find(ctx context.Context, env *states.Env) (p plan, problems []string, err error) {
	if p.before, err = installedNow(ctx, env, false); err != nil {
		return p, nil, err
	}
	files := pyfmt.Truth(in.Sources)
	list := asList(in.Name, in.Version, in.Pkgs)
	if files {
		list, _ = in.Sources.([]any)
	}
	if p.wish, err = wants(ctx, env, list, in.Normalize); err != nil {
		return p, nil, err
	}
	if p.wish.Len() == 0 {
		return p, []string{"Invalidly formatted 'sources' parameter. See minion log."}, nil
	}
	if problems, err = in.resolveLatest(ctx, env, &p); err != nil || len(problems) > 0 {
		return p, problems, err
	}
	versions := false
	for k, v := range p.wish.All() {
		name, have := pyfmt.Str(k), p.before.String(k)
		want, _ := v.(string)
		if files && have != "" && !in.Reinstall {
			info, err := states.Dict(env.Call(ctx, "lowpkg.bin_pkg_info", modules.Pos(want, env.Saltenv)))
			if err != nil {
				return p, nil, err
			}
			if want = info.String("version"); want == "" {
				continue
			}
		}
		if have == "" {
			p.targets = append(p.targets, name)
			continue
		}
		same := true
		if want != "" {
			versions = true
			if in.AllowUpdates && !files {
				_, bare := spec(want)
				want = ">=" + bare
			}
			if same, err = fits(ctx, env, have, want, in.IgnoreEpoch); err != nil {
				return p, nil, err
			}
		}
		switch {
		case !same && !in.Reinstall:
			p.targets = append(p.targets, name)
		case in.Reinstall:
			p.reinstall = append(p.reinstall, name)
		}
	}
	p.base = "All specified packages are already installed"
	if versions && !files {
		p.base += " and are at the desired version"
	}
	return p, nil, nil
}

// resolveLatest replaces the wish "latest" with the version that it is now.
func (in installedArgs) resolveLatest(ctx context.Context, env *states.Env, p *plan) (problems []string, err error) {
	for k, v := range p.wish.All() {
		if v != "latest" {
			continue
		}
		fetch := refresh(env, in.Refresh)
		newest, err := env.Call(ctx, "pkg.latest_version", modules.Pos(k).With("refresh", fetch).With("fromrepo", in.Fromrepo))
		if err != nil {
			return nil, err
		}
		didRefresh(env, fetch)
		switch have := p.before.String(k); {
		case pyfmt.Truth(newest):
			p.wish.Set(k, newest)
		case have != "":
			p.wish.Set(k, have)
		default:
			problems = append(problems, "Package '"+pyfmt.Str(k)+"' not found (possible matches: )")
		}
	}
	return problems, nil
}

// holdWish is the option hold; nil for not given.
func (in installedArgs) holdWish() *bool {
	v, ok := in.Kwargs.Get("hold")
	if !ok {
		return nil
	}
	b := pyfmt.Truth(v)
	return &b
}

func plainNames(list []string) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = n
	}
	return out
}

// checkHold looks at the holds when nothing is to be installed.
func (in installedArgs) checkHold(ctx context.Context, env *states.Env, p plan) (states.Check[plan], error) {
	hold := in.holdWish()
	if hold == nil {
		return states.Done[plan](states.Fine(p.base)), nil
	}
	held, err := heldNow(ctx, env)
	if err != nil {
		return states.Check[plan]{}, err
	}
	words := [2]string{"is set to be held.", "is already set to be held."}
	if !*hold {
		words = [2]string{"is set not to be held.", "is already set not to be held."}
	}
	text, todo := p.base, false
	for _, n := range names(p.wish) {
		i := 1
		if slices.Contains(held, n) != *hold {
			i, todo = 0, true
		}
		text += ".\nPackage " + n + " " + words[i]
	}
	if todo {
		return states.Change(p, text, nil), nil
	}
	return states.Done[plan](states.Fine(text)), nil
}

// heldNow lists the packages that are held.
func heldNow(ctx context.Context, env *states.Env) ([]string, error) {
	m, err := states.Dict(env.Call(ctx, "pkg.get_selections", modules.Args{}.With("state", "hold")))
	var out []string
	for _, v := range m.List("hold") {
		n, err := env.Call(ctx, "pkg.normalize_name", modules.Pos(v))
		if err != nil {
			return nil, err
		}
		out = append(out, pyfmt.Str(n))
	}
	return out, err
}

// request makes the arguments of pkg.install.
func (in installedArgs) request(p plan, fetch bool) modules.Args {
	todo := append(slices.Clone(p.targets), p.reinstall...)
	list := []any{}
	for _, n := range todo {
		list = append(list, ordered.Pairs(n, p.wish.Value(n)))
	}
	key := "pkgs"
	if pyfmt.Truth(in.Sources) {
		key = "sources"
	}
	kw := ordered.Pairs("refresh", fetch, "fromrepo", in.Fromrepo, "skip_verify", in.SkipVerify, key, list, "reinstall", len(p.reinstall) > 0,
		"update_holds", in.UpdateHolds)
	for k, v := range in.Kwargs.All() {
		if !kw.Has(k) && k != "hold" {
			kw.Set(k, v)
		}
	}
	return modules.Args{Kw: kw}
}

func applyInstalled(ctx context.Context, env *states.Env, in installedArgs, p plan) (*states.Result, error) {
	r := &states.Result{OK: states.True(), Changes: ordered.New(2)}
	var lines []string
	if len(p.targets)+len(p.reinstall) > 0 {
		fetch := refresh(env, in.Refresh)
		got, err := states.Dict(env.Call(ctx, "pkg.install", in.request(p, fetch)))
		if err != nil {
			return in.failed(ctx, env, p, err)
		}
		didRefresh(env, fetch)
		r.Changes = got
	} else {
		lines = append(lines, p.base+".")
	}
	held := ordered.New(0)
	if hold := in.holdWish(); hold != nil {
		verb := "pkg.hold"
		if !*hold {
			verb = "pkg.unhold"
		}
		var err error
		if held, err = states.Dict(env.Call(ctx, verb, modules.Pos(in.Name).With("pkgs", plainNames(names(p.wish))))); err != nil {
			return nil, err
		}
	}
	return in.report(ctx, env, p, r, lines, held)
}

// failed says why the install failed, and what it changed all the same.
func (in installedArgs) failed(ctx context.Context, env *states.Env, p plan, cause error) (*states.Result, error) {
	r, err := states.Refused(cause)
	if err != nil {
		return nil, err
	}
	now, err := installedNow(ctx, env, false)
	if err != nil {
		return nil, err
	}
	r.Changes = ordered.New(0)
	for k, v := range now.All() {
		if old := p.before.String(k); v != old {
			r.Changes.Set(k, ordered.Pairs("old", old, "new", v))
		}
	}
	if !strings.Contains(pyfmt.Str(r.Comment), "Additional info follows:") {
		r.Comment = "An error was encountered while installing package(s): " + pyfmt.Str(r.Comment)
	}
	return r, nil
}

// report looks at what is there now and writes the comment.
func (in installedArgs) report(ctx context.Context, env *states.Env, p plan, r *states.Result, lines []string, held *ordered.Map) (*states.Result, error) {
	now, err := installedNow(ctx, env, false)
	if err != nil {
		return nil, err
	}
	files := pyfmt.Truth(in.Sources)
	label := func(list []string) string {
		out := make([]string, len(list))
		for i, n := range list {
			if out[i] = n; !files {
				out[i] = desired(n, p.wish)
			}
		}
		return strings.Join(out, ", ")
	}
	var done, bad, rest []string
	for _, n := range names(p.wish) {
		ok := now.Has(n)
		if want, _ := p.wish.Value(n).(string); ok && want != "" && !files {
			if ok, err = fits(ctx, env, now.String(n), want, in.IgnoreEpoch); err != nil {
				return nil, err
			}
			if in.AllowUpdates {
				ok = true
			}
		}
		target, again := slices.Contains(p.targets, n), slices.Contains(p.reinstall, n)
		switch {
		case target && ok:
			done = append(done, n)
		case target:
			bad = append(bad, n)
		case again && (r.Changes.Has(n) || ok):
			lines = append(lines, "Package "+label([]string{n})+" was reinstalled.")
			if !r.Changes.Has(n) {
				r.Changes.Set(n, ordered.Pairs("old", p.before.Value(n), "new", now.Value(n)))
			}
		case again:
			lines = append(lines, "Reinstall was not successful for package "+label([]string{n})+".")
			r.OK = states.False()
		default:
			rest = append(rest, n)
		}
	}
	lines = append(lines, counted(done, label(done))...)
	fresh := len(p.targets)+len(p.reinstall) > 0
	lines = holdLines(r, held, lines, true)
	if len(rest) > 0 && fresh && len(rest) <= 20 {
		lines = append(lines, "The following packages were already installed: "+label(rest))
	} else if len(rest) > 0 && fresh {
		lines = append(lines, fmt.Sprintf("%d targeted packages were already installed", len(rest)))
	}
	lines = holdLines(r, held, lines, false)
	if len(bad) > 0 {
		lines = slices.Insert(lines, 0, "The following packages failed to install/update: "+label(bad))
		r.OK = states.False()
	}
	r.Comment = strings.Join(lines, "\n")
	return r, nil
}

// counted names the packages that were installed, or only their number when the names are long.
func counted(done []string, label string) []string {
	switch {
	case len(done) == 0:
		return nil
	case len(label) < 20:
		return []string{"The following packages were installed/updated: " + label}
	case len(done) == 1:
		return []string{"1 targeted package was installed/updated."}
	}
	return []string{fmt.Sprintf("%d targeted packages were installed/updated.", len(done))}
}

// holdLines adds what became of the holds: those that changed, or those that did not.
func holdLines(r *states.Result, held *ordered.Map, lines []string, changed bool) []string {
	for k, v := range held.All() {
		h, _ := v.(*ordered.Map)
		c := h.Map("changes")
		if (c.Len() > 0) != changed {
			continue
		}
		lines = append(lines, h.String("comment"))
		if h.Value("result") == false {
			r.OK = states.False()
		}
		if !changed {
			continue
		}
		if was := r.Changes.Map(k); was != nil {
			r.Changes.Set(k, ordered.Pairs("old", join(was.String("old"), c.String("old")), "new", join(was.String("new"), c.String("new"))))
		} else {
			r.Changes.Set(k, c)
		}
	}
	return lines
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}
