package reactor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/saltargs"
	"brine/modules"
)

// Limits of dedicated workers.
const (
	maxWorkers  = 100
	maxMessages = 1000
	maxTexts    = 50 // distinct errors that one worker remembers
	// A failure that repeats is logged a few times, then seldom.
	loudFailures = 3
	quietFor     = time.Minute
)

// dedicated is a worker of its own: it runs a list of messages, round after round.
type dedicated struct {
	e    *Engine
	name string
	conf *ordered.Map

	mu       sync.Mutex
	messages []*ordered.Map
	state    string // pending, running, paused, completed, failed
	firstRun string
	lastRun  string
	lastErr  string
	errs     *ordered.Map // text -> how often
	logged   time.Time
	cancel   context.CancelFunc // of the loop; nil when there is none
	resume   chan struct{}      // closed when not paused
}

func (e *Engine) newWorker(conf *ordered.Map) *dedicated {
	w := &dedicated{e: e, name: conf.String("name"), conf: conf, state: "pending", errs: ordered.New(0), resume: make(chan struct{})}
	close(w.resume)
	for _, m := range conf.List("messages") {
		if msg, ok := m.(*ordered.Map); ok && len(w.messages) < maxMessages {
			w.messages = append(w.messages, msg)
		}
	}
	return w
}

func (w *dedicated) seconds(key string, def float64) time.Duration {
	f := def
	if v, ok := w.conf.Get(key); ok && v != nil {
		var err error
		if f, err = modules.Float(v); err != nil || f < 0 {
			f = def
		}
	}
	return time.Duration(f * float64(time.Second))
}

func (w *dedicated) flag(key string, def bool) bool {
	if v, ok := w.conf.Get(key); ok {
		return modules.IsTrue(v)
	}
	return def
}

// syncWorkers makes the workers those of the configuration; the engine's lock is held. Workers made by command stay.
func (e *Engine) syncWorkers() {
	want := map[string]*ordered.Map{}
	for _, conf := range e.config.Workers {
		want[conf.String("name")] = conf
	}
	for name, w := range e.workers {
		conf := want[name]
		if conf != nil && ordered.Equal(conf, w.conf) {
			delete(want, name)
			continue
		}
		if conf != nil || !w.flag("_made", false) {
			w.kill()
			delete(e.workers, name)
		}
	}
	for _, conf := range e.config.Workers {
		name := conf.String("name")
		if want[name] == nil || len(e.workers) >= maxWorkers {
			continue
		}
		w := e.newWorker(conf)
		e.workers[name] = w
		if w.flag("auto_start", w.flag("start", false)) {
			w.start(e.ctx)
		}
	}
}

// handOver gives a message to the dedicated worker that it names, "dedicated?name=x&interval=5", and makes the worker when
// there is none.
func (e *Engine) handOver(spec string, msg *ordered.Map) error {
	kind, query, _ := strings.Cut(spec, "?")
	if kind != "dedicated" {
		return fmt.Errorf("there is no worker %q: want shared or dedicated", kind)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("worker %s: %w", spec, err)
	}
	conf := ordered.Pairs("name", "worker", "loop", int64(1), "_made", true)
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range values {
			if !yield(k) {
				return
			}
		}
	}) {
		conf.Set(k, saltargs.Value(values.Get(k)))
	}
	one := msg.Clone()
	one.Delete("worker")
	e.mu.Lock()
	w := e.workers[pyfmt.Str(conf.Value("name"))]
	e.mu.Unlock()
	if w == nil {
		conf.Set("messages", []any{one})
		_, err := e.createWorker(conf, w == nil)
		return err
	}
	return w.enqueue(one)
}

func (w *dedicated) enqueue(msg *ordered.Map) error {
	w.mu.Lock()
	if len(w.messages) >= maxMessages {
		w.mu.Unlock()
		w.e.dropped.Add(1)
		return fmt.Errorf("worker %s has %d messages: no room for more", w.name, maxMessages)
	}
	if w.state == "completed" || w.state == "failed" {
		w.messages = nil // those have been run
	}
	w.messages = append(w.messages, msg)
	over := w.cancel == nil
	w.mu.Unlock()
	if over {
		w.start(w.e.runContext())
	}
	return nil
}

func (e *Engine) runContext() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ctx
}

