package runners

import (
	"context"
	"slices"

	"brine/internal/ordered"
	"brine/master/store"
	"brine/modules"
	"brine/proto"
)

// directory is the name that Salt gives to the keys of a state.
func directory(s store.KeyState) string {
	switch s {
	case store.KeyAccepted:
		return "minions"
	case store.KeyPending:
		return "minions_pre"
	case store.KeyRejected:
		return "minions_rejected"
	}
	return "minions_denied"
}

func states() []store.KeyState {
	return []store.KeyState{store.KeyAccepted, store.KeyPending, store.KeyRejected, store.KeyDenied}
}

type matchArgs struct {
	Match string `arg:"match"`
}

type acceptArgs struct {
	Match    string `arg:"match"`
	Accepted bool   `arg:"include_accepted" def:"False"`
	Rejected bool   `arg:"include_rejected" def:"False"`
	Denied   bool   `arg:"include_denied" def:"False"`
}

type dictArgs struct {
	Match    *ordered.Map `arg:"match"`
	Accepted bool         `arg:"include_accepted" def:"False"`
	Rejected bool         `arg:"include_rejected" def:"False"`
	Denied   bool         `arg:"include_denied" def:"False"`
}

func keyWheel(d *Deps) modules.Module {
	k := keyFuncs{d}
	return modules.Module{Name: "key", Doc: "The minions' keys.", Funcs: []modules.Func{
		modules.PureFn("list_all", "List all keys by state.", k.listAll),
		modules.PureFn("list", "List the keys of one state: acc, pre, rej, den or all.", k.list),
		modules.PureFn("name_match", "List the keys whose id matches, by state.", k.nameMatch),
		modules.PureFn("finger", "Show the fingerprints of the keys whose id matches.", k.finger),
		modules.PureFn("print", "Show the keys whose id matches.", k.print),
		modules.Fn("accept", "Accept the pending keys whose id matches.", k.accept),
		modules.Fn("reject", "Reject the pending keys whose id matches.", k.reject),
		modules.Fn("delete", "Delete the keys whose id matches, in any state.", k.delete),
		modules.Fn("accept_dict", "Accept keys given as {state: [ids]}.", k.acceptDict),
		modules.Fn("reject_dict", "Reject keys given as {state: [ids]}.", k.rejectDict),
		modules.Fn("delete_dict", "Delete keys given as {state: [ids]}.", k.deleteDict),
		modules.Fn("gen", "Make a key pair and give it back.", k.gen),
	}}
}

type keyFuncs struct{ d *Deps }

func (k keyFuncs) listAll(context.Context, *modules.Env, none) (any, error) {
	out := ordered.New(5)
	for _, s := range states() {
		out.Set(directory(s), k.names(s, "*"))
	}
	out.Set("local", []any{"master.pem", "master.pub"})
	return out, nil
}

func (k keyFuncs) names(s store.KeyState, match string) []any {
	out := []any{}
	for _, key := range k.d.Keys.Match(match, s) {
		if !slices.Contains(out, any(key.ID)) {
			out = append(out, key.ID)
		}
	}
	return out
}

// Listed gives the states that a word of salt-key -l means.
func Listed(word string) ([]store.KeyState, error) {
	switch {
	case len(word) >= 3 && word[:3] == "acc":
		return []store.KeyState{store.KeyAccepted}, nil
	case len(word) >= 3 && (word[:3] == "pre" || word[:3] == "una"), word == "un":
		return []store.KeyState{store.KeyPending}, nil
	case len(word) >= 3 && word[:3] == "rej":
		return []store.KeyState{store.KeyRejected}, nil
	case len(word) >= 3 && word[:3] == "den":
		return []store.KeyState{store.KeyDenied}, nil
	case word == "all":
		return states(), nil
	}
	return nil, modules.Invalidf("%q is no state of keys: use acc, pre, rej, den or all", word)
}

func (k keyFuncs) list(_ context.Context, _ *modules.Env, in matchArgs) (any, error) {
	want, err := Listed(in.Match)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(want))
	for _, s := range want {
		out.Set(directory(s), k.names(s, "*"))
	}
	return out, nil
}

// byState maps the keys that match, by state and id.
func (k keyFuncs) byState(match string, value func(store.Key) any) *ordered.Map {
	out := ordered.New(0)
	for _, key := range k.d.Keys.Match(match, states()...) {
		m := out.Map(directory(key.State))
		if m == nil {
			m = ordered.New(0)
			out.Set(directory(key.State), m)
		}
		m.Set(key.ID, value(key))
	}
	return out
}

func (k keyFuncs) nameMatch(_ context.Context, _ *modules.Env, in matchArgs) (any, error) {
	out := ordered.New(0)
	for _, s := range states() {
		if list := k.names(s, in.Match); len(list) > 0 {
			out.Set(directory(s), list)
		}
	}
	return out, nil
}

