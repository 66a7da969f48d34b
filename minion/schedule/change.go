package schedule

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/modules"
)

// List is the schedule in force: a copy. where is "" for all, "opts" or "pillar" for one source.
func (s *Scheduler) List(where string) *ordered.Map {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.merged()
	switch where {
	case "opts":
		m = s.config
	case "pillar":
		m = s.pillar
	}
	return ordered.Copy(m).(*ordered.Map)
}

// Put adds a job, or replaces the one of its name; with persist it is on the disk when Put returns.
func (s *Scheduler) Put(name string, job *ordered.Map, persist bool) error {
	return s.change(persist, func() {
		s.source(name).Set(name, ordered.Copy(job))
	})
}

// source is where a job stands: the pillar for one that it has brought, else the configuration.
func (s *Scheduler) source(name string) *ordered.Map {
	if s.pillar.Has(name) {
		return s.pillar
	}
	return s.config
}

// Remove deletes a job.
func (s *Scheduler) Remove(name string, persist bool) error {
	return s.change(persist, func() { s.source(name).Delete(name) })
}

// SetEnabled switches one job, or with an empty name the whole schedule.
func (s *Scheduler) SetEnabled(name string, on, persist bool) error {
	return s.change(persist, func() {
		if name == "" {
			s.config.Set("enabled", on)
			return
		}
		src := s.source(name)
		if m := src.Map(name); m != nil {
			m = m.Clone()
			m.Set("enabled", on)
			src.Set(name, m)
		}
	})
}

func (s *Scheduler) change(persist bool, do func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	s.rebuild()
	if !persist {
		return nil
	}
	return s.save()
}

// Save writes the schedule without the pillar's jobs to the disk.
func (s *Scheduler) Save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save()
}

// save leaves out what is transient, as its metadata says, such as sleep timers.
func (s *Scheduler) save() error {
	if s.o.Path == "" {
		return nil
	}
	keep := ordered.New(s.config.Len())
	for k, v := range s.config.All() {
		if m, ok := v.(*ordered.Map); ok && modules.IsTrue(m.Map("metadata").Value("transient")) {
			continue
		}
		keep.Set(k, v)
	}
	if err := os.MkdirAll(filepath.Dir(s.o.Path), 0o755); err != nil {
		return fmt.Errorf("save the schedule: %w", err)
	}
	out := ordered.New(1)
	out.Set("schedule", keep)
	if err := atomicfile.Write(s.o.Path, []byte(pyyaml.Dump(out, pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()})), 0o600); err != nil {
		return fmt.Errorf("save the schedule: %w", err)
	}
	return nil
}

// Reload goes back to what is configured, and what was saved.
func (s *Scheduler) Reload(config *ordered.Map) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config = ordered.New(0)
	if config != nil {
		s.config = ordered.Copy(config).(*ordered.Map)
	}
	s.rebuild()
}

// RunNow runs a job at once, whatever its times are.
func (s *Scheduler) RunNow(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[name]
	if e == nil {
		return ErrUnknown
	}
	e.extra = append(e.extra, s.o.Wall())
	s.poke()
	return nil
}

// Skip leaves out the run at a time; with a further time the job runs then.
func (s *Scheduler) Skip(name string, at, instead time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[name]
	if e == nil {
		return ErrUnknown
	}
	if len(e.skip) >= 1000 || len(e.extra) >= 1000 {
		return fmt.Errorf("job %s: too many times to skip", name)
	}
	e.skip = append(e.skip, at)
	if !instead.IsZero() {
		e.extra = append(e.extra, instead)
	}
	return nil
}

// NextFire is when a job runs next; ok is false when it does not.
func (s *Scheduler) NextFire(name string) (t time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[name]
	if e == nil || e.bad != nil {
		return t, false
	}
	t = e.next
	if e.plan.interval > 0 {
		t = s.o.Wall().Add(e.dueAt - s.o.Elapsed())
	}
	for _, x := range e.extra {
		if t.IsZero() || x.Before(t) {
			t = x
		}
	}
	return t, !t.IsZero()
}

// Status tells what the scheduler knows of a job beyond its entry.
func (s *Scheduler) Status(name string) *ordered.Map {
	next, _ := s.NextFire(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[name]
	if e == nil {
		return ordered.New(0)
	}
	out := e.raw.Clone()
	if !next.IsZero() {
		out.Set("_next_fire_time", stamp(next))
	}
	if !e.last.IsZero() {
		out.Set("_last_run", stamp(e.last))
	}
	out.Set("_running", int64(e.running))
	if e.bad != nil {
		out.Set("_error", pyfmt.Str(e.bad.Error()))
	}
	return out
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05") }
