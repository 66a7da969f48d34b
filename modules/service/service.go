// Package service holds the service.* functions. Behind them stands one of three providers: systemd (over D-Bus, else
// with systemctl), sysv (the service program and the scripts of /etc/init.d), and plain, which keeps processes that
// YAML files describe, for hosts and containers without an init.
//
// The option service_provider names one; without it the first that fits is taken: systemd where it is the init, plain
// where service_dir (by default the folder "services" beside the configuration file) exists, then sysv.
package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

// provider is one way to look after services.
type provider interface {
	// list maps each known service to "enabled", "disabled", "static" or another word for how it starts at boot.
	list(ctx context.Context) (map[string]string, error)
	running(ctx context.Context, name string, o options) (bool, error)
	// act does start, stop, restart, reload or force-reload; false is a failure without a reason.
	act(ctx context.Context, verb, name string, o options) (bool, error)
	enabled(ctx context.Context, name string) (bool, error)
	enable(ctx context.Context, name string, on bool) (bool, error)
}

// masker is a provider that can forbid a service to start.
type masker interface {
	masked(name string, runtime bool) bool
	mask(ctx context.Context, name string, on, runtime bool) (bool, error)
}

// options of one call.
type options struct {
	noBlock, unmask, unmaskRuntime bool
	sig                            string
}

// Module is the family.
func Module() modules.Module {
	fns := []modules.Func{
		modules.PureFn("available", availableDoc, available(true)),
		modules.PureFn("disabled", disabledDoc, isEnabled(false)),
		modules.PureFn("enabled", enabledDoc, isEnabled(true)),
		modules.PureFn("get_all", getAllDoc, listed(nil)),
		modules.PureFn("get_disabled", getDisabledDoc, listed([]string{"disabled"})),
		modules.PureFn("get_enabled", getEnabledDoc, listed([]string{"enabled"})),
		modules.PureFn("get_running", getRunningDoc, getRunning),
		modules.PureFn("get_static", getStaticDoc, listed([]string{"static"})),
		modules.PureFn("masked", maskedDoc, isMasked),
		modules.PureFn("missing", missingDoc, available(false)),
		modules.PureFn("offline", offlineDoc, offline),
		modules.PureFn("show", showDoc, show),
		modules.PureFn("status", statusDoc, status),
		modules.Fn("disable", disableDoc, setEnabled(false)),
		modules.Fn("enable", enableDoc, setEnabled(true)),
		modules.Fn("mask", maskDoc, setMasked(true)),
		modules.Fn("systemctl_reload", reloadAllDoc, systemctlReload),
		modules.Fn("unmask", unmaskDoc, setMasked(false)),
	}
	for _, v := range [][2]string{{"start", "start"}, {"stop", "stop"}, {"restart", "restart"}, {"reload", "reload"}, {"force_reload", "force-reload"}} {
		fns = append(fns, modules.Fn(v[0], fmt.Sprintf(actDoc, strings.ReplaceAll(v[0], "_", " "), v[0]), act(v[1])))
	}
	return modules.Module{Name: "service", Doc: "Functions for services.", Funcs: fns, Virtual: func(env *modules.Env) error {
		_, err := pick(env)
		return err
	}}
}

// pick chooses the provider.
func pick(env *modules.Env) (provider, error) {
	dir := pyfmt.Str(env.Opts.Value("service_dir"))
	if dir == "None" || dir == "" {
		dir = filepath.Join(filepath.Dir(env.Opts.String("conf_file")), "services")
	}
	name := env.Opts.String("service_provider")
	if m := env.Opts.Map("providers"); name == "" && m != nil {
		name = m.String("service")
	}
	switch {
	case name == "systemd", name == "systemd_service", name == "" && pypath.IsDir("/run/systemd/system"):
		return newSystemd(env), nil
	case name == "plain", name == "" && pypath.IsDir(dir):
		return &plain{env: env, dir: dir}, nil
	case name == "sysv", name == "service", name == "debian_service", name == "rh_service",
		name == "" && pypath.IsDir("/etc/init.d") && pypath.Which("service") != "":
		return &sysv{env: env, root: "/etc"}, nil
	case name != "":
		return nil, fmt.Errorf("there is no service provider called %s", name)
	}
	return nil, errors.New("no init system was found, and no folder of service files (service_dir)")
}

type nameArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

type actArgs struct {
	Name          string         `arg:"name"`
	NoBlock       bool           `arg:"no_block" def:"False"`
	Unmask        bool           `arg:"unmask" def:"False"`
	UnmaskRuntime bool           `arg:"unmask_runtime" def:"False"`
	Kwargs        modules.Kwargs `arg:"**kwargs"`
}

const actDoc = `%[1]s a service.

no_block
    do not wait until it is done (systemd)
unmask, unmask_runtime
    first lift what forbids the service to start (systemd)

CLI Example:

    salt '*' service.%[2]s nginx`

func act(verb string) func(context.Context, *modules.Env, actArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in actArgs) (any, error) {
		p, err := pick(env)
		if err != nil {
			return nil, err
		}
		return p.act(ctx, verb, in.Name, options{noBlock: in.NoBlock, unmask: in.Unmask, unmaskRuntime: in.UnmaskRuntime})
	}
}

