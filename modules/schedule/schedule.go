// Package schedule holds the schedule.* functions: they list and change the jobs that the minion runs by itself. Texts and
// shapes are Salt's (https://docs.saltproject.io/en/3006/ref/modules/all/salt.modules.schedule.html).
package schedule

import (
	"context"
	"fmt"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyyaml"
	"brine/modules"
)

// Store is the schedule of the running minion.
type Store interface {
	// List is the schedule in force; where is "" for all, "opts" or "pillar" for one source. The map is the caller's.
	List(where string) *ordered.Map
	// Put adds or replaces a job; with persist it outlives the process.
	Put(name string, job *ordered.Map, persist bool) error
	Remove(name string, persist bool) error
	// SetEnabled switches a job, or with "" everything.
	SetEnabled(name string, on, persist bool) error
	// Save writes everything but what the pillar brings.
	Save() error
}

// Clock is about the times of jobs. Errors are for jobs that do not exist.
type Clock interface {
	RunNow(name string) error
	// Skip leaves out the run at a time, and runs the job at another unless that is zero.
	Skip(name string, at, instead time.Time) error
	NextFire(name string) (t time.Time, ok bool)
	Status(name string) *ordered.Map
	// Reset goes back to what is configured and saved.
	Reset() error
}

// Deps are both halves of the scheduler; nil ones: alone, without a minion, there is no schedule.
type Deps struct {
	Store Store
	Clock Clock
}

// Module is the family.
func Module(d Deps) modules.Module {
	s := &schedule{d}
	return modules.Module{
		Name: "schedule", Doc: "Functions for the jobs that the minion runs by itself.",
		Virtual: func(*modules.Env) error {
			if d.Store == nil || d.Clock == nil {
				return modules.Errorf("there is no scheduler here: ask the running minion, without --local")
			}
			return nil
		},
		Funcs: []modules.Func{
			modules.Fn("add", addDoc, s.add),
			modules.Fn("build_schedule_item", buildDoc, s.build),
			modules.Fn("delete", deleteDoc, s.delete),
			modules.Fn("disable", disableDoc, s.switchAll(false)),
			modules.Fn("disable_job", disableJobDoc, s.switchJob(false)),
			modules.Fn("enable", enableDoc, s.switchAll(true)),
			modules.Fn("enable_job", enableJobDoc, s.switchJob(true)),
			modules.PureFn("is_enabled", isEnabledDoc, s.isEnabled),
			modules.PureFn("job_status", jobStatusDoc, s.jobStatus),
			modules.PureFn("list", listDoc, s.list),
			modules.Fn("modify", modifyDoc, s.modify),
			modules.Fn("postpone_job", postponeDoc, s.postpone),
			modules.Fn("purge", purgeDoc, s.purge),
			modules.Fn("reload", reloadDoc, s.reload),
			modules.Fn("run_job", runJobDoc, s.runJob),
			modules.Fn("save", saveDoc, s.save),
			modules.PureFn("show_next_fire_time", nextDoc, s.nextFire),
			modules.Fn("skip_job", skipDoc, s.skip),
		},
	}
}

type schedule struct{ Deps }

// fields are what schedule.list shows of a job.
const fields = " name maxrunning function splay range when once once_fmt returner jid_include args kwargs _seconds seconds minutes hours days enabled return_job metadata cron until after " +
	"return_config return_kwargs run_on_start skip_during_range run_after_skip_range job_args job_kwargs "

const listDoc = `List the jobs that the minion runs by itself.

show_all
    those that begin with two underscores too
show_disabled
    False leaves out jobs that are disabled
where
    opts or pillar lists those of one source
return_yaml
    False gives data instead of text

CLI Example:

    salt '*' schedule.list
    salt '*' schedule.list show_disabled=False where=pillar`

type listArgs struct {
	ShowAll      bool `arg:"show_all" def:"False"`
	ShowDisabled bool `arg:"show_disabled" def:"True"`
	Where        any  `arg:"where" def:"None"`
	ReturnYAML   bool `arg:"return_yaml" def:"True"`
	Offline      bool `arg:"offline" def:"False"`
}

func (s *schedule) list(_ context.Context, _ *modules.Env, in listArgs) (any, error) {
	where, _ := in.Where.(string)
	m := s.shown(where, in.ShowAll, in.ShowDisabled)
	if m.Len() == 0 {
		return ordered.Pairs("schedule", ordered.New(0)), nil
	}
	if in.ReturnYAML {
		return pyyaml.Dump(ordered.Pairs("schedule", m), pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()}), nil
	}
	return m, nil
}

func (s *schedule) shown(where string, all, disabled bool) *ordered.Map {
	out := ordered.New(0)
	for k, v := range s.Store.List(where).All() {
		name := pyfmt.Str(k)
		job, ok := v.(*ordered.Map)
		if !ok {
			out.Set(k, v) // enabled
			continue
		}
		if strings.HasPrefix(name, "__") && !all {
			continue
		}
		one := ordered.New(job.Len() + 1)
		for f, val := range job.All() {
			switch {
			case val == nil || !strings.Contains(fields, " "+pyfmt.Str(f)+" ") || f == "_seconds":
			case val == "true" || val == "false":
				one.Set(f, val == "true")
			default:
				one.Set(f, val)
			}
		}
		if !one.Has("enabled") {
			one.Set("enabled", true)
		}
		if disabled || pyfmt.Truth(one.Value("enabled")) {
			out.Set(k, one)
		}
	}
	return out
}

const isEnabledDoc = `Tell whether the schedule is enabled, or show a job when it is there.

CLI Example:

    salt '*' schedule.is_enabled name=job1
    salt '*' schedule.is_enabled`

type nameArgs struct {
	Name any `arg:"name" def:"None"`
}

func (s *schedule) isEnabled(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	m := s.shown("", false, true)
	if !pyfmt.Truth(in.Name) {
		if v, ok := m.Get("enabled"); ok {
			return v, nil
		}
		return true, nil
	}
	if job := m.Map(pyfmt.Str(in.Name)); job != nil {
		return job, nil
	}
	return ordered.New(0), nil
}

const jobStatusDoc = `Show what the scheduler knows of a job: its entry, when it last ran and when it runs next.

CLI Example:

    salt '*' schedule.job_status job1`

type statusArgs struct {
	Name    string `arg:"name"`
	TimeFmt string `arg:"time_fmt" def:"'%Y-%m-%dT%H:%M:%S'"`
}

func (s *schedule) jobStatus(_ context.Context, _ *modules.Env, in statusArgs) (any, error) {
	return s.Clock.Status(in.Name), nil
}

// answer is the map that changing functions give.
func answer(ok bool, changes *ordered.Map, format string, a ...any) *ordered.Map {
	m := ordered.Pairs("comment", fmt.Sprintf(format, a...), "result", ok)
	if changes != nil {
		m.Set("changes", changes)
	}
	return m
}

func failed(err error) *ordered.Map { return answer(false, ordered.New(0), "%v", err) }
