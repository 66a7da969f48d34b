package master

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/master/jobs"
	"brine/master/store"
	"brine/proto"
	"brine/target"
)

// Online implements link.Handler: a minion has a session.
func (m *Master) Online(ctx context.Context, id string, r *proto.Ready, h *proto.Hello, first bool) {
	if err := m.reply(ctx, id, proto.TypeDone, proto.Done{}); err != nil { // confirms the session
		m.log.Debug("confirm session", zap.String("minion", id), zap.Error(err))
	}
	m.presence.Arrived(id, r.Version, h.Epoch, r.Grains)
	if r.Start {
		text := fmt.Sprintf("Minion %s started at %s", id, time.Now().UTC().Format(time.ANSIC))
		for _, tag := range []string{"minion_start", "salt/minion/" + id + "/start"} {
			m.fire(tag, ordered.Pairs("id", id, "cmd", "_minion_event", "pretag", nil, "data", text, "tag", tag))
		}
	}
	if first {
		m.log.Info("minion connected", zap.String("minion", id))
	}
	m.jobs.Online(ctx, id, r.Running)
}

// Offline implements link.Handler.
func (m *Master) Offline(_ context.Context, id string, until time.Time, reason string) {
	m.log.Info("minion left", zap.String("minion", id), zap.String("reason", reason))
	m.presence.Left(id, until, reason)
}

// Message implements link.Handler.
func (m *Master) Message(ctx context.Context, id string, e *proto.Envelope) {
	var err error
	switch e.Type {
	case proto.TypeRet:
		r := &proto.Return{}
		if err = proto.Decode(e.Body, r); err == nil {
			err = m.jobs.Return(ctx, id, r, e.Body)
		}
	case proto.TypeAck:
		var a proto.JobAck
		if err = proto.Decode(e.Body, &a); err == nil {
			m.jobs.Ack(id, a)
		}
	case proto.TypeEvent:
		err = m.events(ctx, id, e)
	case proto.TypeReq:
		err = m.request(ctx, id, e)
	case proto.TypeReady: // its confirmation got lost
		err = m.reply(ctx, id, proto.TypeDone, proto.Done{})
	default:
		err = fmt.Errorf("unknown type %q", e.Type)
	}
	switch {
	case errors.Is(err, jobs.ErrForeign):
		m.link.Refuse(id, "impersonation", err)
	case err != nil:
		m.log.Warn("message of a minion", zap.String("minion", id), zap.String("type", string(e.Type)), zap.Error(err))
	}
}

func (m *Master) reply(ctx context.Context, id string, t proto.Type, body any) error {
	b, err := proto.Encode(body)
	if err != nil {
		return err
	}
	return m.link.Send(ctx, id, proto.Envelope{Type: t, Body: b})
}

// events takes a batch of a minion's event queue: each is stored once, fired, and acknowledged.
func (m *Master) events(ctx context.Context, id string, e *proto.Envelope) error {
	var batch proto.Events
	if err := proto.Decode(e.Body, &batch); err != nil {
		return err
	}
	for i := range batch.List {
		// Before the events are stored: what fails here is sent again, and to take a report twice changes nothing.
		if err := m.releases.Event(ctx, id, batch.List[i].Tag, batch.List[i].Data, time.UnixMicro(batch.List[i].Time)); err != nil {
			return err
		}
		batch.List[i].Data = minionEvent(id, &batch.List[i])
	}
	fresh, upTo, err := m.store.AddEvents(ctx, id, batch, time.Now())
	if err != nil {
		return err
	}
	for _, f := range fresh {
		ev := event.New(f.Tag, f.Data, f.Time)
		ev.ID, ev.From, ev.Depth = f.ID, id, f.Depth
		m.bus.Fire(ev)
	}
	return m.reply(ctx, id, proto.TypeDone, proto.Done{Events: upTo})
}

