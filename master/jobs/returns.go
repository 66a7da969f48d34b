package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/master/store"
	"brine/proto"
)

// ErrForeign says that a minion returned a job that was not for it, or spoke for another.
var ErrForeign = errors.New("a return that is not the minion's own")

// Return takes an answer of the minion id, and the same encoded. The caller has proven that it comes from there. It is
// acknowledged when it is on the disk; a repeated one is acknowledged again and changes nothing.
func (m *Manager) Return(ctx context.Context, id string, r *proto.Return, body []byte) error {
	if r.ID != id {
		return ErrForeign
	}
	m.mu.Lock()
	l := m.open[r.JID]
	m.mu.Unlock()
	if l != nil && l.isFor(id) {
		m.save(l, r, body)
		return nil
	}
	return m.closedReturn(ctx, r, body)
}

// closedReturn takes an answer to a job that is not open: a repeated one, or one that the minion started by itself.
func (m *Manager) closedReturn(ctx context.Context, r *proto.Return, body []byte) error {
	if _, err := proto.JIDTime(r.JID); err != nil {
		return ErrForeign
	}
	job, err := m.store.Job(ctx, r.JID)
	switch {
	case err == nil && !slices.Contains(job.Minions, r.ID):
		return ErrForeign
	case err == nil:
		m.save(&live{job: job}, r, body)
		return nil
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	own := &store.Job{
		Job:     proto.Job{JID: r.JID, Fun: r.Fun, Arg: r.FunArgs, Tgt: r.ID, TgtType: "glob", User: r.User},
		Minions: []string{r.ID}, Origin: r.ID,
	}
	if err := m.store.SaveJob(ctx, *own); err != nil {
		return err
	}
	m.save(&live{job: own}, r, body)
	return nil
}

// save stores a return; what follows happens when it is on the disk.
func (m *Manager) save(l *live, r *proto.Return, body []byte) {
	now := time.Now()
	m.store.SaveReturn(r, body, now, func(fresh bool, err error) {
		if err != nil {
			m.o.Log.Error("store return", zap.String("jid", r.JID), zap.String("minion", r.ID), zap.Error(err))
			return // not acknowledged: the minion will send it again
		}
		if fresh {
			m.fireReturn(r, now, l.job.Depth)
			for _, f := range m.returners {
				f(l.job, r)
			}
		}
		m.settle(l, r)
		m.acknowledge(r.ID, r.JID)
	})
}

func (m *Manager) settle(l *live, r *proto.Return) {
	ok, last := l.settle(r)
	if !ok {
		return
	}
	m.mu.Lock()
	delete(m.byMinion[r.ID], r.JID)
	if len(m.byMinion[r.ID]) == 0 {
		delete(m.byMinion, r.ID)
	}
	if last {
		delete(m.open, r.JID)
	}
	m.mu.Unlock()
	if last {
		// The returns tell the same: when this is lost in a crash, the next start finds nobody missing.
		_ = m.store.CloseJob(context.Background(), r.JID)
	}
}

// acknowledge lets the minion forget a return, some time soon.
func (m *Manager) acknowledge(id, jid string) {
	m.mu.Lock()
	m.done[id] = append(m.done[id], jid)
	m.lastDone = time.Now()
	if m.firstDone.IsZero() {
		m.firstDone = m.lastDone
	}
	m.mu.Unlock()
}

func (m *Manager) fireReturn(r *proto.Return, now time.Time, depth int) {
	tag := "salt/job/" + r.JID + "/ret/" + r.ID
	if !m.bus.Wanted(tag) && !m.bus.Wanted(r.JID) {
		return
	}
	data, err := EventData(r)
	if err != nil {
		m.o.Log.Error("event of a return", zap.String("jid", r.JID), zap.Error(err))
		return
	}
	for _, t := range []string{r.JID, tag} {
		e := event.New(t, data, now)
		e.Depth = depth
		m.bus.Fire(e)
	}
}

// EventData is a return in the shape of Salt's event salt/job/<jid>/ret/<id>.
func EventData(r *proto.Return) (*ordered.Map, error) {
	v, err := r.Value()
	if err != nil {
		return nil, err
	}
	d := ordered.Pairs("cmd", "_return", "id", r.ID, "jid", r.JID, "fun", r.Fun, "fun_args", PlainArgs(r.FunArgs),
		"return", v, "retcode", r.Retcode, "success", r.Success)
	if r.User != nil {
		d.Set("user", r.User)
	}
	if r.Out != "" {
		d.Set("out", r.Out)
	}
	if r.Meta != nil {
		d.Set("metadata", r.Meta)
	}
	if r.Schedule != "" {
		d.Set("schedule", r.Schedule)
	}
	for k, v := range r.Extra.All() {
		d.Set(k, v)
	}
	return d, nil
}

// PlainArgs are the arguments as events show them: keywords as a plain map, without __kwarg__.
func PlainArgs(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		if m, ok := a.(*ordered.Map); ok && m.Has("__kwarg__") {
			plain := m.Clone()
			plain.Delete("__kwarg__")
			out[i] = plain
		}
	}
	return out
}

