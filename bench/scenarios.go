package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/master"
)

func header() string {
	cpu := "unknown"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				cpu = strings.TrimSpace(v)
				break
			}
		}
	}
	return fmt.Sprintf(`# Benchmarks

Written by `+"`make bench`"+` on %s: %s, %d processors, %s/%s, %s.
Each figure is the minimum and the median of its rounds: read the minimum as the machine's speed, the median as with company.
Compare ratios taken in one run, never single figures from different machines.
`, time.Now().UTC().Format("2006-01-02"), cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// stat are the rounds of one measurement.
type stat []time.Duration

func (s stat) min() time.Duration    { return slices.Min(s) }
func (s stat) median() time.Duration { c := slices.Clone(s); slices.Sort(c); return c[len(c)/2] }

func (s stat) String() string { return fmt.Sprintf("%s / %s", ms(s.min()), ms(s.median())) }

func ms(d time.Duration) string {
	v := float64(d.Microseconds()) / 1000
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// fleetPing compares a fleet's test.ping with plain echoes through the same broker.
func fleetPing(ctx context.Context, s *settings) (string, error) {
	var b strings.Builder
	b.WriteString("## A fleet's test.ping against plain MQTT\n\n" +
		"From publish to last stored return, N simulated minions (real keys, sealed messages, own connections) in one process, the master in another. " +
		"The floor: the same broker in one process, N plain paho clients in another, each answering 300 bytes with 300 bytes. Milliseconds, minimum / median.\n\n" +
		"| N | floor | test.ping | ratio of the minima | ratio of the medians |\n|---|---|---|---|---|\n")
	for _, size := range strings.Split(s.sizes, ",") {
		n := atoi(size)
		floor, ours, err := fleetRound(ctx, s, n)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %.2f | %.2f |\n", n, floor, ours, float64(ours.min())/float64(floor.min()), float64(ours.median())/float64(floor.median()))
	}
	return b.String(), nil
}

func fleetRound(ctx context.Context, s *settings, n int) (floor, ours stat, err error) {
	if floor, err = measureFloor(ctx, s, n); err != nil {
		return nil, nil, err
	}
	bd, err := newBed(ctx, s, fmt.Sprintf("fleet%d", n))
	if err != nil {
		return nil, nil, err
	}
	defer bd.stop()
	f, err := bd.fleet(ctx, n)
	defer f.kill()
	if err != nil {
		return nil, nil, err
	}
	time.Sleep(2 * time.Second) // acknowledgements of the handshakes
	for i := range s.rounds + 1 {
		d, err := bd.ping(ctx, n)
		if err != nil {
			return nil, nil, err
		}
		if i > 0 { // the first is a warm-up
			ours = append(ours, d)
		}
		time.Sleep(1500 * time.Millisecond)
	}
	return floor, ours, nil
}

func measureFloor(ctx context.Context, s *settings, n int) (stat, error) {
	broker, err := spawn(ctx, s.dir+"/floor.log", s.self, "-role", "floor")
	if err != nil {
		return nil, err
	}
	defer broker.kill()
	if !broker.out.Scan() {
		return nil, errors.New("the floor's broker did not start")
	}
	_, port, _ := strings.Cut(broker.out.Text(), " ")
	clients, err := spawn(ctx, s.dir+"/echo.log", s.self, "-role", "echo", "-arg", port+","+fmt.Sprint(n))
	if err != nil {
		return nil, err
	}
	defer clients.kill()
	for {
		got, err := broker.ask("clients")
		if err != nil {
			return nil, err
		}
		if atoi(got) == n {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(time.Second)
	var out stat
	for i := range s.rounds + 1 {
		got, err := broker.ask(fmt.Sprintf("go %d", n))
		if err != nil {
			return nil, err
		}
		us := atoi(got)
		if us < 0 {
			return nil, fmt.Errorf("the floor lost messages at N=%d", n)
		}
		if i > 0 {
			out = append(out, time.Duration(us)*time.Microsecond)
		}
		time.Sleep(300 * time.Millisecond)
	}
	return out, nil
}

// realFleet starts n minion processes.
func (b *bed) realFleet(ctx context.Context, n int) ([]*child, error) {
	var out []*child
	for i := range n {
		id := name(i)
		home := b.dir + "/minions/" + id
		if err := writeOptions(home+"/minion", ordered.Pairs("id", id, "master", fmt.Sprintf("127.0.0.1:%d", b.port), "pki_dir", home+"/pki",
			"cachedir", home+"/cache", "sock_dir", home+"/run", "recon_max", 2)); err != nil {
			return out, err
		}
		c, err := spawn(ctx, home+"/log", b.s.bin, "minion", "-c", home)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, b.waitOnline(ctx, n, 3*time.Minute)
}

// processes measures fleets of real minion processes, and the command line on top.
func processes(ctx context.Context, s *settings) (string, error) {
	var b strings.Builder
	b.WriteString("## Real minion processes\n\ntest.ping of all, milliseconds, minimum / median: from a running client (publish to last return), and as a whole command line.\n\n" +
		"| minions | client | command line | minion memory: RSS, PSS (MiB) |\n|---|---|---|---|\n")
	for _, n := range []int{1, 10, 100, 200} {
		row, err := processRow(ctx, s, n)
		if err != nil {
			return "", err
		}
		b.WriteString(row)
	}
	b.WriteString("\nSalt 3006 on such a machine: 100 minions 5,810 ms from a running client, 4,890 ms by command line. Choria 0.29: 200 servers 720 ms (TLS) and 263 ms (plain) in process.\n")
	return b.String(), nil
}

func processRow(ctx context.Context, s *settings, n int) (string, error) {
	bd, err := newBed(ctx, s, fmt.Sprintf("procs%d", n))
	if err != nil {
		return "", err
	}
	defer bd.stop()
	fleet, err := bd.realFleet(ctx, n)
	defer func() {
		for _, c := range fleet {
			c.kill()
		}
	}()
	if err != nil {
		return "", err
	}
	time.Sleep(3 * time.Second)
	var client, cli stat
	for i := range s.rounds + 1 {
		d, err := bd.ping(ctx, n)
		if err != nil {
			return "", err
		}
		begin := time.Now()
		cmd := exec.CommandContext(ctx, s.bin, "-c", bd.dir+"/master", "--out=json", "*", "test.ping")
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, text)
		}
		if i > 0 {
			client, cli = append(client, d), append(cli, time.Since(begin))
		}
		time.Sleep(1200 * time.Millisecond)
	}
	var rss, pss int64
	for _, c := range fleet {
		r, p := memoryOf(c.cmd.Process.Pid)
		rss, pss = rss+r, pss+p
	}
	return fmt.Sprintf("| %d | %s | %s | %.1f, %.1f |\n", n, client, cli, float64(rss)/float64(n)/(1<<20), float64(pss)/float64(n)/(1<<20)), nil
}

// serial measures one job after another to one minion.
func serial(ctx context.Context, s *settings) (string, error) {
	bd, err := newBed(ctx, s, "serial")
	if err != nil {
		return "", err
	}
	defer bd.stop()
	fleet, err := bd.realFleet(ctx, 1)
	defer func() {
		for _, c := range fleet {
			c.kill()
		}
	}()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("## Jobs one after another to one minion\n\n| function | jobs a second |\n|---|---|\n")
	for _, fun := range []string{"test.ping", "event.fire"} {
		const jobs = 1000
		begin := time.Now()
		for range jobs {
			q := master.LocalRequest{Tgt: "*", TgtType: "glob", Fun: fun, User: "bench"}
			if fun == "event.fire" {
				q.Arg = []any{ordered.Pairs("a", 1), "bench/tag"}
			}
			if err := rpc.Call(ctx, bd.socket(), "local", q, func(rpc.Body) error { return nil }); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(&b, "| %s | %.0f |\n", fun, jobs/time.Since(begin).Seconds())
	}
	b.WriteString("\ntest.ping only reads; event.fire counts as a change and is journalled on the minion, with fsync, before it runs and before its return is sent.\n")
	return b.String(), nil
}

// start measures the program's own start.
func start(ctx context.Context, s *settings) (string, error) {
	var b strings.Builder
	b.WriteString("## Start of the program\n\nWhole process, milliseconds, minimum / median.\n\n| command | time |\n|---|---|\n")
	for _, args := range [][]string{{"version"}, {"call", "--local", "-c", s.dir, "test.ping"}} {
		var st stat
		for range 5 * s.rounds {
			begin := time.Now()
			if text, err := exec.CommandContext(ctx, s.bin, args...).CombinedOutput(); err != nil {
				return "", fmt.Errorf("%w: %s", err, text)
			}
			st = append(st, time.Since(begin))
		}
		fmt.Fprintf(&b, "| brine %s | %s |\n", strings.ReplaceAll(strings.Join(args, " "), " -c "+s.dir, ""), st)
	}
	return b.String(), nil
}

// memory measures what an idle minion and the master's connections cost.
func memory(ctx context.Context, s *settings) (string, error) {
	bd, err := newBed(ctx, s, "memory")
	if err != nil {
		return "", err
	}
	defer bd.stop()
	fleet, err := bd.realFleet(ctx, 1)
	defer func() {
		for _, c := range fleet {
			c.kill()
		}
	}()
	if err != nil {
		return "", err
	}
	time.Sleep(5 * time.Second)
	rss, _ := memoryOf(fleet[0].cmd.Process.Pid)
	before, _ := memoryOf(bd.m.cmd.Process.Pid)
	const n = 5000
	f, err := bd.fleet(ctx, n)
	defer f.kill()
	if err != nil {
		return "", err
	}
	time.Sleep(5 * time.Second)
	after, _ := memoryOf(bd.m.cmd.Process.Pid)
	return fmt.Sprintf("## Memory\n\n| what | resident |\n|---|---|\n| an idle minion | %.1f MiB |\n| a master with 1 minion | %.1f MiB |\n| the master for each connected minion (%d of them) | %.1f KiB |\n",
		float64(rss)/(1<<20), float64(before)/(1<<20), n, float64(after-before)/n/1024), nil
}

// restart measures how long a fleet needs to be back after its master was killed.
func restart(ctx context.Context, s *settings) (string, error) {
	const n = 10000
	bd, err := newBed(ctx, s, "restart")
	if err != nil {
		return "", err
	}
	defer func() { bd.stop() }()
	f, err := bd.fleet(ctx, n)
	defer f.kill()
	if err != nil {
		return "", err
	}
	bd.m.kill()
	if err := bd.start(ctx); err != nil {
		return "", err
	}
	begin := time.Now()
	if err := bd.waitOnline(ctx, n, 5*time.Minute); err != nil {
		return "", err
	}
	took := time.Since(begin)
	d, err := bd.ping(ctx, n)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("## After a restart of the master\n\nThe master of %d simulated minions was killed and started again. All had a session again %.1f s after it took connections "+
		"(they come back with delays spread over up to 5 s); a test.ping of all then took %s ms.\n", n, took.Seconds(), ms(d)), nil
}
