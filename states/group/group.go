// Package group holds the group states: groups of users that are there or not.
package group

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "group", Doc: "States of groups of users.", Funcs: []states.Func{
		states.Fn("absent", absentDoc, checkAbsent, applyAbsent),
		states.Fn("present", presentDoc, checkPresent, applyPresent),
	}}
}

type presentArgs struct {
	Name      string `arg:"name"`
	GID       any    `arg:"gid" def:"None"`
	System    bool   `arg:"system" def:"False"`
	Addusers  any    `arg:"addusers" def:"None"`
	Delusers  any    `arg:"delusers" def:"None"`
	Members   any    `arg:"members" def:"None"`
	NonUnique bool   `arg:"non_unique" def:"False"`
}

const presentDoc = `Make sure that a group is there.

gid
    its number
system
    take a number of the range for system groups
addusers, delusers
    users that belong to it, and users that do not
members
    the users that belong to it, and nobody else
non_unique
    the number may be another group's too`

// names reads a list of users; false for one that is not given.
func names(v any) ([]string, bool) {
	switch t := v.(type) {
	case nil:
		return nil, false
	case []any:
		out := make([]string, len(t))
		for i, e := range t {
			out[i] = pyfmt.Str(e)
		}
		return out, true
	}
	return []string{pyfmt.Str(v)}, true
}

