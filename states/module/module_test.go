package module_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	functions "brine/modules/test"
	"brine/states/module"
)

func kw(kv ...any) modules.Args { return modules.Args{Kw: ordered.Pairs(kv...)} }

func TestRun(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, functions.Module()), module.State()
	b.WantState(s, "run", kw("name", "id", "test.echo", []any{"hello"}, "test.kwarg", []any{ordered.Pairs("a", 1)}),
		"{'result': True, 'comment': 'test.echo: hello, test.kwarg: Success', 'changes': {'test.echo': 'hello', 'test.kwarg': {'a': 1}}}")
	b.WantState(s, "run", kw("name", "id", "no.such", nil), "{'result': False, 'comment': 'Unavailable function: no.such.', 'changes': {}}")
	b.WantState(s, "run", kw("name", "id", "test.false", nil), `{'result': False, 'comment': "'test.false': False", 'changes': {}}`)
	b.WantState(s, "run", kw("name", "test.arg", "args", []any{1}, "kwargs", ordered.Pairs("x", "y")),
		"{'result': True, 'comment': 'Module function test.arg executed', 'changes': {'ret': {'args': [1], 'kwargs': {'x': 'y'}}}}")
	b.WantState(s, "run", kw("name", "test.echo"), "{'result': False, 'comment': 'The following arguments are missing: text', 'changes': {}}")
	b.WantState(s, "run", kw("name", "no.such"), "{'result': False, 'comment': 'Module function no.such is not available', 'changes': {}}")
	b.Test = true
	b.WantState(s, "run", kw("name", "test.echo", "text", "x"), "{'result': None, 'comment': 'Module function test.echo is set to be executed', 'changes': {}}")
}

func TestWait(t *testing.T) {
	t.Parallel()
	b, s := moduletest.New(t, functions.Module()), module.State()
	a := kw("name", "id", "test.echo", []any{"hello"}, "__reqs__", ordered.New(0))
	b.WantState(s, "wait", a, "{'result': True, 'comment': '', 'changes': {}}")
	assert.Equal(t, "test.echo: hello", b.Watch(s, "wait", a).Value("comment"))
}
