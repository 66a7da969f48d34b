// Package scripts_test runs the command line as an operator types it, against a real master and real minions.
package scripts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/test/testbed"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testbed.Clean()
	os.Exit(code)
}

// names are those under which the program behaves as Salt's programs do.
var names = []string{"brine", "salt", "salt-call", "salt-run", "salt-key", "salt-cp"}

// bin makes a folder with the program under all its names.
func bin(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		require.NoError(t, os.Symlink(testbed.Binary(t), filepath.Join(dir, n)))
	}
	return dir
}

// params run the scripts of a folder. $PORT is a port that is free.
func params(t *testing.T, dir, config string) testscript.Params {
	t.Helper()
	path := bin(t)
	return testscript.Params{Dir: filepath.Join("testdata", dir), RequireExplicitExec: true, RequireUniqueNames: true, Setup: func(e *testscript.Env) error {
		e.Setenv("PATH", path+":"+os.Getenv("PATH"))
		e.Setenv("BRINE_CONFIG_DIR", config)
		e.Setenv("PORT", fmt.Sprint(testbed.FreePort(t)))
		e.Setenv("PORT2", fmt.Sprint(testbed.FreePort(t)))
		return nil
	}}
}

// tree is a small tree of states and pillar.
func tree(t *testing.T) (salt, pillar string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"salt/good.sls":     "fine:\n  test.succeed_with_changes\nsame:\n  test.nop\n",
		"salt/bad.sls":      "broken:\n  test.fail_without_changes\n",
		"salt/wrong.sls":    "a:\n  no_such_state.here\n",
		"salt/syntax.sls":   "a: {{ 1 +\n",
		"salt/top.sls":      "base:\n  'web*':\n    - good\n",
		"pillar/top.sls":    "base:\n  '*':\n    - common\n",
		"pillar/common.sls": "site: oslo\nrole: {{ 'web' if grains.id.startswith('web') else 'db' }}\n",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir + "/salt", dir + "/pillar"
}

// TestFleet runs the scripts that share three minions.
func TestFleet(t *testing.T) {
	t.Parallel()
	salt, pillar := tree(t)
	b := testbed.New(t, testbed.Options{Minions: []string{"web1", "web2", "db1"}, Master: ordered.Pairs(
		"file_roots", ordered.Pairs("base", []any{salt}), "pillar_roots", ordered.Pairs("base", []any{pillar}),
		"nodegroups", ordered.Pairs("front", "L@web1,web2", "all", []any{"N@front", "or", "db1"}))})
	p := params(t, "fleet", b.Dir+"/master")
	setup := p.Setup
	p.Setup = func(e *testscript.Env) error {
		e.Setenv("BED", b.Dir)
		return setup(e)
	}
	testscript.Run(t, p)
}

// TestAlone runs the scripts that start what they need by themselves.
func TestAlone(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params(t, "alone", ""))
}

// TestAway runs the scripts on a fleet of which one minion has gone.
func TestAway(t *testing.T) {
	t.Parallel()
	b := testbed.New(t, testbed.Options{Minions: []string{"web1", "web2"}, Master: ordered.Pairs("timeout", 2, "gather_job_timeout", 2)})
	b.Minions["web2"].Stop()
	b.Eventually(30*time.Second, "web2 is away", func() bool {
		v, err := b.Runner("manage.present")
		list, _ := v.([]any)
		return err == nil && len(list) == 1
	})
	testscript.Run(t, params(t, "away", b.Dir+"/master"))
}
