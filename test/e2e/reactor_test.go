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

// TestReactors fires an event on a device: its own reactor keeps it and hands it to the master, whose reactor runs a job.
func TestReactors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sls := dir + "/release.sls"
	text := "note:\n  local.event.fire:\n    - tgt: {{ data['id'] }}\n    - args:\n      - data: {from: '{{ tag }}', n: {{ data['data']['attempts'] }}}\n      - tag: answer/seen\n" +
		"count:\n  runner.event.send:\n    - args: {tag: counted/it, data: {x: 1}}\n"
	require.NoError(t, os.WriteFile(sls, []byte(text), 0o600))
	seen := dir + "/memory.sls"
	require.NoError(t, os.WriteFile(seen, []byte("seen:\n  local.event.fire:\n    - tgt: {{ data.id }}\n    - arg: [{from: beacon, n: {{ data.memusage }}}, answer/beacon]\n"), 0o600))
	b := testbed.New(t, testbed.Options{
		Minions: []string{"dev1"},
		Master:  ordered.Pairs("reactor", []any{ordered.Pairs("system/release/*", []any{sls}), ordered.Pairs("salt/beacon/*/memusage/", []any{seen})}),
		Minion: ordered.Pairs("event_reactor", ordered.Pairs("reactors", []any{ordered.Pairs(
			"name", "keep_answers", "startswith", "answer/", "keyword_resolve", true,
			"action", ordered.Pairs("handler", "cache", "args", []any{"answers"}, "kwargs", ordered.Pairs("from", "$event[\"data\"][\"from\"]")))}),
			"beacons", ordered.Pairs("memusage", []any{ordered.Pairs("percent", 0), ordered.Pairs("interval", 1)})),
	})
	call := func(args ...string) string {
		out, stderr, code := b.CLI(append([]string{"call", "-c", b.Dir + "/minions/dev1", "--out=yaml"}, args...)...)
		require.Zero(t, code, "%s %s", out, stderr)
		return out
	}
	assert.Contains(t, call("event.fire", "{id: 9a, attempts: 1, limit: 5}", "system/release/pending"), "true")
	b.Eventually(20*time.Second, "the reaction has come back to the device", func() bool {
		return strings.Contains(call("reactor.manage", "context", "cache"), "from: system/release/pending")
	})
	out := call("reactor.manage", "context", "cache")
	for _, part := range []string{"system/release:\n", "tag: system/release/pending\n", "attempts: 1\n", "_count: 1\n", "system/minion:\n", "_stamp: '"} {
		assert.Contains(t, out, part)
	}
	b.Eventually(20*time.Second, "the beacon was reacted to", func() bool { return strings.Contains(call("reactor.manage", "context", "cache"), "from: beacon") })
	assert.Contains(t, call("reactor.manage", "reactor", "list"), "- keep_answers\n")
	v, err := b.Runner("reactor.list")
	require.NoError(t, err)
	assert.Len(t, v, 2)
}
