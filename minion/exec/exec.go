// Package exec runs jobs: it finds the function, binds the arguments, catches panics and says what came of it, in the
// words and with the return codes of a Salt minion. The running minion, its local socket and brine call --local share it.
package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/saltargs"
	"brine/modules"
	"brine/proto"
)

// Runtime is what jobs run with. Set the fields before the first job; Swap changes the functions later.
type Runtime struct {
	ID     string
	Opts   *ordered.Map
	Grains modules.Grains
	Pillar modules.Pillar
	Files  modules.Files
	Host   host.Runner
	Events modules.Events
	Log    *zap.Logger

	mods atomic.Pointer[modules.Registry]
}

// Swap puts a new set of functions in force; jobs under way keep theirs.
func (r *Runtime) Swap(reg *modules.Registry) { r.mods.Store(reg) }

// Mods are the functions in force.
func (r *Runtime) Mods() *modules.Registry { return r.mods.Load() }

// Env makes the environment of one job.
func (r *Runtime) Env(job *modules.Job) *modules.Env {
	saltenv := r.Opts.String("saltenv")
	if saltenv == "" {
		saltenv = "base"
	}
	return &modules.Env{
		ID: r.ID, Opts: r.Opts, Grains: r.Grains, Pillar: r.Pillar, Files: r.Files, Host: r.Host, Events: r.Events,
		Mods: r.Mods(), Context: &modules.Context{}, Log: r.Log, Job: job, Saltenv: saltenv, Pillarenv: r.Opts.String("pillarenv"),
		Test: pyfmt.Truth(r.Opts.Value("test")),
	}
}

// Kind sorts the ways in which a call can fail.
type Kind int

// The kinds of failure.
const (
	OK            Kind = iota
	NotAvailable       // no such function, or its module cannot be used here
	BadArguments       // the positional arguments do not fit
	BadKeywords        // keyword arguments that the function does not know
	Refused            // the function cannot work with the values given
	CommandFailed      // an expected failure
	Exception          // any other error
	Panicked
	Deadline // the job ran out of time
	Stopped  // the job was ended from outside
)

// Outcome is what came of one call.
type Outcome struct {
	Value   any
	Kind    Kind
	Err     error  // nil when Kind is OK
	Doc     string // of the function, for BadArguments
	Fun     string
	Retcode int
	Out     string
}

// Text is the outcome as a minion returns it: the value, or for a failure Salt's text.
func (o *Outcome) Text() any {
	switch o.Kind {
	case OK:
		return o.Value
	case NotAvailable:
		if o.Value != nil {
			return o.Value
		}
		return o.Err.Error()
	case BadArguments:
		return fmt.Sprintf("Passed invalid arguments to %s: %s\n%s", o.Fun, o.Err, o.Doc)
	case BadKeywords, Refused:
		return fmt.Sprintf("ERROR executing '%s': %s", o.Fun, o.Err)
	case CommandFailed:
		return "ERROR: " + o.Err.Error()
	case Deadline, Stopped:
		return o.Err.Error()
	default:
		return "The minion function caused an exception: " + o.Err.Error()
	}
}

// Status is the terminal state that the outcome means for its job.
func (o *Outcome) Status() proto.Status {
	switch {
	case o.Kind == Deadline:
		return proto.TimedOut
	case o.Kind == Stopped:
		return proto.Cancelled
	case o.Kind == OK && o.Retcode == 0:
		return proto.Succeeded
	}
	return proto.Failed
}

// Call runs one function. Errors are part of the outcome.
func (r *Runtime) Call(ctx context.Context, job *modules.Job, fun string, a modules.Args) *Outcome {
	o := &Outcome{Fun: fun}
	env := r.Env(job)
	job.SetRetcode(0)
	f, err := env.Mods.Lookup(env, fun)
	if err != nil {
		o.Kind, o.Err, o.Retcode, o.Out = NotAvailable, err, 1, "nested"
		return o
	}
	o.Doc = f.Doc
	o.Value, err = guarded(ctx, env, f, a)
	o.Out = job.Out()
	if err != nil {
		o.Kind, o.Err, o.Retcode, o.Out = kindOf(ctx, err), err, max(job.Retcode(), 1), "nested"
		if o.Kind == Panicked {
			r.Log.Error("a function panicked", zap.String("fun", fun), zap.Error(err))
		}
		o.replace(ctx)
		return o
	}
	o.Retcode = job.Retcode()
	if o.Retcode == 0 && failed(o.Value) {
		o.Retcode = 1
	}
	return o
}

// replace gives the two ways of being ended from outside a text of their own.
func (o *Outcome) replace(ctx context.Context) {
	switch o.Kind {
	case Deadline:
		o.Err = fmt.Errorf("%s ran longer than its time limit and was ended", o.Fun)
	case Stopped:
		o.Err = fmt.Errorf("%s was ended: %w", o.Fun, context.Cause(ctx))
	}
}

