package beacons_test

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/beacons"
	"brine/modules/moduletest"
)

type fake struct{ opts, pillar *ordered.Map }

func (f *fake) List(opts, pillar bool) *ordered.Map {
	out := ordered.New(0)
	if pillar {
		out.Update(f.pillar)
	}
	if opts {
		out.Update(f.opts)
	}
	return ordered.Copy(out).(*ordered.Map)
}
func (f *fake) Available() []string { return []string{"load", "ps"} }
func (f *fake) Check(name string, data any) error {
	if _, ok := data.([]any); !ok || name == "nix" {
		return errors.New("must be a list")
	}
	return nil
}

func (f *fake) Set(name string, data any) {
	if data == nil {
		f.opts.Delete(name)
		return
	}
	f.opts.Set(name, data)
}

func (f *fake) Replace(m *ordered.Map) {
	f.opts = ordered.New(0)
	f.opts.Update(m)
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	f := &fake{opts: ordered.New(0), pillar: ordered.Pairs("load", []any{})}
	b := moduletest.New(t, beacons.Module(f))
	ps := []any{ordered.Pairs("processes", ordered.Pairs("x", "running"))}
	b.Want("{'comment': 'Beacon \"nix\" is not available.', 'result': False}", "beacons.add", "nix", ps)
	b.Want("{'comment': 'Beacon ps configuration invalid, not adding.\\nmust be a list', 'result': False}", "beacons.add", "ps", "text")
	b.WantArgs("{'comment': 'Beacon: ps would be added.', 'result': True}", "beacons.add", moduletest.KW([]any{"ps", ps}, "test", true))
	b.Want("{'comment': 'Added beacon: ps.', 'result': True, 'changes': {'ps': 'added'}}", "beacons.add", "ps", ps)
	b.Want("{'comment': 'Beacon ps is already configured.', 'result': False}", "beacons.add", "ps", ps)
	b.Want("'beacons:\\n  load: []\\n  ps:\\n  - processes:\\n      x: running\\n'", "beacons.list")
	b.Want("{'comment': 'Disabled beacon ps on minion.', 'result': True, 'changes': {'ps': 'disabled'}}", "beacons.disable_beacon", "ps")
	b.Want("{'comment': 'Enabled beacon ps on minion.', 'result': True, 'changes': {'ps': 'enabled'}}", "beacons.enable_beacon", "ps")
	b.WantArgs("{'ps': [{'processes': {'x': 'running'}}, {'enabled': True}]}", "beacons.list", moduletest.KW(nil, "return_yaml", false, "include_pillar", false))
	b.Want("{'comment': 'Cannot modify beacon item load, it is configured in pillar.', 'result': False}", "beacons.enable_beacon", "load")
	b.Want("{'comment': 'Cannot delete beacon item load, it is configured in pillar.', 'result': False}", "beacons.delete", "load")
	b.Want("{'comment': 'Beacon z is not configured.', 'result': False}", "beacons.modify", "z", ps)
	assert.Contains(t, b.Run("beacons.modify", modules.Pos("ps", []any{})).(*ordered.Map).String("comment"), "Modified beacon: ps.")
	b.Want("{'comment': 'Disabled beacons on minion.', 'result': True, 'changes': {'beacons': 'disabled'}}", "beacons.disable")
	path := b.Dir + "/minion.d/beacons.conf"
	b.Want("{'comment': 'Beacons saved to "+path+".', 'result': True}", "beacons.save")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "beacons:\n  enabled: false\n  ps: []\n", string(text))
	b.Want("{'comment': 'Deleted beacon: ps.', 'result': True, 'changes': {'ps': 'removed'}}", "beacons.delete", "ps")
	b.Want("{'comment': 'Beacon configuration reset.', 'result': True}", "beacons.reset")
	b.Want("'beacons:\\n- load\\n- ps\\n'", "beacons.list_available")
	f.pillar = nil
	b.Want("{'beacons': {}}", "beacons.list")
	alone := moduletest.New(t, beacons.Module(nil))
	alone.Fails("'beacons' __virtual__ returned False: there are no beacons here: ask the running minion, without --local", "beacons.list", modules.Pos())
}
