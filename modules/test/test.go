// Package test holds the test.* functions: they prove that a minion answers, and show what arguments became.
package test

import (
	"context"

	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "test", Doc: "Functions for testing the connection and the arguments.", Funcs: []modules.Func{
		modules.PureFn("echo", echoDoc, echo),
		modules.PureFn("ping", pingDoc, ping),
	}}
}

const pingDoc = `Answer True: the minion is up and runs jobs. No ICMP is involved.

CLI Example:

    salt '*' test.ping`

func ping(context.Context, *modules.Env, struct{}) (any, error) { return true, nil }

const echoDoc = `Give back the text.

CLI Example:

    salt '*' test.echo 'foo bar baz quo qux'`

type echoArgs struct {
	Text any `arg:"text"`
}

func echo(_ context.Context, _ *modules.Env, in echoArgs) (any, error) { return in.Text, nil }
