package state

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states/sls"
)

type slsIDArgs struct {
	ID    any            `arg:"id_"`
	Mods  any            `arg:"mods"`
	Test  any            `arg:"test" def:"None"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// slsID runs the states of one id of SLS files, and what they require.
func (m *state) slsID(ctx context.Context, env *modules.Env, in slsIDArgs) (any, error) {
	env.Job.SetOut("highstate")
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	if in.Test != nil {
		o.test = in.Test
	}
	if in.Queue != nil {
		o.queue = in.Queue
	}
	return m.alone(ctx, env, o, func(ctx context.Context) (any, error) {
		s, chunks, out, err := m.chunks(ctx, env, names(in.Mods), o)
		if err != nil || out != nil {
			return out, err
		}
		id := pyfmt.Str(in.ID)
		if !slices.ContainsFunc(chunks, func(c *ordered.Map) bool { return pyfmt.Str(c.Value("__id__")) == id }) {
			return nil, modules.Invalidf("No matches for ID '%s' found in SLS '%s' within saltenv '%s'", id, joined(names(in.Mods)), s.Env.Saltenv)
		}
		result, err := s.RunID(ctx, chunks, id)
		if err != nil {
			return nil, err
		}
		env.Job.SetRetcode(0)
		if !Good(result, nil) {
			env.Job.SetRetcode(stateFailure)
		}
		return result, nil
	})
}

func joined(list []any) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = pyfmt.Str(v)
	}
	return strings.Join(parts, ",")
}

// chunks compiles SLS files; out is the answer when that fails.
func (m *state) chunks(ctx context.Context, env *modules.Env, mods []any, o options) (s *session, chunks []*ordered.Map, out any, err error) {
	if s, err = m.open(ctx, env, o); err != nil {
		return nil, nil, nil, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return s, nil, s.refused, nil
	}
	high, errs, err := s.RenderHighstate(ctx, ordered.Pairs(s.Env.Saltenv, mods))
	if err != nil {
		return nil, nil, nil, err
	}
	if len(errs) == 0 {
		chunks, errs = sls.Compile(high)
	}
	if len(errs) > 0 {
		env.Job.SetRetcode(compilerError)
		return s, nil, texts(errs), nil
	}
	return s, chunks, nil, nil
}

type singleArgs struct {
	Fun   string         `arg:"fun"`
	Name  any            `arg:"name"`
	Test  any            `arg:"test" def:"None"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// single runs one state function from arguments.
func (m *state) single(ctx context.Context, env *modules.Env, in singleArgs) (any, error) {
	env.Job.SetOut("highstate")
	mod, fun, ok := strings.Cut(in.Fun, ".")
	if !ok {
		env.Job.SetRetcode(compilerError)
		return "Invalid function passed", nil
	}
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	if in.Test != nil {
		o.test = in.Test
	}
	if in.Queue != nil {
		o.queue = in.Queue
	}
	low := ordered.Pairs("state", mod, "fun", fun, "__id__", in.Name, "name", in.Name)
	for k, v := range in.Extra.All() {
		switch k {
		case "pillar", "pillarenv", "queue", "concurrent", "localconfig", "pillar_enc":
		default:
			low.Set(k, v)
		}
	}
	return m.alone(ctx, env, o, func(ctx context.Context) (any, error) { return m.lows(ctx, env, []*ordered.Map{low}, o) })
}

// lows runs chunks as they are.
func (m *state) lows(ctx context.Context, env *modules.Env, chunks []*ordered.Map, o options) (any, error) {
	s, err := m.open(ctx, env, o)
	if err != nil {
		return nil, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return s.refused, nil
	}
	out, err := s.Run(ctx, chunks)
	if err != nil {
		return nil, err
	}
	env.Job.SetRetcode(0)
	if !Good(out, nil) {
		env.Job.SetRetcode(stateFailure)
	}
	return out, nil
}

type dataArgs struct {
	Data  any            `arg:"data"`
	Test  any            `arg:"test" def:"None"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// high runs high data that is given.
func (m *state) high(ctx context.Context, env *modules.Env, in dataArgs) (any, error) {
	env.Job.SetOut("highstate")
	data, ok := in.Data.(*ordered.Map)
	if !ok {
		return nil, modules.Invalidf("High data is not a dictionary and is invalid")
	}
	o, err := in.options(env)
	if err != nil {
		return nil, err
	}
	return m.alone(ctx, env, o, func(ctx context.Context) (any, error) { return m.highData(ctx, env, data, o) })
}

func (in dataArgs) options(env *modules.Env) (options, error) {
	o, err := read(env, in.Extra)
	if in.Test != nil {
		o.test = in.Test
	}
	if in.Queue != nil {
		o.queue = in.Queue
	}
	return o, err
}

func (m *state) highData(ctx context.Context, env *modules.Env, data *ordered.Map, o options) (any, error) {
	s, err := m.open(ctx, env, o)
	if err != nil {
		return nil, err
	}
	if s.refused != nil {
		env.Job.SetRetcode(pillarFailure)
		return s.refused, nil
	}
	high, _ := ordered.Copy(data).(*ordered.Map)
	sls.Pad(high)
	return s.run(ctx, env, high, nil)
}

// low runs one chunk that is given.
func (m *state) low(ctx context.Context, env *modules.Env, in dataArgs) (any, error) {
	data, ok := in.Data.(*ordered.Map)
	if !ok {
		return nil, modules.Invalidf("the chunk is a %s and no dictionary", pyfmt.Type(in.Data))
	}
	for _, key := range []string{"__id__", "state", "fun", "name"} {
		if !data.Has(key) {
			return nil, fmt.Errorf("'%s' is missing in the chunk", key)
		}
	}
	o, err := in.options(env)
	if err != nil {
		return nil, err
	}
	return m.alone(ctx, env, o, func(ctx context.Context) (any, error) {
		chunk, _ := ordered.Copy(data).(*ordered.Map)
		out, err := m.lows(ctx, env, []*ordered.Map{chunk}, o)
		if results, ok := out.(*ordered.Map); ok && err == nil {
			for _, v := range results.All() {
				return v, nil
			}
		}
		return out, err
	})
}

type templateArgs struct {
	Tem   string         `arg:"tem"`
	Queue any            `arg:"queue" def:"None"`
	Extra modules.Kwargs `arg:"**kwargs"`
}

// template runs the states of a file of this machine.
func (m *state) template(ctx context.Context, env *modules.Env, in templateArgs) (any, error) {
	src, err := os.ReadFile(in.Tem)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	in.Tem = string(src)
	return m.templateStr(ctx, env, in)
}

// templateStr runs the states of a text.
func (m *state) templateStr(ctx context.Context, env *modules.Env, in templateArgs) (any, error) {
	env.Job.SetOut("highstate")
	o, err := read(env, in.Extra)
	if err != nil {
		return nil, err
	}
	if in.Queue != nil {
		o.queue = in.Queue
	}
	return m.alone(ctx, env, o, func(ctx context.Context) (any, error) {
		s, err := m.open(ctx, env, o)
		if err != nil {
			return nil, err
		}
		v, err := s.RenderText(ctx, []byte(in.Tem), "", "", s.Env.Saltenv, nil)
		if err != nil {
			env.Job.SetRetcode(compilerError)
			return texts([]string{err.Error()}), nil
		}
		high, ok := v.(*ordered.Map)
		if !ok {
			env.Job.SetRetcode(compilerError)
			return texts([]string{"Template does not render to a dictionary"}), nil
		}
		return m.highData(ctx, env, high, o)
	})
}

func (m *state) running(_ context.Context, env *modules.Env, _ runningArgs) (any, error) {
	out := []any{}
	h, held := m.Lock.Held()
	if held && (env.Job == nil || h.JID != env.Job.JID) && strings.HasPrefix(h.Fun, "state.") {
		out = append(out, conflict(h))
	}
	return out, nil
}

type runningArgs struct {
	Concurrent bool `arg:"concurrent" def:"False"`
}
