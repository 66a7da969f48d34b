// Package user holds the user.* functions: the users of the system, with useradd(8) and its kin.
package user

import (
	"context"
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
	fns := []modules.Func{
		modules.Fn("add", addDoc, add),
		modules.Fn("chgroups", chgroupsDoc, chgroups),
		modules.Fn("chhome", chhomeDoc, chhome),
		modules.Fn("delete", deleteDoc, remove),
		modules.PureFn("getent", getentDoc, getent),
		modules.PureFn("info", infoDoc, info),
		modules.PureFn("list_groups", listGroupsDoc, listGroups),
		modules.PureFn("list_users", listUsersDoc, listUsers),
		modules.PureFn("primary_group", primaryDoc, primaryGroup),
		modules.Fn("rename", renameDoc, rename),
	}
	for _, c := range changes() {
		fns = append(fns, modules.FnPick("ch"+c.param, c.doc, "name "+c.param+" root", c.apply))
	}
	return modules.Module{Name: "user", Doc: "Functions for users.", Funcs: fns}
}

func run(ctx context.Context, env *modules.Env, argv ...string) (bool, error) {
	r, err := host.Tool(ctx, env.Host, argv...)
	if err == nil && !r.OK() {
		env.Log.Warn(strings.Join(argv, " ") + ": " + r.Said())
	}
	return err == nil && r.OK(), err
}

type addArgs struct {
	Name       string `arg:"name"`
	UID        any    `arg:"uid" def:"None"`
	GID        any    `arg:"gid" def:"None"`
	Groups     any    `arg:"groups" def:"None"`
	Home       any    `arg:"home" def:"None"`
	Shell      any    `arg:"shell" def:"None"`
	Unique     bool   `arg:"unique" def:"True"`
	System     bool   `arg:"system" def:"False"`
	Fullname   any    `arg:"fullname" def:"''"`
	Roomnumber any    `arg:"roomnumber" def:"''"`
	Workphone  any    `arg:"workphone" def:"''"`
	Homephone  any    `arg:"homephone" def:"''"`
	Other      any    `arg:"other" def:"''"`
	Createhome bool   `arg:"createhome" def:"True"`
	Loginclass any    `arg:"loginclass" def:"None"`
	Nologinit  bool   `arg:"nologinit" def:"False"`
	Root       any    `arg:"root" def:"None"`
	Usergroup  any    `arg:"usergroup" def:"None"`
}

const addDoc = `Add a user.

uid, gid, groups
    number, own group, further groups
home, createhome, shell
    home folder, whether it is made, login shell
unique, system
    the number may not be another user's; it is of the range for system users
fullname, roomnumber, workphone, homephone, other
    what the comment field says
nologinit
    leave the user out of lastlog and faillog
usergroup
    True or False: whether a group of the same name is made

CLI Example:

    salt '*' user.add name uid=3000 gid=100 groups='[users]' home=/home/name shell=/bin/sh`

func add(ctx context.Context, env *modules.Env, in addArgs) (any, error) {
	argv, err := in.command()
	if err != nil {
		return nil, err
	}
	if ok, err := run(ctx, env, argv...); err != nil || !ok {
		return false, err
	}
	// The user is there: what the rest comes to does not change the answer, as in Salt.
	if list := names(in.Groups); len(list) > 0 {
		if _, err := setGroups(ctx, env, in.Name, list, false); err != nil {
			return nil, err
		}
	}
	gecos := [5]any{in.Fullname, in.Roomnumber, in.Workphone, in.Homephone, in.Other}
	for i, v := range gecos {
		if pyfmt.Truth(v) {
			if _, err := setGecos(ctx, env, in.Name, i, v); err != nil {
				return nil, err
			}
		}
	}
	return true, nil
}

func (in addArgs) command() ([]string, error) {
	argv := []string{"useradd"}
	flag := func(name string, v any) {
		if v != nil && v != "" {
			argv = append(argv, name, pyfmt.Str(v))
		}
	}
	flag("-s", in.Shell)
	flag("-u", in.UID)
	switch {
	case in.GID != nil && in.GID != "":
		flag("-g", in.GID)
	case in.Usergroup == true:
		argv = append(argv, "-U")
	case in.Usergroup == false:
		argv = append(argv, "-N")
	case slices.Contains(names(in.Groups), in.Name):
		g, err := accounts.FindGroup(in.Name)
		if err != nil {
			return nil, err
		}
		if g != nil {
			flag("-g", g.GID)
		}
	}
	create := "-m"
	if !in.Createhome {
		create = "-M"
	}
	argv = append(argv, create)
	if in.Nologinit {
		argv = append(argv, "-l")
	}
	flag("-d", in.Home)
	if !in.Unique {
		argv = append(argv, "-o")
	}
	if in.System {
		argv = append(argv, "-r")
	}
	flag("-R", in.Root)
	return append(argv, "--", in.Name), nil
}

