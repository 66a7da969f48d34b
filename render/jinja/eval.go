package jinja

import (
	"fmt"
	"strings"

	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// eval is the value of an expression.
func (r *run) eval(e syntax.Expr, f *frame) (starlark.Value, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	switch t := e.(type) {
	case *syntax.Const:
		return t.Value, nil
	case *syntax.Name:
		return r.lookup(f, t.Name)
	case *syntax.Getattr:
		v, err := r.eval(t.Node, f)
		if err != nil {
			return nil, err
		}
		return r.lenient(pyvalue.GetAttr(v, t.Attr))
	case *syntax.Getitem:
		return r.item(t, f)
	case *syntax.Call:
		return r.callExpr(t, f)
	case *syntax.Filter:
		v, err := r.eval(t.Node, f)
		if err != nil {
			return nil, err
		}
		return r.applyFilter(t, v, f)
	case *syntax.Test:
		return r.testExpr(t, f)
	case *syntax.Cond:
		return r.cond(t, f)
	case *syntax.Compare:
		return r.compare(t, f)
	}
	return r.evalOther(e, f)
}

func (r *run) evalOther(e syntax.Expr, f *frame) (starlark.Value, error) {
	switch t := e.(type) {
	case *syntax.And:
		return r.junction(t.Left, t.Right, f, false)
	case *syntax.Or:
		return r.junction(t.Left, t.Right, f, true)
	case *syntax.Binary:
		a, err := r.eval(t.Left, f)
		if err != nil {
			return nil, err
		}
		b, err := r.eval(t.Right, f)
		if err != nil {
			return nil, err
		}
		return pyvalue.Binary(t.Op, a, b)
	case *syntax.Unary:
		return r.unary(t, f)
	case *syntax.Concat:
		return r.concat(t, f)
	case *syntax.List:
		items, err := r.evalAll(t.Items, f)
		return starlark.NewList(items), err
	case *syntax.Tuple:
		items, err := r.evalAll(t.Items, f)
		return starlark.Tuple(items), err
	case *syntax.Dict:
		return r.dict(t, f)
	case *syntax.Data:
		return starlark.String(t.Text), nil
	}
	return nil, templateErrorf("unknown expression")
}

func (r *run) evalAll(exprs []syntax.Expr, f *frame) ([]starlark.Value, error) {
	out := make([]starlark.Value, len(exprs))
	for i, e := range exprs {
		v, err := r.eval(e, f)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (r *run) cond(t *syntax.Cond, f *frame) (starlark.Value, error) {
	ok, err := r.truth(t.Test, f)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return r.eval(t.Then, f)
	case t.Else != nil:
		return r.eval(t.Else, f)
	}
	// Jinja leaves this one lenient, whatever the environment says of undefined names.
	return &pyvalue.Undefined{
		Message: fmt.Sprintf("the inline if-expression on line %d evaluated to false and no else section was defined.", t.Line()),
		Lenient: true,
	}, nil
}

func (r *run) junction(left, right syntax.Expr, f *frame, or bool) (starlark.Value, error) {
	v, err := r.eval(left, f)
	if err != nil {
		return nil, err
	}
	ok, err := pyvalue.Truth(v)
	if err != nil || ok == or {
		return v, err
	}
	return r.eval(right, f)
}

func (r *run) unary(t *syntax.Unary, f *frame) (starlark.Value, error) {
	v, err := r.eval(t.Expr, f)
	if err != nil {
		return nil, err
	}
	if t.Op != "not" {
		return pyvalue.Negate(t.Op, v)
	}
	ok, err := pyvalue.Truth(v)
	return starlark.Bool(!ok), err
}

func (r *run) concat(t *syntax.Concat, f *frame) (starlark.Value, error) {
	var b strings.Builder
	for _, p := range t.Parts {
		v, err := r.eval(p, f)
		if err != nil {
			return nil, err
		}
		s, err := pyvalue.Str(v)
		if err != nil {
			return nil, err
		}
		if b.WriteString(s); b.Len() > pyvalue.MaxSize {
			return nil, &limitError{"the text is too large"}
		}
	}
	return starlark.String(b.String()), nil
}

func (r *run) compare(t *syntax.Compare, f *frame) (starlark.Value, error) {
	left, err := r.eval(t.First, f)
	if err != nil {
		return nil, err
	}
	for _, o := range t.Rest {
		right, err := r.eval(o.Expr, f)
		if err != nil {
			return nil, err
		}
		var ok bool
		switch o.Op {
		case "in", "notin":
			ok, err = pyvalue.Contains(right, left)
			ok = ok == (o.Op == "in")
		default:
			ok, err = pyvalue.Compare(o.Op, left, right)
		}
		if err != nil || !ok {
			return starlark.False, err
		}
		left = right
	}
	return starlark.True, nil
}

func (r *run) dict(t *syntax.Dict, f *frame) (starlark.Value, error) {
	d := starlark.NewDict(len(t.Keys))
	for i := range t.Keys {
		k, err := r.eval(t.Keys[i], f)
		if err != nil {
			return nil, err
		}
		v, err := r.eval(t.Values[i], f)
		if err != nil {
			return nil, err
		}
		if err := pyvalue.SetKey(d, k, v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (r *run) item(t *syntax.Getitem, f *frame) (starlark.Value, error) {
	v, err := r.eval(t.Node, f)
	if err != nil {
		return nil, err
	}
	if s, ok := t.Arg.(*syntax.Slice); ok {
		var bounds [3]starlark.Value
		for i, e := range []syntax.Expr{s.Start, s.Stop, s.Step} {
			if e == nil {
				continue
			}
			if bounds[i], err = r.eval(e, f); err != nil {
				return nil, err
			}
		}
		return pyvalue.Slice(v, bounds[0], bounds[1], bounds[2])
	}
	key, err := r.eval(t.Arg, f)
	if err != nil {
		return nil, err
	}
	return r.lenient(pyvalue.GetItem(v, key))
}

func (r *run) args(a *syntax.Args, f *frame) (pyvalue.Args, error) {
	var out pyvalue.Args
	var err error
	if len(a.Pos) > 0 {
		if out.Pos, err = r.evalAll(a.Pos, f); err != nil {
			return out, err
		}
	}
	if a.DynPos != nil {
		v, err := r.eval(a.DynPos, f)
		if err != nil {
			return out, err
		}
		more, err := pyvalue.Items(v)
		if err != nil {
			return out, err
		}
		out.Pos = append(out.Pos, more...)
	}
	for _, k := range a.Kw {
		v, err := r.eval(k.Expr, f)
		if err != nil {
			return out, err
		}
		out.Kw = append(out.Kw, starlark.Tuple{starlark.String(k.Name), v})
	}
	if a.DynKw != nil {
		return r.dynamicKeywords(a.DynKw, out, f)
	}
	return out, nil
}

func (r *run) dynamicKeywords(e syntax.Expr, out pyvalue.Args, f *frame) (pyvalue.Args, error) {
	v, err := r.eval(e, f)
	if err != nil {
		return out, err
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		if err := pyvalue.Check(v); err != nil {
			return out, err
		}
		return out, pyvalue.Errorf("TypeError", "argument after ** must be a mapping, not %s", pyvalue.TypeName(v))
	}
	for _, kv := range d.Items() {
		name, ok := pyvalue.Text(kv[0])
		if !ok {
			return out, pyvalue.Errorf("TypeError", "keywords must be strings")
		}
		out.Kw = append(out.Kw, starlark.Tuple{starlark.String(name), kv[1]})
	}
	return out, nil
}

func (r *run) callExpr(t *syntax.Call, f *frame) (starlark.Value, error) {
	fn, err := r.eval(t.Node, f)
	if err != nil {
		return nil, err
	}
	a, err := r.args(&t.Args, f)
	if err != nil {
		return nil, err
	}
	if c, ok := fn.(*contextFunc); ok {
		return c.run(f, a)
	}
	return r.call(fn, a)
}

// call calls a value as Python would.
func (r *run) call(fn starlark.Value, a pyvalue.Args) (starlark.Value, error) {
	switch t := fn.(type) {
	case *pyvalue.Undefined:
		return nil, t.Err()
	case *pyvalue.Func:
		return t.Run(a)
	case *macro:
		return t.call(a)
	case starlark.Callable:
		if r.thread == nil {
			r.thread = &starlark.Thread{Name: "template"}
			r.thread.SetMaxExecutionSteps(uint64(r.limits.Steps))
		}
		defer r.onDone(func() { r.thread.Cancel("the render was cancelled") })()
		v, err := starlark.Call(r.thread, t, a.Pos, a.Kw)
		return v, calleeError(err)
	}
	return nil, pyvalue.Errorf("TypeError", "'%s' object is not callable", pyvalue.TypeName(fn))
}
