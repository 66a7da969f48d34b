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

type goneArgs struct {
	Name        string         `arg:"name"`
	Version     any            `arg:"version" def:"None"`
	Pkgs        any            `arg:"pkgs" def:"None"`
	Normalize   bool           `arg:"normalize" def:"True"`
	IgnoreEpoch any            `arg:"ignore_epoch" def:"None"`
	Kwargs      modules.Kwargs `arg:"**kwargs"`
}

const removedDoc = `Make sure that packages are not installed.

version
    only when they are at this version
pkgs
    several packages: names, or maps of names and versions`

const purgedDoc = `Make sure that packages are not installed, and that nothing of their configuration is left.

version
    only when they are at this version
pkgs
    several packages: names, or maps of names and versions`

type gone struct {
	wish    *ordered.Map
	targets []string
}

func checkGone(action string) func(context.Context, *states.Env, goneArgs) (states.Check[gone], error) {
	return func(ctx context.Context, env *states.Env, in goneArgs) (states.Check[gone], error) {
		c := states.Check[gone]{}
		now, err := installedNow(ctx, env, false)
		if err != nil {
			return c, err
		}
		p := gone{}
		if p.wish, err = wants(ctx, env, asList(in.Name, in.Version, in.Pkgs), in.Normalize); err != nil {
			return c, err
		}
		left := ordered.New(0)
		if action == "purge" {
			if left, err = installedNow(ctx, env, true); err != nil {
				return c, err
			}
		}
		versions := false
		for k, v := range p.wish.All() {
			hit := now.Has(k)
			if want, _ := v.(string); hit && want != "" {
				versions = true
				if hit, err = fits(ctx, env, now.String(k), want, in.IgnoreEpoch); err != nil {
					return c, err
				}
			}
			if hit || left.Has(k) {
				p.targets = append(p.targets, pyfmt.Str(k))
			}
		}
		slices.Sort(p.targets)
		if len(p.targets) == 0 {
			text := "All specified packages are already absent"
			if versions {
				text = "All specified packages (matching specified versions) are already absent"
			}
			return states.Done[gone](states.Fine(text)), nil
		}
		return states.Change(p, "The following packages will be "+action+"d: "+strings.Join(p.targets, ", ")+".", news(p.targets, action+"d")), nil
	}
}

func applyGone(action string) func(context.Context, *states.Env, goneArgs, gone) (*states.Result, error) {
	return func(ctx context.Context, env *states.Env, in goneArgs, p gone) (*states.Result, error) {
		changes, err := states.Dict(env.Call(ctx, "pkg."+action, modules.Args{}.With("pkgs", plainNames(p.targets))))
		if err != nil {
			return states.Refused(err)
		}
		var failed []string
		for _, removed := range []bool{false, true} {
			if removed && action != "purge" {
				continue
			}
			now, err := installedNow(ctx, env, removed)
			if err != nil {
				return nil, err
			}
			for _, n := range p.targets {
				if now.Has(n) {
					failed = append(failed, n)
				}
			}
		}
		slices.Sort(failed)
		if len(failed) > 0 {
			r := states.Failed("The following packages failed to %s: %s.", action, strings.Join(failed, ", "))
			r.Changes = changes
			return r, nil
		}
		var absent []string
		for _, n := range names(p.wish) {
			if !slices.Contains(p.targets, n) {
				absent = append(absent, n)
			}
		}
		slices.Sort(absent)
		text := "All targeted packages were " + action + "d."
		if len(absent) > 0 {
			text = "The following packages were not installed: " + strings.Join(absent, ", ") + " The following packages were " + action + "d: " + strings.Join(p.targets, ", ") + "."
		}
		return &states.Result{OK: states.True(), Comment: text, Changes: changes}, nil
	}
}

