// Package ps holds the ps.* functions: processes, and what the machine's processors, memory, disks and network have done.
package ps

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"brine/internal/ordered"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "ps", Doc: "Functions for processes.", Funcs: append([]modules.Func{
		modules.PureFn("get_pid_list", "List the numbers of all processes.\n\nCLI Example:\n\n    salt '*' ps.get_pid_list", pids),
		modules.Fn("kill_pid", killPidDoc, killPid),
		modules.PureFn("pgrep", pgrepDoc, pgrep),
		modules.Fn("pkill", pkillDoc, pkill),
		modules.PureFn("proc_info", procInfoDoc, procInfo),
		modules.PureFn("psaux", psauxDoc, psaux),
		modules.PureFn("status", statusDoc, withStatus),
		modules.PureFn("top", topDoc, top),
	}, machine()...)}
}

type none struct{}

func pids(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	list, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, modules.Errorf("list processes: %v", err)
	}
	slices.Sort(list)
	return numbers(list), nil
}

func numbers(list []int32) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = int64(n)
	}
	return out
}

const procInfoDoc = `Tell facts about a process.

attrs
    which: pid, ppid, name, exe, cmdline, cwd, status, username, create_time, num_threads, nice, memory_percent, memory_info, cpu_times, terminal

CLI Example:

    salt '*' ps.proc_info 2322
    salt '*' ps.proc_info 2322 attrs='["pid", "name"]'`

type infoArgs struct {
	Pid   int      `arg:"pid"`
	Attrs []string `arg:"attrs" def:"None"`
}

// facts are the attributes of a process that can be asked for, by psutil's names.
func facts() map[string]func(*process.Process) (any, error) {
	return map[string]func(*process.Process) (any, error){
		"pid":         func(p *process.Process) (any, error) { return int64(p.Pid), nil },
		"ppid":        func(p *process.Process) (any, error) { n, err := p.Ppid(); return int64(n), err },
		"name":        func(p *process.Process) (any, error) { return p.Name() },
		"exe":         func(p *process.Process) (any, error) { return p.Exe() },
		"cwd":         func(p *process.Process) (any, error) { return p.Cwd() },
		"username":    func(p *process.Process) (any, error) { return p.Username() },
		"terminal":    func(p *process.Process) (any, error) { return p.Terminal() },
		"nice":        func(p *process.Process) (any, error) { n, err := p.Nice(); return int64(n), err },
		"num_threads": func(p *process.Process) (any, error) { n, err := p.NumThreads(); return int64(n), err },
		"create_time": func(p *process.Process) (any, error) { n, err := p.CreateTime(); return float64(n) / 1000, err },
		"memory_percent": func(p *process.Process) (any, error) {
			f, err := p.MemoryPercent()
			return float64(f), err
		},
		"cmdline": func(p *process.Process) (any, error) {
			words, err := p.CmdlineSlice()
			return texts(words), err
		},
		"status": func(p *process.Process) (any, error) {
			s, err := p.Status()
			return strings.Join(s, " "), err
		},
		"memory_info": func(p *process.Process) (any, error) {
			m, err := p.MemoryInfo()
			if err != nil {
				return nil, err
			}
			return ordered.Pairs("rss", int64(m.RSS), "vms", int64(m.VMS)), nil //nolint:gosec // sizes
		},
		"cpu_times": func(p *process.Process) (any, error) {
			t, err := p.Times()
			if err != nil {
				return nil, err
			}
			return ordered.Pairs("user", t.User, "system", t.System, "iowait", t.Iowait), nil
		},
	}
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func procInfo(ctx context.Context, _ *modules.Env, in infoArgs) (any, error) {
	p, err := process.NewProcessWithContext(ctx, int32(in.Pid)) //nolint:gosec // a pid
	if err != nil {
		return nil, modules.Errorf("process PID not found (pid=%d)", in.Pid)
	}
	all := facts()
	want := in.Attrs
	if len(want) == 0 {
		for name := range all {
			want = append(want, name)
		}
		slices.Sort(want)
	}
	out := ordered.New(len(want))
	for _, name := range want {
		f := all[name]
		if f == nil {
			return nil, modules.Errorf("invalid attr name '%s'", name)
		}
		v, err := f(p)
		if err != nil {
			v = nil // not for our eyes, or the process has just ended
		}
		out.Set(name, v)
	}
	return out, nil
}

const killPidDoc = `Send a signal to a process.

signal
    its number; 15 (SIGTERM) by default

CLI Example:

    salt '*' ps.kill_pid 2000`

type killArgs struct {
	Pid    int `arg:"pid"`
	Signal int `arg:"signal" def:"15"`
}

func killPid(_ context.Context, _ *modules.Env, in killArgs) (any, error) {
	if in.Pid <= 0 {
		return nil, modules.Invalidf("%d is not the number of a process", in.Pid)
	}
	return syscall.Kill(in.Pid, syscall.Signal(in.Signal)) == nil, nil
}

// search says which processes are meant.
type search struct {
	Pattern string `arg:"pattern"`
	User    string `arg:"user" def:"None"`
	Full    bool   `arg:"full" def:"False"`
	Regex   bool   `arg:"pattern_is_regex" def:"False"`
}

func (s search) find(ctx context.Context) ([]*process.Process, error) {
	text := s.Pattern
	if !s.Regex {
		text = regexp.QuoteMeta(text)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, modules.Invalidf("%s is no regular expression: %v", s.Pattern, err)
	}
	list, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, modules.Errorf("list processes: %v", err)
	}
	var out []*process.Process
	for _, p := range list {
		name, err := p.Name()
		if s.Full && err == nil {
			var words []string
			words, err = p.CmdlineSlice()
			name = strings.Join(words, " ")
		}
		if err != nil || !re.MatchString(name) {
			continue
		}
		if s.User != "" {
			if owner, err := p.Username(); err != nil || owner != s.User {
				continue
			}
		}
		out = append(out, p)
	}
	return out, nil
}