// Watch re-attaches to a job: the returns that are stored, and then those that come. ErrNotFound when it is unknown.
func (m *Manager) Watch(ctx context.Context, jid string) (*Handle, error) {
	m.mu.Lock()
	l := m.open[jid]
	m.mu.Unlock()
	var h *Handle
	if l != nil {
		h = l.watch() // before the store is read, so that nothing falls between
	} else {
		job, err := m.store.Job(ctx, jid)
		if err != nil {
			return nil, err
		}
		h = &Handle{JID: jid, Job: job, wake: make(chan struct{}, 1), over: true}
	}
	stored, err := m.store.Returns(ctx, jid)
	if err != nil {
		h.Close()
		return nil, err
	}
	h.prepend(stored)
	return h, nil
}

// prepend puts stored returns in front of those that came meanwhile.
func (h *Handle) prepend(stored []proto.Return) {
	h.mu.Lock()
	defer h.mu.Unlock()
	have := make(map[string]bool, len(h.queue))
	for _, r := range h.queue {
		have[r.ID] = true
	}
	first := make([]*proto.Return, 0, len(stored)+len(h.queue))
	for i := range stored {
		if !have[stored[i].ID] {
			first = append(first, &stored[i])
		}
	}
	h.queue = append(first, h.queue...)
}

const (
	tickTime = time.Second
	// Acknowledgements wait until no return has come for ackQuiet, so that they do not slow the returns that people wait for,
	// but never longer than ackLatest: minions send a return again after a few seconds.
	ackQuiet, ackLatest = 300 * time.Millisecond, 2 * time.Second
	// ackEvery is how many acknowledgements travel in one message.
	ackEvery = 1000
)

// Run sends again, expires and acknowledges until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	tick, acks := time.NewTicker(tickTime), time.NewTicker(ackQuiet)
	defer tick.Stop()
	defer acks.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-acks.C:
			m.flushAcks(ctx, now)
		case now := <-tick.C:
			m.retry(ctx, now)
		}
	}
}

func (m *Manager) flushAcks(ctx context.Context, now time.Time) {
	m.mu.Lock()
	if len(m.done) == 0 || now.Sub(m.lastDone) < ackQuiet && now.Sub(m.firstDone) < ackLatest {
		m.mu.Unlock()
		return
	}
	done := m.done
	m.done, m.firstDone = make(map[string][]string, len(done)), time.Time{}
	m.mu.Unlock()
	for id, jids := range done {
		for part := range slices.Chunk(jids, ackEvery) {
			body, err := proto.Encode(proto.Done{JIDs: part})
			if err == nil {
				err = m.sender.Send(ctx, id, proto.Envelope{Type: proto.TypeDone, Body: body})
			}
			if err != nil { // the minion will send them again, and be told then
				m.o.Log.Debug("acknowledge returns", zap.String("minion", id), zap.Error(err))
				break
			}
		}
	}
}

func (m *Manager) retry(ctx context.Context, now time.Time) {
	m.mu.Lock()
	list := make([]*live, 0, len(m.open))
	for _, l := range m.open {
		list = append(list, l)
	}
	m.mu.Unlock()
	for _, l := range list {
		again, expired := l.due(now)
		for _, id := range expired {
			m.finish(l, id, proto.Expired, "The job expired before the minion could be reached.")
		}
		m.sendAll(ctx, l, again)
	}
}
