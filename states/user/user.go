// Package user holds the user states: users that are there, with all that belongs to them, or not.
package user

import (
	"context"
	"os"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "user", Doc: "States of users.", Funcs: []states.Func{
		states.Fn("absent", absentDoc, checkAbsent, applyAbsent),
		states.Fn("present", presentDoc, checkPresent, applyPresent),
	}}
}

type presentArgs struct {
	Name            string `arg:"name"`
	UID             any    `arg:"uid" def:"None"`
	GID             any    `arg:"gid" def:"None"`
	Usergroup       any    `arg:"usergroup" def:"None"`
	Groups          any    `arg:"groups" def:"None"`
	OptionalGroups  any    `arg:"optional_groups" def:"None"`
	RemoveGroups    bool   `arg:"remove_groups" def:"True"`
	Home            any    `arg:"home" def:"None"`
	Createhome      bool   `arg:"createhome" def:"True"`
	Password        any    `arg:"password" def:"None"`
	HashPassword    bool   `arg:"hash_password" def:"False"`
	EnforcePassword bool   `arg:"enforce_password" def:"True"`
	EmptyPassword   bool   `arg:"empty_password" def:"False"`
	Shell           any    `arg:"shell" def:"None"`
	Unique          bool   `arg:"unique" def:"True"`
	System          bool   `arg:"system" def:"False"`
	Fullname        any    `arg:"fullname" def:"None"`
	Roomnumber      any    `arg:"roomnumber" def:"None"`
	Workphone       any    `arg:"workphone" def:"None"`
	Homephone       any    `arg:"homephone" def:"None"`
	Other           any    `arg:"other" def:"None"`
	Loginclass      any    `arg:"loginclass" def:"None"`
	Date            any    `arg:"date" def:"None"`
	Mindays         any    `arg:"mindays" def:"None"`
	Maxdays         any    `arg:"maxdays" def:"None"`
	Inactdays       any    `arg:"inactdays" def:"None"`
	Warndays        any    `arg:"warndays" def:"None"`
	Expire          any    `arg:"expire" def:"None"`
	WinHomedrive    any    `arg:"win_homedrive" def:"None"`
	WinProfile      any    `arg:"win_profile" def:"None"`
	WinLogonscript  any    `arg:"win_logonscript" def:"None"`
	WinDescription  any    `arg:"win_description" def:"None"`
	Nologinit       bool   `arg:"nologinit" def:"False"`
	AllowUIDChange  bool   `arg:"allow_uid_change" def:"False"`
	AllowGIDChange  bool   `arg:"allow_gid_change" def:"False"`
	PasswordLock    any    `arg:"password_lock" def:"None"`
}

const presentDoc = `Make sure that a user is there and is as said.

uid, gid, usergroup
    number; own group by number or name; whether a group of the same name is made
groups, optional_groups, remove_groups
    groups that the user belongs to (they must exist; the optional ones need not); False keeps the others
home, createhome, shell
    home folder, whether it is made, login shell
password, hash_password, enforce_password, empty_password, password_lock
    the hash (or, with hash_password, the password), whether a changed one is set back, no password at all, locked or not
fullname, roomnumber, workphone, homephone, other
    what the comment field says
date, mindays, maxdays, inactdays, warndays, expire
    the limits of shadow(5), in days
unique, system, nologinit
    how a new user is made
allow_uid_change, allow_gid_change
    without them a change of the number is refused`

const hidden = "XXX-REDACTED-XXX"

// days are the limits: argument and key of shadow.info.
func (in presentArgs) days() [][3]any {
	return [][3]any{{"date", "lstchg", in.Date}, {"mindays", "min", in.Mindays}, {"maxdays", "max", in.Maxdays},
		{"inactdays", "inact", in.Inactdays}, {"warndays", "warn", in.Warndays}, {"expire", "expire", in.Expire}}
}

func (in presentArgs) gecos() [][2]any {
	return [][2]any{{"fullname", in.Fullname}, {"roomnumber", in.Roomnumber}, {"workphone", in.Workphone}, {"homephone", in.Homephone}, {"other", in.Other}}
}

// wish is what is to be changed.
type wish struct {
	missing bool
	change  *ordered.Map
	// groups are the optional groups that exist.
	optional []string
}

func names(v any) []string {
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		out := make([]string, len(t))
		for i, e := range t {
			out[i] = pyfmt.Str(e)
		}
		return out
	}
	return []string{pyfmt.Str(v)}
}

