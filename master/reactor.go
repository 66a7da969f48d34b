package master

import (
	"context"
	"fmt"
	"io"

	"go.uber.org/zap"

	"brine/event"
	"brine/fileroots"
	"brine/internal/grains"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/saltargs"
	"brine/internal/version"
	"brine/master/jobs"
	"brine/modules"
	"brine/modules/builtin"
	"brine/reactor/reaction"
)

// makeReactor makes the reactor from the option of that name.
func (m *Master) makeReactor(ctx context.Context) error {
	list, ok := m.o.Reactor.([]any)
	if m.o.Reactor != nil && !ok {
		return fmt.Errorf("option reactor: want a list of {tag: [files]}")
	}
	rules, err := reaction.ParseRules(list)
	if err != nil {
		m.log.Error("option reactor", zap.Error(err))
	}
	reg, err := modules.NewRegistry(builtin.Modules(builtin.Deps{})...)
	if err != nil {
		return err
	}
	caller := &selfCaller{m: m, reg: reg, grains: grains.Detect(ctx, grains.Options{ID: m.o.ID, SaltVersion: version.Salt, Version: version.Version, Config: m.o.All})}
	m.reactor = reaction.New(reaction.Options{
		Bus: m.bus, Client: reactions{m, caller}, Load: rootsLoader{m.files.Roots}, Opts: m.o.All, Salt: caller, Log: m.log,
		Workers: max(m.o.ReactorWork, 1), Queue: max(m.o.ReactorHWM, 1),
	}, rules)
	return nil
}

// rootsLoader reads the files of the master's file roots.
type rootsLoader struct{ roots *fileroots.Roots }

func (l rootsLoader) Load(_ context.Context, saltenv, path string) ([]byte, error) {
	f, err := l.roots.Open(saltenv, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxReaction+1))
	if err == nil && len(text) > maxReaction {
		err = fmt.Errorf("salt://%s: longer than %d bytes", path, maxReaction)
	}
	return text, err
}

// maxReaction bounds a file that reactions are made of, in bytes.
const maxReaction = 1 << 20

// reactions does what reaction files ask for.
type reactions struct {
	m      *Master
	caller *selfCaller
}

var _ reaction.Client = reactions{}

// Local implements reaction.Client.
func (r reactions) Local(ctx context.Context, j reaction.Job) error {
	h, err := r.m.jobs.Publish(ctx, &jobs.Request{
		Tgt: j.Tgt, TgtType: j.TgtType, Fun: j.Fun, Arg: saltargs.ToJob(j.Arg, j.Kwarg), Ret: j.Ret, User: "root", Meta: j.Meta, Depth: event.DepthOf(ctx),
	})
	if err != nil {
		return err
	}
	h.Close()
	return nil
}

func (r reactions) registry(kind string) *modules.Registry {
	if kind == "wheel" {
		return r.m.wheels
	}
	return r.m.runners
}

// Master implements reaction.Client.
func (r reactions) Master(ctx context.Context, kind, fun string, a modules.Args) error {
	tag := map[string]string{"runner": "run", "wheel": "wheel"}[kind]
	_, err := r.m.runFun(ctx, r.registry(kind), tag, &FunRequest{Fun: fun, Pos: a.Pos, Kwargs: a.Kw, User: reaction.User, JID: r.m.jobs.NextJID()})
	return err
}

// Spec implements reaction.Client.
func (r reactions) Spec(kind, fun string) (*modules.Spec, error) {
	f, err := r.registry(kind).Lookup(&modules.Env{ID: r.m.o.ID, Opts: r.m.o.All, Log: r.m.log}, fun)
	if err != nil {
		return nil, err
	}
	return f.Spec(), nil
}

// Caller implements reaction.Client.
func (r reactions) Caller(ctx context.Context, fun string, a modules.Args) error {
	_, err := r.caller.Call(ctx, fun, a.Pos, a.Kw)
	return err
}

// selfCaller runs execution functions on the master's own machine, for reaction files and caller reactions.
type selfCaller struct {
	m      *Master
	reg    *modules.Registry
	grains *ordered.Map
}

func (c *selfCaller) env() *modules.Env {
	return &modules.Env{
		ID: c.m.o.ID, Opts: c.m.o.All, Grains: fixedGrains{c.grains}, Host: host.Real{}, Events: masterEvents{c.m}, Mods: c.reg, Context: &modules.Context{},
		Log: c.m.log, Job: &modules.Job{JID: c.m.jobs.NextJID(), User: reaction.User}, Saltenv: "base", Pillarenv: "base",
	}
}

// Call implements render.Caller.
func (c *selfCaller) Call(ctx context.Context, fun string, pos []any, kw *ordered.Map) (any, error) {
	return c.env().Call(ctx, fun, modules.Args{Pos: pos, Kw: kw})
}

// Has implements render.Caller.
func (c *selfCaller) Has(fun string) bool { return c.reg.Has(c.env(), fun) }

// fixedGrains are the master's own facts, as they were at its start.
type fixedGrains struct{ m *ordered.Map }

func (g fixedGrains) Items(context.Context) *ordered.Map { return g.m }
func (g fixedGrains) Store(context.Context, *ordered.Map) error {
	return modules.Errorf("the master has no grains file")
}
func (g fixedGrains) File(context.Context) (*ordered.Map, error) { return ordered.New(0), nil }
func (g fixedGrains) Refresh(context.Context) error              { return nil }

// masterEvents puts what functions on the master fire onto the master's own bus.
type masterEvents struct{ m *Master }

func (e masterEvents) Fire(ctx context.Context, tag string, data *ordered.Map) error {
	e.m.fireCaused(ctx, tag, data)
	return nil
}
func (e masterEvents) Send(ctx context.Context, tag string, data *ordered.Map) error {
	return e.Fire(ctx, tag, data)
}
