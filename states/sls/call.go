package sls

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// internal are the keys of a chunk that are for the runner, not for the function.
func internal(key string) bool {
	switch key {
	case "fun", "state", "check_cmd", "failhard", "onlyif", "unless", "creates", "retry", "order", "parallel", "reload_modules", "reload_grains", "reload_pillar",
		"runas", "runas_password", "fire_event", "saltenv", "use", "use_in", "prereq_in", "onchanges_in", "onfail_in", "watch_in", "require_in", "listen_in",
		"name_order", "aggregate", "umask", "timeout", "success_retcodes", "success_stdout", "success_stderr", "__agg__", "__prereq__", "__prerequired__":
		return true
	}
	return isRequisite(key) || len(key) > 1 && key[:2] == "__"
}

// call runs the function of a chunk and gives the whole result.
func (r *runner) call(ctx context.Context, low *ordered.Map, attempt int) (*ordered.Map, error) {
	began := time.Now()
	if errs := r.verifyLow(low); len(errs) > 0 {
		comment := ""
		for _, e := range errs {
			comment += e + "\n"
		}
		res := ordered.Pairs("result", false, "name", low.Value("name"), "changes", ordered.New(0), "comment", comment, "__run_num__", r.next(), "__sls__", low.Value("__sls__"), "__id__", low.Value("__id__"))
		return res, nil
	}
	if pyfmt.Truth(low.Value("__prereq__")) {
		res := r.guarded(ctx, low, r.env(ctx, low, true))
		low.Set("__prereq__", false)
		return res, nil
	}
	if pyfmt.Truth(low.Value("parallel")) {
		if res := r.checked(ctx, low, r.env(ctx, low, false)); res != nil {
			r.seal(low, res, began)
			return res, nil
		}
		return r.parallel(ctx, low, began), nil
	}
	res := r.guarded(ctx, low, r.env(ctx, low, false))
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	r.seal(low, res, began)
	r.reload(ctx, low, res)
	return r.retry(ctx, low, res, attempt)
}

// seal adds what every result has.
func (r *runner) seal(low, res *ordered.Map, began time.Time) {
	res.Set("__sls__", low.Value("__sls__"))
	res.Set("__run_num__", r.next())
	res.Set("start_time", clock(began))
	res.Set("duration", float64(time.Since(began).Microseconds())/1000)
	res.Set("__id__", low.Value("__id__"))
}

// env is what the function of a chunk may touch.
func (r *runner) env(_ context.Context, low *ordered.Map, test bool) *states.Env {
	env := *r.Env
	env.Test = env.Test || test
	for _, key := range []string{"__env__", "saltenv"} {
		if s, ok := low.Value(key).(string); ok && s != "" {
			env.Saltenv = s
		}
	}
	return &states.Env{Env: &env, StateID: text(low, "__id__"), SLS: pyfmt.Str(low.Value("__sls__")), Low: low, Run: r.Env.Context, Chunks: r.chunks}
}

// guarded runs conditions, the function and check_cmd; whatever goes wrong is the state's failure.
func (r *runner) guarded(ctx context.Context, low *ordered.Map, env *states.Env) (res *ordered.Map) {
	if res = r.checked(ctx, low, env); res == nil {
		res = r.acted(ctx, low, env)
	}
	return res
}

// checked is the result of a state that its conditions keep from running; nil: it runs.
func (r *runner) checked(ctx context.Context, low *ordered.Map, env *states.Env) (res *ordered.Map) {
	defer r.survive(low, &res)
	cond, ok, err := r.conditions(ctx, low, env)
	switch {
	case err != nil:
		return r.exception(low, err)
	case !ok || cond.Value("result") != true:
		return nil
	}
	res = ordered.Pairs("result", true, "name", low.Value("name"), "changes", ordered.New(0))
	res.Update(cond)
	res.Update(r.checkCmd(ctx, low, env))
	return res
}

// acted runs the function and check_cmd.
func (r *runner) acted(ctx context.Context, low *ordered.Map, env *states.Env) (res *ordered.Map) {
	defer r.survive(low, &res)
	res, err := r.execute(ctx, low, env)
	if err != nil {
		return r.exception(low, err)
	}
	res.Update(r.checkCmd(ctx, low, env))
	return res
}

