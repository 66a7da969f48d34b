package starval

import (
	"math/big"
	"testing"

	"brine/internal/ordered"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"
)

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	big1 := new(big.Int).Lsh(big.NewInt(1), 80)
	v := ordered.Pairs("z", []any{nil, true, int64(5), 1.5, "é", []byte{0, 255}}, "a", ordered.Pairs(1, "x", nil, 2), "big", big1)
	back, err := Data(Of(v))
	require.NoError(t, err)
	assert.True(t, ordered.Equal(v, back))
	assert.Equal(t, []any{"z", "a", "big"}, back.(*ordered.Map).Keys())
}

func TestSharedStaysShared(t *testing.T) {
	t.Parallel()
	m := ordered.Pairs("k", 1)
	l := []any{int64(1)}
	s := Of([]any{m, m, l, l}).(*starlark.List)
	assert.Same(t, s.Index(0), s.Index(1))
	assert.Same(t, s.Index(2), s.Index(3))
	back, err := Data(s)
	require.NoError(t, err)
	assert.Same(t, back.([]any)[0], back.([]any)[1])
}

func TestOutOfStarlark(t *testing.T) {
	t.Parallel()
	set := starlark.NewSet(1)
	require.NoError(t, set.Insert(starlark.MakeInt(3)))
	v, err := Data(starlark.Tuple{starlark.Tuple{starlark.String("a")}, set, starlark.NewBuiltin("f", nil)})
	require.NoError(t, err)
	assert.Equal(t, []any{[]any{"a"}, []any{int64(3)}, "<built-in function f>"}, v)

	loop := starlark.NewList(nil)
	require.NoError(t, loop.Append(loop))
	_, err = Data(loop)
	assert.ErrorIs(t, err, ErrDepth)

	f := starlark.NewBuiltin("f", nil)
	assert.Same(t, f, Of([]any{f}).(*starlark.List).Index(0))
}
