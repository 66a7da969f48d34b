package reactor

import (
	"context"
	"sync"

	"brine/event"
)

// Lane works through events one after another, on a goroutine of its own, behind a bounded queue.
type Lane struct{ queue chan event.Event }

// StartLane starts a lane that ends with ctx and is counted in wg. size is how many events may wait.
func StartLane(ctx context.Context, wg *sync.WaitGroup, size int, run func(context.Context, event.Event)) *Lane {
	l := &Lane{queue: make(chan event.Event, size)}
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-l.queue:
				run(ctx, ev)
			}
		}
	})
	return l
}

// Offer puts an event into the queue; false says that there was no room.
func (l *Lane) Offer(ev event.Event) bool {
	select {
	case l.queue <- ev:
		return true
	default:
		return false
	}
}

// Waiting is how many events wait.
func (l *Lane) Waiting() int { return len(l.queue) }
