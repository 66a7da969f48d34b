package release

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
)

// crash is what a power cut looks like from inside: everything stops at once.
type crash struct{}

// device is a device whose states do what the test says. Its event queue is durable and takes each key once.
type device struct {
	keys     map[string]bool
	events   []string // "pending B 1" ...
	reports  []*ordered.Map
	bad      map[string]bool // releases whose states fail
	sick     map[string]bool // releases whose health checks fail
	broken   error           // of Prepare
	pinned   bool
	content  string // what is installed
	steps    int    // so many steps until the power fails; below 0 never
	inApply  func(ctx context.Context)
	prepared []int64 // sequences that Prepare was told to insist on
}

func (d *device) step() {
	if d.steps == 0 {
		panic(crash{})
	}
	d.steps--
}

func (d *device) Prepare(_ context.Context, t Target, f File) (*Plan, *ordered.Map, error) {
	d.step()
	if d.broken != nil {
		return nil, nil, d.broken
	}
	d.prepared = append(d.prepared, f.Sequence)
	p := &Plan{Target: t}
	if d.pinned {
		p.Manifest = &Manifest{Version: t.Version, Sequence: int64(t.ID[0])}
	}
	return p, ordered.New(0), nil
}

func (d *device) Apply(ctx context.Context, p *Plan) (any, error) {
	d.step()
	d.content = "a mix of " + d.content + " and " + p.ID
	d.step()
	if d.inApply != nil {
		d.inApply(ctx)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if d.bad[p.ID] {
		return states(1), nil
	}
	d.content = p.ID
	d.step()
	return states(0), nil
}

func (d *device) Check(_ context.Context, p *Plan) (any, error) {
	d.step()
	if d.sick[p.ID] {
		return states(1), nil
	}
	return nil, nil
}

func (d *device) Send(_ context.Context, key, tag string, data *ordered.Map) error {
	d.step()
	if !d.keys[key] {
		d.keys[key] = true
		if tag == ReportTag {
			d.reports = append(d.reports, data)
		} else {
			d.events = append(d.events, fmt.Sprintf("%s %v %v", strings.TrimPrefix(tag, "system/release/"), data.Value("id"), data.Value("attempts")))
		}
	}
	d.step()
	return nil
}

func states(failed int) *ordered.Map {
	m := ordered.Pairs("test_|-good_|-good_|-nop", ordered.Pairs("result", true, "changes", ordered.New(0), "__id__", "good"))
	for i := range failed {
		m.Set(fmt.Sprint("test_|-bad_|-bad_|-", i), ordered.Pairs("result", false, "changes", ordered.New(0), "__id__", "bad"))
	}
	return m
}

type bench struct {
	*testing.T
	path string
	dev  *device
	up   *Updater
}

func newBench(t *testing.T, rec Record) *bench {
	t.Helper()
	b := &bench{T: t, path: filepath.Join(t.TempDir(), "release.json"), dev: &device{keys: map[string]bool{}, bad: map[string]bool{}, sick: map[string]bool{}, steps: -1, content: rec.ID}}
	b.start()
	require.NoError(t, b.up.Journal.Change(func(f *File) { f.Record = rec }))
	return b
}

// start is a start of the minion.
func (b *bench) start() {
	b.Helper()
	j, err := OpenJournal(b.path)
	require.NoError(b, err)
	b.up = &Updater{Journal: j, Lock: &Lock{}, Device: b.dev}
	require.NoError(b, b.up.Recover(b.Context()))
}

func (b *bench) update(id string, o Options) *Result {
	b.Helper()
	if o.Limit == 0 {
		o.Limit = 5
	}
	r, err := b.up.Update(b.Context(), Target{ID: id}, o, Holder{Fun: "test", JID: "1"})
	require.NoError(b, err)
	return r
}

// expect compares the events since the last call, and the record.
func (b *bench) expect(rec Record, events ...string) {
	b.Helper()
	if events == nil {
		events = []string{}
	}
	assert.Equal(b, events, append([]string{}, b.dev.events...))
	assert.Equal(b, rec, b.up.Journal.Get().Record)
	b.dev.events = nil
}

// TestTimelines are T1 to T9 of a device's life with releases.
func TestTimelines(t *testing.T) {
	t.Parallel()
	t.Run("T1 queue, fail, fail, succeed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "A", State: Updated})
		b.dev.bad["B"] = true
		b.update("B", Options{Demand: true})
		b.expect(Record{"B", Failed, "", 1}, "pending B 1", "failed B 1")
		b.start()
		b.update("B", Options{OnlyRetry: true})
		b.expect(Record{"B", Failed, "", 2}, "retrying B 2", "failed B 2")
		b.dev.bad["B"] = false
		b.update("B", Options{Demand: true})
		b.expect(Record{"B", Updated, "", 0}, "retrying B 3", "updated B 3")
		b.start()
		b.update("B", Options{OnlyRetry: true})
		b.expect(Record{"B", Updated, "", 0})
	})
	t.Run("T2 limit", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{"B", Failed, "", 5})
		b.update("B", Options{OnlyRetry: true})
		b.expect(Record{"B", Failed, "", 5}, "suspended B 5")
		b.dev.bad["B"] = true
		b.update("B", Options{Force: true})
		b.expect(Record{"B", Failed, "", 6}, "retrying B 6", "failed B 6")
		b.dev.bad["B"] = false
		b.update("B", Options{Force: true})
		b.expect(Record{"B", Updated, "", 0}, "retrying B 7", "updated B 7")
	})
	t.Run("T3 power cut in attempt 3", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{"B", Failed, "", 2})
		b.dev.steps = 4 // two for the event, one to prepare, one into the states
		assert.True(t, b.cut("B", Options{OnlyRetry: true}))
		b.expect(Record{"B", Retrying, "", 2}, "retrying B 3")
		b.start()
		b.expect(Record{"B", Failed, "", 3}, "failed B 3")
		b.update("B", Options{OnlyRetry: true})
		b.expect(Record{"B", Updated, "", 0}, "retrying B 4", "updated B 4")
	})
	t.Run("T4 force when up to date", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "B", State: Updated})
		b.update("B", Options{Force: true})
		b.expect(Record{ID: "B", State: Updated}, "forcing B 1", "updated B 1")
	})
	t.Run("T5 another target after failures", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{"B", Failed, "", 4})
		b.dev.bad["C"] = true
		b.update("C", Options{OnlyRetry: true})
		b.expect(Record{"C", Failed, "", 1}, "retrying C 1", "failed C 1")
	})
	t.Run("T6 and T7 automatic", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "A", State: Updated})
		b.update("B", Options{OnlyRetry: true}) // before sleep: a wake alone does not start it
		b.expect(Record{ID: "A", State: Updated})
		b.update("B", Options{}) // at start: it does
		b.expect(Record{ID: "B", State: Updated}, "pending B 1", "updated B 1")
	})
	t.Run("T8 two at once", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "A", State: Updated})
		_, release, err := b.up.Lock.Try(t.Context(), Holder{Fun: "state.sls", JID: "req"})
		require.NoError(t, err)
		_, err = b.up.Update(t.Context(), Target{ID: "B"}, Options{Limit: 5}, Holder{})
		require.ErrorContains(t, err, "state.sls (job req) has been running")
		release()
		b.expect(Record{ID: "A", State: Updated})
	})
	t.Run("T9 dry run", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "A", State: Updated, Version: "1"})
		r := b.update("B", Options{DryRun: true})
		assert.Equal(t, Record{ID: "B", State: Pending}, r.New)
		assert.True(t, ordered.Equal(ordered.Pairs("release", ordered.Pairs(
			"old", ordered.Pairs("id", "A", "state", "updated", "version", "1"), "new", ordered.Pairs("id", "B", "state", "pending", "version", nil))), r.Map()))
		b.expect(Record{ID: "A", State: Updated, Version: "1"})
	})
}

