// Package schedule runs jobs at their times, Salt's scheduler (https://docs.saltproject.io/en/3006/topics/jobs/index.html):
// intervals, cron, when, once; with splay, ranges, maxrunning and run_on_start. Intervals go by a clock that never jumps
// and counts the time that the device was suspended; the others go by the wall clock and are computed anew when it jumps.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Call is one run of a job.
type Call struct {
	Name, Fun string
	Args      []any
	Kwargs    *ordered.Map
	// Entry is the job as it stands in the schedule: a copy.
	Entry *ordered.Map
}

// Options configure a Scheduler.
type Options struct {
	// Config is what the option schedule says, what was saved included.
	Config *ordered.Map
	// Path is the file that changes are saved in; the configuration reads it at the next start.
	Path string
	// Run runs a job to its end.
	Run func(ctx context.Context, c Call)
	// Lookup finds the named times ("whens") of grains and pillar, "" for none; nil when there are none.
	Lookup func(name string) string
	Log    *zap.Logger
	// Wall is the time of day, Elapsed a clock that never jumps; nil are those of this machine.
	Wall    func() time.Time
	Elapsed func() time.Duration
}

// Scheduler is the service. Safe for concurrent use.
type Scheduler struct {
	o Options

	mu       sync.Mutex
	config   *ordered.Map // name -> entry, and enabled
	pillar   *ordered.Map
	entries  map[string]*entry
	order    []string
	inhibits int
	lastWall time.Time
	lastEl   time.Duration
	wake     chan struct{}
	wg       sync.WaitGroup
}

const (
	tick = time.Second
	// jump is by how much the two clocks may drift apart between two looks before the wall clock counts as set.
	jump = 3 * time.Second
	// maxJobs bounds the schedule.
	maxJobs = 10_000
)

// New makes a scheduler. Entries that are wrong are logged, listed and not run.
func New(o Options) *Scheduler {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Elapsed == nil {
		o.Elapsed = boottime
	}
	s := &Scheduler{o: o, config: ordered.New(0), pillar: ordered.New(0), entries: map[string]*entry{}, wake: make(chan struct{}, 1)}
	if o.Config != nil {
		s.config = ordered.Copy(o.Config).(*ordered.Map)
	}
	s.lastWall, s.lastEl = o.Wall(), o.Elapsed()
	s.rebuild()
	return s
}

// boottime counts the time since the machine was started, suspended or not.
func boottime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(ts.Nano())
}

// SetPillar puts the schedule of the pillar in force, beside that of the configuration, which it wins over.
func (s *Scheduler) SetPillar(m *ordered.Map) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m == nil {
		m = ordered.New(0)
	}
	if ordered.Equal(m, s.pillar) {
		return
	}
	s.pillar = ordered.Copy(m).(*ordered.Map)
	s.rebuild()
}

// merged is the schedule in force: the configuration's, and the pillar's over it.
func (s *Scheduler) merged() *ordered.Map {
	out := s.config.Clone()
	out.Update(s.pillar)
	return out
}

// rebuild brings the entries in line with the configuration; unchanged ones keep their times. The lock is held.
func (s *Scheduler) rebuild() {
	old := s.entries
	s.entries, s.order = map[string]*entry{}, nil
	for k, v := range s.merged().All() {
		name := pyfmt.Str(k)
		raw, ok := v.(*ordered.Map)
		if name == "enabled" || len(s.order) >= maxJobs {
			continue
		}
		if !ok {
			s.o.Log.Error("schedule: an entry is no map", zap.String("job", name))
			continue
		}
		s.order = append(s.order, name)
		if e := old[name]; e != nil && ordered.Equal(e.raw, raw) {
			s.entries[name] = e
			continue
		}
		s.entries[name] = s.newEntry(name, raw, old[name] == nil)
		if e := old[name]; e != nil {
			s.entries[name].running = e.running
		}
	}
	s.poke()
}

func (s *Scheduler) newEntry(name string, raw *ordered.Map, fresh bool) *entry {
	now := s.o.Wall()
	e := &entry{name: name, raw: raw}
	if e.plan, e.bad = parse(raw, now, s.o.Lookup); e.bad != nil {
		s.o.Log.Error("schedule", zap.String("job", name), zap.Error(e.bad))
		return e
	}
	e.dueAt = s.o.Elapsed() + e.plan.interval
	e.next = e.plan.nextAfter(now)
	if e.plan.onStart && fresh {
		e.extra = append(e.extra, now)
	}
	return e
}

func (s *Scheduler) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Inhibit holds the schedule back until release is called: jobs that are due meanwhile run once when the last who holds
// it lets go. It does not outlive the process.
func (s *Scheduler) Inhibit() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inhibits++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.inhibits--
		s.mu.Unlock()
		s.poke()
	})
}

// Run runs jobs until ctx ends, then waits for those under way, which end with it.
func (s *Scheduler) Run(ctx context.Context) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		s.look(ctx)
		select {
		case <-ctx.Done():
			s.wg.Wait()
			return ctx.Err()
		case <-t.C:
		case <-s.wake:
		}
	}
}