func (e *Engine) createWorker(conf *ordered.Map, start bool) (*dedicated, error) {
	w := e.newWorker(conf)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case w.name == "":
		return nil, errors.New("a worker needs a name")
	case e.workers[w.name] != nil:
		return nil, fmt.Errorf("there is a worker %q already", w.name)
	case len(e.workers) >= maxWorkers:
		return nil, fmt.Errorf("there are %d workers: no room for more", maxWorkers)
	}
	e.workers[w.name] = w
	if start {
		w.start(e.ctx)
	}
	return w, nil
}

// start runs the worker's loop unless it runs already.
func (w *dedicated) start(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil || ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	w.cancel, w.state = cancel, "running"
	w.e.wg.Go(func() {
		end := w.loop(ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		cancel()
		w.cancel = nil
		w.state = end
	})
}

// loop runs round after round and gives the state in which the worker ends.
func (w *dedicated) loop(ctx context.Context) string {
	n, err := modules.Int(valueOr(w.conf, "loop", int64(-1)))
	if err != nil {
		n = -1
	}
	wait := w.seconds("delay", 0)
	for round := int64(0); n < 0 || round < n; round++ {
		select {
		case <-ctx.Done():
			return "pending"
		case <-time.After(wait):
		}
		w.mu.Lock()
		resume := w.resume
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return "pending"
		case <-resume:
		}
		err := w.round(ctx)
		switch {
		case err != nil && !w.flag("suppress_exceptions", true):
			return "failed"
		case err == nil && w.flag("kill_upon_success", false):
			return "completed"
		}
		wait = max(w.seconds("interval", 1), 10*time.Millisecond)
	}
	return "completed"
}

func valueOr(m *ordered.Map, key string, def any) any {
	if v, ok := m.Get(key); ok && v != nil {
		return v
	}
	return def
}

// round runs every message once. A transactional worker stops at the first error.
func (w *dedicated) round(ctx context.Context) (failed error) {
	stamp := now()
	w.mu.Lock()
	if w.firstRun == "" {
		w.firstRun = stamp
	}
	w.lastRun = stamp
	messages := slices.Clone(w.messages)
	w.mu.Unlock()
	for _, msg := range messages {
		_, err := w.safely(ctx, msg)
		if err == nil || ctx.Err() != nil {
			continue
		}
		failed = err
		w.note(err)
		if w.flag("transactional", false) {
			break
		}
	}
	if failed == nil {
		w.mu.Lock()
		w.errs = ordered.New(0)
		w.mu.Unlock()
	}
	return failed
}

func (w *dedicated) safely(ctx context.Context, msg *ordered.Map) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return w.e.process(ctx, msg, simple, false)
}

func (w *dedicated) note(err error) {
	w.e.failed.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	text := err.Error()
	w.lastErr = text
	n, _ := w.errs.Value(text).(int64)
	if n == 0 && w.errs.Len() >= maxTexts {
		return
	}
	w.errs.Set(text, n+1)
	if n < loudFailures || time.Since(w.logged) > quietFor {
		w.logged = time.Now()
		w.e.o.Log.Warn("worker", zap.String("worker", w.name), zap.Error(err))
	}
}

func (w *dedicated) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
	}
}

func (w *dedicated) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == "running" {
		w.state, w.resume = "paused", make(chan struct{})
	}
}

func (w *dedicated) unpause() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != "paused" {
		return false
	}
	w.state = "running"
	close(w.resume)
	return true
}

// show is the worker as worker show prints it.
func (w *dedicated) show() *ordered.Map {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := ordered.Pairs("state", w.state)
	for _, p := range [][2]string{{"first_run", w.firstRun}, {"last_run", w.lastRun}, {"last_error", w.lastErr}} {
		if p[1] != "" {
			m.Set(p[0], p[1])
		}
	}
	if w.errs.Len() > 0 {
		m.Set("distinct_errors", w.errs.Clone())
	}
	list := make([]any, len(w.messages))
	for i, msg := range w.messages {
		list[i] = msg
	}
	m.Set("messages", list)
	return m
}

// find lists the workers whose name begins with a pattern, sorted. Wildcards pass by names that begin with _ when hidden
// ones are not wanted.
func (e *Engine) find(pattern string, hidden bool) []*dedicated {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*dedicated
	for name, w := range e.workers {
		wild := pattern == "" || strings.ContainsAny(pattern, "*?[")
		if wild && !hidden && strings.HasPrefix(name, "_") {
			continue
		}
		if pattern == "" || strings.HasPrefix(name, pattern) || fnmatch.Match(pattern+"*", name) {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b *dedicated) int { return strings.Compare(a.name, b.name) })
	return out
}
