package master

import (
	"context"
	"errors"
	"time"

	"brine/event"
	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/master/jobs"
	"brine/master/store"
	"brine/modules"
	"brine/proto"
	"brine/target"
)

// Codes of errors on the control socket.
const (
	CodeNoMatch   = "no-match"
	CodeNodegroup = "nodegroup"
	CodeNotFound  = "not-found"
	CodeMissing   = "not-available"
	CodeArguments = "arguments"
)

// LocalRequest asks for a job on minions. Times are seconds.
type LocalRequest struct {
	Tgt       any          `msgpack:"tgt"`
	TgtType   string       `msgpack:"tgt_type"`
	Delimiter string       `msgpack:"delimiter,omitempty"`
	Fun       any          `msgpack:"fun"`
	Arg       []any        `msgpack:"arg"`
	Ret       string       `msgpack:"ret,omitempty"`
	User      string       `msgpack:"user"`
	Meta      *ordered.Map `msgpack:"metadata,omitempty"`
	Extra     *ordered.Map `msgpack:"extra,omitempty"`
	Timeout   float64      `msgpack:"timeout,omitempty"`
	Gather    float64      `msgpack:"gather,omitempty"`
	Queue     float64      `msgpack:"queue,omitempty"` // how long the job may wait for minions that are away
	Async     bool         `msgpack:"async,omitempty"`
	Batch     string       `msgpack:"batch,omitempty"`
	BatchWait float64      `msgpack:"batch_wait,omitempty"`
	Failhard  bool         `msgpack:"failhard,omitempty"`
	Subset    int          `msgpack:"subset,omitempty"`
	Preview   bool         `msgpack:"preview,omitempty"` // only list who would be meant
	// SafeLimit and SafeSize turn batches on when so many minions match.
	SafeLimit int    `msgpack:"safe_limit,omitempty"`
	SafeSize  string `msgpack:"safe_size,omitempty"`
}

// Frame is one message of a stream on the control socket: exactly one field is set.
type Frame struct {
	Started *Started      `msgpack:"started,omitempty"`
	Return  *proto.Return `msgpack:"return,omitempty"`
	Absent  *Absent       `msgpack:"absent,omitempty"`
	Down    string        `msgpack:"down,omitempty"`
	Event   *EventFrame   `msgpack:"event,omitempty"`
	Value   *Value        `msgpack:"value,omitempty"`
}

// Started tells of a published job.
type Started struct {
	JID     string   `msgpack:"jid"`
	Fun     any      `msgpack:"fun"`
	Minions []string `msgpack:"minions"`
	Missing []string `msgpack:"missing,omitempty"`
}

// Absent is a minion that did not answer; Text is what stands in place of its result.
type Absent struct {
	JID       string `msgpack:"jid"`
	ID        string `msgpack:"id"`
	Connected bool   `msgpack:"connected"`
	Reason    string `msgpack:"reason"`
	Text      string `msgpack:"text"`
}

// EventFrame is an event.
type EventFrame struct {
	ID   int64        `msgpack:"id"`
	Tag  string       `msgpack:"tag"`
	Data *ordered.Map `msgpack:"data"`
}

// Value is the result of a runner or wheel function.
type Value struct {
	JID     string `msgpack:"jid"`
	Value   any    `msgpack:"value"`
	Out     string `msgpack:"out,omitempty"`
	Retcode int    `msgpack:"retcode"`
	Doc     string `msgpack:"doc,omitempty"`
}

// FunRequest asks for a runner or wheel function.
type FunRequest struct {
	Fun    string       `msgpack:"fun"`
	Pos    []any        `msgpack:"pos"`
	Kwargs *ordered.Map `msgpack:"kwargs,omitempty"`
	User   string       `msgpack:"user"`
	JID    string       `msgpack:"jid,omitempty"`
	Async  bool         `msgpack:"async,omitempty"`
	// Quiet calls of functions that only read fire no events.
	Quiet bool `msgpack:"quiet,omitempty"`
}

// JobRequest names a job.
type JobRequest struct {
	JID     string   `msgpack:"jid"`
	Signal  int      `msgpack:"signal,omitempty"`
	IDs     []string `msgpack:"ids,omitempty"`
	Timeout float64  `msgpack:"timeout,omitempty"`
	Follow  bool     `msgpack:"follow,omitempty"` // wait until every minion has answered
}

// TokenRequest asks for a join token.
type TokenRequest struct {
	ID    string  `msgpack:"id"`
	Valid float64 `msgpack:"valid"` // seconds
}

func (m *Master) methods() map[string]rpc.Method {
	return map[string]rpc.Method{
		"local":  m.controlLocal,
		"runner": m.controlFun(func() *modules.Registry { return m.runners }, "run"),
		"wheel":  m.controlFun(func() *modules.Registry { return m.wheels }, "wheel"),
		"events": m.controlEvents,
		"watch":  m.controlWatch,
		"cancel": m.controlCancel,
		"token":  m.controlToken,
	}
}

func seconds(f float64, def time.Duration) time.Duration {
	if f <= 0 {
		return def
	}
	return time.Duration(f * float64(time.Second))
}

// local is the command that a request stands for.
func (m *Master) local(q *LocalRequest) *jobs.Local {
	l := &jobs.Local{
		Request: jobs.Request{
			Tgt: q.Tgt, TgtType: q.TgtType, Delimiter: q.Delimiter, Fun: q.Fun, Arg: q.Arg, Ret: q.Ret, User: q.User, Meta: q.Meta, Extra: q.Extra,
		},
		Wait:  jobs.Wait{Timeout: seconds(q.Timeout, m.o.Timeout), Gather: seconds(q.Gather, m.o.Gather), Away: m.away},
		Async: q.Async, Batch: q.Batch, BatchWait: seconds(q.BatchWait, 0), Failhard: q.Failhard, Subset: q.Subset,
	}
	l.StartWithin = seconds(q.Queue, l.Wait.Timeout+l.Wait.Gather)
	return l
}

