// Package system holds the system.* functions: the clock, and switching the machine off and on.
package system

import (
	"context"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/atomicfile"
	"brine/internal/host"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	power := func(name, doc string, argv ...string) modules.Func {
		return modules.Fn(name, doc+"\n\nCLI Example:\n\n    salt '*' system."+name, func(ctx context.Context, env *modules.Env, _ none) (any, error) {
			return run(ctx, env, argv...)
		})
	}
	return modules.Module{Name: "system", Doc: "Functions for the clock, and for switching the machine off and on.", Funcs: []modules.Func{
		modules.PureFn("get_computer_name", nameDoc, name),
		modules.PureFn("get_reboot_required_witnessed", rebootRequiredDoc, rebootRequired),
		modules.PureFn("get_system_date", dateDoc, clock("01/02/2006")),
		modules.PureFn("get_system_date_time", dateTimeDoc, clock("2006-01-02 15:04:05")),
		modules.PureFn("get_system_time", timeDoc, clock("15:04:05 PM")),
		power("halt", "Halt the machine.", "halt"),
		modules.Fn("init", initDoc, runlevel),
		power("poweroff", "Switch the machine off.", "poweroff"),
		modules.Fn("reboot", rebootDoc, reboot),
		modules.Fn("set_computer_name", setNameDoc, setName),
		modules.Fn("set_reboot_required_witnessed", setRebootRequiredDoc, setRebootRequired),
		modules.Fn("set_system_date", setDateDoc, setDate),
		modules.Fn("set_system_date_time", setDateTimeDoc, setDateTime),
		modules.Fn("set_system_time", setTimeDoc, setTime),
		modules.Fn("shutdown", shutdownDoc, shutdown),
	}}
}

type none struct{}

func run(ctx context.Context, env *modules.Env, argv ...string) (string, error) {
	r, err := env.Host.Run(ctx, host.Cmd{Argv: argv, Env: os.Environ(), Dir: "/", MergeStderr: true})
	if err != nil {
		return "", modules.Errorf("%s cannot be run: %v", argv[0], err)
	}
	if r.Retcode != 0 {
		return "", modules.Errorf("%s: %s", strings.Join(argv, " "), strings.TrimSpace(string(r.Stdout)))
	}
	return strings.TrimSpace(string(r.Stdout)), nil
}

const rebootDoc = `Start the machine again.

at_time
    minutes to wait, or now

CLI Example:

    salt '*' system.reboot`

const shutdownDoc = `Shut the machine down.

at_time
    minutes to wait, or now

CLI Example:

    salt '*' system.shutdown 5`

type atArgs struct {
	At any `arg:"at_time" def:"None"`
}

func (a atArgs) when() (string, error) {
	if a.At == nil {
		return "now", nil
	}
	at := pyfmt.Str(a.At)
	if strings.HasPrefix(at, "-") {
		return "", modules.Invalidf("%q is not a time", at)
	}
	return at, nil
}

func reboot(ctx context.Context, env *modules.Env, in atArgs) (any, error) {
	at, err := in.when()
	if err != nil {
		return nil, err
	}
	return run(ctx, env, "shutdown", "-r", at)
}

func shutdown(ctx context.Context, env *modules.Env, in atArgs) (any, error) {
	at, err := in.when()
	if err != nil {
		return nil, err
	}
	return run(ctx, env, "shutdown", "-h", at)
}

const initDoc = `Change the runlevel.

CLI Example:

    salt '*' system.init 3`

type levelArgs struct {
	Level any `arg:"runlevel"`
}

func runlevel(ctx context.Context, env *modules.Env, in levelArgs) (any, error) {
	level := pyfmt.Str(in.Level)
	if len(level) != 1 {
		return nil, modules.Invalidf("%q is not a runlevel", level)
	}
	return run(ctx, env, "init", level)
}

// offset arguments are Salt's: "+0200".
type clockArgs struct {
	Offset string `arg:"utc_offset" def:"None"`
}

const (
	dateDoc     = "Tell the date of the machine's clock.\n\nCLI Example:\n\n    salt '*' system.get_system_date"
	timeDoc     = "Tell the time of the machine's clock.\n\nCLI Example:\n\n    salt '*' system.get_system_time"
	dateTimeDoc = `Tell date and time of the machine's clock.

utc_offset
    another zone than the machine's, such as "-0500"

CLI Example:

    salt '*' system.get_system_date_time "'-0500'"`
)

func zone(offset string) (*time.Location, error) {
	if offset == "" {
		return time.Local, nil //nolint:gosmopolitan // the machine is what is asked about
	}
	t, err := time.Parse("-0700", offset)
	if err != nil {
		return nil, modules.Errorf("Invalid UTC offset format.")
	}
	return t.Location(), nil
}

func clock(layout string) func(context.Context, *modules.Env, clockArgs) (any, error) {
	return func(_ context.Context, _ *modules.Env, in clockArgs) (any, error) {
		loc, err := zone(in.Offset)
		if err != nil {
			return nil, err
		}
		now := time.Now().In(loc)
		if strings.HasSuffix(layout, "PM") {
			return now.Format("03:04:05 PM"), nil
		}
		return now.Format(layout), nil
	}
}

const setTimeDoc = `Set the time of the machine's clock, and leave the date.

newtime
    HH:MM:SS, HH:MM, or with AM and PM

CLI Example:

    salt '*' system.set_system_time "'11:20'"`

