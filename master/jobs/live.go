package jobs

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"brine/master/store"
	"brine/proto"
)

// delivery is how far a job has got on its way to one minion.
type delivery struct {
	sent   int // attempts
	acked  bool
	last   time.Time // of the last attempt
	delay  time.Duration
	cancel int // the signal to end the job with; 0 while nobody wants that
}

// live is an open job in memory.
type live struct {
	job *store.Job

	mu       sync.Mutex
	pending  map[string]*delivery // targets without a terminal state
	watchers map[*Handle]struct{}
	encoded  []byte // the job for its first attempt
	started  time.Time
}

func newLive(j *store.Job) *live {
	return &live{job: j, pending: make(map[string]*delivery, len(j.Minions)), watchers: map[*Handle]struct{}{}, started: time.Now()}
}

// Delays between attempts to an online minion that says nothing.
const (
	firstResend = 3 * time.Second
	maxResend   = 2 * time.Minute
)

// beginSend counts an attempt; ok is false when the target needs none: it has answered or acknowledged, or the job was
// never sent and its deadline is past.
func (l *live) beginSend(id string, now time.Time) (attempt int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.pending[id]
	if d == nil || d.sent == 0 && l.expired(now) {
		return 0, false
	}
	d.sent++
	d.last = now
	d.delay = min(max(2*d.delay, firstResend), maxResend)
	return d.sent, true
}

func (l *live) expired(now time.Time) bool {
	return l.job.Deadline > 0 && now.UnixMilli() > l.job.Deadline
}

// body is the encoded job; that of the first attempt is shared by all targets.
func (l *live) body(attempt int) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if attempt == 1 && l.encoded != nil {
		return l.encoded, nil
	}
	j := l.job.Job
	j.Attempt = attempt
	b, err := proto.Encode(&j)
	if err == nil && attempt == 1 {
		l.encoded = b
	}
	return b, err
}

func (l *live) acked(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.pending[id]; d != nil {
		d.acked = true
		d.sent = max(d.sent, 1)
	}
}

func (l *live) neverSent(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.pending[id]
	return d != nil && d.sent == 0
}

func (l *live) cancel(id string, signal int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.pending[id]; d != nil {
		d.cancel = signal
	}
}

func (l *live) cancelled(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.pending[id]; d != nil {
		return d.cancel
	}
	return 0
}

// isFor tells whether the job was published to a minion. Targets are sorted.
func (l *live) isFor(id string) bool {
	_, found := slices.BinarySearch(l.job.Minions, id)
	return found
}

func (l *live) waitingFor() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]string, 0, len(l.pending))
	for id := range l.pending {
		out = append(out, id)
	}
	return out
}

// due lists the targets to send to again, and those whose time to start has run out before the job was ever sent.
func (l *live) due(now time.Time) (again, expired []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := l.expired(now)
	for id, d := range l.pending {
		switch {
		case d.sent == 0 && over:
			expired = append(expired, id)
		case !d.acked && now.Sub(d.last) >= d.delay:
			again = append(again, id)
		}
	}
	return again, expired
}

// settle takes a target off the list and hands its return to the watchers. last is set when nobody is left.
func (l *live) settle(r *proto.Return) (ok, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[r.ID] == nil {
		return false, false
	}
	delete(l.pending, r.ID)
	last = len(l.pending) == 0
	for h := range l.watchers {
		h.push(r, last)
	}
	return true, last
}

// Handle watches one job: Next gives the returns as they come.
type Handle struct {
	JID string
	// Job is the job as stored.
	Job *store.Job

	l     *live
	mu    sync.Mutex
	queue []*proto.Return
	over  bool
	wake  chan struct{}
}

func (l *live) watch() *Handle {
	h := &Handle{JID: l.job.JID, Job: l.job, l: l, wake: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[h] = struct{}{}
	return h
}

func (h *Handle) push(r *proto.Return, last bool) {
	h.mu.Lock()
	h.queue = append(h.queue, r)
	h.over = h.over || last
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Take returns what has come without waiting, and whether all targets have answered.
func (h *Handle) Take() (list []*proto.Return, over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, h.queue = h.queue, nil
	return list, h.over
}

// Next waits for the next return; io.EOF when all targets have answered.
func (h *Handle) Next(ctx context.Context) (*proto.Return, error) {
	for {
		h.mu.Lock()
		if len(h.queue) > 0 {
			r := h.queue[0]
			h.queue = h.queue[1:]
			h.mu.Unlock()
			return r, nil
		}
		over := h.over
		h.mu.Unlock()
		if over {
			return nil, io.EOF
		}
		select {
		case <-h.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Close ends the watching; the job goes on.
func (h *Handle) Close() {
	if h.l == nil {
		return
	}
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	delete(h.l.watchers, h)
}

// Progress is what is known of a target that has not answered.
type Progress struct {
	ID string
	// Sent counts the attempts, Acked that the minion has accepted the job.
	Sent  int
	Acked bool
}

// Waiting lists the targets that have not answered, in no order.
func (h *Handle) Waiting() []Progress {
	if h.l == nil {
		return nil
	}
	h.l.mu.Lock()
	defer h.l.mu.Unlock()
	out := make([]Progress, 0, len(h.l.pending))
	for id, d := range h.l.pending {
		out = append(out, Progress{ID: id, Sent: d.sent, Acked: d.acked})
	}
	return out
}
