// Package worker takes jobs from the master and sees to it that each is run at most once and answered, through kill -9
// and power cuts. A job that may change something is journalled before it runs, its return before it is sent; a return
// is kept, and sent again with growing delay, until the master has stored it. Jobs that only read need no journal:
// running one twice is harmless.
package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/proto"
)

// Runner runs jobs.
type Runner interface {
	Run(ctx context.Context, j *proto.Job, request *ordered.Map) *proto.Return
	Pure(fun any) bool
}

// Options configure a Worker.
type Options struct {
	ID string
	// Journal is the path of the job journal.
	Journal string
	// MaxJobs is how many jobs run at a time; more wait.
	MaxJobs int
	// JobTimeout bounds a job that brings no limit of its own; 0 is none.
	JobTimeout time.Duration
	// Match checks the target of a job again on the minion; nil accepts all.
	Match func(ctx context.Context, tgt any, tgtType string, extra *ordered.Map) bool
	// Send seals a message for the master; an error says that it has not left.
	Send func(ctx context.Context, e proto.Envelope) error
	// Returned is told every return of a job, after it is journalled; nil for nobody.
	Returned func(ctx context.Context, j *proto.Job, r *proto.Return)
	Log      *zap.Logger
}

// Worker is the service. Safe for concurrent use.
type Worker struct {
	o       Options
	run     Runner
	journal *journaled
	slots   chan struct{}
	offset  func() time.Duration // of the master's clock to ours

	mu     sync.Mutex
	wg     sync.WaitGroup
	ctx    context.Context // of Run; jobs end with it
	active map[string]*task
	spool  map[string]*spooled // returns that the master has not stored yet
	recent *ring               // ids of jobs that are over
}

// task is a job that waits or runs.
type task struct {
	job     *proto.Job
	request *ordered.Map
	group   host.Group
	cancel  context.CancelCauseFunc
	pure    bool
	running bool
	signal  syscall.Signal
}

// spooled is a return on its way to the master.
type spooled struct {
	ret   *proto.Return
	job   *proto.Job
	next  time.Time
	delay time.Duration
}

// ackAfter is how long a job may take before it is acknowledged: the return of a quicker one is acknowledgement enough.
const ackAfter = 300 * time.Millisecond

// Delays between attempts to get a return stored.
const (
	firstResend = 5 * time.Second
	maxResend   = 5 * time.Minute
)

// recentJobs is how many ids of jobs that are over are remembered, so that a message that was long on its way does not
// run one again.
const recentJobs = 4096

