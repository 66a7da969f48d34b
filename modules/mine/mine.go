// Package mine holds the mine.* functions: results of functions that a minion gives to the master so that others can
// read them.
package mine

import (
	"context"
	"slices"
	"strings"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Store is the master's mine.
type Store interface {
	// Put adds results to those of this minion, or with clear replaces them.
	Put(ctx context.Context, data *ordered.Map, clear bool) error
	// Get returns {id: result} of the minions that the target matches; for several functions {function: {id: result}}.
	Get(ctx context.Context, tgt, tgtType string, functions []string) (*ordered.Map, error)
	Delete(ctx context.Context, function string) error
	Flush(ctx context.Context) error
}

// Module is the family. store may be nil: then the mine works only where file_client is local, on the minion's own data.
func Module(store Store) modules.Module {
	m := &mine{store}
	return modules.Module{Name: "mine", Doc: "Functions for results that minions share through the master.", Funcs: []modules.Func{
		modules.Fn("delete", deleteDoc, m.delete),
		modules.Fn("flush", flushDoc, m.flush),
		modules.PureFn("get", getDoc, m.get),
		modules.Fn("send", sendDoc, m.send),
		modules.Fn("update", updateDoc, m.update),
		modules.PureFn("valid", validDoc, m.valid),
	}}
}

type mine struct{ store Store }

func local(env *modules.Env) bool { return env.Opts.String("file_client") == "local" }

var errNoMaster = modules.Errorf("There is no master whose mine could be asked")

// Keys of an entry that only some minions may read, as Salt keeps them.
const (
	aclMark = "__saltmine_acl__"
	aclData = "__data__"
)

// definition is how a function of the mine is run.
type definition struct {
	alias, fun string
	args       []any
	kwargs     *ordered.Map
	allow      any
	allowType  any
}

// parse reads a definition as it stands under an alias: a map of keywords, a list of arguments, or nothing.
func parse(alias string, v any) definition {
	d := definition{alias: alias, kwargs: ordered.New(0)}
	switch t := ordered.Copy(v).(type) {
	case *ordered.Map:
		d.kwargs = t
	case []any:
		for _, e := range t {
			if m, ok := e.(*ordered.Map); ok {
				d.kwargs.Update(m)
			} else {
				d.args = append(d.args, e)
			}
		}
	}
	take := func(key string) any {
		v := d.kwargs.Value(key)
		d.kwargs.Delete(key)
		return v
	}
	if f := take("mine_function"); pyfmt.Truth(f) {
		d.fun = pyfmt.Str(f)
	}
	d.allow, d.allowType = take("allow_tgt"), take("allow_tgt_type")
	return d
}

func (d definition) name() string {
	if d.fun != "" {
		return d.fun
	}
	return d.alias
}

// call runs the function; the result is wrapped when only some may read it.
func (d definition) call(ctx context.Context, env *modules.Env) (any, error) {
	v, err := env.Call(ctx, d.name(), modules.Args{Pos: d.args, Kw: d.kwargs})
	if err != nil || !pyfmt.Truth(d.allow) {
		return v, err
	}
	return ordered.Pairs(aclData, v, aclMark, 1, "allow_tgt", d.allow, "allow_tgt_type", d.allowType), nil
}

// configured is what mine_functions names, in the configuration, the master's options and the pillar.
func configured(ctx context.Context, env *modules.Env) (*ordered.Map, error) {
	v, err := env.Call(ctx, "config.merge", modules.Pos("mine_functions", ordered.New(0)))
	if err != nil {
		return nil, err
	}
	return functions(v), nil
}

func functions(v any) *ordered.Map {
	switch t := v.(type) {
	case *ordered.Map:
		return t
	case []any:
		out := ordered.New(len(t))
		for _, f := range t {
			out.Set(pyfmt.Str(f), ordered.New(0))
		}
		return out
	}
	return nil
}

func available(env *modules.Env, d definition) bool {
	ok := env.Mods.Has(env, d.name())
	if !ok {
		env.Log.Error("a function of mine_functions is not available", zap.String("function", d.name()))
	}
	return ok
}

const updateDoc = `Run the functions that mine_functions names and give their results to the master.

clear
    forget what the master has of this minion first
mine_functions
    functions to run instead of the configured ones

CLI Example:

    salt '*' mine.update`

type updateArgs struct {
	Clear     bool `arg:"clear" def:"False"`
	Functions any  `arg:"mine_functions" def:"None"`
}

func (m *mine) update(ctx context.Context, env *modules.Env, in updateArgs) (any, error) {
	funs := functions(in.Functions)
	if !pyfmt.Truth(in.Functions) {
		var err error
		if funs, err = configured(ctx, env); err != nil {
			return nil, err
		}
	}
	if funs.Len() == 0 {
		return nil, nil
	}
	data := ordered.New(funs.Len())
	for alias, def := range funs.All() {
		d := parse(pyfmt.Str(alias), def)
		if !available(env, d) {
			continue
		}
		v, err := d.call(ctx, env)
		if err != nil {
			env.Log.Error("a function of mine_functions failed", zap.String("function", d.name()), zap.Error(err))
			continue
		}
		data.Set(d.alias, v)
	}
	return m.put(ctx, env, data, in.Clear)
}

func (m *mine) put(ctx context.Context, env *modules.Env, data *ordered.Map, clear bool) (any, error) {
	if local(env) {
		all := ordered.New(0)
		if !clear {
			var err error
			if all, err = cache(ctx, env); err != nil {
				return nil, err
			}
		}
		all.Update(data)
		return env.Call(ctx, "data.update", modules.Pos("mine_cache", all))
	}
	if m.store == nil {
		return nil, errNoMaster
	}
	return true, m.store.Put(ctx, data, clear)
}

// cache is what local mode keeps instead of the master.
func cache(ctx context.Context, env *modules.Env) (*ordered.Map, error) {
	v, err := env.Call(ctx, "data.get", modules.Pos("mine_cache"))
	if err != nil {
		return nil, err
	}
	if m, ok := v.(*ordered.Map); ok {
		return m, nil
	}
	return ordered.New(0), nil
}

const sendDoc = `Run one function and give its result to the master, under the given name.

mine_function
    the function, when the name is another
allow_tgt, allow_tgt_type
    the minions that may read it

CLI Example:

    salt '*' mine.send network.ip_addrs interface=eth0
    salt '*' mine.send eth0_ip_addrs mine_function=network.ip_addrs interface=eth0`

type sendArgs struct {
	Name   string         `arg:"name"`
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

func (m *mine) send(ctx context.Context, env *modules.Env, in sendArgs) (any, error) {
	d := parse(in.Name, in.Kwargs)
	d.args = in.Args
	v, err := d.call(ctx, env)
	if err != nil {
		env.Log.Error("the function of mine.send failed", zap.String("function", d.name()), zap.Error(err))
		return false, nil
	}
	return m.put(ctx, env, ordered.Pairs(in.Name, v), false)
}

const getDoc = `Tell what other minions gave to the mine. A list of functions, or one with commas, is answered function by function.

tgt, tgt_type
    the minions: glob, pcre, list, grain, grain_pcre, compound, ipcidr, pillar or pillar_pcre
exclude_minion
    leave this minion out

CLI Example:

    salt '*' mine.get '*' network.interfaces
    salt '*' mine.get 'G@os:Fedora and S@192.168.5.0/24' network.ipaddrs compound`

type getArgs struct {
	Tgt     string `arg:"tgt"`
	Fun     any    `arg:"fun"`
	TgtType string `arg:"tgt_type" def:"'glob'"`
	Exclude bool   `arg:"exclude_minion" def:"False"`
}

func (m *mine) get(ctx context.Context, env *modules.Env, in getArgs) (any, error) {
	names, several := wanted(in.Fun)
	if local(env) {
		return getLocal(ctx, env, in, names, several)
	}
	if m.store == nil {
		return nil, errNoMaster
	}
	out, err := m.store.Get(ctx, in.Tgt, in.TgtType, names)
	if err != nil {
		return nil, err
	}
	if in.Exclude {
		out.Delete(env.ID)
	}
	return out, nil
}

// wanted lists the functions asked for and tells whether the answer is by function.
func wanted(fun any) (names []string, several bool) {
	list, ok := fun.([]any)
	if !ok {
		names = strings.Split(pyfmt.Str(fun), ",")
		return names, len(names) > 1
	}
	for _, f := range list {
		names = append(names, pyfmt.Str(f))
	}
	return names, true
}

func getLocal(ctx context.Context, env *modules.Env, in getArgs, names []string, several bool) (any, error) {
	out := ordered.New(0)
	if !slices.Contains([]string{"glob", "pcre", "list", "grain", "grain_pcre", "ipcidr", "compound", "pillar", "pillar_pcre"}, in.TgtType) {
		return nil, modules.Invalidf("'%s'", in.TgtType)
	}
	matches, err := env.Call(ctx, "match."+in.TgtType, modules.Pos(in.Tgt))
	if err != nil || !pyfmt.Truth(matches) {
		return out, err
	}
	data, err := cache(ctx, env)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		v, ok := data.Get(name)
		if !ok {
			continue
		}
		if m, isMap := v.(*ordered.Map); isMap && m.Has(aclMark) {
			v = m.Value(aclData)
		}
		if several {
			out.Set(name, ordered.Pairs(env.ID, v))
		} else {
			out.Set(env.ID, v)
		}
	}
	return out, nil
}

const deleteDoc = `Take the result of one function of this minion out of the mine.

CLI Example:

    salt '*' mine.delete 'network.interfaces'`

type deleteArgs struct {
	Fun string `arg:"fun"`
}

func (m *mine) delete(ctx context.Context, env *modules.Env, in deleteArgs) (any, error) {
	if local(env) {
		data, err := cache(ctx, env)
		if err != nil {
			return nil, err
		}
		data.Delete(in.Fun)
		return env.Call(ctx, "data.update", modules.Pos("mine_cache", data))
	}
	if m.store == nil {
		return nil, errNoMaster
	}
	return true, m.store.Delete(ctx, in.Fun)
}

const flushDoc = `Take all results of this minion out of the mine.

CLI Example:

    salt '*' mine.flush`

func (m *mine) flush(ctx context.Context, env *modules.Env, _ struct{}) (any, error) {
	if local(env) {
		return env.Call(ctx, "data.update", modules.Pos("mine_cache", ordered.New(0)))
	}
	if m.store == nil {
		return nil, errNoMaster
	}
	return true, m.store.Flush(ctx)
}

const validDoc = `List the functions of mine_functions that can be run here, with their arguments.

CLI Example:

    salt '*' mine.valid`

func (m *mine) valid(ctx context.Context, env *modules.Env, _ struct{}) (any, error) {
	funs, err := configured(ctx, env)
	if err != nil || funs.Len() == 0 {
		return nil, err
	}
	out := ordered.New(funs.Len())
	for alias, def := range funs.All() {
		d := parse(pyfmt.Str(alias), def)
		switch {
		case !available(env, d):
		case d.fun == "":
			out.Set(alias, def)
		default:
			args := append([]any{}, d.args...)
			for k, v := range d.kwargs.All() {
				args = append(args, ordered.Pairs(k, v))
			}
			out.Set(alias, ordered.Pairs(d.fun, args))
		}
	}
	return out, nil
}
