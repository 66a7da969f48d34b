package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/minion/events"
	"brine/minion/exec"
	"brine/minion/link"
	"brine/minion/pki"
	"brine/minion/worker"
	"brine/modules"
	"brine/modules/test"
	"brine/proto"
	"brine/transport/mqtt"
)

// simulatedFleet runs many minions in one process: real keys, handshakes, workers and journals, each with a connection of
// its own. arg is "port,first,count,folder".
func simulatedFleet(ctx context.Context, arg string) error {
	parts := strings.SplitN(arg, ",", 4)
	port, first, count, dir := parts[0], atoi(parts[1]), atoi(parts[2]), parts[3]
	debug.SetGCPercent(200)
	reg, err := modules.NewRegistry(test.Module())
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 200) // handshakes under way at the start
	for i := range count {
		m, err := newSim(fmt.Sprintf("m%05d", first+i), port, dir, reg)
		if err != nil {
			return err
		}
		slots <- struct{}{}
		wg.Go(func() { m.run(ctx, func() { <-slots }) })
	}
	wg.Wait()
	return nil
}

type sim struct {
	id     string
	run_   *exec.Runtime
	worker *worker.Worker
	link   *link.Link
	conn   *mqtt.Conn
	up     func()
}

func newSim(id, port, dir string, reg *modules.Registry) (*sim, error) {
	home := filepath.Join(dir, id)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	key, err := proto.LoadIdentity(home, "minion")
	if err != nil {
		return nil, err
	}
	pin, err := pki.OpenPin(home, "")
	if err != nil {
		return nil, err
	}
	s := &sim{id: id}
	s.run_ = &exec.Runtime{ID: id, Opts: ordered.Pairs("id", id), Grains: simGrains{id}, Host: host.Real{}, Events: &events.Queue{Bus: &event.Bus{}}, Log: zap.NewNop()}
	s.run_.Swap(reg)
	s.link = link.New(link.Options{ID: id, Identity: key, Topics: proto.Topics{Prefix: proto.DefaultPrefix}, Retry: time.Second, Log: zap.NewNop()}, pin, s)
	s.worker, err = worker.New(worker.Options{ID: id, Journal: filepath.Join(home, "jobs.journal"), MaxJobs: 10, Send: s.link.Send, Log: zap.NewNop()}, s.run_)
	if err != nil {
		return nil, err
	}
	s.worker.SetClock(s.link.Offset)
	s.conn, err = mqtt.New(mqtt.Config{
		URL: "mqtt://127.0.0.1:" + port, ClientID: id, KeepAlive: 5 * time.Minute, MinDelay: time.Second, MaxDelay: 5 * time.Second,
		Login: func() (string, string, error) { p, err := proto.NewLogin(key, id); return id, p, err },
	}, s.link.Handlers())
	if err != nil {
		return nil, err
	}
	s.link.SetConn(s.conn)
	return s, nil
}

func (s *sim) run(ctx context.Context, up func()) {
	s.up = sync.OnceFunc(up)
	var wg sync.WaitGroup
	for _, f := range []func(context.Context) error{s.worker.Run, s.link.Run, s.conn.Run} {
		wg.Go(func() {
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
				fmt.Fprintln(os.Stderr, s.id, err)
			}
		})
	}
	wg.Wait()
	s.up()
}

// Ready implements link.Handler.
func (s *sim) Ready(context.Context) proto.Ready {
	return proto.Ready{Grains: s.run_.Grains.Items(context.Background()), Running: s.worker.Active(), Version: "bench"}
}

// Online implements link.Handler.
func (s *sim) Online(ctx context.Context) { s.up(); s.worker.Connected(ctx) }

// Offline implements link.Handler.
func (s *sim) Offline(context.Context) {}

// Message implements link.Handler.
func (s *sim) Message(ctx context.Context, e *proto.Envelope) {
	switch e.Type {
	case proto.TypeJob:
		j := &proto.Job{}
		if proto.Decode(e.Body, j) == nil {
			s.worker.Accept(j)
		}
	case proto.TypeDone:
		var d proto.Done
		if proto.Decode(e.Body, &d) == nil {
			s.worker.Done(d.JIDs)
		}
	}
}

// simGrains are the grains of a simulated minion: about as many as a real one has.
type simGrains struct{ id string }

func (g simGrains) Items(context.Context) *ordered.Map {
	return ordered.Pairs("id", g.id, "os", "Debian", "os_family", "Debian", "kernel", "Linux", "num_cpus", 2, "mem_total", 2048,
		"ipv4", []any{"127.0.0.1", "10.1.2.3"}, "osrelease", "12", "saltversion", "3006.0", "host", g.id)
}
func (simGrains) Store(context.Context, *ordered.Map) error  { return nil }
func (simGrains) File(context.Context) (*ordered.Map, error) { return ordered.New(0), nil }
func (simGrains) Refresh(context.Context) error              { return nil }

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