// look runs what is due.
func (s *Scheduler) look(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, el := s.o.Wall(), s.o.Elapsed()
	drift := now.Round(0).Sub(s.lastWall.Round(0)) - (el - s.lastEl)
	s.lastWall, s.lastEl = now, el
	jumped := drift > jump || drift < -jump
	if jumped {
		s.o.Log.Info("the clock was set: the times of the schedule are computed anew", zap.Duration("by", drift))
	}
	for _, e := range s.entries {
		if jumped && e.bad == nil && e.plan.interval == 0 && e.plan.once.IsZero() {
			e.next = e.plan.nextAfter(now)
		}
	}
	if enabled, set := s.merged().Get("enabled"); s.inhibits > 0 || set && !modules.IsTrue(enabled) {
		return
	}
	for _, name := range s.order {
		e := s.entries[name]
		if e.bad != nil {
			continue
		}
		if v, ok := e.raw.Get("enabled"); ok && !modules.IsTrue(v) {
			continue
		}
		if s.due(e, now, el) {
			s.start(ctx, e)
		}
	}
}

// due decides whether an entry runs now, and computes its next time when it was due.
func (s *Scheduler) due(e *entry, now time.Time, el time.Duration) bool {
	if take(&e.extra, now) {
		return true
	}
	if !e.afterSkip.IsZero() && !now.Before(e.afterSkip) {
		e.afterSkip = time.Time{}
		return true
	}
	if !e.holding {
		at := e.next
		switch {
		case e.plan.interval > 0 && el >= e.dueAt:
			at = now
			e.dueAt += e.plan.interval
			if e.dueAt <= el { // what was missed is made up for once
				e.dueAt = el + e.plan.interval
			}
		case !e.next.IsZero() && !now.Before(e.next):
			e.next = e.plan.nextAfter(now)
		default:
			return false
		}
		if skipped(e, at) {
			return false
		}
		e.holding, e.hold = true, el+e.plan.splay()
	}
	if el < e.hold {
		return false
	}
	e.holding = false
	ok, err := s.allowed(e, now)
	if err != nil {
		s.o.Log.Error("schedule", zap.String("job", e.name), zap.Error(err))
	}
	return ok
}

// take removes the moments that have come and tells whether there was one.
func take(list *[]time.Time, now time.Time) bool {
	n := len(*list)
	*list = slices.DeleteFunc(*list, func(t time.Time) bool { return !t.After(now) })
	return len(*list) < n
}

// skipped tells whether the run at a time is to be left out. What is past is forgotten.
func skipped(e *entry, at time.Time) bool {
	hit := false
	e.skip = slices.DeleteFunc(e.skip, func(t time.Time) bool {
		hit = hit || t.Sub(at).Abs() <= 2*tick
		return t.Before(at.Add(2 * tick))
	})
	return hit
}

// allowed applies range, skip_during_range, after and until.
func (s *Scheduler) allowed(e *entry, now time.Time) (bool, error) {
	for _, bound := range []string{"after", "until"} {
		v := e.raw.Value(bound)
		if v == nil {
			continue
		}
		m, err := parseMoment(pyfmt.Str(v), now.Location())
		if err != nil {
			return false, fmt.Errorf("%s: %w", bound, err)
		}
		if at := m.on(now); bound == "after" && now.Before(at) || bound == "until" && now.After(at) {
			return false, nil
		}
	}
	if r := e.raw.Map("range"); r != nil {
		in, _, err := within(r, now, s.o.Lookup)
		if err != nil || in == modules.IsTrue(r.Value("invert")) {
			return false, err
		}
	}
	if r := e.raw.Map("skip_during_range"); r != nil {
		in, end, err := within(r, now, s.o.Lookup)
		if in && err == nil && modules.IsTrue(e.raw.Value("run_after_skip_range")) {
			e.afterSkip = end.Add(time.Second)
		}
		return !in && err == nil, err
	}
	return true, nil
}

// start runs a job beside the others, unless it runs too often already; the lock is held.
func (s *Scheduler) start(ctx context.Context, e *entry) {
	if int64(e.running) >= e.plan.max {
		s.o.Log.Debug("schedule: the job is still running", zap.String("job", e.name))
		return
	}
	e.running++
	e.last = s.o.Wall()
	raw, _ := ordered.Copy(e.raw).(*ordered.Map)
	c := Call{Name: e.name, Fun: raw.String("function"), Entry: raw}
	for _, key := range []string{"args", "job_args"} {
		if list, ok := raw.Value(key).([]any); ok {
			c.Args = list
		} else if v := raw.Value(key); v != nil {
			c.Args = []any{v}
		}
	}
	for _, key := range []string{"kwargs", "job_kwargs"} {
		if m := raw.Map(key); m != nil {
			c.Kwargs = m
		}
	}
	s.wg.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if now := s.entries[c.Name]; now != nil && now.running > 0 {
				now.running--
			}
		}()
		s.o.Run(ctx, c)
	})
}

// ErrUnknown says that there is no job of a name.
var ErrUnknown = errors.New("there is no such job")
