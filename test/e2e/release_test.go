package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/master"
	"brine/test/testbed"
)

// fleet starts devices that sleep by simulation, with the tree of examples/fleet.
func fleet(t *testing.T, ids ...string) *testbed.Bed {
	t.Helper()
	srv := t.TempDir()
	require.NoError(t, os.CopyFS(srv, os.DirFS("../../examples/fleet")))
	return testbed.New(t, testbed.Options{Minions: ids,
		Master: ordered.Pairs("file_roots", ordered.Pairs("base", []any{srv + "/salt"}), "pillar_roots", ordered.Pairs("base", []any{srv + "/pillar"})),
		Minion: ordered.Pairs("power_backend", "simulator", "startup_states", "sls", "sls_list", []any{"startup"}, "power_deadline", 60, "update_release_attempts_limit", 3)})
}

func roots(t *testing.T, b *testbed.Bed, kind string) string {
	t.Helper()
	src, err := os.ReadFile(b.Dir + "/master/master")
	require.NoError(t, err)
	v, err := ordered.FromJSON(src)
	require.NoError(t, err)
	return v.(*ordered.Map).Map(kind).List("base")[0].(string)
}

func runner(t *testing.T, b *testbed.Bed, fun string, kv ...any) any {
	t.Helper()
	v, err := b.Runner(fun, kv...)
	require.NoError(t, err, fun)
	return v
}

// ask runs a function on minions and waits for all answers.
func ask(t *testing.T, b *testbed.Bed, tgt, fun string, arg ...any) *ordered.Map {
	t.Helper()
	frames, err := b.Local(t.Context(), master.LocalRequest{Tgt: tgt, TgtType: "glob", Fun: fun, Arg: arg, Timeout: 60})
	require.NoError(t, err)
	out := ordered.New(0)
	for _, f := range frames {
		if f.Return != nil {
			v, err := f.Return.Value()
			require.NoError(t, err)
			out.Set(f.Return.ID, v)
		}
	}
	return out
}

func kwargs(kv ...any) *ordered.Map {
	m := ordered.Pairs(kv...)
	m.Set("__kwarg__", true)
	return m
}

// idle waits until a minion runs nothing: the start-up states are over.
func idle(t *testing.T, b *testbed.Bed, id string) {
	t.Helper()
	b.Eventually(60*time.Second, id+" is idle", func() bool {
		list, ok := ask(t, b, id, "saltutil.running").Value(id).([]any)
		return ok && len(list) == 0
	})
}

// releaseEvents lists the release events of a minion as the master stored them: "pending 1".
func releaseEvents(t *testing.T, b *testbed.Bed, id string) []string {
	t.Helper()
	var out []string
	for _, r := range runner(t, b, "release.runs", "minion", id, "limit", 100).([]any) {
		m := r.(*ordered.Map)
		out = append(out, fmt.Sprintf("%v %v %v", m.Value("start"), m.Value("state"), m.Value("attempts")))
	}
	return out
}