func (m *Master) controlLocal(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
	var q LocalRequest
	if err := body.Decode(&q); err != nil {
		return err
	}
	l := m.local(&q)
	if q.Preview || q.SafeLimit > 0 {
		ids, _, err := m.Resolve(ctx, &l.Request)
		if err != nil {
			return controlError(err)
		}
		if q.Preview {
			return reply(Frame{Started: &Started{Minions: ids}})
		}
		if len(ids) >= q.SafeLimit && l.Batch == "" {
			l.Batch = q.SafeSize
		}
	}
	return controlError(m.jobs.Do(ctx, l, &socketSink{reply: reply, fun: q.Fun}))
}

// controlError gives the errors that a client tells apart a code.
func controlError(err error) error {
	var code string
	var missing *modules.NotAvailableError
	var args *modules.ArgError
	var group *target.UnknownNodegroupError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jobs.ErrNoMatch):
		code = CodeNoMatch
	case errors.As(err, &group):
		code = CodeNodegroup
	case errors.Is(err, store.ErrNotFound):
		code = CodeNotFound
	case errors.As(err, &missing):
		code = CodeMissing
	case errors.As(err, &args):
		code = CodeArguments
	default:
		return err
	}
	return &rpc.Error{Code: code, Msg: err.Error()}
}

// socketSink writes what happens as frames.
type socketSink struct {
	reply rpc.Reply
	fun   any
}

var _ jobs.Sink = (*socketSink)(nil)

func (s *socketSink) Started(jid string, minions, missing []string) error {
	return s.reply(Frame{Started: &Started{JID: jid, Fun: s.fun, Minions: minions, Missing: missing}})
}
func (s *socketSink) Return(r *proto.Return) error { return s.reply(Frame{Return: r}) }
func (s *socketSink) Down(id string) error         { return s.reply(Frame{Down: id}) }
func (s *socketSink) Absent(jid string, a jobs.Absent) error {
	return s.reply(Frame{Absent: &Absent{JID: jid, ID: a.ID, Connected: a.Connected, Reason: a.Reason, Text: a.Text(jid)}})
}

func (m *Master) controlWatch(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
	var q JobRequest
	if err := body.Decode(&q); err != nil {
		return err
	}
	h, err := m.jobs.Watch(ctx, q.JID)
	if err != nil {
		return controlError(err)
	}
	defer h.Close()
	s := &socketSink{reply: reply, fun: h.Job.Fun}
	if err := s.Started(h.JID, h.Job.Minions, h.Job.Missing); err != nil {
		return err
	}
	w := jobs.Wait{Timeout: seconds(q.Timeout, m.o.Timeout), Gather: m.o.Gather, Away: m.away}
	if q.Follow {
		w.Timeout = 365 * 24 * time.Hour
		w.Away = func(id string) (string, bool) { text, _ := m.away(id); return text, false }
	}
	absent, err := m.jobs.Collect(ctx, h, w, s.Return)
	if err != nil {
		return err
	}
	for _, a := range absent {
		if err := s.Absent(h.JID, a); err != nil {
			return err
		}
	}
	return nil
}

func (m *Master) controlCancel(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
	var q JobRequest
	if err := body.Decode(&q); err != nil {
		return err
	}
	n, err := m.jobs.Cancel(ctx, q.JID, q.Signal, q.IDs...)
	if err != nil {
		return controlError(err)
	}
	return reply(n)
}

func (m *Master) controlToken(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
	var q TokenRequest
	if err := body.Decode(&q); err != nil {
		return err
	}
	token, err := m.newToken(ctx, q.ID, seconds(q.Valid, time.Hour))
	if err != nil {
		return err
	}
	return reply(token)
}

// eventBuffer is how far a listener may fall behind before it loses events, and is told so.
const eventBuffer = 10_000

func (m *Master) controlEvents(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
	var pattern string
	if err := body.Decode(&pattern); err != nil {
		return err
	}
	sub := m.bus.Subscribe(eventBuffer, event.Glob(pattern))
	defer sub.Close()
	var lost int64
	for {
		e, err := sub.Next(ctx)
		if err != nil {
			return nil //nolint:nilerr // the listener has gone
		}
		if n := sub.Lost(); n > lost {
			lost = n
			note := ordered.Pairs("lost", n, "_stamp", event.Stamp(time.Now()))
			if err := reply(Frame{Event: &EventFrame{Tag: "brine/events/lost", Data: note}}); err != nil {
				return err
			}
		}
		if err := reply(Frame{Event: &EventFrame{ID: e.ID, Tag: e.Tag, Data: e.Data}}); err != nil {
			return err
		}
	}
}

// controlFun runs a runner or wheel function.
func (m *Master) controlFun(reg func() *modules.Registry, kind string) rpc.Method {
	return func(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
		var q FunRequest
		if err := body.Decode(&q); err != nil {
			return err
		}
		if q.JID == "" {
			q.JID = m.jobs.NextJID()
		}
		if q.Async {
			if err := reply(Frame{Value: &Value{JID: q.JID}}); err != nil {
				return err
			}
		}
		v, err := m.runFun(ctx, reg(), kind, &q)
		if err != nil {
			return controlError(err)
		}
		if q.Async {
			return nil
		}
		return reply(Frame{Value: v})
	}
}
