package link

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brine/proto"
)

// calls are the questions to the master that wait for a reply.
type calls struct {
	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan *proto.Reply
}

// askAgain is how long a question waits for its reply before it is sent again: either may get lost on the way.
const (
	askAgain = 5 * time.Second
	askSoon  = 200 * time.Millisecond
)

// Call asks the master for something and reads the reply into out. It asks again until ctx ends.
func (l *Link) Call(ctx context.Context, what string, args, out any) error {
	body, err := proto.Encode(args)
	if err != nil {
		return err
	}
	id, replies := l.calls.open()
	defer l.calls.close(id)
	request, err := proto.Encode(proto.Request{ID: id, What: what, Body: body})
	if err != nil {
		return err
	}
	var last error
	for {
		again := askAgain
		if last = l.Send(ctx, proto.Envelope{Type: proto.TypeReq, Body: request}); last != nil {
			again = askSoon // there is no session yet: it was not even sent
		}
		select {
		case r := <-replies:
			if r.Error != "" {
				return errors.New(r.Error)
			}
			if out == nil {
				return nil
			}
			return proto.Decode(r.Body, out)
		case <-time.After(again):
		case <-ctx.Done():
			if last == nil {
				last = errors.New("no reply")
			}
			return fmt.Errorf("ask the master for %s: %w: %w", what, last, ctx.Err())
		}
	}
}

func (c *calls) open() (uint64, <-chan *proto.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.waiting = map[uint64]chan *proto.Reply{}
	}
	c.next++
	ch := make(chan *proto.Reply, 1)
	c.waiting[c.next] = ch
	return c.next, ch
}

func (c *calls) close(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

func (c *calls) reply(e *proto.Envelope) {
	var r proto.Reply
	if proto.Decode(e.Body, &r) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.waiting[r.ID]; ch != nil {
		select {
		case ch <- &r:
		default:
		}
	}
}