const pgrepDoc = `List the numbers of the processes whose name has a text in it.

user
    only those of a user
full
    look at the whole command line
pattern_is_regex
    the text is a regular expression

CLI Example:

    salt '*' ps.pgrep httpd`

func pgrep(ctx context.Context, _ *modules.Env, in search) (any, error) {
	list, err := in.find(ctx)
	if len(list) == 0 {
		return nil, err
	}
	var ids []int32
	for _, p := range list {
		ids = append(ids, p.Pid)
	}
	slices.Sort(ids)
	return numbers(ids), err
}

const pkillDoc = `Send a signal to the processes whose name has a text in it, and list those that got it.

signal
    its number; 15 (SIGTERM) by default
user, full
    as for ps.pgrep

CLI Example:

    salt '*' ps.pkill httpd signal=9`

type pkillArgs struct {
	Pattern string `arg:"pattern"`
	User    string `arg:"user" def:"None"`
	Signal  int    `arg:"signal" def:"15"`
	Full    bool   `arg:"full" def:"False"`
}

func pkill(ctx context.Context, _ *modules.Env, in pkillArgs) (any, error) {
	list, err := search{Pattern: in.Pattern, User: in.User, Full: in.Full}.find(ctx)
	if err != nil {
		return nil, err
	}
	var killed []int32
	for _, p := range list {
		if p.SendSignalWithContext(ctx, syscall.Signal(in.Signal)) == nil {
			killed = append(killed, p.Pid)
		}
	}
	if len(killed) == 0 {
		return nil, nil
	}
	return ordered.Pairs("killed", numbers(killed)), nil
}

const psauxDoc = `Show the processes whose command line has a text in it, as ps aux does.

CLI Example:

    salt '*' ps.psaux www-data.+apache2`

type nameArgs struct {
	Name string `arg:"name"`
}

