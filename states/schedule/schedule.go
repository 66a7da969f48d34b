// Package schedule holds the schedule.* states: jobs that the minion runs by itself are there, absent, enabled or disabled
// (https://docs.saltproject.io/en/3006/ref/states/all/salt.states.schedule.html).
package schedule

import (
	"context"
	"fmt"

	"brine/internal/ordered"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "schedule", Doc: "States of the jobs that the minion runs by itself.", Funcs: []states.Func{
		states.Fn("present", "The job is in the schedule as described.", checkPresent, applyPresent),
		states.Fn("absent", "The job is not in the schedule.", checkThere("delete"), applyThere("delete", "Removed job %s from schedule")),
		states.Fn("disabled", "The job does not run.", checkThere("disable_job"), applyThere("disable_job", "Disabled job %s from schedule")),
		states.Fn("enabled", "The job runs.", checkThere("enable_job"), applyThere("enable_job", "Enabled job %s from schedule")),
	}}
}

type args struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

// plan says what present does.
type plan struct{ fun, comment string }

func list(ctx context.Context, env *states.Env) (*ordered.Map, error) {
	v, err := env.Call(ctx, "schedule.list", modules.Args{Kw: ordered.Pairs("show_all", true, "return_yaml", false)})
	m, _ := v.(*ordered.Map)
	return m, err
}

// ask calls a function of the family that answers with comment, result and changes.
func ask(ctx context.Context, env *states.Env, fun string, in args, test bool) (*ordered.Map, error) {
	kw := in.Kwargs.Clone()
	if test {
		kw.Set("test", true)
	}
	v, err := env.Call(ctx, "schedule."+fun, modules.Args{Pos: []any{in.Name}, Kw: kw})
	m, _ := v.(*ordered.Map)
	return m, err
}

func checkPresent(ctx context.Context, env *states.Env, in args) (c states.Check[plan], err error) {
	current, err := list(ctx, env)
	if err != nil {
		return c, err
	}
	p := plan{"add", "Adding new job " + in.Name + " to schedule"}
	if have := current.Map(in.Name); have != nil {
		p = plan{"modify", "Modifying job " + in.Name + " in schedule"}
		wish, err := ask(ctx, env, "build_schedule_item", in, false)
		if err != nil {
			return c, err
		}
		if ok, given := wish.Get("result"); given && ok == false {
			return states.Done[plan](states.Failed("%s", wish.String("comment"))), nil
		}
		if ordered.Equal(wish, have) {
			return states.Done[plan](states.Fine("Job " + in.Name + " in correct state")), nil
		}
	}
	would, err := ask(ctx, env, p.fun, in, true)
	if err != nil {
		return c, err
	}
	if would.Value("result") == false {
		return states.Done[plan](states.Failed("%s", would.String("comment"))), nil
	}
	return states.Change(p, would.String("comment"), would.Map("changes")), nil
}

func applyPresent(ctx context.Context, env *states.Env, in args, p plan) (*states.Result, error) {
	done, err := ask(ctx, env, p.fun, in, false)
	return result(done, p.comment), err
}

func result(done *ordered.Map, comment string) *states.Result {
	if done.Value("result") != true {
		return states.Failed("%s", done.String("comment"))
	}
	return &states.Result{OK: states.True(), Comment: comment, Changes: done.Map("changes")}
}

func checkThere(fun string) func(context.Context, *states.Env, args) (states.Check[string], error) {
	return func(ctx context.Context, env *states.Env, in args) (c states.Check[string], err error) {
		current, err := list(ctx, env)
		if err != nil {
			return c, err
		}
		job := current.Map(in.Name)
		if job == nil {
			return states.Done[string](states.Fine("Job " + in.Name + " not present in schedule")), nil
		}
		if fun != "delete" && modules.IsTrue(job.Value("enabled")) == (fun == "enable_job") {
			return states.Done[string](states.Fine("Job " + in.Name + " in correct state")), nil
		}
		would, err := ask(ctx, env, fun, in, true)
		if err != nil {
			return c, err
		}
		return states.Change("", would.String("comment"), nil), nil
	}
}

func applyThere(fun, comment string) func(context.Context, *states.Env, args, string) (*states.Result, error) {
	return func(ctx context.Context, env *states.Env, in args, _ string) (*states.Result, error) {
		done, err := ask(ctx, env, fun, in, false)
		return result(done, fmt.Sprintf(comment, in.Name)), err
	}
}
