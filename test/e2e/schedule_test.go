package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/test/testbed"
)

// TestSchedule runs jobs by the minion's own clock: they show in saltutil.running, reach the job cache, and outlive the
// process when they were added by a function.
func TestSchedule(t *testing.T) {
	t.Parallel()
	b := testbed.New(t, testbed.Options{Minions: []string{"dev1"}, Minion: ordered.Pairs("schedule", ordered.Pairs(
		"long", ordered.Pairs("function", "test.sleep", "args", []any{60}, "seconds", 1, "metadata", ordered.Pairs("why", "x")),
		"echo", ordered.Pairs("function", "test.arg", "args", []any{"hello"}, "kwargs", ordered.Pairs("k", 1), "seconds", 1, "returner", "file")))})
	call := func(args ...string) string {
		out, stderr, code := b.CLI(append([]string{"call", "-c", b.Dir + "/minions/dev1", "--out=yaml"}, args...)...)
		require.Zero(t, code, "%s %s", out, stderr)
		return out
	}
	var running string
	b.Eventually(20*time.Second, "the long job runs", func() bool {
		running = call("saltutil.running")
		return strings.Contains(running, "schedule: long")
	})
	for _, part := range []string{"fun: test.sleep\n", "fun_args: []\n", "id: dev1\n", "pid: ", "_TOS: ", "why: x\n"} {
		assert.Contains(t, running, part)
	}
	assert.Equal(t, 1, strings.Count(running, "schedule: long")) // maxrunning
	b.Eventually(20*time.Second, "the result is in the job cache", func() bool {
		v, err := b.Runner("jobs.list_jobs")
		require.NoError(t, err)
		for _, j := range v.(*ordered.Map).All() {
			if m, ok := j.(*ordered.Map); ok && m.String("Function") == "test.arg" {
				return true
			}
		}
		return false
	})
	file := b.Dir + "/minions/dev1/cache/returns.jsonl"
	b.Eventually(20*time.Second, "the returner has written it", func() bool { return len(lines(t, file)) > 0 })
	assert.Contains(t, lines(t, file)[0], `"schedule": "echo"`)
	stdout, stderr, code := b.CLI("--return", "sqlite,file", "*", "test.echo", "for returners")
	require.Zero(t, code, "%s %s", stdout, stderr)
	b.Eventually(20*time.Second, "the returners have it", func() bool {
		_, err := os.Stat(b.Dir + "/minions/dev1/cache/salt.db")
		return err == nil && strings.Contains(strings.Join(lines(t, file), "\n"), "for returners")
	})
	assert.Contains(t, call("schedule.add", "job1", "function=test.ping", "hours=2"), "Added job: job1 to schedule.")
	assert.Contains(t, call("schedule.disable_job", "long"), "Disabled Job long in schedule.")
	b.Minions["dev1"].Kill()
	b.Minions["dev1"].Start()
	b.WaitOnline("dev1")
	list := call("schedule.list")
	assert.Contains(t, list, "job1:")
	assert.Contains(t, list, "enabled: false")
}
