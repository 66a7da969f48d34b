package host

import (
	"context"
	"slices"
	"sync"
	"syscall"
)

// Group is the set of process groups that one job has started; saltutil.kill_job signals them all.
type Group struct {
	mu   sync.Mutex
	pids []int
}

type groupKey struct{}

// WithGroup returns a context in which every command that Real runs is counted in g.
func WithGroup(ctx context.Context, g *Group) context.Context {
	return context.WithValue(ctx, groupKey{}, g)
}

// enter counts a command in the context's group, if there is one, and returns how to leave it.
func enter(ctx context.Context, pid int) (leave func()) {
	g, _ := ctx.Value(groupKey{}).(*Group)
	if g == nil {
		return func() {}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pids = append(g.pids, pid)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if i := slices.Index(g.pids, pid); i >= 0 {
			g.pids = slices.Delete(g.pids, i, i+1)
		}
	}
}

// Pids lists the leaders of the process groups that run now.
func (g *Group) Pids() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.pids)
}

// Signal sends sig to every process of every group and returns how many groups it reached.
func (g *Group) Signal(sig syscall.Signal) int {
	n := 0
	for _, pid := range g.Pids() {
		if syscall.Kill(-pid, sig) == nil {
			n++
		}
	}
	return n
}
