package reactor

import (
	"errors"
	"fmt"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
	"brine/modules"
)

// Config is what an engine works by.
type Config struct {
	Hooks    []Hook
	Workers  []*ordered.Map
	Reactors []*Entry
}

// Hook makes a function usable in messages under a name.
type Hook struct {
	Name string
	// Kind is handler, validator, converter, trigger, filter, enricher or returner.
	Kind, Func string
	Args       []any
	Kwargs     *ordered.Map
	// Lock lets one message at a time through.
	Lock bool
}

// Entry is one reactor: which events it takes, under which conditions, and what is done.
type Entry struct {
	Name string
	// Raw is the entry as it was written.
	Raw        *ordered.Map
	Conditions []string
	Actions    []*ordered.Map
	// Resolve computes expressions inside actions too.
	Resolve bool
	// Chained stops after an action whose result is empty or says result: false.
	Chained bool

	match matcher
	names map[string]int
}

// Limits of a configuration.
const (
	maxReactors = 1000
	maxActions  = 100
)

// Forwarded is the pattern of the tags that the default reactor cache_events takes.
const Forwarded = `^(system|vehicle)/`

// cacheEvents is the reactor that every device has unless its configuration brings one of this name: it keeps the last
// event of each area, and hands each change to the master.
func cacheEvents() *ordered.Map {
	return ordered.Pairs("name", "cache_events", "regex", Forwarded, "keyword_resolve", true, "actions", []any{
		ordered.Pairs("handler", "cache", "args", []any{`$event["tag"].rpartition("/")[0] or $event["tag"]`}, "kwargs", ordered.Pairs("event", "$event"),
			"filter", "alternating_cache_event", "returner", "cloud"),
	})
}

// ParseConfig reads the settings of an engine: {hooks: [...], workers: [...], reactors: [...]}. Entries that are wrong are
// left out and named in the error; the configuration is good without them.
func ParseConfig(settings *ordered.Map) (*Config, error) {
	c := &Config{}
	var errs []error
	for i, v := range settings.List("hooks") {
		h, err := hookOf(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("hook %d: %w", i+1, err))
			continue
		}
		c.Hooks = append(c.Hooks, h)
	}
	seen := map[string]bool{}
	for i, v := range settings.List("workers") {
		w, ok := v.(*ordered.Map)
		if !ok || w.String("name") == "" || seen[w.String("name")] {
			errs = append(errs, fmt.Errorf("worker %d: want a map with a name of its own", i+1))
			continue
		}
		seen[w.String("name")] = true
		c.Workers = append(c.Workers, w)
	}
	list := settings.List("reactors")
	if !named(list, "cache_events") {
		list = append([]any{cacheEvents()}, list...)
	}
	if len(list) > maxReactors {
		errs = append(errs, fmt.Errorf("%d reactors, at most %d: the rest is left out", len(list), maxReactors))
		list = list[:maxReactors]
	}
	seen = map[string]bool{}
	for i, v := range list {
		e, err := entryOf(v)
		if err == nil && seen[e.Name] {
			err = fmt.Errorf("two reactors are called %q", e.Name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reactor %d: %w", i+1, err))
			continue
		}
		seen[e.Name] = true
		if v, given := e.Raw.Get("enabled"); given && !pyfmt.Truth(v) {
			continue
		}
		c.Reactors = append(c.Reactors, e)
	}
	return c, errors.Join(errs...)
}

func named(list []any, name string) bool {
	for _, v := range list {
		if m, ok := v.(*ordered.Map); ok && m.String("name") == name {
			return true
		}
	}
	return false
}

func hookOf(v any) (Hook, error) {
	m, ok := v.(*ordered.Map)
	if !ok {
		return Hook{}, fmt.Errorf("want a map, got %s", pyfmt.Type(v))
	}
	h := Hook{Name: m.String("name"), Kind: m.String("kind"), Func: m.String("func"), Args: m.List("args"), Kwargs: m.Map("kwargs"), Lock: modules.IsTrue(m.Value("lock"))}
	if h.Name == "" || h.Func == "" {
		return h, errors.New("want a name and a func")
	}
	switch h.Kind {
	case "handler", "validator", "converter", "trigger", "filter", "enricher", "returner":
		return h, nil
	}
	return h, fmt.Errorf("hook %s: there is no kind %q", h.Name, h.Kind)
}

func entryOf(v any) (*Entry, error) {
	m, ok := v.(*ordered.Map)
	if !ok {
		return nil, fmt.Errorf("want a map, got %s", pyfmt.Type(v))
	}
	e := &Entry{Name: m.String("name"), Raw: m, Resolve: pyfmt.Truth(m.Value("keyword_resolve")), Chained: pyfmt.Truth(m.Value("chain_conditionally"))}
	if e.Name == "" {
		return nil, errors.New("it has no name")
	}
	var err error
	if e.match, err = matcherOf(m); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	if p := m.Value("regex"); p != nil {
		re, err := pyregex.Compile(pyfmt.Str(p), 0)
		if err != nil {
			return nil, err
		}
		e.names = re.Names()
	}
	// Either spelling, or both: a new list each time, never the configured one.
	for _, c := range oneAndMany(m, "condition", "conditions") {
		e.Conditions = append(e.Conditions, pyfmt.Str(c))
	}
	for _, a := range oneAndMany(m, "action", "actions") {
		msg, ok := a.(*ordered.Map)
		if !ok {
			return nil, fmt.Errorf("%s: an action is a map, not %s", e.Name, pyfmt.Type(a))
		}
		e.Actions = append(e.Actions, msg)
	}
	if len(e.Actions) > maxActions {
		return nil, fmt.Errorf("%s: %d actions, at most %d", e.Name, len(e.Actions), maxActions)
	}
	return e, nil
}

func oneAndMany(m *ordered.Map, one, many string) []any {
	var out []any
	if v := m.Value(one); v != nil {
		out = append(out, v)
	}
	if list, ok := m.Value(many).([]any); ok {
		return append(out, list...)
	}
	if v := m.Value(many); v != nil {
		out = append(out, v)
	}
	return out
}
