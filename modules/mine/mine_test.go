package mine_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/config"
	"brine/modules/data"
	"brine/modules/mine"
	"brine/modules/moduletest"
	"brine/modules/test"
)

// store keeps what is put, of one minion.
type store struct{ m *ordered.Map }

func (s *store) Put(_ context.Context, data *ordered.Map, clear bool) error {
	if clear {
		s.m = ordered.New(0)
	}
	s.m.Update(data)
	return nil
}

func (s *store) Get(_ context.Context, tgt, tgtType string, functions []string) (*ordered.Map, error) {
	return ordered.Pairs("m1", s.m.Value(functions[0]), tgt, tgtType), nil
}

func (s *store) Delete(_ context.Context, function string) error { s.m.Delete(function); return nil }

func (s *store) Flush(context.Context) error { s.m = ordered.New(0); return nil }

func bench(t *testing.T, s mine.Store) *moduletest.Bench {
	t.Helper()
	match := modules.Module{Name: "match", Funcs: []modules.Func{modules.Fn("glob", "", func(_ context.Context, _ *modules.Env, in struct {
		Tgt string `arg:"tgt"`
	}) (any, error) {
		return in.Tgt == "*", nil
	})}}
	b := moduletest.New(t, mine.Module(s), config.Module(), data.Module(), test.Module(), match)
	b.Opts.Set("mine_functions", ordered.Pairs(
		"test.ping", []any{}, "said", []any{ordered.Pairs("mine_function", "test.echo"), "hi"}, "secret", ordered.Pairs("mine_function", "test.kwarg", "a", 1, "allow_tgt", "web*"),
		"no.such", []any{}, "test.exception", []any{}))
	return b
}

func TestLocal(t *testing.T) {
	t.Parallel()
	b := bench(t, nil)
	b.Want("True", "mine.update")
	b.Want("{'m1': 'hi'}", "mine.get", "*", "said")
	b.Want("{'m1': {'a': 1}}", "mine.get", "*", "secret")
	b.Want("{'said': {'m1': 'hi'}, 'test.ping': {'m1': True}}", "mine.get", "*", "said,test.ping")
	b.Want("{'said': {'m1': 'hi'}}", "mine.get", "*", []any{"said"})
	b.Want("{}", "mine.get", "other", "said")
	b.Want("{'test.ping': [], 'said': {'test.echo': ['hi']}, 'secret': {'test.kwarg': [{'a': 1}]}, 'test.exception': []}", "mine.valid")
	b.Want("True", "mine.delete", "said")
	b.Want("{}", "mine.get", "*", "said")
	b.WantArgs("True", "mine.send", moduletest.KW([]any{"mark", "x"}, "mine_function", "test.echo"))
	b.Want("{'m1': 'x'}", "mine.get", "*", "mark")
	b.Want("False", "mine.send", "test.exception")
	b.Want("True", "mine.flush")
	b.Want("{}", "mine.get", "*", "mark")
}

func TestMaster(t *testing.T) {
	t.Parallel()
	s := &store{ordered.Pairs("old", 1)}
	b := bench(t, s)
	b.Opts.Set("file_client", "remote")
	b.WantArgs("True", "mine.update", moduletest.KW(nil, "clear", true))
	assert.Equal(t, "{'test.ping': True, 'said': 'hi', 'secret': {'__data__': {'a': 1}, '__saltmine_acl__': 1, 'allow_tgt': 'web*', 'allow_tgt_type': None}}", pyfmt.Repr(s.m))
	b.Want("{'m1': 'hi', 'web*': 'glob'}", "mine.get", "web*", "said")
	b.WantArgs("{'web*': 'glob'}", "mine.get", moduletest.KW([]any{"web*", "said"}, "exclude_minion", true))
	b.Want("True", "mine.delete", "said")
	assert.False(t, s.m.Has("said"))
	b.Want("True", "mine.flush")
	b = bench(t, nil)
	b.Opts.Set("file_client", "remote")
	b.Fails("There is no master whose mine could be asked", "mine.get", modules.Pos("*", "x"))
	b.Opts.Set("mine_functions", ordered.New(0))
	b.Want("None", "mine.update")
	b.Want("None", "mine.valid")
}
