package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/master/store"
	rel "brine/release"
)

func sortBySequence(list []*ordered.Map) {
	slices.SortFunc(list, func(a, b *ordered.Map) int {
		x, _ := a.Value("sequence").(int64)
		y, _ := b.Value("sequence").(int64)
		return int(y - x)
	})
}

// plan reads what a device should have; an empty map for nothing.
func (s *Service) plan(ctx context.Context, id string) (*ordered.Map, error) {
	v, err := s.o.Docs.Doc(ctx, kindPlan, id)
	if errors.Is(err, store.ErrNotFound) {
		return ordered.New(4), nil
	}
	m, _ := v.(*ordered.Map)
	if m == nil {
		m = ordered.New(4)
	}
	return m, err
}

// change changes the plans of the minions of a target.
func (s *Service) change(ctx context.Context, tgt any, tgtType string, step func(*ordered.Map)) ([]string, error) {
	ids, err := s.o.Resolve(ctx, tgt, tgtType)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no minions match %s", pyfmt.Str(tgt))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		m, err := s.plan(ctx, id)
		if err != nil {
			return nil, err
		}
		m = m.Clone()
		step(m)
		m.Set("changed", time.Now().UTC().Format(time.RFC3339))
		if err := s.o.Docs.PutDoc(ctx, kindPlan, id, m); err != nil {
			return nil, err
		}
	}
	if s.o.Changed != nil {
		s.o.Changed(ids)
	}
	return ids, nil
}

// Assign makes a release the one that the minions of a target should have. They install it by their policy, or when it is
// queued.
func (s *Service) Assign(ctx context.Context, name string, tgt any, tgtType string) ([]string, error) {
	r, err := s.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, tgt, tgtType, func(m *ordered.Map) {
		m.Set("id", r.Value("id"))
		m.Set("version", r.Value("version"))
	})
}

// Queue asks the minions of a target to install what is assigned to them: when is "sleep" (before the next sleep) or
// "startup". With a release it is assigned first.
func (s *Service) Queue(ctx context.Context, name string, tgt any, tgtType, when string) ([]string, error) {
	demand := any(true)
	switch when {
	case "", "sleep":
	case "startup", "start":
		demand = "startup"
	default:
		return nil, fmt.Errorf("%q is neither sleep nor startup", when)
	}
	var r *ordered.Map
	if name != "" {
		var err error
		if r, err = s.Find(ctx, name); err != nil {
			return nil, err
		}
	}
	return s.change(ctx, tgt, tgtType, func(m *ordered.Map) {
		if r != nil {
			m.Set("id", r.Value("id"))
			m.Set("version", r.Value("version"))
		}
		m.Set("demand", demand)
	})
}

// Cancel takes a queued update back.
func (s *Service) Cancel(ctx context.Context, tgt any, tgtType string) ([]string, error) {
	return s.change(ctx, tgt, tgtType, func(m *ordered.Map) { m.Set("demand", false) })
}

// Policy sets when the minions of a target update by themselves: off, sleep (before sleep) or startup (at start, or before
// sleep).
func (s *Service) Policy(ctx context.Context, tgt any, tgtType, automatic string) ([]string, error) {
	var v any
	switch automatic {
	case "off", "never", "False", "false":
		v = false
	case "sleep", "shutdown":
		v = "shutdown"
	case "startup", "start":
		v = "startup"
	default:
		return nil, fmt.Errorf("%q is none of off, sleep, startup", automatic)
	}
	return s.change(ctx, tgt, tgtType, func(m *ordered.Map) { m.Set("automatic", v) })
}

// Pillar is what the pillar of a device says of releases.
func (s *Service) Pillar(ctx context.Context, id string) (*ordered.Map, error) {
	m, err := s.plan(ctx, id)
	if err != nil || m.Len() == 0 {
		return ordered.New(0), err
	}
	out := ordered.New(3)
	if v := m.String("id"); v != "" {
		out.Set("latest_release_id", v)
		out.Set("minion", ordered.Pairs("latest_release_version", m.Value("version")))
	}
	policy := ordered.New(2)
	for _, k := range []string{"automatic", "demand"} {
		if v, ok := m.Get(k); ok {
			policy.Set(k, v)
		}
	}
	if policy.Len() > 0 {
		out.Set("update_release", policy)
	}
	return out, nil
}

// Event takes what a device says of its release. A terminal event of the release that was queued ends the queueing; the
// report of a run is kept.
func (s *Service) Event(ctx context.Context, id, tag string, data *ordered.Map, at time.Time) error {
	state, ok := strings.CutPrefix(tag, "system/release/")
	if !ok {
		return nil
	}
	if tag == rel.ReportTag {
		run := data.Clone()
		run.Set("minion", id)
		run.Set("received", time.Now().UTC().Format(time.RFC3339Nano))
		return s.saveRun(ctx, run)
	}
	dev := data.Clone()
	dev.Delete("_stamp")
	dev.Set("state", state)
	dev.Set("time", at.UTC().Format(time.RFC3339))
	if err := s.o.Docs.PutDoc(ctx, kindState, id, dev); err != nil {
		return err
	}
	if state != string(rel.Updated) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.plan(ctx, id)
	if err != nil || m.String("id") != data.String("id") || !pyfmt.Truth(m.Value("demand")) {
		return err
	}
	m = m.Clone()
	m.Set("demand", false)
	if err := s.o.Docs.PutDoc(ctx, kindPlan, id, m); err != nil {
		return err
	}
	if s.o.Changed != nil {
		s.o.Changed([]string{id})
	}
	return nil
}

// Device is all that is known of a device's release: the plan, and what it last said.
func (s *Service) Device(ctx context.Context, id string) (*ordered.Map, error) {
	p, err := s.plan(ctx, id)
	if err != nil {
		return nil, err
	}
	out := ordered.Pairs("desired", p.Value("id"), "version", p.Value("version"), "queued", orFalse(p.Value("demand")), "automatic", orFalse(p.Value("automatic")))
	v, err := s.o.Docs.Doc(ctx, kindState, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if m, ok := v.(*ordered.Map); ok {
		out.Set("last", m)
	}
	return out, nil
}

func orFalse(v any) any {
	if v == nil {
		return false
	}
	return v
}

// Devices is Device for the minions of a target.
func (s *Service) Devices(ctx context.Context, tgt any, tgtType string) (*ordered.Map, error) {
	ids, err := s.o.Resolve(ctx, tgt, tgtType)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(ids))
	for _, id := range ids {
		d, err := s.Device(ctx, id)
		if err != nil {
			return nil, err
		}
		out.Set(id, d)
	}
	return out, nil
}
