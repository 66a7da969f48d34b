package beacons_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/minion/beacons"
	"brine/modules"
)

func data(t *testing.T, text string) any {
	t.Helper()
	v, err := pyyaml.Load([]byte(text), pyyaml.Options{})
	require.NoError(t, err)
	return v
}

func flat(t *testing.T, text string) *ordered.Map {
	t.Helper()
	m, err := beacons.Flatten(data(t, text))
	require.NoError(t, err)
	return m
}

func poll(t *testing.T, b beacons.Beacon, conf *ordered.Map) []*ordered.Map {
	t.Helper()
	require.NoError(t, b.Check(conf))
	out, err := b.Poll(t.Context(), conf)
	require.NoError(t, err)
	return out
}

func TestGauges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, conf string
		keys       []any // nil: nothing is fired
	}{
		{"load", "[{averages: {1m: [-2, -1]}}]", []any{"1m", "5m", "15m"}},
		{"load", "[{averages: {1m: [0, 100000]}}]", nil},
		{"load", "[{averages: {1m: [-2, -1]}}, {emitatstartup: false}]", nil},
		{"memusage", "[{percent: 0.1%}]", []any{"memusage"}},
		{"memusage", "[{percent: 101}]", nil},
		{"diskusage", "[{/: 0%}, {interval: 5}]", []any{"diskusage", "mount"}},
		{"diskusage", "[{/: 101%}]", nil},
		{"network_info", "[{interfaces: {lo: {type: greater, bytes_sent: -1}}}]", []any{"interface", "network_info"}},
		{"network_info", "[{interfaces: {none0: {type: greater, bytes_sent: -1}}}]", nil},
		{"ps", "[{processes: {no-such-program: stopped, other: running}}]", []any{"no-such-program"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := poll(t, beacons.Builtin()[c.name](beacons.Deps{}), flat(t, c.conf))
			if c.keys == nil {
				assert.Empty(t, out)
				return
			}
			require.Len(t, out, 1)
			assert.Equal(t, c.keys, out[0].Keys())
		})
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	m := beacons.New(beacons.Options{Deps: beacons.Deps{Log: zap.NewNop()}})
	for name, conf := range map[string]string{
		"load": "[{averages: {2m: [0, 1]}}]", "memusage": "[]", "diskusage": "[{/: much}]", "network_info": "[{interfaces: {eth0: {}}}]", "service": "[]", "ps": "[]",
		"inotify": "[]", "log": "[{file: /x}, {tags: {a: {}}}]", "journald": "[]", "status": "text",
	} {
		require.Error(t, m.Check(name, data(t, conf)), name)
	}
	require.ErrorIs(t, m.Check("nix", nil), beacons.ErrUnavailable)
	require.NoError(t, m.Check("mine", data(t, "[{beacon_module: ps}, {processes: {x: running}}]")))
	assert.Len(t, m.Available(), 10)
}

func TestService(t *testing.T) {
	t.Parallel()
	up := true
	b := beacons.Builtin()["service"](beacons.Deps{Call: func(context.Context, string, modules.Args) (any, error) { return up, nil }})
	conf := flat(t, "[{services: {web: {onchangeonly: true, uncleanshutdown: /nowhere/pid}}}]")
	assert.Equal(t, "[{'service_name': 'web', 'tag': 'web', 'web': {'running': True}}]", pyfmt.Repr(ordered.Of(poll(t, b, conf))))
	assert.Empty(t, poll(t, b, conf))
	up = false
	assert.Equal(t, "[{'service_name': 'web', 'tag': 'web', 'web': {'running': False, 'shutdown': True}}]", pyfmt.Repr(ordered.Of(poll(t, b, conf))))
}

func TestStatus(t *testing.T) {
	t.Parallel()
	b := beacons.Builtin()["status"](beacons.Deps{Call: func(_ context.Context, fun string, _ modules.Args) (any, error) {
		return ordered.Pairs("fun", fun, "b", 2), nil
	}})
	out := poll(t, b, flat(t, "[{loadavg: [fun]}, {time: [all]}, {interval: 3}]"))
	assert.Equal(t, "{'loadavg': {'fun': 'status.loadavg'}, 'time': {'fun': 'status.time', 'b': 2}}", pyfmt.Repr(out[0].Map("data")))
	assert.Equal(t, 5, poll(t, b, flat(t, "[]"))[0].Map("data").Len())
}

func TestLogFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	write := func(text string, mode int) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|mode, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	write("error: old\n", os.O_APPEND)
	b := beacons.Builtin()["log"](beacons.Deps{})
	conf := flat(t, "[{file: "+path+"}, {tags: {bad: {regex: 'error: (.*)'}}}]")
	assert.Empty(t, poll(t, b, conf))
	write("fine\nerror: new\nerror: half", os.O_APPEND)
	assert.Equal(t, "[{'tag': 'bad', 'match': 'yes', 'raw': 'error: new', 'error': ''}]", pyfmt.Repr(ordered.Of(poll(t, b, conf))))
	write(" done\n", os.O_APPEND)
	assert.Len(t, poll(t, b, conf), 1)
	write("error: a\n", os.O_TRUNC)
	assert.Len(t, poll(t, b, conf), 1)
}

