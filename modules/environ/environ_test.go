package environ_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules/environ"
	"brine/modules/moduletest"
)

func TestEnviron(t *testing.T) {
	b := moduletest.New(t, environ.Module())
	t.Setenv("BRINE_A", "a")
	t.Setenv("BRINE_B", "b")
	b.Want("'a'", "environ.get", "BRINE_A")
	b.Want("''", "environ.get", "BRINE_NO")
	b.Want("False", "environ.get", int64(5))
	b.Want("True", "environ.has_value", "BRINE_A", "a")
	b.Want("False", "environ.has_value", "BRINE_A", "x")
	b.Want("{'BRINE_A': 'a', 'BRINE_NO': None}", "environ.item", []any{"BRINE_A", "BRINE_NO"}, nil)
	b.Want("'v'", "environ.setval", "BRINE_A", "v")
	b.Want("''", "environ.setval", "BRINE_A", false)
	b.Want("None", "environ.setval", "BRINE_A", false, true)
	_, set := os.LookupEnv("BRINE_A")
	assert.False(t, set)
	b.Want("False", "environ.setval", "BRINE_A", int64(1))
	b.WantArgs("{'BRINE_A': 'x', 'BRINE_B': None}", "environ.setenv",
		moduletest.KW([]any{ordered.Pairs("BRINE_A", "x", "BRINE_B", false)}, "false_unsets", true, "update_minion", true))
	b.Want("False", "environ.setenv", "text")
	assert.Equal(t, "environ_setenv", b.Bus.All[0].Tag)
}