// New reads the journal. Jobs that were under way when the minion stopped become returns of status interrupted.
func New(o Options, run Runner) (*Worker, error) {
	w := &Worker{
		o: o, run: run, slots: make(chan struct{}, o.MaxJobs), active: map[string]*task{}, spool: map[string]*spooled{}, recent: newRing(recentJobs),
		offset: func() time.Duration { return 0 },
	}
	var err error
	if w.journal, err = openJournal(o.Journal); err != nil {
		return nil, err
	}
	for jid, r := range w.journal.returned {
		w.spool[jid] = &spooled{ret: r, delay: firstResend}
		w.recent.add(jid)
	}
	for _, jid := range w.journal.over {
		w.recent.add(jid)
	}
	for _, jid := range slices.Sorted(maps.Keys(w.journal.accepted)) {
		if err := w.interrupt(w.journal.accepted[jid]); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// SetClock gives the difference of the master's clock to ours, for deadlines.
func (w *Worker) SetClock(offset func() time.Duration) { w.offset = offset }

// interrupt ends a job that a stop of the minion cut off.
func (w *Worker) interrupt(j *proto.Job) error {
	r := w.refusal(j, proto.Interrupted, "The minion stopped while the job was running. What it had done by then is done.")
	if err := w.journal.result(r); err != nil {
		return err
	}
	w.spool[j.JID] = &spooled{ret: r, delay: firstResend}
	w.recent.add(j.JID)
	return nil
}

func (w *Worker) refusal(j *proto.Job, status proto.Status, text string) *proto.Return {
	r := &proto.Return{ID: w.o.ID, JID: j.JID, Fun: j.Fun, FunArgs: j.Arg, User: j.User, Meta: j.Meta, Retcode: 1, Status: status, Ended: time.Now().UnixMilli()}
	if err := r.SetValue(text); err != nil {
		w.o.Log.Error("refuse job", zap.Error(err))
	}
	return r
}

// Accept takes a job from the master. It returns when the job is journalled, not when it has run.
func (w *Worker) Accept(j *proto.Job) {
	w.mu.Lock()
	if w.ctx == nil || w.ctx.Err() != nil {
		w.mu.Unlock()
		return // not running: the master will send it again
	}
	ctx := w.ctx
	if w.known(ctx, j.JID) {
		w.mu.Unlock()
		return
	}
	t := &task{job: j, request: request(j)}
	w.active[j.JID] = t // from here on a second message finds it
	w.wg.Go(func() { w.do(ctx, t) })
	w.mu.Unlock()
}

// known answers a message about a job that was seen before; the lock is held.
func (w *Worker) known(ctx context.Context, jid string) bool {
	if s := w.spool[jid]; s != nil {
		s.next = time.Now().Add(s.delay)
		w.wg.Go(func() { w.sendReturn(ctx, s.ret) })
		return true
	}
	if w.active[jid] != nil || w.recent.has(jid) {
		w.wg.Go(func() { w.ack(ctx, jid, true) })
		return true
	}
	return false
}

// do brings one job from acceptance to its spooled return.
func (w *Worker) do(ctx context.Context, t *task) {
	r := w.admit(ctx, t)
	if r == nil {
		if !t.pure {
			if err := w.journal.accept(t.job); err != nil {
				w.o.Log.Error("journal job", zap.String("jid", t.job.JID), zap.Error(err))
				w.forget(t) // not promised: the master will send it again
				return
			}
		}
		r = w.execute(ctx, t)
	}
	if ctx.Err() != nil && r.Status == proto.Cancelled && !w.signalled(t) {
		return // the minion stops: the journal tells its next start what was cut off
	}
	w.finish(ctx, t, r)
}

// admit gives the return of a job that must not run, nil for one that may.
func (w *Worker) admit(ctx context.Context, t *task) *proto.Return {
	t.pure = w.run.Pure(t.job.Fun)
	if d := t.job.Deadline; d > 0 && time.Now().Add(w.offset()).UnixMilli() > d {
		return w.refusal(t.job, proto.Expired, "The job reached the minion after its deadline and was not run.")
	}
	if w.o.Match != nil && !w.o.Match(ctx, t.job.Tgt, t.job.TgtType, t.job.Extra) {
		return w.refusal(t.job, proto.Cancelled, "The minion does not match the target any more. The job was not run.")
	}
	if spread := t.job.Spread; spread > 0 {
		select {
		case <-time.After(rand.N(time.Duration(spread) * time.Millisecond)):
		case <-ctx.Done():
		}
	}
	return nil
}

// errStopped is the cause of a job's context that somebody ended.
var errStopped = errors.New("by a signal from outside")

func (w *Worker) execute(ctx context.Context, t *task) *proto.Return {
	ctx, cancel := context.WithCancelCause(host.WithGroup(ctx, &t.group))
	defer cancel(nil)
	w.mu.Lock()
	t.cancel = cancel
	stopped := t.signal != 0
	w.mu.Unlock()
	if stopped {
		return w.refusal(t.job, proto.Cancelled, "The job was cancelled before it ran.")
	}
	acks := time.AfterFunc(ackAfter, func() { w.ack(ctx, t.job.JID, false) })
	defer acks.Stop()
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return w.refusal(t.job, proto.Cancelled, "The job was cancelled before it ran.")
	}
	w.mu.Lock()
	t.running = true
	w.mu.Unlock()
	limit := time.Duration(t.job.Timeout) * time.Millisecond
	if limit == 0 {
		limit = w.o.JobTimeout
	}
	if limit > 0 {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, limit)
		defer done()
	}
	return w.run.Run(event.WithDepth(ctx, t.job.Depth), t.job, t.request)
}

