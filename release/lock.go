package release

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Lock is the one lock of a device that updates, state runs and power share. Work nests: who holds it may take it again
// for work inside its own (the update inside the startup states, the shutdown states inside power.sleep), told apart by
// the context. The zero value is ready.
type Lock struct {
	mu     sync.Mutex
	holder *holder
	free   chan struct{} // closed when the holder lets go
}

// Holder says who holds the lock.
type Holder struct {
	// Fun and JID are those of the job.
	Fun, JID string
	Since    time.Time
}

type holder struct {
	Holder
	depth  int
	cancel context.CancelCauseFunc
}

// BusyError says that something else is under way.
type BusyError struct{ Holder }

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s (job %s) has been running since %s: wait for it, or end it with saltutil.term_job %s", e.Fun, e.JID, e.Since.UTC().Format(time.RFC3339), e.JID)
}

// ErrCutOff is the cause of a context that power ended at its deadline.
var ErrCutOff = errors.New("cut off: the device has to go to sleep")

type lockKey struct{}

// Try takes the lock, or answers at once with a *BusyError. The context it returns is for the work; release lets go.
func (l *Lock) Try(ctx context.Context, who Holder) (work context.Context, release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(ctx, who)
}

func (l *Lock) take(ctx context.Context, who Holder) (context.Context, func(), error) {
	if mine, _ := ctx.Value(lockKey{}).(*holder); mine != nil && mine == l.holder {
		mine.depth++
		return ctx, l.once(mine), nil
	}
	if l.holder != nil {
		return nil, nil, &BusyError{l.holder.Holder}
	}
	if who.Since.IsZero() {
		who.Since = time.Now()
	}
	h := &holder{Holder: who, depth: 1}
	work, cancel := context.WithCancelCause(context.WithValue(ctx, lockKey{}, h))
	h.cancel = cancel
	l.holder, l.free = h, make(chan struct{})
	return work, l.once(h), nil
}

func (l *Lock) once(h *holder) func() {
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if h.depth--; h.depth > 0 {
			return
		}
		h.cancel(nil)
		l.holder = nil
		close(l.free)
	})
}

// Insist takes the lock for power: it waits until the holder is done, at its deadline ends it (its context's cause is
// ErrCutOff), and goes on waiting for it to leave cleanly. It gives up only when ctx ends.
func (l *Lock) Insist(ctx context.Context, who Holder, deadline time.Duration) (work context.Context, release func(), err error) {
	limit := time.NewTimer(deadline)
	defer limit.Stop()
	for {
		l.mu.Lock()
		work, release, err := l.take(ctx, who)
		other, free := l.holder, l.free
		l.mu.Unlock()
		var busy *BusyError
		if !errors.As(err, &busy) {
			return work, release, err
		}
		select {
		case <-free:
		case <-limit.C:
			other.cancel(ErrCutOff)
			limit.Reset(deadline + time.Second) // whoever slipped in between has its own time
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("wait for %s (job %s): %w", busy.Fun, busy.JID, context.Cause(ctx))
		}
	}
}

// Held tells who holds the lock; ok is false when nobody does.
func (l *Lock) Held() (h Holder, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == nil {
		return Holder{}, false
	}
	return l.holder.Holder, true
}