func psaux(ctx context.Context, _ *modules.Env, in nameArgs) (any, error) {
	re, err := regexp.Compile(in.Name)
	if err != nil {
		return nil, modules.Invalidf("%s is no regular expression: %v", in.Name, err)
	}
	list, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, modules.Errorf("list processes: %v", err)
	}
	found := []any{}
	for _, p := range list {
		if line := auxLine(p); re.MatchString(line) {
			found = append(found, line)
		}
	}
	count := "No process found."
	if len(found) > 0 {
		count = fmt.Sprintf("%d occurrence(s).", len(found))
	}
	return []any{in.Name, found, count}, nil
}

func auxLine(p *process.Process) string {
	user, _ := p.Username()
	cmd, _ := p.Cmdline()
	mem, _ := p.MemoryPercent()
	cpu, _ := p.CPUPercent() // what cannot be read is shown as nothing
	state, _ := p.Status()
	return fmt.Sprintf("%s %d %.1f %.1f %s %s", user, p.Pid, cpu, mem, strings.Join(state, ""), cmd)
}

const statusDoc = `List the processes that are in a state: running, sleep, idle, zombie, stop, wait or lock.

CLI Example:

    salt '*' ps.status zombie`

type statusArgs struct {
	Status string `arg:"status"`
}

func withStatus(ctx context.Context, _ *modules.Env, in statusArgs) (any, error) {
	list, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, modules.Errorf("list processes: %v", err)
	}
	out := []any{}
	want := strings.TrimSuffix(in.Status, "ing") // sleeping is sleep
	for _, p := range list {
		s, err := p.StatusWithContext(ctx)
		if err != nil || !slices.ContainsFunc(s, func(have string) bool { return strings.HasPrefix(have, want) || have == in.Status }) {
			continue
		}
		name, err := p.NameWithContext(ctx)
		if err != nil {
			continue
		}
		out = append(out, ordered.Pairs("pid", int64(p.Pid), "name", name))
	}
	return out, nil
}

const topDoc = `List the processes that used the processor most during an interval.

num_processes
    how many; 5 by default
interval
    seconds; 3 by default

CLI Example:

    salt '*' ps.top
    salt '*' ps.top 5 10`

type topArgs struct {
	Num      int     `arg:"num_processes" def:"5"`
	Interval float64 `arg:"interval" def:"3"`
}

func top(ctx context.Context, _ *modules.Env, in topArgs) (any, error) {
	list, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, modules.Errorf("list processes: %v", err)
	}
	before := map[int32]float64{}
	for _, p := range list {
		if t, err := p.TimesWithContext(ctx); err == nil {
			before[p.Pid] = t.User + t.System
		}
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Duration(in.Interval * float64(time.Second))):
	}
	type used struct {
		p          *process.Process
		user, sys  float64
		difference float64
	}
	var most []used
	for _, p := range list {
		t, err := p.TimesWithContext(ctx)
		if old, ok := before[p.Pid]; ok && err == nil {
			most = append(most, used{p, t.User, t.System, t.User + t.System - old})
		}
	}
	slices.SortStableFunc(most, func(a, b used) int {
		switch {
		case a.difference > b.difference:
			return -1
		case a.difference < b.difference:
			return 1
		}
		return 0
	})
	out := []any{}
	for _, u := range most[:min(max(in.Num, 0), len(most))] {
		cmd, _ := u.p.CmdlineWithContext(ctx)
		name, _ := u.p.NameWithContext(ctx)
		if cmd == "" {
			cmd = name
		}
		user, _ := u.p.UsernameWithContext(ctx)
		status, _ := u.p.StatusWithContext(ctx)
		created, _ := u.p.CreateTimeWithContext(ctx) // a process may end while it is looked at
		out = append(out, ordered.Pairs("cmd", cmd, "user", user, "status", strings.Join(status, ""), "pid", int64(u.p.Pid),
			"create_time", float64(created)/1000, "cpu", ordered.Pairs("user", u.user, "system", u.sys)))
	}
	return out, nil
}
