package jinja

import (
	"fmt"
	"strings"

	"brine/internal/pyfmt"
	"brine/render/pyvalue"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// macro is a macro, or the body of a call block, with the scope it was defined in.
type macro struct {
	r    *run
	name string
	sig  *syntax.Signature
	body []syntax.Stmt
	home *frame
}

func (r *run) newMacro(name string, sig *syntax.Signature, body []syntax.Stmt, f *frame) *macro {
	return &macro{r: r, name: name, sig: sig, body: body, home: f}
}

func (m *macro) String() string        { return "<Macro " + pyfmt.Repr(m.name) + ">" }
func (m *macro) Type() string          { return "Macro" }
func (m *macro) Freeze()               {}
func (m *macro) Truth() starlark.Bool  { return true }
func (m *macro) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (m *macro) ObjectName() string { return "jinja2.runtime.Macro object" }

// Name implements starlark.Callable.
func (m *macro) Name() string { return m.name }

// CallInternal implements starlark.Callable.
func (m *macro) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return m.call(pyvalue.Args{Pos: args, Kw: kwargs})
}

// PyAttr implements pyvalue.Attributes.
func (m *macro) PyAttr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(m.name), nil
	case "arguments":
		out := starlark.Tuple{}
		for _, p := range m.sig.Params {
			out = append(out, starlark.String(p))
		}
		return out, nil
	case "catch_kwargs":
		return starlark.Bool(m.sig.UsesKwargs), nil
	case "catch_varargs":
		return starlark.Bool(m.sig.UsesVarargs), nil
	case "caller":
		return starlark.Bool(m.sig.UsesCaller), nil
	}
	return nil, nil
}

func (m *macro) call(a pyvalue.Args) (starlark.Value, error) {
	if err := m.r.enter(); err != nil {
		return nil, err
	}
	defer m.r.leave()
	f := m.home.child()
	f.block = false
	if err := m.bind(f, a); err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := m.r.exec(m.body, f, &b); err != nil {
		return nil, err
	}
	return starlark.String(b.String()), nil
}

// bind sets the parameters in the macro's scope.
func (m *macro) bind(f *frame, a pyvalue.Args) error {
	kw := append([]starlark.Tuple(nil), a.Kw...)
	take := func(name string) starlark.Value {
		for i, kv := range kw {
			if string(kv[0].(starlark.String)) == name {
				kw = append(kw[:i], kw[i+1:]...)
				return kv[1]
			}
		}
		return nil
	}
	params := m.sig.Params
	values := make([]starlark.Value, len(params))
	n := copy(values, a.Pos)
	for i := n; i < len(params); i++ {
		values[i] = take(params[i])
	}
	if m.sig.UsesCaller {
		caller := take("caller")
		if caller == nil {
			caller = &pyvalue.Undefined{Message: "No caller defined"}
		}
		f.set("caller", caller)
	}
	if err := m.rest(f, a, kw, n); err != nil {
		return err
	}
	firstDefault := len(params) - len(m.sig.Defaults)
	for i, name := range params {
		v := values[i]
		switch {
		case v != nil:
		case i >= firstDefault:
			var err error
			if v, err = m.r.eval(m.sig.Defaults[i-firstDefault], f); err != nil {
				return err
			}
		default:
			v = &pyvalue.Undefined{Message: "parameter " + pyfmt.Repr(name) + " was not provided"}
		}
		f.set(name, v)
	}
	return nil
}

// rest is about the arguments that no parameter takes.
func (m *macro) rest(f *frame, a pyvalue.Args, kw []starlark.Tuple, taken int) error {
	if m.sig.UsesKwargs {
		d := starlark.NewDict(len(kw))
		for _, kv := range kw {
			if err := d.SetKey(kv[0], kv[1]); err != nil {
				return err
			}
		}
		f.set("kwargs", d)
	} else if len(kw) > 0 {
		key := string(kw[0][0].(starlark.String))
		if key == "caller" {
			return pyvalue.Errorf("TypeError", "macro %s was invoked with two values for the special caller argument. This is most likely a bug.", pyfmt.Repr(m.name))
		}
		return pyvalue.Errorf("TypeError", "macro %s takes no keyword argument %s", pyfmt.Repr(m.name), pyfmt.Repr(key))
	}
	if m.sig.UsesVarargs {
		f.set("varargs", append(starlark.Tuple{}, a.Pos[taken:]...))
	} else if len(a.Pos) > taken {
		return pyvalue.Errorf("TypeError", "macro %s takes not more than %d argument(s)", pyfmt.Repr(m.name), len(m.sig.Params))
	}
	return nil
}

func (r *run) callBlock(t *syntax.CallBlock, f *frame, b *strings.Builder) error {
	fn, err := r.eval(t.Call.Node, f)
	if err != nil {
		return err
	}
	a, err := r.args(&t.Call.Args, f)
	if err != nil {
		return err
	}
	caller := r.newMacro("caller", &t.Sig, t.Body, f)
	a.Kw = append(a.Kw, starlark.Tuple{starlark.String("caller"), caller})
	v, err := r.call(fn, a)
	return r.print(v, err, b)
}

// superBlock is super inside a block: the version of the block that this one replaces.
type superBlock struct {
	r     *run
	tc    *context_
	name  string
	depth int
}

func (s *superBlock) String() string        { return fmt.Sprintf("<BlockReference %s>", pyfmt.Repr(s.name)) }
func (s *superBlock) Type() string          { return "BlockReference" }
func (s *superBlock) Freeze()               {}
func (s *superBlock) Truth() starlark.Bool  { return true }
func (s *superBlock) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (s *superBlock) ObjectName() string { return "jinja2.runtime.BlockReference object" }

// Name implements starlark.Callable.
func (s *superBlock) Name() string { return "super" }

// PyAttr implements pyvalue.Attributes: super.super is the version before.
func (s *superBlock) PyAttr(name string) (starlark.Value, error) {
	if name == "super" {
		return &superBlock{s.r, s.tc, s.name, s.depth + 1}, nil
	}
	return nil, nil
}

// CallInternal implements starlark.Callable.
func (s *superBlock) CallInternal(*starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	versions := s.tc.blocks[s.name]
	if s.depth >= len(versions) {
		return nil, &pyvalue.ErrUndefined{Message: "there is no parent block called " + pyfmt.Repr(s.name) + "."}
	}
	var b strings.Builder
	err := s.r.blockVersion(s.tc, s.name, s.depth, nil, &b)
	return starlark.String(b.String()), err
}

// selfRef is self: the blocks of this template as functions.
type selfRef struct {
	r  *run
	tc *context_
}

func (s *selfRef) String() string        { return "<TemplateReference>" }
func (s *selfRef) Type() string          { return "TemplateReference" }
func (s *selfRef) Freeze()               {}
func (s *selfRef) Truth() starlark.Bool  { return true }
func (s *selfRef) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (s *selfRef) ObjectName() string { return "jinja2.runtime.TemplateReference object" }

// PyAttr implements pyvalue.Attributes.
func (s *selfRef) PyAttr(name string) (starlark.Value, error) {
	if len(s.tc.blocks[name]) == 0 {
		return nil, nil
	}
	return &superBlock{s.r, s.tc, name, 0}, nil
}
