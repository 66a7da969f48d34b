// Package beacons watches the device and fires events about what it sees, Salt's beacons
// (https://docs.saltproject.io/en/3006/ref/beacons/all/index.html). Each beacon polls on a goroutine of its own, so that a
// slow one holds up nobody.
package beacons

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Beacon watches one thing. One instance serves one entry of the configuration and may keep what it saw last.
type Beacon interface {
	// Check tells what is wrong with a configuration.
	Check(conf *ordered.Map) error
	// Poll looks and gives what is to be fired: the data of each event. A key "tag" is taken out and ends the event's tag.
	Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error)
}

// Factory makes a beacon.
type Factory func(d Deps) Beacon

// Deps are what beacons work with.
type Deps struct {
	// Call runs an execution function.
	Call func(ctx context.Context, fun string, a modules.Args) (any, error)
	Host host.Runner
	Log  *zap.Logger
}

// Options configure a Manager.
type Options struct {
	Deps
	ID string
	// Config is the option beacons.
	Config *ordered.Map
	// Send fires an event, here and at the master.
	Send func(ctx context.Context, tag string, data *ordered.Map) error
	// Busy tells whether a state run is under way.
	Busy func() bool
	// Custom finds beacons that users have written, before the built-in ones; nil for none.
	Custom func(name string) (Factory, bool)
}

// Builtin lists the beacons that the program is built with.
func Builtin() map[string]Factory {
	return map[string]Factory{
		"diskusage": func(Deps) Beacon { return diskusage{} }, "inotify": func(d Deps) Beacon { return &inotify{log: d.Log} },
		"journald": func(d Deps) Beacon { return &journald{host: d.Host} }, "load": func(Deps) Beacon { return &load{} },
		"log": func(Deps) Beacon { return &logFile{} }, "memusage": func(Deps) Beacon { return memusage{} },
		"network_info": func(Deps) Beacon { return &networkInfo{} }, "ps": func(Deps) Beacon { return ps{} },
		"service": func(d Deps) Beacon { return &service{call: d.Call} }, "status": func(d Deps) Beacon { return status{d.Call} },
	}
}

// Manager runs the beacons. Safe for concurrent use.
type Manager struct {
	o Options

	mu      sync.Mutex
	config  *ordered.Map // name -> list of maps, or a map; and enabled
	pillar  *ordered.Map
	running map[string]*watcher
	ctx     context.Context //nolint:containedctx // of Run
	wg      sync.WaitGroup
}

// watcher is one beacon at work.
type watcher struct {
	raw    any
	cancel context.CancelFunc
}

// New makes a manager.
func New(o Options) *Manager {
	m := &Manager{o: o, config: ordered.New(0), pillar: ordered.New(0), running: map[string]*watcher{}}
	if o.Config != nil {
		m.config = ordered.Copy(o.Config).(*ordered.Map)
	}
	return m
}

// Run watches until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	m.mu.Lock()
	m.ctx = ctx
	m.sync()
	m.mu.Unlock()
	<-ctx.Done()
	m.wg.Wait()
	return ctx.Err()
}

// SetPillar puts the beacons of the pillar in force, beside those of the configuration.
func (m *Manager) SetPillar(p *ordered.Map) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pillar = ordered.New(0)
	if p != nil {
		m.pillar = ordered.Copy(p).(*ordered.Map)
	}
	m.sync()
}

// List gives the beacons that are configured: a copy.
func (m *Manager) List(includeOpts, includePillar bool) *ordered.Map {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := ordered.New(0)
	if includePillar {
		out.Update(m.pillar)
	}
	if includeOpts {
		out.Update(m.config)
	}
	return ordered.Copy(out).(*ordered.Map)
}

// Available lists the names of the beacons that can be configured, sorted.
func (m *Manager) Available() []string { return slices.Sorted(maps.Keys(Builtin())) }

// ErrUnavailable says that there is no beacon of a name.
var ErrUnavailable = errors.New("there is no such beacon")

// Check tells what is wrong with an entry: ErrUnavailable, or what the beacon says.
func (m *Manager) Check(name string, data any) error {
	conf, err := Flatten(data)
	if err != nil {
		return err
	}
	f, err := m.factory(name, conf)
	if err != nil {
		return err
	}
	return f(m.o.Deps).Check(conf)
}

func (m *Manager) factory(name string, conf *ordered.Map) (Factory, error) {
	if alias := conf.String("beacon_module"); alias != "" {
		name = alias
	}
	if m.o.Custom != nil {
		if f, ok := m.o.Custom(name); ok {
			return f, nil
		}
	}
	if f := Builtin()[name]; f != nil {
		return f, nil
	}
	return nil, ErrUnavailable
}

