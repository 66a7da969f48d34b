package minion

import (
	"context"
	"os"
	"sync"

	"go.uber.org/zap"

	"brine/fileroots"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/minion/exec"
	"brine/minion/files"
	"brine/modules"
	"brine/pillar"
	"brine/render"
)

// compiledPillar keeps the pillar that jobs work with. How it is compiled is told by compile: here, or by the master.
type compiledPillar struct {
	compile func(ctx context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error)
	env     string // the configured environment

	mu    sync.Mutex
	items *ordered.Map
}

var _ modules.Pillar = (*compiledPillar)(nil)

// Items implements modules.Pillar.
func (p *compiledPillar) Items(ctx context.Context) (*ordered.Map, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.items == nil {
		m, err := p.compile(ctx, p.env, nil)
		if err != nil {
			return ordered.New(0), err
		}
		p.items = m
	}
	return p.items, nil
}

// Compile implements modules.Pillar.
func (p *compiledPillar) Compile(ctx context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error) {
	if pillarenv == "" {
		pillarenv = p.env
	}
	m, err := p.compile(ctx, pillarenv, override)
	if err == nil && override.Len() == 0 && pillarenv == p.env {
		p.mu.Lock()
		p.items = m // the freshest there is
		p.mu.Unlock()
	}
	return m, err
}

// Refresh implements modules.Pillar.
func (p *compiledPillar) Refresh(ctx context.Context) error {
	_, err := p.Compile(ctx, "", nil)
	return err
}

// localPillar compiles the pillar from the roots of this machine. The runtime is set before the first job.
type localPillar struct {
	compiledPillar
	o       *Options
	log     *zap.Logger
	runtime *exec.Runtime
	cache   *render.Cache
}

func newLocalPillar(o *Options, log *zap.Logger) *localPillar {
	p := &localPillar{o: o, log: log, cache: render.NewCache()}
	p.compiledPillar = compiledPillar{compile: p.local, env: o.Pillarenv}
	return p
}

func (p *localPillar) local(ctx context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error) {
	roots := fileroots.New(fileroots.Options{Envs: p.o.PillarRoots, IgnoreGlobs: p.o.FileIgnore})
	env := p.runtime.Env(&modules.Job{})
	env.Pillar = nil // there is none yet
	env.Files = files.Local{Roots: roots}
	c := &pillar.Compiler{
		ID: p.o.ID, Grains: p.runtime.Grains.Items(ctx), Opts: p.o.All, Roots: roots,
		Env: pillarenv, Override: override, Salt: salt{env}, Host: host.Real{}, Cache: p.cache, Log: p.log, Decrypt: pillar.GPG(host.Real{}, gpgDir(p.o)),
	}
	return c.Compile(ctx)
}

// gpgDir is where the keys for the gpg renderer are.
func gpgDir(o *Options) string {
	if dir := o.All.String("gpg_keydir"); dir != "" {
		return dir
	}
	return o.ConfDir + string(os.PathSeparator) + "gpgkeys"
}

// salt lets pillar templates call functions.
type salt struct{ env *modules.Env }

func (s salt) Call(ctx context.Context, fun string, pos []any, kw *ordered.Map) (any, error) {
	return s.env.Call(ctx, fun, modules.Args{Pos: pos, Kw: kw})
}

func (s salt) Has(fun string) bool { return s.env.Mods.Has(s.env, fun) }

// remotePillar is compiled by the master.
func remotePillar(o *Options, master interface {
	Call(ctx context.Context, what string, args, out any) error
}) *compiledPillar {
	return &compiledPillar{env: o.Pillarenv, compile: func(ctx context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error) {
		q := ordered.Pairs("pillarenv", pillarenv, "saltenv", o.Saltenv)
		if override.Len() > 0 {
			q.Set("override", override)
		}
		out := ordered.New(0)
		err := master.Call(ctx, "pillar", q, out)
		return out, err
	}}
}
