package schedule

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

const addDoc = `Add a job to the schedule. It is kept over restarts unless persist=False.

CLI Example:

    salt '*' schedule.add job1 function='test.ping' seconds=3600
    salt '*' schedule.add job2 function='cmd.run' job_args="['date >> /tmp/date.log']" seconds=60`

type jobArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

// conflict finds times that cannot stand together.
func conflict(kw *ordered.Map) string {
	for _, unit := range []string{"seconds", "minutes", "hours", "days"} {
		if kw.Has(unit) && (kw.Has("when") || kw.Has("cron")) {
			return `Unable to use "seconds", "minutes", "hours", or "days" with "when" or "cron" options.`
		}
	}
	if kw.Has("when") && kw.Has("cron") {
		return `Unable to use "when" and "cron" options together.  Ignoring.`
	}
	return ""
}

const buildDoc = `Give the entry that schedule.add would make of its arguments.

CLI Example:

    salt '*' schedule.build_schedule_item job1 function='test.ping' seconds=3600`

func (s *schedule) build(_ context.Context, _ *modules.Env, in jobArgs) (any, error) {
	job, problem := item(in.Name, in.Kwargs)
	if problem != "" {
		return ordered.Pairs("comment", problem, "result", false), nil
	}
	return job, nil
}

// item makes an entry of the arguments of add, in the order in which Salt writes it.
func item(name string, kw *ordered.Map) (job *ordered.Map, problem string) {
	if name == "" {
		return nil, "Job name is required."
	}
	if text := conflict(kw); text != "" {
		return nil, text
	}
	job = ordered.New(8)
	copyKeys := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			if v, ok := kw.Get(pairs[i]); ok {
				job.Set(pairs[i+1], v)
			}
		}
	}
	copyKeys("function", "function", "seconds", "seconds", "minutes", "minutes", "hours", "hours", "days", "days", "return_job", "return_job", "metadata", "metadata",
		"job_args", "args", "job_kwargs", "kwargs")
	job.Set("maxrunning", int64(1))
	job.Set("name", name)
	job.Set("enabled", true)
	copyKeys("maxrunning", "maxrunning", "name", "name", "enabled", "enabled")
	if v, ok := kw.Get("jid_include"); !ok || pyfmt.Truth(v) {
		job.Set("jid_include", true)
	}
	copyKeys("splay", "splay", "range", "range", "when", "when", "once", "once", "once_fmt", "once_fmt", "cron", "cron", "returner", "returner", "after", "after",
		"return_config", "return_config", "return_kwargs", "return_kwargs", "until", "until", "run_on_start", "run_on_start", "skip_during_range", "skip_during_range",
		"run_after_skip_range", "run_after_skip_range")
	return job, ""
}

func (s *schedule) has(name string) bool { return s.Store.List("").Map(name) != nil }

func persist(kw *ordered.Map) bool {
	v, ok := kw.Get("persist")
	return !ok || pyfmt.Truth(v)
}

func test(kw *ordered.Map) bool { return pyfmt.Truth(kw.Value("test")) }

func (s *schedule) add(_ context.Context, _ *modules.Env, in jobArgs) (any, error) {
	none := ordered.New(0)
	if s.has(in.Name) {
		return answer(false, none, "Job %s already exists in schedule.", in.Name), nil
	}
	if text := conflict(in.Kwargs); strings.HasPrefix(text, "Unable to use \"seconds") {
		return answer(false, none, "Error: %s", text), nil
	}
	job, problem := item(in.Name, in.Kwargs)
	switch {
	case problem != "":
		return answer(false, none, "%s", problem), nil
	case !job.Has("function"):
		return nil, modules.Invalidf("schedule.add: a function is required")
	case test(in.Kwargs):
		return answer(true, none, "Job: %s would be added to schedule.", in.Name), nil
	}
	if err := s.Store.Put(in.Name, job, persist(in.Kwargs)); err != nil {
		return failed(err), nil
	}
	return answer(true, ordered.Pairs(in.Name, "added"), "Added job: %s to schedule.", in.Name), nil
}

const modifyDoc = `Change a job of the schedule. The arguments are those of schedule.add.

CLI Example:

    salt '*' schedule.modify job1 function='test.ping' seconds=3600`

func (s *schedule) modify(_ context.Context, _ *modules.Env, in jobArgs) (any, error) {
	none := ordered.New(0)
	old := s.shown("", true, true).Map(in.Name)
	if old == nil {
		return answer(false, none, "Job %s does not exist in schedule.", in.Name), nil
	}
	if text := conflict(in.Kwargs); text != "" {
		return answer(false, none, "%s", text), nil
	}
	kw := in.Kwargs.Clone()
	if !kw.Has("function") {
		kw.Set("function", old.Value("function"))
	}
	job, problem := item(in.Name, kw)
	if problem != "" {
		return answer(false, none, "%s", problem), nil
	}
	if ordered.Equal(old, job) {
		return answer(true, none, "Job %s in correct state", in.Name), nil
	}
	changes := ordered.Pairs("diff", diff(old, job))
	if test(in.Kwargs) {
		return answer(true, changes, "Job: %s would be modified in schedule.", in.Name), nil
	}
	if err := s.Store.Put(in.Name, job, persist(in.Kwargs)); err != nil {
		return failed(err), nil
	}
	return answer(true, changes, "Modified job: %s in schedule.", in.Name), nil
}