func list(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// missing picks the groups that there are not.
func missing(ctx context.Context, env *states.Env, groups []string) ([]string, error) {
	var out []string
	for _, g := range groups {
		there, err := states.Truth(env.Call(ctx, "group.info", modules.Pos(g)))
		if err != nil {
			return nil, err
		}
		if !there {
			out = append(out, g)
		}
	}
	return out, nil
}

// prepare hashes the password and turns texts of digits into numbers where numbers are compared.
func (in *presentArgs) prepare(ctx context.Context, env *states.Env) error {
	if pyfmt.Truth(in.Password) && in.HashPassword {
		// A hash that the password already has is kept: a new salt would be a change at each run.
		s, err := states.Dict(env.Call(ctx, "shadow.info", modules.Pos(in.Name)))
		if err != nil {
			return err
		}
		old := s.String("passwd")
		if parts := strings.Split(old, "$"); len(parts) == 4 && parts[1] == "6" {
			h, err := env.Call(ctx, "shadow.gen_password", modules.Pos(in.Password, parts[2]))
			if err == nil && h == old {
				in.Password = old
				return nil
			}
		}
		if in.Password, err = env.Call(ctx, "shadow.gen_password", modules.Pos(in.Password)); err != nil {
			return err
		}
	}
	return nil
}

func checkPresent(ctx context.Context, env *states.Env, in presentArgs) (states.Check[wish], error) {
	none := states.Check[wish]{}
	for _, f := range in.gecos()[:3] {
		if s, ok := f[1].(string); ok && strings.Contains(s, ",") {
			return states.Done[wish](states.Failed("Unsupported char ',' in %s", pyfmt.Str(f[0]))), nil
		}
	}
	lost, err := missing(ctx, env, names(in.Groups))
	if err != nil {
		return none, err
	}
	if len(lost) > 0 {
		return states.Done[wish](states.Failed("The following group(s) are not present: %s", strings.Join(lost, ","))), nil
	}
	optional := names(in.OptionalGroups)
	if lost, err = missing(ctx, env, optional); err != nil {
		return none, err
	}
	optional = slices.DeleteFunc(optional, func(g string) bool { return slices.Contains(lost, g) })
	if err := in.prepare(ctx, env); err != nil {
		return none, err
	}
	w, err := in.diff(ctx, env, optional, false)
	if err != nil {
		r, err := states.Refused(err)
		return states.Done[wish](r), err
	}
	switch {
	case w.missing:
		return states.Change(w, "User "+in.Name+" set to be added", nil), nil
	case w.change.Len() == 0:
		return states.Done[wish](states.Fine("User " + in.Name + " is present and up to date")), nil
	}
	text := "The following user attributes are set to be changed:\n"
	for k, v := range w.change.All() {
		if k == "passwd" {
			v = hidden
		}
		text += pyfmt.Str(k) + ": " + pyfmt.Str(v) + "\n"
	}
	return states.Change(w, text, nil), nil
}

// diff compares the user with the wish.
func (in presentArgs) diff(ctx context.Context, env *states.Env, optional []string, allow bool) (wish, error) {
	w := wish{change: ordered.New(4), optional: optional}
	u, err := states.Dict(env.Call(ctx, "user.info", modules.Pos(in.Name)))
	if err != nil || u.Len() == 0 {
		w.missing = true
		return w, err
	}
	if pyfmt.Truth(in.UID) && pyfmt.Str(in.UID) != pyfmt.Str(u.Value("uid")) {
		w.change.Set("uid", in.UID)
	}
	if in.GID != nil {
		number, err := gidOf(ctx, env, in.GID)
		if err != nil {
			return w, err
		}
		if number != pyfmt.Str(u.Value("gid")) {
			w.change.Set("gid", in.GID)
		}
	}
	if err := in.diffGroups(ctx, env, u, &w); err != nil {
		return w, err
	}
	if pyfmt.Truth(in.Home) && u.Value("home") != in.Home {
		w.change.Set("home", in.Home)
	}
	if in.Createhome {
		home := u.String("home")
		if pyfmt.Truth(in.Home) {
			home = pyfmt.Str(in.Home)
		}
		if fi, err := os.Stat(home); err != nil || !fi.IsDir() {
			w.change.Set("homeDoesNotExist", home)
		}
	}
	if pyfmt.Truth(in.Shell) && u.Value("shell") != in.Shell {
		w.change.Set("shell", in.Shell)
	}
	if err := in.diffShadow(ctx, env, &w); err != nil {
		return w, err
	}
	for _, f := range in.gecos() {
		if f[1] != nil && u.Value(f[0]) != pyfmt.Str(f[1]) {
			w.change.Set(f[0], f[1])
		}
	}
	if !allow {
		err = in.refuse(u, w.change)
	}
	return w, err
}

// gidOf is the number of a group given by number or name, as text.
func gidOf(ctx context.Context, env *states.Env, gid any) (string, error) {
	if _, err := modules.Int(gid); err == nil {
		return pyfmt.Str(gid), nil
	}
	g, err := states.Dict(env.Call(ctx, "group.info", modules.Pos(gid)))
	return pyfmt.Str(g.Value("gid")), err
}

func (in presentArgs) refuse(u, change *ordered.Map) error {
	var text string
	for _, id := range []struct {
		key     string
		allowed bool
		want    any
	}{{"uid", in.AllowUIDChange, in.UID}, {"gid", in.AllowGIDChange, in.GID}} {
		if change.Has(id.key) && !id.allowed {
			text += "\n- Changing " + id.key + " (" + pyfmt.Str(u.Value(id.key)) + " -> " + pyfmt.Str(id.want) + ") not permitted, set allow_" + id.key +
				"_change to True to force this change. Note that this will not change file ownership."
		}
	}
	if text == "" {
		return nil
	}
	return modules.Errorf("Encountered error checking for needed changes. Additional info follows:\n%s", text)
}

func (in presentArgs) diffGroups(ctx context.Context, env *states.Env, u *ordered.Map, w *wish) error {
	all, err := env.Call(ctx, "group.getent", modules.Args{})
	if err != nil {
		return err
	}
	nameOf := func(gid string) string {
		groups, _ := all.([]any)
		for _, e := range groups {
			if g, _ := e.(*ordered.Map); pyfmt.Str(g.Value("gid")) == gid {
				return g.String("name")
			}
		}
		return gid
	}
	now := names(u.Value("groups"))
	want := names(in.Groups)
	if in.Groups == nil {
		want = slices.Clone(now)
	}
	want = append(want, w.optional...)
	if !in.RemoveGroups {
		want = append(want, now...)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	old := nameOf(pyfmt.Str(u.Value("gid")))
	own := old
	if in.GID != nil {
		number, err := gidOf(ctx, env, in.GID)
		if err != nil {
			return err
		}
		own = nameOf(number)
	}
	drop := func(from []string, name string) []string {
		return slices.DeleteFunc(from, func(g string) bool { return g == name })
	}
	now = drop(drop(now, own), old)
	if !slices.Contains(want, in.Name) {
		now = drop(now, in.Name)
	}
	want = drop(want, own)
	if in.Groups == nil && len(w.optional) == 0 {
		want = drop(want, old)
		want = drop(want, in.Name)
		now = drop(now, in.Name)
	}
	if !slices.Equal(now, want) {
		w.change.Set("groups", list(want))
	}
	return nil
}

func (in presentArgs) diffShadow(ctx context.Context, env *states.Env, w *wish) error {
	if !in.wantsShadow() {
		return nil
	}
	s, err := states.Dict(env.Call(ctx, "shadow.info", modules.Pos(in.Name)))
	if err != nil {
		return err
	}
	now := s.String("passwd")
	if pyfmt.Truth(in.Password) && !in.EmptyPassword && (now == "!" || in.EnforcePassword) && now != pyfmt.Str(in.Password) {
		w.change.Set("passwd", in.Password)
	}
	if in.EmptyPassword && now != "" {
		w.change.Set("empty_password", true)
	}
	for _, d := range in.days() {
		if d[2] != nil && pyfmt.Str(s.Value(d[1])) != pyfmt.Str(d[2]) {
			w.change.Set(d[0], d[2])
		}
	}
	if lock, ok := in.PasswordLock.(bool); ok && strings.HasPrefix(now, "!") != lock {
		w.change.Set("password_lock", lock)
	}
	return nil
}

func (in presentArgs) wantsShadow() bool {
	for _, d := range in.days() {
		if d[2] != nil {
			return true
		}
	}
	return pyfmt.Truth(in.Password) || in.EmptyPassword || in.PasswordLock != nil
}
