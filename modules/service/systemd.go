package service

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/modules"
)

// systemd asks the service manager over D-Bus where its bus answers, and with systemctl otherwise and for what changes
// files. Words and exit codes are systemctl(1)'s.
type systemd struct {
	env *modules.Env
	// etc and run are where masks stand as links to /dev/null.
	etc, run string
	// connect opens the bus; nil with an error is no bus.
	connect func(context.Context) (bus, error)
}

func newSystemd(env *modules.Env) *systemd {
	return &systemd{env: env, etc: "/etc/systemd/system", run: "/run/systemd/system", connect: systemBus}
}

// unit is the full name of the unit of a service.
func unit(name string) string {
	switch filepath.Ext(name) {
	case ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope":
		return name
	}
	return name + ".service"
}

// short is the name of the service of a unit, as Salt shows it.
func short(unit string) string { return strings.TrimSuffix(unit, ".service") }

func (s *systemd) ctl(ctx context.Context, args ...string) (host.Text, error) {
	return host.Tool(ctx, s.env.Host, append([]string{"systemctl"}, args...)...)
}

// with runs f on the bus; false is no bus.
func (s *systemd) with(ctx context.Context, f func(bus) error) (bool, error) {
	b, err := s.connect(ctx)
	if err != nil {
		return false, nil
	}
	defer b.close()
	return true, f(b)
}

func (s *systemd) knows(ctx context.Context, name string) (bool, error) {
	var known bool
	if ok, err := s.with(ctx, func(b bus) error {
		u, err := b.unit(ctx, unit(name))
		known = u.load != "not-found"
		return err
	}); ok {
		return known, err
	}
	r, err := s.ctl(ctx, "status", unit(name), "-n", "0")
	return r.Retcode != 4, err // 4: there is no such unit
}

func (s *systemd) running(ctx context.Context, name string, _ options) (bool, error) {
	var up bool
	if ok, err := s.with(ctx, func(b bus) error {
		u, err := b.unit(ctx, unit(name))
		up = u.active == "active" || u.active == "reloading"
		return err
	}); ok {
		return up, err
	}
	r, err := s.ctl(ctx, "is-active", unit(name))
	return r.OK(), err
}

func (s *systemd) act(ctx context.Context, verb, name string, o options) (bool, error) {
	if o.unmask {
		if _, err := s.mask(ctx, name, false, o.unmaskRuntime); err != nil {
			return false, err
		}
	}
	if err := s.refresh(ctx, name); err != nil {
		return false, err
	}
	if ok, err := s.with(ctx, func(b bus) error {
		result, err := b.job(ctx, verb, unit(name), !o.noBlock)
		if err != nil {
			return modules.Errorf("%s", err)
		}
		if result != "done" {
			return modules.Errorf("Job for %s failed: %s", unit(name), result)
		}
		return nil
	}); ok {
		return err == nil, err
	}
	args := []string{verb, unit(name)}
	if verb == "force-reload" {
		args[0] = "reload-or-restart"
	}
	if o.noBlock {
		args = append([]string{"--no-block"}, args...)
	}
	r, err := s.ctl(ctx, args...)
	if err == nil && !r.OK() {
		err = modules.Errorf("%s", r.Said())
	}
	return err == nil, err
}

// refresh lets systemd read its files again when the unit's has changed.
func (s *systemd) refresh(ctx context.Context, name string) error {
	r, err := s.ctl(ctx, "show", unit(name), "--property=NeedDaemonReload")
	if err == nil && strings.HasSuffix(r.Stdout, "=yes") {
		_, err = s.ctl(ctx, "--system", "daemon-reload")
	}
	return err
}

func (s *systemd) enabled(ctx context.Context, name string) (bool, error) {
	r, err := s.ctl(ctx, "is-enabled", unit(name))
	return r.OK(), err
}

func (s *systemd) enable(ctx context.Context, name string, on bool) (bool, error) {
	verb := "enable"
	if !on {
		verb = "disable"
	}
	r, err := s.ctl(ctx, verb, unit(name))
	if err == nil && !r.OK() {
		err = modules.Errorf("%s", r.Said())
	}
	return err == nil, err
}

