package service

import (
	"context"
	"errors"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// boot is a change of whether a service starts at boot.
type boot struct {
	on bool
	// started is whether the service was started just before; nil for it was not touched.
	started *bool
	// result is the result when the change succeeds.
	result bool
	kwargs modules.Kwargs
}

func (b boot) word() string {
	if b.on {
		return "enabled"
	}
	return "disabled"
}

// then is the end of comments about what the service is now.
func (b boot) then() string {
	switch {
	case b.started == nil:
		return "is in the desired state"
	case *b.started:
		return "is running"
	}
	return "is dead"
}

func setTo(name string, on bool) string {
	return "Service " + name + " set to be " + boot{on: on}.word()
}

// toggle sets whether a service starts at boot and says what became of it.
func toggle(ctx context.Context, env *states.Env, in runArgs, b boot) (*states.Result, error) {
	name := in.Name
	before, err := states.Truth(env.Call(ctx, "service.enabled", modules.Pos(name)))
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: &b.result}
	if before == b.on {
		r.Comment = "Service " + name + " is already " + b.word() + ", and " + b.then()
		if b.started == nil {
			r.Changes = ordered.New(0)
		}
		return r, nil
	}
	verb := "service.enable"
	if !b.on {
		verb = "service.disable"
	}
	ok, err := states.Truth(env.Call(ctx, verb, modules.Args{Pos: []any{name}, Kw: b.kwargs}))
	var refused *modules.CommandError
	if err != nil && !(b.on && errors.As(err, &refused)) {
		return nil, err
	}
	if !ok || err != nil {
		return states.Failed("%s", b.failure(name, refused)), nil
	}
	after, err := states.Truth(env.Call(ctx, "service.enabled", modules.Pos(name)))
	if err != nil {
		return nil, err
	}
	r.Changes = ordered.New(1)
	if after != before {
		r.Changes.Set(name, true)
	}
	r.Comment = "Service " + name + " has been " + b.word() + ", and " + b.then()
	return r, nil
}

func (b boot) failure(name string, refused *modules.CommandError) string {
	text := "Failed when setting service " + name + " to start at boot,"
	run := " but the service is running"
	if !b.on {
		text, run = "Failed when setting service "+name+" to not start at boot,", " and is running"
	}
	switch {
	case b.started == nil:
		text += " but the service was already running"
	case *b.started:
		text += run
	default:
		text += " and the service is dead"
	}
	if refused != nil {
		text += ". Additional information follows:\n\n" + refused.Msg
	}
	return text
}

type bootArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const enabledDoc = `Make sure that a service starts at boot, whether it runs now or not.`

const disabledDoc = `Make sure that a service does not start at boot, whether it runs now or not.`

func checkBoot(on bool) func(context.Context, *states.Env, bootArgs) (states.Check[struct{}], error) {
	return func(ctx context.Context, env *states.Env, in bootArgs) (states.Check[struct{}], error) {
		known, err := states.Truth(env.Call(ctx, "service.available", modules.Pos(in.Name)))
		if err != nil {
			r, err := states.Refused(err)
			return states.Done[struct{}](r), err
		}
		if !known {
			r := states.Failed("The named service %s is not available", in.Name)
			if !on {
				r.OK = states.True()
			}
			return states.Done[struct{}](r), nil
		}
		is, err := states.Truth(env.Call(ctx, "service.enabled", modules.Pos(in.Name)))
		if err != nil {
			return states.Check[struct{}]{}, err
		}
		if is == on {
			b := boot{on: on}
			return states.Done[struct{}](states.Fine("Service " + in.Name + " is already " + b.word() + ", and " + b.then())), nil
		}
		return states.Change(struct{}{}, setTo(in.Name, on), nil), nil
	}
}

func applyBoot(on bool) func(context.Context, *states.Env, bootArgs, struct{}) (*states.Result, error) {
	return func(ctx context.Context, env *states.Env, in bootArgs, _ struct{}) (*states.Result, error) {
		return toggle(ctx, env, runArgs{Name: in.Name}, boot{on: on, result: true, kwargs: in.Kwargs})
	}
}

type maskArgs struct {
	Name    string `arg:"name"`
	Runtime bool   `arg:"runtime" def:"False"`
}

func (a maskArgs) kind() string {
	if a.Runtime {
		return "runtime masked"
	}
	return "masked"
}

const maskedDoc = `Make sure that a service may not start at all (systemd).

runtime
    only until the next boot`

