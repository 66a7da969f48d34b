// Package pillar holds the pillar.* functions: they read the data that the master keeps for this minion.
package pillar

import (
	"context"
	"fmt"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/traverse"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "pillar", Doc: "Functions for the data that the master keeps for this minion.", Funcs: []modules.Func{
		modules.PureFn("data", dataDoc, items),
		modules.PureFn("ext", extDoc, ext),
		modules.PureFn("fetch", fetchDoc, get),
		modules.PureFn("file_exists", fileExistsDoc, fileExists),
		modules.PureFn("filter_by", filterByDoc, filterBy),
		modules.PureFn("get", getDoc, get),
		modules.PureFn("item", itemDoc, item),
		modules.PureFn("items", itemsDoc, items),
		modules.PureFn("keys", keysDoc, keys),
		modules.PureFn("ls", lsDoc, ls),
		modules.PureFn("obfuscate", obfuscateDoc, obfuscate),
		modules.PureFn("raw", rawDoc, raw),
	}}
}

// unset is what Salt writes for a default that was not given.
const unset = "__unset__"

const getDoc = `Tell a value of the pillar, nested ones too. What is not there is answered with the default, an empty text.

merge
    put the value over the default, when both are maps or both lists
merge_nested_lists
    with merge, whether lists in the maps are joined; the option pillar_merge_lists says so when it is not given
delimiter
    what stands between the parts of the name instead of a colon
pillarenv
    compile a fresh pillar of that environment for this call

CLI Example:

    salt '*' pillar.get pkg:apache
    salt '*' pillar.get abc::def|ghi delimiter='|'`

const fetchDoc = `Another name of pillar.get.

CLI Example:

    salt '*' pillar.fetch pkg:apache`

type getArgs struct {
	Key         any    `arg:"key"`
	Default     any    `arg:"default" def:"'__unset__'"`
	Merge       bool   `arg:"merge" def:"False"`
	NestedLists any    `arg:"merge_nested_lists" def:"None"`
	Delimiter   string `arg:"delimiter" def:"':'"`
	Pillarenv   any    `arg:"pillarenv" def:"None"`
	Saltenv     any    `arg:"saltenv" def:"None"`
}

func get(ctx context.Context, env *modules.Env, in getArgs) (any, error) {
	given := in.Default != unset
	if !given {
		in.Default = ""
	}
	data, err := source(ctx, env, in.Pillarenv, in.Saltenv)
	if err != nil {
		return nil, err
	}
	v, ok := traverse.Get(data, in.Key, in.Delimiter)
	if in.Merge {
		if merged, done := mergeDefault(env, in, v, ok); done {
			return merged, nil
		}
	}
	switch {
	case ok:
		return v, nil
	case !given && pyfmt.Truth(env.Opt("pillar_raise_on_missing")):
		return nil, fmt.Errorf("'Pillar key not found: %s'", pyfmt.Str(in.Key))
	}
	return in.Default, nil
}

// mergeDefault puts what the pillar has over the default; done is false where the two do not fit together.
func mergeDefault(env *modules.Env, in getArgs, v any, there bool) (merged any, done bool) {
	lists := in.NestedLists
	if lists == nil {
		lists = env.Opt("pillar_merge_lists")
	}
	switch def := ordered.Copy(in.Default).(type) {
	case *ordered.Map:
		if !there {
			return def, true
		}
		if m, ok := v.(*ordered.Map); ok {
			return dictupdate.Update(def, m, pyfmt.Truth(lists)), true
		}
	case []any:
		if !there {
			return def, true
		}
		if l, ok := v.([]any); ok {
			for _, e := range l {
				if !dictupdate.Contains(def, e) {
					def = append(def, e)
				}
			}
			return def, true
		}
	}
	env.Log.Error("pillar.get: the default and the value cannot be merged, the value is taken as it is")
	return nil, false
}

// source is the pillar in memory, or a fresh one when an environment is named.
func source(ctx context.Context, env *modules.Env, pillarenv, saltenv any) (*ordered.Map, error) {
	if pillarenv == nil && saltenv == nil {
		return env.Pillar.Items(ctx)
	}
	return compile(ctx, env, pillarenv, saltenv, nil)
}

func compile(ctx context.Context, env *modules.Env, pillarenv, saltenv any, override *ordered.Map) (*ordered.Map, error) {
	if pillarenv == nil {
		pillarenv = env.Opt("pillarenv")
		if pyfmt.Truth(env.Opt("pillarenv_from_saltenv")) {
			if pillarenv = saltenv; !pyfmt.Truth(saltenv) {
				pillarenv = env.Opt("saltenv")
			}
		}
	}
	name := ""
	if pyfmt.Truth(pillarenv) {
		name = pyfmt.Str(pillarenv)
	}
	return env.Pillar.Compile(ctx, name, override)
}

const itemsDoc = `Compile the pillar anew and tell all of it; with names, only those.

pillar
    values that go over it
pillarenv
    the environment to compile

CLI Example:

    salt '*' pillar.items`

const dataDoc = `Another name of pillar.items.

CLI Example:

    salt '*' pillar.data`

