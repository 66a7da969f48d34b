package event_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/event"
	"brine/modules/moduletest"
)

func TestSend(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, event.Module())
	b.Opts.Set("file_client", "remote")
	b.WantArgs("True", "event.send", moduletest.KW([]any{"my/tag", ordered.Pairs("b", 2)}, "a", 1, "b", 0, "with_grains", []any{"id", "zz"}))
	assert.Equal(t, "my/tag", b.Bus.All[0].Tag)
	assert.True(t, b.Bus.All[0].Master)
	assert.Equal(t, "{'grains': {'id': 'm1'}, 'a': 1, 'b': 2}", pyfmt.Repr(b.Bus.All[0].Data))
	b.Opts.Set("file_client", "local")
	b.WantArgs("True", "event.send", moduletest.KW([]any{"t"}, "with_env_opts", true))
	assert.False(t, b.Bus.All[1].Master)
	assert.Equal(t, "{'saltenv': 'base', 'pillarenv': None}", pyfmt.Repr(b.Bus.All[1].Data))
	b.Want("True", "event.fire", ordered.Pairs("x", 1), "t")
	b.Want("False", "event.fire", "text", "t")
	b.Want("True", "event.fire_master", ordered.Pairs("x", 1), "t")
	assert.True(t, b.Bus.All[3].Master)
	b.Bus.Err = errors.New("full")
	b.Want("False", "event.fire_master", ordered.Pairs("x", 1), "t")
	b.Env.Events = nil
	b.Fails("there is no event bus here", "event.send", modules.Pos("t"))
}
