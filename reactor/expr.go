package reactor

import (
	"context"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
	"brine/internal/starval"
	"brine/modules"
)

// keywords are the names that expressions know, each written with a dollar in front.
var keywords = []string{"event", "match", "context", "salt", "options"}

// Limits of one expression.
const (
	maxSteps = 100_000
	maxText  = 16 << 10
)

// isExpression tells whether a text mentions a keyword outside of quotes: any other dollar is plain text.
func isExpression(text string) bool {
	if !strings.Contains(text, "$") {
		return false
	}
	_, found := translate(text)
	return found
}

// translate makes Starlark of an expression: $name becomes name, Python's "is" and "is not" become == and !=.
func translate(text string) (out string, found bool) {
	var b strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"':
			end := i + 1
			for end < len(text) && text[end] != c {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(text))
			b.WriteString(text[i:end])
			i = end
		case c == '$' && keyword(text[i+1:]) != "":
			found = true
			i++
		case isWord(c):
			end := i
			for end < len(text) && isWord(text[end]) {
				end++
			}
			word := text[i:end]
			if word == "is" {
				word = "=="
				if rest := strings.TrimLeft(text[end:], " "); strings.HasPrefix(rest, "not ") {
					word = "!="
					end = len(text) - len(rest) + len("not")
				}
			}
			b.WriteString(word)
			i = end
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), found
}

func keyword(rest string) string {
	end := 0
	for end < len(rest) && isWord(rest[end]) {
		end++
	}
	for _, k := range keywords {
		if rest[:end] == k {
			return k
		}
	}
	return ""
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// scope is what one expression sees.
type scope struct {
	engine *Engine
	event  *ordered.Map // {tag, data}
	match  *pyregex.Match
	names  map[string]int // of the groups
}

// eval computes one expression in the closed language: Starlark's expressions (https://github.com/bazelbuild/starlark),
// without statements, files or clock, with a bound on steps.
func (s *scope) eval(ctx context.Context, text string) (any, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("an expression of %d bytes, at most %d", len(text), maxText)
	}
	src, _ := translate(text)
	thread := &starlark.Thread{Name: "condition"}
	thread.SetMaxExecutionSteps(maxSteps)
	stop := context.AfterFunc(ctx, func() { thread.Cancel("the reactor stops") })
	defer stop()
	v, err := starlark.EvalOptions(&syntax.FileOptions{}, thread, "expression", strings.TrimSpace(src), s.vars(ctx))
	if err != nil {
		return nil, fmt.Errorf("expression %s: %w", text, err)
	}
	out, err := starval.Data(v)
	if err != nil {
		return nil, fmt.Errorf("expression %s: %w", text, err)
	}
	return out, nil
}

func (s *scope) vars(ctx context.Context) starlark.StringDict {
	return starlark.StringDict{
		"event": starval.Of(s.event), "match": matchValue{s.match, s.names}, "context": s.contextValue(), "salt": functions{ctx, s.engine, ""},
		"options": starval.Of(s.engine.o.Opts),
	}
}

// contextValue is the engine's context with its helper functions beside the data.
func (s *scope) contextValue() starlark.Value {
	d, ok := starval.Of(s.engine.store.snapshot()).(*starlark.Dict)
	if !ok {
		return starlark.None
	}
	for name, f := range s.engine.store.helpers() {
		b := starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			pos, kw, err := dataArgs(args, kwargs)
			if err != nil {
				return nil, err
			}
			v, err := f(pos, kw)
			return starval.Of(v), err
		})
		if err := d.SetKey(starlark.String(name), b); err != nil {
			return starlark.None
		}
	}
	return d
}

func dataArgs(args starlark.Tuple, kwargs []starlark.Tuple) (pos []any, kw *ordered.Map, err error) {
	kw = ordered.New(len(kwargs))
	for _, a := range args {
		v, err := starval.Data(a)
		if err != nil {
			return nil, nil, err
		}
		pos = append(pos, v)
	}
	for _, p := range kwargs {
		v, err := starval.Data(p[1])
		if err != nil {
			return nil, nil, err
		}
		name, _ := starlark.AsString(p[0])
		kw.Set(name, v)
	}
	return pos, kw, nil
}

