// Package cron holds the cron.* states: jobs and variables of crontabs. Comments and changes are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/all/salt.states.cron.html.
package cron

import (
	"context"
	"errors"
	"os"
	"strings"

	"brine/internal/crontab"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "cron", Doc: "States for crontabs.", Virtual: usable, Funcs: []states.Func{
		states.Fn("present", "See that a job is in a user's crontab.", lookPresent, present),
		states.Fn("absent", "See that a job is not in a user's crontab.", lookAbsent, absent),
		states.Fn("env_present", "See that a variable is in a user's crontab.", lookEnv, envPresent),
		states.Fn("env_absent", "See that a variable is not in a user's crontab.", lookNoEnv, envAbsent),
		states.Fn("file", "Make a file a user's crontab.", lookFile, installFile),
	}}
}

func usable(env *modules.Env) error {
	if !env.Mods.Has(env, "cron.list_tab") {
		return errors.New("cron module could not be loaded")
	}
	return nil
}

type none struct{}

type check = states.Check[none]

func done(comment string) (check, error) { return states.Done[none](states.Fine(comment)), nil }

func would(comment string) (check, error) { return states.Change(none{}, comment, nil), nil }

type presentArgs struct {
	Name       string `arg:"name"`
	User       string `arg:"user" def:"'root'"`
	Minute     any    `arg:"minute" def:"'*'"`
	Hour       any    `arg:"hour" def:"'*'"`
	Daymonth   any    `arg:"daymonth" def:"'*'"`
	Month      any    `arg:"month" def:"'*'"`
	Dayweek    any    `arg:"dayweek" def:"'*'"`
	Comment    any    `arg:"comment" def:"None"`
	Commented  bool   `arg:"commented" def:"False"`
	Identifier any    `arg:"identifier" def:"False"`
	Special    any    `arg:"special" def:"None"`
}

type absentArgs struct {
	Name       string         `arg:"name"`
	User       string         `arg:"user" def:"'root'"`
	Identifier any            `arg:"identifier" def:"False"`
	Special    any            `arg:"special" def:"None"`
	Kwargs     modules.Kwargs `arg:"**kwargs"`
}

// identifier is the one given, else the name.
func identifier(v any, name string) any {
	if v == false {
		return name
	}
	return v
}

// find gives the job of a name and an identifier out of a list of the crontab, nil for none.
func find(ctx context.Context, env *states.Env, user, list, name string, id any) (*ordered.Map, error) {
	tab, err := states.Dict(env.Call(ctx, "cron.list_tab", modules.Pos(user)))
	if err != nil {
		return nil, err
	}
	wanted := ""
	if pyfmt.Truth(id) {
		wanted = pyfmt.Str(id)
	}
	for _, e := range tab.List(list) {
		job, _ := e.(*ordered.Map)
		j := crontab.Job{Cmd: job.String("cmd")}
		if s, ok := job.Value("identifier").(string); ok {
			j.ID = &s
		}
		if j.Matches(name, wanted) {
			return job, nil
		}
	}
	return nil, nil
}

func differs(is, wish any) bool {
	if wish == nil || ordered.Equal(is, wish) {
		return false
	}
	return wish != "random" || is == "*"
}

func lookPresent(ctx context.Context, env *states.Env, in presentArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	name := strings.TrimSpace(in.Name)
	list, wish := "crons", ordered.New(9)
	if in.Special != nil {
		list = "special"
		wish.Set("spec", in.Special)
	} else {
		for k, v := range ordered.Pairs("minute", in.Minute, "hour", in.Hour, "daymonth", in.Daymonth, "month", in.Month, "dayweek", in.Dayweek).All() {
			if v != nil {
				wish.Set(k, strings.ToLower(pyfmt.Str(v)))
			}
		}
	}
	id := identifier(in.Identifier, name)
	wish.Update(ordered.Pairs("cmd", name, "comment", in.Comment, "commented", in.Commented))
	if id != nil {
		wish.Set("identifier", pyfmt.Str(id))
	}
	job, err := find(ctx, env, in.User, list, name, id)
	if err != nil {
		return check{}, err
	}
	if job == nil {
		return would("Cron " + name + " is set to be added")
	}
	for k, v := range wish.All() {
		if differs(job.Value(k), v) {
			return would("Cron " + name + " is set to be updated")
		}
	}
	return done("Cron " + name + " already present")
}

