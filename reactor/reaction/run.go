package reaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Job is a job that a local reaction publishes.
type Job struct {
	Tgt     any
	TgtType string
	Fun     string
	Arg     []any
	Kwarg   *ordered.Map
	Ret     string
	// Meta is the job's metadata; nil is none.
	Meta *ordered.Map
}

// Client does what reactions ask for. The context of each call carries the depth of the reaction.
type Client interface {
	// Local publishes a job and does not wait for it.
	Local(ctx context.Context, j Job) error
	// Master runs a function on the master, of kind runner or wheel.
	Master(ctx context.Context, kind, fun string, a modules.Args) error
	// Spec is the signature of such a function.
	Spec(kind, fun string) (*modules.Spec, error)
	// Caller runs an execution function on the master.
	Caller(ctx context.Context, fun string, a modules.Args) error
}

// chunk is one reaction.
type chunk struct {
	id, sls string
	kind    string // local, runner, wheel, caller
	fun     string
	low     *ordered.Map // the arguments as written
	order   int64
}

// compile makes chunks of high data: {id: {local.FUN: [{key: value} ...]}}, in the order written, or that of order.
func compile(high *ordered.Map, sls string) ([]chunk, error) {
	var out []chunk
	for id, body := range high.All() {
		name := pyfmt.Str(id)
		if strings.HasPrefix(name, "__") {
			continue
		}
		decls, ok := body.(*ordered.Map)
		if !ok {
			return nil, fmt.Errorf("ID '%s' in SLS '%s' is not formed as a dictionary", name, sls)
		}
		for key, args := range decls.All() {
			c := chunk{id: name, sls: sls, low: ordered.New(4), order: int64(10_000 + len(out))}
			c.kind, c.fun, _ = strings.Cut(pyfmt.Str(key), ".")
			if c.kind == "cmd" {
				c.kind = "local"
			}
			if err := c.arguments(args); err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b chunk) int { return int(a.order - b.order) })
	return out, nil
}

func (c *chunk) arguments(v any) error {
	list, ok := v.([]any)
	if m, isMap := v.(*ordered.Map); isMap {
		list, ok = []any{m}, true
	}
	if !ok && v != nil {
		return fmt.Errorf("State '%s' in SLS '%s' is not formed as a list", c.id, c.sls)
	}
	for _, e := range list {
		switch t := e.(type) {
		case *ordered.Map:
			c.low.Update(t)
		case string:
			if c.fun == "" {
				c.fun = t
			}
		}
	}
	if n, ok := c.low.Value("order").(int64); ok {
		c.order = n
	}
	if c.fun == "" {
		return fmt.Errorf("No function declared in state '%s' in SLS '%s'", c.id, c.sls)
	}
	return nil
}

// run runs one chunk: jobs at once, for they are only published, all else in the bounded pool.
func (r *Reactor) run(ctx context.Context, c chunk, fail func(error)) {
	named := func(err error) {
		if err != nil {
			fail(fmt.Errorf("Reactor '%s' failed to execute %s '%s': %w", c.id, c.kind, c.fun, err))
		}
	}
	var do func() error
	switch c.kind {
	case "local":
		named(r.local(ctx, c))
		return
	case "runner", "wheel":
		do = func() error {
			a, err := r.masterArgs(c)
			if err != nil {
				return err
			}
			return r.o.Client.Master(ctx, c.kind, c.fun, a)
		}
	case "caller":
		do = func() error {
			a, err := r.callerArgs(c)
			if err != nil {
				return err
			}
			return r.o.Client.Caller(ctx, c.fun, a)
		}
	default:
		fail(fmt.Errorf("%s in %s: there is no reaction of type '%s'", c.id, c.sls, c.kind))
		return
	}
	select {
	case r.slow <- func() { named(guarded(do)) }:
	default:
		r.dropped.Add(1)
		r.o.Log.Error("too many reactions wait: one is dropped", zap.String("id", c.id), zap.String("fun", c.fun))
	}
}

func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

var errFormat = errors.New("Incorrect argument format, check the Reactor System documentation for the correct format.")