// minionEvent gives an event from a minion the form that Salt's master gives it: who sent it, and its data one level down.
func minionEvent(id string, e *proto.Event) *ordered.Map {
	data := e.Data.Clone()
	stamp := event.Stamp(time.UnixMicro(e.Time))
	if s := data.String("_stamp"); s != "" {
		stamp = s
		data.Delete("_stamp")
	}
	if strings.HasPrefix(e.Tag, "salt/beacon/"+id+"/") { // what beacons see stands at the top level
		data.Set("id", id)
		data.Set("_stamp", stamp)
		return data
	}
	return ordered.Pairs("id", id, "cmd", "_minion_event", "pretag", nil, "data", data, "tag", e.Tag, "_stamp", stamp)
}

// request answers a question of a minion.
func (m *Master) request(ctx context.Context, id string, e *proto.Envelope) error {
	var q proto.Request
	if err := proto.Decode(e.Body, &q); err != nil {
		return err
	}
	r := proto.Reply{ID: q.ID}
	v, err := m.answer(ctx, id, q.What, q.Body)
	if err == nil {
		r.Body, err = proto.Encode(v)
	}
	if err != nil {
		r.Error, r.Body = err.Error(), nil
	}
	return m.reply(ctx, id, proto.TypeReply, &r)
}

func (m *Master) answer(ctx context.Context, id, what string, body []byte) (any, error) {
	area, _, _ := strings.Cut(what, ".")
	switch area {
	case "files":
		return m.files.Answer(ctx, id, what, body)
	case "release":
		return m.manifest(ctx, body)
	case "pillar":
		return m.pillars.answer(ctx, id, body)
	case "mine":
		return m.mine.Answer(ctx, id, what, body)
	case "grains":
		g := ordered.New(0)
		if err := proto.Decode(body, g); err != nil {
			return nil, err
		}
		m.presence.SetGrains(id, g)
		return true, nil
	}
	return nil, fmt.Errorf("the master does not know the request %q: is it of an older version?", what)
}

// Resolve implements jobs.Resolver: it finds the minions with an accepted key that match.
func (m *Master) Resolve(ctx context.Context, r *jobs.Request) (ids, missing []string, err error) {
	accepted := m.keys.IDs(store.KeyAccepted)
	if r.TgtType == "list" {
		have := make(map[string]bool, len(accepted))
		for _, id := range accepted {
			have[id] = true
		}
		seen := map[string]bool{}
		for _, id := range target.ListIDs(r.Tgt) {
			switch {
			case seen[id]:
			case have[id]:
				ids = append(ids, id)
			default:
				missing = append(missing, id)
			}
			seen[id] = true
		}
		return ids, missing, nil
	}
	o := target.Options{Delimiter: r.Delimiter, Nodegroups: m.o.Nodegroups}
	// Minions do not know the groups: what they are sent, and what the job cache shows, is the expression behind the name.
	if r.Tgt, r.TgtType, err = target.Expand(r.Tgt, r.TgtType, o); err != nil {
		return nil, nil, err
	}
	expr, err := target.Parse(r.Tgt, r.TgtType, o)
	if err != nil {
		m.log.Error("target", zap.Any("tgt", r.Tgt), zap.String("tgt_type", r.TgtType), zap.Error(err))
		return nil, nil, nil // an expression that cannot be read matches nobody
	}
	for _, id := range accepted {
		if expr.Match(m.facts(ctx, id)) {
			ids = append(ids, id)
		}
	}
	return ids, nil, nil
}

// facts are what the master knows of a minion for targets.
func (m *Master) facts(ctx context.Context, id string) *target.Facts {
	return &target.Facts{ID: id, Grains: func() *ordered.Map { return m.presence.Grains(id) }, Pillar: func() *ordered.Map { return m.pillars.known(ctx, id) }}
}

// away describes a minion that is not connected.
func (m *Master) away(id string) (string, bool) {
	mn, seen := m.presence.Minion(id)
	now := time.Now()
	switch {
	case !seen || mn.LastSeen.IsZero():
		return "never connected", true
	case mn.AsleepUntil.After(now):
		return "asleep until " + mn.AsleepUntil.UTC().Format(time.RFC3339), true
	}
	return "offline since " + mn.LastSeen.UTC().Format(time.RFC3339), now.Sub(mn.LastSeen) > 10*time.Second
}
