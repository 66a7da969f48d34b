package runners

import (
	"context"

	"brine/internal/ordered"
	"brine/modules"
)

func cacheRunner(d *Deps) modules.Module {
	return modules.Module{Name: "cache", Doc: "What the master knows of minions without asking them.", Funcs: []modules.Func{
		modules.PureFn("grains", "Show the grains that minions reported last.\n\nCLI Example:\n\n    brine run cache.grains 'web*'",
			func(ctx context.Context, _ *modules.Env, in targetArgs) (any, error) {
				return d.each(ctx, in, func(m *Minion) (*ordered.Map, error) { return m.Grains, nil })
			}),
		modules.PureFn("pillar", "Show the pillars of minions.\n\nCLI Example:\n\n    brine run cache.pillar 'web*'",
			func(ctx context.Context, _ *modules.Env, in targetArgs) (any, error) {
				return d.each(ctx, in, func(m *Minion) (*ordered.Map, error) { return d.Pillar(ctx, m.ID) })
			}),
	}}
}

// each collects something of the minions of a target; no target is all of them.
func (d *Deps) each(ctx context.Context, in targetArgs, get func(*Minion) (*ordered.Map, error)) (any, error) {
	var tgt any = "*"
	if in.Tgt != nil {
		tgt = in.Tgt
	}
	ids, err := d.Resolve(ctx, tgt, in.TgtType)
	if err != nil {
		return nil, err
	}
	want := map[string]bool{}
	for _, id := range ids {
		want[id] = true
	}
	out := ordered.New(len(ids))
	for _, m := range d.Minions() {
		if !want[m.ID] {
			continue
		}
		v, err := get(&m)
		if err != nil {
			return nil, modules.Errorf("%s: %v", m.ID, err)
		}
		if v != nil {
			out.Set(m.ID, v)
		}
	}
	return out, nil
}

func pillarRunner(d *Deps) modules.Module {
	type args struct {
		Minion string         `arg:"minion" def:"'*'"`
		Other  modules.Kwargs `arg:"**kwargs"`
	}
	return modules.Module{Name: "pillar", Doc: "The pillars of minions.", Funcs: []modules.Func{
		modules.PureFn("show_pillar", "Compile the pillar of a minion and show it.\n\nCLI Example:\n\n    brine run pillar.show_pillar web1",
			func(ctx context.Context, _ *modules.Env, in args) (any, error) {
				v, err := d.Pillar(ctx, in.Minion)
				if err != nil {
					return nil, modules.Errorf("%v", err)
				}
				return v, nil
			}),
	}}
}