func TestInotify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(dir+"/sub", 0o700))
	b := beacons.Builtin()["inotify"](beacons.Deps{Log: zap.NewNop()})
	defer b.(interface{ Close() }).Close()
	conf := flat(t, "[{files: {"+dir+": {mask: [create, delete], recurse: true, exclude: ['\\.swp$']}}}]")
	assert.Empty(t, poll(t, b, conf))
	for _, name := range []string{"/a", "/sub/b", "/x.swp"} {
		require.NoError(t, os.WriteFile(dir+name, []byte("x"), 0o600))
	}
	require.NoError(t, os.Remove(dir+"/a"))
	var got []string
	require.Eventually(t, func() bool {
		for _, e := range poll(t, b, conf) {
			got = append(got, e.String("change")+" "+strings.TrimPrefix(e.String("path"), dir))
			assert.Equal(t, dir, e.String("tag"))
		}
		return len(got) >= 3
	}, 10*time.Second, 5*time.Millisecond)
	slices.Sort(got)
	assert.Equal(t, []string{"IN_CREATE /a", "IN_CREATE /sub/b", "IN_DELETE /a"}, got)
}

// journal answers journalctl.
type journal struct {
	host.Runner
	argv   []string
	answer string
}

func (j *journal) Run(_ context.Context, c host.Cmd) (host.Result, error) {
	j.argv = c.Argv
	return host.Result{Stdout: []byte(j.answer)}, nil
}

func TestJournald(t *testing.T) {
	t.Parallel()
	j := &journal{answer: `{"__CURSOR":"c1","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"old"}` + "\n"}
	b := beacons.Builtin()["journald"](beacons.Deps{Host: j})
	conf := flat(t, "[{services: {ssh: {SYSLOG_IDENTIFIER: sshd, PRIORITY: 6}}}]")
	assert.Empty(t, poll(t, b, conf))
	j.answer = `{"__CURSOR":"c2","SYSLOG_IDENTIFIER":"sshd","PRIORITY":"6","MESSAGE":"in"}` + "\n" + `{"__CURSOR":"c3","SYSLOG_IDENTIFIER":"cron","PRIORITY":"6"}` + "\n{bro"
	out := poll(t, b, conf)
	require.Len(t, out, 1)
	assert.Equal(t, "in ssh", out[0].String("MESSAGE")+" "+out[0].String("tag"))
	poll(t, b, conf)
	assert.Contains(t, j.argv, "--after-cursor=c3")
}

// ticker fires at every look.
type ticker struct{}

func (ticker) Check(*ordered.Map) error { return nil }
func (ticker) Poll(context.Context, *ordered.Map) ([]*ordered.Map, error) {
	return []*ordered.Map{ordered.Pairs("tag", "tock", "n", 1)}, nil
}

func TestManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		busy := false
		m := beacons.New(beacons.Options{
			Deps: beacons.Deps{Log: zap.NewNop()}, ID: "m1", Config: ordered.Pairs("tick", data(t, "[{interval: 10}, {disable_during_state_run: true}]"), "nix", []any{}),
			Busy: func() bool { mu.Lock(); defer mu.Unlock(); return busy },
			Custom: func(name string) (beacons.Factory, bool) {
				return func(beacons.Deps) beacons.Beacon { return ticker{} }, name == "tick"
			},
			Send: func(_ context.Context, tag string, d *ordered.Map) error {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, tag+" "+pyfmt.Repr(d))
				return nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		take := func(d time.Duration) int {
			time.Sleep(d)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			n := len(got)
			if n > 0 {
				assert.Equal(t, "salt/beacon/m1/tick/tock {'n': 1, 'id': 'm1'}", got[0])
			}
			got = nil
			return n
		}
		assert.Equal(t, 3, take(25*time.Second))
		mu.Lock()
		busy = true
		mu.Unlock()
		assert.Zero(t, take(time.Minute))
		mu.Lock()
		busy = false
		mu.Unlock()
		m.Set("tick", data(t, "[{interval: 1}]"))
		assert.Equal(t, 10, take(9500*time.Millisecond))
		m.Set("enabled", false)
		assert.Zero(t, take(time.Minute))
		m.Replace(nil)
		m.SetPillar(ordered.Pairs("tick", data(t, "[{interval: 30}]")))
		assert.Equal(t, 2, take(45*time.Second))
		assert.Equal(t, []any{"tick"}, m.List(true, true).Keys())
		assert.Zero(t, m.List(true, false).Len())
		cancel()
		<-done
	})
}