const unmaskedDoc = `Make sure that a service may start (systemd).

runtime
    lift the mask that holds until the next boot`

// word is "masked" or "unmasked", with its "runtime".
func (a maskArgs) word(on bool) string {
	switch {
	case on:
		return a.kind()
	case a.Runtime:
		return "runtime unmasked"
	}
	return "unmasked"
}

func (a maskArgs) changes(on bool) *ordered.Map {
	return ordered.Pairs(a.kind(), ordered.Pairs("old", !on, "new", on))
}

func checkMask(on bool) func(context.Context, *states.Env, maskArgs) (states.Check[struct{}], error) {
	return func(ctx context.Context, env *states.Env, in maskArgs) (states.Check[struct{}], error) {
		is, err := states.Truth(env.Call(ctx, "service.masked", modules.Pos(in.Name, in.Runtime)))
		if err != nil {
			r, err := states.Refused(err)
			return states.Done[struct{}](r), err
		}
		if is == on {
			already := "was already"
			if on {
				already = "is already"
			}
			return states.Done[struct{}](states.Fine("Service " + in.Name + " " + already + " " + in.word(on))), nil
		}
		return states.Change(struct{}{}, "Service "+in.Name+" would be "+in.word(on), in.changes(on)), nil
	}
}

func applyMask(on bool) func(context.Context, *states.Env, maskArgs, struct{}) (*states.Result, error) {
	return func(ctx context.Context, env *states.Env, in maskArgs, _ struct{}) (*states.Result, error) {
		verb := "mask"
		if !on {
			verb = "unmask"
		}
		if _, err := env.Call(ctx, "service."+verb, modules.Pos(in.Name, in.Runtime)); err != nil {
			return states.Refused(err)
		}
		is, err := states.Truth(env.Call(ctx, "service.masked", modules.Pos(in.Name, in.Runtime)))
		if err != nil {
			return states.Refused(err)
		}
		if is != on {
			return states.Fine("Failed to " + verb + " service " + in.Name), nil // Salt's result is true here too
		}
		return &states.Result{OK: states.True(), Comment: "Service " + in.Name + " was " + in.word(on), Changes: in.changes(on)}, nil
	}
}

type watchArgs struct {
	Name        string         `arg:"name"`
	Sig         any            `arg:"sig" def:"None"`
	Reload      bool           `arg:"reload" def:"False"`
	FullRestart bool           `arg:"full_restart" def:"False"`
	InitDelay   any            `arg:"init_delay" def:"None"`
	Force       bool           `arg:"force" def:"False"`
	Kwargs      modules.Kwargs `arg:"**kwargs"`
}

// watch restarts, reloads, starts or stops the service after a change of what it watches.
func watch(ctx context.Context, env *states.Env, fun string, a modules.Args) (*states.Result, error) {
	in, err := modules.Bind[watchArgs]("mod_watch", a)
	if err != nil {
		return nil, err
	}
	if fun != "running" && fun != "dead" {
		return states.Failed("Unable to trigger watch for service.%s", fun), nil
	}
	up, err := states.Truth(env.Call(ctx, "service.status", modules.Pos(in.Name, in.Sig)))
	if err != nil {
		return nil, err
	}
	verb, call, done := "restart", "restart", "restarted"
	switch {
	case fun == "dead" && !up:
		return states.Fine("Service is already stopped"), nil
	case fun == "dead":
		verb, call, done = "stop", "stop", "stopped"
	case !up:
		verb, call, done = "start", "start", "started"
	case in.Reload && in.Force:
		verb, call, done = "forcefully reload", "force_reload", "forcefully reloaded"
	case in.Reload:
		verb, call, done = "reload", "reload", "reloaded"
	}
	if env.Test {
		return &states.Result{Comment: "Service is set to be " + done}, nil
	}
	if call == "start" {
		if _, err := env.Call(ctx, "service.stop", modules.Pos(in.Name)); err != nil {
			return states.Refused(err)
		}
	}
	run := runArgs{Name: in.Name, Kwargs: in.Kwargs}
	answer, err := env.Call(ctx, "service."+call, run.only("no_block", "unmask", "unmask_runtime"))
	if err != nil {
		return states.Refused(err)
	}
	if err := delay(ctx, in.InitDelay); err != nil {
		return nil, err
	}
	ok := pyfmt.Truth(answer)
	r := &states.Result{OK: &ok, Changes: ordered.Pairs(in.Name, answer), Comment: "Service " + done}
	if !ok {
		r.Comment = "Failed to " + verb + " the service"
	}
	return r, nil
}
