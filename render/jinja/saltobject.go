package jinja

import (
	"errors"
	"strings"

	"brine/internal/ordered"
	"brine/internal/starval"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// PyClasser is an error of a function that knows the Python class Salt's users know it by, such as SaltInvocationError.
type PyClasser interface{ PyClass() string }

// saltObject is salt in a template: salt['test.ping'](), salt.test.ping(), 'test.ping' in salt.
type saltObject struct{ r *run }

func (s *saltObject) String() string        { return "<salt.utils.templates.AliasedLoader object>" }
func (s *saltObject) Type() string          { return "AliasedLoader" }
func (s *saltObject) Freeze()               {}
func (s *saltObject) Truth() starlark.Bool  { return true }
func (s *saltObject) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (s *saltObject) ObjectName() string { return "salt.utils.templates.AliasedLoader object" }

// PyItem implements pyvalue.ItemGetter.
func (s *saltObject) PyItem(key starlark.Value) (starlark.Value, bool, error) {
	name, ok := pyvalue.Text(key)
	if !ok || !s.r.in.Salt.Has(name) {
		return nil, false, nil
	}
	return s.function(name), true, nil
}

func (s *saltObject) function(name string) starlark.Value {
	return function(name, func(a pyvalue.Args) (starlark.Value, error) { return s.r.callSalt(name, a) })
}

// PyAttr implements pyvalue.Attributes.
func (s *saltObject) PyAttr(name string) (starlark.Value, error) {
	if name == "get" {
		return function("get", func(a pyvalue.Args) (starlark.Value, error) {
			v, err := a.Bind("get", "key", "default?")
			if err != nil {
				return nil, err
			}
			if f, ok, err := s.PyItem(v[0]); ok || err != nil {
				return f, err
			}
			return orNone(v[1]), nil
		}), nil
	}
	if strings.Contains(name, ".") {
		return nil, nil
	}
	return &saltModule{s, name}, nil
}

// Contains implements pyvalue.Container.
func (s *saltObject) Contains(key starlark.Value) (bool, error) {
	name, ok := pyvalue.Text(key)
	return ok && s.r.in.Salt.Has(name), nil
}

// saltModule is one module of the salt object.
type saltModule struct {
	salt *saltObject
	name string
}

func (m *saltModule) String() string        { return "<LoadedMod module='salt.loaded.int.module'>" }
func (m *saltModule) Type() string          { return "LoadedMod" }
func (m *saltModule) Freeze()               {}
func (m *saltModule) Truth() starlark.Bool  { return true }
func (m *saltModule) Hash() (uint32, error) { return 0, nil }

// ObjectName implements pyvalue.ObjectNamer.
func (m *saltModule) ObjectName() string { return "salt.loader.lazy.LoadedMod object" }

// PyAttr implements pyvalue.Attributes.
func (m *saltModule) PyAttr(name string) (starlark.Value, error) {
	full := m.name + "." + name
	if !m.salt.r.in.Salt.Has(full) {
		return nil, nil
	}
	return m.salt.function(full), nil
}

// callSalt runs an execution function on arguments of a template.
func (r *run) callSalt(name string, a pyvalue.Args) (starlark.Value, error) {
	var out starval.Out
	pos := make([]any, len(a.Pos))
	for i, v := range a.Pos {
		if err := pyvalue.Check(v); err != nil {
			return nil, err
		}
		d, err := out.Data(v)
		if err != nil {
			return nil, err
		}
		pos[i] = d
	}
	kw := ordered.New(len(a.Kw))
	for _, kv := range a.Kw {
		if err := pyvalue.Check(kv[1]); err != nil {
			return nil, err
		}
		d, err := out.Data(kv[1])
		if err != nil {
			return nil, err
		}
		kw.Set(string(kv[0].(starlark.String)), d)
	}
	v, err := r.in.Salt.Call(r.ctx, name, pos, kw)
	if err != nil {
		return nil, functionError(err)
	}
	return starval.Of(v), nil
}

// functionError gives an error of a function its Python class; one that does not say is a CommandExecutionError.
func functionError(err error) error {
	class := "CommandExecutionError"
	var c PyClasser
	if errors.As(err, &c) {
		class = c.PyClass()
	}
	return pyvalue.Errorf(class, "%s", err.Error())
}
