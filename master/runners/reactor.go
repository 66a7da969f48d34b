package runners

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Reactor is the master's reactor.
type Reactor interface {
	// List gives the rules as the option reactor has them.
	List() []any
	// Add and Delete change them until the master stops; false says that there is one for the tag already, or none.
	Add(tag string, refs []string) bool
	Delete(tag string) bool
}

func reactorRunner(d *Deps) modules.Module {
	type addArgs struct {
		Event    string   `arg:"event"`
		Reactors []string `arg:"reactors"`
		Saltenv  string   `arg:"saltenv" def:"'base'"`
		Test     any      `arg:"test" def:"None"`
	}
	type deleteArgs struct {
		Event string `arg:"event"`
		Test  any    `arg:"test" def:"None"`
	}
	type listArgs struct {
		Saltenv string `arg:"saltenv" def:"'base'"`
		Test    any    `arg:"test" def:"None"`
	}
	answer := func(ok bool, yes, no string) (any, error) {
		if ok {
			no = yes
		}
		return ordered.Pairs("status", ok, "comment", no), nil
	}
	return modules.Module{Name: "reactor", Doc: "The master's reactor.", Funcs: []modules.Func{
		modules.Fn("list", "List the reactors in force.\n\nCLI Example:\n\n    brine run reactor.list",
			func(context.Context, *modules.Env, listArgs) (any, error) { return d.Reactor().List(), nil }),
		modules.Fn("add", "Add reaction files for an event tag, until the master stops.\n\nCLI Example:\n\n    brine run reactor.add 'my/tag/*' reactors='/srv/reactor/x.sls'",
			func(_ context.Context, _ *modules.Env, in addArgs) (any, error) {
				if pyfmt.Truth(in.Test) {
					return nil, nil
				}
				return answer(d.Reactor().Add(in.Event, in.Reactors), "Reactor added.", "Reactor already exists.")
			}),
		modules.Fn("delete", "Take the reactor of an event tag out of force.\n\nCLI Example:\n\n    brine run reactor.delete 'my/tag/*'",
			func(_ context.Context, _ *modules.Env, in deleteArgs) (any, error) {
				if pyfmt.Truth(in.Test) {
					return nil, nil
				}
				return answer(d.Reactor().Delete(in.Event), "Reactor deleted.", "Reactor does not exists.")
			}),
		modules.Fn("is_leader", "Tell whether this master is the one that reacts.", func(context.Context, *modules.Env, listArgs) (any, error) { return true, nil }),
	}}
}
