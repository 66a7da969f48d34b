package state_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/grains"
	"brine/modules/match"
	"brine/modules/moduletest"
	"brine/modules/state"
	"brine/release"
	"brine/states"
)

// holding is a family of states for these tests: nop succeeds, fail fails, hold waits for its channel.
func holding(started, leave chan struct{}) states.State {
	type args struct {
		Name  string         `arg:"name"`
		Extra modules.Kwargs `arg:"**kwargs"`
	}
	fn := func(name string, run func(context.Context, *states.Env, args) (*states.Result, error)) states.Func {
		return states.Opaque(name, "For tests.", run)
	}
	return states.State{Name: "t", Doc: "For tests.", Funcs: []states.Func{
		fn("nop", func(context.Context, *states.Env, args) (*states.Result, error) { return states.Fine("ok"), nil }),
		fn("fail", func(context.Context, *states.Env, args) (*states.Result, error) { return states.Failed("no"), nil }),
		fn("say", func(ctx context.Context, env *states.Env, in args) (*states.Result, error) {
			p, err := env.Pillar.Items(ctx)
			return states.Fine(pyfmt.Repr(p) + " " + pyfmt.Str(env.Test)), err
		}),
		fn("hold", func(ctx context.Context, _ *states.Env, _ args) (*states.Result, error) {
			started <- struct{}{}
			select {
			case <-leave:
				return states.Fine("left"), nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}),
	}}
}

type bench struct {
	*moduletest.Bench
	started, leave chan struct{}
}

func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	b := &bench{started: make(chan struct{}, 4), leave: make(chan struct{})}
	reg, err := states.NewRegistry(holding(b.started, b.leave))
	require.NoError(t, err)
	b.Bench = moduletest.New(t, state.Module(state.Deps{States: func() *states.Registry { return reg }, Lock: &release.Lock{}}), match.Module(), grains.Module())
	for name, text := range files {
		require.NoError(t, os.WriteFile(b.Roots+"/"+name, []byte(text), 0o600))
	}
	return b
}

func (b *bench) comments(v any) string {
	b.T.Helper()
	m, ok := v.(*ordered.Map)
	require.True(b.T, ok, "%v", v)
	out := ""
	for _, r := range m.All() {
		res, ok := r.(*ordered.Map)
		require.True(b.T, ok)
		out += pyfmt.Str(res.Value("__id__")) + "=" + pyfmt.Str(res.Value("comment")) + ";"
	}
	return out
}