type latestArgs struct {
	Name       string         `arg:"name"`
	Refresh    any            `arg:"refresh" def:"None"`
	Fromrepo   any            `arg:"fromrepo" def:"None"`
	SkipVerify bool           `arg:"skip_verify" def:"False"`
	Pkgs       any            `arg:"pkgs" def:"None"`
	WatchFlags bool           `arg:"watch_flags" def:"True"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

const latestDoc = `Make sure that packages are installed at their newest version.

pkgs
    several packages
refresh
    fetch the lists first; by default once a run`

type newest struct {
	// avail maps the packages to bring up to their new versions; current lists the others.
	avail   *ordered.Map
	current []string
	all     bool
}

func checkLatest(ctx context.Context, env *states.Env, in latestArgs) (states.Check[newest], error) {
	c := states.Check[newest]{}
	if list, ok := in.Pkgs.([]any); ok && len(list) == 0 {
		return states.Done[newest](states.Fine("No packages to install provided")), nil
	}
	wish, err := wants(ctx, env, asList(in.Name, nil, in.Pkgs), true)
	if err != nil {
		return c, err
	}
	now, err := installedNow(ctx, env, false)
	if err != nil {
		return c, err
	}
	p := newest{avail: ordered.New(2), all: pyfmt.Truth(in.Pkgs)}
	fetch := refresh(env, in.Refresh)
	var problems []string
	for _, n := range names(wish) {
		v, err := env.Call(ctx, "pkg.latest_version", modules.Pos(n).With("refresh", fetch).With("fromrepo", in.Fromrepo))
		if err != nil {
			if r, _ := states.Refused(err); r != nil {
				return states.Done[newest](states.Failed("An error was encountered while checking the newest available version of package(s): %s", r.Comment)), nil
			}
			return c, err
		}
		didRefresh(env, fetch)
		fetch = false
		switch {
		case pyfmt.Truth(v):
			p.avail.Set(n, v)
		case !now.Has(n):
			problems = append(problems, "No information found for '"+n+"'.")
		default:
			p.current = append(p.current, n)
		}
	}
	slices.Sort(p.current)
	switch {
	case len(problems) > 0:
		return states.Done[newest](states.Failed("%s", strings.Join(problems, " "))), nil
	case p.avail.Len() == 0:
		return states.Done[newest](states.Fine(upToDate(p.current))), nil
	}
	targets := names(p.avail)
	sorted := slices.Sorted(slices.Values(targets))
	text := "The following packages would be installed/upgraded: " + strings.Join(sorted, ", ")
	if len(p.current) > 10 {
		text += fmt.Sprintf("\n%d packages are already up-to-date", len(p.current))
	} else if len(p.current) > 0 {
		with := make([]string, len(p.current))
		for i, n := range p.current {
			with[i] = n + " (" + now.String(n) + ")"
		}
		text += "\nThe following packages are already up-to-date: " + strings.Join(with, ", ")
	}
	return states.Change(p, text, news(targets, "installed")), nil
}

func upToDate(list []string) string {
	switch {
	case len(list) > 10:
		return fmt.Sprintf("All %d packages are up-to-date.", len(list))
	case len(list) > 1:
		return "All packages are up-to-date (" + strings.Join(list, ", ") + ")."
	}
	return "Package " + strings.Join(list, "") + " is already up-to-date"
}

func applyLatest(ctx context.Context, env *states.Env, in latestArgs, p newest) (*states.Result, error) {
	targets := slices.Sorted(slices.Values(names(p.avail)))
	kw := ordered.Pairs("refresh", false, "fromrepo", in.Fromrepo, "skip_verify", in.SkipVerify, "pkgs", plainNames(targets))
	for k, v := range in.Kwargs.All() {
		if !kw.Has(k) {
			kw.Set(k, v)
		}
	}
	changes, err := states.Dict(env.Call(ctx, "pkg.install", modules.Args{Kw: kw}))
	if err != nil {
		r, err := states.Refused(err)
		if r != nil {
			r.Comment = "An error was encountered while installing package(s): " + pyfmt.Str(r.Comment)
		}
		return r, err
	}
	var good, bad []string
	for _, n := range targets {
		if changes.Map(n).Value("new") == p.avail.Value(n) {
			good = append(good, n)
		} else {
			bad = append(bad, n)
		}
	}
	var parts []string
	if len(bad) > 0 {
		parts = append(parts, "The following packages failed to update: "+strings.Join(bad, ", "))
	}
	if len(good) > 0 {
		parts = append(parts, "The following packages were successfully installed/upgraded: "+strings.Join(good, ", "))
	}
	if len(p.current) > 10 {
		parts = append(parts, fmt.Sprintf("%d packages were already up-to-date ", len(p.current)))
	} else if len(p.current) > 0 {
		parts = append(parts, "The following packages were already up-to-date: "+strings.Join(p.current, ", "))
	}
	ok := len(bad) == 0
	r := &states.Result{OK: &ok, Comment: strings.Join(parts, " "), Changes: changes}
	if changes.Len() == 0 && len(targets) == 1 {
		r.Comment = "Package " + targets[0] + " failed to update."
	}
	return r, nil
}

type uptodateArgs struct {
	Name    string         `arg:"name"`
	Refresh any            `arg:"refresh" def:"False"`
	Pkgs    any            `arg:"pkgs" def:"None"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

const uptodateDoc = `Make sure that all packages of the system, or those of pkgs, are at their newest version.

refresh
    fetch the lists first
dist_upgrade
    also where other packages have to be installed or removed for it`

func checkUptodate(ctx context.Context, env *states.Env, in uptodateArgs) (states.Check[*ordered.Map], error) {
	fetch, ok := in.Refresh.(bool)
	if !ok {
		return states.Done[*ordered.Map](states.Failed("refresh must be either True or False")), nil
	}
	a := modules.Args{}.With("refresh", fetch && !env.Test).With("dist_upgrade", pyfmt.Truth(in.Kwargs.Value("dist_upgrade")))
	list, err := states.Dict(env.Call(ctx, "pkg.list_upgrades", a))
	if err != nil {
		r, err := states.Refused(err)
		return states.Done[*ordered.Map](r), err
	}
	now, err := installedNow(ctx, env, false)
	if err != nil {
		return states.Check[*ordered.Map]{}, err
	}
	only, some := in.Pkgs.([]any)
	expected := ordered.New(list.Len())
	for k, v := range list.All() {
		if !some || slices.Contains(only, k) {
			expected.Set(k, ordered.Pairs("new", v, "old", now.String(k)))
		}
	}
	if expected.Len() == 0 {
		return states.Done[*ordered.Map](states.Fine("System is already up-to-date")), nil
	}
	return states.Change(expected, "System update will be performed", expected), nil
}

func applyUptodate(ctx context.Context, env *states.Env, in uptodateArgs, expected *ordered.Map) (*states.Result, error) {
	kw := ordered.Pairs("refresh", false, "pkgs", in.Pkgs)
	for k, v := range in.Kwargs.All() {
		kw.Set(k, v)
	}
	changes, err := states.Dict(env.Call(ctx, "pkg.upgrade", modules.Args{Kw: kw}))
	if err != nil {
		return states.Refused(err)
	}
	var missing []string
	if _, some := in.Pkgs.([]any); some {
		for _, n := range names(expected) {
			if !changes.Has(n) {
				missing = append(missing, n)
			}
		}
	}
	if len(missing) > 0 {
		r := states.Failed("The following package(s) failed to update: %s", strings.Join(missing, ", "))
		r.Changes = changes
		return r, nil
	}
	return &states.Result{OK: states.True(), Comment: "Upgrade ran successfully", Changes: changes}, nil
}
