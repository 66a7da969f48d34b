package pkg

import (
	"context"
	"slices"
	"strings"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// selections maps each selection state of dpkg (install, hold, deinstall ...) to its packages.
func (a *apt) selections(ctx context.Context, patterns []string) (map[string][]string, error) {
	r, err := a.tool(ctx, append([]string{"dpkg", "--get-selections"}, patterns...)...)
	out := map[string][]string{}
	for line := range strings.Lines(r.Stdout) {
		if f := strings.Fields(line); len(f) == 2 {
			out[f[1]] = append(out[f[1]], f[0])
		}
	}
	return out, err
}

func (a *apt) selectAs(ctx context.Context, state string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var text strings.Builder
	for _, n := range names {
		text.WriteString(n + " " + state + "\n")
	}
	r, err := host.Exec(ctx, a.env.Host, host.Cmd{Argv: []string{"dpkg", "--set-selections"}, Stdin: []byte(text.String()), Env: quiet()})
	if err == nil && !r.OK() {
		err = modules.Errorf("failed to set the state of packages: %s", r.Said())
	}
	return err
}

type selectionsArgs struct {
	Pattern any `arg:"pattern" def:"None"`
	State   any `arg:"state" def:"None"`
}

const getSelectionsDoc = `List the packages by what dpkg is to do with them: install, hold, deinstall, purge.

pattern
    only packages that match it
state
    only this one

CLI Example:

    salt '*' pkg.get_selections
    salt '*' pkg.get_selections 'python-*' state=hold`

func getSelections(ctx context.Context, env *modules.Env, in selectionsArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	var patterns []string
	if pyfmt.Truth(in.Pattern) {
		patterns = []string{pyfmt.Str(in.Pattern)}
	}
	found, err := a.selections(ctx, patterns)
	if err != nil {
		return nil, err
	}
	out := ordered.New(2)
	if pyfmt.Truth(in.State) {
		state := pyfmt.Str(in.State)
		return ordered.Pairs(state, append([]string{}, found[state]...)), nil
	}
	for _, s := range []string{"install", "hold", "deinstall", "purge"} {
		if found[s] != nil {
			out.Set(s, found[s])
		}
	}
	return out, nil
}

type setSelectionsArgs struct {
	Path      any          `arg:"path" def:"None"`
	Selection *ordered.Map `arg:"selection" def:"None"`
	Clear     bool         `arg:"clear" def:"False"`
	Saltenv   string       `arg:"saltenv" def:"'base'"`
}

const setSelectionsDoc = `Tell dpkg what it is to do with packages.

selection
    a map of hold, install, deinstall or purge to lists of packages

CLI Example:

    salt '*' pkg.set_selections selection='{"install": ["netcat"]}'`

func setSelections(ctx context.Context, env *modules.Env, in setSelectionsArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	if in.Path != nil || in.Clear {
		return nil, modules.Invalidf("The 'path' and 'clear' arguments to pkg.set_selections are not supported, use 'selection'")
	}
	out := ordered.New(2)
	for k, v := range in.Selection.All() {
		state := pyfmt.Str(k)
		if !slices.Contains([]string{"install", "hold", "deinstall", "purge"}, state) {
			return nil, modules.Invalidf("'%s' is an invalid state", state)
		}
		list, err := pairs(v)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			old, err := a.state(ctx, t.name)
			if err != nil {
				return nil, err
			}
			if old == state {
				continue
			}
			if !env.Test {
				if err := a.selectAs(ctx, state, []string{t.name}); err != nil {
					return nil, err
				}
			}
			out.Set(t.name, ordered.Pairs("old", old, "new", state))
		}
	}
	return out, nil
}

// state is the selection state of one package, "" for none.
func (a *apt) state(ctx context.Context, name string) (string, error) {
	found, err := a.selections(ctx, []string{name})
	for state, names := range found {
		if len(names) > 0 {
			return state, err
		}
	}
	return "", err
}

