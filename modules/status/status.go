// Package status holds the status.* functions: load, memory, processors, disks, network and uptime, as /proc tells them.
package status

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/host"
	"golang.org/x/sys/unix"

	"brine/internal/fnmatch"
	"brine/internal/mounts"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "status", Doc: "Functions that tell how the machine is doing.", Funcs: []modules.Func{
		modules.PureFn("all_status", doc("all_status", "Tell all of this: cpuinfo, cpustats, diskstats, diskusage, loadavg, meminfo, netdev, netstats, uptime, vmstats, w."), all),
		modules.PureFn("cpuinfo", doc("cpuinfo", "Tell what /proc/cpuinfo says of the last processor."), noArgs(cpuinfo)),
		modules.PureFn("cpustats", doc("cpustats", "Tell what the processors have done, from /proc/stat."), noArgs(cpustats)),
		modules.PureFn("custom", doc("custom", "Tell some of what the other functions tell, as the option status.FUNCTION.custom lists it."), custom),
		modules.PureFn("diskstats", doc("diskstats", "Tell what the disks have done, from /proc/diskstats."), noArgs(diskstats)),
		modules.PureFn("diskusage", diskusageDoc, diskusage),
		modules.PureFn("loadavg", doc("loadavg", "Tell the load of the last 1, 5 and 15 minutes."), noArgs(loadavg)),
		modules.PureFn("meminfo", doc("meminfo", "Tell what /proc/meminfo says."), noArgs(meminfo)),
		modules.PureFn("netdev", doc("netdev", "Tell what the network interfaces have done, from /proc/net/dev."), noArgs(netdev)),
		modules.PureFn("netstats", doc("netstats", "Tell the counters of the network, from /proc/net/netstat and snmp."), noArgs(netstats)),
		modules.PureFn("nproc", doc("nproc", "Tell how many processing units there are."), noArgs(nproc)),
		modules.PureFn("pid", pidDoc, pid),
		modules.PureFn("procs", doc("procs", "List the processes: user and command line by number."), noArgs(procs)),
		modules.PureFn("time", timeDoc, clock),
		modules.PureFn("uptime", doc("uptime", "Tell how long the machine has been up."), noArgs(uptime)),
		modules.PureFn("version", doc("version", "Tell what /proc/version says."), noArgs(version)),
		modules.PureFn("vmstats", doc("vmstats", "Tell the counters of the virtual memory, from /proc/vmstat."), noArgs(vmstats)),
		modules.PureFn("w", doc("w", "List who is logged in."), noArgs(w)),
	}}
}

func doc(name, text string) string { return text + "\n\nCLI Example:\n\n    salt '*' status." + name }

type none struct{}

func noArgs(f func() (any, error)) func(context.Context, *modules.Env, none) (any, error) {
	return func(context.Context, *modules.Env, none) (any, error) { return f() }
}

func lines(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	return strings.Split(strings.TrimRight(string(b), "\n"), "\n"), nil
}

// number reads a count; what is not one stays a text.
func number(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	return s
}

func numbers(names, values []string) *ordered.Map {
	out := ordered.New(len(names))
	for i, n := range names {
		if i < len(values) {
			out.Set(n, number(values[i]))
		}
	}
	return out
}

func loadavg() (any, error) {
	l, err := lines("/proc/loadavg")
	if err != nil {
		return nil, err
	}
	return numbers([]string{"1-min", "5-min", "15-min"}, strings.Fields(l[0])), nil
}

func meminfo() (any, error) {
	l, err := lines("/proc/meminfo")
	out := ordered.New(len(l))
	for _, line := range l {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		v := ordered.Pairs("value", f[1])
		if len(f) > 2 {
			v.Set("unit", f[2])
		}
		out.Set(strings.TrimSuffix(f[0], ":"), v)
	}
	return out, err
}

func cpuinfo() (any, error) {
	l, err := lines("/proc/cpuinfo")
	out := ordered.New(28)
	for _, line := range l {
		k, v, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if k == "flags" || k == "Features" {
			list := []any{}
			for _, f := range strings.Fields(v) {
				list = append(list, f)
			}
			out.Set(k, list)
			continue
		}
		out.Set(k, v)
	}
	return out, err
}

func cpustats() (any, error) {
	l, err := lines("/proc/stat")
	out := ordered.New(len(l))
	for _, line := range l {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch {
		case strings.HasPrefix(f[0], "cpu"):
			out.Set(f[0], numbers([]string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}, f[1:]))
		case f[0] == "intr" || f[0] == "softirq":
			list := []any{}
			for _, v := range f[2:] {
				list = append(list, number(v))
			}
			key := map[string]string{"intr": "irqs", "softirq": "softirqs"}[f[0]]
			out.Set(f[0], ordered.Pairs("total", number(f[1]), key, list))
		default:
			out.Set(f[0], number(f[1]))
		}
	}
	return out, err
}

func diskstats() (any, error) {
	l, err := lines("/proc/diskstats")
	out := ordered.New(len(l))
	for _, line := range l {
		f := strings.Fields(line)
		if len(f) < 14 {
			continue
		}
		out.Set(f[2], numbers([]string{
			"major", "minor", "device", "reads_issued", "reads_merged", "sectors_read", "ms_spent_reading", "writes_completed", "writes_merged",
			"sectors_written", "ms_spent_writing", "io_in_progress", "ms_spent_in_io", "weighted_ms_spent_in_io",
		}, f))
	}
	return out, err
}

func vmstats() (any, error) {
	l, err := lines("/proc/vmstat")
	out := ordered.New(len(l))
	for _, line := range l {
		if f := strings.Fields(line); len(f) > 1 {
			out.Set(f[0], number(f[1]))
		}
	}
	return out, err
}

