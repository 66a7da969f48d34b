// Package state holds the state.* functions: they compile SLS trees and run them, or show what would be run.
package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/proto"
	"brine/release"
	"brine/states"
	"brine/states/sls"
)

// Deps are what the family needs beyond its Env.
type Deps struct {
	// States returns the state functions in force.
	States func() *states.Registry
	// Lock is shared with updates and power: one of them at a time. Nil: nothing else runs here.
	Lock *release.Lock
}

// Exit codes of state runs, Salt's.
const (
	compilerError = 1
	stateFailure  = 2
	pillarFailure = 5
)

// Module is the family.
func Module(d Deps) modules.Module {
	if d.Lock == nil {
		d.Lock = &release.Lock{}
	}
	m := &state{d}
	fn := func(name, doc string, f func(context.Context, *modules.Env, runArgs) (any, error)) modules.Func {
		return modules.Fn(name, doc, f)
	}
	return modules.Module{Name: "state", Doc: "Functions that bring the system into the state that SLS files describe.", Funcs: append([]modules.Func{
		fn("apply", applyDoc, m.apply),
		fn("apply_", applyDoc, m.apply),
		fn("sls", slsDoc, m.apply),
		modules.Fn("highstate", highstateDoc, m.highstateFn),
		fn("test", testDoc, m.test),
		modules.Fn("sls_id", slsIDDoc, m.slsID),
		modules.Fn("single", singleDoc, m.single),
		modules.Fn("high", highDoc, m.high),
		modules.Fn("low", lowDoc, m.low),
		modules.Fn("template", templateDoc, m.template),
		modules.Fn("template_str", templateStrDoc, m.templateStr),
		modules.PureFn("running", runningDoc, m.running),
	}, append(m.shows(), m.requests()...)...)}
}

type state struct{ Deps }

