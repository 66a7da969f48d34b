package ps_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/ps"
)

func TestProcesses(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, ps.Module())
	cmd := exec.Command("sleep", "1000.0625") // a number that no other process has
	require.NoError(t, cmd.Start())
	pid := int64(cmd.Process.Pid)
	assert.Contains(t, b.Run("ps.get_pid_list", modules.Pos()), pid)
	assert.Equal(t, []any{pid}, b.Run("ps.pgrep", moduletest.KW([]any{"1000.0625"}, "full", true)))
	info, _ := b.Run("ps.proc_info", modules.Pos(pid, []any{"pid", "ppid", "cmdline"})).(*ordered.Map)
	assert.True(t, ordered.Equal(ordered.Pairs("pid", pid, "ppid", int64(os.Getpid()), "cmdline", []any{"sleep", "1000.0625"}), info))
	b.Fails("invalid attr name 'shoe'", "ps.proc_info", modules.Pos(pid, []any{"shoe"}))
	got, _ := b.Run("ps.pkill", moduletest.KW([]any{"1000.0625"}, "full", true)).(*ordered.Map)
	assert.Equal(t, []any{pid}, got.List("killed"))
	require.Error(t, cmd.Wait())
	b.WantArgs("None", "ps.pgrep", moduletest.KW([]any{"1000.0625"}, "full", true))
	b.Fails("0 is not the number of a process", "ps.kill_pid", modules.Pos(int64(0)))
}

func TestMachine(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, ps.Module())
	for _, fun := range []string{"num_cpus", "total_physical_memory", "boot_time"} {
		assert.Positive(t, b.Run("ps."+fun, modules.Pos()), fun)
	}
	for _, fun := range []string{"virtual_memory", "swap_memory", "cpu_times", "network_io_counters"} {
		assert.IsType(t, ordered.New(0), b.Run("ps."+fun, modules.Pos()), fun)
	}
	b.WantArgs("False", "ps.network_io_counters", moduletest.KW(nil, "interface", "nosuch0"))
	b.Run("ps.top", modules.Pos(int64(2), 0.01))
	b.Run("ps.disk_partition_usage", modules.Pos())
	b.Run("ps.psaux", modules.Pos("ps.test"))
}
