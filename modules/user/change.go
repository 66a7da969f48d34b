package user

import (
	"context"
	"slices"
	"strings"

	"brine/internal/accounts"
	"brine/internal/pyfmt"
	"brine/modules"
)

// change is one ch function: how usermod is told, and what the user has now.
type change struct {
	param, flag, doc string
	// gecos is the place in the comment field, from 1; 0 for what stands elsewhere.
	gecos int
	of    func(*accounts.User) any
}

// chArgs are the arguments of all ch functions; each takes one.
type chArgs struct {
	Name       string `arg:"name"`
	UID        any    `arg:"uid" def:"None"`
	GID        any    `arg:"gid" def:"None"`
	Shell      any    `arg:"shell" def:"None"`
	Fullname   any    `arg:"fullname" def:"None"`
	Roomnumber any    `arg:"roomnumber" def:"None"`
	Workphone  any    `arg:"workphone" def:"None"`
	Homephone  any    `arg:"homephone" def:"None"`
	Other      any    `arg:"other" def:"None"`
	Root       any    `arg:"root" def:"None"`
}

func (in chArgs) value(param string) any {
	return map[string]any{"uid": in.UID, "gid": in.GID, "shell": in.Shell, "fullname": in.Fullname, "roomnumber": in.Roomnumber,
		"workphone": in.Workphone, "homephone": in.Homephone, "other": in.Other}[param]
}

func changes() []change {
	doc := func(what, fun, value string) string {
		return "Change " + what + " of a user.\n\nCLI Example:\n\n    salt '*' user.ch" + fun + " foo " + value
	}
	return []change{
		{"uid", "-u", doc("the number", "uid", "4376"), 0, func(u *accounts.User) any { return u.UID }},
		{"gid", "-g", doc("the own group", "gid", "4376"), 0, func(u *accounts.User) any { return u.GID }},
		{"shell", "-s", doc("the login shell", "shell", "/bin/zsh"), 0, func(u *accounts.User) any { return u.Shell }},
		{"fullname", "", doc("the full name", "fullname", `"Foo Bar"`), 1, nil},
		{"roomnumber", "", doc("the room number", "roomnumber", "123"), 2, nil},
		{"workphone", "", doc("the phone number at work", "workphone", "7735550123"), 3, nil},
		{"homephone", "", doc("the phone number at home", "homephone", "7735551234"), 4, nil},
		{"other", "", doc("the rest of the comment field", "other", "fizzbuzz"), 5, nil},
	}
}

func (c change) apply(ctx context.Context, env *modules.Env, in chArgs) (any, error) {
	v := in.value(c.param)
	if c.gecos > 0 {
		return setGecos(ctx, env, in.Name, c.gecos-1, v)
	}
	u, err := mustFind(in.Name)
	if err != nil {
		return nil, err
	}
	if pyfmt.Str(c.of(u)) == pyfmt.Str(v) {
		return true, nil
	}
	ok, err := run(ctx, env, "usermod", c.flag, pyfmt.Str(v), "--", in.Name)
	return ok, err
}

// setGecos sets one of the five parts of the comment field.
func setGecos(ctx context.Context, env *modules.Env, name string, at int, v any) (bool, error) {
	text := ""
	if v != nil {
		text = pyfmt.Str(v)
	}
	u, err := accounts.FindUser(name)
	if err != nil || u == nil {
		return false, err
	}
	parts := make([]string, 5)
	copy(parts, strings.SplitN(u.Gecos, ",", 5))
	if parts[at] == text {
		return true, nil
	}
	parts[at] = text
	return run(ctx, env, "usermod", "-c", strings.TrimRight(strings.Join(parts, ","), ","), "--", name)
}

type homeArgs struct {
	Name    string `arg:"name"`
	Home    string `arg:"home"`
	Persist bool   `arg:"persist" def:"False"`
	Root    any    `arg:"root" def:"None"`
}

const chhomeDoc = `Give a user another home folder.

persist
    move what the old one holds

CLI Example:

    salt '*' user.chhome foo /home/users/foo persist=True`

func chhome(ctx context.Context, env *modules.Env, in homeArgs) (any, error) {
	u, err := mustFind(in.Name)
	if err != nil {
		return nil, err
	}
	if u.Home == in.Home {
		return true, nil
	}
	argv := []string{"usermod", "-d", in.Home}
	if in.Persist {
		argv = append(argv, "-m")
	}
	return run(ctx, env, append(argv, "--", in.Name)...)
}

type groupsArgs struct {
	Name   string `arg:"name"`
	Groups any    `arg:"groups"`
	Append bool   `arg:"append" def:"False"`
	Root   any    `arg:"root" def:"None"`
}

const chgroupsDoc = `Set the groups of a user beside the own one.

groups
    a list, or text with commas
append
    keep the groups that are not named

CLI Example:

    salt '*' user.chgroups foo wheel,root`

func chgroups(ctx context.Context, env *modules.Env, in groupsArgs) (any, error) {
	return setGroups(ctx, env, in.Name, names(in.Groups), in.Append)
}

func setGroups(ctx context.Context, env *modules.Env, name string, want []string, add bool) (bool, error) {
	now, err := groupsOf(name)
	if err != nil {
		return false, err
	}
	slices.Sort(want)
	if slices.Equal(now, slices.Compact(want)) {
		return true, nil
	}
	argv := []string{"usermod"}
	if add {
		argv = append(argv, "-a")
	}
	return run(ctx, env, append(argv, "-G", strings.Join(want, ","), "--", name)...)
}

type renameArgs struct {
	Name    string `arg:"name"`
	NewName string `arg:"new_name"`
	Root    any    `arg:"root" def:"None"`
}

const renameDoc = `Give a user another name.

CLI Example:

    salt '*' user.rename name new_name`

func rename(ctx context.Context, env *modules.Env, in renameArgs) (any, error) {
	if _, err := mustFind(in.Name); err != nil {
		return nil, err
	}
	if u, err := accounts.FindUser(in.NewName); err != nil || u != nil {
		return nil, modules.Errorf("User '%s' already exists", in.NewName)
	}
	return run(ctx, env, "usermod", "-l", in.NewName, "--", in.Name)
}