// cut updates until the power fails, and tells whether it did.
func (b *bench) cut(id string, o Options) (failed bool) {
	b.Helper()
	defer func() {
		b.dev.steps = -1
		if p := recover(); p != nil {
			require.IsType(b, crash{}, p)
			failed = true
		}
	}()
	b.update(id, o)
	return false
}

// TestPowerCutAtEveryStep: whenever the power fails, the run has one start and one terminal event, is counted when it did
// not go through, and a record that says updated is true.
func TestPowerCutAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"good", "bad", "sick"} {
		for n := 0; ; n++ {
			b := newBench(t, Record{ID: "A", State: Updated})
			b.dev.pinned = true
			require.NoError(t, b.up.Journal.Change(func(f *File) { f.Good = &Good{ID: "A", Pinned: true, Sequence: 65} }))
			b.dev.bad["B"], b.dev.sick["B"] = kind == "bad", kind == "sick"
			b.dev.steps = n
			failed := b.cut("B", Options{})
			b.start()
			b.start() // a second start changes nothing
			what := fmt.Sprintf("%s, cut at step %d", kind, n)
			rec := b.up.Journal.Get().Record
			require.Len(t, b.dev.events, 2, what)
			assert.Equal(t, "pending B 1", b.dev.events[0], what)
			require.Len(t, b.dev.reports, 1, what)
			switch rec.State {
			case Updated:
				assert.Equal(t, "B", b.dev.content, what)
				assert.Equal(t, "updated B 1", b.dev.events[1], what)
				assert.NotEqual(t, "sick", kind, what)
			case Failed:
				assert.Equal(t, "failed B 1", b.dev.events[1], what)
				assert.Equal(t, 1, rec.Attempts, what)
			default:
				t.Errorf("%s: the record says %q", what, rec.State)
			}
			if !failed {
				break
			}
			require.Less(t, n, 100)
		}
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	b := newBench(t, Record{ID: "A", State: Updated})
	b.dev.pinned, b.dev.sick["B"] = true, true
	require.NoError(t, b.up.Journal.Change(func(f *File) { f.Good, f.Sequence = &Good{ID: "A", Pinned: true, Sequence: 65}, 65 }))
	r := b.update("B", Options{})
	require.ErrorContains(t, r.Err, "1 of 2 health checks failed")
	assert.Equal(t, "A", b.dev.content, "the last good release is back")
	assert.Equal(t, []int64{65, 0}, b.dev.prepared, "going back is the one time that an older release is right")
	report := b.dev.reports[0]
	assert.Equal(t, "A", report.Value("rolled_back_to"))
	assert.Equal(t, "rollback", report.Value("phase"))
	f := b.up.Journal.Get()
	assert.Equal(t, "A", f.Good.ID)
	b.dev.sick["B"] = false
	b.update("B", Options{})
	assert.Equal(t, Good{ID: "B", Pinned: true, Sequence: 66}, *b.up.Journal.Get().Good)
}

