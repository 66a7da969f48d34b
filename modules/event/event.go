// Package event holds the event.* functions: they send events to the master and to the minion's own bus.
package event

import (
	"context"
	"errors"
	"os"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "event", Doc: "Functions that send events.", Funcs: []modules.Func{
		modules.Fn("fire", fireDoc, fire),
		modules.Fn("fire_master", fireMasterDoc, fireMaster),
		modules.Fn("send", sendDoc, send),
	}}
}

var errNoBus = errors.New("there is no event bus here")

const fireDoc = `Put an event on the minion's own bus; it does not go to the master.

CLI Example:

    salt '*' event.fire '{"data":"my event data"}' 'tag'`

type fireArgs struct {
	Data    any    `arg:"data"`
	Tag     string `arg:"tag"`
	Timeout any    `arg:"timeout" def:"None"`
}

func fire(ctx context.Context, env *modules.Env, in fireArgs) (any, error) {
	m, ok := in.Data.(*ordered.Map)
	if !ok {
		env.Log.Debug("event.fire: the data is no dict")
		return false, nil
	}
	return deliver(env, func() error { return env.Events.Fire(ctx, in.Tag, m) })
}

// deliver answers whether an event could be handed over.
func deliver(env *modules.Env, do func() error) (any, error) {
	if env.Events == nil {
		return nil, modules.Errorf("%v", errNoBus)
	}
	if err := do(); err != nil {
		env.Log.Error("the event could not be sent: " + err.Error())
		return false, nil
	}
	return true, nil
}

const fireMasterDoc = `Send an event to the master.

CLI Example:

    salt '*' event.fire_master '{"data":"my event data"}' 'tag'`

type fireMasterArgs struct {
	Data    any    `arg:"data"`
	Tag     string `arg:"tag"`
	Preload any    `arg:"preload" def:"None"`
	Timeout any    `arg:"timeout" def:"60"`
}

func fireMaster(ctx context.Context, env *modules.Env, in fireMasterArgs) (any, error) {
	m, ok := in.Data.(*ordered.Map)
	if !ok {
		m = ordered.Pairs("data", in.Data)
	}
	return deliver(env, func() error { return env.Events.Send(ctx, in.Tag, m) })
}

const sendDoc = `Send an event to the master; keyword arguments become its data. In local mode it goes to the minion's own bus.

data
    more data, as a map; it goes over the keyword arguments
with_env, with_grains, with_pillar, with_env_opts
    add environment variables, grains, pillar, or saltenv and pillarenv: True for all, a list of names for some

CLI Example:

    salt-call event.send myco/mytag foo=Foo bar=Bar
    salt-call event.send 'myco/mytag' '{foo: Foo, bar: Bar}' with_grains='[id, os]'`

type sendArgs struct {
	Tag         string         `arg:"tag"`
	Data        any            `arg:"data" def:"None"`
	Preload     any            `arg:"preload" def:"None"`
	WithEnv     any            `arg:"with_env" def:"False"`
	WithGrains  any            `arg:"with_grains" def:"False"`
	WithPillar  any            `arg:"with_pillar" def:"False"`
	WithEnvOpts any            `arg:"with_env_opts" def:"False"`
	Timeout     any            `arg:"timeout" def:"60"`
	Kwargs      modules.Kwargs `arg:"**kwargs"`
}

func send(ctx context.Context, env *modules.Env, in sendArgs) (any, error) {
	data := ordered.New(0)
	if pyfmt.Truth(in.WithEnv) {
		data.Set("environ", subset(environ(), in.WithEnv))
	}
	if pyfmt.Truth(in.WithGrains) {
		data.Set("grains", subset(env.Grains.Items(ctx), in.WithGrains))
	}
	if pyfmt.Truth(in.WithPillar) {
		pillar, err := env.Pillar.Items(ctx)
		if err != nil {
			return nil, err
		}
		data.Set("pillar", subset(pillar, in.WithPillar))
	}
	if pyfmt.Truth(in.WithEnvOpts) {
		data.Set("saltenv", env.Opts.Value("saltenv"))
		data.Set("pillarenv", env.Opts.Value("pillarenv"))
	}
	data.Update(in.Kwargs)
	if m, ok := in.Data.(*ordered.Map); ok {
		data.Update(m)
	}
	local := pyfmt.Truth(env.Opt("local")) || env.Opts.String("file_client") == "local"
	return deliver(env, func() error {
		if local {
			return env.Events.Fire(ctx, in.Tag, data)
		}
		return env.Events.Send(ctx, in.Tag, data)
	})
}

func environ() *ordered.Map {
	out := ordered.New(0)
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		out.Set(k, v)
	}
	return out
}

// subset is all of m, or the pairs that a list names.
func subset(m *ordered.Map, want any) *ordered.Map {
	list, ok := want.([]any)
	if !ok {
		return m
	}
	out := ordered.New(len(list))
	for _, k := range list {
		if v, ok := m.Get(k); ok {
			out.Set(k, v)
		}
	}
	return out
}
