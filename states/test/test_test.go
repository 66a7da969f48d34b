package test_test

import (
	"testing"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/states/test"
)

func TestStates(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t), test.State()
	b.Secrets.M = ordered.Pairs("s", "x", "i", 1, "l", []any{}, "d", ordered.Pairs("k", true))
	const pretended = "{'testing': {'old': 'Unchanged', 'new': 'Something pretended to change'}}"
	name := modules.Pos("n")
	b.WantState(s, "nop", name, "{'result': True, 'comment': 'Success!', 'changes': {}}")
	b.WantState(s, "succeed_with_changes", name, "{'result': True, 'comment': 'Success!', 'changes': "+pretended+"}")
	b.WantState(s, "fail_without_changes", name.With("comment", "so"), "{'result': False, 'comment': 'so', 'changes': {}}")
	b.WantState(s, "fail_with_changes", modules.Pos("n"), "{'result': False, 'comment': 'Failure!', 'changes': "+pretended+"}")
	b.WantState(s, "configurable_test_state", modules.Pos("n").With("changes", false).With("comment", "c"), "{'result': True, 'comment': 'c', 'changes': {}}")
	b.WantState(s, "show_notification", modules.Pos("n").With("text", "hello"), "{'result': True, 'comment': 'hello', 'changes': {}}")
	b.WantState(s, "check_pillar", modules.Pos("n").With("string", "s").With("integer", "i").With("listing", "l").With("dictionary", []any{"d"}).With("boolean", "d:k"),
		"{'result': True, 'comment': '', 'changes': {}}")
	b.WantState(s, "check_pillar", modules.Pos("n").With("present", []any{"s", "none"}).With("listing", "s"),
		"{'result': False, 'comment': 'Pillar key \"none\" is missing.\\nPillar key \"s\" is not list.\\n', 'changes': {}}")
	b.Test = true
	b.WantState(s, "succeed_with_changes", modules.Pos("n"), "{'result': None, 'comment': \"If we weren't testing, this would be successful with changes\", 'changes': "+pretended+"}")
	b.WantState(s, "configurable_test_state", modules.Pos("n"), "{'result': None, 'comment': 'This is a test', 'changes': "+pretended+"}")
}
