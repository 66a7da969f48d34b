// Package disk holds the disk.* functions: how full the file systems are, and what the block devices hold.
package disk

import (
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/host"
	"brine/internal/mounts"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "disk", Doc: "Functions for disks and file systems.", Funcs: []modules.Func{
		modules.PureFn("blkid", blkidDoc, blkid),
		modules.PureFn("inodeusage", inodeDoc, inodeUsage),
		modules.PureFn("percent", percentDoc, percent),
		modules.PureFn("usage", usageDoc, usage),
	}}
}

type usageArgs struct {
	Args any `arg:"args" def:"None"`
}

const usageDoc = `Tell how full the file systems are, in units of 1024 bytes.

args
    flags of df; l leaves out what is on other machines

CLI Example:

    salt '*' disk.usage`

func usage(_ context.Context, _ *modules.Env, in usageArgs) (any, error) {
	out := ordered.New(8)
	err := each(func(m mounts.Mount, st *unix.Statfs_t) {
		block := uint64(st.Bsize) //nolint:gosec // a size
		used := (st.Blocks - st.Bfree) * block / 1024
		avail := st.Bavail * block / 1024
		out.Set(m.Dir, ordered.Pairs("filesystem", m.Device, "1K-blocks", fmt.Sprint(st.Blocks*block/1024), "used", fmt.Sprint(used),
			"available", fmt.Sprint(avail), "capacity", share(used, used+avail)))
	})
	return out, err
}

// each visits the file systems that have a size, as df lists them.
func each(visit func(mounts.Mount, *unix.Statfs_t)) error {
	list, err := mounts.List()
	if err != nil {
		return err
	}
	devices := map[string]bool{}
	for _, m := range list {
		var st unix.Statfs_t
		if unix.Statfs(m.Dir, &st) != nil || st.Blocks == 0 {
			continue
		}
		if strings.HasPrefix(m.Device, "/") { // the same device is shown once
			if devices[m.Device] {
				continue
			}
			devices[m.Device] = true
		}
		visit(m, &st)
	}
	return nil
}

// share is a part in whole percent, rounded up, as df does.
func share(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", (part*100+whole-1)/whole)
}

const inodeDoc = `Tell how many inodes the file systems use.

CLI Example:

    salt '*' disk.inodeusage`

func inodeUsage(_ context.Context, _ *modules.Env, _ usageArgs) (any, error) {
	out := ordered.New(8)
	err := each(func(m mounts.Mount, st *unix.Statfs_t) {
		used := st.Files - st.Ffree
		out.Set(m.Dir, ordered.Pairs("inodes", fmt.Sprint(st.Files), "used", fmt.Sprint(used), "free", fmt.Sprint(st.Ffree), "use", share(used, st.Files), "filesystem", m.Device))
	})
	return out, err
}

const percentDoc = `Tell how full the file systems are, in percent; with an argument, only the one mounted there.

CLI Example:

    salt '*' disk.percent /var`

func percent(_ context.Context, _ *modules.Env, in usageArgs) (any, error) {
	out := ordered.New(8)
	err := each(func(m mounts.Mount, st *unix.Statfs_t) {
		used := st.Blocks - st.Bfree
		out.Set(m.Dir, share(used, used+st.Bavail))
	})
	if in.Args == nil || err != nil {
		return out, err
	}
	v, ok := out.Get(pyfmt.Str(in.Args))
	if !ok {
		return nil, modules.Errorf("no file system is mounted on %s", pyfmt.Str(in.Args))
	}
	return v, nil
}

const blkidDoc = `Tell what the block devices hold: type, label, UUID.

device, token
    only what this device holds, or what has this NAME=value

CLI Example:

    salt '*' disk.blkid
    salt '*' disk.blkid /dev/sda`

type blkidArgs struct {
	Device string `arg:"device" def:"None"`
	Token  string `arg:"token" def:"None"`
}

func blkid(ctx context.Context, env *modules.Env, in blkidArgs) (any, error) {
	argv := []string{"blkid"}
	switch {
	case strings.HasPrefix(in.Device, "-"):
		return nil, modules.Invalidf("%q is not a device", in.Device)
	case in.Device != "":
		argv = append(argv, in.Device)
	case in.Token != "":
		argv = append(argv, "-t", in.Token)
	}
	r, err := env.Host.Run(ctx, host.Cmd{Argv: argv, Env: os.Environ(), Dir: "/"})
	if err != nil {
		return nil, modules.Errorf("blkid cannot be run: %v", err)
	}
	out := ordered.New(4)
	for line := range strings.Lines(string(r.Stdout)) {
		dev, rest, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		facts := ordered.New(4)
		for rest != "" {
			key, after, ok := strings.Cut(rest, `="`)
			if !ok {
				break
			}
			value, tail, _ := strings.Cut(after, `"`)
			facts.Set(strings.TrimSpace(key), value)
			rest = tail
		}
		out.Set(dev, facts)
	}
	return out, nil
}