func present(ctx context.Context, env *states.Env, in presentArgs, _ none) (*states.Result, error) {
	name := strings.TrimSpace(in.Name)
	id := identifier(in.Identifier, name)
	job := ordered.Pairs("user", in.User, "cmd", name, "comment", in.Comment, "commented", in.Commented, "identifier", id)
	drop, set := "cron.rm_special", "cron.set_job"
	if in.Special != nil {
		drop, set = "cron.rm_job", "cron.set_special"
		job.Set("special", in.Special)
	} else {
		job.Update(ordered.Pairs("minute", in.Minute, "hour", in.Hour, "daymonth", in.Daymonth, "month", in.Month, "dayweek", in.Dayweek))
	}
	other, err := env.Call(ctx, drop, modules.Pos(in.User, name).With("identifier", id))
	if err != nil {
		return nil, err
	}
	got, err := env.Call(ctx, set, modules.Args{Kw: job})
	if err != nil {
		return nil, err
	}
	changed := func(comment string) (*states.Result, error) {
		return &states.Result{Name: name, OK: states.True(), Comment: comment, Changes: ordered.Pairs(in.User, name)}, nil
	}
	switch {
	case got == "present" && other == "removed":
		return states.Fine("Duplicate Cron " + name + " removed"), nil
	case got == "present":
		return states.Fine("Cron " + name + " already present"), nil
	case got == "new" && other == "removed":
		return changed("Cron " + name + " time specification changed")
	case got == "new":
		return changed("Cron " + name + " added to " + in.User + "'s crontab")
	case got == "updated":
		return changed("Cron " + name + " updated")
	}
	return states.Failed("Cron %s for user %s failed to commit with error \n%s", name, in.User, pyfmt.Str(got)), nil
}

func lookAbsent(ctx context.Context, env *states.Env, in absentArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	name, list := strings.TrimSpace(in.Name), "crons"
	if in.Special != nil {
		list = "special"
	}
	job, err := find(ctx, env, in.User, list, name, identifier(in.Identifier, name))
	switch {
	case err != nil:
		return check{}, err
	case job == nil:
		return done("Cron " + name + " is absent")
	}
	return would("Cron " + name + " is set to be removed")
}

// removed is the result of a removal; what is "Cron" or "Cron env".
func removed(what, name, user string, got any) (*states.Result, error) {
	switch got {
	case "absent":
		return states.Fine(what + " " + name + " already absent"), nil
	case "removed":
		return &states.Result{Name: name, OK: states.True(), Comment: what + " " + name + " removed from " + user + "'s crontab", Changes: ordered.Pairs(user, name)}, nil
	}
	return states.Failed("%s %s for user %s failed to commit with error %s", what, name, user, pyfmt.Str(got)), nil
}

func absent(ctx context.Context, env *states.Env, in absentArgs, _ none) (*states.Result, error) {
	name := strings.TrimSpace(in.Name)
	a := modules.Pos(in.User, name).With("identifier", identifier(in.Identifier, name))
	fun := "cron.rm_job"
	if in.Special != nil {
		fun, a = "cron.rm_special", a.With("special", in.Special)
	}
	got, err := env.Call(ctx, fun, a)
	if err != nil {
		return nil, err
	}
	return removed("Cron", name, in.User, got)
}

type envArgs struct {
	Name  string `arg:"name"`
	Value any    `arg:"value" def:"None"`
	User  string `arg:"user" def:"'root'"`
}

type noEnvArgs struct {
	Name string `arg:"name"`
	User string `arg:"user" def:"'root'"`
}

// variable is the value of a variable of the crontab, nil for none.
func variable(ctx context.Context, env *states.Env, user, name string) (any, error) {
	tab, err := states.Dict(env.Call(ctx, "cron.list_tab", modules.Pos(user)))
	for _, e := range tab.List("env") {
		if v, _ := e.(*ordered.Map); v.Value("name") == name {
			return v.Value("value"), err
		}
	}
	return nil, err
}

func lookEnv(ctx context.Context, env *states.Env, in envArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	is, err := variable(ctx, env, in.User, in.Name)
	wish := ""
	if in.Value != nil {
		wish = pyfmt.Str(in.Value)
	}
	switch {
	case err != nil:
		return check{}, err
	case is == nil:
		return would("Cron env " + in.Name + " is set to be added")
	case is == wish || wish == "" && is == `""`:
		return done("Cron env " + in.Name + " already present")
	}
	return would("Cron env " + in.Name + " is set to be updated")
}

func envPresent(ctx context.Context, env *states.Env, in envArgs, _ none) (*states.Result, error) {
	got, err := env.Call(ctx, "cron.set_env", modules.Pos(in.User, in.Name).With("value", in.Value))
	r := &states.Result{OK: states.True(), Changes: ordered.Pairs(in.User, in.Name)}
	switch {
	case err != nil:
		return nil, err
	case got == "present":
		return states.Fine("Cron env " + in.Name + " already present"), nil
	case got == "new":
		r.Comment = "Cron env " + in.Name + " added to " + in.User + "'s crontab"
		return r, nil
	case got == "updated":
		r.Comment = "Cron env " + in.Name + " updated"
		return r, nil
	}
	return states.Failed("Cron env %s for user %s failed to commit with error \n%s", in.Name, in.User, pyfmt.Str(got)), nil
}

func lookNoEnv(ctx context.Context, env *states.Env, in noEnvArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	name := strings.TrimSpace(in.Name)
	is, err := variable(ctx, env, in.User, name)
	switch {
	case err != nil:
		return check{}, err
	case is == nil:
		return done("Cron env " + name + " is absent")
	}
	return would("Cron env " + name + " is set to be removed")
}

