package pyfmt

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
)

func TestRepr(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, "None"}, {true, "True"}, {int64(-3), "-3"}, {7, "7"},
		{1.0, "1.0"}, {1.5, "1.5"}, {1e16, "1e+16"}, {1e15, "1000000000000000.0"}, {0.0001, "0.0001"}, {0.00001, "1e-05"},
		{1.5e300, "1.5e+300"}, {math.Inf(1), "inf"}, {0.0, "0.0"},
		{"a", "'a'"}, {"it's", `"it's"`}, {`it's "x"`, `'it\'s "x"'`}, {"a\nb\\", `'a\nb\\'`}, {"é🚗", "'é🚗'"}, {"\x00\x7f", `'\x00\x7f'`},
		{"\u00a0\u200b", `'\xa0\u200b'`},
		{[]byte("a'\xff"), `b"a'\xff"`},
		{[]any{int64(1), "a", nil}, "[1, 'a', None]"},
		{ordered.Pairs("b", 1, "a", []any{}, 3, ordered.New(0)), "{'b': 1, 'a': [], 3: {}}"},
		{[]string{"x"}, "['x']"},
	} {
		assert.Equal(t, c.want, Repr(c.in))
	}
	assert.Equal(t, "a'b", Str("a'b"))
}

func TestTruth(t *testing.T) {
	t.Parallel()
	for _, v := range []any{nil, false, "", int64(0), 0.0, []any{}, ordered.New(0)} {
		assert.False(t, Truth(v), "%v", v)
	}
	for _, v := range []any{true, "0", int64(1), 0.1, []any{nil}, ordered.Pairs(1, 2)} {
		assert.True(t, Truth(v), "%v", v)
	}
}
