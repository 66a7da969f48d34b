package pillar_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/pillar"
)

func TestPillar(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, pillar.Module())
	b.Secrets.M = ordered.Pairs("role", "db", "deep", ordered.Pairs("a", []any{"x", ordered.Pairs("k", 1)}), "n", nil, "f", 1.5, "b", true)
	b.Want("'db'", "pillar.get", "role")
	b.Want("1", "pillar.get", "deep:a:k")
	b.Want("''", "pillar.get", "nope")
	b.Want("None", "pillar.get", "nope", nil)
	b.Want("None", "pillar.get", "n")
	b.WantArgs("{'z': 0, 'a': ['x', {'k': 1}]}", "pillar.get", moduletest.KW([]any{"deep", ordered.Pairs("z", 0, "a", []any{"y"})}, "merge", true))
	b.WantArgs("{'a': ['y', 'x', {'k': 1}]}", "pillar.get", moduletest.KW([]any{"deep", ordered.Pairs("a", []any{"y"})}, "merge", true, "merge_nested_lists", true))
	b.WantArgs("['y', 'x', {'k': 1}]", "pillar.get", moduletest.KW([]any{"deep:a", []any{"y", "x"}}, "merge", true))
	b.WantArgs("'db'", "pillar.get", moduletest.KW([]any{"role", ordered.Pairs("z", 0)}, "merge", true))
	b.WantArgs("{'q': 1}", "pillar.get", moduletest.KW([]any{"none", ordered.Pairs("q", 1)}, "merge", true))
	b.WantArgs("'other'", "pillar.get", moduletest.KW([]any{"env"}, "pillarenv", "other"))
	b.Want("{'role': 'db', 'x:y': ''}", "pillar.item", "role", "x:y")
	b.WantArgs("{'role': 'x', 'deep': {'a': ['x', {'k': 1}]}, 'n': None, 'f': 1.5, 'b': True}", "pillar.items", moduletest.KW(nil, "pillar", ordered.Pairs("role", "x")))
	b.Want("{'role': 'db'}", "pillar.items", "role")
	b.Want("['role', 'deep', 'n', 'f', 'b']", "pillar.ls")
	b.Want("{'role': '<str>', 'deep': {'a': ['<str>', {'k': '<int>'}]}, 'n': '<NoneType>', 'f': '<float>', 'b': '<bool>'}", "pillar.obfuscate")
	b.Want("'db'", "pillar.raw", "role")
	b.Want("{}", "pillar.raw", "zz")
	b.Want("['a']", "pillar.keys", "deep")
	b.Fails("'Pillar key not found: zz'", "pillar.keys", modules.Pos("zz"))
	b.Fails("Pillar value in key role is not a dict", "pillar.keys", modules.Pos("role"))
	b.Want("'serve'", "pillar.filter_by", ordered.Pairs("d*", "serve", "default", "x"), "role")
	b.Fails("No pillar_roots found. Are you running this on the master?", "pillar.file_exists", modules.Pos("x"))
	b.Opts.Set("pillar_roots", ordered.Pairs("base", []any{b.Dir}))
	require.NoError(t, os.WriteFile(b.Dir+"/x.sls", nil, 0o600))
	b.Want("True", "pillar.file_exists", "x.sls")
	b.Want("False", "pillar.file_exists", "x.sls", "dev")
	b.Opts.Set("pillar_raise_on_missing", true)
	b.Fails("'Pillar key not found: zz'", "pillar.get", modules.Pos("zz"))
	b.Want("5", "pillar.get", "zz", int64(5))
}
