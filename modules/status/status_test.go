package status_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/status"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, status.Module())
	m := func(fun string, pos ...any) *ordered.Map {
		out, ok := b.Run(fun, modules.Pos(pos...)).(*ordered.Map)
		assert.True(t, ok, fun)
		return out
	}
	assert.Equal(t, []any{"1-min", "5-min", "15-min"}, m("status.loadavg").Keys())
	assert.Equal(t, []any{"seconds", "since_iso", "since_t", "days", "time", "users"}, m("status.uptime").Keys())
	mem, _ := m("status.meminfo").Value("MemTotal").(*ordered.Map)
	assert.Equal(t, "kB", mem.String("unit"))
	root, _ := m("status.diskusage", "/").Value("/").(*ordered.Map)
	assert.Positive(t, root.Value("total"))
	assert.Equal(t, 1, m("status.diskusage", "/").Len())
	assert.True(t, m("status.cpustats").Has("cpu"))
	assert.True(t, m("status.procs").Has(fmt.Sprint(os.Getpid())))
	assert.Equal(t, []any{"cpuinfo", "cpustats", "diskstats", "diskusage", "loadavg", "meminfo", "netdev", "netstats", "uptime", "vmstats", "w"}, m("status.all_status").Keys())
	b.Want("'2'", "status.time", "2")
	b.Opts.Set("status.loadavg.custom", []any{"1-min"})
	assert.Equal(t, []any{"1-min"}, m("status.custom").Keys())
}
