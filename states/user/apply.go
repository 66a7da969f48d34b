package user

import (
	"context"
	"os"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

func applyPresent(ctx context.Context, env *states.Env, in presentArgs, w wish) (*states.Result, error) {
	if v, ok := w.change.Get("passwd"); ok {
		in.Password = v // the hash that was made before
	} else if err := in.prepare(ctx, env); err != nil {
		return nil, err
	}
	if w.missing {
		return in.create(ctx, env, w)
	}
	pre, err := look(ctx, env, in)
	if err != nil {
		return nil, err
	}
	if err := in.change(ctx, env, w.change, pre); err != nil {
		return states.Refused(err)
	}
	post, err := look(ctx, env, in)
	if err != nil {
		return nil, err
	}
	r := &states.Result{OK: states.True(), Comment: "User " + in.Name + " is present and up to date", Changes: ordered.New(2)}
	for k, v := range post.user.All() {
		if !ordered.Equal(v, pre.user.Value(k)) {
			r.Changes.Set(k, v)
		}
	}
	for k, v := range post.shadow.All() {
		if ordered.Equal(v, pre.shadow.Value(k)) {
			continue
		}
		if k == "passwd" {
			v = hidden
		}
		r.Changes.Set(k, v)
	}
	if r.Changes.Len() == 0 && w.change.Has("homeDoesNotExist") {
		r.Changes.Set("homeDoesNotExist", w.change.Value("homeDoesNotExist"))
	}
	if r.Changes.Len() > 0 {
		r.Comment = "Updated user " + in.Name
	}
	left, err := in.diff(ctx, env, w.optional, true)
	if err != nil {
		return nil, err
	}
	if left.change.Len() > 0 {
		if left.change.Has("passwd") {
			left.change.Set("passwd", hidden)
		}
		r.OK, r.Comment = states.False(), "These values could not be changed: "+pyfmt.Repr(left.change)
	}
	return r, nil
}

// account is what the system says of a user.
type account struct{ user, shadow *ordered.Map }

func look(ctx context.Context, env *states.Env, in presentArgs) (account, error) {
	u, err := states.Dict(env.Call(ctx, "user.info", modules.Pos(in.Name)))
	if err != nil || !in.wantsShadow() {
		return account{u, ordered.New(0)}, err
	}
	s, err := states.Dict(env.Call(ctx, "shadow.info", modules.Pos(in.Name)))
	return account{u, s}, err
}

// change does what differs: shadow and home first, the groups after the own group.
func (in presentArgs) change(ctx context.Context, env *states.Env, change *ordered.Map, pre account) error {
	var err error
	call := func(fun string, a ...any) {
		if err == nil {
			_, err = env.Call(ctx, fun, modules.Pos(append([]any{in.Name}, a...)...))
		}
	}
	if v, ok := change.Get("passwd"); ok {
		call("shadow.set_password", v)
	}
	if change.Has("empty_password") {
		call("shadow.del_password")
	}
	if v, ok := change.Get("password_lock"); ok && v == true {
		call("shadow.lock_password")
	} else if ok {
		call("shadow.unlock_password")
	}
	for _, d := range in.days() {
		if v, ok := change.Get(d[0]); ok {
			call("shadow.set_"+pyfmt.Str(d[0]), v)
		}
	}
	if v, ok := change.Get("home"); ok {
		call("user.chhome", v, false)
	}
	if v, ok := change.Get("homeDoesNotExist"); ok && err == nil {
		err = makeHome(ctx, env, pyfmt.Str(v), pre.user)
	}
	for _, key := range []string{"uid", "gid", "shell", "fullname", "roomnumber", "workphone", "homephone", "other"} {
		if v, ok := change.Get(key); ok {
			call("user.ch"+key, v)
		}
	}
	if v, ok := change.Get("groups"); ok {
		call("user.chgroups", v, !in.RemoveGroups)
	}
	return err
}

// makeHome makes an empty home folder of the user.
func makeHome(_ context.Context, _ *states.Env, dir string, u *ordered.Map) error {
	uid, _ := u.Value("uid").(int64)
	gid, _ := u.Value("gid").(int64)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chown(dir, int(uid), int(gid))
}

func (in presentArgs) create(ctx context.Context, env *states.Env, w wish) (*states.Result, error) {
	groups := append(names(in.Groups), w.optional...)
	var wanted any
	if in.Groups != nil || len(groups) > 0 {
		wanted = list(groups)
	}
	kw := ordered.Pairs("name", in.Name, "uid", in.UID, "gid", in.GID, "groups", wanted, "home", in.Home, "shell", in.Shell, "unique", in.Unique,
		"system", in.System, "fullname", in.Fullname, "roomnumber", in.Roomnumber, "workphone", in.Workphone, "homephone", in.Homephone, "other", in.Other,
		"createhome", in.Createhome, "nologinit", in.Nologinit, "loginclass", in.Loginclass, "usergroup", in.Usergroup)
	ok, err := states.Truth(env.Call(ctx, "user.add", modules.Args{Kw: kw}))
	if err != nil || !ok {
		return states.Failed("Failed to create new user %s", in.Name), err
	}
	info, err := states.Dict(env.Call(ctx, "user.info", modules.Pos(in.Name)))
	if err != nil {
		return nil, err
	}
	if !in.Createhome {
		info.Set("home", "")
	}
	r := &states.Result{OK: states.True(), Comment: "New user " + in.Name + " created", Changes: info}
	return r, in.createShadow(ctx, env, r)
}

func (in presentArgs) createShadow(ctx context.Context, env *states.Env, r *states.Result) error {
	set := func(fun string, v any, key string, label, what string) error {
		a := modules.Pos(in.Name)
		if v != "" {
			a = modules.Pos(in.Name, v)
		}
		if _, err := env.Call(ctx, "shadow."+fun, a); err != nil {
			return err
		}
		s, err := states.Dict(env.Call(ctx, "shadow.info", modules.Pos(in.Name)))
		if err != nil {
			return err
		}
		if pyfmt.Str(s.Value(key)) != pyfmt.Str(v) {
			r.OK, r.Comment = states.False(), "User "+in.Name+" created but failed to "+what
		}
		if key == "passwd" && v != "" {
			v = hidden
		}
		r.Changes.Set(label, v)
		return nil
	}
	if pyfmt.Truth(in.Password) && !in.EmptyPassword {
		if err := set("set_password", in.Password, "passwd", "password", "set password to "+hidden); err != nil {
			return err
		}
	}
	if in.EmptyPassword && !pyfmt.Truth(in.Password) {
		if err := set("del_password", "", "passwd", "password", "empty password"); err != nil {
			return err
		}
	}
	say := map[any]string{"date": "last change date", "mindays": "minimum days", "maxdays": "maximum days", "inactdays": "inactive days",
		"warndays": "warn days", "expire": "expire days"}
	for _, d := range in.days() {
		if d[2] == nil {
			continue
		}
		name := pyfmt.Str(d[0])
		if err := set("set_"+name, d[2], pyfmt.Str(d[1]), name, "set "+say[d[0]]+" to "+pyfmt.Str(d[2])); err != nil {
			return err
		}
	}
	if in.PasswordLock == true {
		_, err := env.Call(ctx, "shadow.lock_password", modules.Pos(in.Name))
		return err
	}
	return nil
}

type absentArgs struct {
	Name  string `arg:"name"`
	Purge bool   `arg:"purge" def:"False"`
	Force bool   `arg:"force" def:"False"`
}

const absentDoc = `Make sure that a user is not there.

purge
    remove the home folder and the mail too
force
    also when the user is logged in`

func checkAbsent(ctx context.Context, env *states.Env, in absentArgs) (states.Check[[]string], error) {
	u, err := states.Dict(env.Call(ctx, "user.info", modules.Pos(in.Name)))
	if err != nil {
		return states.Check[[]string]{}, err
	}
	if u.Len() == 0 {
		return states.Done[[]string](states.Fine("User " + in.Name + " is not present")), nil
	}
	return states.Change(names(u.Value("groups")), "User "+in.Name+" set for removal", nil), nil
}

func applyAbsent(ctx context.Context, env *states.Env, in absentArgs, groups []string) (*states.Result, error) {
	ok, err := states.Truth(env.Call(ctx, "user.delete", modules.Pos(in.Name, in.Purge, in.Force)))
	if err != nil || !ok {
		return states.Failed("Failed to remove user %s", in.Name), err
	}
	gone, err := missing(ctx, env, groups)
	if err != nil {
		return nil, err
	}
	changes := ordered.New(2)
	for _, g := range gone {
		changes.Set(g+" group", "removed")
	}
	changes.Set(in.Name, "removed")
	return &states.Result{OK: states.True(), Comment: "Removed user " + in.Name, Changes: changes}, nil
}
