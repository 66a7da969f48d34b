// Package saltutil holds the saltutil.* functions: they look after the minion itself, its jobs, its grains and pillar,
// its cache and the modules that users have written.
package saltutil

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Jobs are the jobs of the running minion.
type Jobs interface {
	// Running lists the jobs that run, in Salt's shape, without the one named.
	Running(except string) []*ordered.Map
	// Signal reaches everything that a job has started, and tells whether there is such a job.
	Signal(jid string, sig syscall.Signal) bool
}

// Deps are what the family needs of the minion. Either may be nil: alone, without a minion, no jobs run.
type Deps struct {
	Jobs Jobs
	Sync Syncer
}

// Module is the family.
func Module(d Deps) modules.Module {
	u := &util{d}
	funs := []modules.Func{
		modules.Fn("clear_cache", clearCacheDoc, clearCache),
		modules.PureFn("find_job", findJobDoc, u.findJob),
		modules.PureFn("is_running", isRunningDoc, u.isRunning),
		modules.Fn("kill_all_jobs", killAllDoc, u.all(syscall.SIGKILL)),
		modules.Fn("kill_job", killDoc, u.one(syscall.SIGKILL)),
		modules.Fn("pillar_refresh", refreshPillarDoc, refreshPillar),
		modules.Fn("refresh_grains", refreshGrainsDoc, refreshGrains),
		modules.Fn("refresh_pillar", refreshPillarDoc, refreshPillar),
		modules.PureFn("running", runningDoc, u.running),
		modules.Fn("signal_job", signalDoc, u.signalJob),
		modules.Fn("term_all_jobs", termAllDoc, u.all(syscall.SIGTERM)),
		modules.Fn("term_job", termDoc, u.one(syscall.SIGTERM)),
	}
	return modules.Module{Name: "saltutil", Doc: "Functions that look after the minion itself.", Funcs: append(funs, u.syncFuncs()...)}
}

type util struct{ Deps }

type none struct{}

const runningDoc = `List the jobs that run on this minion, each as it was received, with the process that works on it. The job that asks is left out.

CLI Example:

    salt '*' saltutil.running`

func (u *util) running(_ context.Context, env *modules.Env, _ none) (any, error) {
	return u.list(env), nil
}

func (u *util) list(env *modules.Env) []any {
	out := []any{}
	if u.Jobs == nil {
		return out
	}
	own := ""
	if env.Job != nil {
		own = env.Job.JID
	}
	for _, rec := range u.Jobs.Running(own) {
		out = append(out, rec)
	}
	return out
}

const findJobDoc = `Tell what a running job is, by its job id; an empty answer when it does not run here.

CLI Example:

    salt '*' saltutil.find_job <job id>`

type jidArgs struct {
	JID any `arg:"jid"`
}

func (u *util) findJob(_ context.Context, env *modules.Env, in jidArgs) (any, error) {
	if rec := u.find(env, pyfmt.Str(in.JID)); rec != nil {
		return rec, nil
	}
	return ordered.New(0), nil
}

func (u *util) find(env *modules.Env, jid string) *ordered.Map {
	for _, v := range u.list(env) {
		if rec, ok := v.(*ordered.Map); ok && rec.String("jid") == jid {
			return rec
		}
	}
	return nil
}

const isRunningDoc = `List the running jobs whose function matches a name with wildcards.

CLI Example:

    salt '*' saltutil.is_running state.highstate`

type funArgs struct {
	Fun string `arg:"fun"`
}

func (u *util) isRunning(_ context.Context, env *modules.Env, in funArgs) (any, error) {
	out := []any{}
	for _, v := range u.list(env) {
		if rec, ok := v.(*ordered.Map); ok && fnmatch.Match(in.Fun, rec.String("fun")) {
			out = append(out, rec)
		}
	}
	return out, nil
}

const signalDoc = `Send a signal, by number, to everything that a job has started.

CLI Example:

    salt '*' saltutil.signal_job <job id> 15`

