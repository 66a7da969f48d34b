// Package link holds the sessions between the master and its minions: it answers their hellos, opens what they send,
// seals what they are sent, and tells who is here. What the messages mean is decided elsewhere (Handler).
package link

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"brine/proto"
	"brine/transport"
)

// Decider judges the keys that minions offer.
type Decider interface {
	Decide(ctx context.Context, h *proto.Hello) (proto.Verdict, error)
	Accepted(id string) []byte
}

// Handler is told what minions do. The calls for one minion come in order, on one of the link's workers.
type Handler interface {
	// Online: the minion has a new session. first is set when it had none just before.
	Online(ctx context.Context, id string, r *proto.Ready, h *proto.Hello, first bool)
	// Offline: its session is over; until is when it means to be back (zero: unknown).
	Offline(ctx context.Context, id string, until time.Time, reason string)
	// Message: it sent a message that is proven to be its own and new.
	Message(ctx context.Context, id string, e *proto.Envelope)
}

// Options configure a Link.
type Options struct {
	Identity *proto.Identity
	Topics   proto.Topics
	// Spread is the window over which the fleet says hello again after a restart of the master.
	Spread time.Duration
	// Workers is how many messages are handled at a time; zero is 8.
	Workers int
	// Wait makes a full queue hold its sender, which is right for the embedded broker, where each minion has a reader of
	// its own. Without it a full queue drops: the sender repeats what matters.
	Wait bool
	Log  *zap.Logger
}

// queueSize is how many messages may wait for one worker.
const queueSize = 1024

// Link is the service.
type Link struct {
	o       Options
	keys    Decider
	handler Handler
	seal    *proto.SealKey
	epoch   time.Time
	conn    transport.Conn
	queues  []chan transport.Message
	stats   stats

	mu     sync.RWMutex
	peers  map[string]*peer
	hellos map[string]*waiting
}

// peer is one minion with a session. Its mutable fields belong to the link's lock.
type peer struct {
	id      string
	session *proto.Session
	chunks  *proto.Assembler
	epoch   int64
	conn    uint64
	since   time.Time
}

// waiting is a hello that was answered: the session that it will open, or that an operator may still allow. hello and
// session do not change; another answer makes another waiting.
type waiting struct {
	hello   *proto.Hello
	session *proto.Session // nil while the key is not accepted
	at      time.Time
	count   int // hellos within the present second
}

// New makes a link; SetConn and Run start it.
func New(o Options, keys Decider, h Handler) (*Link, error) {
	seal, err := proto.NewSealKey()
	if err != nil {
		return nil, err
	}
	if o.Workers == 0 {
		o.Workers = 8
	}
	l := &Link{
		o: o, keys: keys, handler: h, seal: seal, epoch: time.Now(),
		peers: map[string]*peer{}, hellos: map[string]*waiting{},
	}
	for range o.Workers {
		l.queues = append(l.queues, make(chan transport.Message, queueSize))
	}
	return l, nil
}

// Handlers are for the connection that carries this link.
func (l *Link) Handlers() transport.Handlers {
	return transport.Handlers{
		Filters: []string{l.o.Topics.AllUp(), l.o.Topics.AllStates()},
		Message: l.receive,
		Up:      l.up,
		Down:    func(err error) { l.o.Log.Warn("broker connection", zap.Error(err)) },
	}
}

// SetConn gives the connection; before Run.
func (l *Link) SetConn(c transport.Conn) { l.conn = c }

// Run handles messages until ctx ends.
func (l *Link) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, q := range l.queues {
		wg.Go(func() { l.work(ctx, q) })
	}
	wg.Go(func() { l.sweep(ctx) })
	wg.Wait()
	return ctx.Err()
}

// up asks the fleet for new sessions: a master that was away has lost its own.
func (l *Link) up() {
	n := proto.Notice{What: "hello", Spread: l.o.Spread.Milliseconds(), Time: time.Now().UnixMilli(), Epoch: l.epoch.UnixMilli()}
	frame, err := proto.SignNotice(l.o.Identity, n)
	if err != nil {
		l.o.Log.Error("sign the notice", zap.Error(err))
		return
	}
	go func() { // the connection must not wait for itself
		if err := l.publish(context.Background(), transport.Message{Topic: l.o.Topics.All(), Payload: frame}); err != nil {
			l.o.Log.Warn("send the notice", zap.Error(err))
		}
	}()
}

