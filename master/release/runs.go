package release

import (
	"context"
	"errors"
	"fmt"

	"brine/internal/ordered"
	"brine/master/store"
)

// saveRun keeps the report of a run: whole under its name, and without the results of single states by its time, so that
// lists read little.
func (s *Service) saveRun(ctx context.Context, run *ordered.Map) error {
	if err := s.o.Docs.PutDoc(ctx, kindRun, run.String("run"), run); err != nil {
		return err
	}
	head := run.Clone()
	for _, k := range []string{"highstate", "health", "rollback"} {
		head.Delete(k)
	}
	return s.o.Docs.PutDoc(ctx, kindRunHead, run.String("started")+" "+run.String("run"), head)
}

// Runs lists the runs, the newest first, without the results of single states; id "" is all devices.
func (s *Service) Runs(ctx context.Context, id string, limit int) ([]*ordered.Map, error) {
	if limit <= 0 {
		limit = 50
	}
	read := limit
	if id != "" {
		read = 0
	}
	docs, err := s.o.Docs.Docs(ctx, kindRunHead, "", read)
	if err != nil {
		return nil, err
	}
	var out []*ordered.Map
	for _, d := range docs {
		m, ok := d.Body.(*ordered.Map)
		if !ok || id != "" && m.String("minion") != id {
			continue
		}
		if out = append(out, m); len(out) == limit {
			break
		}
	}
	return out, nil
}

// Run is one run, with the results of its states.
func (s *Service) Run(ctx context.Context, run string) (*ordered.Map, error) {
	v, err := s.o.Docs.Doc(ctx, kindRun, run)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("there is no run %q: see brine release runs", run)
	}
	m, _ := v.(*ordered.Map)
	return m, err
}

// Summary counts the devices: those that have the release that they should have, those that wait for it, those whose
// update failed, and those that are assigned none.
func (s *Service) Summary(ctx context.Context) (*ordered.Map, error) {
	ids, err := s.o.Resolve(ctx, "*", "glob")
	if err != nil {
		return nil, err
	}
	var maps [2]map[string]*ordered.Map
	for i, kind := range []string{kindPlan, kindState} {
		docs, err := s.o.Docs.Docs(ctx, kind, "", 0)
		if err != nil {
			return nil, err
		}
		maps[i] = make(map[string]*ordered.Map, len(docs))
		for _, d := range docs {
			maps[i][d.Key], _ = d.Body.(*ordered.Map)
		}
	}
	n := map[string]int{}
	for _, id := range ids {
		n[situation(maps[0][id], maps[1][id])]++
	}
	return ordered.Pairs("updated", n["updated"], "waiting", n["waiting"], "failed", n["failed"], "unassigned", n["unassigned"]), nil
}

func situation(plan, last *ordered.Map) string {
	want := plan.String("id")
	switch state := last.String("state"); {
	case want == "":
		return "unassigned"
	case state == "failed", state == "suspended":
		return "failed"
	case state == "updated" && last.String("id") == want:
		return "updated"
	}
	return "waiting"
}
