// Package pkg holds the pkg.* functions: packages of the system's package manager. What the managers have in common is
// here; each manager is a provider, chosen by the grain os_family: so far apt (Debian and its kin).
package pkg

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// provider is one package manager. Names are the manager's; versions are its texts.
type provider interface {
	// list tells which packages are installed: name to version. With removed it lists what left its configuration behind.
	list(ctx context.Context, removed bool) (*ordered.Map, error)
	// refresh fetches the lists of packages: each source to True (new), None (as before) or False (failed).
	refresh(ctx context.Context) (*ordered.Map, error)
	install(ctx context.Context, r request) error
	remove(ctx context.Context, names []string, purge bool) error
	// candidates are the versions that an install would choose, "" for none.
	candidates(ctx context.Context, names []string, fromrepo string) (map[string]string, error)
	// compare is below, at or above 0 as a is older than, equal to or newer than b.
	compare(a, b string) int
}

// request is what is to be installed.
type request struct {
	// targets are names with versions, "" for the newest; files are package files.
	targets                                                        []target
	files                                                          []string
	fromrepo                                                       string
	skipVerify, reinstall, downloadOnly, noRecommends, onlyUpgrade bool
	allowHeld, upgradeAll, dist                                    bool
}

type target struct{ name, version string }

// Module is the family.
func Module() modules.Module {
	return modules.Module{
		Name: "pkg", Doc: "Functions for packages.",
		Virtual: func(env *modules.Env) error {
			_, err := pick(env)
			return err
		},
		Funcs: []modules.Func{
			modules.Fn("autoremove", autoremoveDoc, autoremove),
			modules.PureFn("available_version", latestDoc, latestVersion),
			modules.Fn("del_repo", delRepoDoc, delRepo),
			modules.PureFn("file_list", fileListDoc, fileList),
			modules.PureFn("get_repo", getRepoDoc, getRepo),
			modules.PureFn("get_selections", getSelectionsDoc, getSelections),
			modules.Fn("hold", holdDoc, hold),
			modules.PureFn("info_installed", infoDoc, infoInstalled),
			modules.Fn("install", installDoc, install),
			modules.Fn("latest_version", latestDoc, latestVersion),
			modules.PureFn("list_pkgs", listDoc, listPkgs),
			modules.PureFn("list_repos", listReposDoc, listRepos),
			modules.Fn("list_upgrades", upgradesDoc, listUpgrades),
			modules.Fn("mod_repo", modRepoDoc, modRepo),
			modules.PureFn("normalize_name", normalizeDoc, normalizeName),
			modules.PureFn("owner", ownerDoc, owner),
			modules.Fn("purge", purgeDoc, removing(true)),
			modules.Fn("refresh_db", refreshDoc, refreshDB),
			modules.Fn("remove", removeDoc, removing(false)),
			modules.Fn("set_selections", setSelectionsDoc, setSelections),
			modules.Fn("unhold", unholdDoc, unhold),
			modules.Fn("upgrade", upgradeDoc, upgrade),
			modules.Fn("upgrade_available", upgradeAvailableDoc, upgradeAvailable),
			modules.PureFn("version", versionDoc, version),
			modules.PureFn("version_cmp", versionCmpDoc, versionCmp),
		},
	}
}

// pick chooses the provider.
func pick(env *modules.Env) (provider, error) {
	p, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func pickApt(env *modules.Env) (*apt, error) {
	family := env.Grains.Items(context.Background()).String("os_family")
	if family != "Debian" {
		return nil, fmt.Errorf("no package manager of the family %q can be driven so far", family)
	}
	return newApt(env)
}

type listArgs struct {
	VersionsAsList bool           `arg:"versions_as_list" def:"False"`
	Removed        bool           `arg:"removed" def:"False"`
	PurgeDesired   bool           `arg:"purge_desired" def:"False"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

const listDoc = `List the installed packages with their versions.

versions_as_list
    each version as a list
removed
    list the packages that are removed but for their configuration

CLI Example:

    salt '*' pkg.list_pkgs`

func listPkgs(ctx context.Context, env *modules.Env, in listArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	if in.PurgeDesired {
		return ordered.New(0), nil
	}
	all, err := p.list(ctx, in.Removed)
	if err != nil || !in.VersionsAsList {
		return all, err
	}
	out := ordered.New(all.Len())
	for k, v := range all.All() {
		out.Set(k, []any{v})
	}
	return out, nil
}

type namesArgs struct {
	Names  []any          `arg:"*names"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = pyfmt.Str(v)
	}
	return out
}

// one gives the value itself when one name was asked for, else the map.
func one(names []string, m map[string]string) any {
	if len(names) == 0 {
		return ""
	}
	if len(names) == 1 {
		return m[names[0]]
	}
	out := ordered.New(len(names))
	for _, n := range names {
		out.Set(n, m[n])
	}
	return out
}

const versionDoc = `Tell the installed version of packages, an empty text for one that is not installed.

CLI Example:

    salt '*' pkg.version vim
    salt '*' pkg.version vim bash`

func version(ctx context.Context, env *modules.Env, in namesArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	all, err := p.list(ctx, false)
	names, found := texts(in.Names), map[string]string{}
	for _, n := range names {
		found[n] = all.String(normal(env, n))
	}
	return one(names, found), err
}

