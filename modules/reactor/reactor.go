// Package reactor holds the reactor.* functions: they administer the reactor of this device and read its cache.
package reactor

import (
	"context"

	"brine/internal/ordered"
	"brine/modules"
)

// Engine is the reactor of the running minion.
type Engine interface {
	Manage(ctx context.Context, args []any, kwargs *ordered.Map) (*ordered.Map, error)
	Cache(ctx context.Context, key string, fields *ordered.Map) (*ordered.Map, error)
}

// Module is the family. engine may be nil: alone, without a minion, nothing reacts to events.
func Module(engine Engine) modules.Module {
	r := reactor{engine}
	return modules.Module{Name: "reactor", Doc: "Functions for the reactor of this device.", Funcs: []modules.Func{
		modules.Fn("cache", cacheDoc, r.cache),
		modules.Fn("context", contextDoc, gone),
		modules.Fn("help", helpDoc, help),
		modules.Fn("manage", manageDoc, r.manage),
	}}
}

type reactor struct{ Engine }

type manageArgs struct {
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const manageDoc = `Administer the reactor with one command:

    hook list
    hook call <name, such as cache_handler> [arg ...] [k=v ...]
    worker list [pattern], worker show [pattern]
    worker create [message ...] name=<name> interval=<seconds>
    worker start|pause|resume|start_or_resume|kill <pattern>
    reactor list, reactor show [part of a name or *]
    context [key ...]               read what the reactor remembers
    context <key ...> value=<v>     set it
    context <key ...> default=<v>   read it, or the default
    run handler=<name> args=<list>  process one message

"context cache" shows the last event of each area. When system/release has the event system/release/pending, retrying or forcing, an update is under way.

CLI Example:

    salt '*' reactor.manage context cache
    salt '*' reactor.manage reactor show '*'`

func (r reactor) manage(ctx context.Context, _ *modules.Env, in manageArgs) (any, error) {
	if r.Engine == nil {
		return nil, errNone
	}
	v, err := r.Manage(ctx, in.Args, in.Kwargs)
	return v, commandError(err)
}

var errNone = modules.Errorf("There is no reactor here: ask the running minion, without --local")

func commandError(err error) error {
	if err == nil {
		return nil
	}
	return modules.Errorf("%v", err)
}

const cacheDoc = `Read the cache of the reactor: all entries, or that of a key. With keywords an entry is stored; one that is equal to what is there is counted up.

CLI Example:

    salt '*' reactor.cache
    salt '*' reactor.cache system/release`

type cacheArgs struct {
	Key    any            `arg:"key" def:"None"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func (r reactor) cache(ctx context.Context, _ *modules.Env, in cacheArgs) (any, error) {
	if r.Engine == nil {
		return nil, errNone
	}
	key, _ := in.Key.(string)
	v, err := r.Cache(ctx, key, in.Kwargs)
	return v, commandError(err)
}

const contextDoc = `No longer there: use reactor.manage context.`

func gone(context.Context, *modules.Env, manageArgs) (any, error) {
	return nil, modules.Errorf("reactor.context is deprecated: use 'reactor.manage context [key ...]' instead")
}

const helpDoc = `Show what the reactor functions do.`

type none struct{}

func help(context.Context, *modules.Env, none) (any, error) {
	return ordered.Pairs("reactor.cache", cacheDoc, "reactor.context", contextDoc, "reactor.manage", manageDoc), nil
}
