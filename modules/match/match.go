// Package match holds the match.* functions: they tell whether targets mean this minion.
package match

import (
	"context"
	"errors"
	"strings"

	"go.uber.org/zap"

	"brine/internal/dictupdate"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/target"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "match", Doc: "Functions that tell whether targets mean this minion.", Funcs: []modules.Func{
		modules.PureFn("compound", compoundDoc, byID("compound")),
		modules.PureFn("data", dataDoc, data),
		modules.PureFn("filter_by", filterByDoc, filterBy),
		modules.PureFn("glob", globDoc, byID("glob")),
		modules.PureFn("grain", grainDoc, byPath("grain")),
		modules.PureFn("grain_pcre", grainPcreDoc, byPath("grain_pcre")),
		modules.PureFn("ipcidr", ipcidrDoc, ipcidr),
		modules.PureFn("list", listDoc, byID("list")),
		modules.PureFn("pcre", pcreDoc, byID("pcre")),
		modules.PureFn("pillar", pillarDoc, byPath("pillar")),
		modules.PureFn("pillar_pcre", pillarPcreDoc, byPath("pillar_pcre")),
		modules.PureFn("search_by", searchByDoc, searchBy),
	}}
}

// facts of this minion, or of one with another id that is like it otherwise.
func facts(ctx context.Context, env *modules.Env, id any) *target.Facts {
	name := env.ID
	if grain := env.Grains.Items(ctx).Value("id"); grain != nil {
		name = pyfmt.Str(grain)
	}
	if id != nil {
		name = pyfmt.Str(id)
	}
	return &target.Facts{ID: name,
		Grains: func() *ordered.Map { return env.Grains.Items(ctx) },
		Pillar: func() *ordered.Map {
			if env.Pillar == nil {
				return ordered.New(0)
			}
			m, err := env.Pillar.Items(ctx)
			if err != nil {
				env.Log.Error("the pillar is not there for a target", zap.Error(err))
			}
			return m
		},
	}
}

// matches tells whether a target means the minion; one that is wrong means nobody.
func matches(env *modules.Env, f *target.Facts, tgt any, kind, delimiter string) bool {
	if text, ok := tgt.(string); ok && text == "" {
		return false
	}
	m, err := target.Parse(tgt, kind, target.Options{Delimiter: delimiter, Nodegroups: env.Opts.Map("nodegroups")})
	if err != nil {
		env.Log.Error("the target is wrong", zap.String("kind", kind), zap.Error(err))
		return false
	}
	return m.Match(f)
}

type idArgs struct {
	Tgt any `arg:"tgt"`
	ID  any `arg:"minion_id" def:"None"`
}

func byID(kind string) func(context.Context, *modules.Env, idArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in idArgs) (any, error) {
		return matches(env, facts(ctx, env, in.ID), in.Tgt, kind, ""), nil
	}
}

type pathArgs struct {
	Tgt       any    `arg:"tgt"`
	Delimiter string `arg:"delimiter" def:"':'"`
}

func byPath(kind string) func(context.Context, *modules.Env, pathArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in pathArgs) (any, error) {
		return matches(env, facts(ctx, env, nil), in.Tgt, kind, in.Delimiter), nil
	}
}

const compoundDoc = `Tell whether a compound target means this minion, or one with the given id.

CLI Example:

    salt '*' match.compound 'L@cheese,foo and *'`

const globDoc = `Tell whether a glob means this minion, or one with the given id.

CLI Example:

    salt '*' match.glob '*'`

const pcreDoc = `Tell whether a regular expression means this minion, or one with the given id.

CLI Example:

    salt '*' match.pcre '.*'`

const listDoc = `Tell whether this minion, or one with the given id, is in a list.

CLI Example:

    salt '*' match.list 'server1,server2'`

const grainDoc = `Tell whether a grain of this minion matches a glob.

CLI Example:

    salt '*' match.grain 'os:Ubuntu'
    salt '*' match.grain 'ipv6|2001:db8::ff00:42:8329' delimiter='|'`

const grainPcreDoc = `Tell whether a grain of this minion matches a regular expression.

CLI Example:

    salt '*' match.grain_pcre 'os:Fedo.*'
    salt '*' match.grain_pcre 'ipv6|2001:.*' delimiter='|'`

