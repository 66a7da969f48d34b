package modules

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

type pickArgs struct {
	A      string `arg:"a"`
	B      any    `arg:"b" def:"None"`
	C      bool   `arg:"c" def:"True"`
	D      string `arg:"d" def:"'x'"`
	Kwargs Kwargs `arg:"**kwargs"`
}

func TestFnPick(t *testing.T) {
	t.Parallel()
	f := FnPick("f", "", "a d='y' b", func(_ context.Context, _ *Env, in pickArgs) (any, error) {
		return []any{in.A, in.B, in.C, in.D, in.Kwargs}, nil
	})
	var names []string
	for _, p := range f.Spec().Params {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{"a", "d", "b"}, names)
	assert.Equal(t, "kwargs", f.Spec().KwArg)
	got, err := f.Call(t.Context(), nil, Pos("1").With("c", false))
	require.NoError(t, err)
	assert.Equal(t, "['1', None, True, 'y', {'c': False}]", pyfmt.Repr(got), "a hidden parameter is an unknown keyword and keeps its default")
	got, err = f.Call(t.Context(), nil, Pos("1", "2", int64(3)))
	require.NoError(t, err)
	assert.Equal(t, "['1', 3, True, '2', {}]", pyfmt.Repr(got))
	assert.Panics(t, func() {
		FnPick("f", "", "zzz", func(context.Context, *Env, pickArgs) (any, error) { return nil, nil }).Spec()
	})
}

func TestBindErrors(t *testing.T) {
	t.Parallel()
	type in struct {
		X any `arg:"x"`
		Y any `arg:"y"`
		Z any `arg:"z" def:"0"`
	}
	f := Fn("f", "", func(context.Context, *Env, in) (any, error) { return nil, nil })
	for want, a := range map[string]Args{
		"f() missing 2 required positional arguments: 'x' and 'y'":       {},
		"f() missing 1 required positional argument: 'y'":                Pos(1),
		"f() takes from 2 to 3 positional arguments but 4 were given":    Pos(1, 2, 3, 4),
		"f() got multiple values for argument 'x'":                       Pos(1, 2).With("x", 1),
		"The following keyword arguments are not valid: bogus=1, b2=two": {Pos: []any{1, 2}, Kw: ordered.Pairs("bogus", 1, "__pub_x", 1, "b2", "two")},
	} {
		_, err := f.Call(t.Context(), nil, a)
		assert.EqualError(t, err, want)
	}
}
