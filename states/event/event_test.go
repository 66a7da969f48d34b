package event_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	module "brine/modules/event"
	"brine/modules/moduletest"
	"brine/states/event"
)

func TestSend(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, module.Module()), event.State()
	a := modules.Args{Kw: ordered.Pairs("name", "my/tag", "data", ordered.Pairs("a", 1))}
	b.Test = true
	b.WantState(s, "send", a, "{'result': None, 'comment': 'Event would have been fired', 'changes': {'tag': 'my/tag', 'data': {'a': 1}}}")
	assert.Empty(t, b.Bus.All)
	b.Test = false
	b.WantState(s, "send", a, "{'result': True, 'comment': 'Event fired', 'changes': {'tag': 'my/tag', 'data': {'a': 1}}}")
	require.Len(t, b.Bus.All, 1)
	b.WantState(s, "wait", a, "{'result': True, 'comment': '', 'changes': {}}")
	require.Len(t, b.Bus.All, 1)
	assert.Equal(t, true, b.Watch(s, "wait", a).Value("result"))
	require.Len(t, b.Bus.All, 2)
}
