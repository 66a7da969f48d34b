// Package ssh_auth holds the ssh_auth.* states: keys that may log in. Comments and changes are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/all/salt.states.ssh_auth.html.
package ssh_auth //nolint:revive // the name is Salt's

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/sshkeys"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "ssh_auth", Doc: "States for keys that may log in.", Funcs: []states.Func{
		states.Fn("present", "See that a key, or the keys of a file, may log in as a user.", lookPresent, present),
		states.Fn("absent", "See that a key, or the keys of a file, may not log in as a user.", lookAbsent, absent),
		states.Fn("manage", "See that these keys may log in as a user and no others.", lookManage, manage),
	}}
}

type none struct{}

type check = states.Check[none]

type keyArgs struct {
	Name    string         `arg:"name"`
	User    string         `arg:"user"`
	Enc     string         `arg:"enc" def:"'ssh-rsa'"`
	Comment string         `arg:"comment" def:"''"`
	Source  string         `arg:"source" def:"''"`
	Options []any          `arg:"options" def:"None"`
	Config  string         `arg:"config" def:"'.ssh/authorized_keys'"`
	Hash    any            `arg:"fingerprint_hash_type" def:"None"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

// read takes the name apart, which may be a whole line of an authorized_keys file.
func (in keyArgs) read() keyArgs {
	if in.Source != "" {
		return in
	}
	k, ok := sshkeys.ParseLine(in.Name)
	if !ok {
		if f := strings.Fields(in.Name); len(f) > 0 {
			in.Name = f[0]
			if len(f) > 1 {
				in.Comment = strings.Join(f[1:], " ")
			}
		}
		return in
	}
	in.Enc, in.Name = k.Enc, k.Key
	if k.Comment != "" {
		in.Comment = k.Comment
	}
	if len(k.Options) > 0 {
		in.Options = nil
		for _, o := range k.Options {
			in.Options = append(in.Options, o)
		}
	}
	return in
}

func (in keyArgs) options() []any {
	if in.Options == nil {
		return []any{}
	}
	return in.Options
}

// status is what is to be done for the key: add, update or exists.
func (in keyArgs) status(ctx context.Context, env *states.Env) (string, error) {
	v, err := env.Call(ctx, "ssh.check_key", modules.Pos(in.User, in.Name, in.Enc, in.Comment, in.options()).With("config", in.Config).With("fingerprint_hash_type", in.Hash))
	return pyfmt.Str(v), err
}

// sourceStatus is the same for the keys of the source.
func (in keyArgs) sourceStatus(ctx context.Context, env *states.Env) (*ordered.Map, error) {
	return states.Dict(env.Call(ctx, "ssh.check_key_file", modules.Pos(in.User, in.Source, in.Config).With("saltenv", env.Saltenv).With("fingerprint_hash_type", in.Hash)))
}

func lookPresent(ctx context.Context, env *states.Env, in keyArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	in = in.read()
	if in.Source != "" {
		keys, err := in.sourceStatus(ctx, env)
		if err != nil {
			return check{}, err
		}
		comment := ""
		for k, s := range keys.All() {
			if s != "exists" {
				comment += "Set to " + pyfmt.Str(s) + ": " + pyfmt.Str(k) + "\n"
			}
		}
		if comment == "" {
			return states.Done[none](states.Fine("All host keys in file " + in.Source + " are already present")), nil
		}
		return states.Change(none{}, comment, nil), nil
	}
	status, err := in.status(ctx, env)
	if err != nil {
		return check{}, err
	}
	switch status {
	case "update":
		return states.Change(none{}, "Key "+in.Name+" for user "+in.User+" is set to be updated", nil), nil
	case "add":
		return states.Change(none{}, "Key "+in.Name+" for user "+in.User+" is set to be added", nil), nil
	}
	return states.Done[none](states.Fine("The authorized host key " + in.Name + " is already present for user " + in.User)), nil
}

func present(ctx context.Context, env *states.Env, in keyArgs, _ none) (*states.Result, error) {
	shown := in.Name
	in = in.read()
	var got any
	var err error
	if in.Source == "" {
		got, err = env.Call(ctx, "ssh.set_auth_key", modules.Pos(in.User, in.Name).With("enc", in.Enc).With("comment", in.Comment).With("options", in.options()).
			With("config", in.Config).With("fingerprint_hash_type", in.Hash))
	} else {
		got, err = in.setSource(ctx, env)
	}
	if err != nil {
		return nil, err
	}
	r := &states.Result{Name: shown, OK: states.True(), Changes: ordered.New(1)}
	key := "The authorized host key " + in.Name
	switch got {
	case "replace":
		r.Changes.Set(in.Name, "Updated")
		r.Comment = key + " for user " + in.User + " was updated"
	case "no change":
		r.Comment = key + " is already present for user " + in.User
	case "new":
		r.Changes.Set(in.Name, "New")
		r.Comment = key + " for user " + in.User + " was added"
	case "no key":
		return states.Failed("Failed to add the ssh key. Source file %s is missing", in.Source), nil
	case "fail":
		return states.Failed("Failed to add the ssh key. Is the home directory available, and/or does the key file exist?"), nil
	default:
		return states.Failed("Invalid public ssh key, most likely has spaces or invalid syntax"), nil
	}
	return r, nil
}

// setSource lets the keys of the source in.
func (in keyArgs) setSource(ctx context.Context, env *states.Env) (any, error) {
	v, err := env.Call(ctx, "cp.get_file_str", modules.Pos(in.Source).With("saltenv", env.Saltenv))
	text, ok := v.(string)
	if err != nil || !ok || text == "" {
		return "no key", err
	}
	return env.Call(ctx, "ssh.set_auth_key_from_file", modules.Pos(in.User, in.Source).With("config", in.Config).With("saltenv", env.Saltenv).With("fingerprint_hash_type", in.Hash))
}

func lookAbsent(ctx context.Context, env *states.Env, in keyArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	in = in.read()
	if in.Source != "" {
		keys, err := in.sourceStatus(ctx, env)
		if err != nil {
			return check{}, err
		}
		comment := ""
		for k, s := range keys.All() {
			if s != "add" {
				comment += "Set to remove: " + pyfmt.Str(k) + "\n"
			}
		}
		if comment == "" {
			return states.Done[none](states.Fine("All host keys in file " + in.Source + " are already absent")), nil
		}
		return states.Change(none{}, comment, nil), nil
	}
	status, err := in.status(ctx, env)
	if err != nil {
		return check{}, err
	}
	if status == "add" {
		return states.Done[none](states.Fine("Key is already absent")), nil
	}
	return states.Change(none{}, "Key "+in.Name+" for user "+in.User+" is set for removal", nil), nil
}

func absent(ctx context.Context, env *states.Env, in keyArgs, _ none) (*states.Result, error) {
	shown := in.Name
	in = in.read()
	var got any
	var err error
	if in.Source != "" {
		got, err = env.Call(ctx, "ssh.rm_auth_key_from_file", modules.Pos(in.User, in.Source, in.Config).With("saltenv", env.Saltenv).With("fingerprint_hash_type", in.Hash))
	} else {
		got, err = env.Call(ctx, "ssh.rm_auth_key", modules.Pos(in.User, in.Name).With("config", in.Config).With("fingerprint_hash_type", in.Hash))
	}
	if err != nil {
		return nil, err
	}
	r := &states.Result{Name: shown, OK: states.True(), Comment: got, Changes: ordered.New(1)}
	switch got {
	case "User authorized keys file not present":
		r.OK = states.False()
	case "Key removed":
		r.Changes.Set(in.Name, "Removed")
	}
	return r, nil
}

type manageArgs struct {
	Name    string         `arg:"name"`
	Keys    []any          `arg:"ssh_keys"`
	User    string         `arg:"user"`
	Enc     string         `arg:"enc" def:"'ssh-rsa'"`
	Comment string         `arg:"comment" def:"''"`
	Source  string         `arg:"source" def:"''"`
	Options []any          `arg:"options" def:"None"`
	Config  string         `arg:"config" def:"'.ssh/authorized_keys'"`
	Hash    any            `arg:"fingerprint_hash_type" def:"None"`
	Kwargs  modules.Kwargs `arg:"**kwargs"`
}

func (in manageArgs) one(key string) keyArgs {
	return keyArgs{Name: key, User: in.User, Enc: in.Enc, Comment: in.Comment, Options: in.Options, Config: in.Config, Hash: in.Hash}
}

// strangers are the keys of the user that are not wished.
func (in manageArgs) strangers(ctx context.Context, env *states.Env) ([]string, error) {
	wished := map[string]bool{}
	for _, k := range in.Keys {
		wished[in.one(pyfmt.Str(k)).read().Name] = true
	}
	have, err := states.Dict(env.Call(ctx, "ssh.auth_keys", modules.Pos(in.User, in.Config)))
	var out []string
	for k := range have.All() {
		if s := pyfmt.Str(k); !wished[s] {
			out = append(out, s)
		}
	}
	return out, err
}

func lookManage(ctx context.Context, env *states.Env, in manageArgs) (check, error) {
	if !env.Test {
		return check{}, nil
	}
	gone, err := in.strangers(ctx, env)
	if err != nil {
		return check{}, err
	}
	if len(gone) > 0 {
		return check{Would: &states.Result{Changes: ordered.New(0), Comment: strings.Join(gone, "\n") + " would be removed"}}, nil
	}
	r := &states.Result{OK: states.True(), Changes: ordered.New(0)}
	for _, k := range in.Keys {
		one := in.one(pyfmt.Str(k))
		c, err := lookPresent(ctx, env, one)
		if err != nil {
			return check{}, err
		}
		if c.Would != nil {
			r.OK, r.Comment = nil, c.Would.Comment
		} else if r.OK != nil {
			r.Comment = c.Final.Comment
		}
	}
	return check{Would: r}, nil
}

func manage(ctx context.Context, env *states.Env, in manageArgs, _ none) (*states.Result, error) {
	gone, err := in.strangers(ctx, env)
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: states.True(), Comment: "", Changes: ordered.New(len(gone))}
	for _, k := range gone {
		got, err := absent(ctx, env, in.one(k), none{})
		if err != nil {
			return nil, err
		}
		r.Changes.Set(k, got.Comment)
	}
	for _, k := range in.Keys {
		got, err := present(ctx, env, in.one(pyfmt.Str(k)), none{})
		if err != nil {
			return nil, err
		}
		r.Changes.Update(got.Changes)
		r.Comment = got.Comment
		if got.OK != nil && !*got.OK {
			r.OK = states.False()
			break
		}
	}
	return r, nil
}
