package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/atomicfile"
	"brine/internal/host"
	"brine/internal/pyfmt"
	"brine/modules"
)

// plain keeps processes that files describe: <dir>/<name>.yaml (see unitFile). What runs is known by pid files; a mark
// in <dir>/enabled says which services are to start at boot, for whatever starts the minion there.
type plain struct {
	env *modules.Env
	dir string
}

const pollEvery = 10 * time.Millisecond

func (p *plain) mark(name string) string { return filepath.Join(p.dir, "enabled", name) }

func (p *plain) list(context.Context) (map[string]string, error) {
	out := map[string]string{}
	entries, err := os.ReadDir(p.dir)
	for _, e := range entries {
		name, ext := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), filepath.Ext(e.Name())
		if ext != ".yaml" && ext != ".yml" {
			continue
		}
		out[name] = "disabled"
		if _, err := os.Stat(p.mark(name)); err == nil {
			out[name] = "enabled"
		}
	}
	return out, err
}

func (p *plain) running(ctx context.Context, name string, o options) (bool, error) {
	if o.sig != "" {
		v, err := p.env.Call(ctx, "status.pid", modules.Pos(o.sig))
		return pyfmt.Truth(v), err
	}
	u, err := p.load(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return u.pid() != 0, nil
}

func (p *plain) enabled(_ context.Context, name string) (bool, error) {
	if !unitName.MatchString(name) {
		return false, nil
	}
	_, err := os.Stat(p.mark(name))
	return err == nil, nil
}

func (p *plain) enable(_ context.Context, name string, on bool) (bool, error) {
	if _, err := p.load(name); err != nil {
		return false, p.unknown(name, err)
	}
	if !on {
		err := os.Remove(p.mark(name))
		return err == nil || errors.Is(err, os.ErrNotExist), nil
	}
	if err := os.MkdirAll(filepath.Dir(p.mark(name)), 0o755); err != nil {
		return false, err
	}
	return true, atomicfile.Write(p.mark(name), nil, 0o644)
}

func (p *plain) unknown(name string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return modules.Errorf("The named service %s is not available", name)
	}
	return modules.Errorf("%s", err)
}

func (p *plain) act(ctx context.Context, verb, name string, _ options) (bool, error) {
	u, err := p.load(name)
	if err != nil {
		return false, p.unknown(name, err)
	}
	switch verb {
	case "start":
		err = p.start(ctx, u)
	case "stop":
		err = p.stop(ctx, u)
	case "restart":
		if err = p.stop(ctx, u); err == nil {
			err = p.start(ctx, u)
		}
	default:
		err = p.reload(ctx, u)
	}
	return err == nil, err
}

// start starts the process and looks at it for a moment: one that ends at once has not started.
func (p *plain) start(ctx context.Context, u *unitFile) error {
	if u.pid() != 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(u.pidfile), 0o755); err != nil {
		return err
	}
	if u.forks {
		r, err := host.Exec(ctx, p.env.Host, u.cmd(u.start))
		if err != nil || !r.OK() {
			return modules.Errorf("Service %s failed to start: %s", u.name, reason(r, err))
		}
		return p.wait(ctx, u, u.startWait, true)
	}
	c := u.cmd(u.start)
	c.Env = append(os.Environ(), c.Env...)
	pid, err := p.env.Host.Start(c)
	if err != nil {
		return modules.Errorf("Service %s failed to start: %s", u.name, err)
	}
	if err := atomicfile.Write(u.pidfile, fmt.Appendf(nil, "%d\n%s\n", pid, bornAt(pid)), 0o644); err != nil {
		return errors.Join(err, unix.Kill(-pid, unix.SIGKILL))
	}
	if err := p.wait(ctx, u, u.startWait, false); err == nil || ctx.Err() != nil {
		return modules.Errorf("Service %s ended right after its start", u.name)
	}
	return nil
}

func reason(r host.Text, err error) string {
	if err != nil {
		return err.Error()
	}
	if s := r.Said(); s != "" {
		return s
	}
	return fmt.Sprintf("exit code %d", r.Retcode)
}

// wait waits until the service is up or gone.
func (p *plain) wait(ctx context.Context, u *unitFile, limit time.Duration, up bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for (u.pid() != 0) != up {
		select {
		case <-ctx.Done():
			return modules.Errorf("Service %s did not come to the state in %s", u.name, limit)
		case <-tick.C:
		}
	}
	return nil
}

func (p *plain) stop(ctx context.Context, u *unitFile) error {
	pid := u.pid()
	if pid == 0 {
		return nil
	}
	if len(u.stop) > 0 {
		if r, err := host.Exec(ctx, p.env.Host, u.cmd(u.stop)); err != nil || !r.OK() {
			return modules.Errorf("Service %s failed to die: %s", u.name, reason(r, err))
		}
	} else if err := u.signal(pid, u.stopSignal); err != nil {
		return err
	}
	if err := p.wait(ctx, u, u.stopWait, false); err != nil {
		if pid = u.pid(); pid != 0 {
			if err := u.signal(pid, unix.SIGKILL); err != nil {
				return err
			}
		}
		if err := p.wait(ctx, u, u.stopWait, false); err != nil {
			return err
		}
	}
	if err := os.Remove(u.pidfile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (p *plain) reload(ctx context.Context, u *unitFile) error {
	pid := u.pid()
	if pid == 0 {
		return modules.Errorf("Service %s is not running", u.name)
	}
	if len(u.reload) == 0 {
		return unix.Kill(pid, u.reloadSignal)
	}
	r, err := host.Exec(ctx, p.env.Host, u.cmd(u.reload))
	if err != nil || !r.OK() {
		return modules.Errorf("Service %s failed to reload: %s", u.name, reason(r, err))
	}
	return nil
}

// bornAt is when a process started, in clock ticks since boot (proc(5), stat field 22): with it a pid that the kernel
// has given to another process is not taken for the service. It is empty for one that has ended.
func bornAt(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before it may hold anything
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return ""
	}
	return f[19]
}