// finish journals and sends a return.
func (w *Worker) finish(ctx context.Context, t *task, r *proto.Return) {
	if !t.pure {
		if err := w.journal.result(r); err != nil {
			// The job has run; without a journal the return lives in memory only, and the next start would say interrupted.
			w.o.Log.Error("journal return", zap.String("jid", r.JID), zap.Error(err))
		}
	}
	s := &spooled{ret: r, job: t.job, delay: firstResend, next: time.Now().Add(firstResend)}
	w.mu.Lock()
	delete(w.active, r.JID)
	w.spool[r.JID] = s
	w.recent.add(r.JID)
	w.mu.Unlock()
	if w.o.Returned != nil {
		w.o.Returned(ctx, t.job, r)
	}
	w.sendReturn(ctx, r)
}

func (w *Worker) forget(t *task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.active, t.job.JID)
}

// Submit spools a return that did not come from a job of the master, such as that of a schedule.
func (w *Worker) Submit(ctx context.Context, r *proto.Return) error {
	if err := w.journal.result(r); err != nil {
		return err
	}
	w.mu.Lock()
	w.spool[r.JID] = &spooled{ret: r, delay: firstResend, next: time.Now().Add(firstResend)}
	w.recent.add(r.JID)
	w.mu.Unlock()
	w.sendReturn(ctx, r)
	return nil
}

func (w *Worker) sendReturn(ctx context.Context, r *proto.Return) {
	body, err := proto.Encode(r)
	if err == nil {
		err = w.o.Send(ctx, proto.Envelope{Type: proto.TypeRet, Body: body, JID: r.JID})
	}
	if err != nil {
		w.o.Log.Debug("send return", zap.String("jid", r.JID), zap.Error(err))
	}
}

func (w *Worker) ack(ctx context.Context, jid string, known bool) {
	body, err := proto.Encode(proto.JobAck{JID: jid, Known: known})
	if err == nil {
		err = w.o.Send(ctx, proto.Envelope{Type: proto.TypeAck, Body: body, JID: jid})
	}
	if err != nil {
		w.o.Log.Debug("acknowledge job", zap.String("jid", jid), zap.Error(err))
	}
}

// Done forgets returns that the master has stored.
func (w *Worker) Done(jids []string) {
	w.mu.Lock()
	var journalled []string
	for _, jid := range jids {
		if w.spool[jid] != nil {
			delete(w.spool, jid)
			journalled = append(journalled, jid)
		}
	}
	w.mu.Unlock()
	if err := w.journal.done(journalled); err != nil {
		w.o.Log.Error("journal", zap.Error(err))
	}
}

// Cancel ends a job for the master: one that waits or runs is stopped; one that was never seen will not be run any more.
func (w *Worker) Cancel(ctx context.Context, c proto.Cancel) {
	if w.Signal(c.JID, syscall.Signal(c.Signal)) {
		return
	}
	w.mu.Lock()
	s, over := w.spool[c.JID], w.recent.has(c.JID)
	w.mu.Unlock()
	switch {
	case s != nil:
		w.sendReturn(ctx, s.ret)
	case !over:
		j := &proto.Job{JID: c.JID, Fun: "", Arg: []any{}}
		w.finish(ctx, &task{job: j}, w.refusal(j, proto.Cancelled, "The job was cancelled before it reached the minion."))
	}
}

// Signal sends a signal to everything that a job has started, and ends the job itself when the signal means that. It
// tells whether there is such a job.
func (w *Worker) Signal(jid string, sig syscall.Signal) bool {
	w.mu.Lock()
	t := w.active[jid]
	var cancel context.CancelCauseFunc
	ends := sig == syscall.SIGTERM || sig == syscall.SIGKILL || sig == syscall.SIGINT || sig == syscall.SIGQUIT
	if t != nil && ends {
		t.signal = sig
		cancel = t.cancel
	}
	w.mu.Unlock()
	if t == nil {
		return false
	}
	t.group.Signal(sig)
	if cancel != nil {
		cancel(fmt.Errorf("%w (signal %d)", errStopped, int(sig)))
	}
	return true
}

func (w *Worker) signalled(t *task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.signal != 0
}
