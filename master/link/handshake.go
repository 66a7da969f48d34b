package link

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"brine/proto"
	"brine/transport"
)

const (
	// hellosPerSecond bounds what one id can make us compute.
	hellosPerSecond = 5
	// maxHellos bounds the ids that are remembered without a session.
	maxHellos = 50_000
	// helloTime is how long a minion may take to answer a welcome.
	helloTime = 5 * time.Minute
	// askAgain is what a minion whose key is not accepted is told.
	askAgain = 10 * time.Second
	// clockSkew is how far apart the clocks may be before a message counts as expired.
	clockSkew = 5 * time.Second
)

// hello answers a minion that offers its key.
func (l *Link) hello(ctx context.Context, id string, frame []byte) {
	if !l.allowHello(id) {
		l.refuse(id, "rate", errors.New("too many hellos"))
		return
	}
	h, err := proto.ParseHello(frame)
	if err != nil {
		l.refuse(id, "frame", err)
		return
	}
	if h.ID != id {
		l.refuse(id, "impersonation", fmt.Errorf("a hello of %s", h.ID))
		return
	}
	l.stats.received.Add(1)
	if err := l.answer(ctx, h); err != nil {
		l.o.Log.Error("answer a hello", zap.String("minion", id), zap.Error(err))
	}
}

func (l *Link) allowHello(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.hellos[id]
	if w == nil {
		if len(l.hellos) >= maxHellos {
			return false
		}
		w = &waiting{}
		l.hellos[id] = w
	}
	if now := time.Now(); now.Sub(w.at) > time.Second {
		w.at, w.count = now, 0
	}
	w.count++
	return w.count <= hellosPerSecond
}

func (l *Link) answer(ctx context.Context, h *proto.Hello) error {
	verdict, err := l.keys.Decide(ctx, h)
	if err != nil {
		return err
	}
	if h.Version != proto.Version {
		verdict = proto.OtherVer
	}
	w := proto.Welcome{Verdict: verdict, Epoch: l.epoch.UnixMilli()}
	if verdict != proto.Accepted {
		w.Retry = askAgain.Milliseconds()
	}
	frame, session, err := l.seal.Answer(l.o.Identity, h, w)
	if err != nil {
		return err
	}
	l.mu.Lock()
	if known := l.hellos[h.ID]; known != nil {
		next := *known
		next.hello, next.session = h, session
		l.hellos[h.ID] = &next
	}
	l.mu.Unlock()
	return l.publish(ctx, transport.Message{Topic: l.o.Topics.Down(h.ID), Payload: frame})
}

// Recheck answers the last hello of an id again, when an operator has decided about its key.
func (l *Link) Recheck(ctx context.Context, id string) {
	l.mu.RLock()
	w := l.hellos[id]
	l.mu.RUnlock()
	if w == nil || w.hello == nil {
		return
	}
	if err := l.answer(ctx, w.hello); err != nil {
		l.o.Log.Warn("answer a hello again", zap.String("minion", id), zap.Error(err))
	}
}

// sealed opens a message: of the present session, or the first of a new one.
func (l *Link) sealed(ctx context.Context, id string, frame []byte) {
	sid, _ := proto.SessionID(frame)
	l.mu.RLock()
	p, w := l.peers[id], l.hellos[id]
	l.mu.RUnlock()
	switch {
	case p != nil && p.session.ID() == sid:
		l.message(ctx, p, frame)
	case w != nil && w.session != nil && w.session.ID() == sid:
		l.ready(ctx, id, w, frame)
	default:
		l.refuse(id, "session", errors.New("sealed for a session that is not open"))
	}
}

func (l *Link) message(ctx context.Context, p *peer, frame []byte) {
	e, err := p.session.Open(frame, time.Now().Add(-clockSkew))
	if err != nil {
		l.refuse(p.id, reason(err), err)
		return
	}
	l.stats.received.Add(1)
	if e.Type == proto.TypeChunk {
		if e, err = p.chunks.Add(e); err != nil {
			l.refuse(p.id, "chunk", err)
			return
		}
		if e == nil {
			return
		}
	}
	if e.Type == proto.TypeBye {
		l.bye(ctx, p, e)
		return
	}
	l.handler.Message(ctx, p.id, e)
}

func reason(err error) string {
	switch {
	case errors.Is(err, proto.ErrReplay):
		return "replay"
	case errors.Is(err, proto.ErrExpired):
		return "expired"
	}
	return "frame"
}

// ready ends a handshake: whoever can seal the challenge holds the session key that the accepted identity signed.
func (l *Link) ready(ctx context.Context, id string, w *waiting, frame []byte) {
	e, err := w.session.Open(frame, time.Now().Add(-clockSkew))
	if err != nil {
		l.refuse(id, reason(err), err)
		return
	}
	var r proto.Ready
	if e.Type != proto.TypeReady {
		l.refuse(id, "session", fmt.Errorf("a session begins with %s, not %s", proto.TypeReady, e.Type))
		return
	}
	if err := proto.Decode(e.Body, &r); err != nil {
		l.refuse(id, "frame", err)
		return
	}
	// The key may have been revoked since the welcome.
	if subtle.ConstantTimeCompare(r.Challenge, w.session.Challenge) != 1 || !bytes.Equal(l.keys.Accepted(id), w.hello.Public) {
		l.refuse(id, "session", errors.New("the challenge was not met"))
		return
	}
	l.mu.Lock()
	_, had := l.peers[id]
	l.peers[id] = &peer{
		id: id, session: w.session, chunks: &proto.Assembler{}, epoch: w.hello.Epoch, conn: w.hello.Conn, since: time.Now(),
	}
	delete(l.hellos, id)
	l.mu.Unlock()
	l.stats.received.Add(1)
	l.handler.Online(ctx, id, &r, w.hello, !had)
}

func (l *Link) bye(ctx context.Context, p *peer, e *proto.Envelope) {
	var b proto.Bye
	if err := proto.Decode(e.Body, &b); err != nil {
		l.refuse(p.id, "frame", err)
		return
	}
	var until time.Time
	if b.Until > 0 {
		until = time.UnixMilli(b.Until)
	}
	if l.remove(p) {
		l.handler.Offline(ctx, p.id, until, b.Reason)
	}
}

// remove ends a session unless another has taken its place.
func (l *Link) remove(p *peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.peers[p.id] != p {
		return false
	}
	delete(l.peers, p.id)
	return true
}

// state reads a presence message. Only the last will matters here, which speaks for a connection that has ended: one of
// an older connection comes late and says nothing about the present one.
func (l *Link) state(ctx context.Context, id string, m transport.Message) {
	if len(m.Payload) == 0 {
		return // cleared
	}
	key := l.keys.Accepted(id)
	if key == nil {
		return
	}
	s, err := proto.ParseState(m.Payload, key)
	if err != nil {
		l.refuse(id, "frame", err)
		return
	}
	if s.ID != id {
		l.refuse(id, "impersonation", fmt.Errorf("a presence of %s", s.ID))
		return
	}
	l.mu.RLock()
	p := l.peers[id]
	l.mu.RUnlock()
	if s.Up || p == nil || s.Epoch != p.epoch || s.Conn != p.conn {
		return
	}
	if l.remove(p) {
		l.handler.Offline(ctx, id, time.Time{}, "connection lost")
	}
}

// sweep forgets hellos that were never followed up.
func (l *Link) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.mu.Lock()
			for id, w := range l.hellos {
				if time.Since(w.at) > helloTime {
					delete(l.hellos, id)
				}
			}
			l.mu.Unlock()
		}
	}
}