func tree() map[string]string {
	return map[string]string{
		"top.sls": "base: {'m1': [a], 'os_family:Debian': [{match: grain}, b], 'x*': [c]}",
		"a.sls":   "a: t.nop", "b.sls": "b: {t.nop: [{require: [{t: b2}]}]}\nb2: t.nop", "c.sls": "c: t.nop", "bad.sls": "bad: t.fail", "say.sls": "say: t.say",
		"hold.sls": "hold: t.hold", "broken.sls": "x: [",
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fun     string
		args    modules.Args
		want    string
		retcode int
	}{
		"the top file":      {"state.apply", modules.Args{}, "a=ok;b2=ok;b=ok;", 0},
		"highstate":         {"state.highstate", modules.Args{}, "a=ok;b2=ok;b=ok;", 0},
		"a list by commas":  {"state.sls", modules.Pos("c,a"), "c=ok;a=ok;", 0},
		"a failure":         {"state.apply", modules.Pos("bad"), "bad=no;", 2},
		"pillar on the way": {"state.apply", modules.Pos("say").With("pillar", ordered.Pairs("k", "v")), "say={'k': 'v'} False;", 0},
		"a dry run":         {"state.test", modules.Pos("say"), "say={} True;", 0},
		"test=True":         {"state.apply", modules.Pos("say").With("test", true), "say={} True;", 0},
		"exclude":           {"state.apply", modules.Pos([]any{"a", "c"}).With("exclude", "c"), "a=ok;", 0},
		"one id":            {"state.sls_id", modules.Pos("b", "b"), "b2=ok;b=ok;", 0},
		"one function":      {"state.single", modules.Pos("t.nop").With("name", "n"), "n=ok;", 0},
		"high data":         {"state.high", modules.Pos(ordered.Pairs("h", ordered.Pairs("t", []any{"nop"}))), "h=ok;", 0},
		"a text":            {"state.template_str", modules.Pos("s: {t.fail: []}"), "s=no;", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tree())
			assert.Equal(t, c.want, b.comments(b.Run(c.fun, c.args)))
			assert.Equal(t, c.retcode, b.Job.Retcode())
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, tree())
	for sls, want := range map[string]string{
		"gone":   "No matching sls found for 'gone' in env 'base'",
		"broken": "Rendering SLS 'base:broken' failed: ",
	} {
		out, _ := b.Run("state.apply", modules.Pos(sls)).([]any)
		require.Len(t, out, 1)
		assert.Contains(t, out[0], want)
		assert.Equal(t, 1, b.Job.Retcode())
	}
	b.Secrets.M = ordered.Pairs("_errors", []any{"Specified SLS 'x' in environment 'base' is not available on the salt master"})
	b.Want("['Pillar failed to render with the following messages:', \"Specified SLS 'x' in environment 'base' is not available on the salt master\"]", "state.apply", "a")
	assert.Equal(t, 5, b.Job.Retcode())
	assert.Equal(t, "a=ok;", b.comments(b.Run("state.apply", modules.Pos("a").With("force", true))), "force is there for those who know")
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t, tree())
	b.Job.Fun = "state.apply"
	done := make(chan any, 2)
	go func() {
		v, _ := b.Call(context.Background(), "state.apply", modules.Pos("hold"))
		done <- v
	}()
	<-b.started
	other := *b.Env
	other.Job = &modules.Job{JID: "20310101000000000001", Fun: "state.apply"}
	call := func(a modules.Args) any {
		v, err := other.Call(t.Context(), "state.apply", a)
		require.NoError(t, err)
		return v
	}
	refused, _ := call(modules.Pos("a")).([]any)
	require.Len(t, refused, 1)
	assert.Regexp(t, `^The function "state\.apply" is running as PID \d+ and was started at .* with jid 20310101000000000000$`, refused[0])
	assert.Equal(t, 1, other.Job.Retcode())
	running, err := other.Call(t.Context(), "state.running", modules.Args{})
	require.NoError(t, err)
	assert.Len(t, running, 1)
	assert.Equal(t, "a=ok;", b.comments(call(modules.Pos("a").With("concurrent", true))))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = other.Call(ctx, "state.apply", modules.Pos("a").With("queue", true))
	require.ErrorIs(t, err, context.DeadlineExceeded, "it waits as long as it may")
	go func() {
		v, _ := other.Call(context.Background(), "state.apply", modules.Pos("a").With("queue", true))
		done <- v
	}()
	close(b.leave)
	assert.Equal(t, "hold=left;", b.comments(<-done))
	assert.Equal(t, "a=ok;", b.comments(<-done))
}

func TestShow(t *testing.T) {
	t.Parallel()
	b := newBench(t, tree())
	b.Want("{'base': ['a', 'b']}", "state.show_top")
	b.Want("['a', 'b']", "state.show_states")
	b.Want("{'a': {'__sls__': 'a', '__env__': 'base', 't': ['nop', {'order': 10000}]}}", "state.show_sls", "a")
	b.Want("[{'state': 't', 'name': 'a', '__sls__': 'a', '__env__': 'base', '__id__': 'a', 'order': 10000, 'fun': 'nop'}]", "state.show_low_sls", "a")
	b.Want("True", "state.sls_exists", "a")
	b.Want("False", "state.sls_exists", "gone")
	b.Want("True", "state.id_exists", "b,b2", "b")
	b.Want("False", "state.id_exists", "b,x", "b")
	low, _ := b.Run("state.show_lowstate", modules.Args{}).([]any)
	assert.Len(t, low, 3)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t, tree())
	assert.Equal(t, "say={} True;", b.comments(b.Run("state.request", modules.Pos("say"))))
	m, _ := b.Run("state.check_request", modules.Args{}).(*ordered.Map)
	assert.True(t, m.Has("default"))
	assert.Equal(t, "say={} False;", b.comments(b.Run("state.run_request", modules.Args{})))
	b.Want("{}", "state.check_request")
	b.Want("{}", "state.run_request")
	b.Run("state.request", modules.Pos("a").With("name", "later"))
	b.Want("False", "state.clear_request", "other")
	b.Want("True", "state.clear_request", "later")
}

func TestDisable(t *testing.T) {
	t.Parallel()
	b := newBench(t, tree())
	b.Want("{'res': True, 'msg': 'Info: a state disabled.\\nInfo: highstate state disabled.'}", "state.disable", "a,highstate")
	b.Want("['a', 'highstate']", "state.list_disabled")
	b.Want("['The state file \"a\" is currently disabled, to re-enable, run state.enable a.']", "state.apply", "a")
	b.Want("['The state file \"highstate\" is currently disabled, to re-enable, run state.enable highstate.']", "state.apply")
	b.Want("{'res': True, 'msg': 'Info: a state enabled.'}", "state.enable", "a")
	assert.Equal(t, "a=ok;", b.comments(b.Run("state.apply", modules.Pos("a"))))
}
