package grains

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"strings"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
)

const setvalsDoc = `Set several grains in the grains file and give them back.

destructive
    remove grains whose value is None from the file
refresh_pillar
    compile the pillar anew after

CLI Example:

    salt '*' grains.setvals "{'key1': 'val1', 'key2': 'val2'}"`

type setvalsArgs struct {
	Grains        any  `arg:"grains"`
	Destructive   bool `arg:"destructive" def:"False"`
	RefreshPillar bool `arg:"refresh_pillar" def:"True"`
}

func setvals(ctx context.Context, env *modules.Env, in setvalsArgs) (any, error) {
	m, ok := in.Grains.(*ordered.Map)
	if !ok {
		return nil, errors.New("setvals grains must be a dictionary.")
	}
	return store(ctx, env, m, in.Destructive, in.RefreshPillar)
}

// store writes grains to the file; the answer is them, or the text of what is wrong with the file.
func store(ctx context.Context, env *modules.Env, set *ordered.Map, destructive, refreshPillar bool) (any, error) {
	file, err := env.Grains.File(ctx)
	if err != nil {
		return "Unable to read existing grains file: " + err.Error(), nil
	}
	for k, v := range set.All() {
		if v == nil && destructive {
			file.Delete(k)
			continue
		}
		file.Set(k, ordered.Copy(v))
	}
	if err := env.Grains.Store(ctx, file); err != nil {
		return nil, err
	}
	if refreshPillar && !pyfmt.Truth(env.Opt("local")) && env.Pillar != nil {
		if err := env.Pillar.Refresh(ctx); err != nil {
			env.Log.Warn("the pillar could not be compiled after a change of grains")
		}
	}
	return set, nil
}

const setvalDoc = `Set one grain in the grains file and give it back.

CLI Example:

    salt '*' grains.setval key val
    salt '*' grains.setval key "{'sub-key': 'val', 'sub-key2': 'val2'}"`

type setvalArgs struct {
	Key           any  `arg:"key"`
	Val           any  `arg:"val"`
	Destructive   bool `arg:"destructive" def:"False"`
	RefreshPillar bool `arg:"refresh_pillar" def:"True"`
}

func setval(ctx context.Context, env *modules.Env, in setvalArgs) (any, error) {
	return store(ctx, env, ordered.Pairs(in.Key, in.Val), in.Destructive, in.RefreshPillar)
}

const appendDoc = `Add a value to a grain that is a list; a list that is not there is made. The answer is the grain, or a text that says why not.

convert
    make a list of a grain that is none
delimiter
    what stands between the parts of the name of a nested grain

CLI Example:

    salt '*' grains.append key val`

type appendArgs struct {
	Key       string `arg:"key"`
	Val       any    `arg:"val"`
	Convert   bool   `arg:"convert" def:"False"`
	Delimiter string `arg:"delimiter" def:"':'"`
}

// current is a copy of a grain, def when it is not there.
func current(ctx context.Context, env *modules.Env, key string, def any, delim string) any {
	return ordered.Copy(traverse.Default(env.Grains.Items(ctx), key, def, delim))
}

func appendTo(ctx context.Context, env *modules.Env, in appendArgs) (any, error) {
	now := current(ctx, env, in.Key, []any{}, in.Delimiter)
	list, ok := now.([]any)
	if !ok && in.Convert {
		list, ok = []any{}, true
		if now != nil {
			list = []any{now}
		}
	}
	if !ok {
		return "The key " + in.Key + " is not a valid list", nil
	}
	if dictupdate.Contains(list, in.Val) {
		return "The val " + pyfmt.Str(in.Val) + " was already in the list " + in.Key, nil
	}
	if more, isList := in.Val.([]any); isList {
		list = append(list, more...)
	} else {
		list = append(list, in.Val)
	}
	key, val := nest(ctx, env, in.Key, list, in.Delimiter, ordered.New(0))
	return store(ctx, env, ordered.Pairs(key, val), false, true)
}

// nest puts a value into the maps above it and returns the outermost grain; none stands for a map that is not there.
func nest(ctx context.Context, env *modules.Env, key string, val any, delim string, none any) (string, any) {
	for delim != "" && strings.Contains(key, delim) {
		i := strings.LastIndex(key, delim)
		rest := key[i+len(delim):]
		key = key[:i]
		above := current(ctx, env, key, none, delim)
		if m, ok := above.(*ordered.Map); ok {
			m.Set(rest, val)
		}
		val = above
	}
	return key, val
}

const removeDoc = `Take a value out of a grain that is a list. The answer is the grain, or a text that says why not.

CLI Example:

    salt '*' grains.remove key val`

type removeArgs struct {
	Key       string `arg:"key"`
	Val       any    `arg:"val"`
	Delimiter string `arg:"delimiter" def:"':'"`
}

func remove(ctx context.Context, env *modules.Env, in removeArgs) (any, error) {
	list, ok := current(ctx, env, in.Key, []any{}, in.Delimiter).([]any)
	if !ok {
		return "The key " + in.Key + " is not a valid list", nil
	}
	at := -1
	for i, v := range list {
		if at < 0 && ordered.Equal(v, in.Val) {
			at = i
		}
	}
	if at < 0 {
		return "The val " + pyfmt.Str(in.Val) + " was not in the list " + in.Key, nil
	}
	list = append(list[:at], list[at+1:]...)
	key, val := nest(ctx, env, in.Key, list, in.Delimiter, nil)
	return store(ctx, env, ordered.Pairs(key, val), false, true)
}

const delkeyDoc = `Remove a grain from the grains file. With force=True also one that is a map or list.

CLI Example:

    salt '*' grains.delkey key`

