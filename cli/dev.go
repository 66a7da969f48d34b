package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"brine/internal/atomicfile"
	"brine/internal/logging"
	"brine/internal/ordered"
	"brine/internal/pyjson"
	"brine/master"
	"brine/proto"
)

// devOptions are those of brine dev.
type devOptions struct {
	dir      string
	minions  string
	port     int
	http     int
	logLevel string
}

func newDev(env *Env) *cobra.Command {
	o := &devOptions{}
	cmd := &cobra.Command{
		Use:   "dev [options]",
		Short: "start a master and a few minions here, to try things out",
		Long: `Start a master with its embedded broker and store, and local minions as processes of their own. Everything is kept below
--dir; the next start finds it again. Ctrl-C stops all of it.`,
		Example: `  brine dev
  brine dev --minions=10
  brine dev --minions=web1,web2,db1 --port=1884`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), env) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", ".brine", "folder for everything")
	f.StringVar(&o.minions, "minions", "web1,web2,db1", "how many minions, or their ids separated by commas")
	f.IntVar(&o.port, "port", 1883, "port of the broker on 127.0.0.1")
	f.IntVar(&o.http, "http-port", defaultHTTP, "port of the console and the HTTP interface on 127.0.0.1; 0 serves none")
	f.StringVarP(&o.logLevel, "log-level", "l", "warning", "console log level")
	return cmd
}

// ids are the minions to start.
func (o *devOptions) ids() ([]string, error) {
	if n, err := strconv.Atoi(o.minions); err == nil {
		if n < 0 || n > 1000 {
			return nil, usagef("option --minions: %d is not between 0 and 1000", n)
		}
		first := []string{"web1", "web2", "db1"}
		out := first[:min(n, len(first))]
		for i := len(out); i < n; i++ {
			out = append(out, "m"+strconv.Itoa(i+1))
		}
		return out, nil
	}
	var out []string
	for _, id := range strings.Split(o.minions, ",") {
		id = strings.TrimSpace(id)
		if err := proto.CheckID(id); err != nil {
			return nil, usagef("option --minions: %v", err)
		}
		out = append(out, id)
	}
	return out, nil
}

