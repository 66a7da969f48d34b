// Package test holds the test.* functions: they prove that a minion answers, show what arguments became, and fail on
// purpose.
package test

import (
	"context"
	"time"

	"brine/internal/ordered"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "test", Doc: "Functions for testing the connection, the arguments and the handling of failures.", Funcs: []modules.Func{
		modules.PureFn("arg", argDoc, arg),
		modules.PureFn("arg_clean", argCleanDoc, argClean),
		modules.PureFn("arg_repr", argReprDoc, argRepr),
		modules.PureFn("arg_type", argTypeDoc, argType),
		modules.PureFn("assertion", assertionDoc, assertion),
		modules.PureFn("attr_call", attrCallDoc, attrCall),
		modules.PureFn("collatz", collatzDoc, collatz),
		modules.PureFn("conf_test", confTestDoc, confTest),
		modules.Fn("cross_test", crossTestDoc, crossTest),
		modules.PureFn("deprecation_warning", deprecationDoc, deprecationWarning),
		modules.PureFn("echo", echoDoc, echo),
		modules.PureFn("exception", exceptionDoc, exception),
		modules.PureFn("false", falseDoc, no),
		modules.PureFn("fib", fibDoc, fib),
		modules.PureFn("get_opts", getOptsDoc, getOpts),
		modules.PureFn("kwarg", kwargDoc, kwarg),
		modules.PureFn("module_report", moduleReportDoc, moduleReport),
		modules.PureFn("not_loaded", notLoadedDoc, notLoaded),
		modules.PureFn("opts_pkg", optsPkgDoc, optsPkg),
		modules.PureFn("outputter", outputterDoc, outputter),
		modules.PureFn("ping", pingDoc, ping),
		modules.PureFn("provider", providerDoc, provider),
		modules.PureFn("providers", providersDoc, providers),
		modules.PureFn("raise_exception", raiseDoc, raise),
		modules.Fn("rand_sleep", randSleepDoc, randSleep),
		modules.PureFn("rand_str", randStrDoc, randomHash),
		modules.PureFn("random_hash", randomHashDoc, randomHash),
		modules.Fn("retcode", retcodeDoc, retcode),
		modules.Fn("sleep", sleepDoc, sleep),
		modules.PureFn("stack", stackDoc, stack),
		modules.PureFn("true", trueDoc, yes),
		modules.Fn("try", tryDoc, try),
		modules.PureFn("tty", ttyDoc, tty),
		modules.PureFn("version", versionDoc, version),
		modules.PureFn("versions", versionsReportDoc, versionsReport),
		modules.PureFn("versions_information", versionsInfoDoc, versionsInformation),
		modules.PureFn("versions_report", versionsReportDoc, versionsReport),
	}}
}

type none struct{}

const pingDoc = `Answer True: the minion is up and runs jobs. No ICMP is involved.

CLI Example:

    salt '*' test.ping`

func ping(context.Context, *modules.Env, none) (any, error) { return true, nil }

const echoDoc = `Give back the text.

CLI Example:

    salt '*' test.echo 'foo bar baz quo qux'`

type echoArgs struct {
	Text any `arg:"text"`
}

func echo(_ context.Context, _ *modules.Env, in echoArgs) (any, error) { return in.Text, nil }

const outputterDoc = `Give back the data, to look at how an outputter shows it.

CLI Example:

    salt '*' test.outputter foobar`

type outputterArgs struct {
	Data any `arg:"data"`
}

func outputter(_ context.Context, _ *modules.Env, in outputterArgs) (any, error) { return in.Data, nil }

const trueDoc = `Answer True.

CLI Example:

    salt '*' test.true`

func yes(context.Context, *modules.Env, none) (any, error) { return true, nil }

const falseDoc = `Answer False.

CLI Example:

    salt '*' test.false`

func no(context.Context, *modules.Env, none) (any, error) { return false, nil }

const sleepDoc = `Wait for a number of seconds, then answer True: a job that takes time.

CLI Example:

    salt '*' test.sleep 20`

type sleepArgs struct {
	Length any `arg:"length"`
}