// Flatten makes one map of Salt's form of a beacon's configuration, a list of maps.
func Flatten(data any) (*ordered.Map, error) {
	switch t := data.(type) {
	case nil:
		return ordered.New(0), nil
	case *ordered.Map:
		return t, nil
	case []any:
		out := ordered.New(len(t))
		for _, e := range t {
			m, ok := e.(*ordered.Map)
			if !ok {
				return nil, fmt.Errorf("Configuration for beacon must be a list of dictionaries, not of %s", pyfmt.Type(e))
			}
			out.Update(m)
		}
		return out, nil
	}
	return nil, errors.New("Configuration for beacon must be a list.")
}

// Set adds or replaces a beacon; nil data removes it.
func (m *Manager) Set(name string, data any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data == nil {
		m.config.Delete(name)
	} else {
		m.config.Set(name, ordered.Copy(data))
	}
	m.sync()
}

// Replace puts another configuration in force.
func (m *Manager) Replace(config *ordered.Map) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.config = ordered.New(0)
	if config != nil {
		m.config = ordered.Copy(config).(*ordered.Map)
	}
	m.sync()
}

// sync starts and stops watchers so that they are those of the configuration; the lock is held.
func (m *Manager) sync() {
	if m.ctx == nil {
		return
	}
	all := m.pillar.Clone()
	all.Update(m.config)
	on := true
	if v, ok := all.Get("enabled"); ok {
		on = modules.IsTrue(v)
	}
	for name, w := range m.running {
		if v, ok := all.Get(name); !on || !ok || !ordered.Equal(v, w.raw) {
			w.cancel()
			delete(m.running, name)
		}
	}
	for k, v := range all.All() {
		name := pyfmt.Str(k)
		if !on || name == "enabled" || m.running[name] != nil {
			continue
		}
		if err := m.start(name, v); err != nil {
			m.o.Log.Error("beacon", zap.String("beacon", name), zap.Error(err))
		}
	}
}

func (m *Manager) start(name string, data any) error {
	conf, err := Flatten(data)
	if err != nil {
		return err
	}
	if v, ok := conf.Get("enabled"); ok && !modules.IsTrue(v) {
		return nil
	}
	f, err := m.factory(name, conf)
	if err != nil {
		return err
	}
	b := f(m.o.Deps)
	if err := b.Check(conf); err != nil {
		return err
	}
	interval := time.Second
	if v := conf.Value("interval"); v != nil {
		secs, err := modules.Float(v)
		if err != nil || secs < 0.1 || secs > 1e9 {
			return fmt.Errorf("interval: want seconds, got %s", pyfmt.Repr(v))
		}
		interval = time.Duration(secs * float64(time.Second))
	}
	ctx, cancel := context.WithCancel(m.ctx)
	m.running[name] = &watcher{raw: ordered.Copy(data), cancel: cancel}
	m.wg.Go(func() { m.watch(ctx, name, b, conf, interval) })
	return nil
}

// watch polls a beacon until ctx ends.
func (m *Manager) watch(ctx context.Context, name string, b Beacon, conf *ordered.Map, interval time.Duration) {
	if c, ok := b.(interface{ Close() }); ok {
		defer c.Close()
	}
	quiet := modules.IsTrue(conf.Value("disable_during_state_run"))
	t := time.NewTicker(interval)
	defer t.Stop()
	said := ""
	for {
		if !quiet || m.o.Busy == nil || !m.o.Busy() {
			seen, err := m.poll(ctx, b, conf)
			if ctx.Err() != nil {
				return
			}
			if err != nil && err.Error() != said { // once, not at every look
				said = err.Error()
				m.o.Log.Warn("beacon", zap.String("beacon", name), zap.Error(err))
			}
			for _, data := range seen {
				m.fire(ctx, name, data)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (m *Manager) poll(ctx context.Context, b Beacon, conf *ordered.Map) (out []*ordered.Map, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return b.Poll(ctx, conf)
}

func (m *Manager) fire(ctx context.Context, name string, data *ordered.Map) {
	tag := "salt/beacon/" + m.o.ID + "/" + name + "/"
	if v, ok := data.Get("tag"); ok {
		data.Delete("tag")
		tag += strings.TrimPrefix(pyfmt.Str(v), "/")
	}
	if !data.Has("id") {
		data.Set("id", m.o.ID)
	}
	if err := m.o.Send(ctx, tag, data); err != nil && ctx.Err() == nil {
		m.o.Log.Error("event of a beacon", zap.String("tag", tag), zap.Error(err))
	}
}
