package runners

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/master/store"
	"brine/modules"
	"brine/proto"
)

type jidArgs struct {
	JID any `arg:"jid"`
}

// text is a job id that may have come as a number.
func (a jidArgs) text() string { return fmt.Sprint(a.JID) }

type lookupArgs struct {
	JID       any  `arg:"jid"`
	ExtSource any  `arg:"ext_source" def:"None"`
	Returned  bool `arg:"returned" def:"True"`
	Missing   bool `arg:"missing" def:"False"`
	Progress  any  `arg:"display_progress" def:"False"`
}

type listArgs struct {
	ExtSource any `arg:"ext_source" def:"None"`
	Outputter any `arg:"outputter" def:"None"`
	Metadata  any `arg:"search_metadata" def:"None"`
	Function  any `arg:"search_function" def:"None"`
	Target    any `arg:"search_target" def:"None"`
	Start     any `arg:"start_time" def:"None"`
	End       any `arg:"end_time" def:"None"`
	Progress  any `arg:"display_progress" def:"False"`
}

func jobsRunner(d *Deps) modules.Module {
	j := jobs{d}
	return modules.Module{Name: "jobs", Doc: "The job cache.", Funcs: []modules.Func{
		modules.PureFn("list_jobs", "List the jobs of the job cache.\n\nCLI Example:\n\n    brine run jobs.list_jobs search_function='test.*' search_target=web1", j.list),
		modules.PureFn("list_job", "Show one job with its results.\n\nCLI Example:\n\n    brine run jobs.list_job 20310504101112345678", j.one),
		modules.PureFn("print_job", "Show one job with its results, under its id.\n\nCLI Example:\n\n    brine run jobs.print_job 20310504101112345678", j.print),
		modules.PureFn("lookup_jid", "Show what the minions returned for a job.\n\nCLI Example:\n\n    brine run jobs.lookup_jid 20310504101112345678", j.lookup),
		modules.PureFn("active", "List the jobs that some minion has not answered yet.\n\nCLI Example:\n\n    brine run jobs.active", j.active),
		modules.PureFn("exit_success", "Tell for each minion of a job whether it succeeded.\n\nCLI Example:\n\n    brine run jobs.exit_success 20310504101112345678", j.success),
		modules.PureFn("last_run", "Show the newest job that fits.\n\nCLI Example:\n\n    brine run jobs.last_run function=state.apply target=web1", j.last),
		modules.PureFn("find", "List jobs a page at a time, the newest first; before is the id where the page before ended.\n\nCLI Example:\n\n    brine run jobs.find fun='state.*' minion=web1 limit=20", j.find),
		modules.PureFn("list_jobs_filter", "List the newest jobs.\n\nCLI Example:\n\n    brine run jobs.list_jobs_filter 5", j.newest),
	}}
}

type jobs struct{ d *Deps }

// head is a job in the shape of jobs.list_jobs.
func head(j *store.Job) *ordered.Map {
	m := ordered.Pairs("Function", j.Fun, "Arguments", j.Arg, "Target", j.Tgt, "Target-type", j.TgtType, "User", fmt.Sprint(j.User), "StartTime", proto.StartTime(j.JID))
	if j.User == nil {
		m.Set("User", "root")
	}
	if j.Meta != nil {
		m.Set("Metadata", j.Meta)
	}
	return m
}

func (j jobs) list(ctx context.Context, _ *modules.Env, in listArgs) (any, error) {
	q := store.JobQuery{Funs: globs(in.Function), Tgts: globs(in.Target), Limit: 100_000}
	var err error
	if q.Since, err = moment(in.Start); err != nil {
		return nil, err
	}
	if q.Until, err = moment(in.End); err != nil {
		return nil, err
	}
	list, err := j.d.Store.Jobs(ctx, q)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(list))
	for i := len(list) - 1; i >= 0; i-- { // oldest first, as Salt lists them
		if hasMetadata(list[i].Meta, in.Metadata) {
			out.Set(list[i].JID, head(&list[i]))
		}
	}
	return out, nil
}

type findJobsArgs struct {
	Fun    any    `arg:"fun" def:"None"`
	Target any    `arg:"target" def:"None"`
	User   string `arg:"user" def:"''"`
	Minion string `arg:"minion" def:"''"`
	Before any    `arg:"before" def:"''"`
	Limit  int    `arg:"limit" def:"100"`
}

func (j jobs) find(ctx context.Context, _ *modules.Env, in findJobsArgs) (any, error) {
	list, err := j.d.Store.Jobs(ctx, store.JobQuery{Funs: globs(in.Fun), Tgts: globs(in.Target), User: in.User, Minion: in.Minion, Before: fmt.Sprint(in.Before), Limit: min(max(in.Limit, 1), 1000)})
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(list))
	for i := range list {
		out.Set(list[i].JID, head(&list[i]))
	}
	return out, nil
}

// globs reads a search: a text with commas, or a list. A nil search finds everything.
func globs(v any) []string {
	var out []string
	for _, s := range textList(v) {
		for _, g := range strings.Split(s, ",") {
			if g = strings.TrimSpace(g); g != "" {
				out = append(out, g)
			}
		}
	}
	return out
}

func hasMetadata(meta *ordered.Map, want any) bool {
	w, ok := want.(*ordered.Map)
	if !ok {
		return true
	}
	for k, v := range w.All() {
		have, ok := meta.Get(k)
		if !ok || !ordered.Equal(have, v) {
			return false
		}
	}
	return true
}

