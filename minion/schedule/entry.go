package schedule

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/adhocore/gronx"
	"github.com/ncruces/go-strftime"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// entry is one job with what the loop knows of it.
type entry struct {
	name string
	raw  *ordered.Map
	bad  error // why it cannot run
	plan plan

	// dueAt is when an interval job is due, on the clock that never jumps; next when another job is due, by the wall.
	dueAt time.Duration
	next  time.Time
	// hold is until when a due job waits for its splay; holding says that it does.
	hold    time.Duration
	holding bool
	// extra are further moments at which the job runs once, skip those at which it does not.
	extra, skip []time.Time
	running     int
	last        time.Time
	// afterSkip is set when a run fell into skip_during_range and is to be made up at its end.
	afterSkip time.Time
}

// plan is how an entry's times are computed.
type plan struct {
	interval time.Duration
	cron     string
	whens    []moment
	once     time.Time
	splay    func() time.Duration
	max      int64
	onStart  bool
}

// parse reads an entry. lookup finds the named times of grains and pillar.
func parse(raw *ordered.Map, now time.Time, lookup func(string) string) (plan, error) {
	p := plan{max: 1, splay: func() time.Duration { return 0 }, onStart: modules.IsTrue(raw.Value("run_on_start"))}
	if raw.String("function") == "" {
		return p, errors.New("it has no function")
	}
	kinds := 0
	for unit, d := range map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour} {
		v := raw.Value(unit)
		if v == nil {
			continue
		}
		f, err := modules.Float(v)
		if err != nil || f < 0 || f > 1e9 {
			return p, fmt.Errorf("%s: want a number, got %s", unit, pyfmt.Repr(v))
		}
		p.interval += time.Duration(f * float64(d))
	}
	if p.interval > 0 {
		kinds++
	}
	if v := raw.Value("cron"); v != nil {
		kinds++
		p.cron = pyfmt.Str(v)
		if !gronx.IsValid(p.cron) {
			return p, fmt.Errorf("cron: %q is not valid", p.cron)
		}
	}
	if v := raw.Value("when"); v != nil {
		kinds++
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, w := range list {
			m, err := parseMoment(named(pyfmt.Str(w), lookup), now.Location())
			if err != nil {
				return p, fmt.Errorf("when: %w", err)
			}
			p.whens = append(p.whens, m)
		}
	}
	if err := p.readOnce(raw, now, &kinds); err != nil {
		return p, err
	}
	if kinds > 1 {
		return p, errors.New(`unable to use "seconds", "minutes", "hours", or "days" with "when" or "cron" options`)
	}
	return p, p.readLimits(raw)
}

func named(text string, lookup func(string) string) string {
	if lookup != nil {
		if found := lookup(text); found != "" {
			return found
		}
	}
	return text
}

func (p *plan) readOnce(raw *ordered.Map, now time.Time, kinds *int) error {
	v := raw.Value("once")
	if v == nil {
		return nil
	}
	*kinds++
	if layout := raw.String("once_fmt"); layout != "" {
		t, err := strftime.Parse(layout, pyfmt.Str(v))
		if err != nil {
			return fmt.Errorf("once: %w", err)
		}
		p.once = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		return nil
	}
	m, err := parseMoment(pyfmt.Str(v), now.Location())
	if err != nil {
		return fmt.Errorf("once: %w", err)
	}
	p.once = m.on(now)
	return nil
}

func (p *plan) readLimits(raw *ordered.Map) error {
	if v := raw.Value("maxrunning"); v != nil {
		n, err := modules.Int(v)
		if err != nil {
			return fmt.Errorf("maxrunning: %w", err)
		}
		p.max = n
	}
	low, high := 0.0, 0.0
	switch v := raw.Value("splay").(type) {
	case nil:
		return nil
	case *ordered.Map:
		var err1, err2 error
		low, err1 = modules.Float(v.Value("start"))
		high, err2 = modules.Float(v.Value("end"))
		if err := errors.Join(err1, err2); err != nil || high < low {
			return errors.New("splay: want a number of seconds, or start and end, with end after start")
		}
	default:
		var err error
		if high, err = modules.Float(v); err != nil {
			return fmt.Errorf("splay: %w", err)
		}
	}
	if low < 0 || high < low || high > 1e9 {
		return errors.New("splay: out of range")
	}
	p.splay = func() time.Duration { return time.Duration((low + rand.Float64()*(high-low)) * float64(time.Second)) }
	return nil
}

// nextAfter is when a job that goes by the wall clock is due next, after t; zero for never.
func (p *plan) nextAfter(t time.Time) time.Time {
	switch {
	case p.cron != "":
		next, err := gronx.NextTickAfter(p.cron, t, false)
		if err != nil {
			return time.Time{}
		}
		return next
	case len(p.whens) > 0:
		var first time.Time
		for _, w := range p.whens {
			if next, ok := w.after(t.Add(time.Nanosecond)); ok && (first.IsZero() || next.Before(first)) {
				first = next
			}
		}
		return first
	case p.once.After(t):
		return p.once
	}
	return time.Time{}
}

// within tells whether t lies in a range {start, end}; the end of the range is given too.
func within(m *ordered.Map, t time.Time, lookup func(string) string) (in bool, end time.Time, err error) {
	from, err := parseMoment(named(pyfmt.Str(m.Value("start")), lookup), t.Location())
	if err != nil {
		return false, end, fmt.Errorf("start of the range: %w", err)
	}
	to, err := parseMoment(named(pyfmt.Str(m.Value("end")), lookup), t.Location())
	if err != nil {
		return false, end, fmt.Errorf("end of the range: %w", err)
	}
	start, end := from.on(t), to.on(t)
	if end.Before(start) { // over midnight
		if t.Before(end) {
			start = from.on(t.AddDate(0, 0, -1))
		} else {
			end = to.on(t.AddDate(0, 0, 1))
		}
	}
	return !t.Before(start) && t.Before(end.Add(time.Second)), end, nil
}
