package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/modules"
	"brine/reactor"
)

// rig is an engine whose calls and events are recorded.
type rig struct {
	*reactor.Engine
	bus event.Bus

	mu    sync.Mutex
	calls []string
	sent  []string
	block chan struct{} // jobs of test.slow wait for it
	depth int
}

func (r *rig) call(ctx context.Context, fun string, a modules.Args) (any, error) {
	r.mu.Lock()
	r.calls = append(r.calls, fun+pyfmt.Repr(append([]any{}, a.Pos...)))
	r.depth = event.DepthOf(ctx)
	r.mu.Unlock()
	switch fun {
	case "test.slow":
		select {
		case <-r.block:
		case <-ctx.Done():
		}
	case "test.fail":
		return nil, errors.New("broken")
	case "test.refire":
		e := event.New("loop", nil, time.Now())
		e.Depth = event.DepthOf(ctx)
		r.bus.Fire(e)
	case "test.false":
		return ordered.Pairs("result", false), nil
	}
	return ordered.Pairs("pos", append([]any{}, a.Pos...)), nil
}

func (r *rig) fire(tag string, kv ...any) {
	r.bus.Fire(event.New(tag, ordered.Pairs(kv...), time.Now()))
}

func start(t *testing.T, settings string) *rig {
	t.Helper()
	v, err := pyyaml.Load([]byte(settings), pyyaml.Options{})
	require.NoError(t, err)
	m, _ := v.(*ordered.Map)
	conf, err := reactor.ParseConfig(m)
	require.NoError(t, err)
	r := &rig{block: make(chan struct{})}
	r.Engine = reactor.New(reactor.Options{
		Bus: &r.bus, Opts: ordered.Pairs("id", "m1", "limit", 3), Call: r.call, Job: r.call, Log: zap.NewNop(), Queue: 10,
		Send: func(_ context.Context, tag string, data *ordered.Map) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			d := data.Clone()
			d.Delete("_stamp")
			r.sent = append(r.sent, tag+" "+pyfmt.Repr(d))
			return nil
		},
	})
	require.NoError(t, r.Configure(conf))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return r
}

func (r *rig) got() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.calls...)
}

func (r *rig) manage(t *testing.T, words ...any) string {
	t.Helper()
	return r.manageKW(t, nil, words...)
}

func (r *rig) manageKW(t *testing.T, kw *ordered.Map, words ...any) string {
	t.Helper()
	synctest.Wait()
	m, err := r.Manage(t.Context(), words, kw)
	if err != nil {
		return "error: " + err.Error()
	}
	assert.True(t, m.Has("_stamp"))
	m.Delete("_stamp")
	return pyfmt.Repr(m)
}

func TestCacheOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "")
		r.fire("system/release/pending", "id", "9a", "attempts", 1)
		r.fire("system/minion/online")
		r.fire("system/minion/online")
		r.fire("other/thing")
		synctest.Wait()
		m, err := r.Manage(t.Context(), []any{"context", "cache"}, nil)
		require.NoError(t, err)
		assert.Equal(t, []any{"system/release", "system/minion", "_stamp"}, m.Keys())
		assert.Equal(t, int64(2), m.Map("system/minion").Value("_count"))
		assert.Equal(t, "system/release/pending", m.Map("system/release").Map("event").String("tag"))
		assert.Equal(t, []any{"event", "_count"}, m.Map("system/release").Keys())
		r.fire("system/minion/offline")
		r.fire("system/minion/online")
		r.fire("system/minion/online", "_alternating_cache_event_filter", ordered.Pairs("skip", true))
		r.fire("system/release/failed", "_queued", true)
		synctest.Wait()
		assert.Equal(t, []string{
			"system/release/pending {'id': '9a', 'attempts': 1}", "system/minion/online {}", "system/minion/offline {}", "system/minion/online {}",
			"system/minion/online {'_alternating_cache_event_filter': {'skip': True}}",
		}, r.sent)
		c, err := r.Cache(t.Context(), "system/minion", nil)
		require.NoError(t, err)
		assert.Equal(t, []any{"value", "_stamp"}, c.Keys())
		c, err = r.Cache(t.Context(), "", nil)
		require.NoError(t, err)
		assert.Equal(t, 2, c.Map("values").Len())
	})
}

