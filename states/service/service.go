// Package service holds the service states: services that run or do not, start at boot or do not, may start or may not.
package service

import (
	"context"
	"os"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{
		Name: "service", Doc: "States of services.",
		Virtual: func(env *modules.Env) error {
			_, err := env.Mods.Lookup(env, "service.start")
			return err
		},
		Funcs: []states.Func{
			states.Fn("dead", deadDoc, checkDead, applyDead),
			states.Fn("disabled", disabledDoc, checkBoot(false), applyBoot(false)),
			states.Fn("enabled", enabledDoc, checkBoot(true), applyBoot(true)),
			states.Fn("masked", maskedDoc, checkMask(true), applyMask(true)),
			states.Fn("running", runningDoc, checkRunning, applyRunning),
			states.Fn("unmasked", unmaskedDoc, checkMask(false), applyMask(false)),
		},
		Watch: watch,
	}
}

type runArgs struct {
	Name      string         `arg:"name"`
	Enable    any            `arg:"enable" def:"None"`
	Sig       any            `arg:"sig" def:"None"`
	InitDelay any            `arg:"init_delay" def:"None"`
	Kwargs    modules.Kwargs `arg:"**kwargs"`
}

// wanted is the enable option: nil for leave it.
func (in runArgs) wanted() *bool {
	switch t := in.Enable.(type) {
	case bool:
		return &t
	case string:
		b := modules.IsTrue(t)
		return &b
	}
	return nil
}

// plan is what was found before.
type plan struct {
	running, enabled bool
	// unmask says that the mask is to be lifted first.
	unmask bool
	mask   string
	// toggle says that only the start at boot is to be changed.
	toggle bool
}