func (l *Link) publish(ctx context.Context, m transport.Message) error {
	err := l.conn.Publish(ctx, m)
	if err == nil {
		l.stats.sent.Add(1)
	}
	return err
}

// receive sorts messages by minion, so that each one's are handled in order.
func (l *Link) receive(m transport.Message) {
	_, id, ok := l.o.Topics.Parse(m.Topic)
	if !ok {
		l.refuse(id, "topic", errors.New(m.Topic))
		return
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	q := l.queues[h.Sum32()%uint32(len(l.queues))]
	select {
	case q <- m:
		return
	default:
	}
	if !l.o.Wait {
		l.stats.dropped.Add(1)
		return
	}
	q <- m
}

func (l *Link) work(ctx context.Context, q <-chan transport.Message) {
	for {
		select {
		case m := <-q:
			l.handle(ctx, m)
		case <-ctx.Done():
			l.drain(q)
			return
		}
	}
}

// drain lets go of readers that wait for room in a queue that nobody works on any more.
func (l *Link) drain(q <-chan transport.Message) {
	for {
		select {
		case <-q:
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}

func (l *Link) handle(ctx context.Context, m transport.Message) {
	kind, id, _ := l.o.Topics.Parse(m.Topic)
	switch {
	case kind == proto.KindState:
		l.state(ctx, id, m)
	case len(m.Payload) > proto.MaxPacket:
		l.refuse(id, "size", fmt.Errorf("%d bytes", len(m.Payload)))
	case proto.IsSealed(m.Payload):
		l.sealed(ctx, id, m.Payload)
	default:
		l.hello(ctx, id, m.Payload)
	}
}

// ErrOffline says that a minion has no session.
var ErrOffline = errors.New("the minion is not connected")

// Send seals a message for a minion and publishes it. No error says that it has left, not that it has arrived.
func (l *Link) Send(ctx context.Context, id string, e proto.Envelope) error {
	l.mu.RLock()
	p := l.peers[id]
	l.mu.RUnlock()
	if p == nil {
		return ErrOffline
	}
	frames, err := p.session.SealBody(e)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := l.publish(ctx, transport.Message{Topic: l.o.Topics.Down(id), Payload: f}); err != nil {
			return err
		}
	}
	return nil
}

// Online tells whether a minion has a session, and since when.
func (l *Link) Online(id string) (since time.Time, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if p := l.peers[id]; p != nil {
		return p.since, true
	}
	return time.Time{}, false
}

// OnlineIDs lists the minions that have a session, in no order.
func (l *Link) OnlineIDs() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]string, 0, len(l.peers))
	for id := range l.peers {
		out = append(out, id)
	}
	return out
}

// Drop ends the session of a minion whose key was revoked. Nobody else hears of it.
func (l *Link) Drop(ctx context.Context, id string) {
	l.mu.Lock()
	p := l.peers[id]
	delete(l.peers, id)
	delete(l.hellos, id)
	l.mu.Unlock()
	if p != nil {
		l.handler.Offline(ctx, id, time.Time{}, "key revoked")
	}
}

// Stats are counters since the start.
type Stats struct {
	Received, Sent, Dropped int64
	// Refused counts what was not trusted, by reason.
	Refused map[string]int64
}

type stats struct {
	received, sent, dropped atomic.Int64

	mu      sync.Mutex
	refused map[string]int64
}

// Stats reads the counters.
func (l *Link) Stats() Stats {
	l.stats.mu.Lock()
	defer l.stats.mu.Unlock()
	out := Stats{Received: l.stats.received.Load(), Sent: l.stats.sent.Load(), Dropped: l.stats.dropped.Load(), Refused: map[string]int64{}}
	for k, v := range l.stats.refused {
		out.Refused[k] = v
	}
	return out
}

// Refuse counts and logs a message that changes nothing.
func (l *Link) Refuse(id, reason string, err error) { l.refuse(id, reason, err) }

func (l *Link) refuse(id, reason string, err error) {
	l.stats.mu.Lock()
	if l.stats.refused == nil {
		l.stats.refused = map[string]int64{}
	}
	l.stats.refused[reason]++
	l.stats.mu.Unlock()
	l.o.Log.Warn("message refused", zap.String("minion", id), zap.String("reason", reason), zap.Error(err))
}
