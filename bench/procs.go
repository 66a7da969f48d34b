package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"brine/internal/ordered"
	"brine/internal/pyjson"
	"brine/internal/rpc"
	"brine/master"
)

// child is a process that ends with its owner.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func spawn(ctx context.Context, log string, name string, args ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stderr = f
	c := &child{cmd: cmd}
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewScanner(out)
	return c, cmd.Start()
}

// ask writes a line and reads one.
func (c *child) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		return "", err
	}
	if !c.out.Scan() {
		return "", errors.New("the process has ended")
	}
	return c.out.Text(), nil
}

func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.in.Close()
	_ = c.cmd.Wait()
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// rss is the resident memory of a process in bytes; pss shares pages among those that use them.
func memoryOf(pid int) (rss, pss int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for _, line := range strings.Split(string(text), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "Rss:":
			rss = n << 10
		case "Pss:":
			pss = n << 10
		}
	}
	return rss, pss
}

// bed is a master process.
type bed struct {
	s    *settings
	dir  string
	port int
	m    *child
}

func newBed(ctx context.Context, s *settings, name string) (*bed, error) {
	b := &bed{s: s, dir: filepath.Join(s.dir, name), port: freePort()}
	m := b.dir + "/master"
	if err := writeOptions(m+"/master", ordered.Pairs("id", "bench_master", "interface", "127.0.0.1", "broker_port", b.port, "pki_dir", m+"/pki", "state_dir", m+"/state",
		"cachedir", m+"/cache", "sock_dir", m+"/run", "auto_accept", true, "timeout", 30, "gather_job_timeout", 30, "hello_spread", 1)); err != nil {
		return nil, err
	}
	return b, b.start(ctx)
}

func (b *bed) start(ctx context.Context) (err error) {
	if b.m, err = spawn(ctx, b.dir+"/master.log", b.s.bin, "master", "-c", b.dir+"/master"); err != nil {
		return err
	}
	for range 500 {
		if _, err = b.online(ctx); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func writeOptions(path string, o *ordered.Map) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(pyjson.Dumps(o, pyjson.Options{})+"\n"), 0o600)
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (b *bed) socket() string { return b.dir + "/master/run/master.sock" }

// online is how many minions are connected.
func (b *bed) online(ctx context.Context) (int, error) {
	var f master.Frame
	if err := rpc.One(ctx, b.socket(), "runner", master.FunRequest{Fun: "manage.present"}, &f); err != nil {
		return 0, err
	}
	list, _ := f.Value.Value.([]any)
	return len(list), nil
}

func (b *bed) waitOnline(ctx context.Context, n int, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		got, err := b.online(ctx)
		if err == nil && got >= n {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d minions are online after %s: %w", got, n, limit, errors.Join(err, ctx.Err()))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// ping runs test.ping on everyone and returns how long it took until the last stored return.
func (b *bed) ping(ctx context.Context, n int) (time.Duration, error) {
	got := 0
	begin := time.Now()
	err := rpc.Call(ctx, b.socket(), "local", master.LocalRequest{Tgt: "*", TgtType: "glob", Fun: "test.ping", User: "bench"}, func(body rpc.Body) error {
		var f struct {
			Return msgpack.RawMessage `msgpack:"return"`
		}
		if err := body.Decode(&f); err != nil {
			return err
		}
		if len(f.Return) > 0 && f.Return[0] != 0xc0 {
			got++
		}
		return nil
	})
	took := time.Since(begin)
	if err == nil && got != n {
		err = fmt.Errorf("%d of %d answered", got, n)
	}
	return took, err
}

func (b *bed) stop() { b.m.stop() }

// perProcess is how many simulated minions share a process: each has a connection and a journal open, and a process may
// often have no more than 20,000 files.
const perProcess = 5000

// fleet starts n simulated minions, in as few processes as may have so many files open.
func (b *bed) fleet(ctx context.Context, n int) (fleet, error) {
	var f fleet
	for first := 0; first < n; first += perProcess {
		c, err := spawn(ctx, b.dir+"/fleet.log", b.s.self, "-role", "fleet", "-arg", fmt.Sprintf("%d,%d,%d,%s", b.port, first, min(perProcess, n-first), b.dir+"/fleet"))
		if err != nil {
			return f, err
		}
		f = append(f, c)
	}
	return f, b.waitOnline(ctx, n, 3*time.Minute)
}

type fleet []*child

func (f fleet) kill() {
	for _, c := range f {
		c.kill()
	}
}
