// Package grains holds the grains.* functions: they read the facts of this minion and set those that are kept in the
// grains file.
package grains

import (
	"context"
	"math"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/traverse"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "grains", Doc: "Functions for the facts of this minion.", Funcs: []modules.Func{
		modules.Fn("append", appendDoc, appendTo),
		modules.Fn("delkey", delkeyDoc, delkey),
		modules.Fn("delval", delvalDoc, delval),
		modules.PureFn("equals", equalsDoc, equals),
		modules.PureFn("fetch", fetchDoc, get),
		modules.PureFn("filter_by", filterByDoc, filterBy),
		modules.PureFn("get", getDoc, get),
		modules.Fn("get_or_set_hash", getOrSetHashDoc, getOrSetHash),
		modules.PureFn("has_value", hasValueDoc, hasValue),
		modules.PureFn("item", itemDoc, item),
		modules.PureFn("items", itemsDoc, items),
		modules.PureFn("ls", lsDoc, ls),
		modules.Fn("remove", removeDoc, remove),
		modules.Fn("set", setDoc, set),
		modules.Fn("setval", setvalDoc, setval),
		modules.Fn("setvals", setvalsDoc, setvals),
	}}
}

const getDoc = `Tell one grain, or a value in one: os, or pkg:apache. What is not there is answered with the default, an empty text.

delimiter
    what stands between the parts of the name instead of a colon

CLI Example:

    salt '*' grains.get pkg:apache
    salt '*' grains.get abc::def|ghi delimiter='|'`

const fetchDoc = `Another name of grains.get.

CLI Example:

    salt '*' grains.fetch os`

type getArgs struct {
	Key       any    `arg:"key"`
	Default   any    `arg:"default" def:"''"`
	Delimiter string `arg:"delimiter" def:"':'"`
	Ordered   bool   `arg:"ordered" def:"True"`
}

func get(ctx context.Context, env *modules.Env, in getArgs) (any, error) {
	return traverse.Default(env.Grains.Items(ctx), in.Key, in.Default, in.Delimiter), nil
}

const hasValueDoc = `Tell whether there is a grain, or a value in one.

CLI Example:

    salt '*' grains.has_value pkg:apache`

type keyArgs struct {
	Key any `arg:"key"`
}

func hasValue(ctx context.Context, env *modules.Env, in keyArgs) (any, error) {
	_, ok := traverse.Get(env.Grains.Items(ctx), in.Key, ":")
	return ok, nil
}

const itemsDoc = `Tell all grains. With sanitize=True the serial number is cut and names are replaced.

CLI Example:

    salt '*' grains.items
    salt '*' grains.items sanitize=True`

type itemsArgs struct {
	Sanitize any `arg:"sanitize" def:"False"`
}

func items(ctx context.Context, env *modules.Env, in itemsArgs) (any, error) {
	out, _ := ordered.Copy(env.Grains.Items(ctx)).(*ordered.Map)
	if modules.IsTrue(in.Sanitize) {
		sanitize(out)
	}
	return out, nil
}

// sanitize hides what tells one machine from another.
func sanitize(m *ordered.Map) {
	hide := func(key, text string) {
		if m.Has(key) {
			m.Set(key, text)
		}
	}
	if m.Has("serialnumber") {
		serial := []rune(pyfmt.Str(m.Value("serialnumber")))
		keep := int(math.Floor(float64(len(serial)) * 0.75))
		m.Set("serialnumber", string(serial[:keep])+strings.Repeat("X", len(serial)-keep))
	}
	hide("domain", "DOMAINNAME")
	hide("fqdn", "MINION.DOMAINNAME")
	hide("id", "MINION.DOMAINNAME")
	hide("host", "MINION")
	hide("localhost", "MINION")
	hide("nodename", "MINION")
}

const itemDoc = `Tell several grains.

CLI Example:

    salt '*' grains.item os
    salt '*' grains.item os osrelease oscodename
    salt '*' grains.item host sanitize=True`

type itemArgs struct {
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func item(ctx context.Context, env *modules.Env, in itemArgs) (any, error) {
	var def any = ""
	if v, ok := in.Kwargs.Get("default"); ok {
		def = v
	}
	delim := ":"
	if v, ok := in.Kwargs.Get("delimiter"); ok {
		delim = pyfmt.Str(v)
	}
	all, out := env.Grains.Items(ctx), ordered.New(len(in.Args))
	for _, a := range in.Args {
		out.Set(a, ordered.Copy(traverse.Default(all, a, def, delim)))
	}
	if modules.IsTrue(in.Kwargs.Value("sanitize")) {
		sanitize(out)
	}
	return out, nil
}

const lsDoc = `List the names of all grains.

CLI Example:

    salt '*' grains.ls`

func ls(ctx context.Context, env *modules.Env, _ struct{}) (any, error) {
	var names []string
	for _, k := range env.Grains.Items(ctx).Keys() {
		names = append(names, pyfmt.Str(k))
	}
	slices.Sort(names)
	return names, nil
}

const equalsDoc = `Tell whether a grain has a value; both are compared as texts.

CLI Example:

    salt '*' grains.equals fqdn <expected_fqdn>
    salt '*' grains.equals systemd:version 219`

type equalsArgs struct {
	Key   any `arg:"key"`
	Value any `arg:"value"`
}

func equals(ctx context.Context, env *modules.Env, in equalsArgs) (any, error) {
	return pyfmt.Str(in.Value) == pyfmt.Str(traverse.Default(env.Grains.Items(ctx), in.Key, "", ":")), nil
}

const filterByDoc = `Choose from a table by the value of a grain: the entry whose key, as a glob, matches. A grain that is a list is tried item by item.

merge
    values that go over the chosen entry
default
    the key of the entry for no match
base
    the key of an entry that lies under the chosen one

CLI Example:

    salt '*' grains.filter_by '{Debian: Debheads rule, RedHat: I love my hat}'
    salt '*' grains.filter_by '{A: B, C: {D: {E: F, G: H}}}' 'xxx' '{D: {E: I}, J: K}' 'C'`

type filterByArgs struct {
	Lookup  *ordered.Map `arg:"lookup_dict"`
	Grain   any          `arg:"grain" def:"'os_family'"`
	Merge   any          `arg:"merge" def:"None"`
	Default any          `arg:"default" def:"'default'"`
	Base    any          `arg:"base" def:"None"`
}

func filterBy(ctx context.Context, env *modules.Env, in filterByArgs) (any, error) {
	return traverse.FilterBy(traverse.Choice{
		Table: in.Lookup, Key: in.Grain, Data: env.Grains.Items(ctx), Merge: in.Merge, Default: in.Default, Base: in.Base,
	})
}
