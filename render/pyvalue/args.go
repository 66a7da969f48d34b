package pyvalue

import (
	"strings"

	"go.starlark.net/starlark"
)

// Args are the arguments of a call.
type Args struct {
	Pos []starlark.Value
	Kw  []starlark.Tuple // pairs of name and value
}

// Bind puts arguments under the parameters of the function called name. A parameter that ends in ? may be left out and
// is then nil; "*" before a parameter makes the ones from there on keyword-only.
func (a Args) Bind(name string, params ...string) ([]starlark.Value, error) {
	var names []string
	positional := -1
	for _, p := range params {
		if p == "*" {
			positional = len(names)
			continue
		}
		names = append(names, p)
	}
	if positional < 0 {
		positional = len(names)
	}
	if len(a.Pos) > positional {
		return nil, tooMany(name, names[:positional], len(a.Pos))
	}
	out := make([]starlark.Value, len(names))
	copy(out, a.Pos)
	for _, kv := range a.Kw {
		key := string(kv[0].(starlark.String))
		i := 0
		for i < len(names) && strings.TrimSuffix(names[i], "?") != key {
			i++
		}
		switch {
		case i == len(names):
			return nil, typeErrorf("%s() got an unexpected keyword argument '%s'", name, key)
		case out[i] != nil:
			return nil, typeErrorf("%s() got multiple values for argument '%s'", name, key)
		}
		out[i] = kv[1]
	}
	var missing []string
	for i, n := range names {
		if out[i] == nil && !strings.HasSuffix(n, "?") {
			missing = append(missing, "'"+n+"'")
		}
	}
	if len(missing) > 0 {
		return nil, typeErrorf("%s() missing %d required positional argument%s: %s", name, len(missing), plural(len(missing)), strings.Join(missing, " and "))
	}
	return out, nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func tooMany(name string, params []string, got int) error {
	optional := 0
	for _, p := range params {
		if strings.HasSuffix(p, "?") {
			optional++
		}
	}
	verb := "were"
	if got == 1 {
		verb = "was"
	}
	n := len(params)
	if optional > 0 {
		return typeErrorf("%s() takes from %d to %d positional arguments but %d %s given", name, n-optional, n, got, verb)
	}
	return typeErrorf("%s() takes %d positional argument%s but %d %s given", name, n, plural(n), got, verb)
}

// StrArg is an argument that must be text; def stands for one that was left out or is None.
func StrArg(v starlark.Value, def string) (string, error) {
	if v == nil || v == starlark.None {
		return def, nil
	}
	if err := Check(v); err != nil {
		return "", err
	}
	if s, ok := Text(v); ok {
		return s, nil
	}
	return "", typeErrorf("must be str, not %s", TypeName(v))
}

// IntArg is an argument that must be a whole number; def stands for one that was left out or is None.
func IntArg(v starlark.Value, def int) (int, error) {
	if v == nil || v == starlark.None {
		return def, nil
	}
	if err := Check(v); err != nil {
		return 0, err
	}
	n, ok := number(v)
	i, isInt := n.(starlark.Int)
	if !ok || !isInt {
		return 0, typeErrorf("'%s' object cannot be interpreted as an integer", TypeName(v))
	}
	k, fits := i.Int64()
	if !fits {
		return 0, Errorf("OverflowError", "Python int too large to convert to C ssize_t")
	}
	return int(k), nil
}

// BoolArg is the truth of an argument; def stands for one that was left out.
func BoolArg(v starlark.Value, def bool) (bool, error) {
	if v == nil {
		return def, nil
	}
	return Truth(v)
}

// Caller calls a value.
type Caller func(fn starlark.Value, a Args) (starlark.Value, error)

type methodFunc func(recv starlark.Value, a Args) (starlark.Value, error)

// Func is a function or method of Python's that is written in Go.
type Func struct {
	Label string // what str() shows
	Run   func(a Args) (starlark.Value, error)
}

func (f *Func) String() string        { return f.Label }
func (f *Func) Type() string          { return "builtin_function_or_method" }
func (f *Func) Freeze()               {}
func (f *Func) Truth() starlark.Bool  { return true }
func (f *Func) Hash() (uint32, error) { return 0, typeErrorf("unhashable type: 'function'") }

// Name implements starlark.Callable.
func (f *Func) Name() string { return f.Label }

// CallInternal implements starlark.Callable.
func (f *Func) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return f.Run(Args{Pos: args, Kw: kwargs})
}

// method is the method of v called name, nil when its class has none.
func method(v starlark.Value, name string) starlark.Value {
	var m methodFunc
	switch v.(type) {
	case starlark.String, Markup:
		m = strMethods(name)
	case *starlark.List:
		m = listMethods(name)
	case *starlark.Dict:
		m = dictMethods(name)
	case starlark.Tuple:
		m = tupleMethods(name)
	case starlark.Bytes:
		m = bytesMethods(name)
	case starlark.Int, starlark.Float, starlark.Bool:
		return numberAttr(v, name)
	case *View, *starlark.Set, *Generator:
		m = setMethods(name)
	}
	if m == nil {
		return nil
	}
	return &Func{
		Label: "<built-in method " + name + " of " + TypeName(v) + " object>",
		Run:   func(a Args) (starlark.Value, error) { return m(v, a) },
	}
}