type signalArgs struct {
	JID any `arg:"jid"`
	Sig int `arg:"sig"`
}

func (u *util) signalJob(_ context.Context, env *modules.Env, in signalArgs) (any, error) {
	if in.Sig < 0 || in.Sig > 64 {
		return nil, modules.Invalidf("%d is not the number of a signal", in.Sig)
	}
	return u.signal(env, pyfmt.Str(in.JID), syscall.Signal(in.Sig)), nil
}

// signal answers with an empty text when there is no such job.
func (u *util) signal(env *modules.Env, jid string, sig syscall.Signal) string {
	rec := u.find(env, jid)
	if rec == nil {
		return ""
	}
	if !u.Jobs.Signal(jid, sig) {
		return fmt.Sprintf("Job %s was not running and job data has been  cleaned up.", jid)
	}
	return fmt.Sprintf("Signal %d sent to job %s at pid %s", int(sig), jid, pyfmt.Str(rec.Value("pid")))
}

const termDoc = `End a job (SIGTERM), with everything that it has started.

CLI Example:

    salt '*' saltutil.term_job <job id>`

const killDoc = `End a job at once (SIGKILL), with everything that it has started.

CLI Example:

    salt '*' saltutil.kill_job <job id>`

func (u *util) one(sig syscall.Signal) func(context.Context, *modules.Env, jidArgs) (any, error) {
	return func(_ context.Context, env *modules.Env, in jidArgs) (any, error) {
		return u.signal(env, pyfmt.Str(in.JID), sig), nil
	}
}

const termAllDoc = `End all running jobs (SIGTERM), but for the one that asks.

CLI Example:

    salt '*' saltutil.term_all_jobs`

const killAllDoc = `End all running jobs at once (SIGKILL), but for the one that asks.

CLI Example:

    salt '*' saltutil.kill_all_jobs`

func (u *util) all(sig syscall.Signal) func(context.Context, *modules.Env, none) (any, error) {
	return func(_ context.Context, env *modules.Env, _ none) (any, error) {
		out := []any{}
		for _, v := range u.list(env) {
			if rec, ok := v.(*ordered.Map); ok {
				out = append(out, u.signal(env, rec.String("jid"), sig))
			}
		}
		return out, nil
	}
}

const refreshGrainsDoc = `Detect the grains again, and with them compile the pillar again.

refresh_pillar
    False keeps the pillar as it is

CLI Example:

    salt '*' saltutil.refresh_grains`

type refreshGrainsArgs struct {
	Extra         modules.Kwargs `arg:"**kwargs"`
	RefreshPillar bool           `arg:"refresh_pillar" def:"True"`
}

func refreshGrains(ctx context.Context, env *modules.Env, in refreshGrainsArgs) (any, error) {
	if err := env.Grains.Refresh(ctx); err != nil {
		return nil, err
	}
	if in.RefreshPillar {
		if err := env.Pillar.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	return true, nil
}

const refreshPillarDoc = `Compile the pillar again.

CLI Example:

    salt '*' saltutil.refresh_pillar`

type refreshArgs struct {
	// Wait and Timeout are Salt's; here the pillar is always there when the function answers.
	Wait    bool `arg:"wait" def:"False"`
	Timeout int  `arg:"timeout" def:"30"`
	Clean   bool `arg:"clean_cache" def:"True"`
}

func refreshPillar(ctx context.Context, env *modules.Env, _ refreshArgs) (any, error) {
	return true, env.Pillar.Refresh(ctx)
}

const clearCacheDoc = `Remove the files that were fetched from the master. They are fetched again when they are needed.

CLI Example:

    salt '*' saltutil.clear_cache`

type clearArgs struct {
	Days int `arg:"days" def:"-1"`
}

func clearCache(_ context.Context, env *modules.Env, _ clearArgs) (any, error) {
	dir := filepath.Join(env.Opts.String("cachedir"), "files")
	if err := os.RemoveAll(dir); err != nil {
		return nil, modules.Errorf("%v", err)
	}
	return true, nil
}