const availableDoc = `Tell whether a service is known here.

CLI Example:

    salt '*' service.available sshd`

const missingDoc = `Tell whether a service is not known here.

CLI Example:

    salt '*' service.missing sshd`

// knower is a provider that knows one service without listing all.
type knower interface {
	knows(ctx context.Context, name string) (bool, error)
}

func available(want bool) func(context.Context, *modules.Env, nameArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
		p, err := pick(env)
		if err != nil {
			return nil, err
		}
		if k, ok := p.(knower); ok {
			known, err := k.knows(ctx, in.Name)
			return known == want, err
		}
		all, err := p.list(ctx)
		_, known := all[in.Name]
		return known == want, err
	}
}

type noArgs struct {
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const getAllDoc = `List all services.

CLI Example:

    salt '*' service.get_all`

const getEnabledDoc = `List the services that start at boot.

CLI Example:

    salt '*' service.get_enabled`

const getDisabledDoc = `List the services that do not start at boot.

CLI Example:

    salt '*' service.get_disabled`

const getStaticDoc = `List the services that only start when another one needs them (systemd).

CLI Example:

    salt '*' service.get_static`

func listed(states []string) func(context.Context, *modules.Env, noArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, _ noArgs) (any, error) {
		p, err := pick(env)
		if err != nil {
			return nil, err
		}
		all, err := p.list(ctx)
		out := []string{}
		for name, state := range all {
			if states == nil || slices.Contains(states, state) {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return out, err
	}
}

const getRunningDoc = `List the services that run.

CLI Example:

    salt '*' service.get_running`

func getRunning(ctx context.Context, env *modules.Env, _ noArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	if s, ok := p.(*systemd); ok {
		return s.active(ctx)
	}
	all, err := p.list(ctx)
	out := []string{}
	for name := range all {
		up, err := p.running(ctx, name, options{})
		if err == nil && up {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, err
}

type statusArgs struct {
	Name   string         `arg:"name"`
	Sig    any            `arg:"sig" def:"None"`
	Wait   any            `arg:"wait" def:"3"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const statusDoc = `Tell whether a service runs. A pattern gives a map of the services it matches.

sig
    text to look for in the list of processes instead (not with systemd)

CLI Example:

    salt '*' service.status nginx
    salt '*' service.status 'ssh*'`

func status(ctx context.Context, env *modules.Env, in statusArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	o := options{}
	if pyfmt.Truth(in.Sig) {
		o.sig = pyfmt.Str(in.Sig)
	}
	if !strings.ContainsAny(in.Name, "*?[") {
		return p.running(ctx, in.Name, o)
	}
	all, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	out := ordered.New(4)
	for _, name := range sortedKeys(all) {
		if !fnmatch.Match(in.Name, name) {
			continue
		}
		up, err := p.running(ctx, name, o)
		if err != nil {
			return nil, err
		}
		out.Set(name, up)
	}
	return out, nil
}

const enabledDoc = `Tell whether a service starts at boot.

CLI Example:

    salt '*' service.enabled nginx`

const disabledDoc = `Tell whether a service does not start at boot.

CLI Example:

    salt '*' service.disabled nginx`

func isEnabled(want bool) func(context.Context, *modules.Env, nameArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
		p, err := pick(env)
		if err != nil {
			return nil, err
		}
		on, err := p.enabled(ctx, in.Name)
		return on == want, err
	}
}

const enableDoc = `Let a service start at boot.

CLI Example:

    salt '*' service.enable nginx`

const disableDoc = `Let a service not start at boot.

CLI Example:

    salt '*' service.disable nginx`

func setEnabled(on bool) func(context.Context, *modules.Env, actArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in actArgs) (any, error) {
		p, err := pick(env)
		if err != nil {
			return nil, err
		}
		if m, ok := p.(masker); ok && in.Unmask {
			if _, err := m.mask(ctx, in.Name, false, in.UnmaskRuntime); err != nil {
				return nil, err
			}
		}
		return p.enable(ctx, in.Name, on)
	}
}

type maskArgs struct {
	Name    string `arg:"name"`
	Runtime bool   `arg:"runtime" def:"False"`
}

const maskDoc = `Forbid a service to start at all (systemd).

runtime
    only until the next boot

CLI Example:

    salt '*' service.mask foo`

const unmaskDoc = `Allow a masked service to start again (systemd).

CLI Example:

    salt '*' service.unmask foo`

const maskedDoc = `Tell whether a service is forbidden to start (systemd).

runtime
    until the next boot

CLI Example:

    salt '*' service.masked foo`

func pickMasker(env *modules.Env) (masker, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	m, ok := p.(masker)
	if !ok {
		return nil, modules.Errorf("Service masking not available on this minion")
	}
	return m, nil
}

func setMasked(on bool) func(context.Context, *modules.Env, maskArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in maskArgs) (any, error) {
		m, err := pickMasker(env)
		if err != nil {
			return nil, err
		}
		return m.mask(ctx, in.Name, on, in.Runtime)
	}
}

func isMasked(_ context.Context, env *modules.Env, in maskArgs) (any, error) {
	m, err := pickMasker(env)
	if err != nil {
		return nil, err
	}
	return m.masked(in.Name, in.Runtime), nil
}
