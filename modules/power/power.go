// Package power holds the power.* functions: they put the device to sleep, start it again, and keep the timers that do
// so by themselves.
package power

import (
	"context"
	"slices"
	"strings"
	"time"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
)

// Sleep is one request to sleep. Times are in seconds; an Interval of 0 has no wake timer.
type Sleep struct {
	Interval, Delay int
	Reason          string
	AllowUpdate     bool
}

// Manager switches the device off.
type Manager interface {
	Sleep(ctx context.Context, env *modules.Env, q Sleep) (any, error)
	Reboot(ctx context.Context, env *modules.Env, reason string, delay int) (any, error)
	// Request notes that a reboot is wanted, and tells whether one is.
	Request(pending bool) bool
	Status() *ordered.Map
}

// Module is the family. m may be nil: then there is no power to manage here.
func Module(m Manager) modules.Module {
	p := &power{m}
	return modules.Module{Name: "power", Doc: "Functions that put the device to sleep and start it again.", Virtual: func(*modules.Env) error {
		if m == nil {
			return modules.Errorf("there is no running minion whose power could be managed")
		}
		return nil
	}, Funcs: []modules.Func{
		modules.Fn("hibernate", hibernateDoc, p.hibernate),
		modules.Fn("reboot", rebootDoc, p.reboot),
		modules.Fn("request_reboot", requestRebootDoc, p.requestReboot),
		modules.Fn("sleep", sleepDoc, p.sleep),
		modules.Fn("sleep_timer", sleepTimerDoc, p.sleepTimer),
		modules.PureFn("status", "Tell how the power is managed.\n\nCLI Example:\n\n    salt '*' power.status", p.status),
	}}
}

type power struct{ m Manager }

const sleepDoc = `Run the shutdown states, then switch the device off, and on again after an interval. An update under way is waited for, and cut off cleanly at the deadline of the configuration.

interval
    seconds until it wakes; 60 by default, 0 for never
delay
    seconds between the end of the shutdown states and the power-off
confirm
    has to be True
reason
    for the events
allow_auto_update
    False: the shutdown states must not update

CLI Example:

    salt '*' power.sleep interval=3600 confirm=True`

type sleepArgs struct {
	Interval int            `arg:"interval" def:"60"`
	Delay    int            `arg:"delay" def:"60"`
	ModemOff bool           `arg:"modem_off" def:"False"`
	AccOff   bool           `arg:"acc_off" def:"False"`
	Confirm  bool           `arg:"confirm" def:"False"`
	Reason   string         `arg:"reason" def:"'unknown'"`
	Allow    bool           `arg:"allow_auto_update" def:"True"`
	Extra    modules.Kwargs `arg:"**kwargs"`
}

const timerPrefix = "_sleep_timer/"

func (p *power) sleep(ctx context.Context, env *modules.Env, in sleepArgs) (any, error) {
	for k := range in.Extra.All() {
		if name := ordered.KeyText(k); !strings.HasPrefix(name, "__") {
			return nil, modules.Errorf("Unsupported argument: '%s'", name)
		}
	}
	if strings.HasPrefix(env.Job.Schedule, timerPrefix) {
		data, err := env.Pillar.Items(ctx)
		if err == nil {
			if v, _ := traverse.Get(data, "power:sleep_timer:bypass", ":"); pyfmt.Truth(v) {
				return ordered.Pairs("result", false, "comment", "Bypassed: the pillar has power:sleep_timer:bypass"), nil
			}
		}
	} else if !in.Confirm {
		return nil, modules.Errorf("This command will put the device to sleep - add parameter 'confirm=true' to continue anyway")
	}
	if in.Interval < 0 || in.Delay < 0 {
		return nil, modules.Invalidf("interval and delay are seconds, and not below 0")
	}
	return p.m.Sleep(ctx, env, Sleep{Interval: in.Interval, Delay: in.Delay, Reason: in.Reason, AllowUpdate: in.Allow})
}

const hibernateDoc = `Run the shutdown states, then switch the device off without a timer that wakes it.

CLI Example:

    salt '*' power.hibernate confirm=True`

type hibernateArgs struct {
	Delay   int    `arg:"delay" def:"60"`
	Confirm bool   `arg:"confirm" def:"False"`
	Reason  string `arg:"reason" def:"'unknown'"`
	Allow   bool   `arg:"allow_auto_update" def:"True"`
}

func (p *power) hibernate(ctx context.Context, env *modules.Env, in hibernateArgs) (any, error) {
	return p.sleep(ctx, env, sleepArgs{Delay: in.Delay, Confirm: in.Confirm, Reason: in.Reason, Allow: in.Allow})
}

const rebootDoc = `Start the device again.

CLI Example:

    salt '*' power.reboot reason=maintenance`

type reasonArgs struct {
	Reason string `arg:"reason" def:"'unknown'"`
}

func (p *power) reboot(ctx context.Context, env *modules.Env, in reasonArgs) (any, error) {
	return p.m.Reboot(ctx, env, in.Reason, defaultDelay)
}

const defaultDelay = 10

const requestRebootDoc = `Note that the device has to be started again, or with immediately=True do it when somebody has noted so.

pending
    whether it has to
immediately
    do it now
delay
    seconds to wait

CLI Example:

    salt '*' power.request_reboot`

type requestArgs struct {
	Pending     bool   `arg:"pending" def:"True"`
	Immediately bool   `arg:"immediately" def:"False"`
	Delay       int    `arg:"delay" def:"10"`
	Reason      string `arg:"reason" def:"'unknown'"`
}

