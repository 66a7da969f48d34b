package beacons

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// service fires when services start or stop.
type service struct {
	call func(ctx context.Context, fun string, a modules.Args) (any, error)
	last map[string]bool
	at   map[string]time.Time // of the last event
}

// Check implements Beacon.
func (*service) Check(conf *ordered.Map) error {
	if conf.Map("services") == nil {
		return errors.New("Configuration for service beacon requires services.")
	}
	for _, v := range conf.Map("services").All() {
		if _, ok := v.(*ordered.Map); !ok && v != nil {
			return errors.New("Configuration for service beacon: services must be a dict of dicts.")
		}
	}
	return nil
}

// Poll implements Beacon.
func (s *service) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	if s.last == nil {
		s.last, s.at = map[string]bool{}, map[string]time.Time{}
	}
	var out []*ordered.Map
	for k, v := range conf.Map("services").All() {
		name := pyfmt.Str(k)
		c, _ := v.(*ordered.Map)
		answer, err := s.call(ctx, "service.status", modules.Pos(name))
		if err != nil {
			return out, err
		}
		up := modules.IsTrue(answer)
		was, known := s.last[name]
		s.last[name] = up
		state := ordered.Pairs("running", up)
		if file := c.String("uncleanshutdown"); file != "" && !up {
			_, err := os.Stat(file)
			state.Set("shutdown", err != nil) // the file is still there: it was no clean one
		}
		ev := ordered.Pairs("service_name", name, "tag", name, name, state)
		if delay, err := modules.Float(c.Value("delay")); err == nil && time.Since(s.at[name]) < time.Duration(delay*float64(time.Second)) {
			continue
		}
		if !known && !flag(c, "emitatstartup", true) {
			continue
		}
		if known && was == up && flag(c, "onchangeonly", false) {
			continue
		}
		s.at[name] = time.Now()
		out = append(out, ev)
	}
	return out, nil
}

// ps fires when processes are as named, running or stopped.
type ps struct{}

// Check implements Beacon.
func (ps) Check(conf *ordered.Map) error {
	if conf.Map("processes") == nil {
		return errors.New("Configuration for ps beacon requires processes.")
	}
	return nil
}

// Poll implements Beacon.
func (ps) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	list, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, p := range list {
		if n, err := p.NameWithContext(ctx); err == nil {
			names[n] = true
		}
	}
	var out []*ordered.Map
	for k, v := range conf.Map("processes").All() {
		name := pyfmt.Str(k)
		switch {
		case pyfmt.Str(v) == "running" && names[name]:
			out = append(out, ordered.Pairs(name, "Running"))
		case pyfmt.Str(v) == "stopped" && !names[name]:
			out = append(out, ordered.Pairs(name, "Stopped"))
		}
	}
	return out, nil
}

// status fires what the status functions say: a heartbeat with numbers.
type status struct {
	call func(ctx context.Context, fun string, a modules.Args) (any, error)
}

// Check implements Beacon.
func (status) Check(*ordered.Map) error { return nil }

// Poll implements Beacon.
func (s status) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	wanted := ordered.New(5)
	for k, v := range conf.All() {
		if name := pyfmt.Str(k); !contains(general, name) {
			wanted.Set(name, v)
		}
	}
	if wanted.Len() == 0 {
		for _, f := range []string{"loadavg", "cpustats", "meminfo", "vmstats", "time"} {
			wanted.Set(f, []any{"all"})
		}
	}
	data := ordered.New(wanted.Len())
	var errs []error
	for k, v := range wanted.All() {
		name := pyfmt.Str(k)
		got, err := s.call(ctx, "status."+name, modules.Args{})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		data.Set(name, chosen(got, v))
	}
	return []*ordered.Map{ordered.Pairs("tag", time.Now().UTC().Format("2006-01-02T15:04:05.000000"), "data", data)}, errors.Join(errs...)
}

// chosen keeps the items of a result that a configuration lists.
func chosen(got, want any) any {
	m, ok := got.(*ordered.Map)
	list, _ := want.([]any)
	if !ok || len(list) == 0 {
		return got
	}
	out := ordered.New(len(list))
	for _, k := range list {
		if k == "all" {
			return got
		}
		if v, has := m.Get(k); has {
			out.Set(k, v)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
