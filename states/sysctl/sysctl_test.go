package sysctl_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/moduletest"
	module "brine/modules/sysctl"
	"brine/states/sysctl"
)

func TestPresent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/proc/sys/vm", 0o755))
	require.NoError(t, os.MkdirAll(dir+"/etc", 0o755))
	require.NoError(t, os.WriteFile(dir+"/proc/sys/vm/swappiness", []byte("60\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/etc/sysctl.conf", []byte("a.b = 1\n"), 0o600))
	b, s := moduletest.New(t, module.ModuleAt(dir)), sysctl.State()
	b.Test = true
	b.WantState(s, "present", modules.Pos("vm.swappiness", 60), "{'result': None, 'comment': 'Sysctl value is currently set on the running system but not in a config file. "+
		"Sysctl option vm.swappiness set to be changed to 60 in config file.', 'changes': {}}")
	b.WantState(s, "present", modules.Pos("vm.swappiness", 20), "{'result': None, 'comment': 'Sysctl option vm.swappiness set to be changed to 20', 'changes': {}}")
	b.Test = false
	r := b.DryAndTwice(s, "present", modules.Pos("vm.swappiness", 20))
	assert.Equal(t, "{'result': True, 'comment': 'Updated sysctl value vm.swappiness = 20', 'changes': {'vm.swappiness': 20}}", pyfmt.Repr(r))
	b.WantState(s, "present", modules.Pos("vm.swappiness", 20), "{'result': True, 'comment': 'Sysctl value vm.swappiness = 20 is already set', 'changes': {}}")
	b.WantState(s, "present", modules.Pos("vm.none", 1), "{'result': False, 'comment': 'Failed to set vm.none to 1: sysctl vm.none does not exist', 'changes': {}}")
}
