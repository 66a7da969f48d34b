package random_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/random"
)

// What is made from a seed is what Python 3.11 makes of it.
func TestRandom(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, random.Module())
	b.WantArgs("['d', 'c']", "random.sample", moduletest.KW([]any{[]any{"a", "b", "c", "d"}, int64(2)}, "seed", "something"))
	b.WantArgs("['d', 'b', 'c', 'a']", "random.shuffle", moduletest.KW([]any{"abcd"}, "seed", "s"))
	b.WantArgs("6", "random.rand_int", moduletest.KW(nil, "seed", int64(7)))
	b.Want("182", "random.seed", int64(1000))
	b.Want("'341be97d9aff90c9978347f66f945b77'", "random.hash", "str", "md5")
	b.Fails("You must specify a valid algorithm.", "random.hash", modules.Pos("str", "crc"))
	b.Want("'c3Ry'", "random.str_encode", "str")
	b.Fails("Value must be an encode-able string", "random.str_encode", modules.Pos(int64(5)))
	b.Want("'$1$My5alT$M78H4MnI3FEp6gxUIuOHR.'", "random.shadow_hash", "My5alT", "MyP@asswd", "md5")
	assert.Len(t, b.Run("random.get_str", modules.Pos(int64(33))), 33)
	b.WantArgs("'xxxx'", "random.get_str", moduletest.KW([]any{int64(4)}, "chars", "x"))
	b.Fails("Sample larger than population or is negative", "random.sample", modules.Pos([]any{}, int64(1)))
	b.Fails("empty range for randrange()", "random.rand_int", modules.Pos(int64(5), int64(1)))
}
