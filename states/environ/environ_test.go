package environ_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	module "brine/modules/environ"
	"brine/modules/moduletest"
	"brine/states/environ"
)

func TestSetenv(t *testing.T) {
	t.Setenv("BRINE_STATES_A", "") // and back to what it was afterwards
	t.Setenv("BRINE_STATES_B", "x")
	b, s := moduletest.New(t, module.Module()), environ.State()
	b.DryAndTwice(s, "setenv", modules.Pos("BRINE_STATES_A", "1"))
	b.DryAndTwice(s, "setenv", modules.Pos("n", ordered.Pairs("BRINE_STATES_A", "2", "BRINE_STATES_B", false)))
	assert.Equal(t, "2", os.Getenv("BRINE_STATES_A"))
	assert.Empty(t, os.Getenv("BRINE_STATES_B"))
	b.DryAndTwice(s, "setenv", modules.Pos("BRINE_STATES_B", false).With("false_unsets", true))
	_, set := os.LookupEnv("BRINE_STATES_B")
	assert.False(t, set)
	b.WantState(s, "setenv", modules.Pos("A", 5), "{'result': False, 'comment': 'Environ value must be string, dict or False', 'changes': {}}")
	b.WantState(s, "setenv", modules.Pos("BRINE_STATES_A", "2"), "{'result': True, 'comment': 'Environ values were already set with the correct values', 'changes': {}}")
}
