// Package reaction is the reactor of the master, Salt's option of that name: globs of event tags, each with the reaction SLS
// files that are rendered with data and tag and whose chunks run jobs (local, cmd), runners, wheel functions and functions
// on the master itself (caller). See https://docs.saltproject.io/en/3006/topics/reactor/index.html.
package reaction

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/reactor"
	"brine/render"
)

// User is who reactions run as. What it causes directly is not reacted to.
const User = "Reactor"

// Rule is one entry of the option: the files of a tag glob.
type Rule struct {
	Tag  string
	Refs []string // paths on the master, with wildcards, or salt:// names
}

// ParseRules reads the option: a list of {tag: file or list of files}. Entries that are wrong are left out and named in
// the error.
func ParseRules(list []any) ([]Rule, error) {
	var out []Rule
	var errs []error
	for i, v := range list {
		m, ok := v.(*ordered.Map)
		if !ok || m.Len() != 1 {
			errs = append(errs, fmt.Errorf("reactor entry %d: want a map of one tag, got %s", i+1, pyfmt.Repr(v)))
			continue
		}
		for k, refs := range m.All() {
			out = append(out, Rule{Tag: pyfmt.Str(k), Refs: texts(refs)})
		}
	}
	return out, errors.Join(errs...)
}

func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Options are what the reactor works with.
type Options struct {
	Bus    *event.Bus
	Client Client
	// Load reads a file of the master's file roots.
	Load render.Loader
	// Opts and Salt are what templates see; Salt may be nil.
	Opts *ordered.Map
	Salt render.Caller
	Log  *zap.Logger
	// Workers is how many runner, wheel and caller reactions run at a time, Queue how many of them, and how many events of
	// one rule, may wait.
	Workers, Queue int
}

// Reactor is the service. Safe for concurrent use.
type Reactor struct {
	o     Options
	sub   *event.Sub
	cache *render.Cache
	slow  chan func()

	dropped, deep, failed atomic.Int64

	mu    sync.Mutex
	lanes []*ruleLane
	ctx   context.Context //nolint:containedctx // of Run
	wg    sync.WaitGroup
}

type ruleLane struct {
	rule   Rule
	lane   *reactor.Lane
	cancel context.CancelFunc
}

// New makes a reactor that takes events from here on.
func New(o Options, rules []Rule) *Reactor {
	r := &Reactor{o: o, cache: render.NewCache(), slow: make(chan func(), o.Queue)}
	for _, rule := range rules {
		r.lanes = append(r.lanes, &ruleLane{rule: rule})
	}
	r.sub = o.Bus.Subscribe(o.Queue, r.wanted)
	return r
}

// wanted tells whether a rule matches, so that an event that nobody reacts to costs no room.
func (r *Reactor) wanted(tag string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.lanes, func(l *ruleLane) bool { return fnmatch.Match(l.rule.Tag, tag) })
}

// Run works until ctx ends, then waits for the reactions under way, which end with it.
func (r *Reactor) Run(ctx context.Context) error {
	defer r.sub.Close()
	r.mu.Lock()
	r.ctx = ctx
	for _, l := range r.lanes {
		r.start(l)
	}
	r.mu.Unlock()
	for range r.o.Workers {
		r.wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case f := <-r.slow:
					f()
				}
			}
		})
	}
	for {
		ev, err := r.sub.Next(ctx)
		if err != nil {
			r.wg.Wait()
			return err
		}
		r.dispatch(ev)
	}
}

// start starts a rule's lane; the lock is held.
func (r *Reactor) start(l *ruleLane) {
	if r.ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	l.cancel = cancel
	l.lane = reactor.StartLane(ctx, &r.wg, r.o.Queue, func(ctx context.Context, ev event.Event) { r.react(ctx, l.rule, ev) })
}

