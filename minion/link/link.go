// Package link is the minion's side of the sessions with its master: it says hello at each connection, proves who it is,
// pins the master's key, seals what it sends and opens what it gets. What the messages mean is decided elsewhere
// (Handler).
package link

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"brine/internal/backoff"
	"brine/proto"
	"brine/transport"
)

// Handler is told what the master sends. Its calls come one after another and must be quick.
type Handler interface {
	// Ready makes the first message of a session.
	Ready(ctx context.Context) proto.Ready
	// Online: there is a session, confirmed by the master.
	Online(ctx context.Context)
	// Offline: there is none any more.
	Offline(ctx context.Context)
	// Message: the master sent a message that is proven to be its own and new.
	Message(ctx context.Context, e *proto.Envelope)
}

// Pin keeps the master's key.
type Pin interface {
	// Master is the pinned key, nil when there is none yet.
	Master() ed25519.PublicKey
	// Check decides about the key of the first master that answers, and pins it.
	Check(key ed25519.PublicKey) error
}

// Options configure a Link.
type Options struct {
	ID       string
	Identity *proto.Identity
	Topics   proto.Topics
	Token    string
	// Retry is the delay between hellos while the key waits to be accepted, unless the master names another.
	Retry time.Duration
	Log   *zap.Logger
}

// Link is the service.
type Link struct {
	o       Options
	pin     Pin
	handler Handler
	conn    transport.Conn
	epoch   time.Time
	inbox   chan transport.Message
	connNo  atomic.Uint64
	offset  atomic.Int64 // the master's clock minus ours, nanoseconds
	readies int          // sent in the session that is not confirmed; of Run's goroutine
	wake    chan struct{}
	calls   calls
	refused atomic.Int64

	mu      sync.Mutex
	offer   *proto.Offer
	session *proto.Session
	chunks  *proto.Assembler
	welcome *proto.Welcome
	up      bool      // the broker connection stands
	online  bool      // the master has confirmed the session
	started bool      // a session of this process was confirmed before
	heard   time.Time // of the last sealed message
	asked   time.Time // of the last message that wants an answer
}

const (
	inboxSize = 256
	// helloTime is how long an unanswered hello waits to be repeated, at first and at most.
	helloTime    = time.Second
	maxHelloTime = time.Minute
	// silence is how long the master may leave a message that wants an answer unanswered before a new session is tried.
	silence = 20 * time.Second
	// maxReadies is how often a session is offered before another is begun.
	maxReadies = 3
	// clockSkew is how late a message may be by clocks that differ.
	clockSkew = 5 * time.Second
)

// New makes a link; SetConn and Run start it.
func New(o Options, pin Pin, h Handler) *Link {
	return &Link{
		o: o, pin: pin, handler: h, epoch: time.Now(), inbox: make(chan transport.Message, inboxSize), wake: make(chan struct{}, 1),
	}
}

// SetConn gives the connection; before Run.
func (l *Link) SetConn(c transport.Conn) { l.conn = c }

// Handlers are for the connection that carries this link.
func (l *Link) Handlers() transport.Handlers {
	return transport.Handlers{
		Filters: []string{l.o.Topics.Down(l.o.ID), l.o.Topics.All()},
		Message: func(m transport.Message) {
			select {
			case l.inbox <- m:
			default:
				l.refused.Add(1) // the master repeats what matters
			}
		},
		Up: func() {
			l.mu.Lock()
			l.up = true
			l.mu.Unlock()
			l.poke()
		},
		Down: l.down,
		Will: func() (transport.Message, error) { return l.state(proto.State{Conn: l.connNo.Add(1)}) },
	}
}

func (l *Link) down(err error) {
	l.o.Log.Info("connection to the broker", zap.Error(err))
	l.mu.Lock()
	l.up = false
	l.mu.Unlock()
	l.poke()
}

// state makes the message of the retained presence.
func (l *Link) state(s proto.State) (transport.Message, error) {
	s.ID, s.Epoch = l.o.ID, l.epoch.UnixMilli()
	frame, err := proto.SignState(l.o.Identity, s)
	return transport.Message{Topic: l.o.Topics.State(l.o.ID), Payload: frame, Retained: true}, err
}

func (l *Link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Offset is the master's clock minus ours, as of the last handshake.
func (l *Link) Offset() time.Duration { return time.Duration(l.offset.Load()) }

// Online tells whether there is a session.
func (l *Link) Online() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.online
}

// Run keeps a session up until ctx ends; then it says goodbye.
func (l *Link) Run(ctx context.Context) error {
	hello := backoff.Backoff{Base: helloTime, Cap: maxHelloTime}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	jumps := time.NewTicker(jumpTick)
	defer jumps.Stop()
	clock := newJumpDetector()
	for {
		select {
		case <-ctx.Done():
			l.leave(proto.Bye{Reason: "stop"})
			return ctx.Err()
		case m := <-l.inbox:
			if again := l.handle(ctx, m); again > 0 {
				timer.Reset(again)
			}
		case <-l.wake:
			timer.Reset(l.refresh(ctx, &hello))
		case <-timer.C:
			timer.Reset(l.refresh(ctx, &hello))
		case <-jumps.C:
			if clock.jumped() {
				l.o.Log.Info("the clock jumped: the machine slept, or its clock was set; connecting again")
				l.conn.Reset()
			}
		}
	}
}

