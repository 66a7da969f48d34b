package jobs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"brine/proto"
)

// Local is a whole command: a job and how its answers are waited for.
type Local struct {
	Request
	Wait
	// Async does not wait.
	Async bool
	// Batch is how many minions work at a time: "3", "10%" or "%10"; "" is all.
	Batch     string
	BatchWait time.Duration
	Failhard  bool
	// Subset sends to so many minions of the target that have the function; 0 is all.
	Subset int
}

// Sink is told what happens.
type Sink interface {
	// Started: a job was published; for batches several times.
	Started(jid string, minions, missing []string) error
	Return(r *proto.Return) error
	Absent(jid string, a Absent) error
	// Down: in a batch, a minion that is not there and gets no job.
	Down(id string) error
}

// Do runs a whole command.
func (m *Manager) Do(ctx context.Context, l *Local, s Sink) error {
	if l.IDs == nil {
		ids, missing, err := m.resolve.Resolve(ctx, &l.Request)
		if err != nil {
			return err
		}
		if l.Subset > 0 {
			if ids, err = m.subset(ctx, l, ids); err != nil {
				return err
			}
		}
		if len(ids) == 0 {
			return ErrNoMatch
		}
		l.IDs, l.missing = ids, missing
	}
	if l.Batch != "" {
		return m.batch(ctx, l, s)
	}
	h, err := m.Publish(ctx, &l.Request)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := s.Started(h.JID, h.Job.Minions, h.Job.Missing); err != nil || l.Async {
		return err
	}
	return m.wait(ctx, h, l.Wait, s)
}

func (m *Manager) wait(ctx context.Context, h *Handle, w Wait, s Sink) error {
	absent, err := m.Collect(ctx, h, w, s.Return)
	if err != nil {
		return err
	}
	for _, id := range h.Job.Missing {
		absent = append(absent, Absent{ID: id, Connected: true, Reason: "no key of this id is accepted"})
	}
	for _, a := range absent {
		if err := s.Absent(h.JID, a); err != nil {
			return err
		}
	}
	return nil
}

// subset chooses minions at random among those that have the function.
func (m *Manager) subset(ctx context.Context, l *Local, ids []string) ([]string, error) {
	h, err := m.Publish(ctx, &Request{
		Tgt: l.Tgt, TgtType: l.TgtType, Fun: "sys.list_functions", Arg: []any{l.Fun}, User: l.User, IDs: ids,
	})
	if err != nil {
		return nil, err
	}
	defer h.Close()
	var have []string
	_, err = m.Collect(ctx, h, l.Wait, func(r *proto.Return) error {
		v, err := r.Value()
		if list, ok := v.([]any); err == nil && ok && slices.Contains(list, l.Fun) {
			have = append(have, r.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	rand.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
	have = have[:min(l.Subset, len(have))]
	slices.Sort(have)
	return have, nil
}

// BatchSize reads a batch size for n minions: at least one.
func BatchSize(text string, n int) (int, error) {
	bad := fmt.Errorf("Invalid batch data sent: %s\nData must be in the form of %%10, 10%% or 3", text)
	t := strings.TrimSpace(text)
	percent := strings.HasPrefix(t, "%") || strings.HasSuffix(t, "%")
	v, err := strconv.ParseFloat(strings.Trim(t, "%"), 64)
	if err != nil || v <= 0 {
		return 0, bad
	}
	if percent {
		v = v / 100 * float64(n)
	}
	return max(1, int(v)), nil
}

// errFailhard stops a batch.
var errFailhard = errors.New("batch stopped")

// batch keeps a number of minions at work: as soon as some have answered, as many others get their job.
func (m *Manager) batch(ctx context.Context, l *Local, s Sink) error {
	var up []string
	for _, id := range l.IDs {
		if _, online := m.sender.Online(id); online {
			up = append(up, id)
		} else if err := s.Down(id); err != nil {
			return err
		}
	}
	size, err := BatchSize(l.Batch, len(up))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &batch{m: m, l: l, s: s, done: make(chan error, len(up)), events: make(chan func() error, len(up)+1)}
	for running := 0; len(up) > 0 || running > 0; {
		if n := min(size-running, len(up)); n > 0 {
			if err := b.start(ctx, up[:n]); err != nil {
				return err
			}
			up, running = up[n:], running+n
		}
		select {
		case f := <-b.events:
			if err := f(); err != nil {
				if errors.Is(err, errFailhard) {
					return nil
				}
				return err
			}
		case err := <-b.done:
			if err != nil {
				return err
			}
			running--
		}
	}
	for {
		select {
		case f := <-b.events:
			if err := f(); err != nil && !errors.Is(err, errFailhard) {
				return err
			}
		default:
			return nil
		}
	}
}

// batch is one batch command under way. The sink is used on one goroutine only.
type batch struct {
	m      *Manager
	l      *Local
	s      Sink
	done   chan error        // one for each minion that is through
	events chan func() error // what the sink is to be told
}

// start publishes a job for some minions and follows it.
func (b *batch) start(ctx context.Context, ids []string) error {
	r := b.l.Request
	r.IDs, r.JID = ids, ""
	h, err := b.m.Publish(ctx, &r)
	if err != nil {
		return err
	}
	if err := b.s.Started(h.JID, ids, nil); err != nil {
		h.Close()
		return err
	}
	go func() {
		defer h.Close()
		left := len(ids)
		finish := func(f func() error) {
			left--
			b.events <- f
			go func() { // a slot is free again after the pause that was asked for
				select {
				case <-time.After(b.l.BatchWait):
					b.done <- nil
				case <-ctx.Done():
				}
			}()
		}
		absent, err := b.m.Collect(ctx, h, b.l.Wait, func(r *proto.Return) error {
			finish(func() error { return b.answer(r) })
			return nil
		})
		if err != nil {
			b.done <- err
			return
		}
		for _, a := range absent {
			finish(func() error { return b.s.Absent(h.JID, a) })
		}
	}()
	return nil
}

func (b *batch) answer(r *proto.Return) error {
	if err := b.s.Return(r); err != nil {
		return err
	}
	if b.l.Failhard && r.Retcode != 0 {
		return errFailhard
	}
	return nil
}