// survive makes a panic the failure of the state.
func (r *runner) survive(low *ordered.Map, res **ordered.Map) {
	if p := recover(); p != nil {
		r.Env.Log.Error("a state panicked", zap.String("state", tag(low)), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
		*res = r.exception(low, fmt.Errorf("internal error: %v", p))
	}
}

func (r *runner) exception(low *ordered.Map, err error) *ordered.Map {
	return ordered.Pairs("result", false, "name", low.Value("name"), "changes", ordered.New(0), "comment", "An exception occurred in this state: "+err.Error())
}

// execute calls the function with the arguments that it takes.
func (r *runner) execute(ctx context.Context, low *ordered.Map, env *states.Env) (*ordered.Map, error) {
	args, err := r.slots(ctx, low)
	if err != nil {
		return nil, err
	}
	family := r.States.Family(text(low, "state"))
	if text(low, "fun") == "mod_watch" {
		kw := ordered.New(args.Len())
		for k, v := range args.All() {
			if key := ordered.KeyText(k); !internal(key) || key == "__reqs__" {
				kw.Set(k, v)
			}
		}
		kw.Delete("sfun")
		res, err := family.Watch(ctx, env, text(low, "sfun"), modules.Args{Kw: kw})
		return r.result(low, res, err)
	}
	_, f, err := r.States.Lookup(env.Env, text(low, "state")+"."+text(low, "fun"))
	if err != nil {
		return nil, err
	}
	spec := f.Spec()
	takes := map[string]bool{}
	for _, p := range spec.Params {
		takes[p.Name] = true
	}
	kw := ordered.New(args.Len())
	var extra []string
	for k, v := range args.All() {
		switch key := ordered.KeyText(k); {
		case takes[key]:
			kw.Set(k, v)
		case internal(key):
		case spec.KwArg != "":
			kw.Set(k, v)
		default:
			extra = append(extra, key)
		}
	}
	if len(extra) > 0 {
		return nil, invalidKeywords(extra, f.Name, text(low, "state"))
	}
	res, err := f.Run(ctx, env, modules.Args{Kw: kw})
	return r.result(low, res, err)
}

func invalidKeywords(extra []string, fun, mod string) error {
	full := mod + "." + fun
	if len(extra) == 1 {
		return modules.Invalidf("'%s' is an invalid keyword argument for '%s'", extra[0], full)
	}
	quoted := ""
	for i, e := range extra[:len(extra)-1] {
		if i > 0 {
			quoted += ", "
		}
		quoted += "'" + e + "'"
	}
	return modules.Invalidf("%s and '%s' are invalid keyword arguments for '%s'", quoted, extra[len(extra)-1], full)
}

// result makes the map that Salt shows of what a function gave.
func (r *runner) result(low *ordered.Map, res *states.Result, err error) (*ordered.Map, error) {
	if err != nil {
		return nil, err
	}
	if res == nil {
		return nil, errors.New("the state function gave no result")
	}
	name := res.Name
	if name == nil {
		name = low.Value("name")
	}
	changes := res.Changes
	if changes == nil {
		changes = ordered.New(0)
	}
	var ok any
	if res.OK != nil {
		ok = *res.OK
	}
	comment := res.Comment
	if comment == nil {
		comment = ""
	}
	out := ordered.Pairs("name", name, "changes", changes, "result", ok, "comment", ordered.Of(comment))
	if len(res.Warnings) > 0 {
		out.Set("warnings", list(res.Warnings))
	}
	if res.Extra != nil {
		out.Update(res.Extra)
	}
	return out, nil
}

// parallel starts the state beside the others. Its result stands from now on and is filled when the state ends.
func (r *runner) parallel(ctx context.Context, low *ordered.Map, began time.Time) *ordered.Map {
	t, env, num := tag(low), r.env(ctx, low, false), r.next()
	done := make(chan struct{})
	r.mu.Lock()
	r.started[t] = done
	r.mu.Unlock()
	out := ordered.Pairs("name", low.Value("name"), "result", nil, "changes", ordered.New(0), "comment", "Started in a separate process",
		"__sls__", low.Value("__sls__"), "__run_num__", num, "__id__", low.Value("__id__"))
	own := copied(low) // the state works on its own copy: ours goes on being looked at
	go func() {
		res := r.acted(ctx, own, env)
		r.mu.Lock()
		defer r.mu.Unlock()
		out.Update(res)
		out.Set("__sls__", low.Value("__sls__"))
		out.Set("__run_num__", num)
		out.Set("start_time", clock(began))
		out.Set("duration", float64(time.Since(began).Microseconds())/1000)
		out.Set("__id__", low.Value("__id__"))
		out.Set("__parallel__", true)
		delete(r.started, t)
		close(done)
	}()
	return out
}

// await waits for one parallel state.
func (r *runner) await(t string) {
	r.mu.Lock()
	done := r.started[t]
	r.mu.Unlock()
	if done != nil {
		<-done
	}
}

// reload refreshes what a state says that it has changed.
func (r *runner) reload(ctx context.Context, low, res *ordered.Map) {
	changed := pyfmt.Truth(res.Value("changes"))
	for key, fun := range map[string]string{"reload_grains": "saltutil.refresh_grains", "reload_pillar": "saltutil.refresh_pillar", "reload_modules": "saltutil.refresh_modules"} {
		if !pyfmt.Truth(low.Value(key)) && !(key == "reload_modules" && pyfmt.Truth(low.Value("force_reload_modules"))) || !changed && key != "reload_grains" && key != "reload_pillar" {
			continue
		}
		if !r.Env.Mods.Has(r.Env, fun) {
			continue
		}
		if _, err := r.Env.Call(ctx, fun, modules.Args{}); err != nil {
			r.Env.Log.Error("refresh after a state", zap.String("function", fun), zap.Error(err))
		}
	}
}

// retryOf reads the retry argument: its defaults stand for what is missing or wrong.
type retryOf struct {
	attempts, interval, splay int64
	until                     bool
}

func readRetry(v any) retryOf {
	out := retryOf{attempts: 2, interval: 30, until: true}
	m, ok := v.(*ordered.Map)
	if !ok {
		return out
	}
	for key, dst := range map[string]*int64{"attempts": &out.attempts, "interval": &out.interval, "splay": &out.splay} {
		if n, ok := m.Value(key).(int64); ok {
			*dst = n
		}
	}
	if b, ok := m.Value("until").(bool); ok {
		out.until = b
	}
	return out
}

// retry runs a state again until it gives what it should.
func (r *runner) retry(ctx context.Context, low, res *ordered.Map, attempt int) (*ordered.Map, error) {
	v, ok := low.Get("retry")
	if !ok || v == nil || v == false {
		return res, nil
	}
	p := readRetry(v)
	if r.Env.Test {
		until := "False"
		if p.until {
			until = "True"
		}
		res.Set("comment", errorf("%s  The state would be retried every %d seconds (with a splay of up to %d seconds) a maximum of %d times or until a result of %s is returned",
			pyfmt.Str(or(res.Value("comment"), "")), p.interval, p.splay, p.attempts, until))
		return res, nil
	}
	if res.Value("result") == p.until || p.attempts <= int64(attempt) {
		return res, nil
	}
	pause := p.interval
	if p.splay > 0 {
		pause += rand.Int64N(p.splay + 1)
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(time.Duration(pause) * time.Second):
	}
	again, err := r.call(ctx, low, attempt+1)
	if err != nil {
		return nil, err
	}
	again.Set("comment", errorf("Attempt %d: Returned a result of \"%s\", with the following comment: \"%s\"\n%s", attempt, pyfmt.Str(res.Value("result")), pyfmt.Str(res.Value("comment")), pyfmt.Str(again.Value("comment"))))
	again.Set("duration", number(again.Value("duration"))+number(res.Value("duration"))+float64(pause*1000))
	if attempt == 1 {
		again.Set("start_time", res.Value("start_time"))
	}
	return again, nil
}
