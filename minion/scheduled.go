package minion

import (
	"context"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/saltargs"
	"brine/minion/exec"
	"brine/minion/returners"
	"brine/minion/schedule"
	"brine/modules"
	"brine/proto"
)

// newScheduler makes the scheduler from the configuration.
func (m *Minion) newScheduler() *schedule.Scheduler {
	return schedule.New(schedule.Options{
		Config: m.o.Schedule, Path: filepath.Join(m.o.ConfDir, "minion.d", "_schedule.conf"), Run: m.runScheduled, Lookup: m.namedTime, Log: m.log,
	})
}

// scheduler is the minion's scheduler as functions see it.
type scheduler struct {
	*schedule.Scheduler
	dir string
}

// Reset reads the configuration again.
func (s scheduler) Reset() error {
	o, _, err := Load(s.dir)
	if err != nil {
		return err
	}
	s.Reload(o.Schedule)
	return nil
}

// namedTime finds a time that grains or pillar name under whens.
func (m *Minion) namedTime(name string) string {
	if m.runtime == nil {
		return ""
	}
	ctx := context.Background()
	pillar, err := m.runtime.Pillar.Items(ctx)
	if err != nil {
		m.log.Warn("the pillar is not there for a time of the schedule", zap.Error(err))
	}
	for _, src := range []*ordered.Map{pillar, m.runtime.Grains.Items(ctx)} {
		if v := src.Map("whens").Value(name); v != nil {
			return pyfmt.Str(v)
		}
	}
	return ""
}

// runScheduled runs a job of the schedule to its end and hands its result to whom it is for.
func (m *Minion) runScheduled(ctx context.Context, c schedule.Call) {
	jid := m.jids.Next()
	shown := ordered.Pairs("id", m.o.ID, "fun", c.Fun, "fun_args", []any{}, "schedule", c.Name, "jid", jid, "pid", nil)
	var meta *ordered.Map
	if given := c.Entry.Map("metadata"); given != nil {
		now := time.Now()
		meta = given.Clone()
		meta.Set("_TOS", now.Format("-0700"))
		meta.Set("_TS", now.Format(time.ANSIC))
		meta.Set("_TT", now.UTC().Format("2006 January 02 Mon 15 01"))
		shown.Set("metadata", meta)
	}
	j := &proto.Job{JID: jid, Fun: c.Fun, Arg: saltargs.ToJob(c.Args, c.Kwargs), Tgt: m.o.ID, TgtType: "glob", Depth: event.DepthOf(ctx)}
	started := time.Now()
	var out *exec.Outcome
	m.worker.LocalAs(ctx, j, shown, func(ctx context.Context) *proto.Return {
		out = m.runtime.Call(ctx, &modules.Job{JID: jid, Fun: c.Fun, Schedule: c.Name, Request: shown}, c.Fun, modules.Args{Pos: c.Args, Kw: c.Kwargs.Clone()})
		return nil
	})
	if out == nil || ctx.Err() != nil {
		return // the minion stops
	}
	r := &proto.Return{
		ID: m.o.ID, JID: jid, Fun: c.Fun, FunArgs: j.Arg, Retcode: out.Retcode, Success: out.Kind == exec.OK && out.Retcode == 0, Status: out.Status(), Out: out.Out,
		Schedule: c.Name, Meta: meta, Started: started.UnixMilli(), Ended: time.Now().UnixMilli(),
	}
	if err := r.SetValue(out.Text()); err != nil {
		m.log.Error("result of a scheduled job", zap.String("job", c.Name), zap.Error(err))
		return
	}
	names := append(entryReturners(c.Entry), returners.Split(m.o.All.String("schedule_returner"))...)
	m.giveReturn(names, c.Entry.String("return_config"), r)
	if v, given := c.Entry.Get("return_job"); given && !modules.IsTrue(v) {
		return
	}
	if err := m.worker.Submit(context.WithoutCancel(ctx), r); err != nil {
		m.log.Error("return of a scheduled job", zap.String("job", c.Name), zap.Error(err))
	}
}
