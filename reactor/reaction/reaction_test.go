package reaction_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
	"brine/reactor/reaction"
)

type client struct {
	mu    sync.Mutex
	got   []string
	block chan struct{}
	depth int
}

func (c *client) note(parts ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, pyfmt.Repr(ordered.Of(parts)))
}

func (c *client) Local(ctx context.Context, j reaction.Job) error {
	c.depth = event.DepthOf(ctx)
	c.note("local", j.Fun, j.Tgt, j.TgtType, append([]any{}, j.Arg...), j.Kwarg.Clone(), j.Ret)
	return nil
}

func (c *client) Master(ctx context.Context, kind, fun string, a modules.Args) error {
	c.note(kind, fun, append([]any{}, a.Pos...), a.Kw.Clone())
	if fun == "test.slow" {
		select {
		case <-c.block:
		case <-ctx.Done():
		}
	}
	return nil
}

func (c *client) Caller(_ context.Context, fun string, a modules.Args) error {
	c.note("caller", fun, append([]any{}, a.Pos...), a.Kw.Clone())
	return nil
}

func (c *client) Spec(_, fun string) (*modules.Spec, error) {
	if fun == "no.such" {
		return nil, errors.New("no such function")
	}
	return &modules.Spec{Params: []modules.Param{{Name: "mods"}, {Name: "saltenv"}}}, nil
}

type files map[string]string

func (f files) Load(_ context.Context, saltenv, path string) ([]byte, error) {
	if text, ok := f[saltenv+":"+path]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func start(t *testing.T, rules string, sls map[string]string) (*event.Bus, *client, *reaction.Reactor) {
	t.Helper()
	v, err := pyyaml.Load([]byte(rules), pyyaml.Options{})
	require.NoError(t, err)
	list, err := reaction.ParseRules(v.([]any))
	require.NoError(t, err)
	c, bus := &client{block: make(chan struct{})}, &event.Bus{}
	r := reaction.New(reaction.Options{Bus: bus, Client: c, Load: files(sls), Opts: ordered.New(0), Log: zap.NewNop(), Workers: 2, Queue: 8}, list)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return bus, c, r
}

func fire(bus *event.Bus, tag string, kv ...any) {
	bus.Fire(event.New(tag, ordered.Pairs(kv...), time.Now()))
	synctest.Wait()
}

func (c *client) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.got
	c.got = nil
	return out
}

const styles = `
new:
  local.cmd.run:
    - tgt: {{ data['id'] }}
    - tgt_type: list
    - ret: sqlite
    - args:
      - cmd: echo {{ tag }}
      - timeout: 5
old:
  cmd.cmd.run:
    - tgt: 'G@os:Debian'
    - tgt_type: compound
    - arg: [uptime]
    - kwarg: {shell: /bin/sh}
orch:
  runner.state.orchestrate:
    - args: {mods: orch.x, pillar: {a: {{ data.n }}}}
orch_old:
  runner.state.orchestrate:
    - mods: orch.x
    - unknown: 1
accept:
  wheel.key.accept:
    - arg: []
    - kwarg: {match: {{ data.id }}}
call:
  caller.test.echo:
    - args: [one, two]
call_new:
  caller.test.arg:
    - args:
      - a: 1
`

func TestStyles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, c, _ := start(t, "[{'my/*': ['salt://react/all.sls']}, {x: one}]", map[string]string{"base:react/all.sls": styles})
		fire(bus, "my/tag", "id", "m1", "n", 3)
		got := c.take()
		assert.Equal(t, []string{
			"['local', 'cmd.run', 'm1', 'list', [], {'cmd': 'echo my/tag', 'timeout': 5}, 'sqlite']",
			"['local', 'cmd.run', 'G@os:Debian', 'compound', ['uptime'], {'shell': '/bin/sh'}, '']",
		}, got[:2])
		assert.ElementsMatch(t, []string{
			"['runner', 'state.orchestrate', [], {'mods': 'orch.x', 'pillar': {'a': 3}}]",
			"['runner', 'state.orchestrate', [], {'mods': 'orch.x'}]",
			"['wheel', 'key.accept', [], {'match': 'm1'}]",
			"['caller', 'test.echo', ['one', 'two'], {}]",
			"['caller', 'test.arg', [], {'a': 1}]",
		}, got[2:])
		assert.Equal(t, 1, c.depth)
		fire(bus, "other", "id", "m1")
		fire(bus, "my/tag", "user", "Reactor")
		assert.Empty(t, c.take())
	})
}

func TestFilesOnTheMaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.sls"), []byte("#!yaml\nx:\n  local.test.ping: [{tgt: '*'}]\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.sls"), []byte("x:\n  local.test.ping:\n    tgt: b\n"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		bus, c, r := start(t, "[{t: '"+dir+"/*.sls'}]", nil)
		fire(bus, "t")
		assert.Len(t, c.take(), 2)
		assert.Zero(t, r.Stats().Failed)
	})
}

func TestMistakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, c, r := start(t, "[{t: [salt://none.sls, /nowhere/x.sls, salt://text.sls, salt://jinja.sls, salt://kinds.sls]}]", map[string]string{
			"base:text.sls": "- a", "base:jinja.sls": "{{ nope.nope }}",
			"base:kinds.sls": "a: {local.x.y: []}\nb: {fly.x.y: []}\nc: {runner.no.such: [{mods: 1}]}\nd: {runner.x.y: [{args: [1]}]}\ne: {local.test.ping: [{tgt: z}]}\n",
		})
		fire(bus, "t")
		assert.Equal(t, []string{"['local', 'test.ping', 'z', 'glob', [], {}, '']"}, c.take())
		assert.Equal(t, int64(8), r.Stats().Failed)
	})
	_, err := reaction.ParseRules([]any{ordered.Pairs("a", "x", "b", "y"), "text"})
	assert.ErrorContains(t, err, "reactor entry 1: want a map of one tag")
	assert.ErrorContains(t, err, "reactor entry 2")
}

func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, c, r := start(t, "[{slow: salt://slow.sls}, {fast: salt://fast.sls}]", map[string]string{
			"base:slow.sls": "s: {runner.test.slow: []}", "base:fast.sls": "f: {local.test.ping: [{tgt: '*'}]}",
		})
		for range 15 { // two run, eight wait
			fire(bus, "slow")
		}
		assert.Equal(t, int64(5), r.Stats().Dropped)
		fire(bus, "fast")
		assert.Contains(t, c.take(), "['local', 'test.ping', '*', 'glob', [], {}, '']")
		deep := event.New("fast", nil, time.Now())
		deep.Depth = reactor.MaxDepth + 1
		bus.Fire(deep)
		synctest.Wait()
		assert.Empty(t, c.take())
		assert.Equal(t, int64(1), r.Stats().Deep)
		close(c.block)
	})
}

func TestRulesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, c, r := start(t, "[]", map[string]string{"base:x.sls": "f: {local.test.ping: [{tgt: '*'}]}"})
		fire(bus, "a/b")
		assert.True(t, r.Add("a/*", []string{"salt://x.sls"}))
		assert.False(t, r.Add("a/*", []string{"salt://y.sls"}))
		assert.Equal(t, "[{'a/*': ['salt://x.sls']}]", pyfmt.Repr(r.List()))
		fire(bus, "a/b")
		assert.Len(t, c.take(), 1)
		assert.True(t, r.Delete("a/*"))
		assert.False(t, r.Delete("a/*"))
		fire(bus, "a/b")
		assert.Empty(t, c.take())
	})
}