// refresh does what the state of the session asks for and says when to look again.
func (l *Link) refresh(ctx context.Context, hello *backoff.Backoff) time.Duration {
	l.mu.Lock()
	up, online, session := l.up, l.online, l.session
	stale := online && l.asked.After(l.heard) && time.Since(l.asked) > silence
	l.mu.Unlock()
	switch {
	case !up:
		l.drop(ctx)
		hello.Reset()
		return time.Hour
	case stale:
		l.drop(ctx)
		session = nil
	case online:
		hello.Reset()
		return silence / 2
	}
	if session != nil && l.readies < maxReadies { // the last one may have got lost
		l.readies++
		l.sendReady(ctx)
		return helloTime
	}
	if err := l.sayHello(ctx); err != nil {
		l.o.Log.Warn("say hello", zap.Error(err))
	}
	return helloTime + hello.Next()
}

func (l *Link) sayHello(ctx context.Context) error {
	offer, frame, err := proto.NewOffer(l.o.Identity, proto.Hello{ID: l.o.ID, Epoch: l.epoch.UnixMilli(), Conn: l.connNo.Load(), Token: l.o.Token})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.offer = offer
	l.mu.Unlock()
	return l.conn.Publish(ctx, transport.Message{Topic: l.o.Topics.Up(l.o.ID), Payload: frame})
}

// drop forgets the session.
func (l *Link) drop(ctx context.Context) {
	l.mu.Lock()
	was := l.online
	l.session, l.online, l.chunks = nil, false, nil
	l.mu.Unlock()
	if was {
		l.handler.Offline(ctx)
	}
}

// handle takes one message; again is when to look at the session, 0 for no change.
func (l *Link) handle(ctx context.Context, m transport.Message) (again time.Duration) {
	if len(m.Payload) > proto.MaxPacket {
		l.refuse("size", fmt.Errorf("%d bytes", len(m.Payload)))
		return 0
	}
	switch {
	case m.Topic == l.o.Topics.All():
		return l.notice(ctx, m.Payload)
	case proto.IsSealed(m.Payload):
		l.sealed(ctx, m.Payload)
		return 0
	}
	return l.answer(ctx, m.Payload)
}

// answer reads the master's answer to our hello.
func (l *Link) answer(ctx context.Context, frame []byte) time.Duration {
	l.mu.Lock()
	offer := l.offer
	l.mu.Unlock()
	if offer == nil {
		l.refuse("frame", errors.New("an answer to no hello"))
		return 0
	}
	w, session, err := offer.Finish(frame, l.pin.Master())
	if err != nil {
		l.refuse("frame", err)
		return 0
	}
	if l.pin.Master() == nil {
		if err := l.pin.Check(w.Master); err != nil {
			l.o.Log.Error("the master's key is not trusted", zap.Error(err))
			return maxHelloTime
		}
	}
	l.offset.Store(int64(time.Until(time.UnixMilli(w.Time))))
	if w.Verdict != proto.Accepted {
		return l.notAccepted(w)
	}
	l.mu.Lock()
	l.offer, l.session, l.welcome, l.chunks, l.online = nil, session, w, &proto.Assembler{}, false
	l.mu.Unlock()
	l.readies = 1
	l.sendReady(ctx)
	return helloTime
}

func (l *Link) notAccepted(w *proto.Welcome) time.Duration {
	retry := l.o.Retry
	if w.Retry > 0 {
		retry = max(retry, time.Duration(w.Retry)*time.Millisecond)
	}
	switch w.Verdict {
	case proto.Pending:
		l.o.Log.Warn("the master has not accepted this minion's key yet: compare the fingerprints, then run brine key -a on the master",
			zap.String("id", l.o.ID), zap.String("fingerprint", proto.Finger(l.o.Identity.Public())))
	case proto.Denied:
		l.o.Log.Error("the master has accepted another key for this id: if this minion is the right one, delete that key on the master", zap.String("id", l.o.ID))
		retry = max(retry, maxHelloTime)
	case proto.OtherVer:
		l.o.Log.Error("the master speaks another version of the protocol: upgrade the older of the two", zap.Int("ours", proto.Version), zap.Int("theirs", w.Version))
		retry = max(retry, maxHelloTime)
	default:
		l.o.Log.Error("the master has rejected this minion's key", zap.String("id", l.o.ID))
		retry = max(retry, maxHelloTime)
	}
	return retry + rand.N(retry/4+1)
}

func (l *Link) sendReady(ctx context.Context) {
	l.mu.Lock()
	session, started := l.session, l.started
	l.mu.Unlock()
	r := l.handler.Ready(ctx)
	r.Challenge, r.Start = session.Challenge, !started
	body, err := proto.Encode(r)
	if err == nil {
		err = l.sealWith(ctx, session, proto.Envelope{Type: proto.TypeReady, Body: body})
	}
	if err != nil {
		l.o.Log.Warn("open session", zap.Error(err))
	}
}

// notice reads a call from the master to everyone.
func (l *Link) notice(ctx context.Context, frame []byte) time.Duration {
	master := l.pin.Master()
	if master == nil {
		return 0
	}
	n, err := proto.ParseNotice(frame, master)
	if err != nil {
		l.refuse("frame", err)
		return 0
	}
	l.mu.Lock()
	known := l.welcome != nil && n.Epoch <= l.welcome.Epoch
	l.mu.Unlock()
	if known || n.What != "hello" {
		return 0 // from the master that we have a session with, or an old one
	}
	l.drop(ctx)
	return time.Millisecond + rand.N(time.Duration(max(n.Spread, 1))*time.Millisecond)
}

func (l *Link) refuse(reason string, err error) {
	l.refused.Add(1)
	l.o.Log.Warn("message refused", zap.String("reason", reason), zap.Error(err))
}

// Refused counts what was not trusted, or found no room.
func (l *Link) Refused() int64 { return l.refused.Load() }