const matching = `
reactors:
- {name: re, regex: '^card/(?P<rfid>[0-9]+)$', keyword_resolve: true, action: {handler: module, args: [test.re, '$match.group("rfid")', 'costs 5$']}}
- {name: start, startswith: 'a/', action: {handler: module_direct, args: [test.start]}}
- {name: end, endswith: /z, actions: [{handler: module, args: [test.end]}]}
- {name: glob, fnmatch: 'a/*/c', action: {handler: module, args: [test.glob]}}
- {name: 'off', enabled: false, startswith: '', action: {handler: module, args: [test.off]}}
- name: cond
  fnmatch: cond
  condition: $event["data"].get("n") is not None
  conditions: ['$event["data"]["n"] > 2 and $options["id"] == "m1"', '"$event" == "$" + "event"', '$salt["test.ok"]("a")["pos"] == ["a"]']
  action: {handler: module, args: [test.cond]}
`

func TestMatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, matching)
		for _, tag := range []string{"card/77", "card/x", "a/b/c", "x/z"} {
			r.fire(tag)
		}
		assert.ElementsMatch(t, []string{"test.re['77', 'costs 5$']", "test.start[]", "test.glob[]", "test.end[]"}, r.got())
		r.calls = nil
		r.fire("cond")
		r.fire("cond", "n", 2)
		r.fire("cond", "n", 3)
		assert.Equal(t, []string{"test.ok['a']", "test.cond[]"}, r.got())
		assert.Equal(t, "{'values': ['cache_events', 're', 'start', 'end', 'glob', 'cond']}", r.manage(t, "reactor", "list"))
		assert.Equal(t, "{'value': {'start': {'name': 'start', 'startswith': 'a/', 'action': {'handler': 'module_direct', 'args': ['test.start']}}}}",
			r.manage(t, "reactor", "show", "tar"))
	})
}

func TestWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, `
hooks:
- {name: hold, kind: filter, func: test.false, lock: true}
- {name: mine, kind: handler, func: hooklib.module_handler, args: [fixed]}
reactors:
- {name: chain, fnmatch: chain, chain_conditionally: true, actions: [{handler: module, args: [test.false]}, {handler: module, args: [test.never]}]}
- {name: 'on', fnmatch: 'on', actions: [{handler: module, args: [test.fail]}, {handler: mine, args: [test.next], returner: module_result_cache}]}
- {name: keep, fnmatch: keep, actions: [{handler: module, args: [test.kept, 1], returner: module_result_cache}]}
- {name: kept, fnmatch: kept, condition: '$context["result_cache.get"]("test.kept", "pos") == [1]', action: {handler: module, args: [test.after]}}
- {name: found, fnmatch: found, condition: '$context["cache.find"]("event:tag", "release") is None', action: {handler: module, args: [test.found]}}
`)
		r.fire("chain")
		assert.Equal(t, []string{"test.false[]"}, r.got())
		r.fire("on")
		assert.Equal(t, []string{"test.false[]", "test.fail[]", "test.next['fixed']"}, r.got())
		assert.Equal(t, int64(1), r.Stats().Failed)
		r.calls = nil
		r.fire("kept")
		assert.Empty(t, r.got())
		r.fire("keep")
		r.got()
		r.fire("kept")
		r.fire("found")
		assert.ElementsMatch(t, []string{"test.kept[1]", "test.after[]", "test.found[]"}, r.got())
		assert.Equal(t, "{'test.kept': {'pos': [1]}}", r.manage(t, "context", "result_cache"))
	})
}

func TestSlowReactorsHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, `
reactors:
- {name: slow, fnmatch: go, action: {handler: module, args: [test.slow]}}
- {name: fast, fnmatch: go, action: {handler: module, args: [test.fast]}}
`)
		for range 15 {
			r.fire("go")
			synctest.Wait()
		}
		assert.Equal(t, int64(4), r.Stats().Dropped) // one runs, ten wait
		assert.Equal(t, 10, r.Stats().Waiting)
		n := 0
		for _, c := range r.got() {
			if c == "test.fast[]" {
				n++
			}
		}
		assert.Equal(t, 15, n)
		close(r.block)
	})
}

func TestDepthIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "reactors: [{name: loop, fnmatch: loop, action: {handler: module, args: [test.refire]}}]")
		r.fire("loop")
		assert.Len(t, r.got(), 9)
		assert.Equal(t, int64(1), r.Stats().Deep)
	})
}

