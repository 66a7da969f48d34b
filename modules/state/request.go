package state

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
	"brine/modules"
)

// requests are the functions for runs that somebody else starts later, and for switching SLS files off.
func (m *state) requests() []modules.Func {
	return []modules.Func{
		modules.Fn("request", requestDoc, m.request),
		modules.PureFn("check_request", checkRequestDoc, checkRequest),
		modules.Fn("clear_request", clearRequestDoc, clearRequest),
		modules.Fn("run_request", runRequestDoc, m.runRequest),
		modules.Fn("disable", disableDoc, disable),
		modules.Fn("enable", enableDoc, enable),
		modules.PureFn("list_disabled", listDisabledDoc, listDisabled),
	}
}

// noted is where requests are kept.
func noted(env *modules.Env) string {
	return filepath.Join(env.Opts.String("cachedir"), "req_state.json")
}

func load(env *modules.Env) (*ordered.Map, error) {
	src, err := os.ReadFile(noted(env))
	if os.IsNotExist(err) {
		return ordered.New(0), nil
	}
	if err != nil {
		return nil, err
	}
	v, err := ordered.FromJSON(src)
	if m, ok := v.(*ordered.Map); ok {
		return m, err
	}
	return ordered.New(0), err
}

func store(env *modules.Env, m *ordered.Map) error {
	if err := os.MkdirAll(filepath.Dir(noted(env)), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(noted(env), []byte(pyjson.Dumps(m, pyjson.Options{})), 0o600)
}

// request makes a dry run and notes that the run is wanted.
func (m *state) request(ctx context.Context, env *modules.Env, in runArgs) (any, error) {
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	o.test = true
	out, err := m.applyWith(ctx, env, names(in.Mods), o)
	if err != nil {
		return nil, err
	}
	all, err := load(env)
	if err != nil {
		return nil, err
	}
	name := "default"
	if n := in.Extra.Value("name"); n != nil {
		name = pyfmt.Str(n)
	}
	all.Set(name, ordered.Pairs("test_run", out, "mods", in.Mods, "kwargs", in.Extra))
	return out, store(env, all)
}

type nameArgs struct {
	Name any `arg:"name" def:"None"`
}

func checkRequest(_ context.Context, env *modules.Env, in nameArgs) (any, error) {
	all, err := load(env)
	if err != nil || in.Name == nil {
		return all, err
	}
	if v, ok := all.Get(pyfmt.Str(in.Name)); ok {
		return v, nil
	}
	return ordered.New(0), nil
}

func clearRequest(_ context.Context, env *modules.Env, in nameArgs) (any, error) {
	all, err := load(env)
	if err != nil {
		return nil, err
	}
	if in.Name == nil {
		all = ordered.New(0)
	} else {
		if !all.Has(pyfmt.Str(in.Name)) {
			return false, nil
		}
		all.Delete(pyfmt.Str(in.Name))
	}
	return true, store(env, all)
}

type runRequestArgs struct {
	Name  any            `arg:"name" def:"'default'"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

func (m *state) runRequest(ctx context.Context, env *modules.Env, in runRequestArgs) (any, error) {
	all, err := load(env)
	if err != nil {
		return nil, err
	}
	req, ok := all.Value(pyfmt.Str(in.Name)).(*ordered.Map)
	if !ok {
		return ordered.New(0), nil
	}
	kw := req.Map("kwargs").Clone()
	kw.Update(in.Extra)
	o, err := read(env, kw)
	if err != nil {
		return nil, err
	}
	out, err := m.applyWith(ctx, env, names(req.Value("mods")), o)
	if err != nil {
		return nil, err
	}
	all.Delete(pyfmt.Str(in.Name))
	return out, store(env, all)
}

type statesListArgs struct {
	States any `arg:"states"`
}

// disabledKey is the grain with the SLS files that are switched off.
const disabledKey = "state_runs_disabled"

func change(ctx context.Context, env *modules.Env, list []any) error {
	_, err := env.Call(ctx, "grains.setval", modules.Pos(disabledKey, list))
	return err
}

func disable(ctx context.Context, env *modules.Env, in statesListArgs) (any, error) {
	list := slices.Clone(env.Grains.Items(ctx).List(disabledKey))
	var msgs []string
	for _, s := range names(in.States) {
		name := pyfmt.Str(s)
		if slices.Contains(list, any(name)) {
			msgs = append(msgs, "Info: "+name+" state already disabled.")
			continue
		}
		list = append(list, name)
		msgs = append(msgs, "Info: "+name+" state disabled.")
	}
	if err := change(ctx, env, list); err != nil {
		return nil, err
	}
	return ordered.Pairs("res", true, "msg", strings.Join(msgs, "\n")), nil
}

func enable(ctx context.Context, env *modules.Env, in statesListArgs) (any, error) {
	list := slices.Clone(env.Grains.Items(ctx).List(disabledKey))
	var msgs []string
	for _, s := range names(in.States) {
		name := pyfmt.Str(s)
		i := slices.Index(list, any(name))
		if i < 0 {
			msgs = append(msgs, "Info: "+name+" state already enabled.")
			continue
		}
		list = slices.Delete(list, i, i+1)
		msgs = append(msgs, "Info: "+name+" state enabled.")
	}
	if err := change(ctx, env, list); err != nil {
		return nil, err
	}
	return ordered.Pairs("res", true, "msg", strings.Join(msgs, "\n")), nil
}

type noArgs struct{}

func listDisabled(ctx context.Context, env *modules.Env, _ noArgs) (any, error) {
	v, ok := env.Grains.Items(ctx).Get(disabledKey)
	if !ok {
		return "", nil
	}
	return v, nil
}
