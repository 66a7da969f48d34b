package cmd_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	module "brine/modules/cmd"
	"brine/modules/cp"
	"brine/modules/moduletest"
	"brine/states/cmd"
)

// seen is a result without the pid in it.
func seen(m *ordered.Map) string {
	if c, ok := m.Value("changes").(*ordered.Map); ok {
		c.Delete("pid")
	}
	return pyfmt.Repr(m)
}

func TestRun(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, module.Module()), cmd.State()
	for want, a := range map[string]modules.Args{
		`{'result': True, 'comment': 'Command "echo hi" run', 'changes': {'retcode': 0, 'stdout': 'hi', 'stderr': ''}}`:              modules.Pos("echo hi"),
		`{'result': False, 'comment': 'Command "echo no >&2; exit 3" run', 'changes': {'retcode': 3, 'stdout': '', 'stderr': 'no'}}`: modules.Pos("echo no >&2; exit 3"),
		`{'result': True, 'comment': 'Command "exit 3" run', 'changes': {'retcode': 0, 'stdout': '', 'stderr': ''}}`:                 modules.Pos("exit 3").With("success_retcodes", []any{3}),
		`{'result': False, 'comment': 'Desired working directory "/no/such" is not available', 'changes': {}}`:                       modules.Pos("true").With("cwd", "/no/such"),
		`{'result': False, 'comment': "Invalidly-formatted 'env' parameter. See documentation.", 'changes': {}}`:                     modules.Pos("true").With("env", "A=b"),
		`{'result': True, 'comment': 'fine', 'changes': {'x': 'y', 'retcode': 0, 'stdout': '', 'stderr': ''}}`:                       modules.Pos(`echo '{"changed": true, "comment": "fine", "x": "y"}'`).With("stateful", true),
		`{'result': True, 'comment': 'as it was', 'changes': {}}`:                                                                    modules.Pos("echo; echo changed=no comment='\"as it was\"'").With("stateful", true),
		`{'result': False, 'comment': 'script JSON output must be a JSON object (e.g., {})!', 'changes': {}}`:                        modules.Pos("echo '[1]'").With("stateful", true),
	} {
		got := b.State(s, "run", a)
		got.Map("changes").Delete("changed")
		assert.Equal(t, want, seen(got))
	}
}

func TestDryRunsRunNothing(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, module.Module()), cmd.State()
	b.Test = true
	b.WantState(s, "run", modules.Pos("touch "+b.Work("x")), `{'result': None, 'comment': 'Command "touch `+b.Work("x")+`" would have been executed', 'changes': {}}`)
	assert.NoFileExists(t, b.Work("x"))
	got := b.State(s, "run", modules.Pos("touch "+b.Work("x")).With("stateful", []any{ordered.Pairs("test_name", "echo changed=yes comment=would")}))
	assert.Nil(t, got.Value("result"))
	assert.Equal(t, "would", got.Value("comment"))
	assert.NoFileExists(t, b.Work("x"))
}

func TestScript(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, module.Module(), cp.Module(nil)), cmd.State()
	require.NoError(t, os.WriteFile(b.Roots+"/s.sh", []byte("#!/bin/sh\necho got $1\n"), 0o600))
	assert.Equal(t, `{'result': True, 'comment': "Command 'salt://s.sh' run", 'changes': {'retcode': 0, 'stdout': 'got one', 'stderr': ''}}`,
		seen(b.State(s, "script", modules.Pos("salt://s.sh").With("args", "one"))))
	assert.Equal(t, "Unable to cache script salt://none.sh from saltenv 'base'", b.State(s, "script", modules.Pos("salt://none.sh")).Value("comment"))
}

func TestWait(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, module.Module()), cmd.State()
	a := modules.Args{Kw: ordered.Pairs("name", "echo hi")}
	b.WantState(s, "wait", a, "{'result': True, 'comment': '', 'changes': {}}")
	assert.Equal(t, `{'result': True, 'comment': 'Command "echo hi" run', 'changes': {'retcode': 0, 'stdout': 'hi', 'stderr': ''}}`, seen(b.Watch(s, "wait", a)))
	assert.Contains(t, b.Watch(s, "other", a).Value("comment"), "does not work with the watch requisite")
}