type holdArgs struct {
	Name    any            `arg:"name" def:"None"`
	Pkgs    any            `arg:"pkgs" def:"None"`
	Sources any            `arg:"sources" def:"None"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

const holdDoc = `Keep packages at their version.

CLI Example:

    salt '*' pkg.hold vim
    salt '*' pkg.hold pkgs='["foo", "bar"]'`

const unholdDoc = `Let packages that are held be upgraded again.

CLI Example:

    salt '*' pkg.unhold vim
    salt '*' pkg.unhold pkgs='["foo", "bar"]'`

func hold(ctx context.Context, env *modules.Env, in holdArgs) (any, error) {
	return in.set(ctx, env, "hold", [3]string{"is set to be held.", "is now being held.", "is already set to be held."})
}

func unhold(ctx context.Context, env *modules.Env, in holdArgs) (any, error) {
	return in.set(ctx, env, "install", [3]string{"is set not to be held.", "is no longer being held.", "is already set not to be held."})
}

// set changes the selection of packages; words are the ends of the comments for would, did and nothing to do.
func (in holdArgs) set(ctx context.Context, env *modules.Env, state string, words [3]string) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	given := in.Pkgs
	switch {
	case pyfmt.Truth(in.Pkgs) && pyfmt.Truth(in.Sources):
		return nil, modules.Invalidf("Only one of pkgs or sources can be specified.")
	case pyfmt.Truth(in.Sources):
		given = in.Sources
	case !pyfmt.Truth(in.Pkgs) && !pyfmt.Truth(in.Name):
		return nil, modules.Invalidf("One of name, pkgs, or sources must be specified.")
	case !pyfmt.Truth(in.Pkgs):
		given = in.Name
	}
	list, err := pairs(given)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(list))
	for _, t := range list {
		old, err := a.state(ctx, t.name)
		if err != nil {
			return nil, err
		}
		r := ordered.Pairs("name", t.name, "changes", ordered.New(0), "result", true, "comment", "Package "+t.name+" "+words[2])
		switch held := old == "hold"; {
		case state == "install" && old == "":
			r.Set("result", false)
			r.Set("comment", "Package "+t.name+" does not have a state.")
		case held == (state == "hold"):
		case env.Test:
			r.Set("result", nil)
			r.Set("comment", "Package "+t.name+" "+words[0])
		default:
			if err := a.selectAs(ctx, state, []string{t.name}); err != nil {
				return nil, err
			}
			r.Set("changes", ordered.Pairs("old", old, "new", state))
			r.Set("comment", "Package "+t.name+" "+words[1])
		}
		out.Set(t.name, r)
	}
	return out, nil
}

const fileListDoc = `List the files of packages.

CLI Example:

    salt '*' pkg.file_list httpd`

func fileList(ctx context.Context, env *modules.Env, in namesArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	files, errs := []string{}, []string{}
	for _, n := range texts(in.Names) {
		r, err := a.tool(ctx, "dpkg-query", "-L", "--", n)
		if err != nil {
			return nil, err
		}
		if !r.OK() {
			errs = append(errs, r.Said())
			continue
		}
		files = append(files, strings.Split(r.Stdout, "\n")...)
	}
	return ordered.Pairs("errors", errs, "files", files), nil
}

type pathsArgs struct {
	Paths  []any          `arg:"*paths"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const ownerDoc = `Name the package that a file belongs to.

CLI Example:

    salt '*' pkg.owner /usr/bin/apachectl`

func owner(ctx context.Context, env *modules.Env, in pathsArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	paths := texts(in.Paths)
	for _, p := range paths {
		r, err := a.tool(ctx, "dpkg-query", "-S", "--", p)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(r.Stdout, ": ")
		found[p] = name
	}
	return one(paths, found), nil
}

const infoDoc = `Tell what the database of packages says of installed ones.

CLI Example:

    salt '*' pkg.info_installed bash`

func infoInstalled(ctx context.Context, env *modules.Env, in namesArgs) (any, error) {
	a, err := pickApt(env)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(in.Names))
	keys := []string{"name", "arch", "architecture", "group", "install_size", "packager", "source", "url", "version", "summary"}
	const format = `${Package}\n${Architecture}\n${Architecture}\n${Section}\n${Installed-Size}\n${Maintainer}\n${source:Package}\n${Homepage}\n${Version}\n${binary:Summary}\n`
	for _, n := range texts(in.Names) {
		r, err := a.tool(ctx, "dpkg-query", "--showformat", format, "-W", "--", n)
		if err != nil {
			return nil, err
		}
		info, fields := ordered.New(len(keys)), strings.Split(r.Stdout, "\n")
		for i, k := range keys {
			if r.OK() && i < len(fields) && fields[i] != "" {
				info.Set(k, fields[i])
			}
		}
		info.Delete("name")
		if info.Len() > 0 {
			out.Set(n, info)
		}
	}
	return out, nil
}
