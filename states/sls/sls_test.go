package sls_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"brine/internal/ordered"
	"brine/internal/pyyaml"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/states"
	"brine/states/sls"
)

// probe is a family of states for these tests: set writes down that it ran, and changes something when told to.
func probe(ran *[]string) states.State {
	type args struct {
		Name   string         `arg:"name"`
		Change bool           `arg:"change" def:"False"`
		Fail   bool           `arg:"fail" def:"False"`
		Panic  bool           `arg:"panic" def:"False"`
		Extra  modules.Kwargs `arg:"**kwargs"`
	}
	set := states.Fn("set", "Note that it ran.", func(_ context.Context, _ *states.Env, in args) (states.Check[int], error) {
		c := ordered.New(0)
		if in.Change {
			c.Set("x", "y")
		}
		return states.Change(0, "would", c), nil
	}, func(_ context.Context, _ *states.Env, in args, _ int) (*states.Result, error) {
		*ran = append(*ran, in.Name)
		if in.Panic {
			panic("a bug in a state")
		}
		r := &states.Result{OK: states.True(), Comment: "done", Changes: ordered.New(0)}
		if in.Change {
			r.Changes.Set("x", "y")
		}
		if in.Fail {
			r.OK = states.False()
		}
		return r, nil
	})
	return states.State{Name: "probe", Doc: "For tests.", Funcs: []states.Func{set}, Watch: func(_ context.Context, _ *states.Env, _ string, a modules.Args) (*states.Result, error) {
		name, _ := a.Kw.Value("name").(string)
		*ran = append(*ran, "watch "+name)
		return &states.Result{OK: states.True(), Comment: "reacted", Changes: ordered.Pairs("watch", true)}, nil
	}}
}

type bench struct {
	*moduletest.Bench
	c   *sls.Compiler
	ran []string
}

func newBench(t testing.TB, files map[string]string) *bench {
	t.Helper()
	b := &bench{Bench: moduletest.New(t)}
	for name, text := range files {
		p := filepath.Join(b.Roots, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
	}
	reg, err := states.NewRegistry(probe(&b.ran))
	require.NoError(t, err)
	b.c = sls.New(b.Env, reg)
	return b
}

// apply runs SLS files and returns the results, or why they do not compile.
func (b *bench) apply(names ...any) (*ordered.Map, []string) {
	b.T.Helper()
	high, errs, err := b.c.RenderHighstate(b.T.Context(), ordered.Pairs("base", names))
	require.NoError(b.T, err)
	if len(errs) > 0 {
		return nil, errs
	}
	chunks, errs := sls.Compile(high)
	if len(errs) > 0 {
		return nil, errs
	}
	out, err := b.c.Run(b.T.Context(), chunks)
	require.NoError(b.T, err)
	return out, nil
}

func TestOrderAndRequisites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ src, want string }{
		"as written":       {"a: {probe.set: []}\nb: {probe.set: []}\nc: {probe.set: []}", "a b c"},
		"require":          {"a:\n  probe.set:\n  - require: [{probe: c}]\nb: {probe.set: []}\nc: {probe.set: []}", "c a b"},
		"require_in":       {"a: {probe.set: []}\nb:\n  probe.set:\n  - require_in: [{probe: a}]", "b a"},
		"order":            {"a:\n  probe.set:\n  - order: last\nb:\n  probe.set:\n  - order: 5\nc:\n  probe.set:\n  - order: first", "c b a"},
		"failed require":   {"a:\n  probe.set:\n  - fail: true\nb:\n  probe.set:\n  - require: [{probe: a}]", "a"},
		"onfail":           {"a:\n  probe.set:\n  - fail: true\nb:\n  probe.set:\n  - onfail: [{probe: a}]\nc:\n  probe.set:\n  - onfail: [{probe: d}]\nd: {probe.set: []}", "a b d"},
		"onchanges":        {"a:\n  probe.set:\n  - change: true\nb:\n  probe.set:\n  - onchanges: [{probe: a}]\nc:\n  probe.set:\n  - onchanges: [{probe: d}]\nd: {probe.set: []}", "a b d"},
		"watch":            {"a:\n  probe.set:\n  - change: true\nb:\n  probe.set:\n  - watch: [{probe: a}]\nc:\n  probe.set:\n  - watch: [{probe: d}]\nd: {probe.set: []}", "a b watch b d c"},
		"listen":           {"b:\n  probe.set:\n  - listen: [{probe: a}]\na:\n  probe.set:\n  - change: true\nz: {probe.set: []}", "b a z watch b"},
		"prereq":           {"b:\n  probe.set:\n  - prereq: [{probe: a}]\na:\n  probe.set:\n  - change: true", "b a"},
		"prereq, nothing":  {"b:\n  probe.set:\n  - prereq: [{probe: a}]\na: {probe.set: []}", "b a"},
		"require any":      {"a:\n  probe.set:\n  - fail: true\nb: {probe.set: []}\nc:\n  probe.set:\n  - require_any: [{probe: a}, {probe: b}]", "a b c"},
		"names":            {"a:\n  probe.set:\n  - names: [x, y, {z: [{change: true}]}]", "x y z"},
		"failhard":         {"a:\n  probe.set:\n  - fail: true\n  - failhard: true\nb: {probe.set: []}", "a"},
		"by name and glob": {"a:\n  probe.set:\n  - name: /etc/x\nb:\n  probe.set:\n  - require: [{probe: /etc/*}]\n  - order: 1", "/etc/x b"},
		"creates":          {"a:\n  probe.set:\n  - creates: /\nb:\n  probe.set:\n  - creates: /no/such", "b"},
		"use":              {"a:\n  probe.set:\n  - change: true\nb:\n  probe.set:\n  - use: [{probe: a}]\nc:\n  probe.set:\n  - onchanges: [{probe: b}]", "a b c"},
		"onlyif, nothing":  {"a:\n  probe.set:\n  - onlyif: []\nb:\n  probe.set:\n  - onlyif: false\nc:\n  probe.set:\n  - creates: [/, /no/such]", "b c"},
		"a bug":            {"a:\n  probe.set:\n  - panic: true\nb: {probe.set: []}", "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"a.sls": c.src})
			_, errs := b.apply("a")
			require.Empty(t, errs)
			assert.Equal(t, c.want, strings.Join(b.ran, " "))
		})
	}
}

