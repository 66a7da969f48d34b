package service

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/internal/shlex"
	"brine/modules"
)

// unitFile is what the file of a plain service says:
//
//	start: /usr/sbin/thing --foreground   # or a list of words; no shell
//	stop: thingctl stop                   # default: stop_signal
//	reload: thingctl reload               # default: reload_signal
//	forks: false                          # true: start returns, and the service writes the pid file itself
//	pidfile: /run/thing.pid               # default: <dir>/run/<name>.pid
//	user, group, cwd, env (a map), umask
//	stop_signal: TERM, stop_timeout: 10, reload_signal: HUP, start_wait: 0.25 (seconds)
type unitFile struct {
	name                     string
	start, stop, reload      []string
	forks                    bool
	pidfile                  string
	base                     host.Cmd
	stopSignal, reloadSignal unix.Signal
	startWait, stopWait      time.Duration
}

var unitName = regexp.MustCompile(`^[A-Za-z0-9@_-][A-Za-z0-9@._-]*$`)

// load reads the file of a service; the error is os.ErrNotExist when there is none.
func (p *plain) load(name string) (*unitFile, error) {
	if !unitName.MatchString(name) {
		return nil, fmt.Errorf("service %q: %w", name, os.ErrNotExist)
	}
	path := filepath.Join(p.dir, name+".yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		path = filepath.Join(p.dir, name+".yml")
		if text, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	v, err := pyyaml.Load(text, pyyaml.Options{MaxBytes: 1 << 20, Name: path})
	if err != nil {
		return nil, err
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		return nil, fmt.Errorf("%s does not hold a map", path)
	}
	return p.read(name, path, m)
}

func (p *plain) read(name, path string, m *ordered.Map) (*unitFile, error) {
	u := &unitFile{name: name, forks: pyfmt.Truth(m.Value("forks")), pidfile: m.String("pidfile")}
	if u.pidfile == "" {
		u.pidfile = filepath.Join(p.dir, "run", name+".pid")
	}
	var err error
	for key, dst := range map[string]*[]string{"start": &u.start, "stop": &u.stop, "reload": &u.reload} {
		if *dst, err = words(m.Value(key)); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, key, err)
		}
	}
	if len(u.start) == 0 {
		return nil, fmt.Errorf("%s does not say how to start the service", path)
	}
	u.base = host.Cmd{Dir: m.String("cwd"), User: m.String("user"), Group: m.String("group")}
	if v := m.Value("umask"); v != nil {
		u.base.Umask = pyfmt.Str(v)
	}
	if u.base.Dir == "" {
		u.base.Dir = "/"
	}
	for k, v := range m.Map("env").All() {
		u.base.Env = append(u.base.Env, pyfmt.Str(k)+"="+pyfmt.Str(v))
	}
	if u.stopSignal, err = signal(m.Value("stop_signal"), unix.SIGTERM); err != nil {
		return nil, fmt.Errorf("%s: stop_signal: %w", path, err)
	}
	if u.reloadSignal, err = signal(m.Value("reload_signal"), unix.SIGHUP); err != nil {
		return nil, fmt.Errorf("%s: reload_signal: %w", path, err)
	}
	if u.startWait, err = seconds(m.Value("start_wait"), 250*time.Millisecond); err != nil {
		return nil, fmt.Errorf("%s: start_wait: %w", path, err)
	}
	if u.stopWait, err = seconds(m.Value("stop_timeout"), 10*time.Second); err != nil {
		return nil, fmt.Errorf("%s: stop_timeout: %w", path, err)
	}
	return u, nil
}

func words(v any) ([]string, error) {
	switch t := v.(type) {
	case nil:
		return nil, nil
	case []any:
		out := make([]string, len(t))
		for i, w := range t {
			out[i] = pyfmt.Str(w)
		}
		return out, nil
	}
	return shlex.Split(pyfmt.Str(v))
}

func signal(v any, def unix.Signal) (unix.Signal, error) {
	if v == nil {
		return def, nil
	}
	if n, err := modules.Int(v); err == nil {
		return unix.Signal(n), nil
	}
	name := strings.ToUpper(pyfmt.Str(v))
	if s := unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG")); s != 0 {
		return s, nil
	}
	return 0, fmt.Errorf("no signal is called %s", name)
}

func seconds(v any, def time.Duration) (time.Duration, error) {
	if v == nil {
		return def, nil
	}
	f, err := modules.Float(v)
	return time.Duration(f * float64(time.Second)), err
}

func (u *unitFile) cmd(argv []string) host.Cmd {
	c := u.base
	c.Argv = argv
	c.Env = append([]string(nil), u.base.Env...)
	return c
}

// pid is the process of the service, 0 when it does not run.
func (u *unitFile) pid() int {
	text, err := os.ReadFile(u.pidfile)
	if err != nil {
		return 0
	}
	f := strings.Fields(string(text))
	if len(f) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(f[0])
	if err != nil || pid <= 1 {
		return 0
	}
	born := bornAt(pid)
	if born == "" || !u.forks && len(f) > 1 && f[1] != born {
		return 0
	}
	return pid
}

// signal sends a signal to the service: to its whole session when we started it.
func (u *unitFile) signal(pid int, s unix.Signal) error {
	to := -pid
	if u.forks {
		to = pid
	}
	if err := unix.Kill(to, s); err != nil && err != unix.ESRCH {
		return fmt.Errorf("signal service %s: %w", u.name, err)
	}
	return nil
}
