package pyjson

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
)

func TestDumps(t *testing.T) {
	t.Parallel()
	data := ordered.Pairs("b", []any{int64(1), nil, true, 1.0}, "a", ordered.Pairs(3, "é🚗\n"))
	assert.Equal(t, `{"b": [1, null, true, 1.0], "a": {"3": "é🚗\n"}}`, Dumps(data, Options{}))
	assert.Equal(t, `{"a": {"3": "\u00e9\ud83d\ude97\n"}, "b": [1, null, true, 1.0]}`, Dumps(data, Options{SortKeys: true, EnsureASCII: true}))
	assert.Equal(t, "{\n  \"x\": [\n    1\n  ],\n  \"y\": []\n}", Dumps(ordered.Pairs("x", []any{1}, "y", []any{}), Options{Indent: 2}))
	assert.Equal(t, `[Infinity, NaN, 1e+16]`, Dumps([]any{math.Inf(1), math.NaN(), 1e16}, Options{}))
}