const latestDoc = `Tell the version that an install or an upgrade of packages would bring, an empty text for one that is up to date.

refresh
    fetch the lists of packages first (default True)
fromrepo
    the release to choose from
show_installed
    tell the newest version even when it is installed

CLI Example:

    salt '*' pkg.latest_version vim`

func latestVersion(ctx context.Context, env *modules.Env, in namesArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	names := texts(in.Names)
	if len(names) == 0 {
		return "", nil
	}
	if v, given := in.Kwargs.Get("refresh"); !given || modules.IsTrue(v) {
		if _, err := p.refresh(ctx); err != nil {
			return nil, err
		}
	}
	found, err := newer(ctx, p, names, in.Kwargs.String("fromrepo"), pyfmt.Truth(in.Kwargs.Value("show_installed")))
	return one(names, found), err
}

// newer picks the candidates that are newer than what is installed; all of them with installed.
func newer(ctx context.Context, p provider, names []string, fromrepo string, installed bool) (map[string]string, error) {
	found, err := p.candidates(ctx, names, fromrepo)
	if err != nil {
		return nil, err
	}
	have, err := p.list(ctx, false)
	if err != nil {
		return nil, err
	}
	for n, v := range found {
		if now := have.String(n); now != "" && p.compare(v, now) <= 0 && !installed {
			found[n] = ""
		}
	}
	return found, nil
}

const upgradeAvailableDoc = `Tell whether a newer version of a package can be had.

CLI Example:

    salt '*' pkg.upgrade_available bash`

type nameArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func upgradeAvailable(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
	v, err := latestVersion(ctx, env, namesArgs{Names: []any{in.Name}, Kwargs: in.Kwargs})
	return v != "", err
}

type refreshArgs struct {
	CacheValidTime any            `arg:"cache_valid_time" def:"0"`
	Failhard       bool           `arg:"failhard" def:"False"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

const refreshDoc = `Fetch the lists of packages. The answer tells of each source: True for new, None for as before, False for failed.

failhard
    a source that fails is an error

CLI Example:

    salt '*' pkg.refresh_db`

func refreshDB(ctx context.Context, env *modules.Env, in refreshArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	out, err := p.refresh(ctx)
	if err != nil {
		return nil, err
	}
	var bad []string
	for k, v := range out.All() {
		if v == false {
			bad = append(bad, pyfmt.Str(k))
		}
	}
	if in.Failhard && len(bad) > 0 {
		return nil, modules.Errorf("Error getting repos: %s", strings.Join(bad, ", "))
	}
	return out, nil
}

type cmpArgs struct {
	A           string         `arg:"pkg1"`
	B           string         `arg:"pkg2"`
	IgnoreEpoch bool           `arg:"ignore_epoch" def:"False"`
	Kwargs      modules.Kwargs `arg:"**kwargs"`
}

const versionCmpDoc = `Compare two versions: -1, 0 or 1.

ignore_epoch
    leave out what stands before the colon

CLI Example:

    salt '*' pkg.version_cmp '0.2.4-0ubuntu1' '0.2.4.1-0ubuntu1'`

func versionCmp(_ context.Context, env *modules.Env, in cmpArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	if in.IgnoreEpoch {
		in.A, in.B = in.A[strings.IndexByte(in.A, ':')+1:], in.B[strings.IndexByte(in.B, ':')+1:]
	}
	return min(max(p.compare(in.A, in.B), -1), 1), nil
}

const upgradesDoc = `List the packages that an upgrade would bring, with their new versions.

refresh
    fetch the lists of packages first (default True)

CLI Example:

    salt '*' pkg.list_upgrades`

type upgradesArgs struct {
	Refresh     bool           `arg:"refresh" def:"True"`
	DistUpgrade bool           `arg:"dist_upgrade" def:"True"`
	Kwargs      modules.Kwargs `arg:"**kwargs"`
}

func listUpgrades(ctx context.Context, env *modules.Env, in upgradesArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	if in.Refresh {
		if _, err := a.refresh(ctx); err != nil {
			return nil, err
		}
	}
	return a.upgrades(ctx, in.DistUpgrade)
}

// changed compares two lists of packages: name to old and new version.
func changed(before, after *ordered.Map) *ordered.Map {
	var names []string
	for k := range before.All() {
		names = append(names, pyfmt.Str(k))
	}
	for k := range after.All() {
		names = append(names, pyfmt.Str(k))
	}
	slices.Sort(names)
	out := ordered.New(4)
	for _, n := range slices.Compact(names) {
		if a, b := before.String(n), after.String(n); a != b {
			out.Set(n, ordered.Pairs("old", a, "new", b))
		}
	}
	return out
}

// normal is the name of a package without the machine's own architecture.
func normal(env *modules.Env, name string) string {
	base, arch, ok := strings.Cut(name, ":")
	if ok && (arch == "all" || arch == env.Grains.Items(context.Background()).String("osarch")) {
		return base
	}
	return name
}

const normalizeDoc = `Give the name of a package without the architecture when that is the machine's own.

CLI Example:

    salt '*' pkg.normalize_name zsh:amd64`

func normalizeName(_ context.Context, env *modules.Env, in nameArgs) (any, error) {
	return normal(env, in.Name), nil
}