// runArgs are those of most functions: SLS names, then options as keywords.
type runArgs struct {
	Mods  any            `arg:"mods" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// options of a run, from keywords.
type options struct {
	test              any
	pillar            *ordered.Map
	exclude           any
	queue, concurrent any
	saltenv           string
	pillarenv         any
	force             bool
}

func read(env *modules.Env, kw *ordered.Map) (options, error) {
	o := options{test: kw.Value("test"), exclude: kw.Value("exclude"), queue: kw.Value("queue"), concurrent: kw.Value("concurrent"),
		pillarenv: kw.Value("pillarenv"), force: pyfmt.Truth(kw.Value("force"))}
	if s, ok := kw.Value("saltenv").(string); ok {
		o.saltenv = s
	}
	if o.queue == nil {
		o.queue = env.Opts.Value("state_queue")
	}
	switch t := kw.Value("pillar").(type) {
	case nil:
	case *ordered.Map:
		o.pillar = t
	default:
		return o, modules.Invalidf("Pillar data must be formatted as a dictionary, unless pillar_enc is specified.")
	}
	return o, nil
}

// session is one run: the environment with its own pillar, and the compiler.
type session struct {
	*sls.Compiler
	opts options
	// top is the environment that the run is held to, "" for all.
	refused []any // why the pillar refuses the run
}

// open makes a session: test mode, environment, a fresh pillar.
func (m *state) open(ctx context.Context, env *modules.Env, o options) (*session, error) {
	own := *env
	if o.test != nil {
		own.Test = pyfmt.Truth(o.test)
	}
	if o.saltenv != "" {
		own.Saltenv = o.saltenv
	}
	pillarenv := env.Pillarenv
	if s, ok := o.pillarenv.(string); ok {
		pillarenv = s
	}
	s := &session{opts: o}
	if env.Pillar != nil {
		data, err := env.Pillar.Compile(ctx, pillarenv, o.pillar)
		if err != nil {
			return nil, fmt.Errorf("the pillar cannot be had: %w", err)
		}
		if errs := data.List("_errors"); len(errs) > 0 && !o.force {
			s.refused = append([]any{"Pillar failed to render with the following messages:"}, errs...)
		}
		own.Pillar = fixed{data, env.Pillar}
	}
	s.Compiler = sls.New(&own, m.States())
	return s, nil
}

// fixed is the pillar of one run.
type fixed struct {
	data *ordered.Map
	modules.Pillar
}

// Items implements modules.Pillar.
func (f fixed) Items(context.Context) (*ordered.Map, error) { return f.data, nil }

// alone runs work while nothing else that changes the system does. conflict is the answer when something does.
func (m *state) alone(ctx context.Context, env *modules.Env, o options, work func(context.Context) (any, error)) (any, error) {
	if pyfmt.Truth(o.concurrent) {
		return work(ctx)
	}
	who := release.Holder{Fun: "state.*"}
	if env.Job != nil {
		who.Fun, who.JID = env.Job.Fun, env.Job.JID
	}
	for {
		inner, free, err := m.Lock.Try(ctx, who)
		var busy *release.BusyError
		switch {
		case err == nil:
			defer free()
			return work(inner)
		case !errors.As(err, &busy):
			return nil, err
		case !pyfmt.Truth(o.queue):
			env.Job.SetRetcode(compilerError)
			return []any{conflict(busy.Holder)}, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// conflict is Salt's text about another run.
func conflict(h release.Holder) string {
	started := h.Since.UTC()
	if t, err := proto.JIDTime(h.JID); err == nil {
		started = t.UTC()
	}
	return fmt.Sprintf(`The function "%s" is running as PID %d and was started at %s with jid %s`, h.Fun, os.Getpid(), started.Format("2006, Jan 02 15:04:05.000000"), h.JID)
}

// names reads SLS names: a text with commas, or a list.
func names(v any) []any {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		return t
	}
	var out []any
	for _, s := range strings.Split(pyfmt.Str(v), ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (m *state) apply(ctx context.Context, env *modules.Env, in runArgs) (any, error) {
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	return m.applyWith(ctx, env, names(in.Mods), o)
}

func (m *state) test(ctx context.Context, env *modules.Env, in runArgs) (any, error) {
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	o.test = true
	return m.applyWith(ctx, env, names(in.Mods), o)
}

func (m *state) applyWith(ctx context.Context, env *modules.Env, mods []any, o options) (any, error) {
	env.Job.SetOut("highstate")
	return m.alone(ctx, env, o, func(ctx context.Context) (any, error) {
		if len(mods) == 0 {
			return m.highstate(ctx, env, o)
		}
		return m.files(ctx, env, mods, o)
	})
}

type highstateArgs struct {
	Test  any            `arg:"test" def:"None"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

func (m *state) highstateFn(ctx context.Context, env *modules.Env, in highstateArgs) (any, error) {
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	if in.Test != nil {
		o.test = in.Test
	}
	if in.Queue != nil {
		o.queue = in.Queue
	}
	return m.applyWith(ctx, env, nil, o)
}

// files runs SLS files by name.
func (m *state) files(ctx context.Context, env *modules.Env, mods []any, o options) (any, error) {
	if off := disabledIn(ctx, env, mods); len(off) > 0 {
		env.Job.SetRetcode(compilerError)
		return off, nil
	}
	s, err := m.open(ctx, env, o)
	if err != nil {
		return nil, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return s.refused, nil
	}
	high, errs, err := s.RenderHighstate(ctx, ordered.Pairs(s.Env.Saltenv, mods))
	if err != nil {
		return nil, err
	}
	return s.run(ctx, env, high, errs)
}

// highstate runs what the top file gives to this minion.
func (m *state) highstate(ctx context.Context, env *modules.Env, o options) (any, error) {
	if off := disabledIn(ctx, env, []any{"highstate"}); len(off) > 0 {
		env.Job.SetRetcode(compilerError)
		return off, nil
	}
	s, err := m.open(ctx, env, o)
	if err != nil {
		return nil, err
	}
	s.Saltenv = o.saltenv
	if s.Saltenv == "" {
		s.Saltenv = env.Opts.String("saltenv")
	}
	matches, nothing, err := s.matches(ctx)
	if err != nil || nothing != nil {
		env.Job.SetRetcode(stateFailure)
		if l, ok := nothing.([]any); ok && len(l) > 0 {
			env.Job.SetRetcode(compilerError)
		}
		return nothing, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return s.refused, nil
	}
	high, errs, err := s.RenderHighstate(ctx, matches)
	if err != nil {
		return nil, err
	}
	if high.Len() == 0 && len(errs) == 0 {
		env.Job.SetRetcode(stateFailure)
		return noStates("No states found for this minion"), nil
	}
	return s.run(ctx, env, high, errs)
}

// noStates is Salt's answer of a highstate that has nothing to do.
func noStates(comment string) *ordered.Map {
	return ordered.Pairs("no_|-states_|-states_|-None", ordered.Pairs("result", false, "comment", comment, "name", "No States", "changes", ordered.New(0), "__run_num__", int64(0)))
}

// matches reads the top file. nothing is the answer when there is nothing to run, or why it cannot be read.
func (s *session) matches(ctx context.Context) (matches *ordered.Map, nothing any, err error) {
	top, err := s.Top(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, err
		}
		return nil, noStates("Unable to render top file: " + err.Error()), nil
	}
	if errs := sls.VerifyTop(top); len(errs) > 0 {
		return nil, texts(errs), nil
	}
	if matches, err = s.TopMatches(ctx, top); err != nil {
		return nil, nil, err
	}
	if matches.Len() == 0 {
		return nil, noStates("No Top file or master_tops data matches found. Please see master log for details."), nil
	}
	return matches, nil, nil
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// run compiles high data and runs it. What the run means goes into the exit code of the job.
func (s *session) run(ctx context.Context, env *modules.Env, high *ordered.Map, errs []string) (any, error) {
	if exc := names(s.opts.exclude); len(exc) > 0 {
		high.Set("__exclude__", append(high.List("__exclude__"), exc...))
	}
	if len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return texts(errs), nil
	}
	chunks, errs := sls.Compile(high)
	if len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return texts(errs), nil
	}
	out, err := s.Run(ctx, chunks)
	if err != nil {
		return nil, err
	}
	env.Job.SetRetcode(0)
	if !Good(out, high) {
		env.Job.SetRetcode(stateFailure)
	}
	return out, nil
}

// disabledIn lists Salt's texts about SLS files that state.disable has switched off.
func disabledIn(ctx context.Context, env *modules.Env, mods []any) []any {
	off := env.Grains.Items(ctx).Value("state_runs_disabled")
	list, _ := off.([]any)
	var out []any
	for _, m := range mods {
		name := pyfmt.Str(m)
		for _, p := range list {
			pattern := pyfmt.Str(p)
			base, wild := strings.CutSuffix(pattern, ".*")
			switch {
			case name == pattern:
				out = append(out, fmt.Sprintf(`The state file "%s" is currently disabled, to re-enable, run state.enable %[1]s.`, name))
			case wild && slices.Contains([]string{name, strings.SplitN(name, ".", 2)[0]}, base):
				out = append(out, fmt.Sprintf(`The state file "%s" is currently disabled by "%s", to re-enable, run state.enable %[2]s.`, name, pattern))
			}
		}
	}
	return out
}