func TestWhatDoesNotCompile(t *testing.T) {
	t.Parallel()
	for want, src := range map[string]string{
		"ID a in SLS a is not a dictionary":                   "a: text",
		"State 'a' in SLS 'a' is not formed as a list":        "a: {probe: text}",
		"short declaration (probe.set) with a trailing colon": "a:\n  probe.set:",
		"No function declared in state 'probe' in SLS 'a'":    "a: {probe: [{x: 1}]}",
		"Too many functions declared in state 'probe'":        "a: {probe: [set, get]}",
		"The require statement in state 'a' in SLS 'a' needs": "a: {probe.set: [{require: x}]}",
		`A recursive requisite was found, SLS "a"`:            "a: {probe.set: [{require: [{probe: b}]}]}\nb: {probe.set: [{require: [{probe: a}]}]}",
		"Cannot extend ID 'x' in 'base:a'":                    "extend: {x: {probe: [{y: 1}]}}",
		"Include Declaration in SLS a is not formed as a":     "include: x",
		"Specified SLS no.such in saltenv base is not":        "include: [no.such]",
		"goes beyond top level package":                       "include: [...x]",
		"contains multiple state declarations of the same":    "a: {probe.set: [], probe.get: []}",
		"SLS a does not render to a dictionary":               "- a",
		"Rendering SLS 'base:a' failed":                       "{% if %}",
		"Multiple dictionaries defined in argument of state":  "a: {probe.set: [{x: 1, y: 2}]}",
		"is not formed as a string, but is a int":             "5: {probe.set: []}",
		"has whitespace, a function with whitespace is not":   "a: {probe: ['set x']}",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, map[string]string{"a.sls": src})
			_, errs := b.apply("a")
			require.NotEmpty(t, errs)
			assert.Contains(t, strings.Join(errs, "\n"), want)
			assert.Empty(t, b.ran, "nothing may run")
		})
	}
}

func TestIncludesExtendsExcludes(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{
		"a.sls":        "include: [lib, dir]\nextend: {one: {probe: [{change: true}]}}\nexclude: [{id: three}, {sls: gone}]\nmine: {probe.set: [{onchanges: [{probe: one}]}]}",
		"lib.sls":      "include: [a, gone]\none: {probe.set: []}\nthree: {probe.set: []}",
		"gone.sls":     "four: {probe.set: []}",
		"dir/init.sls": "include: [.sub]\nfive: {probe.set: []}",
		"dir/sub.sls":  "six: {probe.set: []}",
	})
	_, errs := b.apply("a")
	require.Empty(t, errs)
	assert.Equal(t, "one six five mine", strings.Join(b.ran, " "))
}

func TestDryRunsRunNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"a.sls": "a: {probe.set: [{change: true}]}\nb: {probe.set: [{watch: [{probe: a}]}, {retry: {attempts: 3, interval: 1}}]}"})
	b.Env.Test = true
	out, errs := b.apply("a")
	require.Empty(t, errs)
	assert.Equal(t, []string{"watch b"}, b.ran, "a reaction is asked what it would do; nothing else may run")
	for _, v := range out.All() {
		assert.NotEqual(t, false, v.(*ordered.Map).Value("result"))
	}
}

func TestARunCanBeEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"a.sls": "a: {probe.set: [{fail: true}, {retry: {attempts: 5, interval: 60}}]}"})
	high, errs, err := b.c.RenderHighstate(t.Context(), ordered.Pairs("base", []any{"a"}))
	require.NoError(t, err)
	require.Empty(t, errs)
	chunks, _ := sls.Compile(high)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = b.c.Run(ctx, chunks)
	require.ErrorIs(t, err, context.Canceled)
}

