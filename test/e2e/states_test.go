package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/test/testbed"
)

// trees writes file and pillar roots and gives the options of a master that serves them.
func trees(t *testing.T, files map[string]string) (dir string, opts *ordered.Map) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(strings.ReplaceAll(text, "$DIR", dir)), 0o600))
	}
	return dir, ordered.Pairs("file_roots", ordered.Pairs("base", []any{dir + "/salt"}), "pillar_roots", ordered.Pairs("base", []any{dir + "/pillar"}))
}

// TestStatesOverTheLink applies states with a pillar that the master compiles for each minion, and with a broken one.
func TestStatesOverTheLink(t *testing.T) {
	t.Parallel()
	dir, opts := trees(t, map[string]string{
		"salt/top.sls":    "base: {'*': [web]}",
		"salt/web.sls":    "note:\n  test.show_notification:\n    - text: {{ pillar.secret }} {{ pillar.get('kind', '-') }} {{ grains.id }}\nafter:\n  test.nop:\n    - require: [{test: note}]",
		"salt/fails.sls":  "f: test.fail_without_changes",
		"pillar/top.sls":  "base: {'*': [each], 'kernel:Linux': [{match: grain}, kind]}",
		"pillar/each.sls": "secret: of-{{ opts.id }}",
		"pillar/kind.sls": "kind: linux",
	})
	b := testbed.New(t, testbed.Options{Minions: []string{"a1", "a2"}, Master: opts, Minion: ordered.Pairs("state_events", true)})
	stdout, stderr, code := b.CLI("*", "state.apply")
	assert.Zero(t, code, stderr)
	for _, part := range []string{"a1:\n----------", "Comment: of-a1 linux a1\n", "Comment: of-a2 linux a2\n", "Summary for a2\n------------\nSucceeded: 2\nFailed:    0\n"} {
		assert.Contains(t, stdout, part)
	}
	assert.Contains(t, b.Master.Log(), "the pillar top file matches on grains")
	stdout, _, code = b.CLI("a1", "state.apply", "fails")
	assert.NotZero(t, code)
	assert.Contains(t, stdout, "Failed:    1\n")
	out := ask(t, b, "a1", "pillar.items")
	assert.Equal(t, "of-a1", out.Map("a1").Value("secret"))
	require.NoError(t, os.WriteFile(dir+"/pillar/each.sls", []byte("include: [gone]"), 0o600))
	stdout, _, code = b.CLI("a1", "state.apply")
	assert.NotZero(t, code)
	assert.Contains(t, stdout, "Pillar failed to render with the following messages:")
	assert.Contains(t, stdout, "Specified SLS 'gone' in environment 'base' is not available on the salt master")
}

// TestKillInAStateRun kills a minion in the middle of a run: the next run is not in its way, and what the first did stays
// whole.
func TestKillInAStateRun(t *testing.T) {
	t.Parallel()
	dir, opts := trees(t, map[string]string{
		"salt/long.sls": "begun:\n  file.managed:\n    - name: $DIR/begun\n    - contents: whole\nwait:\n  cmd.run:\n    - name: sleep 60\n    - require: [{file: begun}]",
		"salt/next.sls": "next:\n  file.managed:\n    - name: $DIR/next\n    - contents: whole",
	})
	b := testbed.New(t, testbed.Options{Minions: []string{"dev1"}, Master: opts})
	jid := publish(t, b, "state.apply", "long")
	b.Eventually(20*time.Second, "the run is under way", func() bool {
		_, err := os.Stat(dir + "/begun")
		return err == nil
	})
	stdout, _, code := b.CLI("dev1", "state.apply", "next")
	assert.NotZero(t, code)
	assert.Contains(t, stdout, `The function "state.apply" is running as PID`)
	b.Minions["dev1"].Kill()
	b.Minions["dev1"].Start()
	b.WaitOnline("dev1")
	assert.Equal(t, false, settled(t, b, jid, 1).Map("dev1").Value("success"))
	stdout, stderr, code := b.CLI("dev1", "state.apply", "next")
	assert.Zero(t, code, "%s %s", stdout, stderr)
	for _, name := range []string{"begun", "next"} {
		src, err := os.ReadFile(dir + "/" + name)
		require.NoError(t, err)
		assert.Equal(t, "whole\n", string(src))
	}
}
