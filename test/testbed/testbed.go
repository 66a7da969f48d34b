// Package testbed starts real masters, minions and brokers as processes for tests, kills them, and starts them again.
package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyjson"
	"brine/internal/rpc"
	"brine/master"
)

// build makes the program once for all tests of a process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "brine-test-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "brine")
	cmd := exec.Command("go", "build", "-o", bin, "brine/cmd/brine")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

// Binary is the path of the program under test.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := build()
	require.NoError(t, err)
	return bin
}

// Clean removes what Binary made; for TestMain.
func Clean() {
	if bin, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
}

// Need finds a program that a test cannot do without. A machine that lacks it skips the test by name with the command
// that installs it; where CI is set that is a failure.
func Need(t testing.TB, program, install string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/bin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path
		}
	}
	msg := fmt.Sprintf("%s needs the program %s: %s", t.Name(), program, install)
	if os.Getenv("CI") == "true" {
		t.Fatal(msg)
	}
	t.Skip(msg)
	return ""
}

// FreePort is a TCP port that nobody listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Process is one process of the bed.
type Process struct {
	t    testing.TB
	name string
	args []string
	log  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts it; it ends with the test.
func (p *Process) Start() {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(p.t, err)
	defer out.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(p.t, cmd.Start(), p.name)
	done := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(done)
	}()
}

// Signal sends a signal to the process.
func (p *Process) Signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.cmd.Process.Signal(sig)
}

// Kill ends it with SIGKILL and waits.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop ends it with SIGTERM and waits.
func (p *Process) Stop() { p.end(syscall.SIGTERM) }

func (p *Process) end(sig syscall.Signal) {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(sig)
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		<-done
		p.t.Errorf("%s did not end on signal %d", p.name, sig)
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it may have left
}