// TestFleetUpdatesItself queues a release for a whole fleet, lets it sleep and wake, and breaks it on some: those try again
// at each wake until the limit; the others have it.
func TestFleetUpdatesItself(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 8 {
		ids = append(ids, fmt.Sprintf("car%d", i))
	}
	b := fleet(t, ids...)
	pillar := roots(t, b, "pillar_roots")
	require.NoError(t, os.WriteFile(pillar+"/device.sls", []byte("state: REGISTERED\nbreak: {{ grains.id in ('car0', 'car1') }}\n"), 0o600))
	runner(t, b, "release.create", "version", "1.0")
	runner(t, b, "release.queue", "tgt", "*", "release", "1.0")
	sleep := func() {
		ask(t, b, "*", "power.sleep", kwargs("interval", int64(2), "delay", int64(0), "confirm", true))
		b.Eventually(30*time.Second, "all are asleep", func() bool { return len(runner(t, b, "manage.present").([]any)) == 0 })
		b.WaitOnline(ids...)
	}
	sleep()
	for _, id := range ids[2:] {
		assert.Equal(t, []string{"pending updated 1"}, releaseEvents(t, b, id), id)
	}
	for _, id := range ids[:2] { // it failed before the sleep, and again after the wake
		b.Eventually(30*time.Second, id+" has tried again", func() bool { return len(releaseEvents(t, b, id)) == 2 })
		assert.Equal(t, []string{"retrying failed 2", "pending failed 1"}, releaseEvents(t, b, id), id)
	}
	sleep() // the third attempt, then no more
	for _, id := range ids[:2] {
		b.Eventually(30*time.Second, id+" has given up", func() bool {
			d := runner(t, b, "release.devices", "tgt", id).(*ordered.Map).Map(id)
			return d.Map("last").Value("state") == "suspended"
		})
		assert.Equal(t, []string{"retrying failed 3", "retrying failed 2", "pending failed 1"}, releaseEvents(t, b, id), id)
	}
	require.NoError(t, os.WriteFile(pillar+"/device.sls", []byte("state: REGISTERED\n"), 0o600))
	runner(t, b, "release.create", "version", "1.1") // the fix is a release of its own
	runner(t, b, "release.assign", "release", "1.1", "tgt", "car0")
	got := ask(t, b, "car0", "minionutil.update_release", kwargs("force", true)).Map("car0")
	assert.Equal(t, "updated", got.Map("release").Map("new").Value("state"), "%v", got)
	assert.Equal(t, true, ask(t, b, "car0", "test.ping").Value("car0"))
}

// TestKillInUpdate kills a device at random moments of an update: each run has one terminal event, what was cut off is
// counted, and in the end the release is there.
func TestKillInUpdate(t *testing.T) {
	t.Parallel()
	b := fleet(t, "car")
	salt := roots(t, b, "file_roots")
	mark := filepath.Join(b.Dir, "mark")
	require.NoError(t, os.WriteFile(salt+"/app.sls", []byte(fmt.Sprintf(`
{%% for i in range(8) %%}
step{{ i }}:
  cmd.run:
    - name: sleep 0.05; echo step >> %s
{%% endfor %%}
`, mark)), 0o600))
	runner(t, b, "release.create", "version", "1.0")
	runner(t, b, "release.assign", "release", "1.0", "tgt", "car")
	for range 6 {
		publish(t, b, "minionutil.update_release", kwargs("force", true))
		time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond)
		b.Minions["car"].Kill()
		b.Minions["car"].Start()
		b.WaitOnline("car")
	}
	idle(t, b, "car")
	got := ask(t, b, "car", "minionutil.update_release", kwargs("force", true)).Map("car")
	assert.Equal(t, "updated", got.Map("release").Map("new").Value("state"), "%v", got)
	seen := map[any]bool{}
	for _, r := range runner(t, b, "release.runs", "minion", "car", "limit", 100).([]any) {
		m := r.(*ordered.Map)
		assert.False(t, seen[m.Value("run")], "two reports of a run")
		seen[m.Value("run")] = true
		assert.Contains(t, []any{"updated", "failed"}, m.Value("state"))
	}
	grain := ask(t, b, "car", "grains.get", "release").Map("car")
	assert.Equal(t, "updated", grain.Value("state"))
}