// TestEveryTreeEnds makes trees with requisites at random, loops among them: every run ends, every state has one result,
// and the order is the same each time.
func TestEveryTreeEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "states")
		kinds := []string{"require", "watch", "onchanges", "onfail", "prereq", "require_in", "watch_in", "listen", "use", "require_any", "onchanges_any"}
		var src strings.Builder
		for i := range n {
			fmt.Fprintf(&src, "s%d:\n  probe.set:\n  - change: %v\n  - fail: %v\n", i, rapid.Bool().Draw(t, "change"), rapid.Bool().Draw(t, "fail"))
			for range rapid.IntRange(0, 2).Draw(t, "requisites") {
				fmt.Fprintf(&src, "  - %s: [{probe: s%d}]\n", rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.IntRange(0, n-1).Draw(t, "on"))
			}
		}
		var orders []string
		for range 2 {
			var ran []string
			reg, err := states.NewRegistry(probe(&ran))
			require.NoError(t, err)
			v, err := pyyaml.Load([]byte(src.String()), pyyaml.Options{})
			require.NoError(t, err)
			high := v.(*ordered.Map)
			sls.Pad(high)
			chunks, errs := sls.Compile(high)
			if len(errs) > 0 {
				return
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			out, err := sls.New(shared, reg).Run(ctx, chunks)
			cancel()
			require.NoError(t, err, src.String())
			seen := map[int64]bool{}
			for k, r := range out.All() {
				res := r.(*ordered.Map)
				num, ok := res.Value("__run_num__").(int64)
				require.True(t, ok, "%v", k)
				require.False(t, seen[num], "two results have the number %d:\n%s", num, src.String())
				seen[num] = true
			}
			require.GreaterOrEqual(t, out.Len(), n, src.String())
			orders = append(orders, strings.Join(ran, " "))
		}
		require.Equal(t, orders[0], orders[1])
	})
}

// shared is an environment without files, for trees that are given.
var shared = &modules.Env{ID: "m1", Opts: ordered.New(0), Grains: &moduletest.Grains{M: ordered.New(0)}, Context: &modules.Context{}, Mods: func() *modules.Registry {
	r, _ := modules.NewRegistry()
	return r
}()}

func FuzzCompile(f *testing.F) {
	f.Add("a:\n  probe.set:\n  - require: [{probe: b}]\nb: {probe: [set, {names: [x, {y: [{z: 1}]}]}]}")
	f.Add("__extend__: [{a: {probe: [{x: 1}]}}]\na: probe.set")
	f.Add("a: {probe: [set, {use: [{probe: a}]}, {order: -5}]}")
	f.Fuzz(func(t *testing.T, src string) {
		v, err := pyyaml.Load([]byte(src), pyyaml.Options{})
		if err != nil {
			return
		}
		if high, ok := v.(*ordered.Map); ok {
			sls.Pad(high)
			sls.Compile(high)
		}
	})
}

func BenchmarkApply500Nop(b *testing.B) {
	var src strings.Builder
	for i := range 500 {
		fmt.Fprintf(&src, "n%d:\n  probe.set: []\n", i)
	}
	bench := newBench(b, map[string]string{"a.sls": src.String()})
	for b.Loop() {
		bench.ran = bench.ran[:0]
		bench.apply("a")
	}
}

func TestConditionsSayWhy(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"a.sls": "a: {probe.set: [{creates: /}, {parallel: true}]}\nb: {probe.set: [{onlyif: [{fun: no.such}]}]}\nc: {probe.set: [{unless: [{x: y}]}, {creates: /}]}"})
	out, errs := b.apply("a")
	require.Empty(t, errs)
	assert.Empty(t, b.ran)
	comment := func(id string) any { return out.Map("probe_|-" + id + "_|-" + id + "_|-set").Value("comment") }
	assert.Equal(t, "/ exists", comment("a"))
	assert.Contains(t, comment("b"), "An exception occurred in this state: ")
	assert.Equal(t, "no `fun` argument in unless: {'x': 'y'}\n/ exists", comment("c"))
	assert.False(t, out.Map("probe_|-a_|-a_|-set").Has("__parallel__"), "it was not started")
}

func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"a.sls": "a: probe.set\nb: {probe.set: [{fire_event: true}]}\nc: {probe.set: [{fire_event: my/tag}]}"})
	b.Opts.Set("state_events", true)
	_, errs := b.apply("a")
	require.Empty(t, errs)
	var tags []string
	for _, e := range b.Bus.All {
		tags = append(tags, e.Tag)
	}
	jid := b.Job.JID
	assert.Equal(t, []string{"salt/job/" + jid + "/prog/m1/0", "salt/state_result/" + jid + "/m1/b", "salt/state_result/" + jid + "/m1/my/tag"}, tags)
	assert.Equal(t, int64(3), b.Bus.All[0].Data.Value("len"))
	assert.Equal(t, "done", b.Bus.All[0].Data.Map("ret").Value("comment"))
}
