package grains_test

import (
	"testing"

	"brine/modules"
	module "brine/modules/grains"
	"brine/modules/moduletest"
	"brine/states/grains"
)

func TestGrains(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, module.Module()), grains.State()
	b.DryAndTwice(s, "present", modules.Pos("role", "web"))
	b.DryAndTwice(s, "present", modules.Pos("a:b", 1))
	b.DryAndTwice(s, "list_present", modules.Pos("many", []any{"x", "y"}))
	b.DryAndTwice(s, "append", modules.Pos("many", "z"))
	b.DryAndTwice(s, "list_absent", modules.Pos("many", "x"))
	b.DryAndTwice(s, "absent", modules.Pos("role").With("destructive", true))
	b.WantState(s, "exists", modules.Pos("a:b"), "{'result': True, 'comment': 'Grain exists', 'changes': {}}")
	b.WantState(s, "exists", modules.Pos("role"), "{'result': False, 'comment': 'Grain does not exist', 'changes': {}}")
	b.WantState(s, "append", modules.Pos("none", 1), "{'result': False, 'comment': 'Grain none does not exist', 'changes': {}}")
	b.WantState(s, "list_present", modules.Pos("kernel", 1), "{'result': False, 'comment': 'Grain kernel is not a valid list', 'changes': {}}")
	b.WantState(s, "present", modules.Pos("many", []any{"y", "z"}), "{'result': True, 'comment': 'Grain is already set', 'changes': {}}")
}
