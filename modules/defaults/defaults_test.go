package defaults_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/defaults"
	"brine/modules/moduletest"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, defaults.Module())
	for name, content := range map[string]string{"core/defaults.yaml": "users:\n  root: 0\n", "j/defaults.json": `{"a": [1]}`, "e/defaults.yaml": ""} {
		require.NoError(t, os.MkdirAll(b.Roots+"/"+name[:len(name)-14], 0o755))
		require.NoError(t, os.WriteFile(b.Roots+"/"+name, []byte(content), 0o600))
	}
	b.Want("0", "defaults.get", "core:users:root")
	b.Want("{'users': {'root': 0}}", "defaults.get", "core")
	b.Want("1", "defaults.get", "j:a:0")
	b.Want("'d'", "defaults.get", "j:b", "d")
	b.Want("{}", "defaults.get", "e")
	b.Want("None", "defaults.get", "none")
	b.Want("''", "defaults.get", "none:x")
	b.Want("{'a': {'x': 1, 'y': 2}}", "defaults.merge", ordered.Pairs("a", ordered.Pairs("x", 1)), ordered.Pairs("a", ordered.Pairs("y", 2)))
	b.Want("{'a': 1}", "defaults.merge", ordered.Pairs("a", 1), nil)
	b.WantArgs("{'a': 1}", "defaults.merge", moduletest.KW([]any{nil, ordered.Pairs("a", 1)}, "in_place", false))
	_, err := b.Call(t.Context(), "defaults.merge", modules.Pos(nil, ordered.New(0)))
	require.Error(t, err)
	b.Want("{'n1': {'a': 1, 'l': [0, 1]}, 'n2': {'a': 0, 'l': [0]}}", "defaults.update", ordered.Pairs("n1", ordered.Pairs("a", 1, "l", []any{1}), "n2", nil), ordered.Pairs("a", 0, "l", []any{0}))
	b.Want("[1]", "defaults.deepcopy", []any{int64(1)})
}