func nproc() (any, error) { return int64(runtime.NumCPU()), nil }

// netstats reads pairs of lines: the names of the counters, then their values.
func netstats() (any, error) {
	out := ordered.New(8)
	for _, path := range []string{"/proc/net/netstat", "/proc/net/snmp"} {
		l, err := lines(path)
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(l); i += 2 {
			names, values := strings.Fields(l[i]), strings.Fields(l[i+1])
			if len(names) == 0 || len(values) == 0 {
				continue
			}
			out.Set(strings.TrimSuffix(names[0], ":"), numbers(names[1:], values[1:]))
		}
	}
	return out, nil
}

func netdev() (any, error) {
	l, err := lines("/proc/net/dev")
	if err != nil || len(l) < 2 {
		return ordered.New(0), err
	}
	names := []string{}
	parts := strings.Split(l[1], "|")
	for i, prefix := range []string{"Rx_", "Tx_"} {
		if i+1 < len(parts) {
			for _, n := range strings.Fields(parts[i+1]) {
				names = append(names, prefix+n)
			}
		}
	}
	out := ordered.New(len(l))
	for _, line := range l[2:] {
		name, values, ok := strings.Cut(line, ":")
		if ok {
			out.Set(strings.TrimSpace(name), numbers(names, strings.Fields(values)))
		}
	}
	return out, nil
}

func version() (any, error) {
	l, err := lines("/proc/version")
	if err != nil {
		return nil, err
	}
	return l[0], nil
}

func uptime() (any, error) {
	l, err := lines("/proc/uptime")
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseFloat(strings.Fields(l[0])[0], 64)
	if err != nil {
		return nil, modules.Errorf("/proc/uptime: %v", err)
	}
	up := int64(seconds)
	booted := time.Now().UTC().Add(-time.Duration(up) * time.Second)
	users, _ := host.Users() // without a login record nobody is logged in
	return ordered.Pairs("seconds", up, "since_iso", booted.Format("2006-01-02T15:04:05.000000"), "since_t", booted.Unix(), "days", up/86400,
		"time", fmt.Sprintf("%d:%d", up%86400/3600, up%3600/60), "users", int64(len(users))), nil
}

func w() (any, error) {
	out := []any{}
	users, err := host.Users()
	if err != nil {
		return out, nil //nolint:nilerr // no login record: nobody is logged in
	}
	for _, u := range users {
		started := time.Unix(int64(u.Started), 0)
		out = append(out, ordered.Pairs("idle", "", "jcpu", "", "login", started.Format("15:04"), "pcpu", "", "tty", u.Terminal, "user", u.User, "what", "", "from", u.Host))
	}
	return out, nil
}

const timeDoc = `Tell the time of the machine's clock in UTC.

format
    as strftime takes it

CLI Example:

    salt '*' status.time
    salt '*' status.time '%s'`

type timeArgs struct {
	Format string `arg:"format" def:"'%A, %d. %B %Y %I:%M%p'"`
}

func clock(_ context.Context, _ *modules.Env, in timeArgs) (any, error) { return pyTime(in.Format) }

const diskusageDoc = `Tell how full file systems are, in bytes: all, or those of the given kinds and folders.

CLI Example:

    salt '*' status.diskusage
    salt '*' status.diskusage '/dev/sd*' ext4`

type globsArgs struct {
	Which []any `arg:"*args"`
}

func diskusage(_ context.Context, _ *modules.Env, in globsArgs) (any, error) {
	list, err := mounts.List()
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	out := ordered.New(len(list))
	for _, m := range list {
		wanted := len(in.Which) == 0
		for _, g := range in.Which {
			pattern := pyfmt.Str(g)
			wanted = wanted || pattern == m.Type || fnmatch.Match(pattern, m.Dir) || fnmatch.Match(pattern, m.Device)
		}
		var st unix.Statfs_t
		if !wanted || unix.Statfs(m.Dir, &st) != nil {
			continue
		}
		size := uint64(st.Bsize) //nolint:gosec // a size
		out.Set(m.Dir, ordered.Pairs("available", int64(st.Bavail*size), "total", int64(st.Blocks*size)))
	}
	return out, nil
}

const pidDoc = `Tell the numbers of the processes whose command line has a text in it, one a line.

CLI Example:

    salt '*' status.pid <sig>`

type sigArgs struct {
	Sig string `arg:"sig"`
}

func pid(_ context.Context, _ *modules.Env, in sigArgs) (any, error) {
	var out []string
	for _, p := range processes() {
		if strings.Contains(p.cmd, in.Sig) && p.pid != os.Getpid() {
			out = append(out, strconv.Itoa(p.pid))
		}
	}
	return strings.Join(out, "\n"), nil
}

type process struct {
	pid       int
	user, cmd string
}

// processes reads /proc. One that ends meanwhile is left out.
func processes() []process {
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is right
	var out []process
	for _, dir := range dirs {
		n, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		cmd, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		text := strings.TrimSpace(strings.ReplaceAll(string(cmd), "\x00", " "))
		if text == "" {
			name, err := os.ReadFile(filepath.Join(dir, "comm"))
			if err != nil {
				continue
			}
			text = "[" + strings.TrimSpace(string(name)) + "]"
		}
		out = append(out, process{n, owner(dir), text})
	}
	return out
}

func procs() (any, error) {
	list := processes()
	out := ordered.New(len(list))
	for _, p := range list {
		out.Set(strconv.Itoa(p.pid), ordered.Pairs("user", p.user, "cmd", p.cmd))
	}
	return out, nil
}
