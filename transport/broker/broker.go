// Package broker is the MQTT broker inside the master: mochi (https://github.com/mochi-mqtt/server) with its limits set
// and its weak sides closed off. Sessions are clean, so it keeps nothing on disk; connections carry write deadlines, so
// a peer that stops reading is dropped and never holds a publisher; every topic is checked against the client's id. The
// master speaks to it in the same process, without a socket.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"brine/proto"
	"brine/transport"
)

// Options configure a broker. Zero limits take the defaults.
type Options struct {
	Listeners []Listener
	Topics    proto.Topics
	// Login decides whether a client may connect as id. It runs on the client's own connection.
	Login func(id, user string, password []byte) error
	// MaxClients is how many may be connected; zero is 100,000.
	MaxClients int
	// MaxPacket bounds a packet, in bytes; zero is proto.MaxPacket and some room for the topic.
	MaxPacket int
	// MaxQueued is how many messages may wait for one client; more are dropped. Zero is 256.
	MaxQueued int
	// WriteDeadline ends a client that takes no data for so long; zero is 10 s.
	WriteDeadline time.Duration
	// MaxKeepAlive caps the idle time that a client may ask for; zero is 20 minutes.
	MaxKeepAlive time.Duration
}

// Listener is one address to serve.
type Listener struct {
	// Addr is host:port.
	Addr string
	// TLS makes it a TLS listener.
	TLS *tls.Config
	// Websocket serves MQTT over websockets.
	Websocket bool
}

// Stats are counters since the start.
type Stats struct {
	Connected, Refused, Denied, Dropped int64
}

// Broker is one embedded broker.
type Broker struct {
	o      Options
	server *mqtt.Server
	socks  []net.Listener

	refused, denied, dropped atomic.Int64

	mu      sync.Mutex
	inlines int
}

// connectTime is how long a client may take from the connection to its CONNECT packet.
const connectTime = 10 * time.Second

// New opens the listeners; Run serves them. Nothing stays open after an error.
func New(o Options) (*Broker, error) {
	o = o.defaults()
	b := &Broker{o: o}
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClients = int64(o.MaxClients)
	caps.MaximumMessageExpiryInterval = 0 // retained presence must not vanish
	caps.MaximumClientWritesPending = int32(o.MaxQueued)
	caps.MaximumSessionExpiryInterval = 0
	caps.MaximumPacketSize = uint32(o.MaxPacket)
	caps.MaximumInflight = 64
	caps.ReceiveMaximum = 64
	caps.MaximumQos = 1
	caps.SharedSubAvailable = 0
	caps.TopicAliasMaximum = 0
	caps.MinimumProtocolVersion = 4
	b.server = mqtt.New(&mqtt.Options{
		Capabilities: caps, InlineClient: true, SysTopicResendInterval: 3600, Logger: slog.New(slog.DiscardHandler),
	})
	if err := b.server.AddHook(&hook{b: b}, nil); err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	for i, l := range o.Listeners {
		if err := b.listen(fmt.Sprintf("l%d", i), l); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (o Options) defaults() Options {
	set := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&o.MaxClients, 100_000)
	set(&o.MaxPacket, proto.MaxPacket+1024)
	set(&o.MaxQueued, 256)
	if o.WriteDeadline == 0 {
		o.WriteDeadline = 10 * time.Second
	}
	if o.MaxKeepAlive == 0 {
		o.MaxKeepAlive = 20 * time.Minute
	}
	return o
}

func (b *Broker) listen(id string, l Listener) error {
	sock, err := net.Listen("tcp", l.Addr)
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	b.socks = append(b.socks, sock)
	guarded := net.Listener(&guardListener{Listener: sock, write: b.o.WriteDeadline, idle: b.o.MaxKeepAlive})
	if l.TLS != nil {
		guarded = tls.NewListener(guarded, l.TLS)
	}
	var ml listeners.Listener = listeners.NewNet(id, guarded)
	if l.Websocket {
		ml = newWebsocket(id, guarded)
	}
	if err := b.server.AddListener(ml); err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	return nil
}

// Addrs are the addresses that the listeners got, in the order of Options.Listeners.
func (b *Broker) Addrs() []string {
	out := make([]string, len(b.socks))
	for i, s := range b.socks {
		out[i] = s.Addr().String()
	}
	return out
}

// Run serves until ctx ends.
func (b *Broker) Run(ctx context.Context) error {
	if err := b.server.Serve(); err != nil {
		b.close()
		return fmt.Errorf("embedded broker: %w", err)
	}
	<-ctx.Done()
	b.close()
	return ctx.Err()
}

func (b *Broker) close() {
	_ = b.server.Close()
	for _, s := range b.socks {
		_ = s.Close()
	}
}

// Stats reads the counters.
func (b *Broker) Stats() Stats {
	return Stats{
		Connected: atomic.LoadInt64(&b.server.Info.ClientsConnected), Refused: b.refused.Load(),
		Denied: b.denied.Load(), Dropped: b.dropped.Load(),
	}
}

// Kick ends the connection of an id and clears its retained presence, after its key was revoked. Nobody else notices.
func (b *Broker) Kick(id string) {
	if cl, ok := b.server.Clients.Get(id); ok && !cl.Net.Inline {
		cl.Stop(errors.New("the key was revoked"))
	}
	_ = b.server.Publish(b.o.Topics.State(id), nil, true, 0)
}

// Conn makes the master's own connection.
func (b *Broker) Conn(h transport.Handlers) transport.Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inlines++
	return &inline{b: b, h: h, id: b.inlines}
}

// inline is a client inside the process.
type inline struct {
	b  *Broker
	h  transport.Handlers
	id int
}

var _ transport.Conn = (*inline)(nil)

// Publish implements transport.Conn.
func (c *inline) Publish(_ context.Context, m transport.Message) error {
	if len(m.Payload) > c.b.o.MaxPacket {
		return fmt.Errorf("%w: %d bytes, at most %d", transport.ErrTooLarge, len(m.Payload), c.b.o.MaxPacket)
	}
	return c.b.server.Publish(m.Topic, m.Payload, m.Retained, 0)
}

// Reset implements transport.Conn: there is no connection to renew.
func (c *inline) Reset() {}

// Run implements transport.Conn.
func (c *inline) Run(ctx context.Context) error {
	for _, f := range c.h.Filters {
		err := c.b.server.Subscribe(f, c.id, func(_ *mqtt.Client, _ packets.Subscription, pk packets.Packet) {
			if c.h.Message != nil {
				c.h.Message(transport.Message{Topic: pk.TopicName, Payload: pk.Payload, Retained: pk.FixedHeader.Retain})
			}
		})
		if err != nil {
			return fmt.Errorf("embedded broker: subscribe to %s: %w", f, err)
		}
	}
	if c.h.Up != nil {
		c.h.Up()
	}
	<-ctx.Done()
	for _, f := range c.h.Filters {
		_ = c.b.server.Unsubscribe(f, c.id)
	}
	return ctx.Err()
}
