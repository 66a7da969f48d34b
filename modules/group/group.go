// Package group holds the group.* functions: the groups of the system, with groupadd(8) and its kin.
package group

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brine/internal/accounts"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "group", Doc: "Functions for groups of users.", Funcs: []modules.Func{
		modules.Fn("add", addDoc, add),
		modules.Fn("adduser", adduserDoc, adduser),
		modules.Fn("chgid", chgidDoc, chgid),
		modules.Fn("deluser", deluserDoc, deluser),
		modules.Fn("delete", deleteDoc, remove),
		modules.PureFn("getent", getentDoc, getent),
		modules.PureFn("info", infoDoc, info),
		modules.Fn("members", membersDoc, members),
	}}
}

func run(ctx context.Context, env *modules.Env, argv ...string) (bool, error) {
	r, err := host.Tool(ctx, env.Host, argv...)
	if err == nil && !r.OK() {
		env.Log.Warn(strings.Join(argv, " ") + ": " + r.Said())
	}
	return err == nil && r.OK(), err
}

type addArgs struct {
	Name      string `arg:"name"`
	GID       any    `arg:"gid" def:"None"`
	System    bool   `arg:"system" def:"False"`
	Root      any    `arg:"root" def:"None"`
	NonUnique bool   `arg:"non_unique" def:"False"`
}

const addDoc = `Add a group.

gid
    its number
system
    take a number of the range for system groups
root
    work in this folder as the root
non_unique
    the number may be another group's too

CLI Example:

    salt '*' group.add foo 3456`

func add(ctx context.Context, env *modules.Env, in addArgs) (any, error) {
	argv := []string{"groupadd"}
	if in.GID != nil && in.GID != "" {
		argv = append(argv, "-g", pyfmt.Str(in.GID))
		if in.NonUnique {
			argv = append(argv, "-o")
		}
	}
	if in.System {
		argv = append(argv, "-r")
	}
	if pyfmt.Truth(in.Root) {
		argv = append(argv, "-R", pyfmt.Str(in.Root))
	}
	return run(ctx, env, append(argv, "--", in.Name)...)
}

type nameArgs struct {
	Name string `arg:"name"`
	Root any    `arg:"root" def:"None"`
}

const deleteDoc = `Remove a group.

root
    work in this folder as the root

CLI Example:

    salt '*' group.delete foo`

func remove(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
	argv := []string{"groupdel"}
	if pyfmt.Truth(in.Root) {
		argv = append(argv, "-R", pyfmt.Str(in.Root))
	}
	return run(ctx, env, append(argv, "--", in.Name)...)
}

const infoDoc = `Tell what a group is: name, passwd, gid and members; an empty map when there is none.

CLI Example:

    salt '*' group.info foo`

func info(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	g, err := accounts.FindGroup(in.Name)
	if err != nil || g == nil {
		return ordered.New(0), err
	}
	return format(*g), nil
}

func format(g accounts.Group) *ordered.Map {
	list := make([]any, len(g.Members))
	for i, m := range g.Members {
		list[i] = m
	}
	return ordered.Pairs("name", g.Name, "passwd", g.Passwd, "gid", g.GID, "members", list)
}

type refreshArgs struct {
	Refresh bool `arg:"refresh" def:"False"`
}

const getentDoc = `Tell what all groups are.

CLI Example:

    salt '*' group.getent`

func getent(context.Context, *modules.Env, refreshArgs) (any, error) {
	all, err := accounts.Groups()
	out := make([]any, len(all))
	for i, g := range all {
		out[i] = format(g)
	}
	return out, err
}

type gidArgs struct {
	Name      string `arg:"name"`
	GID       any    `arg:"gid"`
	Root      any    `arg:"root" def:"None"`
	NonUnique bool   `arg:"non_unique" def:"False"`
}

const chgidDoc = `Give a group another number.

CLI Example:

    salt '*' group.chgid foo 4376`

func chgid(ctx context.Context, env *modules.Env, in gidArgs) (any, error) {
	want, err := modules.Int(in.GID)
	if err != nil {
		return nil, err
	}
	g, err := accounts.FindGroup(in.Name)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, modules.Errorf("Group '%s' does not exist", in.Name)
	}
	if g.GID == want {
		return true, nil
	}
	argv := []string{"groupmod", "-g", fmt.Sprint(want)}
	if in.NonUnique {
		argv = append(argv, "-o")
	}
	return run(ctx, env, append(argv, "--", in.Name)...)
}

type memberArgs struct {
	Name     string `arg:"name"`
	Username string `arg:"username"`
	Root     any    `arg:"root" def:"None"`
}

const adduserDoc = `Put a user into a group.

CLI Example:

    salt '*' group.adduser foo bar`

func adduser(ctx context.Context, env *modules.Env, in memberArgs) (any, error) {
	return run(ctx, env, "gpasswd", "--add", in.Username, in.Name)
}

const deluserDoc = `Take a user out of a group.

CLI Example:

    salt '*' group.deluser foo bar`

func deluser(ctx context.Context, env *modules.Env, in memberArgs) (any, error) {
	g, err := accounts.FindGroup(in.Name)
	if err != nil || g == nil {
		return false, err
	}
	if !slices.Contains(g.Members, in.Username) {
		return true, nil
	}
	return run(ctx, env, "gpasswd", "--del", in.Username, in.Name)
}

type membersArgs struct {
	Name    string `arg:"name"`
	Members string `arg:"members_list"`
	Root    any    `arg:"root" def:"None"`
}

const membersDoc = `Make users, separated by commas, the members of a group, and nobody else.

CLI Example:

    salt '*' group.members foo 'user1,user2,user3'`

func members(ctx context.Context, env *modules.Env, in membersArgs) (any, error) {
	return run(ctx, env, "gpasswd", "--members", in.Members, in.Name)
}
