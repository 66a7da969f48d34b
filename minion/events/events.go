// Package events is the way of events out of the minion: onto its own bus at once, and to the master through a queue on
// the disk, which survives kill -9, power cuts and days offline. Each event has a number in its queue; the master says up
// to which number it has stored them, so none is lost and none is stored twice.
package events

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/journal"
	"brine/internal/ordered"
	"brine/modules"
	"brine/proto"
)

// Options configure a Queue.
type Options struct {
	ID string
	// Path is the file of the queue.
	Path string
	// MaxEvents and MaxBytes bound the queue. Zero is 100,000, and 64 MiB.
	MaxEvents, MaxBytes int
	// Policy says what goes when it is full: Oldest, the zero value, or Newest.
	Policy Policy
	Send   func(ctx context.Context, e proto.Envelope) error
	Log    *zap.Logger
}

// Policy is what a full queue does.
type Policy string

// The policies.
const (
	// Oldest drops what is oldest, events of beacons before all others.
	Oldest Policy = "oldest"
	// Newest refuses what is new.
	Newest Policy = "newest"
)

// ErrFull is the answer of a full queue whose policy is Newest.
var ErrFull = errors.New("the event queue is full")

// Queue implements modules.Events. Safe for concurrent use.
type Queue struct {
	o   Options
	Bus *event.Bus

	writing sync.Mutex // one event after another reaches the disk, then the list: a number is never used twice

	mu      sync.Mutex
	j       *journal.Journal
	name    string
	next    uint64
	list    []proto.Event // not stored by the master, in order
	sizes   []int         // of the events of list, in bytes
	bytes   int           // their sum
	keys    []string      // of the latest events sent with SendOnce
	dropped int
	wake    chan struct{}
	sent    time.Time
}

var _ modules.Events = (*Queue)(nil)

// record is one entry of the file: exactly one field is set.
type record struct {
	Name  string       `msgpack:"name,omitempty"`
	Next  uint64       `msgpack:"next,omitempty"`
	Event *proto.Event `msgpack:"e,omitempty"`
	UpTo  uint64       `msgpack:"upto,omitempty"`
	// Key is that of an event sent with SendOnce; alone it is kept over a rewrite.
	Key string `msgpack:"key,omitempty"`
}

const (
	defaultMax   = 100_000
	defaultBytes = 64 << 20
	batchSize    = 200
	batchBytes   = 1 << 20
	// resendAfter is how long a batch may stay unacknowledged.
	resendAfter = 10 * time.Second
	// maxKeys is how many keys are remembered: senders repeat themselves only right after a restart.
	maxKeys   = 256
	rewriteAt = 4 << 20
)