// failed tells whether a result says of itself that it is a failure.
func failed(v any) bool {
	m, ok := v.(*ordered.Map)
	if !ok {
		return false
	}
	for _, key := range []string{"result", "success"} {
		if v, ok := m.Get(key); ok && !pyfmt.Truth(v) {
			return true
		}
	}
	return false
}

// panicError is a panic made into an error: a mistake in a function is that job's affair, never the minion's end.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("%v\n%s", e.value, strings.TrimSpace(string(e.stack)))
}

func guarded(ctx context.Context, env *modules.Env, f *modules.Func, a modules.Args) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	if v, err = f.Call(ctx, env, a); err != nil {
		return nil, err
	}
	return ordered.Of(v), nil
}

func kindOf(ctx context.Context, err error) Kind {
	var (
		missing *modules.NotAvailableError
		args    *modules.ArgError
		invalid *modules.InvocationError
		command *modules.CommandError
		crash   *panicError
	)
	switch {
	case errors.As(err, &crash):
		return Panicked
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return Deadline
	case ctx.Err() != nil:
		return Stopped
	case errors.As(err, &args) && args.Keywords != "":
		return BadKeywords
	case errors.As(err, &args):
		return BadArguments
	case errors.As(err, &invalid):
		return Refused
	case errors.As(err, &command), errors.As(err, &missing):
		return CommandFailed
	}
	return Exception
}

// Run runs a job as a minion was sent it, compound commands included, and makes its return.
func (r *Runtime) Run(ctx context.Context, j *proto.Job, request *ordered.Map) *proto.Return {
	ret := &proto.Return{ID: r.ID, JID: j.JID, Fun: j.Fun, FunArgs: j.Arg, User: j.User, Meta: j.Meta, Started: time.Now().UnixMilli()}
	var value any
	if funs, ok := j.Fun.([]any); ok {
		value = r.compound(ctx, j, funs, request, ret)
	} else {
		fun := pyfmt.Str(j.Fun)
		pos, kw := saltargs.FromJob(j.Arg)
		o := r.Call(ctx, modulesJob(j, fun, request), fun, modules.Args{Pos: pos, Kw: kw})
		value, ret.Retcode, ret.Out, ret.Status = o.Text(), o.Retcode, o.Out, o.Status()
		ret.Success = o.Kind == OK && o.Retcode == 0
	}
	ret.Ended = time.Now().UnixMilli()
	if err := ret.SetValue(value); err != nil {
		ret.Retcode, ret.Success, ret.Status = 1, false, proto.Failed
		_ = ret.SetValue("The return of the function cannot be sent: " + err.Error())
	}
	return ret
}

func modulesJob(j *proto.Job, fun string, request *ordered.Map) *modules.Job {
	return &modules.Job{
		JID: j.JID, Fun: fun, User: pyfmt.Str(j.User), Tgt: pyfmt.Str(j.Tgt), TgtType: j.TgtType, Request: request,
	}
}

// compound runs several functions one after another. Its answers are maps by function name.
func (r *Runtime) compound(ctx context.Context, j *proto.Job, funs []any, request *ordered.Map, ret *proto.Return) any {
	values, codes, good := ordered.New(len(funs)), ordered.New(len(funs)), ordered.New(len(funs))
	ret.Status, ret.Success = proto.Succeeded, true
	for i, f := range funs {
		fun := pyfmt.Str(f)
		var list []any
		if i < len(j.Arg) {
			if l, ok := j.Arg[i].([]any); ok {
				list = l
			} else {
				list = []any{j.Arg[i]}
			}
		}
		pos, kw := saltargs.FromJob(list)
		o := r.Call(ctx, modulesJob(j, fun, request), fun, modules.Args{Pos: pos, Kw: kw})
		values.Set(fun, o.Text())
		codes.Set(fun, int64(o.Retcode))
		ok := o.Kind == OK && o.Retcode == 0
		good.Set(fun, ok)
		ret.Retcode = max(ret.Retcode, o.Retcode)
		if !ok {
			ret.Success, ret.Status = false, o.Status()
		}
	}
	ret.Extra = ordered.Pairs("retcode", codes, "success", good)
	return values
}

// Pure tells whether every function of a job only reads.
func (r *Runtime) Pure(fun any) bool {
	list, ok := fun.([]any)
	if !ok {
		list = []any{fun}
	}
	env := r.Env(&modules.Job{})
	for _, f := range list {
		fn, err := env.Mods.Lookup(env, pyfmt.Str(f))
		if err == nil && !fn.Pure {
			return false
		}
	}
	return true
}