func TestManage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "workers: [{name: w1, interval: 60, auto_start: true, messages: [{handler: module, args: [test.tick]}]}, {name: _w, messages: []}]")
		assert.Equal(t, "{'values': ['cache_handler', 'echo_handler', 'module_handler', 'module_direct_handler', 'returner_call_handler', 'skip_empty_filter', "+
			"'alternating_readout_filter', 'alternating_cache_event_filter', 'module_result_cache_returner', 'cloud_returner']}", r.manage(t, "hook", "list"))
		assert.Equal(t, "{'a': 1, '_count': 1}", r.manageKW(t, ordered.Pairs("a", 1), "hook", "call", "cache_handler", "k"))
		assert.Equal(t, "{'a': 1, '_x': 2, '_count': 2}", r.manageKW(t, ordered.Pairs("a", 1, "_x", 2), "hook", "call", "cache_handler", "k"))
		assert.Equal(t, "error: nix", r.manage(t, "context", "cache", "nix"))
		assert.Equal(t, "{'value': 7}", r.manageKW(t, ordered.Pairs("default", 7), "context", "cache", "nix"))
		assert.Equal(t, "{'value': 8}", r.manageKW(t, ordered.Pairs("value", 8), "context", "my", "key"))
		assert.Equal(t, "{'key': 8}", r.manage(t, "context", "my"))
		assert.Equal(t, "error: Unknown command: fly", r.manage(t, "fly"))
		assert.Equal(t, "{'args': [1], 'kwargs': {'x': 2}}", r.manageKW(t, ordered.Pairs("handler", "echo", "args", []any{1}, "x", 2), "run"))
		time.Sleep(3 * time.Minute)
		assert.Len(t, r.got(), 4)
		assert.Equal(t, "{'values': ['w1']}", r.manage(t, "worker", "pause", "w*"))
		time.Sleep(3 * time.Minute)
		assert.Len(t, r.got(), 4)
		assert.Contains(t, r.manage(t, "worker", "show", "w1"), "'state': 'paused'")
		assert.Equal(t, "{'values': ['w1']}", r.manage(t, "worker", "start_or_resume", "*"))
		assert.Equal(t, "{'values': ['_w', 'w1']}", r.manage(t, "worker", "list"))
		assert.Equal(t, "{'values': ['w1']}", r.manage(t, "worker", "kill", "w1"))
		assert.Contains(t, r.manage(t, "worker", "show", "w1"), "'state': 'pending'")
		assert.Equal(t, "{'values': ['n']}", r.manageKW(t, ordered.Pairs("name", "n", "loop", 2, "start", true), "worker", "create", ordered.Pairs("handler", "module", "args", []any{"test.n"})))
		time.Sleep(time.Minute)
		assert.Contains(t, r.manage(t, "worker", "show", "n"), "'state': 'completed'")
	})
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	v, err := pyyaml.Load([]byte(`
hooks: [{name: x, kind: nothing, func: a.b}, 5]
reactors: [{name: two, regex: a, fnmatch: b}, {regex: a}, {name: good, regex: a}, {name: good, regex: b}, {name: bad, regex: '('}]
workers: [{interval: 1}]
`), pyyaml.Options{})
	require.NoError(t, err)
	c, err := reactor.ParseConfig(v.(*ordered.Map))
	for _, text := range []string{`hook x: there is no kind "nothing"`, "want a map, got int", "exactly one of", "it has no name", `two reactors are called "good"`, "worker 1"} {
		assert.ErrorContains(t, err, text)
	}
	assert.Len(t, c.Reactors, 2) // cache_events and good
	e := reactor.New(reactor.Options{Bus: &event.Bus{}, Log: zap.NewNop()})
	assert.EqualError(t, e.Configure(&reactor.Config{Hooks: []reactor.Hook{{Name: "x", Kind: "filter", Func: "hooklib.none_filter"}}}), `hook x: the engine has no filter "none_filter"`)
}

func FuzzConditions(f *testing.F) {
	for _, s := range []string{`$event["tag"]`, `"$event`, `$salt["x"](1)`, `x is not y`, `[i for i in range(10000000)]`, `"a" * 100`, `$match.group(0)`, `{"a": $context}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 {
			return
		}
		bus := &event.Bus{}
		e := reactor.New(reactor.Options{Bus: bus, Log: zap.NewNop(), Opts: ordered.New(0), Call: func(context.Context, string, modules.Args) (any, error) { return nil, nil }})
		c, err := reactor.ParseConfig(ordered.Pairs("reactors", []any{ordered.Pairs("name", "cache_events", "startswith", "t", "condition", text)}))
		if err != nil {
			t.Skip()
		}
		if err := e.Configure(c); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = e.Run(ctx) }()
		bus.Fire(event.New(fmt.Sprint("t", len(text)), nil, time.Now()))
		cancel()
		<-done
	})
}