// newStyle reads args, the form of arguments that is the same for all kinds of reactions: a list of one-key maps, or a map.
func (r *Reactor) newStyle(c chunk) (kw *ordered.Map, ok bool, err error) {
	v, ok := c.low.Get("args")
	if !ok {
		return nil, false, nil
	}
	for _, item := range []string{"arg", "kwarg"} {
		if c.low.Has(item) {
			r.o.Log.Warn(fmt.Sprintf("Reactor '%s' is ignoring '%s' param due to presence of 'args' param. Check the Reactor System documentation for the correct argument format.", c.id, item))
		}
	}
	if m, isMap := v.(*ordered.Map); isMap {
		return m, true, nil
	}
	list, _ := v.([]any)
	if !dictlist(list) {
		return nil, true, errFormat
	}
	kw = ordered.New(len(list))
	for _, e := range list {
		kw.Update(e.(*ordered.Map))
	}
	return kw, true, nil
}

// dictlist tells whether every item is a map of one key.
func dictlist(list []any) bool {
	for _, e := range list {
		if m, ok := e.(*ordered.Map); !ok || m.Len() != 1 {
			return false
		}
	}
	return len(list) > 0
}

func (r *Reactor) local(ctx context.Context, c chunk) error {
	tgt, ok := c.low.Get("tgt")
	if !ok {
		return errors.New("it has no tgt")
	}
	j := Job{Tgt: tgt, TgtType: c.low.String("tgt_type"), Fun: c.fun, Ret: c.low.String("ret"), Meta: c.low.Map("metadata")}
	if j.TgtType == "" {
		j.TgtType = "glob"
	}
	kw, isNew, err := r.newStyle(c)
	switch {
	case err != nil:
		return err
	case isNew:
		j.Kwarg = kw
	default:
		j.Arg, j.Kwarg = positional(c.low.Value("arg")), keywords(c.low.Value("kwarg"))
	}
	return r.o.Client.Local(ctx, j)
}

func positional(v any) []any {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		return t
	}
	return []any{v}
}

func keywords(v any) *ordered.Map {
	if m, ok := v.(*ordered.Map); ok {
		return m
	}
	out := ordered.New(0)
	list, _ := v.([]any)
	for _, e := range list {
		if m, ok := e.(*ordered.Map); ok {
			out.Update(m)
		}
	}
	return out
}

// callerArgs also reads the old form of args for caller: a list of positional arguments.
func (r *Reactor) callerArgs(c chunk) (modules.Args, error) {
	if list, ok := c.low.Value("args").([]any); ok && !dictlist(list) {
		return modules.Args{Pos: list}, nil
	}
	kw, isNew, err := r.newStyle(c)
	if isNew || err != nil {
		return modules.Args{Kw: kw}, err
	}
	return modules.Args{Pos: positional(c.low.Value("arg")), Kw: keywords(c.low.Value("kwarg"))}, nil
}

// internal are the keys of a chunk that are never arguments in the old form.
var internal = []string{"order", "args", "arg", "kwarg", "tgt", "tgt_type", "ret", "state", "fun", "__id__", "__sls__", "__env__"}

// masterArgs reads the arguments of a runner or wheel function: args, arg and kwarg, or, in the oldest form, keys that
// stand beside each other and are the function's parameters.
func (r *Reactor) masterArgs(c chunk) (modules.Args, error) {
	kw, isNew, err := r.newStyle(c)
	if isNew || err != nil {
		return modules.Args{Kw: kw}, err
	}
	a := modules.Args{Pos: positional(c.low.Value("arg")), Kw: keywords(c.low.Value("kwarg"))}
	if c.low.Has("arg") && c.low.Has("kwarg") {
		return a, nil
	}
	spec, err := r.o.Client.Spec(c.kind, c.fun)
	if err != nil {
		return a, errors.New("function not available")
	}
	low := c.low
	if !low.Has("name") {
		low = low.Clone()
		low.Set("name", c.id)
	}
	given := ordered.New(low.Len())
	for k, v := range low.All() {
		name := pyfmt.Str(k)
		isParam := slices.ContainsFunc(spec.Params, func(p modules.Param) bool { return p.Name == name })
		extra := spec.KwArg != "" && !slices.Contains(internal, name) && name != "name"
		if isParam || extra {
			given.Set(name, v)
		}
	}
	if !c.low.Has("kwarg") && !c.low.Has("arg") {
		a.Kw = given
	}
	return a, nil
}
