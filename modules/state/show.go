package state

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states/sls"
)

// shows are the functions that compile and run nothing.
func (m *state) shows() []modules.Func {
	return []modules.Func{
		modules.PureFn("show_sls", showSLSDoc, m.showSLS),
		modules.PureFn("show_low_sls", showLowSLSDoc, m.showLowSLS),
		modules.PureFn("show_top", showTopDoc, m.showTop),
		modules.PureFn("show_highstate", showHighstateDoc, m.showHighstate),
		modules.PureFn("show_lowstate", showLowstateDoc, m.showLowstate),
		modules.PureFn("show_states", showStatesDoc, m.showStates),
		modules.PureFn("show_state_usage", showUsageDoc, m.showUsage),
		modules.PureFn("sls_exists", slsExistsDoc, m.slsExists),
		modules.PureFn("id_exists", idExistsDoc, m.idExists),
	}
}

type showArgs struct {
	Mods  any            `arg:"mods"`
	Test  any            `arg:"test" def:"None"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// rendered is the high data of SLS files; out is the answer when they cannot be rendered.
func (m *state) rendered(ctx context.Context, env *modules.Env, mods []any, kw *ordered.Map) (high *ordered.Map, out any, err error) {
	o, err := read(env, kw)
	if err != nil {
		return nil, nil, err
	}
	s, err := m.open(ctx, env, o)
	if err != nil {
		return nil, nil, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return nil, s.refused, nil
	}
	high, errs, err := s.RenderHighstate(ctx, ordered.Pairs(s.Env.Saltenv, mods))
	if err != nil {
		return nil, nil, err
	}
	if len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return nil, texts(errs), nil
	}
	return high, nil, nil
}

func (m *state) showSLS(ctx context.Context, env *modules.Env, in showArgs) (any, error) {
	high, out, err := m.rendered(ctx, env, names(in.Mods), in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	return high, nil
}

func (m *state) showLowSLS(ctx context.Context, env *modules.Env, in showArgs) (any, error) {
	high, out, err := m.rendered(ctx, env, names(in.Mods), in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	// Salt shows the chunks as the files have them here: before extensions and requisites.
	if errs := sls.Verify(high); len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return texts(errs), nil
	}
	return sls.Low(sls.Chunks(high)), nil
}

type topArgs struct {
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// top opens a session and reads the top file.
func (m *state) top(ctx context.Context, env *modules.Env, kw *ordered.Map) (s *session, matches *ordered.Map, out any, err error) {
	o, err := read(env, kw)
	if err != nil {
		return nil, nil, nil, err
	}
	if s, err = m.open(ctx, env, o); err != nil {
		return nil, nil, nil, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return nil, nil, s.refused, nil
	}
	if s.Saltenv = o.saltenv; s.Saltenv == "" {
		s.Saltenv = env.Opts.String("saltenv")
	}
	top, err := s.Top(ctx)
	if err != nil {
		env.Job.SetRetcode(compilerError)
		return nil, nil, texts([]string{err.Error()}), nil
	}
	if errs := sls.VerifyTop(top); len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return nil, nil, texts(errs), nil
	}
	matches, err = s.TopMatches(ctx, top)
	return s, matches, nil, err
}

func (m *state) showTop(ctx context.Context, env *modules.Env, in topArgs) (any, error) {
	_, matches, out, err := m.top(ctx, env, in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	return matches, nil
}

func (m *state) topData(ctx context.Context, env *modules.Env, kw *ordered.Map) (high *ordered.Map, out any, err error) {
	s, matches, out, err := m.top(ctx, env, kw)
	if err != nil || out != nil {
		return nil, out, err
	}
	high, errs, err := s.RenderHighstate(ctx, matches)
	if err != nil {
		return nil, nil, err
	}
	if len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return nil, texts(errs), nil
	}
	return high, nil, nil
}

func (m *state) showHighstate(ctx context.Context, env *modules.Env, in topArgs) (any, error) {
	high, out, err := m.topData(ctx, env, in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	return high, nil
}

func (m *state) lowData(ctx context.Context, env *modules.Env, kw *ordered.Map) (chunks []*ordered.Map, out any, err error) {
	high, out, err := m.topData(ctx, env, kw)
	if err != nil || out != nil {
		return nil, out, err
	}
	chunks, errs := sls.Compile(high)
	if len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return nil, texts(errs), nil
	}
	return chunks, nil, nil
}

func (m *state) showLowstate(ctx context.Context, env *modules.Env, in topArgs) (any, error) {
	chunks, out, err := m.lowData(ctx, env, in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	return sls.Low(chunks), nil
}

type statesArgs struct {
	Queue  any            `arg:"queue" def:"None"`
	Sorted bool           `arg:"sorted" def:"True"`
	Extra  modules.Kwargs `arg:"**kwargs"`
}

func (m *state) showStates(ctx context.Context, env *modules.Env, in statesArgs) (any, error) {
	chunks, out, err := m.lowData(ctx, env, in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	list, seen := []any{}, map[string]bool{}
	for _, c := range chunks {
		if name := pyfmt.Str(c.Value("__sls__")); !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	return list, nil
}

// showUsage tells which SLS files of the environments the top file uses, and which it does not.
func (m *state) showUsage(ctx context.Context, env *modules.Env, in topArgs) (any, error) {
	s, matches, out, err := m.top(ctx, env, in.Extra)
	if err != nil || out != nil {
		return out, err
	}
	high, errs, err := s.RenderHighstate(ctx, matches)
	if err != nil || len(errs) > 0 {
		return texts(errs), err
	}
	used := map[string]map[string]bool{}
	for _, v := range high.All() {
		if body, ok := v.(*ordered.Map); ok {
			saltenv := body.String("__env__")
			if used[saltenv] == nil {
				used[saltenv] = map[string]bool{}
			}
			used[saltenv][body.String("__sls__")] = true
		}
	}
	result := ordered.New(2)
	envs, err := env.Files.Envs(ctx)
	for _, saltenv := range envs {
		files, err := env.Files.List(ctx, saltenv, "")
		if err != nil {
			return nil, err
		}
		yes, no := []any{}, []any{}
		for _, name := range sls.Names(files) {
			switch {
			case used[saltenv][name]:
				yes = append(yes, name)
			case name != "top":
				no = append(no, name)
			}
		}
		result.Set(saltenv, ordered.Pairs("used", yes, "count_used", int64(len(yes)), "unused", no, "count_unused", int64(len(no)), "count_all", int64(len(yes)+len(no))))
	}
	return result, err
}

func (m *state) slsExists(ctx context.Context, env *modules.Env, in showArgs) (any, error) {
	_, out, err := m.rendered(ctx, env, names(in.Mods), in.Extra)
	env.Job.SetRetcode(0)
	return out == nil, err
}

type idExistsArgs struct {
	IDs   any            `arg:"ids"`
	Mods  any            `arg:"mods"`
	Test  any            `arg:"test" def:"None"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

func (m *state) idExists(ctx context.Context, env *modules.Env, in idExistsArgs) (any, error) {
	high, out, err := m.rendered(ctx, env, names(in.Mods), in.Extra)
	env.Job.SetRetcode(0)
	if err != nil || out != nil {
		return false, err
	}
	for _, id := range names(in.IDs) {
		if !high.Has(id) {
			return false, nil
		}
	}
	return true, nil
}