const pillarDoc = `Tell whether a value of this minion's pillar matches a glob.

CLI Example:

    salt '*' match.pillar 'cheese:foo'
    salt '*' match.pillar 'clone_url|https://github.com/saltstack/salt.git' delimiter='|'`

const pillarPcreDoc = `Tell whether a value of this minion's pillar matches a regular expression.

CLI Example:

    salt '*' match.pillar_pcre 'cheese:(swiss|american)'`

const ipcidrDoc = `Tell whether this minion has an address in a network.

CLI Example:

    salt '*' match.ipcidr '192.168.44.0/24'`

type tgtArgs struct {
	Tgt any `arg:"tgt"`
}

func ipcidr(ctx context.Context, env *modules.Env, in tgtArgs) (any, error) {
	return matches(env, facts(ctx, env, nil), in.Tgt, "ipcidr", ""), nil
}

const dataDoc = `Tell whether a value of the minion's data store matches: key:glob, for a list any item, for a map a key.

CLI Example:

    salt '*' match.data 'spam:eggs'`

func data(ctx context.Context, env *modules.Env, in tgtArgs) (any, error) {
	parts := strings.Split(pyfmt.Str(in.Tgt), ":")
	if len(parts) < 2 {
		return false, nil
	}
	v, err := env.Call(ctx, "data.get", modules.Pos(parts[0]))
	if err != nil || v == nil {
		return false, err
	}
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			if fnmatch.Match(strings.ToLower(parts[1]), strings.ToLower(pyfmt.Str(e))) {
				return true, nil
			}
		}
		return false, nil
	case *ordered.Map:
		return t.Has(parts[1]), nil
	}
	return fnmatch.Match(parts[1], pyfmt.Str(v)), nil
}

const filterByDoc = `Choose from a table by targets: the first entry whose key means this minion.

tgt_type
    the kind of the keys: compound, glob and so on
merge, merge_lists
    values that go over the chosen entry
default
    the key of the entry for no match

CLI Example:

    salt '*' match.filter_by '{foo*: Foo!, bar*: Bar!}' minion_id=bar03`

type filterByArgs struct {
	Lookup     *ordered.Map `arg:"lookup"`
	TgtType    string       `arg:"tgt_type" def:"'compound'"`
	ID         any          `arg:"minion_id" def:"None"`
	Merge      any          `arg:"merge" def:"None"`
	MergeLists bool         `arg:"merge_lists" def:"False"`
	Default    any          `arg:"default" def:"'default'"`
}

func filterBy(ctx context.Context, env *modules.Env, in filterByArgs) (any, error) {
	f := facts(ctx, env, in.ID)
	ret := in.Lookup.Value(in.Default)
	for key, v := range in.Lookup.All() {
		if matches(env, f, key, in.TgtType, "") {
			ret = v
			break
		}
	}
	if !pyfmt.Truth(in.Merge) {
		return ret, nil
	}
	over, ok := in.Merge.(*ordered.Map)
	if !ok {
		return nil, errors.New("filter_by merge argument must be a dictionary.")
	}
	if ret == nil {
		return over, nil
	}
	base, ok := ordered.Copy(ret).(*ordered.Map)
	if !ok {
		return nil, dictupdate.ErrNotDict
	}
	return dictupdate.Update(base, over, in.MergeLists), nil
}

const searchByDoc = `List the keys of a table of which a target means this minion, None for none.

CLI Example:

    salt '*' match.search_by '{web: [node1, node2], db: [node2, node]}'`

type searchByArgs struct {
	Lookup  *ordered.Map `arg:"lookup"`
	TgtType string       `arg:"tgt_type" def:"'compound'"`
	ID      any          `arg:"minion_id" def:"None"`
}

func searchBy(ctx context.Context, env *modules.Env, in searchByArgs) (any, error) {
	f := facts(ctx, env, in.ID)
	var out []any
	for key, v := range in.Lookup.All() {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, tgt := range list {
			if matches(env, f, tgt, in.TgtType, "") {
				out = append(out, key)
			}
		}
	}
	if out == nil {
		return nil, nil
	}
	return out, nil
}
