package master

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/saltargs"
	"brine/master/jobs"
	"brine/master/keys"
	"brine/master/runners"
	"brine/master/store"
	"brine/modules"
	"brine/proto"
)

// runFun runs a function on the master, with the events that tell of it.
func (m *Master) runFun(ctx context.Context, reg *modules.Registry, kind string, q *FunRequest) (*Value, error) {
	full := map[string]string{"run": "runner.", "wheel": "wheel."}[kind] + q.Fun
	job := &modules.Job{JID: q.JID, Fun: q.Fun, User: q.User}
	env := &modules.Env{ID: m.o.ID, Opts: m.o.All, Mods: reg, Context: &modules.Context{}, Log: m.log, Job: job}
	f, err := reg.Lookup(env, q.Fun)
	if err != nil {
		return nil, err
	}
	args := redacted(jobs.PlainArgs(saltargs.ToJob(q.Pos, q.Kwargs)))
	tag := "salt/" + kind + "/" + q.JID
	note := ordered.Pairs("fun", full, "jid", q.JID, "user", q.User, "fun_args", args)
	fire := m.fireCaused
	if q.Quiet && f.Pure {
		fire = func(context.Context, string, *ordered.Map) {}
	}
	fire(ctx, tag+"/new", note)
	v, err := f.Call(ctx, env, modules.Args{Pos: q.Pos, Kw: q.Kwargs})
	if !f.Pure {
		m.audit(ctx, &auditEntry{jid: q.JID, user: q.User, what: line(full, args), err: err})
	}
	done := note.Clone()
	if err != nil {
		done.Set("return", fmt.Sprintf("Exception occurred in %s%s: %v", map[string]string{"run": "runner ", "wheel": "wheel "}[kind], q.Fun, err))
		done.Set("success", false)
		fire(ctx, tag+"/ret", done)
		return &Value{JID: q.JID, Doc: f.Doc}, err
	}
	value := ordered.Of(v)
	done.Set("return", value)
	if strings.HasPrefix(q.Fun, "user.") {
		done.Set("return", "***") // a login link is as good as a password, and events are read by many
	}
	done.Set("success", true)
	fire(ctx, tag+"/ret", done)
	return &Value{JID: q.JID, Value: value, Out: job.Out(), Retcode: job.Retcode()}, nil
}

func (m *Master) runnerDeps() *runners.Deps {
	return &runners.Deps{
		Store: m.store, Keys: m.keys, Minions: m.minions, Bus: m.bus, Fire: m.fire, Config: m.shown(), MasterKey: proto.PublicPEM(m.identity.Public()),
		Resolve: func(ctx context.Context, tgt any, tgtType string) ([]string, error) {
			ids, _, err := m.Resolve(ctx, &jobs.Request{Tgt: tgt, TgtType: tgtType})
			return ids, err
		},
		Pillar: func(ctx context.Context, id string) (*ordered.Map, error) {
			return m.pillars.of(ctx, id, &pillarQuery{})
		},
		Running: m.jobs.Running,
		Local:   m.collectLocal,
		Forget:  m.forget,
		Reactor: func() runners.Reactor { return m.reactor },
		Recheck: func(ctx context.Context, id string) { m.link.Recheck(ctx, id) },
	}
}

// minions lists the minions with an accepted key.
func (m *Master) minions() []runners.Minion {
	ids := m.keys.IDs(store.KeyAccepted)
	out := make([]runners.Minion, len(ids))
	now := time.Now()
	for i, id := range ids {
		p, _ := m.presence.Minion(id)
		out[i] = runners.Minion{Minion: p.Minion, Online: p.Online, State: string(p.State(now))}
	}
	return out
}

// collectLocal runs a job for a runner and collects what comes back; who does not answer is left out.
func (m *Master) collectLocal(ctx context.Context, tgt any, tgtType, fun string, arg []any) (*ordered.Map, error) {
	out := ordered.New(0)
	h, err := m.jobs.Publish(ctx, &jobs.Request{Tgt: tgt, TgtType: tgtType, Fun: fun, Arg: arg, User: "root"})
	if errors.Is(err, jobs.ErrNoMatch) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	defer h.Close()
	_, err = m.jobs.Collect(ctx, h, jobs.Wait{Timeout: m.o.Timeout, Gather: m.o.Gather, Away: m.away}, func(r *proto.Return) error {
		v, err := r.Value()
		out.Set(r.ID, v)
		return err
	})
	return out, err
}

// forget drops what hangs on an id whose key is no longer accepted: session, connection, retained presence, knowledge.
func (m *Master) forget(ctx context.Context, id string) {
	m.link.Drop(ctx, id)
	if m.broker != nil {
		m.broker.Kick(id)
	}
	if err := m.presence.Forget(ctx, id); err != nil {
		m.log.Sugar().Errorf("forget minion %s: %v", id, err)
	}
	m.jobs.Forget(id)
	m.pillars.forget(id)
}

// shown are the options that clients may see.
func (m *Master) shown() *ordered.Map {
	out := ordered.New(0)
	for k, v := range m.o.All.All() {
		name, _ := k.(string)
		if slices.Contains([]string{"id", "nodegroups", "file_roots", "pillar_roots", "reactor", "timeout", "gather_job_timeout", "keep_jobs_seconds", "state_output", "state_verbose", "interface"}, name) || strings.HasPrefix(name, "saltgui_") {
			out.Set(k, v)
		}
	}
	return out
}

// newToken makes a join token that accepts one key, for the id or for any when that is empty.
func (m *Master) newToken(ctx context.Context, id string, valid time.Duration) (string, error) {
	if id != "" {
		if err := proto.CheckID(id); err != nil {
			return "", err
		}
	}
	token, err := keys.NewToken()
	if err != nil {
		return "", err
	}
	return token, m.store.AddToken(ctx, token, id, time.Now().Add(valid))
}

// TokenFor makes a join token for a minion that has no accepted key yet, "" for one that has.
func (m *Master) TokenFor(ctx context.Context, id string) (string, error) {
	if m.keys.Accepted(id) != nil {
		return "", nil
	}
	return m.newToken(ctx, id, time.Hour)
}

// ConnectedCount tells how many of the minions have a session.
func (m *Master) ConnectedCount(ids []string) int {
	n := 0
	for _, id := range ids {
		if _, ok := m.link.Online(id); ok {
			n++
		}
	}
	return n
}

// redacted hides passwords among the arguments that events show.
func redacted(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		m, ok := a.(*ordered.Map)
		if ok && m.Has("password") {
			m = m.Clone()
			m.Set("password", "***")
			a = m
		}
		out[i] = a
	}
	return out
}
