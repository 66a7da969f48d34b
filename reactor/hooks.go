package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"brine/event"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// hook is a function that messages name.
type hook struct {
	name, kind string
	run        func(ctx context.Context, p *passage, pos []any, kw *ordered.Map) (any, error)
	args       []any
	kwargs     *ordered.Map
	lock       *sync.Mutex // nil: not serialised
}

// call runs the hook with its fixed arguments behind those given.
func (h *hook) call(ctx context.Context, p *passage, pos []any, kw *ordered.Map) (any, error) {
	if h.lock != nil {
		h.lock.Lock()
		defer h.lock.Unlock()
	}
	if len(h.args) > 0 {
		pos = append(append([]any{}, pos...), h.args...)
	}
	if h.kwargs.Len() > 0 {
		both := kw.Clone()
		both.Update(h.kwargs)
		kw = both
	}
	return h.run(ctx, p, pos, kw)
}

// table makes the hooks of a configuration, the built-in ones first.
func (e *Engine) table(list []Hook) (map[string]*hook, []string, error) {
	hooks := map[string]*hook{}
	var order []string
	add := func(h *hook) {
		key := h.name + "_" + h.kind
		if hooks[key] == nil {
			order = append(order, key)
		}
		hooks[key] = h
	}
	for _, h := range e.builtin() {
		add(h)
	}
	one := &sync.Mutex{} // hooks that ask for it run one at a time, over the whole engine
	for _, c := range list {
		run, err := e.function(c)
		if err != nil {
			return nil, nil, fmt.Errorf("hook %s: %w", c.Name, err)
		}
		h := &hook{name: c.Name, kind: c.Kind, run: run, args: c.Args, kwargs: c.Kwargs}
		if c.Lock {
			h.lock = one
		}
		add(h)
	}
	return hooks, order, nil
}

type hookFunc = func(ctx context.Context, p *passage, pos []any, kw *ordered.Map) (any, error)

func (e *Engine) builtin() []*hook {
	return []*hook{
		{name: "cache", kind: "handler", run: e.cacheHandler},
		{name: "echo", kind: "handler", run: echo},
		{name: "module", kind: "handler", run: e.moduleHandler},
		{name: "module_direct", kind: "handler", run: e.directHandler},
		{name: "returner_call", kind: "handler", run: e.returnerCall},
		{name: "skip_empty", kind: "filter", run: skipEmpty},
		{name: "alternating_readout", kind: "filter", run: e.alternatingReadout()},
		{name: "alternating_cache_event", kind: "filter", run: alternatingCacheEvent},
		{name: "module_result_cache", kind: "returner", run: e.resultCache},
		{name: "cloud", kind: "returner", run: e.cloud},
	}
}

// function finds what a configured hook calls: one of ours under its name in the reference system (hooklib.NAME_KIND,
// cloud.returner_event), a returner, or an execution function.
func (e *Engine) function(c Hook) (hookFunc, error) {
	module, name, dotted := strings.Cut(c.Func, ".")
	if !dotted {
		module, name = "", c.Func
	}
	if module == "cloud" && c.Kind == "returner" {
		return e.cloud, nil
	}
	if module == "" || module == "hooklib" {
		plain := strings.TrimSuffix(name, "_"+c.Kind)
		for _, h := range e.builtin() {
			if h.kind == c.Kind && h.name == plain {
				return h.run, nil
			}
		}
		return nil, fmt.Errorf("the engine has no %s %q", c.Kind, name)
	}
	if c.Kind == "returner" {
		return func(ctx context.Context, _ *passage, pos []any, _ *ordered.Map) (any, error) {
			return nil, e.give(ctx, module, first(pos))
		}, nil
	}
	return func(ctx context.Context, _ *passage, pos []any, kw *ordered.Map) (any, error) {
		return e.o.Call(ctx, c.Func, modules.Args{Pos: pos, Kw: kw})
	}, nil
}

func first(pos []any) any {
	if len(pos) == 0 {
		return nil
	}
	return pos[0]
}

// cacheHandler reads all entries, reads one, or stores one: see store.put.
func (e *Engine) cacheHandler(_ context.Context, _ *passage, pos []any, kw *ordered.Map) (any, error) {
	if len(pos) == 0 && kw.Len() == 0 {
		return e.store.get([]string{cacheKey})
	}
	if len(pos) != 1 {
		return nil, errors.New("want a key, and the fields as keywords")
	}
	key := pyfmt.Str(pos[0])
	if kw.Len() == 0 {
		return e.store.get([]string{cacheKey, key})
	}
	return e.store.put(key, kw), nil
}

func echo(_ context.Context, _ *passage, pos []any, kw *ordered.Map) (any, error) {
	return ordered.Pairs("args", append([]any{}, pos...), "kwargs", kw.Clone()), nil
}

