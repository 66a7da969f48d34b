package release

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"brine/internal/ordered"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDecide(t *testing.T) {
	t.Parallel()
	const a, b = "A", "B"
	rec := func(id string, s State, n int) Record { return Record{ID: id, State: s, Attempts: n} }
	for name, c := range map[string]struct {
		rec     Record
		target  string
		o       Options
		state   State
		attempt int
		run     bool
		tell    bool
	}{
		"fresh device":              {Record{}, b, Options{Limit: 5}, Pending, 1, true, false},
		"up to date":                {rec(b, Updated, 0), b, Options{Limit: 5}, Updated, 0, false, false},
		"up to date, forced":        {rec(b, Updated, 0), b, Options{Limit: 5, Force: true}, Forcing, 1, true, false},
		"up to date, demanded":      {rec(b, Updated, 0), b, Options{Limit: 5, Demand: true}, Forcing, 1, true, false},
		"a new release":             {rec(a, Updated, 0), b, Options{Limit: 5}, Pending, 1, true, false},
		"wake with a new release":   {rec(a, Updated, 0), b, Options{Limit: 5, OnlyRetry: true}, Pending, 0, false, false},
		"wake after a failure":      {rec(b, Failed, 2), b, Options{Limit: 5, OnlyRetry: true}, Retrying, 3, true, false},
		"the limit":                 {rec(b, Failed, 5), b, Options{Limit: 5}, Suspended, 5, false, true},
		"the limit, forced":         {rec(b, Failed, 5), b, Options{Limit: 5, Force: true}, Retrying, 6, true, false},
		"the limit, reset":          {rec(b, Failed, 5), b, Options{Limit: 5, ResetAttempts: true}, Retrying, 1, true, false},
		"failed, then a newer one":  {rec(b, Failed, 4), "C", Options{Limit: 5, OnlyRetry: true}, Retrying, 1, true, false},
		"limit 0 on a healthy one":  {rec(b, Updated, 0), b, Options{Limit: 0}, Updated, 0, false, false},
		"dry run":                   {rec(a, Updated, 0), b, Options{Limit: 5, DryRun: true}, Pending, 0, false, false},
		"demand at the limit":       {rec(b, Failed, 5), b, Options{Limit: 5, Demand: true}, Suspended, 5, false, true},
		"default limit":             {rec(b, Failed, 5), b, Options{Limit: -1}, Suspended, 5, false, true},
		"a run that was cut off":    {rec(b, Pending, 0), b, Options{Limit: 5, OnlyRetry: true}, Retrying, 1, true, false},
		"force on a failed release": {rec(b, Failed, 1), b, Options{Limit: 5, Force: true}, Retrying, 2, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Decide(c.rec, Target{ID: c.target}, c.o)
			assert.Equal(t, c.state, d.State)
			assert.Equal(t, c.attempt, d.Attempt)
			assert.Equal(t, c.run, d.Run)
			assert.Equal(t, c.tell, d.Tell)
		})
	}
}

// TestDecideNeverRunsAtTheLimit holds for every record: without force, nothing runs when the limit is reached.
func TestDecideNeverRunsAtTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state := rapid.SampledFrom([]State{None, Pending, Forcing, Retrying, Updated, Failed})
		r := Record{ID: rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "id"), State: state.Draw(t, "state"), Attempts: rapid.IntRange(0, 9).Draw(t, "attempts")}
		o := Options{Force: rapid.Bool().Draw(t, "force"), Demand: rapid.Bool().Draw(t, "demand"), OnlyRetry: rapid.Bool().Draw(t, "retry"), Limit: rapid.IntRange(0, 9).Draw(t, "limit")}
		d := Decide(r, Target{ID: "B"}, o)
		if d.Run && !o.Force {
			assert.LessOrEqual(t, d.Attempt, o.Limit)
		}
		assert.False(t, d.Run && d.Tell)
	})
}

func TestJournalKeepsWholeSteps(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "release.json")
	j, err := OpenJournal(path)
	require.NoError(t, err)
	require.NoError(t, j.Change(func(f *File) {
		f.Record = Record{ID: "A", State: Pending}
		f.Attempt = &Attempt{Run: "r1", Number: 1, Started: time.Unix(1, 0).UTC(), Phase: Apply}
	}))
	j.Get().Attempt.Run = "changed from outside"
	again, err := OpenJournal(path)
	require.NoError(t, err)
	assert.Equal(t, j.Get(), again.Get())
	assert.Equal(t, "r1", again.Get().Attempt.Run)

	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, err = OpenJournal(path)
	require.ErrorContains(t, err, "is damaged")
}