type itemsArgs struct {
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func items(ctx context.Context, env *modules.Env, in itemsArgs) (any, error) {
	if len(in.Args) > 0 {
		return item(ctx, env, in)
	}
	return fresh(ctx, env, in)
}

func fresh(ctx context.Context, env *modules.Env, in itemsArgs) (*ordered.Map, error) {
	override, _ := in.Kwargs.Value("pillar").(*ordered.Map)
	if override.Len() > 0 && pyfmt.Truth(in.Kwargs.Value("pillar_enc")) {
		return nil, modules.Errorf("Failed to decrypt pillar override: no renderer for %s", pyfmt.Str(in.Kwargs.Value("pillar_enc")))
	}
	return compile(ctx, env, in.Kwargs.Value("pillarenv"), in.Kwargs.Value("saltenv"), override)
}

const itemDoc = `Tell several values of the pillar in memory.

CLI Example:

    salt '*' pillar.item foo
    salt '*' pillar.item foo:bar baz`

func item(ctx context.Context, env *modules.Env, in itemsArgs) (any, error) {
	data, err := source(ctx, env, in.Kwargs.Value("pillarenv"), in.Kwargs.Value("saltenv"))
	if err != nil {
		return nil, err
	}
	var def any = ""
	if v, ok := in.Kwargs.Get("default"); ok {
		def = v
	}
	delim := ":"
	if v, ok := in.Kwargs.Get("delimiter"); ok {
		delim = pyfmt.Str(v)
	}
	out := ordered.New(len(in.Args))
	for _, a := range in.Args {
		out.Set(a, traverse.Default(data, a, def, delim))
	}
	return out, nil
}

const lsDoc = `Compile the pillar anew and list the names at its top.

CLI Example:

    salt '*' pillar.ls`

func ls(ctx context.Context, env *modules.Env, in itemsArgs) (any, error) {
	v, err := items(ctx, env, in)
	m, ok := v.(*ordered.Map)
	if err != nil || !ok {
		return nil, err
	}
	return append([]any{}, m.Keys()...), nil
}

const obfuscateDoc = `Compile the pillar anew and tell it with the kinds of the values in their place: <str>, <int> and so on.

CLI Example:

    salt '*' pillar.obfuscate`

func obfuscate(ctx context.Context, env *modules.Env, in itemsArgs) (any, error) {
	v, err := items(ctx, env, in)
	if err != nil {
		return nil, err
	}
	return hide(v), nil
}

func hide(v any) any {
	switch t := v.(type) {
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, e := range t.All() {
			out.Set(k, hide(e))
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = hide(e)
		}
		return out
	}
	return "<" + pyfmt.Type(v) + ">"
}

const rawDoc = `Tell the pillar in memory as it is, or one value at its top.

CLI Example:

    salt '*' pillar.raw
    salt '*' pillar.raw key='roles'`

type rawArgs struct {
	Key any `arg:"key" def:"None"`
}

func raw(ctx context.Context, env *modules.Env, in rawArgs) (any, error) {
	data, err := env.Pillar.Items(ctx)
	if err != nil {
		return nil, err
	}
	if !pyfmt.Truth(in.Key) {
		return data, nil
	}
	if v, ok := data.Get(in.Key); ok {
		return v, nil
	}
	return ordered.New(0), nil
}

const extDoc = `Compile the pillar with a further external pillar. The master alone has those, so the call is refused.

CLI Example:

    salt '*' pillar.ext '{libvirt: _}'`

type extArgs struct {
	External any `arg:"external"`
	Pillar   any `arg:"pillar" def:"None"`
}

func ext(context.Context, *modules.Env, extArgs) (any, error) {
	return nil, modules.Errorf("External pillars are compiled by the master and cannot be asked for by a minion")
}

const keysDoc = `List the names in a map of the pillar in memory.

CLI Example:

    salt '*' pillar.keys web:sites`

type keysArgs struct {
	Key       any    `arg:"key"`
	Delimiter string `arg:"delimiter" def:"':'"`
}

func keys(ctx context.Context, env *modules.Env, in keysArgs) (any, error) {
	data, err := env.Pillar.Items(ctx)
	if err != nil {
		return nil, err
	}
	v, ok := traverse.Get(data, in.Key, in.Delimiter)
	if !ok {
		return nil, fmt.Errorf("'Pillar key not found: %s'", pyfmt.Str(in.Key))
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		return nil, fmt.Errorf("Pillar value in key %s is not a dict", pyfmt.Str(in.Key))
	}
	return append([]any{}, m.Keys()...), nil
}

const fileExistsDoc = `Tell whether there is a file below the pillar_roots of this machine.

CLI Example:

    salt '*' pillar.file_exists foo/bar.sls`

type fileExistsArgs struct {
	Path    string `arg:"path"`
	Saltenv any    `arg:"saltenv" def:"None"`
}

func fileExists(_ context.Context, env *modules.Env, in fileExistsArgs) (any, error) {
	roots := env.Opts.Map("pillar_roots")
	if roots.Len() == 0 {
		return nil, modules.Errorf("No pillar_roots found. Are you running this on the master?")
	}
	for name, dirs := range roots.All() {
		list, _ := dirs.([]any)
		for _, d := range list {
			if (!pyfmt.Truth(in.Saltenv) || name == in.Saltenv) && pypath.IsFile(pypath.Join(pyfmt.Str(d), in.Path)) {
				return true, nil
			}
		}
	}
	return false, nil
}

const filterByDoc = `Choose from a table by a value of the pillar: the entry whose key, as a glob, matches. See grains.filter_by.

CLI Example:

    salt '*' pillar.filter_by '{web: Serve it up, db: I query, default: x_x}' role`

type filterByArgs struct {
	Lookup  *ordered.Map `arg:"lookup_dict"`
	Pillar  any          `arg:"pillar"`
	Merge   any          `arg:"merge" def:"None"`
	Default any          `arg:"default" def:"'default'"`
	Base    any          `arg:"base" def:"None"`
}

func filterBy(ctx context.Context, env *modules.Env, in filterByArgs) (any, error) {
	data, err := env.Pillar.Items(ctx)
	if err != nil {
		return nil, err
	}
	return traverse.FilterBy(traverse.Choice{Table: in.Lookup, Key: in.Pillar, Data: data, Merge: in.Merge, Default: in.Default, Base: in.Base})
}