// TestRefusedReleases: one signed by another key, tampered content.
func TestRefusedReleases(t *testing.T) {
	t.Parallel()
	b := fleet(t, "car")
	runner(t, b, "release.create", "version", "1.0")
	runner(t, b, "release.assign", "release", "1.0", "tgt", "car")
	idle(t, b, "car")
	require.Equal(t, "updated", ask(t, b, "car", "minionutil.update_release").Map("car").Map("release").Map("new").Value("state"))

	id := runner(t, b, "release.create", "version", "1.1").(*ordered.Map).String("id")
	pinned := b.Dir + "/master/state/releases/@" + id + "/files/app.sls"
	require.NoError(t, os.Chmod(pinned, 0o644))
	require.NoError(t, os.WriteFile(pinned, []byte("evil:\n  test.nop: []\n"), 0o600))
	runner(t, b, "release.assign", "release", "1.1", "tgt", "car")
	got := ask(t, b, "car", "minionutil.update_release").Map("car")
	assert.Contains(t, fmt.Sprint(got.Value("error")), "not what was signed", "%v", pyfmt.Repr(got))

	require.NoError(t, os.Remove(b.Dir+"/master/pki/release.pem"))
	b.Master.Kill()
	b.Master.Start()
	b.WaitOnline("car")
	idle(t, b, "car")
	runner(t, b, "release.create", "version", "1.2")
	runner(t, b, "release.assign", "release", "1.2", "tgt", "car")
	got = ask(t, b, "car", "minionutil.update_release").Map("car")
	assert.Contains(t, fmt.Sprint(got.Value("error")), "does not trust", "%v", pyfmt.Repr(got))
}

// TestRunningShapes: what saltutil.running shows of a device that starts, and of one that goes to sleep.
func TestRunningShapes(t *testing.T) {
	t.Parallel()
	b := fleet(t, "car")
	salt := roots(t, b, "file_roots")
	idle(t, b, "car")
	hold := b.Dir + "/hold"
	require.NoError(t, os.WriteFile(hold, nil, 0o600))
	wait := fmt.Sprintf("wait:\n  cmd.run:\n    - name: while test -e %s; do sleep 0.05; done\n", hold)
	require.NoError(t, os.WriteFile(salt+"/startup.sls", []byte(wait), 0o600))
	require.NoError(t, os.WriteFile(salt+"/shutdown.sls", []byte(wait), 0o600))
	b.Minions["car"].Kill()
	b.Minions["car"].Start()
	b.WaitOnline("car")
	var list []any
	b.Eventually(20*time.Second, "the start-up states run", func() bool {
		list, _ = ask(t, b, "car", "saltutil.running").Value("car").([]any)
		return len(list) == 1
	})
	rec := list[0].(*ordered.Map)
	rec.Set("pid", int64(1))
	assert.True(t, ordered.Equal(rec, ordered.Pairs("fun", "state.sls", "jid", "req", "pid", int64(1), "ret", "", "arg", []any{[]any{"startup"}})), pyfmt.Repr(rec))

	require.NoError(t, os.Remove(hold))
	idle(t, b, "car")
	require.NoError(t, os.WriteFile(hold, nil, 0o600))
	jid := publish(t, b, "power.sleep", kwargs("interval", int64(1), "delay", int64(0), "confirm", true))
	b.Eventually(20*time.Second, "the shutdown states run", func() bool {
		list, _ = ask(t, b, "car", "saltutil.running").Value("car").([]any)
		return len(list) == 2
	})
	var sleep, shutdown *ordered.Map
	for _, v := range list {
		m := v.(*ordered.Map)
		m.Set("pid", int64(1))
		if m.Value("fun") == "power.sleep" {
			sleep = m
		} else {
			shutdown = m
		}
	}
	require.NotNil(t, sleep)
	require.NotNil(t, shutdown)
	assert.Equal(t, jid, sleep.Value("jid"))
	assert.Equal(t, []any{"tgt_type", "jid", "tgt", "pid", "ret", "user", "arg", "fun"}, sleep.Keys())
	assert.Equal(t, []any{"jid", "pid", "_stamp", "ret", "arg", "fun"}, shutdown.Keys())
	assert.Equal(t, "event_result", shutdown.Value("ret"))
	assert.True(t, ordered.Equal(shutdown.List("arg"), []any{"shutdown", ordered.Pairs("pillar", ordered.Pairs("allow_auto_update", true), "__kwarg__", true)}), pyfmt.Repr(shutdown))
	require.NoError(t, os.Remove(hold))
	settled(t, b, jid, 1)
}