func TestLockNestsAndRefuses(t *testing.T) {
	t.Parallel()
	var l Lock
	outer, release, err := l.Try(t.Context(), Holder{Fun: "power.sleep", JID: "1"})
	require.NoError(t, err)
	_, inner, err := l.Try(outer, Holder{Fun: "state.sls", JID: "2"})
	require.NoError(t, err, "work inside one's own")
	var busy *BusyError
	_, _, err = l.Try(t.Context(), Holder{Fun: "state.apply", JID: "3"})
	require.ErrorAs(t, err, &busy)
	assert.Equal(t, "power.sleep", busy.Fun)
	inner()
	_, held := l.Held()
	assert.True(t, held)
	release()
	release() // letting go twice is no harm
	_, held = l.Held()
	assert.False(t, held)
	require.NoError(t, context.Cause(t.Context()))
	_, release, err = l.Try(outer, Holder{Fun: "late", JID: "4"}) // a context whose holder has gone is like any other
	require.NoError(t, err)
	release()
}

func TestPowerCutsOffAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Lock
		work, release, err := l.Try(t.Context(), Holder{Fun: "minionutil.update_release", JID: "1"})
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() {
			<-work.Done()
			time.Sleep(2 * time.Second) // it cleans up
			ended <- context.Cause(work)
			release()
		}()
		begin := time.Now()
		_, mine, err := l.Insist(t.Context(), Holder{Fun: "power.sleep", JID: "2"}, time.Minute)
		require.NoError(t, err)
		assert.Equal(t, time.Minute+2*time.Second, time.Since(begin))
		require.ErrorIs(t, <-ended, ErrCutOff)
		mine()
	})
}

func TestPowerWaitsForWhoIsDoneInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Lock
		work, release, err := l.Try(t.Context(), Holder{Fun: "state.apply", JID: "1"})
		require.NoError(t, err)
		go func() { time.Sleep(10 * time.Second); release() }()
		_, mine, err := l.Insist(t.Context(), Holder{Fun: "power.sleep", JID: "2"}, time.Minute)
		require.NoError(t, err)
		assert.False(t, errors.Is(context.Cause(work), ErrCutOff))
		mine()
	})
}

func manifest() *Manifest {
	sum := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	return &Manifest{Version: "1.2", Saltenv: "base", Sequence: 7, Created: 1, Files: []Entry{{Path: "top.sls", SHA256: sum}, {Path: "a/init.sls", SHA256: sum, Size: 3}}, Pillar: []Entry{}}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	public, _ := key.Public().(ed25519.PublicKey)
	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s, id, err := Seal(manifest(), key)
	require.NoError(t, err)
	assert.Len(t, id, 40)
	m, err := s.Open(id, public, 7)
	require.NoError(t, err)
	e, ok := m.File("a/init.sls")
	assert.True(t, ok)
	assert.Equal(t, int64(3), e.Size)
	_, err = s.Open(id, nil, 0)
	require.NoError(t, err, "without a key the one that is sent counts")

	_, err = s.Open(id, other, 0)
	require.ErrorIs(t, err, ErrForeign)
	_, err = s.Open(id, public, 8)
	require.ErrorIs(t, err, ErrOlder)
	_, err = s.Open("0123", public, 0)
	require.ErrorIs(t, err, ErrTampered)
	bad := *s
	bad.Manifest = append([]byte(nil), s.Manifest...)
	bad.Manifest[len(bad.Manifest)-3] ^= 1
	_, err = bad.Open(ID(bad.Manifest), public, 0)
	require.ErrorIs(t, err, ErrTampered)

	for _, p := range []string{"../x", "/etc/passwd", "a/../../b", "", "a//b"} {
		m := manifest()
		m.Files[0].Path = p
		_, _, err = Seal(m, key)
		require.Error(t, err, p)
	}
}

func FuzzOpen(f *testing.F) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"version":"1","saltenv":"base","files":[],"pillar":[]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		s := &Signed{Manifest: src, Signature: ed25519.Sign(key, append([]byte(signPurpose), src...)), Public: key.Public().(ed25519.PublicKey)}
		m, err := s.Open(ID(src), nil, 0)
		if err == nil {
			require.NoError(t, m.check())
		}
	})
}

func TestCount(t *testing.T) {
	t.Parallel()
	result := func(ok any, changes *ordered.Map) *ordered.Map {
		return ordered.Pairs("result", ok, "changes", changes, "__id__", "x")
	}
	o, ok := Count(ordered.Pairs("a", result(true, ordered.New(0)), "b", result(true, ordered.Pairs("x", 1)), "c", result(false, ordered.Pairs("y", 1)), "d", result(nil, ordered.New(0))))
	assert.True(t, ok)
	assert.Equal(t, Outcome{Successful: 2, Changed: 1, Failed: 1}, o)
	_, ok = Count([]any{"Data failed to compile"})
	assert.False(t, ok)
	_, ok = Count(ordered.New(0))
	assert.False(t, ok)
	assert.Equal(t, []any{"x"}, FailedIDs(ordered.Pairs("c", result(false, nil)), 5))
}
