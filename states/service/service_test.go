package service_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/moduletest"
	module "brine/modules/service"
	"brine/states/service"
)

func bench(t *testing.T) *moduletest.Bench {
	b := moduletest.New(t, module.Module())
	b.Opts.Set("service_provider", "plain")
	dir := b.Dir + "/services"
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(dir+"/web.yaml", []byte("start: sleep 1000\nstart_wait: 0.02\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/bad.yaml", []byte("start: 'false'\n"), 0o600))
	t.Cleanup(func() { b.Run("service.stop", modules.Pos("web")) })
	return b
}

func TestRunningAndDead(t *testing.T) {
	t.Parallel()
	b, s := bench(t), service.State()
	on := moduletest.KW(nil, "name", "web", "enable", true)
	b.Test = true
	b.WantState(s, "running", on, "{'result': None, 'comment': 'Service web is set to start', 'changes': {}}")
	b.WantState(s, "dead", on, "{'result': None, 'comment': 'Service web set to be enabled', 'changes': {}}")
	b.WantState(s, "running", modules.Pos("absent"),
		"{'result': None, 'comment': 'Service absent not present; if created in this state run, it would have been started', 'changes': {}}")
	b.Test = false
	r := b.DryAndTwice(s, "running", on)
	assert.Equal(t, "{'result': True, 'comment': 'Service web has been enabled, and is running', 'changes': {'web': True}}", pyfmt.Repr(r))
	b.WantState(s, "running", on, "{'result': True, 'comment': 'The service web is already running', 'changes': {}}")
	r = b.DryAndTwice(s, "dead", modules.Pos("web"))
	assert.Equal(t, "{'result': True, 'comment': 'Service web was killed', 'changes': {'web': False}}", pyfmt.Repr(r))
	r = b.DryAndTwice(s, "running", modules.Pos("web"))
	assert.Equal(t, "{'result': True, 'comment': 'Started service web', 'changes': {'web': True}}", pyfmt.Repr(r))
	b.WantState(s, "running", modules.Pos("absent"), "{'result': False, 'comment': 'The named service absent is not available', 'changes': {}}")
	b.WantState(s, "dead", modules.Pos("absent"), "{'result': True, 'comment': 'The named service absent is not available', 'changes': {}}")
	b.WantState(s, "running", moduletest.KW(nil, "name", "web", "enabled", true),
		`{'result': False, 'comment': 'Service web uses non-existent option "enabled".  Perhaps "enable" option was intended?', 'changes': {}}`)
	b.WantState(s, "running", modules.Pos("bad"), "{'result': False, 'comment': 'Service bad ended right after its start', 'changes': {}}")
}

func TestBoot(t *testing.T) {
	t.Parallel()
	b, s := bench(t), service.State()
	r := b.DryAndTwice(s, "enabled", modules.Pos("web"))
	assert.Equal(t, "{'result': True, 'comment': 'Service web has been enabled, and is in the desired state', 'changes': {'web': True}}", pyfmt.Repr(r))
	b.WantState(s, "enabled", modules.Pos("web"), "{'result': True, 'comment': 'Service web is already enabled, and is in the desired state', 'changes': {}}")
	b.DryAndTwice(s, "disabled", modules.Pos("web"))
	b.WantState(s, "masked", modules.Pos("web"), "{'result': False, 'comment': 'Service masking not available on this minion', 'changes': {}}")
}

func TestWatch(t *testing.T) {
	t.Parallel()
	b, s := bench(t), service.State()
	a := modules.Args{Kw: ordered.Pairs("name", "web", "enable", true)}
	want := func(fun, text string) {
		t.Helper()
		assert.Equal(t, text, pyfmt.Repr(b.Watch(s, fun, a)))
	}
	want("running", "{'result': True, 'comment': 'Service started', 'changes': {'web': True}}")
	want("running", "{'result': True, 'comment': 'Service restarted', 'changes': {'web': True}}")
	b.Test = true
	want("running", "{'result': None, 'comment': 'Service is set to be restarted', 'changes': {}}")
	b.Test = false
	want("dead", "{'result': True, 'comment': 'Service stopped', 'changes': {'web': True}}")
	want("dead", "{'result': True, 'comment': 'Service is already stopped', 'changes': {}}")
	want("enabled", "{'result': False, 'comment': 'Unable to trigger watch for service.enabled', 'changes': {}}")
}