// Running tells whether the process lives.
func (p *Process) Running() bool {
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// Log is what the process has written.
func (p *Process) Log() string {
	b, _ := os.ReadFile(p.log)
	return string(b)
}

// Pid of the process.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// Bed is a master with its minions and broker.
type Bed struct {
	t       testing.TB
	Dir     string
	Bin     string
	Master  *Process
	Broker  *Process // nil when it is inside the master
	Minions map[string]*Process
	Port    int
	opts    Options
}

// Options of a bed.
type Options struct {
	// Broker is "", "mosquitto" or "nats".
	Broker string
	// Minions are the ids to start.
	Minions []string
	// Master and Minion are further options.
	Master, Minion *ordered.Map
	// Manual leaves keys pending.
	Manual bool
}

// New starts a bed and waits until all its minions are connected.
func New(t testing.TB, o Options) *Bed {
	t.Helper()
	b := &Bed{t: t, Dir: t.TempDir(), Bin: Binary(t), Minions: map[string]*Process{}, Port: FreePort(t), opts: o}
	b.startBroker()
	b.write("master/master", b.masterConfig())
	b.Master = b.process("master", b.Bin, "master", "-c", b.Dir+"/master")
	b.Master.Start()
	t.Cleanup(b.stop)
	for _, id := range o.Minions {
		b.AddMinion(id)
	}
	if !o.Manual {
		b.WaitOnline(o.Minions...)
	}
	return b
}

func (b *Bed) stop() {
	for _, m := range b.Minions {
		m.Signal(syscall.SIGTERM)
	}
	for _, m := range b.Minions {
		m.Stop()
	}
	b.Master.Stop()
	if b.Broker != nil {
		b.Broker.Kill()
	}
	if b.t.Failed() {
		b.t.Logf("master log:\n%s", tail(b.Master.Log(), 60))
		for id, m := range b.Minions {
			b.t.Logf("log of %s:\n%s", id, tail(m.Log(), 20))
		}
	}
}

func tail(s string, n int) string {
	lines := bytes.Split([]byte(s), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}

func (b *Bed) process(name string, args ...string) *Process {
	return &Process{t: b.t, name: name, args: args, log: filepath.Join(b.Dir, name+".log")}
}

func (b *Bed) masterConfig() *ordered.Map {
	m := b.Dir + "/master"
	o := ordered.Pairs("id", "m_master", "interface", "127.0.0.1", "broker_port", b.Port, "pki_dir", m+"/pki", "state_dir", m+"/state", "cachedir", m+"/cache", "sock_dir", m+"/run",
		"auto_accept", !b.opts.Manual, "log_level", "info", "hello_spread", 0.2, "file_roots", ordered.Pairs("base", []any{b.Dir + "/srv"}))
	if b.Broker != nil {
		o.Set("broker", "mqtt://127.0.0.1:"+strconv.Itoa(b.Port))
	}
	o.Update(b.opts.Master)
	return o
}

func (b *Bed) write(name string, opts *ordered.Map) {
	b.t.Helper()
	path := filepath.Join(b.Dir, name)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(b.t, os.WriteFile(path, []byte(pyjson.Dumps(opts, pyjson.Options{})+"\n"), 0o600))
}

// AddMinion starts one more minion.
func (b *Bed) AddMinion(id string) *Process {
	b.t.Helper()
	home := b.Dir + "/minions/" + id
	o := ordered.Pairs("id", id, "master", "127.0.0.1:"+strconv.Itoa(b.Port), "pki_dir", home+"/pki", "cachedir", home+"/cache", "sock_dir", home+"/run",
		"acceptance_wait_time", 0.5, "recon_max", 1, "log_level", "info")
	o.Update(b.opts.Minion)
	b.write("minions/"+id+"/minion", o)
	p := b.process("minion-"+id, b.Bin, "minion", "-c", home)
	p.Start()
	b.Minions[id] = p
	return p
}

func (b *Bed) startBroker() {
	switch b.opts.Broker {
	case "mosquitto":
		bin := Need(b.t, "mosquitto", "apt-get install mosquitto")
		conf := filepath.Join(b.Dir, "mosquitto.conf")
		text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n", b.Port)
		require.NoError(b.t, os.WriteFile(conf, []byte(text), 0o600))
		b.Broker = b.process("mosquitto", bin, "-c", conf)
	case "nats":
		bin := Need(b.t, "nats-server", "apt-get install nats-server")
		conf := filepath.Join(b.Dir, "nats.conf")
		text := fmt.Sprintf("server_name: test\nlisten: 127.0.0.1:%d\njetstream { store_dir: %q }\nmqtt { listen: \"127.0.0.1:%d\" }\n", FreePort(b.t), b.Dir+"/jetstream", b.Port)
		require.NoError(b.t, os.WriteFile(conf, []byte(text), 0o600))
		b.Broker = b.process("nats", bin, "-c", conf)
	default:
		return
	}
	b.Broker.Start()
	b.WaitPort()
}

// WaitPort waits until the broker's port answers.
func (b *Bed) WaitPort() {
	b.t.Helper()
	b.Eventually(30*time.Second, "the broker's port answers", func() bool {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(b.Port), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// Eventually waits for a condition.
func (b *Bed) Eventually(limit time.Duration, what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited %s in vain until %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Socket is the master's control socket.
func (b *Bed) Socket() string { return b.Dir + "/master/run/master.sock" }

// Runner calls a runner function.
func (b *Bed) Runner(fun string, kv ...any) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var f master.Frame
	err := rpc.One(ctx, b.Socket(), "runner", master.FunRequest{Fun: fun, Kwargs: ordered.Pairs(kv...)}, &f)
	if err != nil {
		return nil, err
	}
	return f.Value.Value, nil
}

// WaitOnline waits until the minions are connected.
func (b *Bed) WaitOnline(ids ...string) {
	b.t.Helper()
	b.Eventually(60*time.Second, fmt.Sprintf("%v are connected", ids), func() bool {
		v, err := b.Runner("manage.present")
		list, _ := v.([]any)
		if err != nil {
			return false
		}
		have := map[any]bool{}
		for _, id := range list {
			have[id] = true
		}
		for _, id := range ids {
			if !have[id] {
				return false
			}
		}
		return true
	})
}

// Local runs a job and returns every frame that came.
func (b *Bed) Local(ctx context.Context, q master.LocalRequest) ([]master.Frame, error) {
	var out []master.Frame
	err := rpc.Call(ctx, b.Socket(), "local", q, func(body rpc.Body) error {
		var f master.Frame
		err := body.Decode(&f)
		out = append(out, f)
		return err
	})
	return out, err
}

// CLI runs the command line against this bed and returns what it printed and its exit code.
func (b *Bed) CLI(args ...string) (stdout, stderr string, code int) {
	b.t.Helper()
	cmd := exec.Command(b.Bin, args...)
	cmd.Env = append(os.Environ(), "BRINE_CONFIG_DIR="+b.Dir+"/master")
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}
