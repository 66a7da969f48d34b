package test_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/test"
)

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	refused := modules.Module{Name: "zz", Virtual: func(*modules.Env) error { return errors.New("no zz here") }}
	return moduletest.New(t, test.Module(), refused)
}

func TestArguments(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("'text'", "test.echo", "text")
	b.Want("{'args': [1, 'two', [3], {'k': 'v'}], 'kwargs': {}}", "test.arg", int64(1), "two", []any{int64(3)}, ordered.Pairs("k", "v"))
	b.WantArgs("{'args': [], 'kwargs': {'a': 1}}", "test.arg", moduletest.KW(nil, "a", 1))
	b.WantArgs("{'x': 'y'}", "test.kwarg", moduletest.KW(nil, "x", "y"))
	b.Want(`{'args': "(1, 'a')", 'kwargs': '{}'}`, "test.arg_repr", int64(1), "a")
	b.Want(`{'args': '(1,)', 'kwargs': '{}'}`, "test.arg_repr", int64(1))
	b.Want(`{'args': ["<class 'int'>", "<class 'str'>", "<class 'float'>", "<class 'bool'>", "<class 'list'>", "<class 'dict'>", "<class 'NoneType'>"], 'kwargs': {}}`,
		"test.arg_type", int64(1), "a", 1.5, true, []any{}, ordered.New(0), nil)
	b.Job.Fun, b.Job.Request = "test.kwarg", ordered.Pairs("jid", "1", "user", "root")
	b.WantArgs("{'x': 'y', '__pub_jid': '1', '__pub_user': 'root'}", "test.kwarg", moduletest.KW(nil, "x", "y"))
	b.WantArgs("{'args': [], 'kwargs': {'x': 'y'}}", "test.arg_clean", moduletest.KW(nil, "x", "y"))
}

func TestWork(t *testing.T) {
	t.Parallel()
	b := bench(t)
	for n, want := range map[any]any{int64(10): int64(55), "1": int64(1), int64(0): int64(0)} {
		assert.Equal(t, want, b.Run("test.fib", modules.Pos(n)).([]any)[0])
	}
	assert.Equal(t, "280571172992510140037611932413038677189525", ordered.KeyText(b.Run("test.fib", modules.Pos(int64(200))).([]any)[0]))
	b.Fails("invalid literal for int() with base 10: 'abc'", "test.fib", modules.Pos("abc"))
	b.Fails("Negative number is not allowed!", "test.fib", modules.Pos(int64(-1)))
	assert.Equal(t, []any{int64(6), 3.0, 10.0, 5.0, 16.0, 8.0, 4.0, 2.0}, b.Run("test.collatz", modules.Pos(int64(6))).([]any)[0])
	assert.Equal(t, []any{int64(3), int64(10), 5.0, 16.0, 8.0, 4.0, 2.0}, b.Run("test.collatz", modules.Pos(int64(3))).([]any)[0])
	b.Want("True", "test.sleep", int64(0))
	b.Want("True", "test.rand_sleep", int64(0))
	assert.Len(t, b.Run("test.random_hash", modules.Args{}), 64)
	assert.Len(t, b.Run("test.rand_str", moduletest.KW(nil, "hash_type", "md5")), 32)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := b.Call(ctx, "test.sleep", modules.Pos(int64(60)))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Fails("boom", "test.exception", modules.Pos("boom"))
	b.Fails("Test Exception", "test.exception", modules.Args{})
	b.Fails("AssertionError", "test.assertion", modules.Pos(false))
	b.Want("None", "test.assertion", "x")
	b.Want("False", "test.raise_exception", "NoSuchError", "x")
	b.Want("False", "test.raise_exception", "print")
	b.Fails("x", "test.raise_exception", modules.Pos("TypeError", "x"))
	var command *modules.CommandError
	assert.ErrorAs(t, b.Fails("went wrong", "test.raise_exception", modules.Pos("salt.exceptions.CommandExecutionError", "went wrong")), &command)
	var invalid *modules.InvocationError
	assert.ErrorAs(t, b.Fails("(1, 2)", "test.raise_exception", modules.Pos("salt.exceptions.SaltInvocationError", int64(1), int64(2))), &invalid)
	b.WantArgs("None", "test.try", moduletest.KW(nil, "module", "test.exception", "message", "m"))
	b.WantArgs("'m'", "test.try", moduletest.KW(nil, "module", "test.exception", "message", "m", "return_try_exception", true))
	b.Want("True", "test.retcode", int64(3))
	assert.Equal(t, 3, b.Job.Retcode())
	b.Fails("ping() takes 0 positional arguments but 1 was given", "test.ping", modules.Pos("x"))
}

func TestLoaded(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Facts.M.Update(ordered.Pairs("saltversion", "3006.0", "os", "Debian", "osrelease", "12", "oscodename", "bookworm"))
	b.Want("['zz']", "test.not_loaded")
	b.Want("{'test': 'test'}", "test.providers")
	b.Want("'test'", "test.provider", "test")
	b.Want("''", "test.provider", "zz")
	b.Want("'3006.0'", "test.version")
	b.Want("'x'", "test.cross_test", "test.echo", []any{"x"})
	report := b.Run("test.versions_report", modules.Args{}).(string)
	assert.Contains(t, report, "Salt Version:\n       Salt: 3006.0\n\nDependency Versions:\n")
	assert.Contains(t, report, "       dist: debian 12 bookworm\n")
	assert.Equal(t, []any{}, b.Run("test.module_report", modules.Args{}).(*ordered.Map).Value("missing_attrs"))
}
