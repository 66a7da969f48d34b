package minion

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/minion/exec"
	"brine/minion/power"
	"brine/minion/update"
	"brine/modules"
	"brine/modules/minionutil"
	"brine/proto"
	"brine/release"
)

// Asleep is the error of Run when a simulated power-off has stopped the minion: it is to be started again at that time.
type Asleep = power.Asleep

// ErrRestart is the error of Run when the minion is to be started again at once.
var ErrRestart = errors.New("restart")

// device is what the minion does with the machine that it is on: releases, power, restarts.
type device struct {
	lock    release.Lock
	update  *update.Service
	power   *power.Manager
	restart chan string
	online  chan struct{} // closed at the first session
	once    sync.Once

	mu      sync.Mutex
	pending bool // a restart is wanted
}

// newDevice opens the journal of releases and makes the managers. Nothing runs yet.
func (m *Minion) newDevice() (*device, error) {
	d := &device{restart: make(chan string, 1), online: make(chan struct{})}
	journal, err := release.OpenJournal(filepath.Join(m.o.CacheDir, "release.json"))
	if err != nil {
		return nil, err
	}
	d.update = &update.Service{Journal: journal, Lock: &d.lock, Events: m.events, Master: m.link, Key: m.o.ReleaseKey, Limit: m.o.UpdateLimit, Done: m.releaseChanged}
	if m.o.FileClient == "local" {
		d.update.Master = nil
	}
	backend, err := m.backend()
	if err != nil {
		return nil, err
	}
	d.power = power.New(power.Options{
		Backend: backend, Path: power.NotePath(m.o.CacheDir), Lock: &d.lock, RunJob: m.RunJob, Events: m.events, Leave: m.link.Leave, Deadline: m.o.PowerDeadline, Log: m.log,
		Waiting: func() int { n, _ := m.events.Len(); return n + m.worker.Spooled() },
	})
	return d, nil
}

func (m *Minion) backend() (power.Backend, error) {
	switch m.o.PowerBackend {
	case "rtcwake":
		return power.RTC{Host: host.Real{}}, nil
	case "simulator":
		return power.Simulator{}, nil
	case "hook":
		if m.o.PowerHook == "" {
			return nil, errors.New("option power_backend: hook needs the option power_hook, the program to run")
		}
		return power.Hook{Host: host.Real{}, Path: m.o.PowerHook}, nil
	}
	return nil, fmt.Errorf("option power_backend: %q is none of rtcwake, hook, simulator", m.o.PowerBackend)
}

// releaseChanged makes the grain of the release new.
func (m *Minion) releaseChanged() {
	if err := m.runtime.Grains.Refresh(context.Background()); err != nil {
		m.log.Warn("grain of the release", zap.Error(err))
	}
}

// utilDeps are what the minionutil functions need.
func (m *Minion) utilDeps() minionutil.Deps {
	return minionutil.Deps{
		Updater: m.device.update, RunJob: m.RunJob, LogFile: m.o.LogFile, MasterKey: filepath.Join(m.o.PKIDir, "minion_master.pub"),
		Online: func() (bool, string) { return m.link.Online(), m.o.BrokerURL() },
		Restart: func(reason string, delay int) {
			time.AfterFunc(time.Duration(delay)*time.Second, func() {
				select {
				case m.device.restart <- reason:
				default:
				}
			})
		},
		Pending: func(pending bool) bool {
			m.device.mu.Lock()
			defer m.device.mu.Unlock()
			m.device.pending = m.device.pending || pending
			return m.device.pending
		},
	}
}

// recover ends what a power cut left unfinished, and tells of the wake. It comes before anything else runs.
func (d *device) recover(ctx context.Context) error {
	if err := d.update.Recover(ctx); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return d.power.Woke(ctx)
}

// restarts ends the minion when a restart is due.
func (d *device) restarts(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-d.restart:
		return ErrRestart
	}
}

// connected notes the first session: the start-up states wait for it.
func (d *device) connected() { d.once.Do(func() { close(d.online) }) }

// startup runs the start-up states once, when the minion has its first session: they show in saltutil.running with the
// jid req.
func (m *Minion) startup(ctx context.Context) error {
	if m.o.StartupStates == "" {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-m.device.online:
	}
	fun, list := "state.highstate", []any{}
	arg := []any{}
	if m.o.StartupStates == "sls" {
		for _, s := range m.o.SLSList {
			list = append(list, s)
		}
		fun, arg = "state.sls", []any{list}
	}
	shown := ordered.Pairs("fun", fun, "jid", "req", "pid", nil, "ret", "", "arg", arg)
	jid := m.jids.Next()
	started := time.Now()
	var out *exec.Outcome
	m.worker.LocalAs(ctx, &proto.Job{JID: "req", Fun: fun, Arg: arg}, shown, func(ctx context.Context) *proto.Return {
		out = m.runtime.Call(ctx, &modules.Job{JID: jid, Fun: fun, Request: shown}, fun, modules.Args{Pos: arg})
		return nil
	})
	if out == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	r := &proto.Return{ID: m.o.ID, JID: jid, Fun: fun, FunArgs: arg, Retcode: out.Retcode, Success: out.Kind == exec.OK && out.Retcode == 0, Out: out.Out, Status: out.Status(),
		Started: started.UnixMilli(), Ended: time.Now().UnixMilli(), Extra: ordered.Pairs("tgt", m.o.ID, "tgt_type", "glob", "arg", arg)}
	err := r.SetValue(out.Text())
	if err == nil {
		err = m.worker.Submit(ctx, r)
	}
	if err != nil {
		m.log.Error("report of the start-up states", zap.Error(err))
	}
	return nil
}