func envAbsent(ctx context.Context, env *states.Env, in noEnvArgs, _ none) (*states.Result, error) {
	name := strings.TrimSpace(in.Name)
	got, err := env.Call(ctx, "cron.rm_env", modules.Pos(in.User, name))
	if err != nil {
		return nil, err
	}
	return removed("Cron env", name, in.User, got)
}

type fileArgs struct {
	Name           string         `arg:"name"`
	SourceHash     any            `arg:"source_hash" def:"''"`
	SourceHashName any            `arg:"source_hash_name" def:"None"`
	User           string         `arg:"user" def:"'root'"`
	Template       any            `arg:"template" def:"None"`
	Context        any            `arg:"context" def:"None"`
	Replace        bool           `arg:"replace" def:"True"`
	Defaults       any            `arg:"defaults" def:"None"`
	Backup         any            `arg:"backup" def:"''"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// begin writes the crontab as it is to a temporary file and finds the user's group; r ends the state.
func (in fileArgs) begin(ctx context.Context, env *states.Env) (path string, group any, r *states.Result, err error) {
	info, err := states.Dict(env.Call(ctx, "user.info", modules.Pos(in.User)))
	groups := info.List("groups")
	if err != nil || len(groups) == 0 {
		return "", nil, states.Failed("Could not identify group for user %s", in.User), nil
	}
	v, err := env.Call(ctx, "cron.raw_cron", modules.Pos(in.User))
	if err != nil {
		return "", nil, nil, err
	}
	raw := pyfmt.Str(v)
	if !strings.HasSuffix(raw, "\n") {
		raw += "\n"
	}
	f, err := os.CreateTemp("", "__salt.tmp.*")
	if err != nil {
		return "", nil, nil, err
	}
	_, err = f.WriteString(raw)
	if e := f.Close(); err == nil {
		err = e
	}
	if !in.Replace {
		r = states.Fine("User " + in.User + " already has a crontab. No changes made")
	}
	return f.Name(), groups[0], r, err
}

func lookFile(ctx context.Context, env *states.Env, in fileArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	path, group, r, err := in.begin(ctx, env)
	defer os.Remove(path)
	if r != nil || err != nil {
		return states.Done[none](r), err
	}
	v, err := env.Call(ctx, "file.check_managed", modules.Args{Kw: ordered.Pairs("name", path, "source", in.Name, "source_hash", in.SourceHash, "source_hash_name", in.SourceHashName,
		"user", in.User, "group", group, "mode", "0600", "attrs", nil, "template", in.Template, "context", in.Context, "defaults", in.Defaults, "saltenv", env.Saltenv)})
	if err != nil {
		return check{}, err
	}
	pair, _ := v.([]any)
	res := &states.Result{Comment: pair[1]}
	if ok, known := pair[0].(bool); known {
		res.OK = &ok
	}
	return check{Would: res}, nil
}

func installFile(ctx context.Context, env *states.Env, in fileArgs, _ none) (*states.Result, error) {
	path, group, r, err := in.begin(ctx, env)
	defer os.Remove(path)
	if r != nil || err != nil {
		return r, err
	}
	unmanageable := func(err error) (*states.Result, error) { return states.Failed("Unable to manage file: %v", err), nil }
	v, err := env.Call(ctx, "file.source_list", modules.Pos(in.Name, in.SourceHash, env.Saltenv))
	if err != nil {
		return unmanageable(err)
	}
	chosen, _ := v.([]any)
	v, err = env.Call(ctx, "file.get_managed", modules.Pos(path, in.Template, chosen[0], chosen[1], in.SourceHashName, in.User, group, "0600", nil, env.Saltenv, in.Context, in.Defaults, false))
	if err != nil {
		return unmanageable(err)
	}
	got, _ := v.([]any)
	if s := pyfmt.Str(got[2]); s != "" {
		return states.Failed("%s", s), nil
	}
	ret := ordered.Pairs("changes", ordered.New(0), "comment", "", "name", in.Name, "result", true)
	m, err := states.Dict(env.Call(ctx, "file.manage_file", modules.Pos(path, got[0], ret, chosen[0], got[1], in.User, group, "0600", nil, env.Saltenv, in.Backup)))
	if err != nil {
		return unmanageable(err)
	}
	changes := m.Map("changes")
	if !changes.Has("diff") {
		if m.Value("result") != true {
			return states.Failed("%s", pyfmt.Str(m.Value("comment"))), nil
		}
		return states.Fine("Crontab for user " + in.User + " is in the correct state"), nil
	}
	res, err := states.Dict(env.Call(ctx, "cron.write_cron_file_verbose", modules.Pos(in.User, path)))
	if err != nil {
		return nil, err
	}
	if res.Value("retcode") != int64(0) {
		return states.Failed("Unable to update user %s crontab %s. Error: %s", in.User, path, res.String("stderr")), nil
	}
	return &states.Result{OK: states.True(), Comment: "Crontab for user " + in.User + " was updated", Changes: changes}, nil
}