// matchValue is $match: the groups of the regular expression that matched the tag.
type matchValue struct {
	m     *pyregex.Match
	names map[string]int
}

var _ starlark.HasAttrs = matchValue{}

func (m matchValue) String() string        { return "match" }
func (m matchValue) Type() string          { return "match" }
func (m matchValue) Freeze()               {}
func (m matchValue) Truth() starlark.Bool  { return m.m != nil }
func (m matchValue) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: match") }
func (m matchValue) AttrNames() []string   { return []string{"group", "groups"} }
func (m matchValue) Attr(name string) (starlark.Value, error) {
	switch name {
	case "group":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			if len(args) == 0 {
				return m.group(starlark.MakeInt(0))
			}
			return m.group(args[0])
		}), nil
	case "groups":
		return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			if m.m == nil {
				return starlark.None, nil
			}
			return starval.Of(m.m.Captured()), nil
		}), nil
	}
	return nil, nil
}

func (m matchValue) group(which starlark.Value) (starlark.Value, error) {
	if m.m == nil {
		return nil, fmt.Errorf("$match: the reactor has no regex")
	}
	n := 0
	if name, ok := starlark.AsString(which); ok {
		at, known := m.names[name]
		if !known {
			return nil, fmt.Errorf("no such group")
		}
		n = at
	} else if err := starlark.AsInt(which, &n); err != nil {
		return nil, err
	}
	if n < 0 || n > len(m.m.Captured()) {
		return nil, fmt.Errorf("no such group")
	}
	text, ok := m.m.Group(n)
	if !ok {
		return starlark.None, nil
	}
	return starlark.String(text), nil
}

// functions is $salt: $salt["test.echo"]("x") or $salt.test.echo("x").
type functions struct {
	ctx    context.Context //nolint:containedctx // it lives as long as one expression
	engine *Engine
	module string
}

var (
	_ starlark.Mapping  = functions{}
	_ starlark.HasAttrs = functions{}
)

func (f functions) String() string        { return "salt" }
func (f functions) Type() string          { return "salt" }
func (f functions) Freeze()               {}
func (f functions) Truth() starlark.Bool  { return true }
func (f functions) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: salt") }
func (f functions) AttrNames() []string   { return nil }

func (f functions) Attr(name string) (starlark.Value, error) {
	if f.module == "" {
		return functions{f.ctx, f.engine, name}, nil
	}
	return f.fun(f.module + "." + name), nil
}

func (f functions) Get(key starlark.Value) (starlark.Value, bool, error) {
	name, ok := starlark.AsString(key)
	if !ok || f.module != "" {
		return nil, false, fmt.Errorf("$salt: want the name of a function")
	}
	return f.fun(name), true, nil
}

func (f functions) fun(name string) starlark.Value {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		pos, kw, err := dataArgs(args, kwargs)
		if err != nil {
			return nil, err
		}
		v, err := f.engine.o.Call(f.ctx, name, modules.Args{Pos: pos, Kw: kw})
		if err != nil {
			return nil, err
		}
		return starval.Of(v), nil
	})
}

// resolve computes the expressions in job data: keys and values, at any depth.
func (s *scope) resolve(ctx context.Context, v any) (any, error) {
	switch t := v.(type) {
	case string:
		if !isExpression(t) {
			return t, nil
		}
		return s.eval(ctx, t)
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			var err error
			if out[i], err = s.resolve(ctx, e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, e := range t.All() {
			key, err := s.resolve(ctx, k)
			if err != nil {
				return nil, err
			}
			switch key.(type) {
			case []any, *ordered.Map, []byte:
				return nil, fmt.Errorf("a key of type %s", pyfmt.Type(key))
			}
			val, err := s.resolve(ctx, e)
			if err != nil {
				return nil, err
			}
			out.Set(key, val)
		}
		return out, nil
	}
	return v, nil
}
