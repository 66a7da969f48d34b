// Package pkgrepo holds the pkgrepo states: repositories that the package manager knows or does not.
package pkgrepo

import (
	"context"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{
		Name: "pkgrepo", Doc: "States of repositories of packages.",
		Virtual: func(env *modules.Env) error {
			_, err := env.Mods.Lookup(env, "pkg.mod_repo")
			return err
		},
		Funcs: []states.Func{
			states.Fn("absent", absentDoc, checkAbsent, applyAbsent),
			states.Fn("managed", managedDoc, checkManaged, applyManaged),
		},
	}
}

// differs is the end of the comments of dry runs.
const differs = " This may cause pkg states to behave differently than stated if this action is repeated without test=True, due to the differences in the configured repositories."

type managedArgs struct {
	Name   string         `arg:"name"`
	Ppa    any            `arg:"ppa" def:"None"`
	Copr   any            `arg:"copr" def:"None"`
	Aptkey bool           `arg:"aptkey" def:"True"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const managedDoc = `Make sure that the package manager knows a repository.

name
    its line (apt)
file
    the file that it stands in
comps, architectures, signedby, disabled
    what is to be set of it
key_url
    the key that its packages are signed with
clean_file
    empty the file first
refresh
    fetch the lists of packages after a change (default True)`

// line is the repository's line: the name, or what the others say.
func (in managedArgs) line() string {
	if h := in.Kwargs.String("humanname"); h != "" && !strings.Contains(in.Name, " ") {
		return h
	}
	return in.Name
}

func checkManaged(ctx context.Context, env *states.Env, in managedArgs) (states.Check[*ordered.Map], error) {
	none := states.Check[*ordered.Map]{}
	if in.Ppa != nil || in.Copr != nil {
		return states.Done[*ordered.Map](states.Failed("Failed to configure repo '%s': ppa and copr are not supported", in.Name)), nil
	}
	if in.Kwargs.Has("enabled") && in.Kwargs.Has("disabled") {
		return states.Done[*ordered.Map](states.Failed("Only one of enabled/disabled is allowed")), nil
	}
	pre, err := states.Dict(env.Call(ctx, "pkg.get_repo", modules.Pos(in.line())))
	if err != nil {
		if r, _ := states.Refused(err); r != nil {
			return states.Done[*ordered.Map](states.Failed("Failed to examine repo '%s': %s", in.Name, pyfmt.Str(r.Comment))), nil
		}
		return none, err
	}
	if pre.Len() > 0 && in.matches(pre) {
		return states.Done[*ordered.Map](states.Fine("Package repo '" + in.Name + "' already configured")), nil
	}
	changes := ordered.Pairs("repo", in.Name)
	return states.Change(pre, "Package repo '"+in.Name+"' would be configured."+differs, changes), nil
}

// matches tells whether the repository is as the arguments say.
func (in managedArgs) matches(pre *ordered.Map) bool {
	disabled := false
	if v, ok := in.Kwargs.Get("disabled"); ok {
		disabled = modules.IsTrue(v)
	}
	if v, ok := in.Kwargs.Get("enabled"); ok {
		disabled = !modules.IsTrue(v)
	}
	if pyfmt.Truth(pre.Value("disabled")) != disabled {
		return false
	}
	for key, have := range map[string][]string{"comps": texts(pre.Value("comps")), "architectures": texts(pre.Value("architectures"))} {
		want := texts(in.Kwargs.Value(key))
		slices.Sort(want)
		slices.Sort(have)
		if want != nil && !slices.Equal(want, have) {
			return false
		}
	}
	for _, key := range []string{"file", "signedby"} {
		if want := in.Kwargs.String(key); want != "" && want != pre.String(key) {
			return false
		}
	}
	return true
}

func texts(v any) []string {
	switch t := v.(type) {
	case []any:
		out := make([]string, len(t))
		for i, e := range t {
			out[i] = pyfmt.Str(e)
		}
		return out
	case string:
		return strings.FieldsFunc(t, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return nil
}

func applyManaged(ctx context.Context, env *states.Env, in managedArgs, pre *ordered.Map) (*states.Result, error) {
	kw := in.Kwargs.Clone()
	if _, err := env.Call(ctx, "pkg.mod_repo", modules.Args{Pos: []any{in.line()}, Kw: kw}); err != nil {
		if r, _ := states.Refused(err); r != nil {
			return states.Failed("Failed to configure repo '%s': %s", in.Name, pyfmt.Str(r.Comment)), nil
		}
		return nil, err
	}
	post, err := states.Dict(env.Call(ctx, "pkg.get_repo", modules.Pos(in.line())))
	if err != nil {
		return states.Failed("Failed to confirm config of repo '%s': %s", in.Name, err), nil
	}
	changes := ordered.New(4)
	if pre.Len() == 0 {
		changes.Set("repo", in.Name)
	}
	for k, v := range post.All() {
		if old := pre.Value(k); pre.Len() > 0 && !ordered.Equal(old, v) {
			changes.Set(k, ordered.Pairs("new", v, "old", old))
		}
	}
	return &states.Result{OK: states.True(), Comment: "Configured package repo '" + in.Name + "'", Changes: changes}, nil
}

type absentArgs struct {
	Name   string         `arg:"name"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

const absentDoc = `Make sure that the package manager does not know a repository.

name
    its line (apt)
refresh
    fetch the lists of packages after a change (default True)`

func checkAbsent(ctx context.Context, env *states.Env, in absentArgs) (states.Check[struct{}], error) {
	repo, err := states.Dict(env.Call(ctx, "pkg.get_repo", modules.Pos(in.Name)))
	if err != nil {
		if r, _ := states.Refused(err); r != nil {
			return states.Done[struct{}](states.Failed("Failed to configure repo '%s': %s", in.Name, pyfmt.Str(r.Comment))), nil
		}
		return states.Check[struct{}]{}, err
	}
	if repo.Len() == 0 {
		return states.Done[struct{}](states.Fine("Package repo " + in.Name + " is absent")), nil
	}
	return states.Change(struct{}{}, "Package repo '"+in.Name+"' will be removed."+differs, nil), nil
}

func applyAbsent(ctx context.Context, env *states.Env, in absentArgs, _ struct{}) (*states.Result, error) {
	_, err := env.Call(ctx, "pkg.del_repo", modules.Args{Pos: []any{in.Name}, Kw: in.Kwargs})
	if err != nil {
		return states.Refused(err)
	}
	repo, err := states.Dict(env.Call(ctx, "pkg.get_repo", modules.Pos(in.Name)))
	if err != nil {
		return nil, err
	}
	if repo.Len() > 0 {
		return states.Failed("Failed to remove repo %s", in.Name), nil
	}
	return &states.Result{OK: states.True(), Comment: "Removed repo " + in.Name, Changes: ordered.Pairs("repo", in.Name)}, nil
}