func TestWhatEndsARun(t *testing.T) {
	t.Parallel()
	t.Run("nothing to install is known", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{})
		_, err := b.up.Update(t.Context(), Target{}, Options{}, Holder{})
		require.ErrorContains(t, err, "latest_release_id")
		b.expect(Record{})
	})
	t.Run("it cannot be fetched", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "A", State: Updated})
		b.dev.broken = errors.New("no space left on device")
		r := b.update("B", Options{})
		require.ErrorContains(t, r.Err, "no space left")
		assert.Equal(t, "A", b.dev.content, "nothing was changed")
		b.expect(Record{"B", Failed, "", 1}, "pending B 1", "failed B 1")
	})
	t.Run("power cuts it off", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, Record{ID: "A", State: Updated})
		b.dev.inApply = func(ctx context.Context) {
			b.up.Lock.mu.Lock()
			h := b.up.Lock.holder
			b.up.Lock.mu.Unlock()
			h.cancel(ErrCutOff)
			<-ctx.Done()
		}
		r := b.update("B", Options{})
		require.ErrorIs(t, r.Err, ErrCutOff)
		b.expect(Record{"B", Failed, "", 1}, "pending B 1", "failed B 1")
		_, held := b.up.Lock.Held()
		assert.False(t, held)
	})
}
