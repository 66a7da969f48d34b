package release

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyjson"
)

// Plan is a release that is ready to be applied: everything that it needs is on the device and checked.
type Plan struct {
	Target
	// Manifest is nil for a release without one: then it installs whatever the file roots hold.
	Manifest *Manifest
	// Key is the release key that the device trusts from now on, as PEM; "" leaves it.
	Key string
}

// Device is what an update does to the device. Each step honours its context.
type Device interface {
	// Prepare fetches what the release needs and checks it. The device stays as it is. dynamic is what was synced.
	Prepare(ctx context.Context, t Target, f File) (p *Plan, dynamic *ordered.Map, err error)
	// Apply runs the highstate of a plan.
	Apply(ctx context.Context, p *Plan) (any, error)
	// Check runs the health checks; nil when there are none.
	Check(ctx context.Context, p *Plan) (any, error)
	// Send gives an event to the durable queue, once for each key, and to the device's own bus.
	Send(ctx context.Context, key, tag string, data *ordered.Map) error
}

// Updater runs updates, one at a time.
type Updater struct {
	Journal *Journal
	Lock    *Lock
	Device  Device
}

// ReportTag is the tag of the report of a run: everything that the Software Updates page shows.
const ReportTag = "system/release/report"

// ErrInterrupted is what ended an attempt that a start of the minion found unfinished.
var ErrInterrupted = errors.New("interrupted: the minion stopped in the middle of the attempt")

// Result is what minionutil.update_release answers.
type Result struct {
	Old, New  Record
	Dynamic   *ordered.Map
	Highstate any
	Rolled    any // results of the rollback's highstate, nil without one
	Health    any // results of the health checks, nil without any
	// Err is why the release is not installed; nil when it is, or when nothing was to be done.
	Err error
	Ran bool
}

// Map is the result in the shape that users know.
func (r *Result) Map() *ordered.Map {
	out := ordered.Pairs("release", ordered.Pairs("old", r.Old.Map(), "new", r.New.Map()))
	if r.Ran {
		dynamic := r.Dynamic
		if dynamic == nil {
			dynamic = ordered.New(0)
		}
		out.Set("dynamic", dynamic)
		out.Set("highstate", r.Highstate)
	}
	if r.Health != nil {
		out.Set("health", r.Health)
	}
	if r.Rolled != nil {
		out.Set("rollback", r.Rolled)
	}
	return out
}

// Recover ends an attempt that a power cut or a crash left unfinished: it has failed, reason interrupted, and counts.
// It also hands over the messages that did not reach the event queue. Call it before anything else at the start.
func (u *Updater) Recover(ctx context.Context) error {
	f := u.Journal.Get()
	if a := f.Attempt; a != nil {
		run := &run{Updater: u, attempt: *a, old: f.Record}
		run.result.Old = f.Record
		if err := run.end(ErrInterrupted); err != nil {
			return err
		}
	}
	return u.flush(ctx)
}

