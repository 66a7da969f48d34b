package jinja

import (
	"context"
	"errors"

	"brine/internal/starval"
	"brine/render/filters"
	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

func newRun(ctx context.Context, in *Input) *run {
	conv := new(starval.In)
	return &run{
		ctx: ctx, in: in, limits: in.Limits.withDefaults(), globals: map[string]starlark.Value{}, vars: map[string]starlark.Value{},
		filters: map[string]*filters.Filter{},
		loaded:  map[string]*loaded{}, modules: map[*loaded]*module{}, convert: conv.Value,
	}
}

// onDone runs stop when the render is cancelled; the function it returns ends the watch.
func (r *run) onDone(stop func()) func() {
	cancel := context.AfterFunc(r.ctx, stop)
	return func() { cancel() }
}

// calleeError takes an error of a template's own out of what Starlark wraps around it.
func calleeError(err error) error {
	var e *starlark.EvalError
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if inner := e.Unwrap(); inner != nil {
		var l *located
		var p *pyvalue.Error
		var u *pyvalue.ErrUndefined
		var lim *limitError
		if errors.As(inner, &l) || errors.As(inner, &p) || errors.As(inner, &u) || errors.As(inner, &lim) {
			return inner
		}
	}
	return err
}

func (r *run) lookupFilter(name string) *filters.Filter {
	f, ok := r.filters[name]
	if !ok {
		f = filters.Lookup(name)
		r.filters[name] = f
	}
	return f
}

// host is what filters may ask of the render.
type host struct{ r *run }

// Context implements filters.Host.
func (h host) Context() context.Context { return h.r.ctx }

// Call implements filters.Host.
func (h host) Call(fn starlark.Value, a pyvalue.Args) (starlark.Value, error) { return h.r.call(fn, a) }

// Salt implements filters.Host.
func (h host) Salt(fun string, a pyvalue.Args) (starlark.Value, error) {
	if h.r.in.Salt == nil {
		return nil, templateErrorf("no execution functions are available here")
	}
	return h.r.callSalt(fun, a)
}

// Step implements filters.Host.
func (h host) Step() error { return h.r.step() }

// applyChain applies the filters at the head of a block, the first of them innermost.
func (r *run) applyChain(t *syntax.Filter, v starlark.Value, f *frame) (starlark.Value, error) {
	if inner, ok := t.Node.(*syntax.Filter); ok {
		var err error
		if v, err = r.applyChain(inner, v, f); err != nil {
			return nil, err
		}
	}
	return r.applyFilter(t, v, f)
}

func (r *run) applyFilter(t *syntax.Filter, v starlark.Value, f *frame) (starlark.Value, error) {
	if t.Args.Pos != nil || t.Args.Kw != nil || t.Args.DynPos != nil || t.Args.DynKw != nil {
		a, err := r.args(&t.Args, f)
		if err != nil {
			return nil, err
		}
		return r.filter(t.Name, v, a)
	}
	return r.filter(t.Name, v, pyvalue.Args{})
}

func (r *run) filter(name string, v starlark.Value, a pyvalue.Args) (starlark.Value, error) {
	fn := r.lookupFilter(name)
	if fn == nil {
		return nil, templateErrorf("No filter named '%s' found.", name)
	}
	return filters.Apply(host{r}, fn, v, a)
}

func (r *run) testExpr(t *syntax.Test, f *frame) (starlark.Value, error) {
	v, err := r.eval(t.Node, f)
	if err != nil {
		return nil, err
	}
	a, err := r.args(&t.Args, f)
	if err != nil {
		return nil, err
	}
	fn := filters.Test(t.Name)
	if fn == nil {
		return nil, templateErrorf("No test named '%s' found.", t.Name)
	}
	ok, err := fn(host{r}, v, a)
	return starlark.Bool(ok), err
}
