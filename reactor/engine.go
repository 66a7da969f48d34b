// Package reactor is the engine that acts on events: it matches tags, checks conditions, runs actions, and keeps a context
// with a cache of the last events. Each reactor works through its events in order, beside the others, behind a bounded
// queue: a slow action holds up its own reactor only, and what finds no room is counted. The master's side, with its
// reaction SLS, is reactor/reaction.
package reactor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/modules"
)

// Options are what an engine works with.
type Options struct {
	Bus *event.Bus
	// Opts is the configuration that $options shows.
	Opts *ordered.Map
	// Call runs an execution function within the engine.
	Call func(ctx context.Context, fun string, a modules.Args) (any, error)
	// Job runs an execution function as a job of its own, which shows in saltutil.running.
	Job func(ctx context.Context, fun string, a modules.Args) (any, error)
	// Send hands an event to the master, durably: the returner "cloud".
	Send func(ctx context.Context, tag string, data *ordered.Map) error
	// Return gives a result to a returner by name; nil when there are none.
	Return func(ctx context.Context, name string, result *ordered.Map) error
	Log    *zap.Logger
	// MaxDepth is how many reactions may cause one another; 0 is MaxDepth.
	MaxDepth int
	// Queue is how many events may wait for one reactor; 0 is 1000.
	Queue int
}

// MaxDepth is how many reactions may cause one another where nothing else is said.
const MaxDepth = 8

// Engine is the reactor of a device. Safe for concurrent use.
type Engine struct {
	o     Options
	store *store
	sub   *event.Sub

	dropped, deep, failed atomic.Int64

	mu      sync.Mutex
	config  *Config
	hooks   map[string]*hook // by kind and name
	order   []string
	lanes   []*lane
	workers map[string]*dedicated
	ctx     context.Context //nolint:containedctx // of Run: lanes and workers end with it
	wg      sync.WaitGroup
}

// lane is one reactor with the events that wait for it.
type lane struct {
	*Lane
	entry  *Entry
	cancel context.CancelFunc
}

// Stats are the engine's numbers since its start.
type Stats struct {
	// Dropped events found a full queue, Deep ones were caused by too many reactions, Failed actions ended in an error.
	Dropped, Deep, Failed int64
	// Waiting events are in the queues now.
	Waiting int
}

// New makes an engine that takes events from here on; Run works on them.
func New(o Options) *Engine {
	if o.MaxDepth == 0 {
		o.MaxDepth = MaxDepth
	}
	if o.Queue == 0 {
		o.Queue = 1000
	}
	e := &Engine{o: o, store: newStore(), workers: map[string]*dedicated{}}
	e.sub = o.Bus.Subscribe(4*o.Queue, nil)
	return e
}

// Configure puts a configuration in force. Reactors and workers that are the same as before go on; what waits for others
// is worked through by nobody.
func (e *Engine) Configure(c *Config) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	hooks, order, err := e.table(c.Hooks)
	if err != nil {
		return err
	}
	e.config, e.hooks, e.order = c, hooks, order
	if e.ctx != nil {
		e.start()
	}
	return nil
}

// start brings lanes and workers in line with the configuration; the lock is held.
func (e *Engine) start() {
	old := e.lanes
	e.lanes = nil
	for _, entry := range e.config.Reactors {
		kept := false
		for i, l := range old {
			if l != nil && ordered.Equal(l.entry.Raw, entry.Raw) {
				e.lanes, old[i], kept = append(e.lanes, l), nil, true
				break
			}
		}
		if !kept {
			e.lanes = append(e.lanes, e.newLane(entry))
		}
	}
	for _, l := range old {
		if l != nil {
			l.cancel()
		}
	}
	e.syncWorkers()
}

func (e *Engine) newLane(entry *Entry) *lane {
	ctx, cancel := context.WithCancel(e.ctx)
	return &lane{entry: entry, cancel: cancel, Lane: StartLane(ctx, &e.wg, e.o.Queue, func(ctx context.Context, ev event.Event) {
		if err := e.react(ctx, entry, ev); err != nil && ctx.Err() == nil {
			e.failed.Add(1)
			e.o.Log.Warn("reactor", zap.String("reactor", entry.Name), zap.String("tag", ev.Tag), zap.Error(err))
		}
	})}
}

// InitTag is the tag of the event that an engine sees once, at its start. It is never on the bus.
const InitTag = "_init"

// Run works until ctx ends, then waits for the actions under way, which end with it.
func (e *Engine) Run(ctx context.Context) error {
	defer e.sub.Close()
	e.mu.Lock()
	e.ctx = ctx
	if e.config == nil {
		e.config, _ = ParseConfig(nil)
		e.hooks, e.order, _ = e.table(nil)
	}
	e.start()
	e.mu.Unlock()
	e.dispatch(event.Event{Tag: InitTag, Data: ordered.New(0)})
	for {
		ev, err := e.sub.Next(ctx)
		if err != nil {
			e.wg.Wait()
			return err
		}
		e.dispatch(ev)
	}
}

// dispatch puts an event before every reactor that matches.
func (e *Engine) dispatch(ev event.Event) {
	e.mu.Lock()
	lanes := e.lanes
	e.mu.Unlock()
	for _, l := range lanes {
		if _, ok := l.entry.match(ev.Tag); !ok {
			continue
		}
		if ev.Depth > e.o.MaxDepth {
			e.deep.Add(1)
			e.o.Log.Error("an event was caused by too many reactions, one after another: it is not reacted to",
				zap.String("reactor", l.entry.Name), zap.String("tag", ev.Tag), zap.Int("depth", ev.Depth))
			continue
		}
		if !l.Offer(ev) {
			e.dropped.Add(1)
		}
	}
}

// Stats gives the engine's numbers.
func (e *Engine) Stats() Stats {
	s := Stats{Dropped: e.dropped.Load() + e.sub.Lost(), Deep: e.deep.Load(), Failed: e.failed.Load()}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lanes {
		s.Waiting += l.Waiting()
	}
	return s
}

// react runs the actions of one reactor for one event.
func (e *Engine) react(ctx context.Context, entry *Entry, ev event.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx = event.WithDepth(ctx, ev.Depth+1)
	m, _ := entry.match(ev.Tag)
	s := &scope{engine: e, event: eventMap(ev), match: m, names: entry.names}
	for _, c := range entry.Conditions {
		v, err := s.eval(ctx, c)
		if err != nil {
			return err
		}
		if !truth(v) {
			return nil
		}
	}
	var errs []error
	for _, a := range entry.Actions {
		msg := a
		if entry.Resolve {
			v, err := s.resolve(ctx, a)
			if err != nil {
				errs = append(errs, err)
				if entry.Chained {
					break
				}
				continue
			}
			msg, _ = v.(*ordered.Map)
		}
		v, err := e.process(ctx, msg, extended, true)
		if err != nil {
			errs = append(errs, err)
		}
		if entry.Chained && (err != nil || !goesOn(v)) {
			break
		}
	}
	return errors.Join(errs...)
}

// eventMap is $event. The data is shared with others who got the event, so it is put there as it is.
func eventMap(ev event.Event) *ordered.Map {
	m := ordered.Pairs("tag", ev.Tag)
	m.Set("data", ev.Data)
	return m
}

// goesOn tells whether a result lets a chain go on.
func goesOn(v any) bool {
	if m, ok := v.(*ordered.Map); ok {
		if r, has := m.Get("result"); has && r == false {
			return false
		}
	}
	return truth(v)
}

// now is the moment for stamps.
func now() string { return event.Stamp(time.Now()) }
