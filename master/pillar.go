package master

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"go.uber.org/zap"

	"brine/fileroots"
	"brine/internal/dictupdate"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/builtin"
	"brine/pillar"
	"brine/proto"
	"brine/render"
)

// pillars compiles the pillars of minions.
type pillars struct {
	m     *Master
	roots *fileroots.Roots
	funcs *modules.Registry
	cache *render.Cache

	mu     sync.Mutex
	warned map[string]bool
	// last is the pillar that each minion has: what it was given last, without what a call added.
	last map[string]*ordered.Map
}

func newPillars(m *Master) (*pillars, error) {
	reg, err := modules.NewRegistry(builtin.Modules(builtin.Deps{})...)
	if err != nil {
		return nil, err
	}
	return &pillars{m: m, funcs: reg, cache: render.NewCache(), warned: map[string]bool{}, last: map[string]*ordered.Map{},
		roots: fileroots.New(fileroots.Options{Envs: m.o.PillarRoots, IgnoreGlobs: m.o.FileIgnore})}, nil
}

// pillarQuery is a minion's question for its pillar.
type pillarQuery struct {
	Pillarenv string       `msgpack:"pillarenv"`
	Saltenv   string       `msgpack:"saltenv"`
	Override  *ordered.Map `msgpack:"override"`
	// Release asks for the pillar as the pinned inputs of a release make it.
	Release string `msgpack:"release"`
}

// answer compiles the pillar of the minion that asks: nobody else's can be asked for.
func (p *pillars) answer(ctx context.Context, id string, body []byte) (any, error) {
	var q pillarQuery
	if err := proto.Decode(body, &q); err != nil {
		return nil, err
	}
	return p.of(ctx, id, &q)
}

func (p *pillars) of(ctx context.Context, id string, q *pillarQuery) (*ordered.Map, error) {
	opts := p.m.o.All.Clone()
	opts.Set("id", id)
	grains := p.m.presence.Grains(id)
	if grains == nil {
		grains = ordered.New(0)
	}
	c := &pillar.Compiler{
		ID: id, Grains: grains, Opts: opts, Roots: p.roots, Env: q.Pillarenv, Override: q.Override, Salt: p.caller(id, opts, grains),
		Host: host.Real{}, Cache: p.cache, Log: p.m.log, Decrypt: pillar.GPG(host.Real{}, filepath.Join(p.m.o.ConfDir, "gpgkeys")), ByGrain: p.warn,
	}
	if q.Release != "" {
		roots, err := p.m.releases.PillarRoots(ctx, q.Release)
		if err != nil {
			return nil, err
		}
		c.Roots = roots
	}
	out, err := c.Compile(ctx)
	if err != nil {
		return nil, err
	}
	about, err := p.m.releases.Pillar(ctx, id)
	if err != nil {
		return nil, err
	}
	// What is assigned here wins over the files; what a call gives wins over all.
	out = dictupdate.Update(out, about, false)
	if q.Release == "" && q.Override.Len() == 0 {
		p.mu.Lock()
		p.last[id] = out
		p.mu.Unlock()
	}
	return dictupdate.Update(out, q.Override.Clone(), false), nil
}

// known is the pillar that a minion has, for targets; it is compiled when the minion has not asked for it since the start.
// One that does not compile matches nothing.
func (p *pillars) known(ctx context.Context, id string) *ordered.Map {
	p.mu.Lock()
	have := p.last[id]
	p.mu.Unlock()
	if have != nil {
		return have
	}
	have, err := p.of(ctx, id, &pillarQuery{})
	if err != nil {
		p.m.log.Warn("pillar for a target", zap.String("minion", id), zap.Error(err))
		have = ordered.New(0)
	}
	return have
}

// forget drops what is known of a minion.
func (p *pillars) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, id)
}

// warn says once that facts which a minion reports decide about its secrets.
func (p *pillars) warn(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.warned[target] {
		return
	}
	p.warned[target] = true
	p.m.log.Warn("the pillar top file matches on grains, which a minion reports of itself: a stolen device can choose them. Match on ids or node groups instead", zap.String("target", target))
}

// caller lets pillar templates call functions. They run on the master, and see the minion's id and grains.
func (p *pillars) caller(id string, opts, grains *ordered.Map) render.Caller {
	return functions{&modules.Env{
		ID: id, Opts: opts, Grains: reported{grains}, Host: host.Real{}, Events: nowhere{}, Mods: p.funcs, Context: &modules.Context{}, Log: p.m.log,
		Job: &modules.Job{}, Saltenv: "base", Pillarenv: "base",
	}}
}

type functions struct{ env *modules.Env }

func (f functions) Call(ctx context.Context, fun string, pos []any, kw *ordered.Map) (any, error) {
	return f.env.Call(ctx, fun, modules.Args{Pos: pos, Kw: kw})
}

func (f functions) Has(fun string) bool { return f.env.Mods.Has(f.env, fun) }

// reported are the grains that a minion has reported; they cannot be changed here.
type reported struct{ items *ordered.Map }

var errNotHere = errors.New("grains are changed on the minion")

func (r reported) Items(context.Context) *ordered.Map         { return r.items }
func (r reported) Store(context.Context, *ordered.Map) error  { return errNotHere }
func (r reported) File(context.Context) (*ordered.Map, error) { return ordered.New(0), nil }
func (r reported) Refresh(context.Context) error              { return nil }

// nowhere takes events of functions that run for a template.
type nowhere struct{}

func (nowhere) Fire(context.Context, string, *ordered.Map) error { return nil }
func (nowhere) Send(context.Context, string, *ordered.Map) error { return nil }
