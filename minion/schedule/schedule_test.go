package schedule_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/internal/config"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/minion/schedule"
)

// rig runs a scheduler in virtual time. The bubble's clock begins on Saturday, 1 January 2000, midnight UTC.
type rig struct {
	*schedule.Scheduler
	begin time.Time

	mu     sync.Mutex
	offset time.Duration // of the wall clock
	runs   []string      // seconds since the start, and what ran
	length time.Duration // of a run
	path   string
}

func start(t *testing.T, text string) *rig {
	t.Helper()
	r := &rig{begin: time.Now(), path: filepath.Join(t.TempDir(), "minion.d", "_schedule.conf")}
	v, err := pyyaml.Load([]byte(text), pyyaml.Options{})
	require.NoError(t, err)
	m, _ := v.(*ordered.Map)
	r.Scheduler = schedule.New(schedule.Options{
		Config: m, Path: r.path, Log: zap.NewNop(), Elapsed: func() time.Duration { return time.Since(r.begin) },
		Wall: func() time.Time {
			r.mu.Lock()
			defer r.mu.Unlock()
			return time.Now().UTC().Add(r.offset)
		},
		Lookup: func(name string) string { return map[string]string{"tea time": "00:30"}[name] },
		Run: func(_ context.Context, c schedule.Call) {
			r.mu.Lock()
			r.runs = append(r.runs, time.Since(r.begin).Round(time.Second).String()+" "+c.Name)
			length := r.length
			r.mu.Unlock()
			time.Sleep(length)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func (r *rig) after(d time.Duration) []string {
	time.Sleep(d + time.Millisecond)
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.runs
	r.runs = nil
	return out
}

func (r *rig) setClock(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offset += by
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name, entry string
		wait        time.Duration
		want        []string
	}{
		{"seconds", "{function: f, seconds: 20}", time.Minute, []string{"20s j", "40s j", "1m0s j"}},
		{"sum of units", "{function: f, minutes: 1, seconds: 30}", 3 * time.Minute, []string{"1m30s j", "3m0s j"}},
		{"on start", "{function: f, hours: 1, run_on_start: true}", time.Hour, []string{"0s j", "1h0m0s j"}},
		{"cron", "{function: f, cron: '*/15 * * * *'}", 40 * time.Minute, []string{"15m0s j", "30m0s j"}},
		{"when", "{function: f, when: '00:10'}", 25 * time.Hour, []string{"10m0s j", "24h10m0s j"}},
		{"when several", "{function: f, when: ['12:05am', 'Sunday 1:00am', '01/01/2000 00:20', 'tea time']}", 26 * time.Hour,
			[]string{"5m0s j", "20m0s j", "30m0s j", "24h5m0s j", "24h30m0s j", "25h0m0s j"}},
		{"once", "{function: f, once: '2000-01-01T00:07:00'}", 25 * time.Hour, []string{"7m0s j"}},
		{"once with a form", "{function: f, once: '01.01.2000 00:08', once_fmt: '%d.%m.%Y %H:%M'}", time.Hour, []string{"8m0s j"}},
		{"once past", "{function: f, once: '1999-01-01T00:07:00'}", time.Hour, nil},
		{"disabled", "{function: f, seconds: 5, enabled: false}", time.Minute, nil},
		{"range", "{function: f, minutes: 10, range: {start: '00:15', end: '00:35'}}", time.Hour, []string{"20m0s j", "30m0s j"}},
		{"range inverted", "{function: f, minutes: 20, range: {start: '00:15', end: '00:35', invert: true}}", time.Hour, []string{"40m0s j", "1h0m0s j"}},
		{"skip", "{function: f, minutes: 10, skip_during_range: {start: '00:15', end: '00:35'}, run_after_skip_range: true}", 50 * time.Minute,
			[]string{"10m0s j", "35m1s j", "40m0s j", "50m0s j"}},
		{"after", "{function: f, minutes: 10, after: '2000-01-01T00:15:00', until: '2000-01-01T00:35:00'}", time.Hour, []string{"20m0s j", "30m0s j"}},
		{"splay", "{function: f, minutes: 10, splay: {start: 30, end: 30}}", 21 * time.Minute, []string{"10m30s j", "20m30s j"}},
		{"no function", "{seconds: 5}", time.Minute, nil},
		{"two kinds", "{function: f, seconds: 5, cron: '* * * * *'}", time.Minute, nil},
		{"bad cron", "{function: f, cron: 'x'}", time.Minute, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, "j: "+c.entry)
				assert.Equal(t, c.want, r.after(c.wait))
			})
		})
	}
}

func TestMaxRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "{one: {function: f, seconds: 10}, two: {function: f, seconds: 10, maxrunning: 2}}")
		r.mu.Lock()
		r.length = 25 * time.Second
		r.mu.Unlock()
		assert.ElementsMatch(t, []string{"10s one", "10s two", "20s two", "40s one", "40s two", "50s two"}, r.after(59*time.Second))
	})
}