func (p *power) requestReboot(ctx context.Context, env *modules.Env, in requestArgs) (any, error) {
	pending := p.m.Request(in.Pending)
	if !in.Immediately || !pending {
		return ordered.Pairs("pending", pending), nil
	}
	return p.m.Reboot(ctx, env, in.Reason, in.Delay)
}

type none struct{}

func (p *power) status(context.Context, *modules.Env, none) (any, error) { return p.m.Status(), nil }

const sleepTimerDoc = `Keep timers that put the device to sleep. Without an argument they are listed.

add
    a name: sleep in period seconds, with the other arguments of power.sleep
clear
    a name with wildcards: drop those timers
period
    seconds until the timer fires; 1800 by default

CLI Example:

    salt '*' power.sleep_timer
    salt '*' power.sleep_timer add=inactivity period=300 interval=7200
    salt '*' power.sleep_timer clear='*'`

type timerArgs struct {
	Enable  any            `arg:"enable" def:"None"`
	Period  int            `arg:"period" def:"1800"`
	Add     any            `arg:"add" def:"None"`
	Clear   any            `arg:"clear" def:"None"`
	Refresh any            `arg:"refresh" def:"None"`
	Extra   modules.Kwargs `arg:"**kwargs"`
}

func (p *power) sleepTimer(ctx context.Context, env *modules.Env, in timerArgs) (any, error) {
	reason := "unknown"
	if v := in.Extra.Value("reason"); v != nil {
		reason = pyfmt.Str(v)
	}
	switch in.Enable {
	case true:
		in.Add = reason
	case false:
		in.Clear = "*"
	}
	if in.Clear != nil {
		if err := clear(ctx, env, pyfmt.Str(in.Clear), reason); err != nil {
			return nil, err
		}
	}
	if in.Add != nil {
		if err := add(ctx, env, pyfmt.Str(in.Add), in); err != nil {
			return nil, err
		}
	}
	return timers(ctx, env)
}

// timers lists the timers: entries of the schedule, with the time of the answer.
func timers(ctx context.Context, env *modules.Env) (*ordered.Map, error) {
	v, err := env.Call(ctx, "schedule.list", modules.Args{Kw: ordered.Pairs("return_yaml", false, "show_all", true)})
	if err != nil {
		return nil, err
	}
	all, _ := v.(*ordered.Map)
	if inner, ok := all.Value("schedule").(*ordered.Map); ok {
		all = inner
	}
	out := ordered.New(2)
	for k, e := range all.All() {
		name := ordered.KeyText(k)
		entry, ok := e.(*ordered.Map)
		if !ok || !strings.HasPrefix(name, timerPrefix) {
			continue
		}
		entry = entry.Clone()
		entry.Set("_stamp", stamp(time.Now()))
		out.Set(name, entry)
	}
	return out, nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000") }

func clear(ctx context.Context, env *modules.Env, pattern, reason string) error {
	have, err := timers(ctx, env)
	if err != nil {
		return err
	}
	for _, k := range slices.Clone(have.Keys()) {
		name := ordered.KeyText(k)
		short := strings.TrimPrefix(name, timerPrefix)
		if !fnmatch.Match(pattern, short) {
			continue
		}
		if _, err := env.Call(ctx, "schedule.delete", modules.Args{Pos: []any{name}, Kw: ordered.Pairs("persist", false)}); err != nil {
			return err
		}
		if err := fire(ctx, env, short, "cleared", ordered.Pairs("reason", reason)); err != nil {
			return err
		}
	}
	return nil
}

func fire(ctx context.Context, env *modules.Env, name, what string, data *ordered.Map) error {
	tag := "system/sleep_timer/" + name + "/" + what
	if err := env.Events.Fire(ctx, tag, data); err != nil {
		return err
	}
	return env.Events.Send(ctx, tag, data)
}

func add(ctx context.Context, env *modules.Env, name string, in timerArgs) error {
	if in.Period <= 0 {
		return modules.Invalidf("period is a number of seconds above 0")
	}
	now := time.Now()
	kw := ordered.Pairs("confirm", true)
	for k, v := range in.Extra.All() {
		if key := ordered.KeyText(k); !strings.HasPrefix(key, "__") {
			kw.Set(key, v)
		}
	}
	if !kw.Has("reason") {
		kw.Set("reason", name)
	}
	full := timerPrefix + name
	if _, err := env.Call(ctx, "schedule.delete", modules.Args{Pos: []any{full}, Kw: ordered.Pairs("persist", false)}); err != nil {
		return err
	}
	v, err := env.Call(ctx, "schedule.add", modules.Args{Pos: []any{full}, Kw: ordered.Pairs(
		"function", "power.sleep", "seconds", int64(in.Period), "enabled", true, "maxrunning", int64(1), "return_job", false, "jid_include", true,
		"job_args", []any{}, "job_kwargs", kw, "persist", false, "metadata", ordered.Pairs(
			"created", stamp(now), "expires", stamp(now.Add(time.Duration(in.Period)*time.Second)), "transient", true, "revision", int64(2)))})
	if err != nil {
		return err
	}
	if m, ok := v.(*ordered.Map); ok && m.Value("result") == false {
		return modules.Errorf("%s", pyfmt.Str(m.Value("comment")))
	}
	data := ordered.New(1)
	if reason := pyfmt.Str(kw.Value("reason")); reason != name {
		data.Set("reason", reason)
	}
	return fire(ctx, env, name, "added", data)
}
