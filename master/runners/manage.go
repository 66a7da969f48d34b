package runners

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/version"
	"brine/modules"
)

type manageArgs struct {
	Output        bool           `arg:"output" def:"True"`
	Tgt           any            `arg:"tgt" def:"'*'"`
	TgtType       string         `arg:"tgt_type" def:"'glob'"`
	Timeout       any            `arg:"timeout" def:"None"`
	GatherTimeout any            `arg:"gather_job_timeout" def:"None"`
	Other         modules.Kwargs `arg:"**kwargs"`
}

func manageRunner(d *Deps) modules.Module {
	m := manage{d}
	list := func(name, doc string, want func(*Minion) bool) modules.Func {
		return modules.PureFn(name, doc+"\n\nCLI Example:\n\n    brine run manage."+name, func(context.Context, *modules.Env, struct {
			Subset any            `arg:"subset" def:"None"`
			ShowIP any            `arg:"show_ip" def:"False"`
			Other  modules.Kwargs `arg:"**kwargs"`
		}) (any, error) {
			return d.ids(want), nil
		})
	}
	online := func(mn *Minion) bool { return mn.Online }
	offline := func(mn *Minion) bool { return !mn.Online }
	return modules.Module{Name: "manage", Doc: "Which minions are there.", Funcs: []modules.Func{
		modules.PureFn("status", "List the minions that answer a ping, and those that do not.\n\nCLI Example:\n\n    brine run manage.status", m.status),
		modules.PureFn("up", "List the minions that answer a ping.\n\nCLI Example:\n\n    brine run manage.up", m.up),
		modules.Fn("down", "List the minions that do not answer a ping.\n\nCLI Example:\n\n    brine run manage.down", m.down),
		modules.PureFn("versions", "Compare the versions of the minions with the master's.\n\nCLI Example:\n\n    brine run manage.versions", m.versions),
		modules.PureFn("list_state", "List the connected minions.", func(context.Context, *modules.Env, none) (any, error) { return d.ids(online), nil }),
		modules.PureFn("find", "List the minions that a target means, without asking them.\n\nCLI Example:\n\n    brine run manage.find 'G@os:Debian and not db*'", m.find),
		list("present", "List the connected minions, without asking them.", online),
		list("alived", "List the connected minions, without asking them.", online),
		list("joined", "List the connected minions, without asking them.", online),
		list("not_present", "List the minions that are not connected, without asking.", offline),
		list("not_alived", "List the minions that are not connected, without asking.", offline),
		list("not_joined", "List the minions that are not connected, without asking.", offline),
		list("asleep", "List the minions that sleep and have said until when.", func(mn *Minion) bool { return mn.State == "asleep" }),
		list("missing", "List the minions that are away without having said until when.", func(mn *Minion) bool { return mn.State == "missing" }),
	}}
}

type manage struct{ d *Deps }

// ask pings the target and sorts it into those that answered and those that did not.
func (m manage) ask(ctx context.Context, in manageArgs) (up, down []any, err error) {
	up, down = []any{}, []any{}
	ids, err := m.d.Resolve(ctx, in.Tgt, in.TgtType)
	if err != nil || len(ids) == 0 {
		return up, down, err
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	got, err := m.d.Local(ctx, list, "list", "test.ping", nil)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range list {
		if v, _ := got.Value(id).(bool); v {
			up = append(up, id)
		} else {
			down = append(down, id)
		}
	}
	return up, down, nil
}

func (m manage) status(ctx context.Context, _ *modules.Env, in manageArgs) (any, error) {
	up, down, err := m.ask(ctx, in)
	return ordered.Pairs("up", up, "down", down), err
}

func (m manage) up(ctx context.Context, _ *modules.Env, in manageArgs) (any, error) {
	up, _, err := m.ask(ctx, in)
	return up, err
}

type findArgs struct {
	Tgt     any    `arg:"tgt"`
	TgtType string `arg:"tgt_type" def:"'compound'"`
}

func (m manage) find(ctx context.Context, _ *modules.Env, in findArgs) (any, error) {
	ids, err := m.d.Resolve(ctx, in.Tgt, in.TgtType)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out, nil
}

type downArgs struct {
	RemoveKeys    bool   `arg:"removekeys" def:"False"`
	Tgt           any    `arg:"tgt" def:"'*'"`
	TgtType       string `arg:"tgt_type" def:"'glob'"`
	Timeout       any    `arg:"timeout" def:"None"`
	GatherTimeout any    `arg:"gather_job_timeout" def:"None"`
}

func (m manage) down(ctx context.Context, _ *modules.Env, in downArgs) (any, error) {
	_, down, err := m.ask(ctx, manageArgs{Tgt: in.Tgt, TgtType: in.TgtType})
	if err != nil || !in.RemoveKeys {
		return down, err
	}
	return nil, modules.Errorf("removekeys is not supported here: a device that is away may be asleep; delete keys with brine key -d")
}

func (m manage) versions(context.Context, *modules.Env, struct {
	Timeout any `arg:"timeout" def:"None"`
	Gather  any `arg:"gather_job_timeout" def:"None"`
}) (any, error) {
	same, older, off := ordered.New(0), ordered.New(0), ordered.New(0)
	for _, mn := range m.d.Minions() {
		switch {
		case !mn.Online:
			off.Set(mn.ID, false)
		case mn.Version == version.Version:
			same.Set(mn.ID, mn.Version)
		default:
			older.Set(mn.ID, mn.Version)
		}
	}
	out := ordered.Pairs("Master", version.Version)
	for _, g := range []struct {
		name string
		m    *ordered.Map
	}{{"Minion requires update", older}, {"Minion offline", off}, {"Up to date", same}} {
		if g.m.Len() > 0 {
			out.Set(g.name, g.m)
		}
	}
	return out, nil
}

type targetArgs struct {
	Tgt     any    `arg:"tgt" def:"None"`
	TgtType string `arg:"tgt_type" def:"'glob'"`
}
