// Package event is the event bus inside a process. An event is a tag, levels separated by slashes, and data, a map.
//
// What is promised: a subscriber gets the events that match, in the order in which Fire was called, each once. Fire
// never waits: a subscriber whose buffer is full loses the event, and is told how many it lost. What must not be lost
// is kept elsewhere (the master's store, the minion's event queue) before it is fired.
package event

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
)

// StampLayout is the form of _stamp: UTC, microseconds, no zone letter.
const StampLayout = "2006-01-02T15:04:05.000000"

// QueuedKey is a field of an event's data that says that the event stands in the minion's durable queue already.
const QueuedKey = "_queued"

// Event is one event. Data must not be changed after it is fired.
type Event struct {
	Tag  string
	Data *ordered.Map
	// ID is the event's number in the master's store; 0 when it has none.
	ID int64
	// From is the id of the minion that sent it, "" for the process itself: reactions trust a tag by its sender.
	From string
	// Depth is how many reactions led to it: 0 for an event that no reaction caused. Reactors stop at a limit.
	Depth int
}

type depthKey struct{}

// WithDepth marks what is done in a context as caused by reactions, depth of them one after another.
func WithDepth(ctx context.Context, depth int) context.Context {
	if depth == DepthOf(ctx) {
		return ctx
	}
	return context.WithValue(ctx, depthKey{}, depth)
}

// DepthOf is the depth that WithDepth has set, else 0.
func DepthOf(ctx context.Context) int {
	n, _ := ctx.Value(depthKey{}).(int)
	return n
}

// Stamp formats a moment as _stamp.
func Stamp(t time.Time) string { return t.UTC().Format(StampLayout) }

// New makes an event at the time t: a copy of data with _stamp at its end, unless data has one already.
func New(tag string, data *ordered.Map, t time.Time) Event {
	d := data.Clone()
	if !d.Has("_stamp") {
		d.Set("_stamp", Stamp(t))
	}
	return Event{Tag: tag, Data: d}
}

// Bus hands events to subscribers. The zero value is ready.
type Bus struct {
	mu   sync.RWMutex
	subs map[*Sub]struct{}
}

// Sub is one subscription.
type Sub struct {
	bus  *Bus
	want func(tag string) bool
	c    chan Event
	lost atomic.Int64
}

// Subscribe starts a subscription with room for size events. Want chooses by tag; nil wants all.
func (b *Bus) Subscribe(size int, want func(tag string) bool) *Sub {
	s := &Sub{bus: b, want: want, c: make(chan Event, size)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = map[*Sub]struct{}{}
	}
	b.subs[s] = struct{}{}
	return s
}

// Fire hands an event to everyone who wants it.
func (b *Bus) Fire(e Event) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for s := range b.subs {
		if s.want != nil && !s.want(e.Tag) {
			continue
		}
		select {
		case s.c <- e:
		default:
			s.lost.Add(1)
		}
	}
}

// Wanted tells whether anybody would get an event with this tag: making its data can be saved otherwise.
func (b *Bus) Wanted(tag string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for s := range b.subs {
		if s.want == nil || s.want(tag) {
			return true
		}
	}
	return false
}

// C is where the events come. It is never closed: wait for the context too, or use Next.
func (s *Sub) C() <-chan Event { return s.c }

// Next waits for an event.
func (s *Sub) Next(ctx context.Context) (Event, error) {
	select {
	case e := <-s.c:
		return e, nil
	case <-ctx.Done():
		return Event{}, ctx.Err()
	}
}

// Lost is how many events found the buffer full.
func (s *Sub) Lost() int64 { return s.lost.Load() }

// Close ends the subscription.
func (s *Sub) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	delete(s.bus.subs, s)
}

// Glob chooses tags by a pattern such as "salt/job/*/ret/*"; a plain prefix without wildcards chooses what begins with
// it, as Salt's listeners do.
func Glob(pattern string) func(tag string) bool {
	return func(tag string) bool {
		return fnmatch.Match(pattern, tag) || !hasWildcard(pattern) && len(tag) >= len(pattern) && tag[:len(pattern)] == pattern
	}
}

func hasWildcard(p string) bool {
	for _, c := range p {
		if c == '*' || c == '?' || c == '[' {
			return true
		}
	}
	return false
}