func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "{i: {function: f, minutes: 10}, c: {function: f, cron: '30 * * * *'}}")
		assert.Equal(t, []string{"10m0s i"}, r.after(15*time.Minute))
		r.setClock(-24 * time.Hour) // neither starves
		assert.Equal(t, []string{"20m0s i", "30m0s c", "30m0s i"}, sorted(r.after(20*time.Minute)))
		r.setClock(365 * 24 * time.Hour) // nor does anything run at once
		assert.Empty(t, r.after(3*time.Minute))
		assert.Equal(t, []string{"40m0s i"}, r.after(5*time.Minute))
		assert.Equal(t, []string{"1h0m0s i", "1h10m0s i", "1h20m0s i", "1h30m0s c", "1h30m0s i", "50m0s i"}, sorted(r.after(55*time.Minute)))
	})
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

func TestInhibit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "{i: {function: f, minutes: 1}, c: {function: f, cron: '*/5 * * * *'}}")
		one, two := r.Inhibit(), r.Inhibit()
		assert.Empty(t, r.after(30*time.Minute))
		one()
		one()
		assert.Empty(t, r.after(time.Minute))
		two()
		assert.Equal(t, []string{"31m0s c", "31m0s i"}, sorted(r.after(10*time.Second))) // what is overdue runs once
	})
}

func TestChangesSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "{a: {function: f, minutes: 1}}")
		require.NoError(t, r.Put("b", ordered.Pairs("function", "g", "seconds", 30), true))
		require.NoError(t, r.Put("timer", ordered.Pairs("function", "power.sleep", "seconds", 30, "metadata", ordered.Pairs("transient", true)), true))
		r.SetPillar(ordered.Pairs("p", ordered.Pairs("function", "h", "seconds", 40)))
		require.NoError(t, r.SetEnabled("a", false, true))
		require.NoError(t, r.Remove("nix", true))
		assert.ElementsMatch(t, []string{"30s b", "30s timer", "40s p", "1m0s b", "1m0s timer"}, r.after(time.Minute))
		next, ok := r.NextFire("p")
		assert.True(t, ok)
		assert.Equal(t, "00:01:20", next.Format(time.TimeOnly))

		var o struct {
			Schedule *ordered.Map `opt:"schedule"`
		}
		_, err := config.Schema{}.Load(filepath.Join(filepath.Dir(filepath.Dir(r.path)), "minion"), &o)
		require.NoError(t, err)
		assert.Equal(t, "{'a': {'enabled': False, 'function': 'f', 'minutes': 1}, 'b': {'function': 'g', 'seconds': 30}}", pyfmt.Repr(o.Schedule))
		require.NoError(t, r.SetEnabled("", false, true))
		assert.Empty(t, r.after(time.Hour))
		r.Reload(o.Schedule)
		assert.Equal(t, "{'a': {'enabled': False, 'function': 'f', 'minutes': 1}, 'b': {'function': 'g', 'seconds': 30}}", pyfmt.Repr(r.List("opts")))
		assert.Equal(t, "{'p': {'function': 'h', 'seconds': 40}}", pyfmt.Repr(r.List("pillar")))
	})
}

func TestRunNowSkipAndPostpone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, "{c: {function: f, cron: '*/10 * * * *'}}")
		require.NoError(t, r.RunNow("c"))
		require.ErrorIs(t, r.RunNow("x"), schedule.ErrUnknown)
		at := func(text string) time.Time {
			v, err := time.Parse("2006-01-02T15:04:05", "2000-01-01T"+text)
			require.NoError(t, err)
			return v
		}
		require.NoError(t, r.Skip("c", at("00:10:00"), time.Time{}))
		require.NoError(t, r.Skip("c", at("00:30:00"), at("00:33:00")))
		assert.Equal(t, []string{"0s c", "20m0s c", "33m0s c", "40m0s c"}, r.after(45*time.Minute))
		assert.Equal(t, "2000-01-01T00:50:00", r.Status("c").String("_next_fire_time"))
		assert.Equal(t, "2000-01-01T00:40:00", r.Status("c").String("_last_run"))
	})
}

func FuzzEntries(f *testing.F) {
	for _, s := range []string{"{function: f, when: 'May 4 2031 3pm'}", "{function: f, splay: -1}", "{function: f, range: 5, seconds: 1e300}", "{function: f, when: [24:61, '0']}", "{function: f, cron: '@daily'}"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		v, err := pyyaml.Load([]byte(text), pyyaml.Options{})
		if m, ok := v.(*ordered.Map); err == nil && ok {
			s := schedule.New(schedule.Options{Config: ordered.Pairs("j", m), Log: zap.NewNop()})
			s.NextFire("j")
		}
	})
}
