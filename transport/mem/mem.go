// Package mem is a broker made of channels, for tests: it keeps retained messages and wills, can lose, repeat and delay
// messages, and runs inside testing/synctest.
package mem

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"brine/transport"
)

// Broker connects any number of Conns. The zero value is ready.
type Broker struct {
	// Faults of the network, each a chance from 0 to 1.
	Lose, Repeat float64
	// Delay is the most that a message may take.
	Delay time.Duration

	mu       sync.Mutex
	conns    []*Conn
	retained map[string][]byte
	closed   bool
}

// Conn is one client.
type Conn struct {
	b     *Broker
	h     transport.Handlers
	inbox chan transport.Message
	reset chan struct{}

	mu sync.Mutex
	up bool
}

var _ transport.Conn = (*Conn)(nil)

const inboxSize = 1024

// Conn makes a client.
func (b *Broker) Conn(h transport.Handlers) *Conn {
	return &Conn{b: b, h: h, inbox: make(chan transport.Message, inboxSize), reset: make(chan struct{}, 1)}
}

// Stop cuts every connection and refuses new ones until Start.
func (b *Broker) Stop() {
	b.mu.Lock()
	b.closed = true
	conns := slices.Clone(b.conns)
	b.mu.Unlock()
	for _, c := range conns {
		c.Reset()
	}
}

// Start lets clients connect again.
func (b *Broker) Start() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = false
}

// Publish implements transport.Conn.
func (c *Conn) Publish(_ context.Context, m transport.Message) error {
	c.mu.Lock()
	up := c.up
	c.mu.Unlock()
	if !up {
		return transport.ErrDown
	}
	c.b.publish(m)
	return nil
}

func (b *Broker) publish(m transport.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.Retained {
		if b.retained == nil {
			b.retained = map[string][]byte{}
		}
		b.retained[m.Topic] = m.Payload
		m.Retained = false
	}
	for _, c := range b.conns {
		if !c.wants(m.Topic) || rand.Float64() < b.Lose {
			continue
		}
		times := 1
		if rand.Float64() < b.Repeat {
			times = 2
		}
		for range times {
			c.deliver(m, b.Delay)
		}
	}
}

func (c *Conn) deliver(m transport.Message, delay time.Duration) {
	put := func() {
		select {
		case c.inbox <- m:
		default: // a full queue drops, as brokers do
		}
	}
	if delay == 0 {
		put()
		return
	}
	time.AfterFunc(rand.N(delay), put)
}

func (c *Conn) wants(topic string) bool {
	return slices.ContainsFunc(c.h.Filters, func(f string) bool { return match(f, topic) })
}

func match(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, level := range f {
		if level == "#" {
			return true
		}
		if i >= len(t) || level != "+" && level != t[i] {
			return false
		}
	}
	return len(f) == len(t)
}

// Reset implements transport.Conn.
func (c *Conn) Reset() {
	select {
	case c.reset <- struct{}{}:
	default:
	}
}

// Run implements transport.Conn.
func (c *Conn) Run(ctx context.Context) error {
	for {
		if will, ok := c.join(); ok {
			c.serve(ctx)
			if ctx.Err() != nil {
				will = nil // left on purpose
			}
			c.leave(will)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.h.Down != nil {
			c.h.Down(transport.ErrDown)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *Conn) join() (will *transport.Message, ok bool) {
	if c.h.Will != nil {
		m, err := c.h.Will()
		if err != nil {
			return nil, false
		}
		will = &m
	}
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.b.closed {
		return nil, false
	}
	c.b.conns = append(c.b.conns, c)
	for topic, payload := range c.b.retained {
		if c.wants(topic) && len(payload) > 0 {
			c.deliver(transport.Message{Topic: topic, Payload: payload, Retained: true}, 0)
		}
	}
	return will, true
}

func (c *Conn) serve(ctx context.Context) {
	c.setUp(true)
	if c.h.Up != nil {
		c.h.Up()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.reset:
			return
		case m := <-c.inbox:
			if c.h.Message != nil {
				c.h.Message(m)
			}
		}
	}
}

func (c *Conn) leave(will *transport.Message) {
	c.setUp(false)
	c.b.mu.Lock()
	c.b.conns = slices.DeleteFunc(c.b.conns, func(o *Conn) bool { return o == c })
	c.b.mu.Unlock()
	for len(c.inbox) > 0 {
		<-c.inbox
	}
	if will != nil {
		c.b.publish(*will)
	}
}

func (c *Conn) setUp(up bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = up
}