func sleep(ctx context.Context, _ *modules.Env, in sleepArgs) (any, error) {
	n, err := modules.Int(in.Length)
	if err != nil {
		return nil, err
	}
	return true, wait(ctx, n)
}

func wait(ctx context.Context, seconds int64) error {
	t := time.NewTimer(time.Duration(seconds) * time.Second)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const randSleepDoc = `Wait for a random number of seconds up to max, so that minions answer at different times.

CLI Example:

    salt '*' test.rand_sleep 60`

type randSleepArgs struct {
	Max any `arg:"max" def:"60"`
}

func randSleep(ctx context.Context, _ *modules.Env, in randSleepArgs) (any, error) {
	n, err := modules.Int(in.Max)
	if err != nil {
		return nil, err
	}
	pick, err := below(n + 1)
	if err != nil {
		return nil, err
	}
	return true, wait(ctx, pick)
}

const retcodeDoc = `Leave an exit code in the job, to look at what becomes of it.

CLI Example:

    salt '*' test.retcode 42`

type retcodeArgs struct {
	Code int `arg:"code" def:"42"`
}

func retcode(_ context.Context, env *modules.Env, in retcodeArgs) (any, error) {
	env.Job.SetRetcode(in.Code)
	return true, nil
}

const ttyDoc = `Moved: this function is cmd.tty now.

CLI Example:

    salt '*' test.tty tty0 'This is a test'`

type anyArgs struct {
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func tty(context.Context, *modules.Env, anyArgs) (any, error) {
	return "ERROR: This function has been moved to cmd.tty", nil
}

const deprecationDoc = `Answer True after writing a warning of something old into the log.

CLI Example:

    salt \* test.deprecation_warning`

func deprecationWarning(_ context.Context, env *modules.Env, _ none) (any, error) {
	env.Log.Warn("This is a test deprecation warning by version.")
	env.Log.Warn("This is a test deprecation warning by date very far into the future (30000101).")
	return true, nil
}

const attrCallDoc = `Call grains.items from within another function.

CLI Example:

    salt '*' test.attr_call`

func attrCall(ctx context.Context, env *modules.Env, _ none) (any, error) {
	return env.Call(ctx, "grains.items", modules.Args{})
}

const crossTestDoc = `Call a function from within another function, with positional arguments.

CLI Example:

    salt '*' test.cross_test file.gid_to_group 0`

type crossTestArgs struct {
	Func string `arg:"func"`
	Args []any  `arg:"args" def:"None"`
}

func crossTest(ctx context.Context, env *modules.Env, in crossTestArgs) (any, error) {
	return env.Call(ctx, in.Func, modules.Args{Pos: in.Args})
}

const tryDoc = `Call a function and answer None when it fails; with return_try_exception the text of the failure instead. Templates use it
for calls that may fail.

CLI Example:

    salt '*' test.try module=disk.percent args=/var`

type tryArgs struct {
	Module string         `arg:"module"`
	Return bool           `arg:"return_try_exception" def:"False"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func try(ctx context.Context, env *modules.Env, in tryArgs) (any, error) {
	v, err := env.Call(ctx, in.Module, modules.Args{Kw: in.Kwargs})
	switch {
	case err == nil:
		return v, nil
	case in.Return:
		return err.Error(), nil
	}
	return nil, nil
}

const confTestDoc = `Tell the value of test.foo in the minion's configuration.

CLI Example:

    salt '*' test.conf_test`

func confTest(ctx context.Context, env *modules.Env, _ none) (any, error) {
	return env.Call(ctx, "config.option", modules.Pos("test.foo"))
}

const getOptsDoc = `Tell the minion's configuration.

CLI Example:

    salt '*' test.get_opts`

func getOpts(_ context.Context, env *modules.Env, _ none) (any, error) {
	return ordered.Copy(env.Opts), nil
}

const optsPkgDoc = `Tell the minion's configuration with its grains in it.

CLI Example:

    salt '*' test.opts_pkg`

func optsPkg(ctx context.Context, env *modules.Env, _ none) (any, error) {
	out, _ := ordered.Copy(env.Opts).(*ordered.Map)
	if out == nil {
		out = ordered.New(1)
	}
	out.Set("grains", ordered.Copy(env.Grains.Items(ctx)))
	return out, nil
}
