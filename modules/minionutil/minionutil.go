// Package minionutil holds the minionutil.* functions: they update the device to its release, run jobs, restart the
// minion, and read its logs.
package minionutil

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
	"brine/modules"
	"brine/release"
)

// Updater installs releases.
type Updater interface {
	Update(ctx context.Context, env *modules.Env, o release.Options) (*release.Result, error)
}

// Deps are what the family needs of the minion. Each may be nil.
type Deps struct {
	Updater Updater
	// RunJob runs a function as a job of its own.
	RunJob func(ctx context.Context, fun string, a modules.Args, ret string) (any, error)
	// Restart ends the minion, which its supervisor starts again.
	Restart func(reason string, delay int)
	// Pending notes that a restart is wanted, and tells whether one is.
	Pending func(pending bool) bool
	// Online tells whether there is a session with the master; Master its address.
	Online func() (online bool, master string)
	// LogFile is the minion's log.
	LogFile string
	// MasterKey is the file with the pinned key of the master.
	MasterKey string
}

// Module is the family.
func Module(d Deps) modules.Module {
	u := &util{d}
	return modules.Module{Name: "minionutil", Doc: "Functions for the minion itself: releases, jobs, restarts, logs.", Funcs: []modules.Func{
		modules.Fn("update_release", updateDoc, u.update),
		modules.Fn("run_job", runJobDoc, u.runJob),
		modules.Fn("trigger_event", triggerDoc, triggerEvent),
		modules.Fn("request_restart", requestDoc, u.requestRestart),
		modules.Fn("restart", restartDoc, u.restart),
		modules.Fn("change_master", changeMasterDoc, u.changeMaster),
		modules.PureFn("master_status", masterStatusDoc, u.masterStatus),
		modules.Fn("status_schedule", statusScheduleDoc, u.statusSchedule),
		modules.PureFn("last_logs", lastLogsDoc, u.lastLogs),
		modules.PureFn("last_errors", lastErrorsDoc, u.lastErrors),
		modules.PureFn("log_files", logFilesDoc, u.logFiles),
	}}
}

type util struct{ Deps }

type none struct{}

const updateDoc = `Bring the device to the release that its pillar names: sync, highstate, health checks; on failure back to the last good release.

force
    also when it is up to date, and whatever the limit of attempts says
demand
    also when it is up to date
dry_run
    tell what would be done
only_retry
    only when an attempt has failed before
reset_attempts
    count the attempts anew

CLI Example:

    salt '*' minionutil.update_release
    salt '*' minionutil.update_release force=True`

type updateArgs struct {
	Force  bool `arg:"force" def:"False"`
	Demand bool `arg:"demand" def:"False"`
	Dry    bool `arg:"dry_run" def:"False"`
	Retry  bool `arg:"only_retry" def:"False"`
	Reset  bool `arg:"reset_attempts" def:"False"`
}

func (u *util) update(ctx context.Context, env *modules.Env, in updateArgs) (any, error) {
	if u.Updater == nil {
		return nil, modules.Errorf("Run this through the master (brine ID minionutil.update_release, or the web terminal): alone, without the running minion, " +
			"the release and its files cannot be had. Nothing was done")
	}
	if u.Online != nil {
		if online, master := u.Online(); !online {
			return nil, modules.Errorf("Run this through the master (brine ID minionutil.update_release, or the web terminal): the minion is not connected to %s, "+
				"so it cannot fetch what the release needs. Nothing was done", master)
		}
	}
	r, err := u.Updater.Update(ctx, env, release.Options{Force: in.Force, Demand: in.Demand, DryRun: in.Dry, OnlyRetry: in.Retry, ResetAttempts: in.Reset})
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	env.Job.SetOut("nested") // the states inside have asked for their own
	env.Job.SetRetcode(0)
	out := r.Map()
	if r.Err != nil {
		env.Job.SetRetcode(1)
		out.Set("error", r.Err.Error())
		out.Set("retcode", int64(1)) // a state that calls the function fails with it
	}
	return out, nil
}

const runJobDoc = `Run a function as a job of its own, and wait for its result.

_timeout
    seconds to wait; 60 by default
_returner
    the returner for its result

CLI Example:

    salt '*' minionutil.run_job test.ping`

