package shadow_test

import (
	"testing"

	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/shadow"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, shadow.Module())
	b.Fails("a password hash has no colon and no line break", "shadow.set_password", modules.Pos("root", "x\nother:y"))
	b.Fails("Unsupported hash algorithm", "shadow.gen_password", modules.Pos("x", "s", "rot13"))
}
