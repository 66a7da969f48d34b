// Command bench measures what the program costs, against floors taken in the same run on the same machine, and writes
// docs/benchmarks.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var (
		only   = flag.String("only", "", "scenarios to run, separated by commas; empty runs all")
		sizes  = flag.String("sizes", "1,100,1000,10000", "fleet sizes")
		rounds = flag.Int("rounds", 7, "rounds of each measurement")
		out    = flag.String("out", "docs/benchmarks.md", "where the results go; - is standard output")
		role   = flag.String("role", "", "internal: what this process is")
		arg    = flag.String("arg", "", "internal: for the role")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "floor":
		err = floorBroker(ctx)
	case "echo":
		err = echoClients(ctx, *arg)
	case "fleet":
		err = simulatedFleet(ctx, *arg)
	default:
		err = all(ctx, &settings{only: *only, sizes: *sizes, rounds: *rounds, out: *out})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type settings struct {
	only, sizes, out string
	rounds           int
	dir, bin, self   string
}

// scenario is one group of measurements; it returns its section of the page.
type scenario struct {
	name string
	run  func(ctx context.Context, s *settings) (string, error)
}

func all(ctx context.Context, s *settings) error {
	var err error
	if s.dir, err = os.MkdirTemp("", "brine-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	if s.self, err = os.Executable(); err != nil {
		return err
	}
	s.bin = filepath.Join(s.dir, "brine")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", s.bin, "./cmd/brine")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, text)
	}
	page := []string{header()}
	for _, sc := range []scenario{
		{"fleet", fleetPing}, {"processes", processes}, {"serial", serial}, {"start", start}, {"memory", memory}, {"restart", restart},
	} {
		if s.only != "" && !strings.Contains(","+s.only+",", ","+sc.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", sc.name)
		begin := time.Now()
		section, err := sc.run(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s\n(%s)\n", section, time.Since(begin).Round(time.Second))
		page = append(page, section)
	}
	text := strings.Join(page, "\n")
	if s.out == "-" {
		fmt.Println(text)
		return nil
	}
	return os.WriteFile(s.out, []byte(text), 0o644)
}
