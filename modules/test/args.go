package test

import (
	"context"
	"os"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// published is what the publication of the job adds to the keyword arguments of the function it names, as Salt does
// for functions that take any keywords.
func published(env *modules.Env, name string) *ordered.Map {
	out := ordered.New(4)
	j := env.Job
	if j == nil || j.Fun != "test."+name {
		return out
	}
	if j.Request != nil {
		for k, v := range j.Request.All() {
			out.Set("__pub_"+ordered.KeyText(k), v)
		}
		return out
	}
	out.Set("__pub_fun", j.Fun)
	out.Set("__pub_pid", int64(os.Getpid()))
	out.Set("__pub_jid", j.JID)
	out.Set("__pub_tgt", j.Tgt)
	return out
}

// with returns the keyword arguments with the published ones after them.
func with(kwargs, pub *ordered.Map) *ordered.Map {
	out := kwargs.Clone()
	out.Update(pub)
	return out
}

func list(args []any) []any {
	if args == nil {
		return []any{}
	}
	return args
}

const argDoc = `Show the positional and keyword arguments as they arrived.

CLI Example:

    salt '*' test.arg 1 "two" 3.1 txt="hello" wow='{a: 1, b: "hello"}'`

func arg(_ context.Context, env *modules.Env, in anyArgs) (any, error) {
	return ordered.Pairs("args", list(in.Args), "kwargs", with(in.Kwargs, published(env, "arg"))), nil
}

const argCleanDoc = `Show the arguments without what the publication adds to them.

CLI Example:

    salt '*' test.arg_clean 1 "two" 3.1 txt="hello" wow='{a: 1, b: "hello"}'`

func argClean(_ context.Context, _ *modules.Env, in anyArgs) (any, error) {
	return ordered.Pairs("args", list(in.Args), "kwargs", in.Kwargs), nil
}

const kwargDoc = `Show the keyword arguments as they arrived.

CLI Example:

    salt '*' test.kwarg num=1 txt="two" env='{a: 1, b: "hello"}'`

type kwargArgs struct {
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func kwarg(_ context.Context, env *modules.Env, in kwargArgs) (any, error) {
	return with(in.Kwargs, published(env, "kwarg")), nil
}

const argReprDoc = `Show the arguments in Python's notation, as two texts.

CLI Example:

    salt '*' test.arg_repr 1 "two" 3.1 txt="hello" wow='{a: 1, b: "hello"}'`

func argRepr(_ context.Context, env *modules.Env, in anyArgs) (any, error) {
	return ordered.Pairs("args", tuple(in.Args), "kwargs", pyfmt.Repr(with(in.Kwargs, published(env, "arg_repr")))), nil
}

// tuple is Python's notation of a tuple.
func tuple(args []any) string {
	text := pyfmt.Repr(list(args))
	text = text[1 : len(text)-1]
	if len(args) == 1 {
		text += ","
	}
	return "(" + text + ")"
}

const argTypeDoc = `Show of what types the arguments are.

CLI Example:

    salt '*' test.arg_type 1 'int'`

func argType(_ context.Context, env *modules.Env, in anyArgs) (any, error) {
	args := []any{}
	for _, v := range in.Args {
		args = append(args, class(v))
	}
	kwargs := ordered.New(0)
	for k, v := range with(in.Kwargs, published(env, "arg_type")).All() {
		kwargs.Set(k, class(v))
	}
	return ordered.Pairs("args", args, "kwargs", kwargs), nil
}

func class(v any) string { return "<class '" + pyfmt.Type(v) + "'>" }