type newTimeArgs struct {
	New    string `arg:"newtime"`
	Offset string `arg:"utc_offset" def:"None"`
}

func setTime(_ context.Context, _ *modules.Env, in newTimeArgs) (any, error) {
	loc, err := zone(in.Offset)
	if err != nil {
		return nil, err
	}
	for _, layout := range []string{"15:04:05", "15:04", "03:04:05 PM", "03:04 PM"} {
		if t, err := time.Parse(layout, in.New); err == nil {
			now := time.Now().In(loc)
			return set(time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc))
		}
	}
	return nil, modules.Invalidf("%q is not a time such as 11:20:00", in.New)
}

const setDateDoc = `Set the date of the machine's clock, and leave the time.

newdate
    2031-05-04, 04-05-2031, 05/04/2031 or 04.05.2031

CLI Example:

    salt '*' system.set_system_date '03-28-13'`

type newDateArgs struct {
	New    string `arg:"newdate"`
	Offset string `arg:"utc_offset" def:"None"`
}

func setDate(_ context.Context, _ *modules.Env, in newDateArgs) (any, error) {
	loc, err := zone(in.Offset)
	if err != nil {
		return nil, err
	}
	for _, layout := range []string{"2006-01-02", "01-02-2006", "01-02-06", "01/02/2006", "01/02/06", "2006/01/02"} {
		if t, err := time.Parse(layout, in.New); err == nil {
			now := time.Now().In(loc)
			return set(time.Date(t.Year(), t.Month(), t.Day(), now.Hour(), now.Minute(), now.Second(), 0, loc))
		}
	}
	return nil, modules.Errorf("Date %s is invalid", in.New)
}

const setDateTimeDoc = `Set the machine's clock. What is not given stays.

CLI Example:

    salt '*' system.set_system_date_time 2015 5 12 11 37 53 "'-0500'"`

type dateTimeArgs struct {
	Years   any    `arg:"years" def:"None"`
	Months  any    `arg:"months" def:"None"`
	Days    any    `arg:"days" def:"None"`
	Hours   any    `arg:"hours" def:"None"`
	Minutes any    `arg:"minutes" def:"None"`
	Seconds any    `arg:"seconds" def:"None"`
	Offset  string `arg:"utc_offset" def:"None"`
}

func setDateTime(_ context.Context, _ *modules.Env, in dateTimeArgs) (any, error) {
	loc, err := zone(in.Offset)
	if err != nil {
		return nil, err
	}
	now := time.Now().In(loc)
	parts := [6]int{now.Year(), int(now.Month()), now.Day(), now.Hour(), now.Minute(), now.Second()}
	for i, v := range []any{in.Years, in.Months, in.Days, in.Hours, in.Minutes, in.Seconds} {
		if v == nil {
			continue
		}
		n, ok := v.(int64)
		if !ok {
			return nil, modules.Invalidf("%s is not a number", pyfmt.Repr(v))
		}
		parts[i] = int(n)
	}
	t := time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], 0, loc)
	if t.Year() != parts[0] || int(t.Month()) != parts[1] || t.Day() != parts[2] || t.Hour() != parts[3] || t.Minute() != parts[4] || t.Second() != parts[5] {
		return nil, modules.Invalidf("%04d-%02d-%02d %02d:%02d:%02d is not a time", parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
	}
	return set(t)
}

func set(t time.Time) (any, error) {
	tv := unix.NsecToTimeval(t.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		return nil, modules.Errorf("set the clock: %v", err)
	}
	return true, nil
}

const nameDoc = `Tell the name of the machine.

CLI Example:

    salt '*' system.get_computer_name`

func name(context.Context, *modules.Env, none) (any, error) { return os.Hostname() }

const setNameDoc = `Set the name of the machine, now and for later starts.

CLI Example:

    salt '*' system.set_computer_name master.saltstack.com`

type nameArgs struct {
	Hostname string `arg:"hostname"`
}

func setName(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	if in.Hostname == "" || strings.ContainsAny(in.Hostname, " \n/") {
		return nil, modules.Invalidf("%q is not a host name", in.Hostname)
	}
	if err := unix.Sethostname([]byte(in.Hostname)); err != nil {
		return nil, modules.Errorf("set the host name: %v", err)
	}
	return true, atomicfile.Write("/etc/hostname", []byte(in.Hostname+"\n"), 0o644)
}

// witness says that a restart is wanted; the folder is empty again after one.
const witness = "/var/run/salt/reboot_required"

const rebootRequiredDoc = `Tell whether somebody has noted that the machine has to be started again.

CLI Example:

    salt '*' system.get_reboot_required_witnessed`

func rebootRequired(context.Context, *modules.Env, none) (any, error) {
	_, err := os.Stat(witness)
	return err == nil, nil
}

const setRebootRequiredDoc = `Note that the machine has to be started again. The note goes with the next start.

CLI Example:

    salt '*' system.set_reboot_required_witnessed`

func setRebootRequired(context.Context, *modules.Env, none) (any, error) {
	if err := os.MkdirAll("/var/run/salt", 0o755); err != nil {
		return nil, modules.Errorf("%v", err)
	}
	if err := atomicfile.Write(witness, nil, 0o644); err != nil {
		return nil, modules.Errorf("%v", err)
	}
	return true, nil
}