func (r *Reactor) dispatch(ev event.Event) {
	if ev.Data.String("user") == User {
		return
	}
	r.mu.Lock()
	lanes := slices.Clone(r.lanes)
	r.mu.Unlock()
	for _, l := range lanes {
		switch {
		case !fnmatch.Match(l.rule.Tag, ev.Tag):
		case ev.Depth > reactor.MaxDepth:
			r.deep.Add(1)
			r.o.Log.Error("an event was caused by too many reactions, one after another: it is not reacted to", zap.String("tag", ev.Tag), zap.String("rule", l.rule.Tag))
		case !l.lane.Offer(ev):
			r.dropped.Add(1)
		}
	}
}

// Stats are the reactor's numbers since its start.
func (r *Reactor) Stats() reactor.Stats {
	s := reactor.Stats{Dropped: r.dropped.Load() + r.sub.Lost(), Deep: r.deep.Load(), Failed: r.failed.Load(), Waiting: len(r.slow)}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		if l.lane != nil {
			s.Waiting += l.lane.Waiting()
		}
	}
	return s
}

// List gives the rules in force, as the option has them.
func (r *Reactor) List() []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []any{}
	for _, l := range r.lanes {
		out = append(out, ordered.Pairs(l.rule.Tag, l.rule.Refs))
	}
	return out
}

// Add puts a rule in force until the master stops; false says that there is one for the tag.
func (r *Reactor) Add(tag string, refs []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.lanes, func(l *ruleLane) bool { return l.rule.Tag == tag }) {
		return false
	}
	l := &ruleLane{rule: Rule{Tag: tag, Refs: refs}}
	r.start(l)
	r.lanes = append(r.lanes, l)
	return true
}

// Delete takes the rule of a tag out of force; false says that there is none.
func (r *Reactor) Delete(tag string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.lanes, func(l *ruleLane) bool { return l.rule.Tag == tag })
	if i < 0 {
		return false
	}
	if r.lanes[i].cancel != nil {
		r.lanes[i].cancel()
	}
	r.lanes = slices.Delete(r.lanes, i, i+1)
	return true
}

// react renders the files of a rule for one event and runs what they say.
func (r *Reactor) react(ctx context.Context, rule Rule, ev event.Event) {
	ctx = event.WithDepth(ctx, ev.Depth+1)
	fail := func(err error) {
		if err != nil && ctx.Err() == nil {
			r.failed.Add(1)
			r.o.Log.Error("reaction", zap.String("tag", ev.Tag), zap.String("rule", rule.Tag), zap.Error(err))
		}
	}
	for _, ref := range rule.Refs {
		files, err := r.files(ref)
		fail(err)
		for _, f := range files {
			high, err := r.render(ctx, f, ev)
			if err != nil {
				fail(fmt.Errorf("%s: %w", f, err))
				continue
			}
			chunks, err := compile(high, f)
			if err != nil {
				fail(fmt.Errorf("%s: %w", f, err))
				continue
			}
			for _, c := range chunks {
				r.run(ctx, c, fail)
			}
		}
	}
}

// files lists the files that a reference means.
func (r *Reactor) files(ref string) ([]string, error) {
	if strings.HasPrefix(ref, "salt://") {
		return []string{ref}, nil
	}
	files, err := filepath.Glob(ref)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: there is no such file", ref)
	}
	return files, err
}

func (r *Reactor) render(ctx context.Context, file string, ev event.Event) (out *ordered.Map, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	var src []byte
	if name, ok := strings.CutPrefix(file, "salt://"); ok {
		src, err = r.o.Load.Load(ctx, "base", name)
	} else {
		src, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	vars := ordered.Pairs("tag", ev.Tag)
	vars.Set("data", ev.Data)
	v, err := render.Render(ctx, src, &render.Env{
		Saltenv: "base", SLS: file, Vars: vars, Opts: r.o.Opts, Salt: r.o.Salt, Loader: r.o.Load, Cache: r.cache,
	}, render.Options{})
	if err != nil {
		return nil, err
	}
	high, ok := v.(*ordered.Map)
	if !ok {
		return nil, fmt.Errorf("the file does not render to a map but to %s", pyfmt.Type(v))
	}
	return high, nil
}