func (k keyFuncs) finger(_ context.Context, _ *modules.Env, in struct {
	Match    string `arg:"match"`
	HashType any    `arg:"hash_type" def:"None"`
}) (any, error) {
	out := k.byState(in.Match, func(key store.Key) any { return proto.Finger(key.Public) })
	if in.Match == "*" {
		pub, err := proto.ParsePublic(k.d.MasterKey)
		if err != nil {
			return nil, err
		}
		out.Set("local", ordered.Pairs("master.pub", proto.Finger(pub)))
	}
	return out, nil
}

func (k keyFuncs) print(_ context.Context, _ *modules.Env, in matchArgs) (any, error) {
	return k.byState(in.Match, func(key store.Key) any { return proto.PublicPEM(key.Public) }), nil
}

func (a acceptArgs) states(first store.KeyState) []store.KeyState {
	out := []store.KeyState{first}
	if a.Accepted {
		out = append(out, store.KeyAccepted)
	}
	if a.Rejected {
		out = append(out, store.KeyRejected)
	}
	if a.Denied {
		out = append(out, store.KeyDenied)
	}
	return out
}

func (k keyFuncs) accept(ctx context.Context, _ *modules.Env, in acceptArgs) (any, error) {
	return k.acceptKeys(ctx, k.d.Keys.Match(in.Match, in.states(store.KeyPending)...))
}

func (k keyFuncs) acceptKeys(ctx context.Context, list []store.Key) (any, error) {
	if err := k.d.Keys.Accept(ctx, list); err != nil {
		return nil, modules.Errorf("%v", err)
	}
	for _, key := range list {
		k.d.Recheck(ctx, key.ID)
	}
	return changed("minions", list), nil
}

// changed names the keys that an action was about; nothing for none.
func changed(dir string, list []store.Key) *ordered.Map {
	if len(list) == 0 {
		return ordered.New(0)
	}
	ids := []any{}
	for _, key := range list {
		ids = append(ids, key.ID)
	}
	return ordered.Pairs(dir, ids)
}

func (k keyFuncs) reject(ctx context.Context, _ *modules.Env, in acceptArgs) (any, error) {
	return k.rejectKeys(ctx, k.d.Keys.Match(in.Match, in.states(store.KeyPending)...))
}

func (k keyFuncs) rejectKeys(ctx context.Context, list []store.Key) (any, error) {
	if err := k.d.Keys.Reject(ctx, list); err != nil {
		return nil, err
	}
	k.forget(ctx, list)
	return changed("minions_rejected", list), nil
}

func (k keyFuncs) delete(ctx context.Context, _ *modules.Env, in matchArgs) (any, error) {
	return k.deleteKeys(ctx, k.d.Keys.Match(in.Match, states()...))
}

func (k keyFuncs) deleteKeys(ctx context.Context, list []store.Key) (any, error) {
	if err := k.d.Keys.Delete(ctx, list); err != nil {
		return nil, err
	}
	k.forget(ctx, list)
	return ordered.New(0), nil
}

func (k keyFuncs) forget(ctx context.Context, list []store.Key) {
	for _, key := range list {
		if key.State == store.KeyAccepted {
			k.d.Forget(ctx, key.ID)
		}
	}
	if len(list) > 0 {
		k.d.Fire("key", ordered.Pairs("rotate_aes_key", true))
	}
}

// fromDict finds the keys that {state: [ids]} names.
func (k keyFuncs) fromDict(m *ordered.Map) []store.Key {
	var out []store.Key
	for _, s := range states() {
		for _, id := range m.List(directory(s)) {
			name, _ := id.(string)
			for _, key := range k.d.Keys.Match("*", s) {
				if key.ID == name {
					out = append(out, key)
				}
			}
		}
	}
	return out
}

func (k keyFuncs) acceptDict(ctx context.Context, _ *modules.Env, in dictArgs) (any, error) {
	return k.acceptKeys(ctx, k.fromDict(in.Match))
}

func (k keyFuncs) rejectDict(ctx context.Context, _ *modules.Env, in dictArgs) (any, error) {
	return k.rejectKeys(ctx, k.fromDict(in.Match))
}

func (k keyFuncs) deleteDict(ctx context.Context, _ *modules.Env, in struct {
	Match *ordered.Map `arg:"match"`
}) (any, error) {
	return k.deleteKeys(ctx, k.fromDict(in.Match))
}

func (k keyFuncs) gen(context.Context, *modules.Env, struct {
	ID      string `arg:"id_" def:"''"`
	KeySize any    `arg:"keysize" def:"2048"`
}) (any, error) {
	key, err := proto.NewIdentity()
	if err != nil {
		return nil, err
	}
	private, err := key.PrivatePEM()
	if err != nil {
		return nil, err
	}
	return ordered.Pairs("priv", string(private), "pub", proto.PublicPEM(key.Public())), nil
}
