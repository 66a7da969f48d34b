// Package runners holds the functions that run on the master: runners (brine run) and wheel functions. They are declared
// like execution functions, so arguments are bound, documented and described in the same way. Shapes are Salt's
// (https://docs.saltproject.io/en/3006/ref/runners/all/index.html).
package runners

import (
	"context"
	"fmt"
	"time"

	"brine/event"
	"brine/internal/ordered"
	"brine/master/store"
	"brine/modules"
	"brine/proto"
)

// Minion is what runners see of a minion.
type Minion struct {
	store.Minion
	Online bool
	State  string // online, asleep, missing
}

// Store is what runners read.
type Store interface {
	Jobs(ctx context.Context, q store.JobQuery) ([]store.Job, error)
	Job(ctx context.Context, jid string) (*store.Job, error)
	Returns(ctx context.Context, jid string) ([]proto.Return, error)
	OpenJobs(ctx context.Context) ([]store.Job, error)
	Events(ctx context.Context, q store.EventQuery) ([]store.Event, error)
	CountEvents(ctx context.Context, q store.EventQuery, parts int) ([]int, error)
}

// Keys is what the wheel's key functions need.
type Keys interface {
	Match(match string, states ...store.KeyState) []store.Key
	Accept(ctx context.Context, list []store.Key) error
	Reject(ctx context.Context, list []store.Key) error
	Delete(ctx context.Context, list []store.Key) error
}

// Deps are the services behind the functions.
type Deps struct {
	Store Store
	Keys  Keys
	// Minions lists every minion with an accepted key, sorted by id.
	Minions func() []Minion
	// Resolve finds the minions that a target means.
	Resolve func(ctx context.Context, tgt any, tgtType string) ([]string, error)
	// Pillar compiles a minion's pillar.
	Pillar func(ctx context.Context, id string) (*ordered.Map, error)
	// Running tells which targets of an open job have accepted it and which have not answered.
	Running func(jid string) (accepted, waiting []string)
	// Local runs a job and collects the answers: {id: return}.
	Local func(ctx context.Context, tgt any, tgtType, fun string, arg []any) (*ordered.Map, error)
	Bus   *event.Bus
	// Fire puts an event on the bus and into the store.
	Fire func(tag string, data *ordered.Map)
	// Config are the options that may be shown, by Salt's names.
	Config *ordered.Map
	// MasterKey is the master's public key as PEM.
	MasterKey string
	// Forget drops what hangs on an id whose key was deleted or rejected; Recheck tells one whose key was accepted.
	Forget  func(ctx context.Context, id string)
	Recheck func(ctx context.Context, id string)
	// Reactor is the master's reactor.
	Reactor func() Reactor
	// Sleep and other pauses are bounded by it.
	MaxPause time.Duration
}

// Runners lists the runner functions.
func Runners(d *Deps) []modules.Module {
	return []modules.Module{jobsRunner(d), manageRunner(d), cacheRunner(d), testRunner(), eventRunner(d), docRunner(d), configRunner(d), saltRunner(d), reactorRunner(d), pillarRunner(d)}
}

// Wheels lists the wheel functions.
func Wheels(d *Deps) []modules.Module {
	return []modules.Module{keyWheel(d), configWheel(d), minionsWheel(d)}
}

type none struct{}

func testRunner() modules.Module {
	type args struct {
		Args   []any          `arg:"*args"`
		Kwargs modules.Kwargs `arg:"**kwargs"`
	}
	type sleepArgs struct {
		Seconds float64 `arg:"s_time" def:"1"`
	}
	arg := func(_ context.Context, _ *modules.Env, in args) (any, error) {
		if in.Args == nil {
			in.Args = []any{}
		}
		return ordered.Pairs("args", in.Args, "kwargs", in.Kwargs), nil
	}
	return modules.Module{Name: "test", Doc: "Functions for trying out runners.", Funcs: []modules.Func{
		modules.PureFn("arg", "Give back the arguments as they arrived.\n\nCLI Example:\n\n    brine run test.arg 1 two k=v", arg),
		modules.PureFn("sleep", "Wait some seconds.\n\nCLI Example:\n\n    brine run test.sleep 3", func(ctx context.Context, _ *modules.Env, in sleepArgs) (any, error) {
			select {
			case <-time.After(time.Duration(in.Seconds * float64(time.Second))):
				return true, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}),
		modules.PureFn("metasyntactic", "Give a few names to play with.", func(context.Context, *modules.Env, none) (any, error) {
			return []any{"foo", "bar", "baz", "qux", "quux"}, nil
		}),
	}}
}

func configRunner(d *Deps) modules.Module {
	type args struct {
		Key     string `arg:"key"`
		Default any    `arg:"default" def:"''"`
	}
	return modules.Module{Name: "config", Doc: "The master's configuration.", Funcs: []modules.Func{
		modules.PureFn("get", "Read an option of the master's configuration.\n\nCLI Example:\n\n    brine run config.get file_roots",
			func(_ context.Context, _ *modules.Env, in args) (any, error) {
				if v, ok := d.Config.Get(in.Key); ok {
					return v, nil
				}
				return in.Default, nil
			}),
	}}
}

func saltRunner(d *Deps) modules.Module {
	type args struct {
		Tgt     any            `arg:"tgt"`
		Fun     string         `arg:"fun"`
		Args    []any          `arg:"arg" def:"[]"`
		TgtType string         `arg:"tgt_type" def:"'glob'"`
		Kwargs  modules.Kwargs `arg:"**kwargs"`
	}
	return modules.Module{Name: "salt", Doc: "Execution functions from the master.", Funcs: []modules.Func{
		modules.Fn("execute", "Run an execution function on minions and collect what they return.\n\nCLI Example:\n\n    brine run salt.execute 'web*' test.ping",
			func(ctx context.Context, _ *modules.Env, in args) (any, error) {
				arg := in.Args
				if in.Kwargs.Len() > 0 {
					kw := in.Kwargs.Clone()
					kw.Set("__kwarg__", true)
					arg = append(arg, kw)
				}
				return d.Local(ctx, in.Tgt, in.TgtType, in.Fun, arg)
			}),
	}}
}

func configWheel(d *Deps) modules.Module {
	return modules.Module{Name: "config", Doc: "The master's configuration.", Funcs: []modules.Func{
		modules.PureFn("values", "The options that clients may see. Secrets are left out.", func(context.Context, *modules.Env, none) (any, error) {
			return d.Config, nil
		}),
	}}
}

func minionsWheel(d *Deps) modules.Module {
	return modules.Module{Name: "minions", Doc: "The connected minions.", Funcs: []modules.Func{
		modules.PureFn("connected", "List the ids of the connected minions.", func(context.Context, *modules.Env, none) (any, error) {
			return d.ids(func(m *Minion) bool { return m.Online }), nil
		}),
	}}
}

// ids lists the minions that a test chooses.
func (d *Deps) ids(want func(*Minion) bool) []any {
	out := []any{}
	for _, m := range d.Minions() {
		if want(&m) {
			out = append(out, m.ID)
		}
	}
	return out
}

func textList(v any) []string {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		out := make([]string, len(t))
		for i, e := range t {
			out[i] = fmt.Sprint(e)
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}
