// Package ssh_known_hosts holds the ssh_known_hosts.* states: hosts whose keys are known. Comments and changes are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/all/salt.states.ssh_known_hosts.html.
package ssh_known_hosts //nolint:revive // the name is Salt's

import (
	"context"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "ssh_known_hosts", Doc: "States for hosts whose keys are known.", Funcs: []states.Func{
		states.Fn("present", "See that a user, or the machine, knows a host.", lookPresent, present),
		states.Fn("absent", "See that a user, or the machine, does not know a host.", lookAbsent, absent),
	}}
}

type presentArgs struct {
	Name        string `arg:"name"`
	User        any    `arg:"user" def:"None"`
	Fingerprint any    `arg:"fingerprint" def:"None"`
	Key         any    `arg:"key" def:"None"`
	Port        any    `arg:"port" def:"None"`
	Enc         any    `arg:"enc" def:"None"`
	Config      any    `arg:"config" def:"None"`
	HashNames   bool   `arg:"hash_known_hosts" def:"True"`
	Timeout     any    `arg:"timeout" def:"5"`
	Hash        any    `arg:"fingerprint_hash_type" def:"None"`
}

// place is the file of known hosts; r says that it cannot be told.
func place(user, config any) (path string, r *states.Result) {
	path = ".ssh/known_hosts"
	if !pyfmt.Truth(user) {
		path = "/etc/ssh/ssh_known_hosts"
	}
	if pyfmt.Truth(config) {
		path = pyfmt.Str(config)
	}
	if !pyfmt.Truth(user) && !pypath.IsAbs(path) {
		return "", states.Failed(`If not specifying a "user", specify an absolute "config".`)
	}
	return path, nil
}

func lookPresent(ctx context.Context, env *states.Env, in presentArgs) (states.Check[string], error) {
	path, r := place(in.User, in.Config)
	if r != nil {
		return states.Done[string](r), nil
	}
	switch key, print := pyfmt.Truth(in.Key), pyfmt.Truth(in.Fingerprint); {
	case key && print:
		return states.Done[string](states.Failed(`Specify either "key" or "fingerprint", not both.`)), nil
	case key && !pyfmt.Truth(in.Enc):
		return states.Done[string](states.Failed(`Required argument "enc" if using "key" argument.`)), nil
	}
	if !env.Test {
		return states.Check[string]{Plan: path}, nil
	}
	v, err := env.Call(ctx, "ssh.check_known_host", modules.Pos(in.User, in.Name).With("key", in.Key).With("fingerprint", in.Fingerprint).With("config", path).
		With("port", in.Port).With("fingerprint_hash_type", in.Hash))
	if err != nil {
		return states.Check[string]{}, err
	}
	switch v {
	case "exists":
		return states.Done[string](states.Fine("Host " + in.Name + " is already in " + path)), nil
	case "add":
		return states.Change(path, "Key for "+in.Name+" is set to be added to "+path, nil), nil
	}
	return states.Change(path, "Key for "+in.Name+" is set to be updated in "+path, nil), nil
}

func present(ctx context.Context, env *states.Env, in presentArgs, path string) (*states.Result, error) {
	res, err := states.Dict(env.Call(ctx, "ssh.set_known_host", modules.Args{Kw: ordered.Pairs("user", in.User, "hostname", in.Name, "fingerprint", in.Fingerprint, "key", in.Key,
		"port", in.Port, "enc", in.Enc, "config", path, "hash_known_hosts", in.HashNames, "timeout", in.Timeout, "fingerprint_hash_type", in.Hash)}))
	if err != nil {
		return nil, err
	}
	switch res.String("status") {
	case "exists":
		return states.Fine(in.Name + " already exists in " + path), nil
	case "error":
		return states.Failed("%s", res.String("error")), nil
	}
	found := res.List("new")
	what, field := "fingerprint", "fingerprint"
	if pyfmt.Truth(in.Key) {
		what, field = "key", "key"
	}
	comment := in.Name + "'s key saved to " + path
	if len(found) > 0 {
		first, _ := found[0].(*ordered.Map)
		value := first.Value(field)
		if what == "fingerprint" && in.Fingerprint != nil {
			value = in.Fingerprint
		}
		comment += " (" + what + ": " + pyfmt.Str(value) + ")"
	}
	return &states.Result{OK: states.True(), Comment: comment, Changes: ordered.Pairs("old", res.Value("old"), "new", res.Value("new"))}, nil
}

type absentArgs struct {
	Name   string `arg:"name"`
	User   any    `arg:"user" def:"None"`
	Config any    `arg:"config" def:"None"`
}

// known is a host that is to be forgotten: where it stands, and its keys.
type known struct {
	path string
	keys any
}

func lookAbsent(ctx context.Context, env *states.Env, in absentArgs) (states.Check[known], error) {
	path, r := place(in.User, in.Config)
	if r != nil {
		return states.Done[known](r), nil
	}
	keys, err := env.Call(ctx, "ssh.get_known_host_entries", modules.Pos(in.User, in.Name).With("config", path))
	if err != nil {
		return states.Check[known]{}, err
	}
	if !pyfmt.Truth(keys) {
		return states.Done[known](states.Fine("Host is already absent")), nil
	}
	return states.Change(known{path, keys}, "Key for "+in.Name+" is set to be removed from "+path, nil), nil
}

func absent(ctx context.Context, env *states.Env, in absentArgs, k known) (*states.Result, error) {
	res, err := states.Dict(env.Call(ctx, "ssh.rm_known_host", modules.Args{Kw: ordered.Pairs("user", in.User, "hostname", in.Name, "config", k.path)}))
	if err != nil {
		return nil, err
	}
	if res.String("status") == "error" {
		return states.Failed("%s", res.String("error")), nil
	}
	return &states.Result{OK: states.True(), Comment: res.String("comment"), Changes: ordered.Pairs("old", k.keys, "new", nil)}, nil
}