// flush gives the outbox to the event queue. A message that is given twice is taken once: its key says so.
func (u *Updater) flush(ctx context.Context) error {
	for _, m := range u.Journal.Get().Outbox {
		v, err := ordered.FromJSON(m.Data)
		if err != nil {
			return fmt.Errorf("release journal: message %s: %w", m.Key, err)
		}
		data, _ := v.(*ordered.Map)
		if err := u.Device.Send(ctx, m.Key, m.Tag, data); err != nil {
			return err
		}
		err = u.Journal.Change(func(f *File) {
			if len(f.Outbox) > 0 && f.Outbox[0].Key == m.Key {
				f.Outbox = f.Outbox[1:]
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Update does what is to be done about the target. The error is for what kept it from deciding or from writing things
// down, and for a busy device; how the release fared stands in the result.
func (u *Updater) Update(ctx context.Context, t Target, o Options, who Holder) (*Result, error) {
	if t.ID == "" {
		return nil, errors.New("no release is known for this device: the pillar has no latest_release_id")
	}
	f := u.Journal.Get()
	d := Decide(f.Record, t, o)
	res := &Result{Old: f.Record, New: Record{ID: t.ID, State: d.State, Version: t.Version, Attempts: d.Old.Attempts}}
	switch {
	case d.Tell:
		res.New = f.Record
		data := ordered.Pairs("id", t.ID, "attempts", int64(d.Attempt), "limit", int64(d.Limit))
		return res, u.Device.Send(ctx, newRun(), EventTag(Suspended), data)
	case !d.Run:
		return res, nil
	}
	work, release, err := u.Lock.Try(ctx, who)
	if err != nil {
		return nil, err
	}
	defer release()
	r := &run{Updater: u, old: f.Record, result: *res, attempt: Attempt{
		Run: newRun(), Number: d.Attempt, Limit: d.Limit, State: d.State, ID: t.ID, Version: t.Version, Cause: who.Fun + " " + who.JID, Started: time.Now().UTC(), Phase: Prepare,
	}}
	if err := r.begin(ctx, d); err != nil {
		return nil, err
	}
	failure := r.install(work)
	// What follows must not be lost to the end of the work's context: it is written down, and only then is the run over.
	if err := r.end(failure); err != nil {
		return nil, err
	}
	r.result.Ran = true
	return &r.result, u.flush(context.WithoutCancel(ctx))
}

func newRun() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// run is one attempt.
type run struct {
	*Updater
	attempt Attempt
	old     Record
	plan    *Plan
	result  Result
	rolled  *Good
}

// begin writes the attempt down, counted, before the first change, and tells of it.
func (r *run) begin(ctx context.Context, d Decision) error {
	a := r.attempt
	err := r.Journal.Change(func(f *File) {
		f.Record = Record{ID: a.ID, State: a.State, Version: a.Version, Attempts: d.Old.Attempts}
		f.Attempt = &a
		f.Outbox = append(f.Outbox, message(a.Run+"/start", EventTag(a.State), r.data()))
	})
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

// data are the fields of the run's events.
func (r *run) data() *ordered.Map {
	return ordered.Pairs("id", r.attempt.ID, "attempts", int64(r.attempt.Number), "limit", int64(r.attempt.Limit), "run", r.attempt.Run)
}

func (r *run) phase(p Phase) error {
	return r.Journal.Change(func(f *File) {
		if f.Attempt != nil {
			f.Attempt.Phase = p
		}
	})
}

// install takes the release through its phases and says why it is not installed, nil when it is.
func (r *run) install(ctx context.Context) error {
	f := r.Journal.Get()
	target := Target{r.attempt.ID, r.attempt.Version}
	var err error
	if r.plan, r.result.Dynamic, err = r.Device.Prepare(ctx, target, f); err != nil {
		return fmt.Errorf("prepare: %w", cause(ctx, err))
	}
	if err := r.phase(Apply); err != nil {
		return err
	}
	err = r.apply(ctx)
	if err == nil {
		return nil
	}
	if good := f.Good; good != nil && good.Pinned && good.ID != r.attempt.ID && r.plan.Manifest != nil {
		r.rollback(ctx, *good, f)
	}
	return err
}

func (r *run) apply(ctx context.Context) (err error) {
	if r.result.Highstate, err = r.Device.Apply(ctx, r.plan); err != nil {
		return cause(ctx, err)
	}
	if err := verdict(ctx, r.result.Highstate, "states"); err != nil {
		return err
	}
	if err := r.phase(Check); err != nil {
		return err
	}
	if r.result.Health, err = r.Device.Check(ctx, r.plan); err != nil {
		return fmt.Errorf("health check: %w", cause(ctx, err))
	}
	if r.result.Health == nil {
		return nil
	}
	return verdict(ctx, r.result.Health, "health checks")
}

// verdict reads the results of states.
func verdict(ctx context.Context, v any, what string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	o, ok := Count(v)
	switch {
	case !ok:
		return fmt.Errorf("the %s did not run: %s", what, pyjson.Dumps(v, pyjson.Options{}))
	case o.Failed > 0:
		return fmt.Errorf("%d of %d %s failed", o.Failed, o.Failed+o.Changed+o.Successful, what)
	}
	return nil
}

// cause prefers the reason for which a context ended to the error that followed from it.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// rollback installs the last good release again. Its outcome stands in the report.
func (r *run) rollback(ctx context.Context, good Good, f File) {
	if err := r.phase(Rollback); err != nil || ctx.Err() != nil {
		return
	}
	f.Sequence = 0 // an older one, on purpose
	plan, _, err := r.Device.Prepare(ctx, Target{good.ID, good.Version}, f)
	if err == nil {
		r.result.Rolled, err = r.Device.Apply(ctx, plan)
	}
	if err == nil {
		err = verdict(ctx, r.result.Rolled, "states of the rollback")
	}
	if err != nil {
		r.result.Rolled = ordered.Pairs("error", err.Error(), "states", r.result.Rolled)
		return
	}
	r.rolled = &good
}

// end writes the outcome down together with its event and report: exactly one terminal event a run.
func (r *run) end(failure error) error {
	rec := Record{ID: r.attempt.ID, State: Updated, Version: r.attempt.Version}
	data := r.data()
	if failure != nil {
		rec.State, rec.Attempts = Failed, r.attempt.Number
		data.Set("reason", failure.Error())
		if ids := FailedIDs(r.result.Highstate, 20); len(ids) > 0 {
			data.Set("failed", ids)
		}
		if r.rolled != nil {
			data.Set("rolled_back_to", r.rolled.ID)
		}
	}
	r.result.New, r.result.Err = rec, failure
	return r.Journal.Change(func(f *File) {
		if f.Attempt != nil {
			r.attempt.Phase = f.Attempt.Phase
		}
		f.Record, f.Attempt = rec, nil
		if failure == nil {
			good := &Good{ID: rec.ID, Version: rec.Version}
			if r.plan.Manifest != nil {
				good.Pinned, good.Sequence = true, r.plan.Manifest.Sequence
				f.Sequence = max(f.Sequence, good.Sequence)
			}
			f.Good = good
			if r.plan.Key != "" {
				f.Key = r.plan.Key
			}
		}
		f.Outbox = append(f.Outbox, message(r.attempt.Run+"/end", EventTag(rec.State), data), message(r.attempt.Run+"/report", ReportTag, r.report(failure)))
	})
}

// report is everything about the run, for the page that shows it.
func (r *run) report(failure error) *ordered.Map {
	a := r.attempt
	m := ordered.Pairs("run", a.Run, "id", a.ID, "version", orNil(a.Version), "state", string(r.result.New.State), "start", string(a.State), "attempts", int64(a.Number), "limit", int64(a.Limit),
		"cause", a.Cause, "started", a.Started.Format(time.RFC3339Nano), "ended", time.Now().UTC().Format(time.RFC3339Nano), "phase", string(a.Phase), "highstate", r.result.Highstate)
	if failure != nil {
		m.Set("reason", failure.Error())
	}
	if r.result.Health != nil {
		m.Set("health", r.result.Health)
	}
	if r.result.Rolled != nil {
		m.Set("rollback", r.result.Rolled)
		m.Set("rolled_back_to", nil)
		if r.rolled != nil {
			m.Set("rolled_back_to", r.rolled.ID)
		}
	}
	o, _ := Count(r.result.Highstate)
	m.Set("counts", ordered.Pairs("successful", int64(o.Successful), "changed", int64(o.Changed), "failed", int64(o.Failed)))
	return m
}

func message(key, tag string, data *ordered.Map) Message {
	return Message{Key: key, Tag: tag, Data: []byte(pyjson.Dumps(data, pyjson.Options{}))}
}
