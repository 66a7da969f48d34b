package grains_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/grains"
	"brine/modules/moduletest"
)

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, grains.Module())
	b.Facts.M = ordered.Pairs("id", "m1", "os", "Debian", "os_family", "Debian", "serialnumber", "12345678", "roles", []any{"web", "db"}, "deep", ordered.Pairs("a", ordered.Pairs("b", int64(1))), "none", nil)
	return b
}

func TestReading(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("'Debian'", "grains.get", "os")
	b.Want("''", "grains.get", "nope")
	b.Want("5", "grains.get", "nope", int64(5))
	b.Want("1", "grains.get", "deep:a:b")
	b.Want("'db'", "grains.fetch", "roles:1")
	b.WantArgs("1", "grains.get", moduletest.KW([]any{"deep|a|b"}, "delimiter", "|"))
	b.Want("True", "grains.has_value", "none")
	b.Want("False", "grains.has_value", "deep:x")
	b.WantArgs("{'os': 'Debian', 'x': '-', 'id': 'MINION.DOMAINNAME'}", "grains.item", moduletest.KW([]any{"os", "x", "id"}, "default", "-", "sanitize", "true"))
	b.Want("['deep', 'id', 'none', 'os', 'os_family', 'roles', 'serialnumber']", "grains.ls")
	b.Want("True", "grains.equals", "deep:a:b", "1")
	assert.Equal(t, "123456XX", b.Run("grains.items", modules.Pos(true)).(*ordered.Map).Value("serialnumber"))
	b.Want("'rule'", "grains.filter_by", ordered.Pairs("Deb*", "rule", "RedHat", "hat"))
	b.Want("{'D': {'E': 'I', 'G': 'H'}, 'J': 'K'}", "grains.filter_by", ordered.Pairs("A", "B", "C", ordered.Pairs("D", ordered.Pairs("E", "F", "G", "H"))), "xxx",
		ordered.Pairs("D", ordered.Pairs("E", "I"), "J", "K"), "C")
}

func TestSetting(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("{'k': [1, 2]}", "grains.setval", "k", []any{int64(1), int64(2)})
	b.Want("{'k': [1, 2, 3]}", "grains.append", "k", int64(3))
	b.Want("'The val 3 was already in the list k'", "grains.append", "k", int64(3))
	b.Want("{'k': [1, 2, 3, 4, 5]}", "grains.append", "k", []any{int64(4), int64(5)})
	b.Want("{'k': [2, 3, 4, 5]}", "grains.remove", "k", int64(1))
	b.Want("'The val 1 was not in the list k'", "grains.remove", "k", int64(1))
	b.Want("'The key os is not a valid list'", "grains.append", "os", "x")
	b.WantArgs("{'os': ['Debian', 'x']}", "grains.append", moduletest.KW([]any{"os", "x"}, "convert", true))
	b.Want("{'n': {'m': {'l': ['v']}}}", "grains.append", "n:m:l", "v")
	b.Want("{'comment': '', 'changes': {'deep': {'a': {'b': 1, 'c': 9}}}, 'result': True}", "grains.set", "deep:a:c", int64(9))
	b.Want("{'comment': 'Grain is already set', 'changes': {}, 'result': True}", "grains.set", "deep:a:c", int64(9))
	b.Want(`{'comment': "The key 'deep' exists but is a dict or a list. Use 'force=True' to overwrite.", 'changes': {}, 'result': False}`, "grains.set", "deep", "x")
	b.Want(`{'comment': "The key 'id' exists and the given value is a dict or a list. Use 'force=True' to overwrite.", 'changes': {}, 'result': False}`, "grains.set", "id", []any{})
	b.Want(`{'comment': "The key 'id' value is 'm1', which is different from the provided key 'x'. Use 'force=True' to overwrite.", 'changes': {}, 'result': False}`, "grains.set", "id:x", "y")
	b.WantArgs("{'comment': '', 'changes': {'deep': 'x'}, 'result': True}", "grains.set", moduletest.KW([]any{"deep", "x"}, "force", true))
	b.Want("{'comment': '', 'changes': {'roles': ['web', {'db': 1}]}, 'result': True}", "grains.set", "roles:db", int64(1))
	b.WantArgs("{'comment': '', 'changes': {'k': None}, 'result': True}", "grains.delkey", moduletest.KW([]any{"k"}, "force", true))
	assert.False(t, b.Facts.Stored.Has("k"), "a deleted key leaves the file")
	b.Want("{'comment': '', 'changes': {'deep': None}, 'result': True}", "grains.delval", "deep")
	v, ok := b.Facts.Stored.Get("deep")
	assert.True(t, ok)
	assert.Nil(t, v)
	b.Want("{'a': 1, 'b': 2}", "grains.setvals", ordered.Pairs("a", 1, "b", 2))
	b.Fails("setvals grains must be a dictionary.", "grains.setvals", modules.Pos("x"))
	assert.Positive(t, b.Secrets.Refreshed)
}

func TestHash(t *testing.T) {
	t.Parallel()
	b := bench(t)
	got := pyfmt.Str(b.Run("grains.get_or_set_hash", modules.Pos("s:k", int64(12))))
	assert.Len(t, got, 12)
	assert.Equal(t, got, b.Run("grains.get_or_set_hash", modules.Pos("s:k", int64(12))))
}
