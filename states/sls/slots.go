package sls

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/saltargs"
	"brine/internal/traverse"
	"brine/modules"
)

// slotPrefix begins a value that a function fills in when the state runs:
// https://docs.saltproject.io/en/3006/topics/slots/index.html.
const slotPrefix = "__slot__:salt:"

// slots fills in the slots of a chunk: in values, and one level deep in lists and maps.
func (r *runner) slots(ctx context.Context, low *ordered.Map) (*ordered.Map, error) {
	out := low
	for k, v := range low.All() {
		filled, err := r.fill(ctx, v)
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok && strings.HasPrefix(s, slotPrefix) || !ordered.Equal(filled, v) {
			if out == low {
				out = low.Clone()
			}
			out.Set(k, filled)
		}
	}
	return out, nil
}

func (r *runner) fill(ctx context.Context, v any) (any, error) {
	switch t := v.(type) {
	case string:
		return r.slot(ctx, t)
	case []any:
		out := make([]any, len(t))
		for i := range t {
			one, err := r.slot(ctx, t[i])
			if m, ok := t[i].(*ordered.Map); ok {
				one, err = r.fill(ctx, m)
			}
			if err != nil {
				return nil, err
			}
			out[i] = one
		}
		return out, nil
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, e := range t.All() {
			one, err := r.slot(ctx, e)
			if err != nil {
				return nil, err
			}
			out.Set(k, one)
		}
		return out, nil
	}
	return v, nil
}

// slot fills in one value: __slot__:salt:mod.fun(args, key=value).path ~ text.
func (r *runner) slot(ctx context.Context, v any) (any, error) {
	s, ok := v.(string)
	if !ok || !strings.HasPrefix(s, slotPrefix) {
		return v, nil
	}
	call := strings.TrimPrefix(s, slotPrefix)
	fun, rest, ok := strings.Cut(call, "(")
	end := strings.LastIndexByte(rest, ')')
	if !ok || end < 0 {
		r.Env.Log.Sugar().Errorf("malformed slot: %s", s)
		return v, nil
	}
	pos, kw := saltargs.Parse(splitArgs(rest[:end]))
	out, err := r.Env.Call(ctx, strings.TrimSpace(fun), modules.Args{Pos: pos, Kw: kw})
	if err != nil {
		return nil, err
	}
	path, tail, joined := strings.Cut(rest[end+1:], "~")
	if path = strings.Trim(strings.TrimSpace(path), "."); path != "" {
		out, _ = traverse.Get(out, path, ".")
	}
	if joined {
		return pyfmt.Str(out) + strings.TrimSpace(tail), nil
	}
	return out, nil
}

// splitArgs splits at commas that stand outside of quotes and brackets.
func splitArgs(s string) []string {
	var out []string
	depth, start := 0, 0
	var quote rune
	for i, c := range s {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.ContainsRune("([{", c):
			depth++
		case strings.ContainsRune(")]}", c):
			depth--
		case c == ',' && depth == 0:
			out = append(out, unquote(s[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(s[start:]); last != "" || len(out) > 0 {
		out = append(out, unquote(last))
	}
	return out
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	key, value, ok := strings.Cut(s, "=")
	if ok && !strings.ContainsAny(key, `'"([{`) {
		return strings.TrimSpace(key) + "=" + unquote(value)
	}
	if n := len(s); n >= 2 && (s[0] == '\'' || s[0] == '"') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}