// diff shows the fields that differ, one a line.
func diff(old, job *ordered.Map) string {
	var names []string
	for _, m := range []*ordered.Map{old, job} {
		for k := range m.All() {
			if name := pyfmt.Str(k); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("--- \n+++ \n")
	for _, name := range names {
		was, had := old.Get(name)
		is, has := job.Get(name)
		if had && has && ordered.Equal(was, is) {
			continue
		}
		if had {
			fmt.Fprintf(&b, "-%s:%s\n", name, pyfmt.Str(was))
		}
		if has {
			fmt.Fprintf(&b, "+%s:%s\n", name, pyfmt.Str(is))
		}
	}
	return b.String()
}

const deleteDoc = `Remove a job from the schedule.

CLI Example:

    salt '*' schedule.delete job1`

func (s *schedule) delete(_ context.Context, _ *modules.Env, in jobArgs) (any, error) {
	switch {
	case in.Name == "":
		return answer(false, ordered.New(0), "Job name is required."), nil
	case !s.has(in.Name):
		return answer(false, ordered.New(0), "Job %s does not exist.", in.Name), nil
	case test(in.Kwargs):
		return answer(true, ordered.New(0), "Job: %s would be deleted from schedule.", in.Name), nil
	}
	if err := s.Store.Remove(in.Name, persist(in.Kwargs)); err != nil {
		return failed(err), nil
	}
	return answer(true, ordered.Pairs(in.Name, "removed"), "Deleted Job %s from schedule.", in.Name), nil
}

const purgeDoc = `Remove all jobs from the schedule.

CLI Example:

    salt '*' schedule.purge`

type allArgs struct {
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func (s *schedule) purge(_ context.Context, _ *modules.Env, in allArgs) (any, error) {
	comments, changes := []any{}, ordered.New(0)
	for k, v := range s.Store.List("").All() {
		name := pyfmt.Str(k)
		if _, ok := v.(*ordered.Map); !ok || strings.HasPrefix(name, "__") {
			continue
		}
		if test(in.Kwargs) {
			comments = append(comments, fmt.Sprintf("Job: %s would be deleted from schedule.", name))
			continue
		}
		if err := s.Store.Remove(name, persist(in.Kwargs)); err != nil {
			return ordered.Pairs("comment", []any{err.Error()}, "changes", changes, "result", false), nil
		}
		comments = append(comments, fmt.Sprintf("Deleted job: %s from schedule.", name))
		changes.Set(name, "removed")
	}
	return ordered.Pairs("comment", comments, "changes", changes, "result", true), nil
}

const (
	enableDoc = `Let the minion run its schedule again.

CLI Example:

    salt '*' schedule.enable`
	disableDoc = `Stop the minion from running its schedule.

CLI Example:

    salt '*' schedule.disable`
	enableJobDoc = `Let a job of the schedule run again.

CLI Example:

    salt '*' schedule.enable_job job1`
	disableJobDoc = `Keep a job in the schedule and do not run it.

CLI Example:

    salt '*' schedule.disable_job job1`
)

func words(on bool) (past, upper string) {
	if on {
		return "enabled", "Enabled"
	}
	return "disabled", "Disabled"
}

func (s *schedule) switchAll(on bool) func(context.Context, *modules.Env, allArgs) (any, error) {
	past, upper := words(on)
	return func(_ context.Context, _ *modules.Env, in allArgs) (any, error) {
		if test(in.Kwargs) {
			return answer(true, ordered.New(0), "Schedule would be %s.", past), nil
		}
		if err := s.Store.SetEnabled("", on, persist(in.Kwargs)); err != nil {
			return failed(err), nil
		}
		return answer(true, ordered.Pairs("schedule", past), "%s schedule on minion.", upper), nil
	}
}

func (s *schedule) switchJob(on bool) func(context.Context, *modules.Env, jobArgs) (any, error) {
	past, upper := words(on)
	return func(_ context.Context, _ *modules.Env, in jobArgs) (any, error) {
		switch {
		case in.Name == "":
			return answer(false, ordered.New(0), "Job name is required."), nil
		case test(in.Kwargs):
			return answer(true, ordered.New(0), "Job: %s would be %s in schedule.", in.Name, past), nil
		case !s.has(in.Name):
			return answer(false, ordered.New(0), "Job %s does not exist.", in.Name), nil
		}
		if err := s.Store.SetEnabled(in.Name, on, persist(in.Kwargs)); err != nil {
			return failed(err), nil
		}
		return answer(true, ordered.Pairs(in.Name, past), "%s Job %s in schedule.", upper, in.Name), nil
	}
}

const saveDoc = `Write all jobs of the schedule, but for those of the pillar, to the minion's configuration.

CLI Example:

    salt '*' schedule.save`

func (s *schedule) save(_ context.Context, _ *modules.Env, in allArgs) (any, error) {
	if test(in.Kwargs) {
		return answer(true, nil, "Schedule would be saved."), nil
	}
	if err := s.Store.Save(); err != nil {
		return failed(err), nil
	}
	return answer(true, nil, "Schedule (non-pillar items) saved."), nil
}

const reloadDoc = `Go back to the schedule that is configured and saved.

CLI Example:

    salt '*' schedule.reload`

func (s *schedule) reload(context.Context, *modules.Env, allArgs) (any, error) {
	if err := s.Clock.Reset(); err != nil {
		return ordered.Pairs("comment", []any{err.Error()}, "result", false), nil
	}
	return ordered.Pairs("comment", []any{"Reloaded schedule on minion."}, "result", true), nil
}

const runJobDoc = `Run a job of the schedule now.

force
    also when it is disabled

CLI Example:

    salt '*' schedule.run_job job1
    salt '*' schedule.run_job job1 force=True`

type runArgs struct {
	Name  string `arg:"name"`
	Force bool   `arg:"force" def:"False"`
}

func (s *schedule) runJob(_ context.Context, _ *modules.Env, in runArgs) (any, error) {
	job := s.shown("", true, true).Map(in.Name)
	switch {
	case in.Name == "":
		return answer(false, nil, "Job name is required."), nil
	case job == nil:
		return answer(false, nil, "Job %s does not exist.", in.Name), nil
	case !pyfmt.Truth(job.Value("enabled")) && !in.Force:
		return answer(false, nil, "Job %s is disabled.", in.Name), nil
	}
	if err := s.Clock.RunNow(in.Name); err != nil {
		return failed(err), nil
	}
	return answer(true, nil, "Scheduling Job %s on minion.", in.Name), nil
}

const nextDoc = `Show when a job of the schedule runs next.

CLI Example:

    salt '*' schedule.show_next_fire_time job1`

type nextArgs struct {
	Name string `arg:"name"`
	Fmt  string `arg:"fmt" def:"'%Y-%m-%dT%H:%M:%S'"`
}

func (s *schedule) nextFire(_ context.Context, _ *modules.Env, in nextArgs) (any, error) {
	if !s.has(in.Name) {
		return answer(false, nil, "Job %s does not exist.", in.Name), nil
	}
	t, ok := s.Clock.NextFire(in.Name)
	if !ok {
		return ordered.Pairs("result", true, "next_fire_time", nil), nil
	}
	return ordered.Pairs("result", true, "next_fire_time", format(in.Fmt, t)), nil
}

const skipDoc = `Leave out one run of a job.

CLI Example:

    salt '*' schedule.skip_job job1 2031-05-04T10:00:00`

type skipArgs struct {
	Name    string         `arg:"name"`
	Current any            `arg:"current_time"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

func (s *schedule) skip(_ context.Context, _ *modules.Env, in skipArgs) (any, error) {
	return s.move(in, nil, "Added Skip Job %s in schedule.")
}

const postponeDoc = `Run a job of the schedule at another time, once.

CLI Example:

    salt '*' schedule.postpone_job job1 2031-05-04T10:00:00 2031-05-04T12:00:00`

type postponeArgs struct {
	Name    string         `arg:"name"`
	Current any            `arg:"current_time"`
	New     any            `arg:"new_time"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

func (s *schedule) postpone(_ context.Context, _ *modules.Env, in postponeArgs) (any, error) {
	return s.move(skipArgs{in.Name, in.Current, in.Kwargs}, in.New, "Postponed Job %s in schedule.")
}

func (s *schedule) move(in skipArgs, instead any, done string) (any, error) {
	switch {
	case in.Name == "":
		return answer(false, nil, "Job name is required."), nil
	case !s.has(in.Name):
		return answer(false, nil, "Job %s does not exist.", in.Name), nil
	}
	layout := in.Kwargs.String("time_fmt")
	at, err := parse(layout, in.Current)
	if err != nil {
		return answer(false, nil, "Date string could not be parsed: %s, %s", pyfmt.Str(in.Current), orDefault(layout)), nil
	}
	var other time.Time
	if instead != nil {
		if other, err = parse(layout, instead); err != nil {
			return answer(false, nil, "Date string could not be parsed: %s, %s", pyfmt.Str(instead), orDefault(layout)), nil
		}
	}
	if err := s.Clock.Skip(in.Name, at, other); err != nil {
		return failed(err), nil
	}
	return answer(true, nil, done, in.Name), nil
}
