package data_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/data"
	"brine/modules/moduletest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, data.Module())
	b.Want("{}", "data.load")
	b.Want("True", "data.update", "k", ordered.Pairs("a", []any{int64(1), nil}))
	b.Want("True", "data.update", "x", "y")
	b.Want("{'k': {'a': [1, None]}, 'x': 'y'}", "data.items")
	b.Want("'y'", "data.get", "x")
	b.Want("None", "data.get", "nope")
	b.Want("['y']", "data.get", []any{"x", "nope"})
	b.Want("['y', 0]", "data.get", []any{"x", "nope"}, int64(0))
	b.Want("['k', 'x']", "data.keys")
	b.Want("[{'a': [1, None]}, 'y']", "data.values")
	b.Want("True", "data.has_key", "x")
	b.Want("False", "data.cas", "x", "z", "no")
	b.Want("True", "data.cas", "x", "z", "y")
	b.Want("'z'", "data.pop", "x")
	b.Want("'d'", "data.pop", "x", "d")
	b.Want("False", "data.dump", "text")
	b.Want("True", "data.dump", ordered.Pairs("only", 1))
	b.Want("{'only': 1}", "data.load")
	b.Want("True", "data.clear")
	b.Want("{}", "data.load")
	require.NoError(t, os.WriteFile(b.Dir+"/cache/datastore", []byte{0xc1}, 0o600))
	_, err := b.Call(t.Context(), "data.load", modules.Args{})
	require.ErrorContains(t, err, "is damaged")
}
