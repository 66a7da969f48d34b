package minion

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/host"
	"brine/internal/metrics"
	"brine/internal/ordered"
	"brine/internal/saltargs"
	"brine/minion/beacons"
	"brine/minion/exec"
	"brine/minion/returners"
	"brine/modules"
	"brine/proto"
	"brine/reactor"
)

// newReactor makes the engine that acts on the minion's events. It takes events from here on.
func (m *Minion) newReactor() *reactor.Engine {
	return reactor.New(reactor.Options{
		Bus: m.bus, Opts: m.o.All, Call: m.callDirect, Log: m.log,
		Job:  func(ctx context.Context, fun string, a modules.Args) (any, error) { return m.RunJob(ctx, fun, a, "") },
		Send: func(ctx context.Context, tag string, data *ordered.Map) error { return m.events.Send(ctx, tag, data) },
		Return: func(_ context.Context, name string, result *ordered.Map) error {
			return m.returns.Give([]string{name}, "", result)
		},
	})
}

// callDirect runs a function without making a job of it.
func (m *Minion) callDirect(ctx context.Context, fun string, a modules.Args) (any, error) {
	o := m.runtime.Call(ctx, &modules.Job{JID: m.jids.Next(), Fun: fun}, fun, a)
	return o.Value, outcomeError(o)
}

func outcomeError(o *exec.Outcome) error {
	if o.Err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", o.Fun, o.Err)
}

var errStopping = errors.New("the minion is stopping")

// RunJob runs a function as a job of its own, which shows in saltutil.running, and waits for its result. ret names
// returners for it, separated by commas.
func (m *Minion) RunJob(ctx context.Context, fun string, a modules.Args, ret string) (any, error) {
	jid := m.jids.Next()
	j := &proto.Job{JID: jid, Fun: fun, Arg: saltargs.ToJob(a.Pos, a.Kw), Ret: ret, Depth: event.DepthOf(ctx)}
	at, err := proto.JIDTime(jid)
	if err != nil {
		return nil, err
	}
	shown := ordered.Pairs("jid", jid, "pid", nil, "_stamp", event.Stamp(at), "ret", ret, "arg", j.Arg, "fun", fun)
	var out *exec.Outcome
	m.worker.LocalAs(ctx, j, shown, func(ctx context.Context) *proto.Return {
		out = m.runtime.Call(ctx, &modules.Job{JID: jid, Fun: fun, Request: shown}, fun, a)
		return nil
	})
	if out == nil {
		return nil, errStopping
	}
	if ret != "" {
		r := &proto.Return{ID: m.o.ID, JID: jid, Fun: fun, FunArgs: j.Arg, Retcode: out.Retcode, Success: out.Kind == exec.OK && out.Retcode == 0, Out: out.Out}
		if err := r.SetValue(out.Text()); err == nil {
			m.giveReturn(returners.Split(ret), "", r)
		}
	}
	return out.Value, outcomeError(out)
}

// reactorSettings are the settings of the reactor: what the configuration and then the pillar say under engines (a list as
// Salt's, or a map), event_reactor or reactor. Lists of the later are added to those of the earlier.
func reactorSettings(sources ...*ordered.Map) *ordered.Map {
	out := ordered.New(3)
	add := func(v any) {
		m, ok := v.(*ordered.Map)
		if !ok {
			return
		}
		for _, kind := range []string{"hooks", "workers", "reactors"} {
			out.Set(kind, append(append([]any{}, out.List(kind)...), m.List(kind)...))
		}
	}
	for _, s := range sources {
		add(s.Value("reactor"))
		add(s.Value("event_reactor"))
		engines, ok := s.Value("engines").([]any)
		if !ok {
			engines = []any{s.Value("engines")}
		}
		for _, e := range engines {
			if m, ok := e.(*ordered.Map); ok {
				add(m.Value("event_reactor"))
				add(m.Value("reactor"))
			}
		}
	}
	return out
}

// configure puts what configuration and pillar say about automation in force.
func (m *Minion) configure(pillar *ordered.Map) {
	conf, err := reactor.ParseConfig(reactorSettings(m.o.All, pillar))
	if err != nil {
		m.log.Error("configuration of the reactor", zap.Error(err))
	}
	m.clock.SetPillar(pillar.Map("schedule"))
	m.beacons.SetPillar(pillar.Map("beacons"))
	if err := m.reactor.Configure(conf); err != nil {
		m.log.Error("configuration of the reactor", zap.Error(err))
	}
}

// reconfigure makes configure run again soon: there is a session, or a new pillar.
func (m *Minion) reconfigure() {
	select {
	case m.again <- struct{}{}:
	default:
	}
}

func (m *Minion) configureAgain(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.again:
		}
		pillar, err := m.runtime.Pillar.Items(ctx)
		if err != nil { // what is in force stays; the next session asks again
			m.log.Info("the pillar is not there for reactor, schedule and beacons", zap.Error(err))
			continue
		}
		m.configure(pillar)
	}
}

// newBeacons makes what watches the device.
func (m *Minion) newBeacons() *beacons.Manager {
	return beacons.New(beacons.Options{
		Deps: beacons.Deps{Call: m.callDirect, Host: host.Real{}, Log: m.log}, ID: m.o.ID, Config: m.o.Beacons, Busy: m.statesRun,
		Send: func(ctx context.Context, tag string, data *ordered.Map) error {
			if err := m.events.Fire(ctx, tag, data); err != nil {
				return err
			}
			return m.events.Send(ctx, tag, data)
		},
	})
}

// statesRun tells whether a state run is under way.
func (m *Minion) statesRun() bool {
	for _, job := range m.worker.Running("") {
		if strings.HasPrefix(job.String("fun"), "state.") {
			return true
		}
	}
	return false
}

// watchedPillar tells when the pillar was compiled anew.
type watchedPillar struct {
	modules.Pillar
	changed func()
}

// Refresh implements modules.Pillar.
func (w watchedPillar) Refresh(ctx context.Context) error {
	if err := w.Pillar.Refresh(ctx); err != nil {
		return err
	}
	w.changed()
	return nil
}

func (m *Minion) automationSamples() []metrics.Sample {
	r := m.reactor.Stats()
	dropped, failed := m.returns.Lost()
	return []metrics.Sample{
		{Name: "brine_returner_results_dropped_total", Help: "Results for which a returner had no room.", Counter: true, Value: float64(dropped)},
		{Name: "brine_returner_failures_total", Help: "Results that a returner would not take.", Counter: true, Value: float64(failed)},
		{Name: "brine_reactor_events_dropped_total", Help: "Events for which a reactor had no room.", Counter: true, Value: float64(r.Dropped)},
		{Name: "brine_reactor_events_deep_total", Help: "Events that too many reactions had caused.", Counter: true, Value: float64(r.Deep)},
		{Name: "brine_reactor_failures_total", Help: "Actions that ended in an error.", Counter: true, Value: float64(r.Failed)},
		{Name: "brine_reactor_events_waiting", Help: "Events that wait for a reactor.", Value: float64(r.Waiting)},
	}
}