// delay waits for init_delay.
func delay(ctx context.Context, seconds any) error {
	if seconds == nil {
		return nil
	}
	f, err := modules.Float(seconds)
	if err != nil || f <= 0 {
		return err
	}
	select {
	case <-time.After(time.Duration(f * float64(time.Second))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// warnings tell of arguments that only systemd knows.
func (in runArgs) warnings(names ...string) []string {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		return nil
	}
	var out []string
	for _, n := range names {
		if in.Kwargs.Has(n) {
			out = append(out, "The '"+n+"' argument is not supported by this platform")
		}
	}
	return out
}

// only picks the arguments that service.start and service.stop take.
func (in runArgs) only(names ...string) modules.Args {
	a := modules.Pos(in.Name)
	for _, n := range names {
		if v, ok := in.Kwargs.Get(n); ok {
			a = a.With(n, v)
		}
	}
	return a
}

func lines(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n")
}

// begin does what running and dead have in common: nil and a plan when there is something to find out.
func begin(ctx context.Context, env *states.Env, in runArgs, would string) (*states.Result, plan, error) {
	var p plan
	if in.Kwargs.Has("enabled") {
		return states.Failed("Service %s uses non-existent option \"enabled\".  Perhaps \"enable\" option was intended?", in.Name), p, nil
	}
	if off, err := states.Truth(env.Call(ctx, "service.offline", modules.Args{})); err != nil || off {
		return states.Fine("Running in OFFLINE mode. Nothing to do"), p, err
	}
	known, err := states.Truth(env.Call(ctx, "service.available", modules.Pos(in.Name)))
	if err != nil {
		r, err := states.Refused(err)
		return r, p, err
	}
	if !known {
		if env.Test {
			return &states.Result{Comment: "Service " + in.Name + " not present; if created in this state run, it would have been " + would}, p, nil
		}
		return states.Failed("The named service %s is not available", in.Name), p, nil
	}
	if p.running, err = states.Truth(env.Call(ctx, "service.status", modules.Pos(in.Name, in.Sig))); err != nil {
		return nil, p, err
	}
	p.enabled, err = states.Truth(env.Call(ctx, "service.enabled", modules.Pos(in.Name)))
	return nil, p, err
}

const runningDoc = `Make sure that a service runs. When something it watches has changed, it is restarted, or reloaded with reload: True.

enable
    True or False: also whether it starts at boot
sig
    text to look for in the list of processes, where the init cannot tell whether the service runs
init_delay
    seconds to wait after the start
no_block, unmask, unmask_runtime
    do not wait; first allow the service to start (systemd)`

func checkRunning(ctx context.Context, env *states.Env, in runArgs) (states.Check[plan], error) {
	end, p, err := begin(ctx, env, in, "started")
	if end != nil || err != nil {
		return states.Done[plan](end), err
	}
	mask := ""
	if pyfmt.Truth(in.Kwargs.Value("unmask")) {
		c, err := checkMask(false)(ctx, env, maskArgs{in.Name, pyfmt.Truth(in.Kwargs.Value("unmask_runtime"))})
		if err != nil {
			return states.Check[plan]{}, err
		}
		if p.unmask = c.Would != nil; p.unmask {
			mask = pyfmt.Str(c.Would.Comment)
		} else {
			mask = pyfmt.Str(c.Final.Comment)
		}
		p.mask = mask
	}
	if !p.running {
		return states.Change(p, lines("Service "+in.Name+" is set to start", mask), nil), nil
	}
	already := lines("The service "+in.Name+" is already running", mask)
	if want := in.wanted(); want != nil && *want != p.enabled {
		p.toggle = true
		return states.Change(p, setTo(in.Name, *want), nil), nil
	}
	if p.unmask {
		return states.Change(p, already, nil), nil
	}
	return states.Done[plan](states.Fine(already)), nil
}

func applyRunning(ctx context.Context, env *states.Env, in runArgs, p plan) (*states.Result, error) {
	mask := p.mask
	if p.unmask {
		r, err := applyMask(false)(ctx, env, maskArgs{in.Name, pyfmt.Truth(in.Kwargs.Value("unmask_runtime"))}, struct{}{})
		if err != nil {
			return nil, err
		}
		mask = pyfmt.Str(r.Comment)
	}
	if p.running {
		if p.toggle {
			return toggle(ctx, env, in, boot{on: *in.wanted(), result: true, kwargs: in.Kwargs})
		}
		return states.Fine(lines("The service "+in.Name+" is already running", mask)), nil
	}
	const a, b, c = "no_block", "unmask", "unmask_runtime"
	warn := in.warnings(a, b, c)
	started, err := states.Truth(env.Call(ctx, "service.start", in.only(a, b, c)))
	if err != nil {
		return states.Refused(err)
	}
	want := in.wanted()
	if !started {
		r := states.Failed("Service %s failed to start", in.Name)
		r.Warnings = warn
		if want != nil {
			return toggle(ctx, env, in, boot{on: *want, started: new(bool), kwargs: in.Kwargs})
		}
		return r, nil
	}
	if err := delay(ctx, in.InitDelay); err != nil {
		return nil, err
	}
	r, err := settle(ctx, env, in, p, want)
	if err != nil {
		return nil, err
	}
	r.Warnings = warn
	if pyfmt.Truth(in.InitDelay) {
		r.Comment = pyfmt.Str(r.Comment) + "\nDelayed return for " + pyfmt.Str(in.InitDelay) + " seconds"
	}
	if pyfmt.Truth(in.Kwargs.Value("unmask")) {
		r.Comment = pyfmt.Str(r.Comment) + "\n" + mask
	}
	return r, nil
}

// settle looks at the service after a start and sets its start at boot.
func settle(ctx context.Context, env *states.Env, in runArgs, p plan, want *bool) (*states.Result, error) {
	up, err := states.Truth(env.Call(ctx, "service.status", modules.Pos(in.Name, in.Sig)))
	if err != nil {
		return nil, err
	}
	on, err := states.Truth(env.Call(ctx, "service.enabled", modules.Pos(in.Name)))
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: states.True(), Comment: "Started service " + in.Name}
	if on != p.enabled || up != p.running {
		r.Changes = ordered.Pairs(in.Name, up)
	}
	if !up {
		r.OK, r.Comment = states.False(), "Service "+in.Name+" failed to start"
	}
	if want == nil {
		return r, nil
	}
	t, err := toggle(ctx, env, in, boot{on: *want, started: &up, result: up, kwargs: in.Kwargs})
	return merge(r, t), err
}

// merge is Python's dict.update of one result with another that may have no changes of its own.
func merge(r, t *states.Result) *states.Result {
	if t != nil && t.Changes == nil {
		t.Changes = r.Changes
	}
	return t
}

const deadDoc = `Make sure that a service does not run.

enable
    True or False: also whether it starts at boot
sig
    text to look for in the list of processes, where the init cannot tell whether the service runs
init_delay
    seconds to wait before it is looked at after the stop
no_block
    do not wait (systemd)`

func checkDead(ctx context.Context, env *states.Env, in runArgs) (states.Check[plan], error) {
	end, p, err := begin(ctx, env, in, "stopped")
	if err != nil {
		return states.Check[plan]{}, err
	}
	if end != nil {
		if !env.Test && !in.Kwargs.Has("enabled") && strings.HasPrefix(pyfmt.Str(end.Comment), "The named service ") {
			end.OK = states.True() // a service that there is not is dead
		}
		return states.Done[plan](end), nil
	}
	if p.running {
		return states.Change(p, "Service "+in.Name+" is set to be killed", nil), nil
	}
	if want := in.wanted(); want != nil && *want != p.enabled {
		p.toggle = true
		return states.Change(p, setTo(in.Name, *want), nil), nil
	}
	return states.Done[plan](states.Fine("The service " + in.Name + " is already dead")), nil
}

func applyDead(ctx context.Context, env *states.Env, in runArgs, p plan) (*states.Result, error) {
	want := in.wanted()
	if p.toggle {
		return toggle(ctx, env, in, boot{on: *want, result: true, kwargs: in.Kwargs})
	}
	warn := in.warnings("no_block")
	stopped, err := states.Truth(env.Call(ctx, "service.stop", in.only("no_block")))
	if err != nil {
		return nil, err
	}
	if !stopped {
		if want != nil {
			return toggle(ctx, env, in, boot{on: *want, started: states.True(), kwargs: in.Kwargs})
		}
		return states.Failed("Service %s failed to die", in.Name), nil
	}
	if err := delay(ctx, in.InitDelay); err != nil {
		return nil, err
	}
	up, err := states.Truth(env.Call(ctx, "service.status", modules.Pos(in.Name)))
	if err != nil {
		return nil, err
	}
	on, err := states.Truth(env.Call(ctx, "service.enabled", modules.Pos(in.Name)))
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: states.True(), Comment: "Service " + in.Name + " was killed", Warnings: warn}
	if on != p.enabled || up != p.running {
		r.Changes = ordered.Pairs(in.Name, up)
	}
	if up {
		r.OK, r.Comment = states.False(), "Service "+in.Name+" failed to die"
	}
	if want == nil {
		return r, nil
	}
	t, err := toggle(ctx, env, in, boot{on: *want, started: &up, result: !up, kwargs: in.Kwargs})
	return merge(r, t), err
}