func (o *devOptions) run(ctx context.Context, env *Env) error {
	ids, err := o.ids()
	if err != nil {
		return err
	}
	dir := env.abs(o.dir)
	if o.http == defaultHTTP && !free(o.http) {
		if o.http, err = freePort(); err != nil {
			return err
		}
	}
	if err := o.prepare(dir); err != nil {
		return err
	}
	opts, _, err := master.Load(filepath.Join(dir, "master"))
	if err != nil {
		return err
	}
	level, err := logging.Level(o.logLevel)
	if err != nil {
		return usagef("option -l: %v", err)
	}
	log := logging.New(env.Stderr, level)
	m, err := master.New(ctx, opts, log)
	if err != nil {
		return o.portHint(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	masterDone := make(chan error, 1)
	go func() { masterDone <- m.Run(ctx) }()
	fleet := &fleet{env: env, dir: dir, log: log}
	err = o.startFleet(ctx, env, m, fleet, ids)
	if err == nil {
		if err = o.hint(ctx, env, m, ids); err != nil {
			cancel()
		}
		select {
		case <-ctx.Done():
		case err = <-masterDone:
			masterDone <- nil
		}
	}
	fleet.stop()
	cancel()
	if stopped := <-masterDone; err == nil {
		err = stopped
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if err == nil {
		fmt.Fprintln(env.Stdout, "Stopped.")
	}
	return err
}

// defaultHTTP is the port of the console unless another is asked for; when it is taken, any free one will do.
const defaultHTTP = 8000

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func free(port int) bool {
	l, err := net.Listen("tcp", local(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", local(0))
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// portHint explains a port that is taken.
func (o *devOptions) portHint(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d on 127.0.0.1 is taken by another program: choose another with --port=%d (make run ARGS=--port=%d)", o.port, o.port+1, o.port+1)
	}
	return err
}

// prepare writes the configuration. What a user puts into DIR/master/master or beside it stays.
func (o *devOptions) prepare(dir string) error {
	m := filepath.Join(dir, "master")
	for _, d := range []string{filepath.Join(m, "master.d"), filepath.Join(dir, "srv", "salt"), filepath.Join(dir, "srv", "pillar"), filepath.Join(dir, "minions")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	if err := once(filepath.Join(m, "master"), "# Options of the development master; master.d/00-dev.conf is written anew at each start.\n"); err != nil {
		return err
	}
	listen := ""
	if o.http != 0 {
		listen = local(o.http)
	}
	return generated(filepath.Join(m, "master.d", "00-dev.conf"), ordered.Pairs("api_listen", listen,
		"interface", "127.0.0.1", "broker_port", o.port, "id", "dev_master", "pki_dir", m+"/pki", "state_dir", m+"/state", "cachedir", m+"/cache", "sock_dir", m+"/run",
		"hello_spread", 1, "file_roots", ordered.Pairs("base", []any{dir + "/srv/salt"}), "pillar_roots", ordered.Pairs("base", []any{dir + "/srv/pillar"})))
}

// once writes a file that is not there.
func once(path, text string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return atomicfile.Write(path, []byte(text), 0o600)
}

// generated writes options as JSON, which is YAML.
func generated(path string, opts *ordered.Map) error {
	text := "# Written by brine dev at each start.\n" + pyjson.Dumps(opts, pyjson.Options{Indent: 2}) + "\n"
	return atomicfile.Write(path, []byte(text), 0o600)
}

func (o *devOptions) startFleet(ctx context.Context, env *Env, m *master.Master, f *fleet, ids []string) error {
	for _, id := range ids {
		token, err := m.TokenFor(ctx, id)
		if err != nil {
			return err
		}
		if err := f.configure(id, o.port, token); err != nil {
			return err
		}
		if err := f.start(id); err != nil {
			return err
		}
	}
	fmt.Fprintf(env.Stdout, "Starting a master on 127.0.0.1:%d and %d minions ...\n", o.port, len(ids))
	deadline := time.Now().Add(30*time.Second + time.Duration(len(ids))*time.Second)
	for {
		up := m.ConnectedCount(ids)
		if up == len(ids) {
			return nil
		}
		if id, err := f.crashed(); err != nil {
			return fmt.Errorf("minion %s has ended: %w: see %s", id, err, f.logPath(id))
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d minions have connected: see %s", up, len(ids), filepath.Join(f.dir, "minions", "*", "log"))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (o *devOptions) hint(ctx context.Context, env *Env, m *master.Master, ids []string) error {
	page := ""
	if o.http != 0 {
		link, err := m.LoginLink(ctx, "dev")
		if err != nil {
			return err
		}
		page = "In a browser, to log in once: http://" + local(o.http) + link + "\n"
	}
	fmt.Fprintf(env.Stdout, `Ready: %s are connected. In another terminal, in this folder, type for example:

    %[2]s '*' test.ping
    %[2]s 'web*' cmd.run uptime
    %[2]s -G 'os:Debian' grains.item os kernel
    %[2]s event

%[4]sFiles for the minions go into %[3]s. Ctrl-C stops everything.
`, strings.Join(ids, ", "), shortSelf(env), filepath.Join(o.dir, "srv", "salt"), page)
	return nil
}

// shortSelf is how the user can call this program from here.
func shortSelf(env *Env) string {
	if rel, err := filepath.Rel(env.Dir, env.Self); err == nil && !strings.HasPrefix(rel, "..") {
		if !strings.Contains(rel, "/") {
			return "./" + rel
		}
		return rel
	}
	return env.Self
}

// fleet are the minion processes.
type fleet struct {
	env *Env
	dir string
	log *zap.Logger

	mu    sync.Mutex
	procs []*proc
}

type proc struct {
	id   string
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

func (f *fleet) home(id string) string    { return filepath.Join(f.dir, "minions", id) }
func (f *fleet) logPath(id string) string { return filepath.Join(f.home(id), "log") }

func (f *fleet) configure(id string, port int, token string) error {
	home := f.home(id)
	if err := os.MkdirAll(filepath.Join(home, "minion.d"), 0o700); err != nil {
		return err
	}
	if err := once(filepath.Join(home, "minion"), "# Options of this minion; minion.d/00-dev.conf is written anew at each start.\n"); err != nil {
		return err
	}
	opts := ordered.Pairs("id", id, "master", "127.0.0.1:"+strconv.Itoa(port), "pki_dir", home+"/pki", "cachedir", home+"/cache", "sock_dir", home+"/run",
		"acceptance_wait_time", 1, "recon_max", 3, "power_backend", "simulator")
	if token != "" {
		opts.Set("join_token", token)
	}
	return generated(filepath.Join(home, "minion.d", "00-dev.conf"), opts)
}

func (f *fleet) start(id string) error {
	out, err := os.OpenFile(f.logPath(id), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(f.env.Self, "minion", "-c", f.home(id)) //nolint:gosec // this program itself
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own keeps the terminal's Ctrl-C from the minion, which stop ends in order; should this process be
	// killed, the kernel ends the minion.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &proc{id: id, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
	}()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs = append(f.procs, p)
	return nil
}

// crashed names a minion that has ended by itself.
func (f *fleet) crashed() (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.procs {
		select {
		case <-p.done:
			if p.err == nil {
				p.err = errors.New("it stopped")
			}
			return p.id, p.err
		default:
		}
	}
	return "", nil
}

// stop ends the minions, in order at first and then by force.
func (f *fleet) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.procs {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
	deadline := time.After(10 * time.Second)
	for _, p := range f.procs {
		select {
		case <-p.done:
		case <-deadline:
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	}
}
