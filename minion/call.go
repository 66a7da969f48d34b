package minion

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/minion/exec"
	"brine/modules"
	"brine/proto"
	"brine/target"
)

// CallRequest asks for one function, on the local socket or in a runtime of its own.
type CallRequest struct {
	Fun    string       `msgpack:"fun"`
	Pos    []any        `msgpack:"pos"`
	Kwargs *ordered.Map `msgpack:"kwargs,omitempty"`
	// NoReport keeps the result from the master's job cache.
	NoReport bool `msgpack:"no_report,omitempty"`
}

// CallReply is what came of it.
type CallReply struct {
	JID     string    `msgpack:"jid"`
	Kind    exec.Kind `msgpack:"kind"`
	Value   any       `msgpack:"value"`
	Error   string    `msgpack:"error,omitempty"`
	Doc     string    `msgpack:"doc,omitempty"`
	Retcode int       `msgpack:"retcode"`
	Out     string    `msgpack:"out,omitempty"`
}

// Call runs a function in a runtime and tells what came of it.
func Call(ctx context.Context, r *exec.Runtime, jid string, req *CallRequest) *CallReply {
	job := &modules.Job{JID: jid, Fun: req.Fun, Tgt: "salt-call"}
	o := r.Call(ctx, job, req.Fun, modules.Args{Pos: req.Pos, Kw: req.Kwargs})
	out := &CallReply{JID: jid, Kind: o.Kind, Value: o.Value, Doc: o.Doc, Retcode: o.Retcode, Out: o.Out}
	if o.Err != nil {
		out.Error = o.Err.Error()
	}
	return out
}

func (m *Minion) methods() map[string]rpc.Method {
	return map[string]rpc.Method{
		"call": func(ctx context.Context, _ rpc.Caller, body rpc.Body, reply rpc.Reply) error {
			var req CallRequest
			if err := body.Decode(&req); err != nil {
				return err
			}
			return reply(m.call(ctx, &req))
		},
	}
}

// call runs a function for somebody on the device. It counts as a job: it shows in saltutil.running, can be signalled,
// and its result goes to the master's job cache.
func (m *Minion) call(ctx context.Context, req *CallRequest) *CallReply {
	jid := m.jids.Next()
	var out *CallReply
	j := &proto.Job{JID: jid, Fun: req.Fun, Arg: argList(req), Tgt: m.o.ID, TgtType: "glob"}
	ret := m.worker.Local(ctx, j, func(ctx context.Context) *proto.Return {
		out = Call(ctx, m.runtime, jid, req)
		r := &proto.Return{ID: m.o.ID, JID: jid, Fun: req.Fun, FunArgs: j.Arg, Retcode: out.Retcode, Success: out.Retcode == 0, Out: out.Out, Status: proto.Succeeded}
		if out.Retcode != 0 {
			r.Status = proto.Failed
		}
		return r
	})
	if out == nil {
		return &CallReply{JID: jid, Kind: exec.Stopped, Error: "the minion is stopping", Retcode: 1}
	}
	if req.NoReport {
		return out
	}
	value := out.Value
	if out.Error != "" {
		value = out.Error
	}
	ret.Extra = ordered.Pairs("tgt", m.o.ID, "tgt_type", "glob", "arg", j.Arg)
	if err := ret.SetValue(value); err == nil {
		m.giveReturn(m.everyReturner(), "", ret)
		err = m.worker.Submit(context.WithoutCancel(ctx), ret)
		if err != nil {
			m.log.Sugar().Warnf("report of %s: %v", req.Fun, err)
		}
	}
	return out
}

func argList(req *CallRequest) []any {
	out := append([]any{}, req.Pos...)
	if req.Kwargs.Len() > 0 {
		kw := req.Kwargs.Clone()
		kw.Set("__kwarg__", true)
		out = append(out, kw)
	}
	return out
}

// match checks a job's target against what the minion knows of itself.
func (m *Minion) match(ctx context.Context, tgt any, tgtType string, extra *ordered.Map) bool {
	if tgtType == "list" || tgt == nil {
		return true // the sender has named us
	}
	expr, err := target.Parse(tgt, tgtType, target.Options{Delimiter: extra.String("delimiter"), Nodegroups: m.o.Nodegroups})
	if err != nil {
		m.log.Sugar().Warnf("target %v (%s): %v", tgt, tgtType, err)
		return false
	}
	return expr.Match(m.facts(ctx))
}

func (m *Minion) facts(ctx context.Context) *target.Facts {
	return &target.Facts{
		ID:     m.o.ID,
		Grains: func() *ordered.Map { return m.runtime.Grains.Items(ctx) },
		Pillar: func() *ordered.Map {
			p, err := m.runtime.Pillar.Items(ctx)
			if err != nil {
				m.log.Sugar().Warnf("pillar for a target: %v", err)
			}
			return p
		},
	}
}
