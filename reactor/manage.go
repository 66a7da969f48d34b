package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Manage runs one command of the administration grammar, such as "context cache" or "reactor show upload". The answer is a
// map with _stamp: data as it is, a list under values, another value under value.
func (e *Engine) Manage(ctx context.Context, args []any, kwargs *ordered.Map) (*ordered.Map, error) {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = pyfmt.Str(a)
	}
	v, err := e.command(ctx, words, args, kwargs)
	if err != nil {
		return nil, err
	}
	out := mapOf(v).Clone()
	out.Set("_stamp", now())
	return out, nil
}

func (e *Engine) command(ctx context.Context, words []string, args []any, kw *ordered.Map) (any, error) {
	if len(words) == 0 {
		return nil, errors.New("want a command: hook, worker, reactor, context or run")
	}
	rest := words[1:]
	switch words[0] {
	case "hook":
		if len(rest) == 1 && rest[0] == "list" {
			return e.hookList(), nil
		}
		if len(rest) >= 2 && rest[0] == "call" {
			return e.hookCall(ctx, rest[1], args[3:], kw)
		}
	case "worker":
		if len(rest) > 0 {
			return e.workerCommand(ctx, rest[0], args[2:], kw)
		}
	case "reactor":
		if len(rest) > 0 && (rest[0] == "list" || rest[0] == "show") {
			pattern := "*"
			if len(rest) > 1 {
				pattern = rest[1]
			}
			return e.reactors(rest[0] == "show", pattern), nil
		}
	case "context":
		return e.contextCommand(rest, kw)
	case "run":
		v, err := e.process(ctx, message(kw), simple, true)
		return v, err
	}
	return nil, fmt.Errorf("Unknown command: %s", strings.Join(words, " "))
}

// message makes a message of the keywords of run: _name is a key of the message, __name is dropped, others are for the
// handler, but for those that a message has anyway.
func message(kw *ordered.Map) *ordered.Map {
	msg, inner := ordered.New(kw.Len()), ordered.New(0)
	for k, v := range kw.All() {
		name := pyfmt.Str(k)
		switch {
		case strings.HasPrefix(name, "__"):
		case strings.HasPrefix(name, "_"):
			msg.Set(name[1:], v)
		case strings.Contains(" handler args kwargs worker workflow validator converter trigger filter enricher returner ", " "+name+" "):
			msg.Set(name, v)
		default:
			inner.Set(name, v)
		}
	}
	if inner.Len() > 0 {
		both := msg.Map("kwargs").Clone()
		both.Update(inner)
		msg.Set("kwargs", both)
	}
	return msg
}

func (e *Engine) hookList() []any {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]any, len(e.order))
	for i, name := range e.order {
		out[i] = name
	}
	return out
}

func (e *Engine) hookCall(ctx context.Context, name string, args []any, kw *ordered.Map) (any, error) {
	e.mu.Lock()
	h := e.hooks[name]
	e.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("Unknown hook: %s", name)
	}
	return h.call(ctx, &passage{e: e, msg: ordered.Pairs(h.kind, h.name), args: args, kwargs: kw}, args, kw)
}

// reactors lists the names, or shows the entries, whose name contains the text or matches the pattern.
func (e *Engine) reactors(show bool, pattern string) any {
	e.mu.Lock()
	defer e.mu.Unlock()
	names, entries := []any{}, ordered.New(0)
	if e.config == nil {
		return names
	}
	for _, r := range e.config.Reactors {
		if pattern == "*" || strings.Contains(r.Name, pattern) || fnmatch.Match(pattern, r.Name) {
			names = append(names, r.Name)
			entries.Set(r.Name, r.Raw)
		}
	}
	if show {
		return valued("value", entries)
	}
	return names
}

// contextCommand reads the context by nested keys, or sets a value there.
func (e *Engine) contextCommand(path []string, kw *ordered.Map) (any, error) {
	if v, ok := kw.Get("value"); ok {
		if len(path) == 0 {
			return nil, errors.New("want the keys of what is to be set")
		}
		return v, e.store.set(path, v)
	}
	v, err := e.store.get(path)
	if err != nil {
		if def, ok := kw.Get("default"); ok {
			return def, nil
		}
		return nil, err
	}
	return v, nil
}

func (e *Engine) workerCommand(ctx context.Context, command string, args []any, kw *ordered.Map) (any, error) {
	pattern := ""
	if len(args) > 0 && command != "create" {
		pattern = pyfmt.Str(args[0])
	}
	switch command {
	case "list":
		return names(e.find(pattern, true)), nil
	case "show":
		out := ordered.New(0)
		for _, w := range e.find(pattern, true) {
			out.Set(w.name, w.show())
		}
		return valued("value", out), nil
	case "create":
		return e.workerCreate(args, kw)
	case "start", "pause", "resume", "start_or_resume", "kill":
	default:
		return nil, fmt.Errorf("Unknown command: worker %s", command)
	}
	if pattern == "" {
		return nil, fmt.Errorf("worker %s: want a pattern", command)
	}
	list := e.find(pattern, false)
	for _, w := range list {
		switch command {
		case "start":
			w.start(e.runContext())
		case "pause":
			w.pause()
		case "resume":
			w.unpause()
		case "start_or_resume":
			if !w.unpause() {
				w.start(e.runContext())
			}
		case "kill":
			w.kill()
			if truth(kw.Value("run")) { // one last round
				if err := w.round(ctx); err != nil {
					return nil, err
				}
			}
		}
	}
	return names(list), nil
}

func (e *Engine) workerCreate(args []any, kw *ordered.Map) (any, error) {
	conf := kw.Clone()
	conf.Set("messages", args)
	conf.Set("_made", true)
	for _, a := range args {
		if _, ok := a.(*ordered.Map); !ok {
			return nil, errors.New("the messages of a worker are maps")
		}
	}
	w, err := e.createWorker(conf, truth(conf.Value("auto_start")) || truth(conf.Value("start")))
	if err != nil {
		return nil, err
	}
	return names([]*dedicated{w}), nil
}

func names(list []*dedicated) []any {
	out := make([]any, len(list))
	for i, w := range list {
		out[i] = w.name
	}
	return out
}

// Cache is the cache handler as a command: all entries, or that of a key.
func (e *Engine) Cache(ctx context.Context, key string, fields *ordered.Map) (*ordered.Map, error) {
	name, pos := "values", []any{}
	if key != "" {
		name, pos = "value", []any{key}
	}
	v, err := e.cacheHandler(ctx, nil, pos, fields)
	if err != nil {
		return nil, err
	}
	out := valued(name, v)
	out.Set("_stamp", now())
	return out, nil
}