// names is a list of groups given as a list or as text with commas.
func names(v any) []string {
	var out []string
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			out = append(out, pyfmt.Str(e))
		}
	case string:
		for _, e := range strings.Split(t, ",") {
			if e = strings.TrimSpace(e); e != "" {
				out = append(out, e)
			}
		}
	}
	return out
}

type deleteArgs struct {
	Name   string `arg:"name"`
	Remove bool   `arg:"remove" def:"False"`
	Force  bool   `arg:"force" def:"False"`
	Root   any    `arg:"root" def:"None"`
}

const deleteDoc = `Remove a user.

remove
    the home folder and the mail too
force
    also when the user is logged in

CLI Example:

    salt '*' user.delete name remove=True force=True`

func remove(ctx context.Context, env *modules.Env, in deleteArgs) (any, error) {
	argv := []string{"userdel"}
	if in.Force {
		argv = append(argv, "-f")
	}
	if in.Remove {
		argv = append(argv, "-r")
	}
	if pyfmt.Truth(in.Root) {
		argv = append(argv, "-R", pyfmt.Str(in.Root))
	}
	r, err := host.Tool(ctx, env.Host, append(argv, "--", in.Name)...)
	if err != nil {
		return nil, err
	}
	// Debian's userdel ends with 12 when there is no mail spool to remove.
	return r.OK() || r.Retcode == 12 && strings.Contains(r.Stderr, "/var/mail/"), nil
}

type nameArgs struct {
	Name string `arg:"name"`
	Root any    `arg:"root" def:"None"`
}

const infoDoc = `Tell what a user is; an empty map when there is none.

CLI Example:

    salt '*' user.info root`

func info(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	u, err := accounts.FindUser(in.Name)
	if err != nil || u == nil {
		return ordered.New(0), err
	}
	groups, err := accounts.Groups()
	return format(*u, groups), err
}

func format(u accounts.User, groups []accounts.Group) *ordered.Map {
	var g [5]string
	copy(g[:], strings.SplitN(u.Gecos, ",", 5))
	return ordered.Pairs("gid", u.GID, "groups", list(accounts.GroupsOf(u, groups)), "home", u.Home, "name", u.Name, "passwd", u.Passwd,
		"shell", u.Shell, "uid", u.UID, "fullname", g[0], "roomnumber", g[1], "workphone", g[2], "homephone", g[3], "other", g[4])
}

func list(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

type refreshArgs struct {
	Refresh bool `arg:"refresh" def:"False"`
}

const getentDoc = `Tell what all users are.

CLI Example:

    salt '*' user.getent`

func getent(context.Context, *modules.Env, refreshArgs) (any, error) {
	all, err := accounts.Users()
	if err != nil {
		return nil, err
	}
	groups, err := accounts.Groups()
	out := make([]any, len(all))
	for i, u := range all {
		out[i] = format(u, groups)
	}
	return out, err
}

const listGroupsDoc = `List the groups of a user.

CLI Example:

    salt '*' user.list_groups foo`

func listGroups(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	groups, err := groupsOf(in.Name)
	return list(groups), err
}

func groupsOf(name string) ([]string, error) {
	u, err := accounts.FindUser(name)
	if err != nil || u == nil {
		return nil, err
	}
	groups, err := accounts.Groups()
	return accounts.GroupsOf(*u, groups), err
}

type rootArgs struct {
	Root any `arg:"root" def:"None"`
}

const listUsersDoc = `List all users.

CLI Example:

    salt '*' user.list_users`

func listUsers(context.Context, *modules.Env, rootArgs) (any, error) {
	all, err := accounts.Users()
	out := make([]string, len(all))
	for i, u := range all {
		out[i] = u.Name
	}
	slices.Sort(out)
	return list(out), err
}

const primaryDoc = `Name the own group of a user.

CLI Example:

    salt '*' user.primary_group saltadmin`

func primaryGroup(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	u, err := mustFind(in.Name)
	if err != nil {
		return nil, err
	}
	groups, err := accounts.Groups()
	for _, g := range groups {
		if g.GID == u.GID {
			return g.Name, nil
		}
	}
	return "", err
}

func mustFind(name string) (*accounts.User, error) {
	u, err := accounts.FindUser(name)
	if err == nil && u == nil {
		err = modules.Errorf("User '%s' does not exist", name)
	}
	return u, err
}
