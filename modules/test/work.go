package test

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"math/big"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"brine/internal/hashsum"
	"brine/internal/pyfmt"
	"brine/modules"
)

const fibDoc = `Compute a Fibonacci number and tell how many seconds it took.

CLI Example:

    salt '*' test.fib 3`

type fibArgs struct {
	Num any `arg:"num"`
}

func fib(ctx context.Context, _ *modules.Env, in fibArgs) (any, error) {
	n, err := modules.Int(in.Num)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, errors.New("Negative number is not allowed!")
	}
	start := time.Now()
	prev, curr := big.NewInt(0), big.NewInt(1)
	if n < 2 {
		curr = big.NewInt(n)
	}
	for i := int64(1); i < n; i++ {
		if i%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		prev.Add(prev, curr)
		prev, curr = curr, prev
	}
	return []any{number(curr), time.Since(start).Seconds()}, nil
}

func number(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

const collatzDoc = `Follow the Collatz sequence from a number down to one and tell how many seconds it took.

CLI Example:

    salt '*' test.collatz 3`

type collatzArgs struct {
	Start any `arg:"start"`
}

const maxSteps = 100_000

func collatz(_ context.Context, _ *modules.Env, in collatzArgs) (any, error) {
	n, err := modules.Int(in.Start)
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, modules.Invalidf("The number must be positive")
	}
	begin := time.Now()
	steps := []any{}
	whole := true // numbers become floats with the first division
	for x := float64(n); x != 1; {
		if len(steps) >= maxSteps {
			return nil, modules.Errorf("The sequence has more than %d steps", maxSteps)
		}
		if whole {
			steps = append(steps, int64(x))
		} else {
			steps = append(steps, x)
		}
		if math.Mod(x, 2) == 0 {
			x, whole = x/2, false
		} else {
			x = x*3 + 1
		}
	}
	return []any{steps, time.Since(begin).Seconds()}, nil
}

const randomHashDoc = `Pick a random number up to size and tell its checksum.

hash_type
    the kind of checksum; without it the configured hash_type is taken

CLI Example:

    salt '*' test.random_hash
    salt '*' test.random_hash hash_type=sha512`

const randStrDoc = `The old name of test.random_hash.

CLI Example:

    salt '*' test.rand_str`

type randomHashArgs struct {
	Size int64 `arg:"size" def:"9999999999"`
	Type any   `arg:"hash_type" def:"None"`
}

func randomHash(_ context.Context, env *modules.Env, in randomHashArgs) (any, error) {
	kind := pyfmt.Str(in.Type)
	if !pyfmt.Truth(in.Type) {
		if kind = env.Opts.String("hash_type"); kind == "" {
			kind = "md5"
		}
	}
	if hashsum.Length(kind) == 0 {
		return nil, modules.Errorf("Unsupported hash type: %s", kind)
	}
	n, err := below(in.Size)
	if err != nil {
		return nil, err
	}
	return hashsum.Sum(kind, []byte(strconv.FormatInt(n, 10))), nil
}

func below(n int64) (int64, error) {
	if n <= 0 {
		return 0, errors.New("empty range for randrange()")
	}
	v, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		return 0, err
	}
	return v.Int64(), nil
}

const stackDoc = `Tell the call stack of this very call.

CLI Example:

    salt '*' test.stack`

func stack(context.Context, *modules.Env, none) (any, error) { return string(debug.Stack()), nil }

const exceptionDoc = `Fail with an uncaught error of the given text.

CLI Example:

    salt '*' test.exception 'Oh noes!'`

type exceptionArgs struct {
	Message any `arg:"message" def:"'Test Exception'"`
}

func exception(_ context.Context, _ *modules.Env, in exceptionArgs) (any, error) {
	return nil, errors.New(pyfmt.Str(in.Message))
}

const assertionDoc = `Fail when the value is false.

CLI Example:

    salt '*' test.assertion False`

type assertionArgs struct {
	Assertion any `arg:"assertion"`
}

func assertion(_ context.Context, _ *modules.Env, in assertionArgs) (any, error) {
	if !pyfmt.Truth(in.Assertion) {
		return nil, errors.New("AssertionError")
	}
	return nil, nil
}

const raiseDoc = `Fail with an error of a kind that is given by its Python name; an unknown kind is answered with False.

CLI Example:

    salt '*' test.raise_exception TypeError "An integer is required"
    salt '*' test.raise_exception salt.exceptions.CommandExecutionError "Something went wrong"`

type raiseArgs struct {
	Name   string         `arg:"name"`
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

// pythonErrors are the built-in exceptions that can be asked for.
const pythonErrors = ` ArithmeticError AssertionError AttributeError BaseException BlockingIOError BufferError ChildProcessError ConnectionError
 EOFError EnvironmentError Exception FileExistsError FileNotFoundError FloatingPointError IOError ImportError IndexError InterruptedError
 IsADirectoryError KeyError LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError
 PermissionError ProcessLookupError RecursionError ReferenceError RuntimeError StopIteration SyntaxError SystemError TimeoutError TypeError
 UnicodeError ValueError ZeroDivisionError `

// saltErrors are those of salt.exceptions that end as an expected failure.
const saltErrors = ` CommandExecutionError CommandNotFoundError AuthenticationError MinionError PkgParseError SaltClientError SaltException
 SaltRenderError SaltReqTimeoutError TimedProcTimeoutError TokenAuthenticationError EauthAuthenticationError LoaderError `

func raise(_ context.Context, _ *modules.Env, in raiseArgs) (any, error) {
	text := tuple(in.Args)
	switch len(in.Args) {
	case 0:
		text = ""
	case 1:
		text = pyfmt.Str(in.Args[0])
	}
	known := func(names, name string) bool {
		return strings.Contains(strings.ReplaceAll(names, "\n", " "), " "+name+" ")
	}
	name, salt := strings.CutPrefix(in.Name, "salt.exceptions.")
	switch {
	case salt && (name == "SaltInvocationError" || name == "ArgumentValueError"):
		return nil, &modules.InvocationError{Msg: text}
	case salt && known(saltErrors, name):
		return nil, &modules.CommandError{Msg: text}
	case !salt && known(pythonErrors, name):
		return nil, errors.New(text)
	}
	return false, nil
}
