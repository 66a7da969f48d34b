// Package presence knows every minion: whether it is online, asleep until some time, or missing, when it was last here,
// and the grains that it reported. Sessions and wills tell it; nothing is polled.
package presence

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/master/store"
)

// Store is where minions are kept.
type Store interface {
	Minions(ctx context.Context) ([]store.Minion, error)
	SeenMinion(m store.Minion, done func(error))
	LeftMinion(id string, at, until time.Time, done func(error))
	ForgetMinion(ctx context.Context, id string) error
}

// State is where a minion is.
type State string

// The states of presence.
const (
	Online  State = "online"
	Asleep  State = "asleep"  // left on purpose and said until when
	Missing State = "missing" // not here, and nobody knows until when
)

// Minion is one minion as it is known now. Grains must not be changed.
type Minion struct {
	store.Minion
	Online bool
	Since  time.Time // of the present state
	Reason string    // why it left
}

// State at the moment now.
func (m *Minion) State(now time.Time) State {
	switch {
	case m.Online:
		return Online
	case m.AsleepUntil.After(now):
		return Asleep
	}
	return Missing
}

// Presence is the service. Safe for concurrent use.
type Presence struct {
	store Store
	bus   *event.Bus
	log   *zap.Logger
	// interval between salt/presence/present events; 0 for none.
	interval time.Duration

	mu   sync.RWMutex
	byID map[string]*Minion
}

// New reads what is known.
func New(ctx context.Context, s Store, bus *event.Bus, interval time.Duration, log *zap.Logger) (*Presence, error) {
	p := &Presence{store: s, bus: bus, interval: interval, log: log, byID: map[string]*Minion{}}
	list, err := s.Minions(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		p.byID[m.ID] = &Minion{Minion: m, Since: m.LastSeen}
	}
	return p, nil
}

// Run fires the periodic presence event until ctx ends.
func (p *Presence) Run(ctx context.Context) error {
	if p.interval <= 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	tick := time.NewTicker(p.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			if p.bus.Wanted("salt/presence/present") {
				p.bus.Fire(event.New("salt/presence/present", ordered.Pairs("present", p.IDs(Online)), now))
			}
		}
	}
}

// Arrived notes that a minion has a session. Grains may be nil: those known stay.
func (p *Presence) Arrived(id, version string, epoch int64, grains *ordered.Map) {
	now := time.Now()
	p.mu.Lock()
	m := p.byID[id]
	if m == nil {
		m = &Minion{Minion: store.Minion{ID: id}}
	}
	next := *m
	if !m.Online {
		next.Since = now
	}
	next.Online, next.Reason, next.Version, next.Epoch, next.LastSeen, next.AsleepUntil = true, "", version, epoch, now, time.Time{}
	row := next.Minion
	row.Grains = nil
	if grains != nil {
		next.Grains, next.GrainsTime = grains, now
		row.Grains, row.GrainsTime = grains, now
	}
	p.byID[id] = &next
	p.mu.Unlock()
	p.store.SeenMinion(row, func(err error) { p.failed(id, err) })
	if !m.Online {
		p.changed(now, []any{id}, []any{})
	}
}

// Left notes that a minion's session is over.
func (p *Presence) Left(id string, until time.Time, reason string) {
	now := time.Now()
	p.mu.Lock()
	m := p.byID[id]
	if m == nil || !m.Online {
		p.mu.Unlock()
		return
	}
	next := *m
	next.Online, next.Since, next.LastSeen, next.AsleepUntil, next.Reason = false, now, now, until, reason
	p.byID[id] = &next
	p.mu.Unlock()
	p.store.LeftMinion(id, now, until, func(err error) { p.failed(id, err) })
	p.changed(now, []any{}, []any{id})
}

func (p *Presence) failed(id string, err error) {
	if err != nil {
		p.log.Error("store presence", zap.String("minion", id), zap.Error(err))
	}
}

func (p *Presence) changed(now time.Time, arrived, lost []any) {
	if p.bus.Wanted("salt/presence/change") {
		p.bus.Fire(event.New("salt/presence/change", ordered.Pairs("new", arrived, "lost", lost), now))
	}
}

// SetGrains keeps a fresh report of grains.
func (p *Presence) SetGrains(id string, grains *ordered.Map) {
	p.mu.Lock()
	m := p.byID[id]
	if m == nil {
		p.mu.Unlock()
		return
	}
	next := *m
	next.Grains, next.GrainsTime = grains, time.Now()
	p.byID[id] = &next
	row := next.Minion
	p.mu.Unlock()
	p.store.SeenMinion(row, func(err error) { p.failed(id, err) })
}

// Forget removes what is known of an id whose key was deleted.
func (p *Presence) Forget(ctx context.Context, id string) error {
	p.mu.Lock()
	delete(p.byID, id)
	p.mu.Unlock()
	return p.store.ForgetMinion(ctx, id)
}

// Minion returns what is known of an id; ok is false when it was never seen.
func (p *Presence) Minion(id string) (m Minion, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if known := p.byID[id]; known != nil {
		return *known, true
	}
	return Minion{Minion: store.Minion{ID: id}}, false
}

// Grains returns the last report of a minion, nil when there is none.
func (p *Presence) Grains(id string) *ordered.Map {
	m, _ := p.Minion(id)
	return m.Grains
}

// Minions lists all that were ever seen, sorted by id.
func (p *Presence) Minions() []Minion {
	p.mu.RLock()
	out := make([]Minion, 0, len(p.byID))
	for _, m := range p.byID {
		out = append(out, *m)
	}
	p.mu.RUnlock()
	slices.SortFunc(out, func(a, b Minion) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out
}

// IDs lists the minions in one of the states, sorted.
func (p *Presence) IDs(states ...State) []string {
	now := time.Now()
	p.mu.RLock()
	defer p.mu.RUnlock()
	var out []string
	for id, m := range p.byID {
		if slices.Contains(states, m.State(now)) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