type delkeyArgs struct {
	Key   string `arg:"key"`
	Force bool   `arg:"force" def:"False"`
}

func delkey(ctx context.Context, env *modules.Env, in delkeyArgs) (any, error) {
	return set(ctx, env, setArgs{Key: in.Key, Force: in.Force, Destructive: true, Delimiter: ":"})
}

const delvalDoc = `Set a grain to None; with destructive=True remove it.

CLI Example:

    salt '*' grains.delval key`

type delvalArgs struct {
	Key         string `arg:"key"`
	Destructive bool   `arg:"destructive" def:"False"`
	Force       bool   `arg:"force" def:"False"`
}

func delval(ctx context.Context, env *modules.Env, in delvalArgs) (any, error) {
	return set(ctx, env, setArgs{Key: in.Key, Force: in.Force, Destructive: in.Destructive, Delimiter: ":"})
}

const setDoc = `Set a grain, or a value in one, in the grains file. Maps and lists are not overwritten, and do not overwrite, unless force=True.

CLI Example:

    salt '*' grains.set 'apps:myApp:port' 2209
    salt '*' grains.set 'apps:myApp' '{port: 2209}'`

type setArgs struct {
	Key         string `arg:"key"`
	Val         any    `arg:"val" def:"''"`
	Force       bool   `arg:"force" def:"False"`
	Destructive bool   `arg:"destructive" def:"False"`
	Delimiter   string `arg:"delimiter" def:"':'"`
}

func refusal(comment string) *ordered.Map {
	return ordered.Pairs("comment", comment, "changes", ordered.New(0), "result", false)
}

func complexValue(v any) bool {
	switch v.(type) {
	case *ordered.Map, []any:
		return true
	}
	return false
}

func set(ctx context.Context, env *modules.Env, in setArgs) (any, error) {
	have, there := traverse.Get(env.Grains.Items(ctx), in.Key, in.Delimiter)
	if there && ordered.Equal(have, in.Val) && (in.Val != nil || !in.Destructive) {
		ret := refusal("Grain is already set")
		ret.Set("result", true)
		return ret, nil
	}
	if there && have != nil && !in.Force {
		switch {
		case complexValue(have):
			return refusal("The key '" + in.Key + "' exists but is a dict or a list. Use 'force=True' to overwrite."), nil
		case complexValue(in.Val):
			return refusal("The key '" + in.Key + "' exists and the given value is a dict or a list. Use 'force=True' to overwrite."), nil
		}
	}
	key, val, refused := setNested(ctx, env, in)
	if refused != "" {
		return refusal(refused), nil
	}
	done, err := store(ctx, env, ordered.Pairs(key, val), in.Destructive, true)
	if err != nil {
		return nil, err
	}
	if text, ok := done.(string); ok {
		return refusal(text), nil
	}
	return ordered.Pairs("comment", "", "changes", done, "result", true), nil
}

// setNested puts the value into what is above it, level by level, and returns the outermost grain.
func setNested(ctx context.Context, env *modules.Env, in setArgs) (key string, val any, refused string) {
	key, val = in.Key, in.Val
	for in.Delimiter != "" && strings.Contains(key, in.Delimiter) {
		i := strings.LastIndex(key, in.Delimiter)
		rest := key[i+len(in.Delimiter):]
		key = key[:i]
		above := current(ctx, env, key, ordered.New(0), in.Delimiter)
		switch t := above.(type) {
		case *ordered.Map:
			if val == nil && in.Destructive {
				t.Delete(rest)
			} else {
				t.Set(rest, val)
			}
		case []any:
			above = setInList(t, rest, val)
		default:
			if !in.Force && !ordered.Equal(above, rest) {
				return "", nil, "The key '" + key + "' value is '" + pyfmt.Str(above) + "', which is different from the provided key '" + rest +
					"'. Use 'force=True' to overwrite."
			}
			above = ordered.Pairs(rest, val)
		}
		val = above
	}
	return key, val, ""
}

func setInList(list []any, key string, val any) []any {
	done := false
	for i, e := range list {
		m, ok := e.(*ordered.Map)
		switch {
		case ordered.Equal(e, key):
			list[i], done = ordered.Pairs(key, val), true
		case ok && m.Has(key):
			m.Set(key, val)
			done = true
		}
	}
	if !done {
		list = append(list, ordered.Pairs(key, val))
	}
	return list
}

const getOrSetHashDoc = `Tell a grain; make it a random text first when it is not there. Grains are no place for secrets: use the pillar.

CLI Example:

    salt '*' grains.get_or_set_hash 'django:SECRET_KEY' 50`

type hashArgs struct {
	Name   string `arg:"name"`
	Length int    `arg:"length" def:"8"`
	Chars  string `arg:"chars" def:"'abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)'"`
}

func getOrSetHash(ctx context.Context, env *modules.Env, in hashArgs) (any, error) {
	if v := current(ctx, env, in.Name, nil, ":"); v != nil {
		return v, nil
	}
	if in.Chars == "" || in.Length < 0 || in.Length > 1<<16 {
		return nil, modules.Invalidf("length and chars do not make a text")
	}
	var b strings.Builder
	for range in.Length {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(in.Chars))))
		if err != nil {
			return nil, err
		}
		b.WriteByte(in.Chars[n.Int64()])
	}
	key, val := nest(ctx, env, in.Name, b.String(), ":", ordered.New(0))
	if _, err := store(ctx, env, ordered.Pairs(key, val), false, true); err != nil {
		return nil, err
	}
	return b.String(), nil
}
