package moduletest

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// State runs one state function and gives its result as data: result, comment, changes.
func (b *Bench) State(s states.State, fun string, a modules.Args) *ordered.Map {
	b.T.Helper()
	reg, err := states.NewRegistry(s)
	require.NoError(b.T, err)
	_, f, err := reg.Lookup(b.Env, s.Name+"."+fun)
	require.NoError(b.T, err)
	r, err := f.Run(context.Background(), b.stateEnv(), a)
	require.NoError(b.T, err, "%s.%s %s", s.Name, fun, pyfmt.Repr(a.Kw))
	return data(r)
}

// Watch runs what a family does after a change of what the function fun watches.
func (b *Bench) Watch(s states.State, fun string, a modules.Args) *ordered.Map {
	b.T.Helper()
	r, err := s.Watch(context.Background(), b.stateEnv(), fun, a)
	require.NoError(b.T, err)
	return data(r)
}

func (b *Bench) stateEnv() *states.Env {
	return &states.Env{Env: b.Env, StateID: "id", SLS: "sls", Low: ordered.New(0), Run: &modules.Context{}}
}

func data(r *states.Result) *ordered.Map {
	var ok any
	if r.OK != nil {
		ok = *r.OK
	}
	changes := r.Changes
	if changes == nil {
		changes = ordered.New(0)
	}
	return ordered.Pairs("result", ok, "comment", ordered.Of(r.Comment), "changes", ordered.Of(changes))
}

// WantState runs a state function and compares result, comment and changes, written as Python.
func (b *Bench) WantState(s states.State, fun string, a modules.Args, want string) {
	b.T.Helper()
	assert.Equal(b.T, want, pyfmt.Repr(b.State(s, fun, a)), "%s.%s %s", s.Name, fun, pyfmt.Repr(a.Pos))
}

// DryAndTwice runs a state function three times: as a dry run, which must want to change something, for real, which must
// succeed, and again, which must find nothing to do. It gives the result of the real run.
func (b *Bench) DryAndTwice(s states.State, fun string, a modules.Args) *ordered.Map {
	b.T.Helper()
	b.Test = true
	dry := b.State(s, fun, a)
	assert.Nil(b.T, dry.Value("result"), "%s.%s dry run: %s", s.Name, fun, pyfmt.Repr(dry))
	again := b.State(s, fun, a)
	assert.Equal(b.T, pyfmt.Repr(dry), pyfmt.Repr(again), "%s.%s: a dry run changed something", s.Name, fun)
	b.Test = false
	real := b.State(s, fun, a)
	assert.Equal(b.T, true, real.Value("result"), "%s.%s: %s", s.Name, fun, pyfmt.Repr(real))
	assert.NotZero(b.T, real.Map("changes").Len(), "%s.%s: %s", s.Name, fun, pyfmt.Repr(real))
	second := b.State(s, fun, a)
	assert.Equal(b.T, true, second.Value("result"), "%s.%s again: %s", s.Name, fun, pyfmt.Repr(second))
	assert.Zero(b.T, second.Map("changes").Len(), "%s.%s again: %s", s.Name, fun, pyfmt.Repr(second))
	b.Test = true
	assert.Equal(b.T, true, b.State(s, fun, a).Value("result"), "%s.%s: a dry run after the real one wants changes", s.Name, fun)
	b.Test = false
	return real
}

// NeedRoot skips a test that changes accounts, packages or the like where that is not possible: not root, or a program
// is missing; install says how to get it.
func NeedRoot(t testing.TB, install string, programs ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("this test changes the system: run it as root")
	}
	for _, p := range programs {
		if pypath.Which(p) == "" {
			t.Skipf("%s is missing: %s", p, install)
		}
	}
}
