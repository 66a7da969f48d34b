package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Real runs commands on this machine.
type Real struct{}

const (
	defaultMaxOutput = 64 << 20
	killDelay        = 2 * time.Second // between SIGTERM and SIGKILL
)

var _ Runner = Real{}

// Run implements Runner.
func (Real) Run(ctx context.Context, c Cmd) (Result, error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	cmd, err := c.build()
	if err != nil {
		return Result{}, err
	}
	out, errOut := &limited{max: c.limit()}, &limited{max: c.limit()}
	cmd.Stdin = bytes.NewReader(c.Stdin)
	cmd.Stdout, cmd.Stderr = out, errOut
	if c.MergeStderr {
		cmd.Stderr = out
	}
	cmd.WaitDelay = killDelay // grandchildren that keep our pipes open do not hold the job
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	pid := cmd.Process.Pid
	leave := enter(ctx, pid)
	waited, ended := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		endGroup(pid, waited)
	})
	waitErr := cmd.Wait()
	close(waited)
	leave()
	if !stop() {
		<-ended
		_ = syscall.Kill(-pid, syscall.SIGKILL) // what is left of the group
	}
	res := Result{Pid: pid, Stdout: out.buf.Bytes(), Stderr: errOut.buf.Bytes(), Truncated: out.cut || errOut.cut}
	res.TimedOut = c.Timeout > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded)
	res.Retcode, err = retcode(cmd, waitErr)
	return res, err
}

func retcode(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay), errors.As(err, &exit):
	default:
		return 0, fmt.Errorf("wait for %s: %w", cmd.Path, err)
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return -int(ws.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// endGroup asks a process group to end and makes it end. It returns when its leader has been waited for.
func endGroup(pid int, waited <-chan struct{}) {
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-waited:
	case <-time.After(killDelay):
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// Start implements Runner.
func (Real) Start(c Cmd) (int, error) {
	cmd, err := c.build()
	if err != nil {
		return 0, err
	}
	cmd.SysProcAttr.Setpgid = false
	cmd.SysProcAttr.Setsid = true
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() { _ = cmd.Wait() }() // reaps the child; it ends with the child
	return cmd.Process.Pid, nil
}

func (c *Cmd) limit() int {
	if c.MaxOutput > 0 {
		return c.MaxOutput
	}
	return defaultMaxOutput
}

func (c *Cmd) build() (*exec.Cmd, error) {
	if len(c.Argv) == 0 {
		return nil, errors.New("no command given")
	}
	argv := c.Argv
	if c.Umask != "" {
		if _, err := strconv.ParseUint(c.Umask, 8, 12); err != nil {
			return nil, fmt.Errorf("umask %q is not octal", c.Umask)
		}
		// The umask belongs to the whole process, so a shell sets it and becomes the command.
		argv = append([]string{"/bin/sh", "-c", "umask " + c.Umask + ` && exec "$@"`, "sh"}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec // running what the operator asked for is our purpose
	if c.Path != "" && c.Umask == "" {
		cmd.Path, cmd.Err = c.Path, nil
	}
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.User == "" && c.Group == "" {
		return cmd, nil
	}
	cred, home, err := credential(c.User, c.Group)
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr.Credential = cred
	if cmd.Dir == "" {
		cmd.Dir = home
	}
	return cmd, nil
}

func credential(name, group string) (*syscall.Credential, string, error) {
	u, err := user.Current()
	if name != "" {
		u, err = user.Lookup(name)
	}
	if err != nil {
		return nil, "", err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, "", err
	}
	cred := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, "", err
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			cred.Groups = append(cred.Groups, uint32(n))
		}
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return nil, "", err
		}
		n, err := strconv.ParseUint(g.Gid, 10, 32)
		if err != nil {
			return nil, "", err
		}
		cred.Gid = uint32(n)
	}
	if int(cred.Uid) == os.Getuid() && int(cred.Gid) == os.Getgid() {
		return nil, u.HomeDir, nil // nothing to change, and no right to call setgroups needed
	}
	return cred, u.HomeDir, nil
}

// limited keeps the first max bytes written to it.
type limited struct {
	mu  sync.Mutex
	buf bytes.Buffer
	max int
	cut bool
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	if room := l.max - l.buf.Len(); room < n {
		p, l.cut = p[:max(room, 0)], true
	}
	l.buf.Write(p)
	return n, nil
}