// Open reads the queue.
func Open(o Options, bus *event.Bus) (*Queue, error) {
	if o.MaxEvents == 0 {
		o.MaxEvents = defaultMax
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultBytes
	}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return nil, err
	}
	q := &Queue{o: o, Bus: bus, next: 1, wake: make(chan struct{}, 1)}
	j, err := journal.Open(o.Path, func(b []byte) error {
		var r record
		if err := proto.Decode(b, &r); err != nil {
			return err
		}
		q.apply(&r, len(b))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("event queue: %w", err)
	}
	q.j = j
	q.trim()
	if q.name == "" {
		b := make([]byte, 8)
		if _, err := rand.Read(b); err != nil {
			return nil, err
		}
		q.name = hex.EncodeToString(b)
		if err := q.append(&record{Name: q.name}); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (q *Queue) apply(r *record, size int) {
	if r.Key != "" {
		q.keys = append(q.keys, r.Key)
		q.keys = q.keys[max(0, len(q.keys)-maxKeys):]
		if r.Event == nil {
			return
		}
	}
	switch {
	case r.Name != "":
		q.name, q.next = r.Name, max(q.next, r.Next)
	case r.Event != nil:
		q.add(*r.Event, size)
		q.next = max(q.next, r.Event.Seq+1)
	default:
		q.forget(r.UpTo)
	}
}

func (q *Queue) forget(upTo uint64) {
	n := 0
	for n < len(q.list) && q.list[n].Seq <= upTo {
		n++
	}
	for _, size := range q.sizes[:n] {
		q.bytes -= size
	}
	q.list, q.sizes = q.list[n:], q.sizes[n:]
}

func (q *Queue) add(e proto.Event, size int) {
	q.list, q.sizes = append(q.list, e), append(q.sizes, size)
	q.bytes += size
}

func (q *Queue) full(size int) bool {
	return len(q.list) >= q.o.MaxEvents || q.bytes+size > q.o.MaxBytes
}

// trim drops events until the queue is within its bounds: those of beacons first, the oldest first. One event may stay
// whatever its size.
func (q *Queue) trim() {
	for len(q.list) > q.o.MaxEvents || q.bytes > q.o.MaxBytes && len(q.list) > 1 {
		at := max(slices.IndexFunc(q.list, func(e proto.Event) bool { return strings.HasPrefix(e.Tag, "salt/beacon/") }), 0)
		q.bytes -= q.sizes[at]
		if at == 0 { // the common case moves nothing
			q.list, q.sizes = q.list[1:], q.sizes[1:]
		} else {
			q.list, q.sizes = slices.Delete(q.list, at, at+1), slices.Delete(q.sizes, at, at+1)
		}
		q.dropped++
	}
}

func (q *Queue) append(r *record) error {
	b, err := proto.Encode(r)
	if err != nil {
		return err
	}
	return q.j.Append(b)
}

// Fire implements modules.Events: the event goes to this minion's own bus only.
func (q *Queue) Fire(ctx context.Context, tag string, data *ordered.Map) error {
	e := event.New(tag, data, time.Now())
	e.Depth = event.DepthOf(ctx)
	q.Bus.Fire(e)
	return nil
}

// Send implements modules.Events: when it returns, the event is on the disk.
func (q *Queue) Send(ctx context.Context, tag string, data *ordered.Map) error {
	return q.send(ctx, "", tag, data)
}

// SendOnce is Send for an event that its sender may repeat after a crash: the first with its key counts, and fires on
// this minion's own bus too.
func (q *Queue) SendOnce(ctx context.Context, key, tag string, data *ordered.Map) error {
	return q.send(ctx, key, tag, data)
}

func (q *Queue) send(ctx context.Context, key, tag string, data *ordered.Map) error {
	now := time.Now()
	if data == nil {
		data = ordered.New(0)
	}
	q.writing.Lock()
	defer q.writing.Unlock()
	if key != "" && slices.Contains(q.keys, key) {
		return nil
	}
	e := proto.Event{Seq: q.next, Tag: tag, Data: data, Time: now.UnixMicro(), Depth: event.DepthOf(ctx)}
	b, err := proto.Encode(&record{Event: &e, Key: key})
	if err != nil {
		return fmt.Errorf("event queue: %w", err)
	}
	if q.refuse(len(b)) {
		return ErrFull
	}
	if err := q.j.Append(b); err != nil {
		return fmt.Errorf("event queue: %w", err)
	}
	if key != "" {
		q.apply(&record{Key: key}, 0)
		local := data.Clone()
		local.Set(event.QueuedKey, true) // the reactor need not send it again
		ev := event.New(tag, local, now)
		ev.Depth = e.Depth
		q.Bus.Fire(ev)
	}
	q.mu.Lock()
	q.next++
	q.add(e, len(b))
	q.trim()
	long := q.long()
	q.mu.Unlock()
	q.poke()
	if long { // nobody acknowledges anything: the file would grow for ever
		return q.rewrite()
	}
	return nil
}

// refuse tells whether an event of so many bytes is not to be taken.
func (q *Queue) refuse(size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.o.Policy != Newest || !q.full(size) {
		return false
	}
	q.dropped++
	return true
}

// long tells whether the file holds much that nobody needs any more; the lock is held.
func (q *Queue) long() bool { return q.j.Size() > rewriteAt+2*int64(q.bytes) }

func (q *Queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Connected sends what waits: there is a new session.
func (q *Queue) Connected() {
	q.mu.Lock()
	q.sent = time.Time{}
	q.mu.Unlock()
	q.poke()
}

// Done forgets the events up to a number: the master has stored them.
func (q *Queue) Done(upTo uint64) {
	q.mu.Lock()
	before := len(q.list)
	q.forget(upTo)
	forgotten := before > len(q.list)
	q.sent = time.Time{}
	q.mu.Unlock()
	if !forgotten {
		return
	}
	if err := q.note(upTo); err != nil {
		q.o.Log.Error("event queue", zap.Error(err))
	}
	q.poke()
}

func (q *Queue) note(upTo uint64) error {
	q.mu.Lock()
	long := q.long()
	q.mu.Unlock()
	if long {
		q.writing.Lock()
		defer q.writing.Unlock()
		return q.rewrite()
	}
	b, err := proto.Encode(&record{UpTo: upTo})
	if err != nil {
		return err
	}
	return q.j.Note(b)
}

// rewrite replaces the file by one of what waits. Nobody may be writing.
func (q *Queue) rewrite() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	records := []record{{Name: q.name, Next: q.next}}
	for _, k := range q.keys {
		records = append(records, record{Key: k})
	}
	for i := range q.list {
		records = append(records, record{Event: &q.list[i]})
	}
	var failed error
	err := q.j.Rewrite(func(yield func([]byte) bool) {
		for i := range records {
			b, err := proto.Encode(&records[i])
			if err != nil {
				failed = err
				return
			}
			if !yield(b) {
				return
			}
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

// Len is how many events wait, and Dropped how many found no room.
func (q *Queue) Len() (waiting, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list), q.dropped
}

// Run sends batches until ctx ends.
func (q *Queue) Run(ctx context.Context) error {
	tick := time.NewTicker(resendAfter / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return q.close(ctx)
		case <-q.wake:
		case <-tick.C:
		}
		q.flush(ctx)
	}
}

func (q *Queue) close(ctx context.Context) error {
	if err := q.j.Close(); err != nil {
		return err
	}
	return ctx.Err()
}

// flush sends the oldest events, unless they are on their way already.
func (q *Queue) flush(ctx context.Context) {
	q.mu.Lock()
	if len(q.list) == 0 || time.Since(q.sent) < resendAfter {
		q.mu.Unlock()
		return
	}
	n, size := 1, q.sizes[0]
	for n < min(batchSize, len(q.list)) && size+q.sizes[n] <= batchBytes {
		size += q.sizes[n]
		n++
	}
	batch := proto.Events{Queue: q.name, List: append([]proto.Event(nil), q.list[:n]...)}
	q.sent = time.Now()
	q.mu.Unlock()
	body, err := proto.Encode(&batch)
	if err == nil {
		err = q.o.Send(ctx, proto.Envelope{Type: proto.TypeEvent, Body: body})
	}
	if err != nil {
		q.o.Log.Debug("send events", zap.Error(err))
	}
}
