package worker

import (
	"context"
	"os"
	"slices"
	"time"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/proto"
)

// Run sends returns again until ctx ends, then waits for the jobs under way, which end with it.
func (w *Worker) Run(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	w.mu.Unlock()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			w.mu.Lock()
			w.ctx = nil // nothing is accepted any more
			w.mu.Unlock()
			w.wg.Wait()
			if err := w.journal.close(); err != nil {
				return err
			}
			return ctx.Err()
		case now := <-tick.C:
			w.resend(ctx, func(s *spooled) bool { return now.After(s.next) })
		}
	}
}

// Connected sends every return that the master may not have: there is a new session.
func (w *Worker) Connected(ctx context.Context) {
	w.resend(ctx, func(*spooled) bool { return true })
}

func (w *Worker) resend(ctx context.Context, due func(*spooled) bool) {
	w.mu.Lock()
	var list []*proto.Return
	for _, s := range w.spool {
		if due(s) {
			s.delay = min(2*s.delay, maxResend)
			s.next = time.Now().Add(s.delay)
			list = append(list, s.ret)
		}
	}
	w.mu.Unlock()
	slices.SortFunc(list, func(a, b *proto.Return) int {
		if a.JID < b.JID {
			return -1
		}
		return 1
	})
	for _, r := range list {
		w.sendReturn(ctx, r)
	}
}

// Spooled is how many returns the master has not stored yet.
func (w *Worker) Spooled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.spool)
}

// Active lists the ids of the jobs that wait or run, for the handshake.
func (w *Worker) Active() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]string, 0, len(w.active))
	for jid := range w.active {
		out = append(out, jid)
	}
	slices.Sort(out)
	return out
}

// request is a job in the shape in which saltutil.running shows it, and modules see it as __pub_ values.
func request(j *proto.Job) *ordered.Map {
	m := ordered.Pairs("tgt_type", j.TgtType, "jid", j.JID, "tgt", j.Tgt, "ret", j.Ret, "user", j.User, "arg", j.Arg, "fun", j.Fun)
	if j.Meta != nil {
		m.Set("metadata", j.Meta)
	}
	return m
}

// Running lists the jobs that run, each as its request with a pid: that of the command that it waits for, or ours. The
// job named except is left out.
func (w *Worker) Running(except string) []*ordered.Map {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*ordered.Map
	for jid, t := range w.active {
		if jid == except || !t.running {
			continue
		}
		pid := os.Getpid()
		if pids := t.group.Pids(); len(pids) > 0 {
			pid = pids[0]
		}
		rec := ordered.New(t.request.Len() + 1)
		for k, v := range t.request.All() {
			rec.Set(k, v)
			if k == "tgt" {
				rec.Set("pid", int64(pid))
			}
		}
		rec.Set("pid", int64(pid))
		out = append(out, rec)
	}
	slices.SortFunc(out, func(a, b *ordered.Map) int {
		if a.String("jid") < b.String("jid") {
			return -1
		}
		return 1
	})
	return out
}

// Local runs a job that somebody on the device asked for: it is listed and can be signalled like any other. The return is
// nil when the minion is stopping.
func (w *Worker) Local(ctx context.Context, j *proto.Job, run func(context.Context) *proto.Return) *proto.Return {
	return w.LocalAs(ctx, j, request(j), run)
}

// LocalAs is Local for a job that saltutil.running shows as shown: a key pid in it is given the process's number where it
// stands.
func (w *Worker) LocalAs(ctx context.Context, j *proto.Job, shown *ordered.Map, run func(context.Context) *proto.Return) *proto.Return {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &task{job: j, request: shown, cancel: cancel, running: true}
	w.mu.Lock()
	if w.ctx == nil || w.ctx.Err() != nil {
		w.mu.Unlock()
		return nil
	}
	stop := context.AfterFunc(w.ctx, func() { cancel(context.Canceled) })
	w.active[j.JID] = t
	w.wg.Add(1)
	w.mu.Unlock()
	defer w.wg.Done()
	defer stop()
	defer w.forget(t)
	return run(host.WithGroup(ctx, &t.group))
}