func (s *systemd) masked(name string, runtime bool) bool {
	dir := s.etc
	if runtime {
		dir = s.run
	}
	to, err := os.Readlink(filepath.Join(dir, unit(name)))
	return err == nil && to == "/dev/null"
}

func (s *systemd) mask(ctx context.Context, name string, on, runtime bool) (bool, error) {
	verb := "mask"
	if !on {
		verb = "unmask"
		if !s.masked(name, runtime) {
			return true, nil
		}
	}
	args := []string{verb, unit(name)}
	if runtime {
		args = []string{verb, "--runtime", unit(name)}
	}
	r, err := s.ctl(ctx, args...)
	if err == nil && !r.OK() {
		text := "Failed to " + verb + " service '" + name + "'"
		if r.Stderr != "" {
			text += ". Additional info follows:\n\n" + r.Stderr
		}
		err = modules.Errorf("%s", text)
	}
	return err == nil, err
}

// list has the units that have a file, and those that systemd has loaded.
func (s *systemd) list(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	files, err := s.ctl(ctx, "--full", "--no-legend", "--no-pager", "list-unit-files")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(files.Stdout) {
		if f := strings.Fields(line); len(f) >= 2 {
			out[short(f[0])] = f[1]
		}
	}
	units, err := s.ctl(ctx, "--full", "--no-legend", "--no-pager", "--all", "list-units")
	for line := range strings.Lines(units.Stdout) {
		f := strings.Fields(strings.TrimLeft(line, "●*x "))
		if len(f) >= 4 && f[1] == "loaded" && out[short(f[0])] == "" {
			out[short(f[0])] = "transient"
		}
	}
	return out, err
}

// active lists what runs.
func (s *systemd) active(ctx context.Context) ([]string, error) {
	out := []string{}
	units, err := s.ctl(ctx, "--full", "--no-legend", "--no-pager", "list-units")
	for line := range strings.Lines(units.Stdout) {
		if f := strings.Fields(strings.TrimLeft(line, "●*x ")); len(f) >= 4 && f[3] == "running" {
			out = append(out, short(f[0]))
		}
	}
	slices.Sort(out)
	return out, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

const showDoc = `Show all properties of a service (systemd).

CLI Example:

    salt '*' service.show nginx`

func show(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
	s, err := needSystemd(env)
	if err != nil {
		return nil, err
	}
	r, err := s.ctl(ctx, "show", unit(in.Name))
	if err != nil {
		return nil, err
	}
	out := ordered.New(64)
	for line := range strings.Lines(r.Stdout) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		out.Set(key, property(value))
	}
	return out, nil
}

// property reads "{ path=/bin/x ; argv[]=/bin/x -d ; ... }" as a map.
func property(value string) any {
	if !strings.HasPrefix(value, "{") || !strings.HasSuffix(value, "}") {
		return value
	}
	m := ordered.New(8)
	for _, part := range strings.Split(strings.Trim(value, "{}"), " ; ") {
		if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			m.Set(k, v)
		}
	}
	return m
}

func needSystemd(env *modules.Env) (*systemd, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	s, ok := p.(*systemd)
	if !ok {
		return nil, modules.Errorf("systemd is not the init system of this minion")
	}
	return s, nil
}

const reloadAllDoc = `Let systemd read its unit files again.

CLI Example:

    salt '*' service.systemctl_reload`

func systemctlReload(ctx context.Context, env *modules.Env, _ noArgs) (any, error) {
	s, err := needSystemd(env)
	if err != nil {
		return nil, err
	}
	r, err := s.ctl(ctx, "--system", "daemon-reload")
	if err == nil && !r.OK() {
		err = modules.Errorf("Problem performing systemctl daemon-reload: %s", r.Stderr)
	}
	return err == nil, err
}

const offlineDoc = `Tell whether this is a system with systemd's files whose systemd does not run, such as a chroot.

CLI Example:

    salt '*' service.offline`

func offline(_ context.Context, env *modules.Env, _ noArgs) (any, error) {
	p, err := pick(env)
	if err != nil {
		return nil, err
	}
	s, ok := p.(*systemd)
	if !ok || env.Opts.String("service_provider") != "" {
		return false, nil
	}
	_, err = os.Stat(s.run)
	return err != nil, nil
}
