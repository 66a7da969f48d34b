// Package alternatives holds the alternatives.* functions: which of several programs a name stands for, by
// update-alternatives(1).
package alternatives

import (
	"context"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pytext"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "alternatives", Doc: "Functions for alternatives.", Virtual: usable, Funcs: []modules.Func{
		modules.Fn("auto", autoDoc, auto),
		modules.PureFn("check_exists", checkExistsDoc, checkExists),
		modules.PureFn("check_installed", checkInstalledDoc, checkInstalled),
		modules.PureFn("display", displayDoc, display),
		modules.Fn("install", installDoc, install),
		modules.Fn("remove", removeDoc, remove),
		modules.Fn("set", setDoc, set),
		modules.PureFn("show_current", showCurrentDoc, showCurrent),
		modules.PureFn("show_link", showLinkDoc, showLink),
	}}
}

func usable(*modules.Env) error {
	if fi, err := os.Stat("/etc/alternatives"); err != nil || !fi.IsDir() {
		return modules.Errorf("Cannot load alternatives module: /etc/alternatives dir not found")
	}
	return nil
}

// program is the command of the distribution.
func program(ctx context.Context, env *modules.Env) string {
	switch pyfmt.Str(env.Grains.Items(ctx).Value("os_family")) {
	case "RedHat":
		return "alternatives"
	}
	return "update-alternatives"
}

func run(ctx context.Context, env *modules.Env, args ...string) (*ordered.Map, error) {
	v, err := env.Call(ctx, "cmd.run_all", modules.Pos(ordered.Of(append([]string{program(ctx, env)}, args...))).With("python_shell", false).With("ignore_retcode", true))
	res, _ := v.(*ordered.Map)
	return res, err
}

// said is the output, or the reason of a failure.
func said(res *ordered.Map, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if s := res.String("stderr"); res.Value("retcode") != int64(0) && s != "" {
		return s, nil
	}
	return res.String("stdout"), nil
}

type nameArgs struct {
	Name string `arg:"name"`
}

type pathArgs struct {
	Name string `arg:"name"`
	Path string `arg:"path"`
}

const displayDoc = `Show the alternatives of a name.

CLI Example:

    salt '*' alternatives.display editor`

func display(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
	return said(run(ctx, env, "--display", in.Name))
}

const showLinkDoc = `Tell the link that a name is reached by, False for none.

CLI Example:

    salt '*' alternatives.show_link editor`

func showLink(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
	dir := "/var/lib/dpkg/alternatives/"
	switch pyfmt.Str(env.Grains.Items(ctx).Value("os_family")) {
	case "RedHat":
		dir = "/var/lib/alternatives/"
	case "Suse":
		dir = "/var/lib/rpm/alternatives/"
	}
	p, err := os.ReadFile(dir + strings.ReplaceAll(in.Name, "/", "_"))
	lines := strings.Split(string(p), "\n")
	if err != nil || len(lines) < 2 {
		return false, nil
	}
	return lines[1], nil
}

const showCurrentDoc = `Tell the path that a name stands for, False for none.

CLI Example:

    salt '*' alternatives.show_current emacs`

func showCurrent(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	to, err := os.Readlink("/etc/alternatives/" + in.Name)
	if err != nil {
		return false, nil
	}
	return to, nil
}

const checkExistsDoc = `Tell whether a path is one of the alternatives of a name.

CLI Example:

    salt '*' alternatives.check_exists name path`

func checkExists(ctx context.Context, env *modules.Env, in pathArgs) (any, error) {
	res, err := run(ctx, env, "--display", in.Name)
	if err != nil || res.Value("retcode") != int64(0) && res.String("stderr") != "" {
		return false, err
	}
	for _, l := range pytext.Splitlines(res.String("stdout"), false) {
		if strings.HasPrefix(l, in.Path) {
			return true, nil
		}
	}
	return false, nil
}

const checkInstalledDoc = `Tell whether a path is what a name stands for.

CLI Example:

    salt '*' alternatives.check_installed name path`

func checkInstalled(ctx context.Context, env *modules.Env, in pathArgs) (any, error) {
	v, err := showCurrent(ctx, env, nameArgs{in.Name})
	return v == in.Path, err
}

const installDoc = `Add an alternative to a name.

CLI Example:

    salt '*' alternatives.install editor /usr/bin/editor /usr/bin/emacs23 50`

type installArgs struct {
	Name     string `arg:"name"`
	Link     string `arg:"link"`
	Path     string `arg:"path"`
	Priority any    `arg:"priority"`
}

func install(ctx context.Context, env *modules.Env, in installArgs) (any, error) {
	return said(run(ctx, env, "--install", in.Link, in.Name, in.Path, pyfmt.Str(in.Priority)))
}

const removeDoc = `Remove an alternative of a name.

CLI Example:

    salt '*' alternatives.remove name path`

func remove(ctx context.Context, env *modules.Env, in pathArgs) (any, error) {
	return said(run(ctx, env, "--remove", in.Name, in.Path))
}

const autoDoc = `Let the priorities choose the alternative of a name.

CLI Example:

    salt '*' alternatives.auto name`

func auto(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
	return said(run(ctx, env, "--auto", in.Name))
}

const setDoc = `Choose the alternative of a name.

CLI Example:

    salt '*' alternatives.set name path`

func set(ctx context.Context, env *modules.Env, in pathArgs) (any, error) {
	return said(run(ctx, env, "--set", in.Name, in.Path))
}
