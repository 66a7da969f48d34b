package sls

import (
	"context"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// maxDepth bounds how far requisites lead from one state to the next.
const maxDepth = 2000

// runner runs the chunks of one tree.
type runner struct {
	*Compiler
	chunks  []*ordered.Map
	running *ordered.Map            // results by tag
	pre     map[string]*ordered.Map // results of dry runs for prereq
	active  map[string]bool         // tags that are being worked on
	num     int64
	halted  bool // failhard

	mu      sync.Mutex
	started map[string]chan struct{} // parallel states that are under way
}

// Run runs low chunks and returns the results by tag. The error is for what kept the run from being one, such as its end
// from outside.
func (c *Compiler) Run(ctx context.Context, chunks []*ordered.Map) (*ordered.Map, error) {
	r := &runner{Compiler: c, pre: map[string]*ordered.Map{}, started: map[string]chan struct{}{}}
	results, err := r.all(ctx, chunks, "")
	if err != nil {
		return nil, err
	}
	if err := r.listen(ctx, chunks, results); err != nil {
		return nil, err
	}
	return results, nil
}

// RunID is Run for the chunks of one id, and for what they require. Nothing listens to them.
func (c *Compiler) RunID(ctx context.Context, chunks []*ordered.Map, id string) (*ordered.Map, error) {
	r := &runner{Compiler: c, pre: map[string]*ordered.Map{}, started: map[string]chan struct{}{}}
	return r.all(ctx, chunks, id)
}

// all runs a list of chunks, one after another, or those of one id.
func (r *runner) all(ctx context.Context, chunks []*ordered.Map, id string) (*ordered.Map, error) {
	out := ordered.New(len(chunks))
	chunks = r.disabled(ctx, chunks, out)
	r.chunks, r.running, r.active, r.halted = chunks, ordered.New(len(chunks)), map[string]bool{}, false
	for _, low := range chunks {
		if err := ctx.Err(); err != nil {
			r.wait()
			return nil, context.Cause(ctx)
		}
		if r.halted || r.running.Has(tag(low)) || id != "" && text(low, "__id__") != id {
			continue
		}
		if err := r.chunk(ctx, low, 0); err != nil {
			r.wait()
			return nil, err
		}
		r.halted = r.halted || r.failhard(low)
		clear(r.active)
	}
	r.wait()
	for _, low := range chunks { // prereq and others in a circle: whatever was not reached has failed
		if t := tag(low); !r.halted && !r.running.Has(t) && (id == "" || text(low, "__id__") == id) {
			r.running.Set(t, r.failed(low, "Recursive requisite found"))
		}
	}
	out.Update(r.running)
	return out, nil
}

// disabled sorts out the functions that state.disable names.
func (r *runner) disabled(ctx context.Context, chunks []*ordered.Map, out *ordered.Map) []*ordered.Map {
	patterns := r.Env.Grains.Items(ctx).List("state_runs_disabled")
	if len(patterns) == 0 {
		return chunks
	}
	return slices.DeleteFunc(slices.Clone(chunks), func(low *ordered.Map) bool {
		full := text(low, "state") + "." + text(low, "fun")
		for _, p := range patterns {
			if pattern := pyfmt.Str(p); glob(pattern, full) {
				out.Set(tag(low), ordered.Pairs("changes", ordered.New(0), "result", false, "comment",
					errorf(`The state function "%s" is currently disabled by "%s", to re-enable, run state.enable %s.`, full, pattern, pattern),
					"__run_num__", r.next(), "__sls__", low.Value("__sls__")))
				return true
			}
		}
		return false
	})
}

func (r *runner) next() int64 {
	n := r.num
	r.num++
	return n
}

func (r *runner) failhard(low *ordered.Map) bool {
	if r.Env.Test {
		return false
	}
	hard, given := low.Get("failhard")
	if !given {
		hard = r.Env.Opts.Value("failhard")
	}
	res, ok := r.running.Value(tag(low)).(*ordered.Map)
	return ok && pyfmt.Truth(hard) && res.Value("result") != nil && !pyfmt.Truth(res.Value("result"))
}

// chunk runs one chunk, the ones that it requires first.
func (r *runner) chunk(ctx context.Context, low *ordered.Map, depth int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	low = r.aggregate(low)
	t := tag(low)
	if depth > maxDepth {
		r.finish(low, r.failed(low, "Recursive requisite found"))
		return nil
	}
	if !pyfmt.Truth(low.Value("prerequired")) {
		r.active[t] = true
	}
	status, reqs, err := r.requisites(low, !pyfmt.Truth(low.Value("__prereq__")))
	if err != nil {
		return err
	}
	if status == unmet {
		return r.unmet(ctx, low, t, depth)
	}
	prereq := pyfmt.Truth(low.Value("__prereq__"))
	switch {
	case status == fail:
		if pre := r.pre[t]; pre != nil {
			pre.Set("__run_num__", r.next())
			for _, key := range []string{"__sls__", "__id__", "name"} {
				pre.Set(key, low.Value(key))
			}
			r.running.Set(t, pre)
			break
		}
		res := r.failed(low, "One or more requisite failed: "+strings.Join(r.whatFailed(reqs), ", "))
		r.running.Set(t, res)
		r.pre[t] = res
	case status == change && !prereq:
		if err := r.watched(ctx, low, reqs); err != nil {
			return err
		}
	case status == pre:
		res := r.skipped(low, "No changes detected", false)
		r.running.Set(t, res)
		r.pre[t] = res
	case status == onfail:
		r.running.Set(t, r.skipped(low, "State was not run because onfail req did not change", true))
	case status == onchanges:
		r.running.Set(t, r.skipped(low, "State was not run because none of the onchanges reqs changed", true))
	default:
		res, err := r.call(ctx, low, 1)
		if err != nil {
			return err
		}
		if prereq {
			r.pre[t] = res
		} else {
			r.running.Set(t, res)
		}
	}
	r.told(ctx, low, t)
	return nil
}

// watched runs a chunk whose watched states have changed: when it finds nothing to change itself, it reacts.
func (r *runner) watched(ctx context.Context, low *ordered.Map, reqs map[string][]*ordered.Map) error {
	res, err := r.call(ctx, low, 1)
	if err != nil {
		return err
	}
	if !pyfmt.Truth(res.Value("changes")) && !pyfmt.Truth(res.Value("skip_watch")) {
		watch := low.Clone()
		watch.Set("sfun", low.Value("fun"))
		watch.Set("fun", "mod_watch")
		watch.Set("__reqs__", r.changed(reqs))
		if res, err = r.call(ctx, watch, 1); err != nil {
			return err
		}
	}
	r.running.Set(tag(low), res)
	return nil
}

// unmet runs what a chunk requires and has not run yet, then the chunk; what cannot be found fails it.
func (r *runner) unmet(ctx context.Context, low *ordered.Map, t string, depth int) error {
	reqs, lost := r.find(low)
	if lost != "" {
		res := r.failed(low, lost)
		if pyfmt.Truth(low.Value("__prereq__")) {
			r.pre[t] = res
		} else {
			r.running.Set(t, res)
			r.told(ctx, low, t)
		}
		return nil
	}
	for _, req := range reqs {
		rt := tag(req)
		if r.running.Has(rt) {
			continue
		}
		if r.active[rt] {
			if pyfmt.Truth(req.Value("__prerequired__")) {
				if r.pre[t] == nil {
					low.Set("__prereq__", true)
					res, err := r.call(ctx, low, 1)
					r.pre[rt] = res
					return err
				}
				return nil
			}
			res := r.failed(low, "Recursive requisite found")
			r.running.Set(t, res)
			r.told(ctx, low, t)
			return nil
		}
		if err := r.chunk(ctx, req, depth+1); err != nil {
			return err
		}
		if r.halted = r.halted || r.failhard(req); r.halted {
			return nil
		}
	}
	if !pyfmt.Truth(low.Value("__prereq__")) {
		return r.chunk(ctx, low, depth+1)
	}
	status, _, err := r.requisites(low, false)
	if err != nil {
		return err
	}
	res, err := r.call(ctx, low, 1)
	if err != nil {
		return err
	}
	if !pyfmt.Truth(res.Value("changes")) && status == change {
		res.Set("changes", ordered.Pairs("watch", "watch"))
		res.Set("result", nil)
	}
	r.pre[t] = res
	return nil
}

// finish keeps a result and counts it.
func (r *runner) finish(low, res *ordered.Map) { r.running.Set(tag(low), res) }

// failed is the result of a chunk that did not run.
func (r *runner) failed(low *ordered.Map, comment string) *ordered.Map {
	return r.unrun(low, false, comment)
}

func (r *runner) skipped(low *ordered.Map, comment string, unran bool) *ordered.Map {
	res := r.unrun(low, true, comment)
	if unran {
		res.Set("__state_ran__", false)
	}
	return res
}

func (r *runner) unrun(low *ordered.Map, result any, comment string) *ordered.Map {
	return ordered.Pairs("changes", ordered.New(0), "result", result, "duration", 0.001, "start_time", clock(time.Now()), "comment", comment,
		"__run_num__", r.next(), "__sls__", low.Value("__sls__"), "__id__", low.Value("__id__"), "name", low.Value("name"))
}

func clock(t time.Time) string { return t.Format("15:04:05.000000") }

// whatFailed names the requisites that failed, as SLS.ID.
func (r *runner) whatFailed(reqs map[string][]*ordered.Map) []string {
	var out []string
	for _, lows := range reqs {
		for _, low := range lows {
			t := tag(low)
			res := r.pre[t]
			if res == nil {
				res, _ = r.running.Value(t).(*ordered.Map)
			}
			if name := text(low, "__sls__") + "." + text(low, "__id__"); res != nil && res.Value("result") == false && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	sort.Strings(out)
	return out
}

// changed lists, by requisite, the chunks that a state watches and that have changed something.
func (r *runner) changed(reqs map[string][]*ordered.Map) *ordered.Map {
	out := ordered.New(2)
	for _, kind := range []string{"watch", "watch_any"} {
		for _, low := range reqs[kind] {
			if res, ok := r.running.Value(tag(low)).(*ordered.Map); ok && pyfmt.Truth(res.Value("changes")) {
				out.Set(kind, append(out.List(kind), low))
			}
		}
	}
	return out
}

// told fires the event of a finished state and adds the states that it ran inside itself.
func (r *runner) told(ctx context.Context, low *ordered.Map, t string) {
	res, ok := r.running.Value(t).(*ordered.Map)
	if !ok {
		return
	}
	r.event(ctx, low, res)
	subs := res.List("sub_state_run")
	res.Delete("sub_state_run")
	for _, s := range subs {
		sub, _ := s.(*ordered.Map)
		inner, _ := sub.Value("low").(*ordered.Map)
		if inner == nil {
			continue
		}
		out := ordered.Pairs("name", inner.Value("name"), "changes", sub.Value("changes"), "result", sub.Value("result"), "duration", or(sub.Value("duration"), 0.001),
			"start_time", or(sub.Value("start_time"), clock(time.Now())), "comment", or(sub.Value("comment"), ""), "__state_ran__", true,
			"__run_num__", r.next(), "__sls__", low.Value("__sls__"))
		r.running.Set(tag(inner), out)
	}
}

func or(v, def any) any {
	if v == nil {
		return def
	}
	return v
}

// event tells the master how far the run is, when state_events or the state asks for it.
func (r *runner) event(ctx context.Context, low, res *ordered.Map) {
	fire := low.Value("fire_event")
	if !pyfmt.Truth(r.Env.Opts.Value("state_events")) && !pyfmt.Truth(fire) || r.Env.Events == nil {
		return
	}
	jid := ""
	if r.Env.Job != nil {
		jid = r.Env.Job.JID
	}
	data, tagText := ordered.Pairs("ret", res, "len", int64(len(r.chunks))), "salt/job/"+jid+"/prog/"+r.Env.ID+"/"+pyfmt.Str(res.Value("__run_num__"))
	if fire == true {
		data, tagText = ordered.Pairs("ret", res), "salt/state_result/"+jid+"/"+r.Env.ID+"/"+pyfmt.Str(res.Value("name"))
	} else if s, ok := fire.(string); ok {
		data, tagText = ordered.Pairs("ret", res), "salt/state_result/"+jid+"/"+r.Env.ID+"/"+s
	}
	data.Set("jid", jid)
	if err := r.Env.Events.Send(ctx, tagText, data); err != nil {
		r.Env.Log.Sugar().Warnf("event of a state: %v", err)
	}
}

// aggregate lets the family fold later chunks into this one.
func (r *runner) aggregate(low *ordered.Map) *ordered.Map {
	f := r.States.Family(text(low, "state"))
	if f == nil || f.Aggregate == nil || pyfmt.Truth(low.Value("__agg__")) {
		return low
	}
	wanted, given := low.Get("aggregate")
	if !given {
		wanted = r.Env.Opts.Value("state_aggregate")
	}
	switch t := wanted.(type) {
	case bool:
		if !t {
			return low
		}
	case []any:
		if !slices.ContainsFunc(t, func(v any) bool { return v == f.Name }) {
			return low
		}
	default:
		return low
	}
	low = f.Aggregate(low, r.chunks, r.running)
	low.Set("__agg__", true)
	return low
}

// wait waits for the parallel states.
func (r *runner) wait() {
	for {
		r.mu.Lock()
		var one chan struct{}
		for _, c := range r.started {
			one = c
			break
		}
		r.mu.Unlock()
		if one == nil {
			return
		}
		<-one
	}
}
