package cmd

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/shlex"
	"brine/modules"
)

const runChrootDoc = `Run a command below another root folder, with /dev, /proc and /sys mounted there and the folders of binds too; give back its
pid, exit code and both outputs. Processes that stay behind are ended before the mounts go.
` + common + `run_chroot /var/lib/lxc/container_name/rootfs 'sh /tmp/bootstrap.sh'`

func runChroot(ctx context.Context, env *modules.Env, in command) (any, error) {
	mounts, err := mountAll(in.Root, in.Binds)
	defer unmount(mounts)
	if err != nil {
		return nil, err
	}
	sh := "/bin/sh"
	if pypath.IsFile(pypath.Join(in.Root, "bin/bash")) {
		sh = "/bin/bash"
	}
	words := []string{"chroot"}
	if user := text(in.Runas); user != "" {
		words = append(words, "--userspec", shlex.Quote(user+":"+text(in.Group)))
	}
	words = append(words, shlex.Quote(in.Root), sh, "-c", shlex.Quote(in.joined()))
	in.Cmd, in.Runas, in.Group = strings.Join(words, " "), nil, nil
	out, err := in.all(ctx, env)
	endProcesses(in.Root)
	return out, err
}

// mountAll mounts what a chroot needs and returns the mount points in the order made, also when one fails.
func mountAll(root string, binds any) ([]string, error) {
	var done []string
	for _, m := range []struct{ dir, source, kind string }{{"dev", "devtmpfs", "devtmpfs"}, {"proc", "proc", "proc"}, {"sys", "sysfs", "sysfs"}} {
		at := pypath.Join(root, m.dir)
		if err := unix.Mount(m.source, at, m.kind, 0, ""); err != nil {
			return done, modules.Errorf("Unable to mount %s: %v", at, err)
		}
		done = append(done, at)
	}
	list, _ := binds.([]any)
	for _, b := range list {
		from := pyfmt.Str(b)
		at := pypath.Join(root, strings.TrimLeft(pypath.Normpath(from), "/"))
		if err := unix.Mount(from, at, "", unix.MS_BIND, ""); err != nil {
			return done, modules.Errorf("Unable to mount %s: %v", at, err)
		}
		done = append(done, at)
	}
	return done, nil
}

func unmount(mounts []string) {
	for i := len(mounts) - 1; i >= 0; i-- {
		_ = unix.Unmount(mounts[i], 0) // a busy one stays, as in Salt
	}
}

// endProcesses ends what still runs below root: three times gently, three times by force.
func endProcesses(root string) {
	for i := range 6 {
		pids := processesIn(root)
		if len(pids) == 0 {
			return
		}
		sig := unix.SIGTERM
		if i >= 3 {
			sig = unix.SIGKILL
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, sig)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func processesIn(root string) []int {
	var out []int
	links, _ := filepath.Glob("/proc/[0-9]*/root")
	for _, l := range links {
		to, err := os.Readlink(l)
		pid, err2 := strconv.Atoi(pypath.Basename(pypath.Dirname(l)))
		if err == nil && err2 == nil && root != "/" && (to == root || strings.HasPrefix(to, strings.TrimRight(root, "/")+"/")) {
			out = append(out, pid)
		}
	}
	return out
}
