package traverse

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func sample() *ordered.Map {
	return ordered.Pairs(
		"a", ordered.Pairs("b", []any{"x", ordered.Pairs("k", "v", 3, "three"), "z"}),
		1, "one", true, "yes", "a:b", "colon", "n", nil, 1.5, "float",
	)
}

func TestGet(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]any{
		"a:b:0": "x", "a:b:-1": "z", "a:b:k": "v", "a:b:3": "three", "1": "one", "true": "yes", "1.5": "float", "n": nil,
	} {
		got, ok := Get(sample(), key, ":")
		assert.True(t, ok, key)
		assert.Equal(t, want, got, key)
	}
	for _, key := range []string{"", "a:b:9", "a:b:nope", "a:x", "n:x", "1:2", "zzz"} {
		_, ok := Get(sample(), key, ":")
		assert.False(t, ok, key)
	}
	v, ok := Get(sample(), "a:b", "|")
	assert.True(t, ok)
	assert.Equal(t, "colon", v)
	v, _ = Get(sample(), []any{"a", "b", int64(0)}, ":")
	assert.Equal(t, "x", v)
	_, ok = Dict(sample(), "a:b:0", ":")
	assert.False(t, ok, "Dict does not enter lists")
	assert.Equal(t, 7, Default(sample(), "q", 7, ":"))
}

func TestFilterBy(t *testing.T) {
	t.Parallel()
	data := ordered.Pairs("os", "Debian", "roles", []any{"x", "web1"})
	table := func() *ordered.Map {
		return ordered.Pairs("default", ordered.Pairs("A", ordered.Pairs("B", "C"), "D", "E"), "F", ordered.Pairs("A", ordered.Pairs("B", "G")), "Deb*", "deb", "web?", "w")
	}
	for _, c := range []struct {
		name string
		c    Choice
		want string
	}{
		{"glob", Choice{Key: "os", Default: "default"}, "'deb'"},
		{"first of a list", Choice{Key: "roles", Default: "default"}, "'w'"},
		{"default", Choice{Key: "none", Default: "default"}, "{'A': {'B': 'C'}, 'D': 'E'}"},
		{"default and base and merge", Choice{Key: "xxx", Merge: ordered.Pairs("D", "J"), Default: "F", Base: "default"}, "{'A': {'B': 'G'}, 'D': 'J'}"},
		{"no default", Choice{Key: "xxx", Default: "zzz"}, "None"},
		{"merge alone", Choice{Key: "xxx", Default: "zzz", Merge: ordered.Pairs("k", 1)}, "{'k': 1}"},
	} {
		c.c.Table, c.c.Data = table(), data
		got, err := FilterBy(c.c)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.want, pyfmt.Repr(got), c.name)
	}
	_, err := FilterBy(Choice{Table: table(), Data: data, Key: "os", Base: "default"})
	assert.ErrorContains(t, err, "must both be dictionaries")
	_, err = FilterBy(Choice{Table: table(), Data: data, Key: "os", Merge: "x"})
	assert.ErrorContains(t, err, "must be a dictionary")
}
