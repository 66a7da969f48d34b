package link

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"brine/proto"
	"brine/transport"
)

// ErrOffline says that there is no session with the master.
var ErrOffline = errors.New("not connected to the master")

// sealed opens a message of the session. The first one confirms the session.
func (l *Link) sealed(ctx context.Context, frame []byte) {
	l.mu.Lock()
	session, chunks := l.session, l.chunks
	l.mu.Unlock()
	if session == nil {
		l.refuse("session", errors.New("sealed for a session that is not open"))
		return
	}
	e, err := session.Open(frame, time.Now().Add(l.Offset()-clockSkew))
	if err != nil {
		l.refuse("frame", err)
		return
	}
	l.mu.Lock()
	l.heard = time.Now()
	fresh := !l.online
	l.online, l.started = true, true
	l.mu.Unlock()
	if fresh {
		l.confirmed(ctx)
	}
	if e.Type == proto.TypeChunk {
		if e, err = chunks.Add(e); err != nil {
			l.refuse("chunk", err)
			return
		}
		if e == nil {
			return
		}
	}
	if e.Type == proto.TypeReply {
		l.calls.reply(e)
		return
	}
	l.handler.Message(ctx, e)
}

func (l *Link) confirmed(ctx context.Context) {
	if m, err := l.state(proto.State{Up: true, Conn: l.connNo.Load()}); err == nil {
		if err := l.conn.Publish(ctx, m); err != nil {
			l.o.Log.Debug("publish presence", zap.Error(err))
		}
	}
	l.handler.Online(ctx)
	l.poke()
}

// Send seals a message for the master and publishes it. No error says that it has left, not that it has arrived.
func (l *Link) Send(ctx context.Context, e proto.Envelope) error {
	l.mu.Lock()
	session, online := l.session, l.online
	if e.Type == proto.TypeRet || e.Type == proto.TypeEvent || e.Type == proto.TypeReq {
		l.asked = time.Now()
	}
	l.mu.Unlock()
	if session == nil || !online {
		return ErrOffline
	}
	return l.sealWith(ctx, session, e)
}

func (l *Link) sealWith(ctx context.Context, s *proto.Session, e proto.Envelope) error {
	e.Issued = time.Now().Add(l.Offset()).UnixMilli()
	frames, err := s.SealBody(e)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := l.conn.Publish(ctx, transport.Message{Topic: l.o.Topics.Up(l.o.ID), Payload: f}); err != nil {
			return err
		}
	}
	return nil
}

// goodbyeTime bounds how long leaving may take.
const goodbyeTime = 2 * time.Second

// Leave tells the master that the minion goes away on purpose. until is when it means to be back, zero for unknown.
func (l *Link) Leave(until time.Time, reason string) {
	b := proto.Bye{Reason: reason}
	if !until.IsZero() {
		b.Until = until.Add(l.Offset()).UnixMilli()
	}
	l.leave(b)
}

func (l *Link) leave(b proto.Bye) {
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTime) // our own context has ended already
	defer cancel()
	body, err := proto.Encode(b)
	if err != nil {
		return
	}
	if err := l.Send(ctx, proto.Envelope{Type: proto.TypeBye, Body: body}); err != nil {
		return
	}
	if m, err := l.state(proto.State{Conn: l.connNo.Load(), Until: b.Until}); err == nil {
		_ = l.conn.Publish(ctx, m)
	}
	l.mu.Lock()
	l.session, l.online = nil, false
	l.mu.Unlock()
}