// moment reads a time as operators write it; nil is none.
func moment(v any) (time.Time, error) {
	if v == nil || v == "" {
		return time.Time{}, nil
	}
	text := strings.TrimSpace(fmt.Sprint(v))
	for _, layout := range []string{"2006, Jan 02 15:04:05.000000", "2006, Jan 02 15:04", "2006, Jan 02", time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02", "2006/01/02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, modules.Errorf("cannot read the time %q: write it as 2031-05-04 10:11", text)
}

func (j jobs) one(ctx context.Context, _ *modules.Env, in jidArgs) (any, error) {
	return j.full(ctx, in.text(), true)
}

func (j jobs) full(ctx context.Context, jid string, withJID bool) (*ordered.Map, error) {
	job, err := j.d.Store.Job(ctx, jid)
	if errors.Is(err, store.ErrNotFound) {
		return ordered.Pairs("jid", jid, "Result", ordered.New(0), "StartTime", proto.StartTime(jid),
			"Error", "Cannot contact returner or no job with this jid"), nil
	}
	if err != nil {
		return nil, err
	}
	out := ordered.New(8)
	if withJID {
		out.Set("jid", jid)
	}
	out.Update(head(job))
	out.Set("Minions", ordered.Of(append([]string{}, job.Minions...)))
	rets, err := j.d.Store.Returns(ctx, jid)
	if err != nil {
		return nil, err
	}
	result := ordered.New(len(rets))
	for i := range rets {
		m, err := resultOf(&rets[i])
		if err != nil {
			return nil, err
		}
		result.Set(rets[i].ID, m)
	}
	out.Set("Result", result)
	return out, nil
}

func resultOf(r *proto.Return) (*ordered.Map, error) {
	v, err := r.Value()
	if err != nil {
		return nil, err
	}
	m := ordered.Pairs("return", v, "retcode", r.Retcode, "success", r.Success)
	for _, k := range []string{"retcode", "success"} { // compound commands have one for each function
		if e, ok := r.Extra.Get(k); ok {
			m.Set(k, e)
		}
	}
	if r.Out != "" {
		m.Set("out", r.Out)
	}
	return m, nil
}

func (j jobs) print(ctx context.Context, _ *modules.Env, in jidArgs) (any, error) {
	full, err := j.full(ctx, in.text(), false)
	if err != nil {
		return nil, err
	}
	return ordered.Pairs(in.text(), full), nil
}

func (j jobs) lookup(ctx context.Context, env *modules.Env, in lookupArgs) (any, error) {
	jid := fmt.Sprint(in.JID)
	rets, err := j.d.Store.Returns(ctx, jid)
	if err != nil {
		return ordered.New(0), nil //nolint:nilerr // what is no job id has no returns
	}
	out := ordered.New(len(rets))
	outputter := ""
	for i := range rets {
		v, err := rets[i].Value()
		if err != nil {
			return nil, err
		}
		if in.Returned {
			out.Set(rets[i].ID, v)
		}
		if i == 0 {
			outputter = rets[i].Out
		}
	}
	if in.Missing {
		job, err := j.d.Store.Job(ctx, jid)
		if err == nil {
			for _, id := range job.Minions {
				if !out.Has(id) {
					out.Set(id, "Minion did not return")
				}
			}
		}
	}
	if outputter != "" && outputter != "nested" {
		env.Job.SetOut(outputter)
		return ordered.Pairs("outputter", outputter, "data", out), nil
	}
	return out, nil
}

func (j jobs) active(ctx context.Context, _ *modules.Env, _ struct {
	Progress any `arg:"display_progress" def:"False"`
}) (any, error) {
	list, err := j.d.Store.OpenJobs(ctx)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(list))
	for i := range list {
		m := head(&list[i])
		accepted, waiting := j.d.Running(list[i].JID)
		running, returned := []any{}, []any{}
		for _, id := range accepted {
			running = append(running, ordered.Pairs(id, int64(0)))
		}
		open := map[string]bool{}
		for _, id := range waiting {
			open[id] = true
		}
		for _, id := range list[i].Minions {
			if !open[id] {
				returned = append(returned, id)
			}
		}
		m.Set("Running", running)
		m.Set("Returned", returned)
		out.Set(list[i].JID, m)
	}
	return out, nil
}

func (j jobs) success(ctx context.Context, _ *modules.Env, in jidArgs) (any, error) {
	rets, err := j.d.Store.Returns(ctx, in.text())
	if err != nil {
		return nil, modules.Errorf("%q is no job id", in.text())
	}
	out := ordered.New(len(rets))
	if job, err := j.d.Store.Job(ctx, in.text()); err == nil {
		for _, id := range job.Minions {
			out.Set(id, false)
		}
	}
	for i := range rets {
		out.Set(rets[i].ID, rets[i].Retcode == 0)
	}
	return out, nil
}

type lastArgs struct {
	ExtSource any `arg:"ext_source" def:"None"`
	Outputter any `arg:"outputter" def:"None"`
	Metadata  any `arg:"metadata" def:"None"`
	Function  any `arg:"function" def:"None"`
	Target    any `arg:"target" def:"None"`
	Progress  any `arg:"display_progress" def:"False"`
}

func (j jobs) last(ctx context.Context, _ *modules.Env, in lastArgs) (any, error) {
	list, err := j.d.Store.Jobs(ctx, store.JobQuery{Funs: globs(in.Function), Tgts: globs(in.Target)})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if hasMetadata(list[i].Meta, in.Metadata) {
			full, err := j.full(ctx, list[i].JID, false)
			if err != nil {
				return nil, err
			}
			return ordered.Pairs(list[i].JID, full), nil
		}
	}
	return false, nil
}

func (j jobs) newest(ctx context.Context, _ *modules.Env, in struct {
	Count int `arg:"count"`
}) (any, error) {
	list, err := j.d.Store.Jobs(ctx, store.JobQuery{Limit: max(in.Count, 1)})
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(list))
	for i := range list {
		out.Set(list[i].JID, head(&list[i]))
	}
	return out, nil
}
