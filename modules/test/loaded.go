package test

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// provides is the name of the file in which Salt has a family, where that is another name.
func provides(name string) string {
	switch name {
	case "cmd":
		return "cmdmod"
	case "sys":
		return "sysmod"
	case "random":
		return "mod_random"
	}
	return name
}

const providerDoc = `Tell which implementation stands behind a family of functions.

CLI Example:

    salt '*' test.provider service`

type providerArgs struct {
	Module string `arg:"module"`
}

func provider(_ context.Context, env *modules.Env, in providerArgs) (any, error) {
	for _, m := range env.Mods.Modules(env) {
		if m.Name == in.Module {
			return provides(m.Name), nil
		}
	}
	return "", nil
}

const providersDoc = `Tell which implementation stands behind each family of functions.

CLI Example:

    salt '*' test.providers`

func providers(_ context.Context, env *modules.Env, _ none) (any, error) {
	out := ordered.New(0)
	for _, m := range env.Mods.Modules(env) {
		out.Set(provides(m.Name), m.Name)
	}
	return out, nil
}

const notLoadedDoc = `List the families that are built in but cannot be used on this machine.

CLI Example:

    salt '*' test.not_loaded`

func notLoaded(_ context.Context, env *modules.Env, _ none) (any, error) {
	out := []any{}
	for _, name := range env.Mods.Unusable(env) {
		out = append(out, name)
	}
	return out, nil
}

const moduleReportDoc = `List all functions and families by the ways in which they can be reached.

CLI Example:

    salt '*' test.module_report`

func moduleReport(_ context.Context, env *modules.Env, _ none) (any, error) {
	funcs := ordered.Of(env.Mods.Functions(env, ""))
	mods := []any{}
	for _, m := range env.Mods.Modules(env) {
		mods = append(mods, m.Name)
	}
	return ordered.Pairs("functions", funcs, "function_attrs", ordered.Copy(funcs), "function_subs", ordered.Copy(funcs),
		"modules", mods, "module_attrs", ordered.Copy(mods), "missing_attrs", []any{}, "missing_subs", []any{}), nil
}

const versionDoc = `Tell the version of Salt that this minion is compatible with.

CLI Example:

    salt '*' test.version`

func version(ctx context.Context, env *modules.Env, _ none) (any, error) {
	return env.Grains.Items(ctx).Value("saltversion"), nil
}

const versionsInfoDoc = `Tell the versions of the program and of the system under it.

CLI Example:

    salt '*' test.versions_information`

func versionsInformation(ctx context.Context, env *modules.Env, _ none) (any, error) {
	return versionTables(env.Grains.Items(ctx)), nil
}

func versionTables(grains *ordered.Map) *ordered.Map {
	text := func(names ...string) string {
		var parts []string
		for _, n := range names {
			if v := grains.Value(n); v != nil {
				parts = append(parts, pyfmt.Str(v))
			}
		}
		return strings.Join(parts, " ")
	}
	return ordered.Pairs(
		"Salt Version", ordered.Pairs("Salt", text("saltversion")),
		"Dependency Versions", ordered.Pairs("Brine", text("brineversion"), "Go", strings.TrimPrefix(runtime.Version(), "go")),
		"System Versions", ordered.Pairs(
			"dist", strings.ToLower(text("os"))+" "+text("osrelease", "oscodename"), "locale", "utf-8", "machine", text("cpuarch"),
			"release", text("kernelrelease"), "system", text("kernel"), "version", text("osfullname", "osrelease", "oscodename")),
	)
}

const versionsReportDoc = `Tell the versions of the program and of the system under it as a text to read.

CLI Example:

    salt '*' test.versions_report`

func versionsReport(ctx context.Context, env *modules.Env, _ none) (any, error) {
	tables := versionTables(env.Grains.Items(ctx))
	width := 0
	for _, t := range tables.All() {
		for _, k := range t.(*ordered.Map).Keys() {
			width = max(width, len(k.(string)))
		}
	}
	var lines []string
	for title, t := range tables.All() {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, title.(string)+":")
		for k, v := range t.(*ordered.Map).All() {
			lines = append(lines, fmt.Sprintf("%*s: %s", width+4, k, v))
		}
	}
	return strings.Join(lines, "\n"), nil
}
