package minion

import (
	"context"
	"sync"
	"syscall"

	"brine/internal/grains"
	"brine/internal/ordered"
	"brine/internal/version"
	"brine/minion/mine"
)

func detect(ctx context.Context, o *Options) *ordered.Map {
	return grains.Detect(ctx, grains.Options{ID: o.ID, Master: o.Master, SaltVersion: version.Salt, Version: version.Version, Config: o.All})
}

// report tells the master of grains that have changed since the handshake.
type report struct {
	mu     sync.Mutex
	latest *ordered.Map
	wake   chan struct{}
}

func newReport() *report { return &report{wake: make(chan struct{}, 1)} }

func (r *report) set(grains *ordered.Map) {
	r.mu.Lock()
	r.latest = grains
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *report) run(ctx context.Context, master mine.Caller) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.wake:
		}
		r.mu.Lock()
		grains := r.latest
		r.mu.Unlock()
		if err := master.Call(ctx, "grains", grains, nil); err != nil {
			return err // ctx has ended: the next handshake tells the master
		}
	}
}

// runningJobs are the jobs of the minion for functions that are made before its worker is.
type runningJobs struct{ m *Minion }

func (r runningJobs) Running(except string) []*ordered.Map { return r.m.worker.Running(except) }
func (r runningJobs) Signal(jid string, sig syscall.Signal) bool {
	return r.m.worker.Signal(jid, sig)
}