// set is a Python set of names as text.
func set(names []string) string {
	if len(names) == 0 {
		return "set()"
	}
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = pyfmt.Repr(n)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// todo is what is to be changed, in order: gid, members, addusers, delusers. A set stands as text.
type todo struct {
	missing bool
	change  *ordered.Map
	// del are the users to take out.
	del []string
}

func without(a, b []string) []string {
	var out []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

func list(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// diff compares the group with the wish; the text is an error.
func (in presentArgs) diff(ctx context.Context, env *states.Env) (todo, string, error) {
	g, err := states.Dict(env.Call(ctx, "group.info", modules.Pos(in.Name)))
	if err != nil || g.Len() == 0 {
		return todo{missing: true}, "", err
	}
	t := todo{change: ordered.New(2)}
	if pyfmt.Truth(in.GID) {
		gid, err := modules.Int(in.GID)
		if err != nil {
			return t, "Invalid gid", nil
		}
		if g.Value("gid") != gid {
			t.change.Set("gid", gid)
		}
	}
	now, _ := names(g.Value("members"))
	want, given := names(in.Members)
	same := len(without(now, want)) == 0 && len(without(want, now)) == 0
	switch {
	case given && len(want) == 0 && !same:
		t.del = now
		t.change.Set("delusers", set(now))
	case given && !same:
		t.change.Set("members", list(want))
	}
	if users, _ := names(in.Addusers); len(without(users, now)) > 0 {
		t.change.Set("addusers", list(without(users, now)))
	}
	users, _ := names(in.Delusers)
	if out := without(users, without(users, now)); len(out) > 0 {
		t.del = out
		t.change.Set("delusers", list(out))
	}
	return t, "", nil
}

func checkPresent(ctx context.Context, env *states.Env, in presentArgs) (states.Check[todo], error) {
	add, hasAdd := names(in.Addusers)
	del, hasDel := names(in.Delusers)
	if in.Members != nil && (hasAdd || hasDel) {
		return states.Done[todo](&states.Result{
			Comment: `Error: Conflicting options "members" with "addusers" and/or "delusers" can not be used together. `}), nil
	}
	if len(without(add, del)) < len(add) {
		return states.Done[todo](&states.Result{Comment: "Error. Same user(s) can not be added and deleted simultaneously"}), nil
	}
	t, wrong, err := in.diff(ctx, env)
	switch {
	case err != nil:
		return states.Check[todo]{}, err
	case wrong != "":
		return states.Done[todo](states.Failed("%s", wrong)), nil
	case t.missing:
		return states.Change(t, "Group "+in.Name+" set to be added", nil), nil
	case t.change.Len() > 0:
		return states.Change(t, t.text(), nil), nil
	}
	return states.Done[todo](states.Fine("Group " + in.Name + " is present and up to date")), nil
}

func (t todo) text() string {
	text := "The following group attributes are set to be changed:\n"
	for k, v := range t.change.All() {
		text += fmt.Sprintf("%s: %s\n", pyfmt.Str(k), pyfmt.Str(v))
	}
	return text
}

func applyPresent(ctx context.Context, env *states.Env, in presentArgs, t todo) (*states.Result, error) {
	if t.missing {
		return in.create(ctx, env)
	}
	if err := in.change(ctx, env, t); err != nil {
		return states.Refused(err)
	}
	left, _, err := in.diff(ctx, env)
	if err != nil {
		return nil, err
	}
	if left.change.Len() > 0 {
		r := states.Failed("%sSome changes could not be applied", t.text())
		r.Changes = ordered.Pairs("Failed", left.change)
		return r, nil
	}
	return &states.Result{OK: states.True(), Comment: t.text(), Changes: ordered.Pairs("Final", "All changes applied successfully")}, nil
}

func (in presentArgs) change(ctx context.Context, env *states.Env, t todo) error {
	if v, ok := t.change.Get("gid"); ok {
		if _, err := env.Call(ctx, "group.chgid", modules.Pos(in.Name, v).With("non_unique", in.NonUnique)); err != nil {
			return err
		}
	}
	users, _ := names(t.change.Value("addusers"))
	for _, u := range users {
		if _, err := env.Call(ctx, "group.adduser", modules.Pos(in.Name, u)); err != nil {
			return err
		}
	}
	for _, u := range t.del {
		if _, err := env.Call(ctx, "group.deluser", modules.Pos(in.Name, u)); err != nil {
			return err
		}
	}
	if v, ok := t.change.Get("members"); ok {
		users, _ := names(v)
		if _, err := env.Call(ctx, "group.members", modules.Pos(in.Name, strings.Join(users, ","))); err != nil {
			return err
		}
	}
	return nil
}

func (in presentArgs) create(ctx context.Context, env *states.Env) (*states.Result, error) {
	if in.GID != nil && !in.NonUnique {
		all, err := env.Call(ctx, "group.getent", modules.Args{})
		if err != nil {
			return nil, err
		}
		groups, _ := all.([]any)
		for _, e := range groups {
			g, _ := e.(*ordered.Map)
			if pyfmt.Str(g.Value("gid")) == pyfmt.Str(in.GID) {
				return states.Failed("Group %s is not present but gid %s is already taken by group %s", in.Name, pyfmt.Str(in.GID), g.String("name")), nil
			}
		}
	}
	ok, err := states.Truth(env.Call(ctx, "group.add", modules.Pos(in.Name, in.GID).With("system", in.System).With("non_unique", in.NonUnique)))
	if err != nil || !ok {
		return states.Failed("Failed to create new group %s", in.Name), err
	}
	users, _ := names(in.Members)
	if add, _ := names(in.Addusers); len(add) > 0 {
		users = add
	}
	if len(users) > 0 {
		if _, err := env.Call(ctx, "group.members", modules.Pos(in.Name, strings.Join(users, ","))); err != nil {
			return nil, err
		}
	}
	info, err := states.Dict(env.Call(ctx, "group.info", modules.Pos(in.Name)))
	if err != nil {
		return nil, err
	}
	left, _, err := in.diff(ctx, env)
	if err != nil {
		return nil, err
	}
	if left.change.Len() > 0 {
		r := states.Failed("Group %s has been created but, some changes could not be applied", in.Name)
		r.Changes = ordered.Pairs("Failed", left.change)
		return r, nil
	}
	return &states.Result{OK: states.True(), Comment: "New group " + in.Name + " created", Changes: info}, nil
}

type absentArgs struct {
	Name string `arg:"name"`
}

const absentDoc = `Make sure that a group is not there.`

func checkAbsent(ctx context.Context, env *states.Env, in absentArgs) (states.Check[struct{}], error) {
	g, err := states.Dict(env.Call(ctx, "group.info", modules.Pos(in.Name)))
	if err != nil {
		return states.Check[struct{}]{}, err
	}
	if g.Len() == 0 {
		return states.Done[struct{}](states.Fine("Group not present")), nil
	}
	return states.Change(struct{}{}, "Group "+in.Name+" is set for removal", nil), nil
}

func applyAbsent(ctx context.Context, env *states.Env, in absentArgs, _ struct{}) (*states.Result, error) {
	ok, err := states.Truth(env.Call(ctx, "group.delete", modules.Pos(in.Name)))
	if err != nil || !ok {
		return states.Failed("Failed to remove group %s", in.Name), err
	}
	return &states.Result{OK: states.True(), Comment: "Removed group " + in.Name, Changes: ordered.Pairs(in.Name, "")}, nil
}