func (e *Engine) moduleHandler(ctx context.Context, _ *passage, pos []any, kw *ordered.Map) (any, error) {
	return callModule(ctx, e.o.Job, pos, kw)
}

func (e *Engine) directHandler(ctx context.Context, _ *passage, pos []any, kw *ordered.Map) (any, error) {
	return callModule(ctx, e.o.Call, pos, kw)
}

func callModule(ctx context.Context, call func(context.Context, string, modules.Args) (any, error), pos []any, kw *ordered.Map) (any, error) {
	fun, ok := first(pos).(string)
	if !ok {
		return nil, errors.New("want the name of a function as the first argument")
	}
	return call(ctx, fun, modules.Args{Pos: pos[1:], Kw: kw})
}

// returnerCall gives data to a returner: returner_call(NAME, data).
func (e *Engine) returnerCall(ctx context.Context, _ *passage, pos []any, kw *ordered.Map) (any, error) {
	if len(pos) == 0 {
		return nil, errors.New("want the name of a returner as the first argument")
	}
	name, _, _ := strings.Cut(pyfmt.Str(pos[0]), ".")
	var data any = kw
	if len(pos) > 1 {
		data = pos[1]
	}
	return data, e.give(ctx, name, data)
}

func (e *Engine) give(ctx context.Context, name string, v any) error {
	if name == "cloud" {
		_, err := e.cloud(ctx, nil, []any{v}, nil)
		return err
	}
	if e.o.Return == nil {
		return fmt.Errorf("there is no returner %q here", name)
	}
	return e.o.Return(ctx, name, mapOf(v))
}

// mapOf gives a result the form of a record: a list is {values: ...}, another value {value: ...}.
func mapOf(v any) *ordered.Map {
	switch t := v.(type) {
	case *ordered.Map:
		return t
	case []any:
		return valued("values", t)
	}
	return valued("value", v)
}

// valued is a map of one key. The value may be shared: it is put there as it is.
func valued(key string, v any) *ordered.Map {
	m := ordered.New(2)
	m.Set(key, v)
	return m
}

// cloud hands an event, or a cache entry that holds one, to the master. What stands in the durable queue already, as its
// data says, is not sent twice.
func (e *Engine) cloud(ctx context.Context, _ *passage, pos []any, _ *ordered.Map) (any, error) {
	m := mapOf(first(pos))
	if inner := m.Map("event"); inner != nil {
		m = inner
	}
	tag, data := m.String("tag"), m.Map("data")
	if tag == "" {
		return nil, errors.New("the result is no event: it has no tag")
	}
	if truth(data.Value(event.QueuedKey)) {
		return nil, nil
	}
	return nil, e.o.Send(ctx, tag, data)
}

func skipEmpty(_ context.Context, _ *passage, pos []any, _ *ordered.Map) (any, error) {
	if v := first(pos); truth(v) {
		return v, nil
	}
	return nil, nil
}

// alternatingReadout drops results that are equal to the last of the same _type.
func (e *Engine) alternatingReadout() hookFunc {
	var mu sync.Mutex
	last := ordered.New(0)
	return func(_ context.Context, _ *passage, pos []any, _ *ordered.Map) (any, error) {
		v := first(pos)
		m, _ := v.(*ordered.Map)
		kind := m.String("_type")
		mu.Lock()
		defer mu.Unlock()
		if old, ok := last.Get(kind); ok && ordered.Equal(old, public(v)) {
			return nil, nil
		}
		last.Set(kind, public(v))
		trim(last)
		return v, nil
	}
}

// skipKey is the field of an event's data whose skip: true passes by the alternating filter.
const skipKey = "_alternating_cache_event_filter"

// alternatingCacheEvent lets a cache entry pass that is new or has changed.
func alternatingCacheEvent(_ context.Context, _ *passage, pos []any, _ *ordered.Map) (any, error) {
	m, ok := first(pos).(*ordered.Map)
	if !ok {
		return nil, errors.New("the result is no entry of the cache")
	}
	if truth(m.Map("event").Map("data").Map(skipKey).Value("skip")) || m.Value("_count") == int64(1) {
		return m, nil
	}
	return nil, nil
}

// resultCache keeps the result of a message whose handler is one of the module ones, for $context["result_cache.get"].
func (e *Engine) resultCache(_ context.Context, p *passage, pos []any, _ *ordered.Map) (any, error) {
	if !strings.HasPrefix(p.msg.String("handler"), "module") || len(p.args) == 0 {
		e.o.Log.Warn("the returner module_result_cache keeps results of the handlers module and module_direct only")
		return nil, nil
	}
	e.store.result(pyfmt.Str(p.args[0]), first(pos))
	return nil, nil
}