type runJobArgs struct {
	Name  string         `arg:"name"`
	Args  []any          `arg:"*args"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

func (u *util) runJob(ctx context.Context, _ *modules.Env, in runJobArgs) (any, error) {
	if u.RunJob == nil {
		return nil, modules.Errorf("there is no running minion that could run the job")
	}
	kw := in.Extra.Clone()
	ret := "event_result"
	if v, ok := kw.Get("_returner"); ok {
		ret = pyfmt.Str(v)
	}
	timeout := 60.0
	switch t := kw.Value("_timeout").(type) {
	case int64:
		timeout = float64(t)
	case float64:
		timeout = t
	}
	kw.Delete("_returner")
	kw.Delete("_timeout")
	ctx, cancel := context.WithTimeout(ctx, seconds(timeout))
	defer cancel()
	return u.RunJob(ctx, in.Name, modules.Args{Pos: in.Args, Kw: kw}, ret)
}

const triggerDoc = `Fire an event on the device.

CLI Example:

    salt '*' minionutil.trigger_event my/tag data='{"a": 1}'`

type eventArgs struct {
	Tag  string       `arg:"tag"`
	Data *ordered.Map `arg:"data" def:"{}"`
}

func triggerEvent(ctx context.Context, env *modules.Env, in eventArgs) (any, error) {
	if err := env.Events.Fire(ctx, in.Tag, in.Data); err != nil {
		return nil, err
	}
	return true, env.Events.Send(ctx, in.Tag, in.Data)
}

const requestDoc = `Note that the minion has to be restarted, or with immediately=True do it when somebody has noted so.

CLI Example:

    salt '*' minionutil.request_restart
    salt '*' minionutil.request_restart pending=False immediately=True reason=changes_made_during_startup`

type restartArgs struct {
	Pending     bool   `arg:"pending" def:"True"`
	Immediately bool   `arg:"immediately" def:"False"`
	Delay       int    `arg:"delay" def:"10"`
	Expiration  int    `arg:"expiration" def:"1200"`
	Reason      string `arg:"reason" def:"'unknown'"`
}

func (u *util) requestRestart(ctx context.Context, env *modules.Env, in restartArgs) (any, error) {
	if u.Pending == nil || u.Restart == nil {
		return nil, modules.Errorf("there is no running minion that could be restarted")
	}
	pending := u.Pending(in.Pending)
	out := ordered.Pairs("pending", pending)
	if !in.Immediately {
		return out, nil
	}
	out.Set("immediately", pending)
	if !pending {
		return out, nil
	}
	data := ordered.Pairs("reason", in.Reason)
	if err := env.Events.Fire(ctx, "system/minion/restarting", data); err != nil {
		return nil, err
	}
	if err := env.Events.Send(ctx, "system/minion/restarting", data); err != nil {
		return nil, err
	}
	u.Restart(in.Reason, in.Delay)
	return out, nil
}

const restartDoc = `Restart the minion.

CLI Example:

    salt '*' minionutil.restart reason=maintenance`

type reasonArgs struct {
	Reason string `arg:"reason" def:"'unknown'"`
}

func (u *util) restart(ctx context.Context, env *modules.Env, in reasonArgs) (any, error) {
	return u.requestRestart(ctx, env, restartArgs{Pending: true, Immediately: true, Delay: 10, Reason: in.Reason})
}

const changeMasterDoc = `Move the minion to another master: forget the pinned key, write the address into the configuration, restart.

CLI Example:

    salt '*' minionutil.change_master hub.example.com confirm=True`

type changeMasterArgs struct {
	Host    string `arg:"host"`
	Confirm bool   `arg:"confirm" def:"False"`
	Show    bool   `arg:"show_changes" def:"False"`
}

func (u *util) changeMaster(ctx context.Context, env *modules.Env, in changeMasterArgs) (any, error) {
	if !in.Confirm {
		return nil, modules.Errorf("This command will move the device to another master - add parameter 'confirm=true' to continue anyway")
	}
	if u.Restart == nil {
		return nil, modules.Errorf("there is no running minion to move")
	}
	if in.Host == "" || strings.ContainsAny(in.Host, " \n\"'") {
		return nil, modules.Invalidf("%q is not the address of a master", in.Host)
	}
	conf := env.Opts.String("conf_file")
	v, err := env.Call(ctx, "file.replace", modules.Args{Pos: []any{conf, `^master:.*$`, "master: " + in.Host}, Kw: ordered.Pairs("append_if_not_found", true)})
	if err != nil {
		return nil, err
	}
	removed := os.Remove(u.MasterKey) == nil
	u.Restart("Master host changed", 1)
	out := ordered.Pairs("master_key_removed", removed, "config_changed", pyfmt.Truth(v), "restart", true)
	if in.Show {
		out.Set("config_changes", v)
	}
	return out, nil
}

const masterStatusDoc = `Tell whether the minion is connected, and to which master.

CLI Example:

    salt '*' minionutil.master_status`

type masterArgs struct {
	Master any `arg:"master" def:"None"`
}

func (u *util) masterStatus(context.Context, *modules.Env, masterArgs) (any, error) {
	if u.Online == nil {
		return ordered.Pairs("online", false, "ip", nil), nil
	}
	online, addr := u.Online()
	return ordered.Pairs("online", online, "ip", addr), nil
}

const statusScheduleDoc = `Fire system/minion/ready at the first call of a start, and online or offline when the connection has changed; for a schedule.

CLI Example:

    salt '*' minionutil.status_schedule status`

type scheduleArgs struct {
	Name string `arg:"name" def:"''"`
}

func (u *util) statusSchedule(ctx context.Context, env *modules.Env, _ scheduleArgs) (any, error) {
	return u.masterStatus(ctx, env, masterArgs{})
}

const logFilesDoc = `List the log files of the minion.

CLI Example:

    salt '*' minionutil.log_files`

func (u *util) dir() string { return filepath.Dir(u.LogFile) }

func (u *util) logFiles(context.Context, *modules.Env, none) (any, error) {
	out := []any{}
	if u.LogFile == "" {
		return out, nil
	}
	entries, err := os.ReadDir(u.dir())
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

const lastLogsDoc = `Show the newest lines of a log that match a regular expression.

file
    the log's name; that of the minion by default
match
    what a line has to match
until
    ends the search at a line that matches
limit
    how many lines

CLI Example:

    salt '*' minionutil.last_logs match='Executing state'`

const lastErrorsDoc = `Show the newest errors of the log.

CLI Example:

    salt '*' minionutil.last_errors`

type logArgs struct {
	File   string `arg:"file" def:"'minion'"`
	Level  string `arg:"level" def:"'error'"`
	Until  string `arg:"until" def:"'$'"`
	Match  string `arg:"match" def:"'.*'"`
	Count  int    `arg:"count" def:"0"`
	Before int    `arg:"before" def:"0"`
	After  int    `arg:"after" def:"0"`
	Limit  int    `arg:"limit" def:"100"`
}

func (u *util) lastErrors(ctx context.Context, env *modules.Env, in logArgs) (any, error) {
	in.Match = `(?i)\[` + in.Level + `\s*\]`
	return u.lastLogs(ctx, env, in)
}

// maxLog is how much of the end of a log is looked at.
const maxLog = 8 << 20

func (u *util) lastLogs(_ context.Context, _ *modules.Env, in logArgs) (any, error) {
	if u.LogFile == "" {
		return nil, modules.Errorf("the minion writes no log file: set the option log_file")
	}
	path := u.LogFile
	if in.File != "minion" {
		if !filepath.IsLocal(in.File) || strings.Contains(in.File, "/") {
			return nil, modules.Invalidf("%q is not the name of a log file: see minionutil.log_files", in.File)
		}
		path = filepath.Join(u.dir(), in.File)
	}
	re, err := pyregex.Compile(in.Match, 0)
	if err != nil {
		return nil, modules.Invalidf("%v", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > maxLog {
		if _, err := f.Seek(-maxLog, 2); err != nil {
			return nil, modules.Errorf("%v", err)
		}
	}
	out := []any{}
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), 1<<20)
	for s.Scan() {
		hit, err := re.Search(s.Text())
		if err != nil {
			return nil, modules.Errorf("%v", err)
		}
		if hit != nil {
			out = append(out, s.Text())
		}
	}
	slices.Reverse(out)
	limit := in.Limit
	if in.Count > 0 {
		limit = min(limit, in.Count)
	}
	return ordered.Pairs("values", out[:min(max(limit, 0), len(out))]), s.Err()
}
