package filters

import (
	"strings"

	"brine/internal/pyregex"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// TestFunc is one test: what stands behind is.
type TestFunc func(h Host, v starlark.Value, a pyvalue.Args) (bool, error)

// Test finds a test by name; nil when there is none.
func Test(name string) TestFunc {
	if op, ok := comparisons[name]; ok {
		return func(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
			other, err := a.Bind(name, "other")
			if err != nil {
				return false, err
			}
			return pyvalue.Compare(op, v, other[0])
		}
	}
	switch name {
	case "defined", "undefined":
		return func(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
			_, err := a.Bind(name)
			_, missing := v.(*pyvalue.Undefined)
			return missing == (name == "undefined"), err
		}
	case "in":
		return func(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
			seq, err := a.Bind(name, "seq")
			if err != nil {
				return false, err
			}
			return pyvalue.Contains(seq[0], v)
		}
	case "divisibleby":
		return divisible
	case "sameas":
		return sameAs
	case "match":
		return matchTest
	case "filter", "test":
		return func(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
			s, ok := pyvalue.Text(v)
			if name == "filter" {
				return ok && Lookup(s) != nil, nil
			}
			return ok && Test(s) != nil, nil
		}
	}
	if f := plainTest(name); f != nil {
		return func(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
			if _, err := a.Bind(name); err != nil {
				return false, err
			}
			return f(v)
		}
	}
	return nil
}

var comparisons = map[string]string{
	"eq": "eq", "==": "eq", "equalto": "eq", "ne": "ne", "!=": "ne", "lt": "lt", "<": "lt", "lessthan": "lt", "le": "lteq",
	"<=": "lteq", "gt": "gt", ">": "gt", "greaterthan": "gt", "ge": "gteq", ">=": "gteq",
}

// plainTest are the tests that take no arguments.
func plainTest(name string) func(v starlark.Value) (bool, error) {
	kind := func(f func(v starlark.Value) bool) func(starlark.Value) (bool, error) {
		return func(v starlark.Value) (bool, error) { return f(v), nil }
	}
	switch name {
	case "none":
		return kind(func(v starlark.Value) bool { return v == starlark.None })
	case "true":
		return kind(func(v starlark.Value) bool { return v == starlark.True })
	case "false":
		return kind(func(v starlark.Value) bool { return v == starlark.False })
	case "boolean":
		return kind(func(v starlark.Value) bool { _, ok := v.(starlark.Bool); return ok })
	case "integer":
		return kind(func(v starlark.Value) bool { _, ok := v.(starlark.Int); return ok })
	case "float":
		return kind(func(v starlark.Value) bool { _, ok := v.(starlark.Float); return ok })
	case "number":
		return kind(func(v starlark.Value) bool { _, err := pyvalue.Negate("+", v); return err == nil })
	case "string":
		return kind(func(v starlark.Value) bool { _, ok := pyvalue.Text(v); return ok })
	case "mapping":
		return kind(func(v starlark.Value) bool { _, ok := v.(*starlark.Dict); return ok })
	case "list":
		return kind(func(v starlark.Value) bool { _, ok := v.(*starlark.List); return ok })
	case "callable":
		return kind(func(v starlark.Value) bool {
			_, missing := v.(*pyvalue.Undefined) // calling it is possible, if only to fail
			_, ok := v.(starlark.Callable)
			return ok || missing
		})
	case "escaped":
		return kind(func(v starlark.Value) bool { _, ok := v.(pyvalue.Markup); return ok })
	case "iterable":
		return func(v starlark.Value) (bool, error) { return iterable(v), pyvalue.Check(v) }
	case "sequence":
		return kind(func(v starlark.Value) bool {
			switch v.(type) {
			case *pyvalue.View, *pyvalue.Generator, *starlark.Set:
				return false
			}
			_, err := pyvalue.Len(v)
			return err == nil
		})
	case "odd", "even":
		return func(v starlark.Value) (bool, error) {
			m, err := pyvalue.Binary("%", v, starlark.MakeInt(2))
			if err != nil {
				return false, err
			}
			return pyvalue.Equal(m, starlark.MakeInt(map[string]int{"odd": 1, "even": 0}[name]))
		}
	case "lower":
		return caseTest("islower")
	case "upper":
		return caseTest("isupper")
	}
	return nil
}

func iterable(v starlark.Value) bool {
	c, err := pyvalue.Iterate(v)
	if err == nil {
		c.Close()
	}
	return err == nil
}

func caseTest(method string) func(v starlark.Value) (bool, error) {
	return func(v starlark.Value) (bool, error) {
		s, err := pyvalue.Str(v)
		if err != nil {
			return false, err
		}
		m, err := pyvalue.Attr(starlark.String(s), method)
		if err != nil {
			return false, err
		}
		r, err := m.(*pyvalue.Func).Run(pyvalue.Args{})
		return r == starlark.True, err
	}
}

func divisible(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
	by, err := a.Bind("divisibleby", "num")
	if err != nil {
		return false, err
	}
	m, err := pyvalue.Binary("%", v, by[0])
	if err != nil {
		return false, err
	}
	return pyvalue.Equal(m, starlark.MakeInt(0))
}

func sameAs(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
	o, err := a.Bind("sameas", "other")
	if err != nil {
		return false, err
	}
	switch v.(type) {
	case *starlark.List, *starlark.Dict, *starlark.Set:
		return v == o[0], nil
	case starlark.Tuple:
		return false, nil
	}
	if pyvalue.TypeName(v) != pyvalue.TypeName(o[0]) {
		return false, nil
	}
	return pyvalue.Equal(v, o[0])
}

// matchTest is Salt's match: a regular expression at the beginning of the text.
func matchTest(_ Host, v starlark.Value, a pyvalue.Args) (bool, error) {
	p, err := a.Bind("match", "rgx", "ignorecase?", "multiline?")
	if err != nil {
		return false, err
	}
	re, s, err := regex(v, p[0], p[1], p[2])
	if err != nil {
		return false, err
	}
	m, err := re.Match(s)
	return m != nil, err
}

// regex compiles a pattern for a text.
func regex(v, pattern, ignoreCase, multiline starlark.Value) (*pyregex.Regexp, string, error) {
	s, ok := pyvalue.Text(v)
	if !ok {
		if err := pyvalue.Check(v); err != nil {
			return nil, "", err
		}
		return nil, "", typeErrorf("expected string or bytes-like object")
	}
	p, err := pyvalue.StrArg(pattern, "")
	if err != nil {
		return nil, "", typeErrorf("first argument must be string or compiled pattern")
	}
	var flags pyregex.Flags
	if ok, err := pyvalue.BoolArg(ignoreCase, false); err != nil {
		return nil, "", err
	} else if ok {
		flags |= pyregex.IgnoreCase
	}
	if ok, err := pyvalue.BoolArg(multiline, false); err != nil {
		return nil, "", err
	} else if ok {
		flags |= pyregex.Multiline
	}
	re, err := pyregex.Compile(p, flags)
	if err != nil {
		return nil, "", pyvalue.Errorf("error", "%s", strings.TrimSpace(err.Error()))
	}
	return re, s, nil
}
