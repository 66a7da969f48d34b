package schedule_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/moduletest"
	functions "brine/modules/schedule"
	"brine/states"
	"brine/states/schedule"
)

// store keeps a schedule in memory.
type store struct {
	functions.Clock
	m *ordered.Map
}

func (s *store) List(string) *ordered.Map                        { return ordered.Copy(s.m).(*ordered.Map) }
func (s *store) Put(name string, job *ordered.Map, _ bool) error { s.m.Set(name, job); return nil }
func (s *store) Remove(name string, _ bool) error                { s.m.Delete(name); return nil }
func (s *store) SetEnabled(name string, on, _ bool) error {
	s.m.Map(name).Set("enabled", on)
	return nil
}
func (s *store) Save() error { return nil }

func TestStates(t *testing.T) {
	t.Parallel()
	st := &store{m: ordered.New(0)}
	b := moduletest.New(t, functions.Module(functions.Deps{Store: st, Clock: st}))
	reg, err := states.NewRegistry(schedule.State())
	require.NoError(t, err)
	run := func(fun string, test bool, kv ...any) string {
		_, f, err := reg.Lookup(b.Env, "schedule."+fun)
		require.NoError(t, err)
		env := *b.Env
		env.Test = test
		r, err := f.Run(t.Context(), &states.Env{Env: &env}, modules.Args{Kw: ordered.Pairs(append([]any{"name", "j"}, kv...)...)})
		require.NoError(t, err)
		ok := "None"
		if r.OK != nil {
			ok = pyfmt.Repr(*r.OK)
		}
		return ok + " " + pyfmt.Str(r.Comment) + " " + pyfmt.Repr(r.Changes.Clone())
	}
	diff := `{'diff': '--- \n+++ \n-seconds:60\n+seconds:30\n'}`
	for _, c := range []struct {
		fun  string
		test bool
		kv   []any
		want string
	}{
		{"absent", false, nil, "True Job j not present in schedule {}"},
		{"present", true, []any{"function", "test.ping", "seconds", 60}, "None Job: j would be added to schedule. {}"},
		{"present", false, []any{"function", "test.ping", "seconds", 60}, "True Adding new job j to schedule {'j': 'added'}"},
		{"present", false, []any{"function", "test.ping", "seconds", 60}, "True Job j in correct state {}"},
		{"present", true, []any{"function", "test.ping", "seconds", 30}, "None Job: j would be modified in schedule. " + diff},
		{"present", false, []any{"function", "test.ping", "seconds", 30}, "True Modifying job j in schedule " + diff},
		{"present", false, []any{"function", "test.ping", "seconds", 30, "cron", "* * * * *"},
			`False Unable to use "seconds", "minutes", "hours", or "days" with "when" or "cron" options. {}`},
		{"disabled", true, nil, "None Job: j would be disabled in schedule. {}"},
		{"disabled", false, nil, "True Disabled job j from schedule {'j': 'disabled'}"},
		{"disabled", false, nil, "True Job j in correct state {}"},
		{"enabled", false, nil, "True Enabled job j from schedule {'j': 'enabled'}"},
		{"absent", true, nil, "None Job: j would be deleted from schedule. {}"},
		{"absent", false, nil, "True Removed job j from schedule {'j': 'removed'}"},
	} {
		assert.Equal(t, c.want, run(c.fun, c.test, c.kv...), "%s %v", c.fun, c.kv)
	}
}
