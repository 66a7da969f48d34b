// Package shadow holds the shadow.* functions: passwords and how long they and their accounts hold, with chage(1),
// chpasswd(8) and passwd(1).
package shadow

import (
	"context"
	"strings"

	"brine/internal/accounts"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/unixcrypt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	fns := []modules.Func{
		modules.PureFn("default_hash", defaultDoc, defaultHash),
		modules.Fn("del_password", delDoc, passwd("-d")),
		modules.PureFn("gen_password", genDoc, genPassword),
		modules.PureFn("info", infoDoc, info),
		modules.PureFn("list_users", listDoc, listUsers),
		modules.Fn("lock_password", lockDoc, passwd("-l")),
		modules.Fn("set_password", setDoc, setPassword),
		modules.Fn("unlock_password", unlockDoc, passwd("-u")),
	}
	for _, a := range ages {
		param := a.param
		fns = append(fns, modules.FnPick("set_"+a.name, a.doc, "name "+param+" root", a.set))
	}
	return modules.Module{Name: "shadow", Doc: "Functions for passwords and their ages.", Funcs: fns}
}

type nameArgs struct {
	Name string `arg:"name"`
	Root any    `arg:"root" def:"None"`
}

const infoDoc = `Tell what the shadow file says of a user.

CLI Example:

    salt '*' shadow.info root`

func info(_ context.Context, _ *modules.Env, in nameArgs) (any, error) {
	s, err := accounts.FindShadow(in.Name)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return ordered.Pairs("name", "", "passwd", "", "lstchg", "", "min", "", "max", "", "warn", "", "inact", "", "expire", ""), nil
	}
	return ordered.Pairs("name", s.Name, "passwd", s.Passwd, "lstchg", s.Changed, "min", s.Min, "max", s.Max, "warn", s.Warn,
		"inact", s.Inactive, "expire", s.Expire), nil
}

type none struct{}

const defaultDoc = `Tell what stands for no password in the shadow file.

CLI Example:

    salt '*' shadow.default_hash`

func defaultHash(context.Context, *modules.Env, none) (any, error) { return "!", nil }

const listDoc = `List the users of the shadow file.

CLI Example:

    salt '*' shadow.list_users`

func listUsers(context.Context, *modules.Env, none) (any, error) {
	all, err := accounts.Shadows()
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s.Name
	}
	return out, err
}

type genArgs struct {
	Password  string `arg:"password"`
	Salt      any    `arg:"crypt_salt" def:"None"`
	Algorithm string `arg:"algorithm" def:"'sha512'"`
}

const genDoc = `Make the hash of a password as the shadow file has it.

crypt_salt
    made up when not given
algorithm
    sha512, sha256 or md5

CLI Example:

    salt '*' shadow.gen_password 'I_am_password'`

func genPassword(_ context.Context, _ *modules.Env, in genArgs) (any, error) {
	salt := ""
	if in.Salt != nil {
		salt = pyfmt.Str(in.Salt)
	}
	h, err := unixcrypt.Hash(in.Password, salt, in.Algorithm)
	if err != nil {
		return nil, modules.Invalidf("%s", err)
	}
	return h, nil
}

type setArgs struct {
	Name       string `arg:"name"`
	Password   string `arg:"password"`
	UseUsermod bool   `arg:"use_usermod" def:"False"`
	Root       any    `arg:"root" def:"None"`
}

const setDoc = `Set the hash of a user's password.

CLI Example:

    salt '*' shadow.set_password root '$6$SALTsalt$UiZikbV3VeeBPsg8./Q5DAfq9aj7CVZMDU6ffBiBLgUEpxv7LMXKbcZ9JSZnYDrZQftdG319XkbLVMvWcF/Vr/'`

func setPassword(ctx context.Context, env *modules.Env, in setArgs) (any, error) {
	if strings.ContainsAny(in.Password, ":\n") {
		return nil, modules.Errorf("a password hash has no colon and no line break")
	}
	s, err := accounts.FindShadow(in.Name)
	if err != nil || s == nil {
		return false, err
	}
	// The hash goes by the standard input, where no list of processes shows it.
	r, err := host.Exec(ctx, env.Host, host.Cmd{Argv: []string{"chpasswd", "-e"}, Stdin: []byte(in.Name + ":" + in.Password + "\n")})
	if err != nil || !r.OK() {
		return false, err
	}
	s, err = accounts.FindShadow(in.Name)
	return s != nil && s.Passwd == in.Password, err
}

const delDoc = `Let a user log in without a password.

CLI Example:

    salt '*' shadow.del_password username`

const lockDoc = `Lock the password of a user.

CLI Example:

    salt '*' shadow.lock_password username`

const unlockDoc = `Unlock the password of a user.

CLI Example:

    salt '*' shadow.unlock_password username`

func passwd(flag string) func(context.Context, *modules.Env, nameArgs) (any, error) {
	return func(ctx context.Context, env *modules.Env, in nameArgs) (any, error) {
		before, err := accounts.FindShadow(in.Name)
		if err != nil || before == nil {
			return false, err
		}
		r, err := host.Tool(ctx, env.Host, "passwd", flag, in.Name)
		return err == nil && r.OK(), err
	}
}

// age is one limit that chage sets.
type age struct {
	name, param, flag, doc string
	of                     func(*accounts.Shadow) int64
}

type ageArgs struct {
	Name   string `arg:"name"`
	Inact  any    `arg:"inactdays" def:"None"`
	Max    any    `arg:"maxdays" def:"None"`
	Min    any    `arg:"mindays" def:"None"`
	Warn   any    `arg:"warndays" def:"None"`
	Date   any    `arg:"date" def:"None"`
	Expire any    `arg:"expire" def:"None"`
	Root   any    `arg:"root" def:"None"`
}

var ages = []age{
	{"date", "date", "-d", "Set when the password was last changed: days since 1970, or a date.\n\nCLI Example:\n\n    salt '*' shadow.set_date username 0",
		func(s *accounts.Shadow) int64 { return s.Changed }},
	{"expire", "expire", "-E", "Set when the account ends: days since 1970, or a date.\n\nCLI Example:\n\n    salt '*' shadow.set_expire username -1",
		func(s *accounts.Shadow) int64 { return s.Expire }},
	{"inactdays", "inactdays", "-I", "Set how many days after the end of its password an account is locked.\n\nCLI Example:\n\n    salt '*' shadow.set_inactdays username 7",
		func(s *accounts.Shadow) int64 { return s.Inactive }},
	{"maxdays", "maxdays", "-M", "Set how many days a password holds.\n\nCLI Example:\n\n    salt '*' shadow.set_maxdays username 90",
		func(s *accounts.Shadow) int64 { return s.Max }},
	{"mindays", "mindays", "-m", "Set how many days a password must be kept.\n\nCLI Example:\n\n    salt '*' shadow.set_mindays username 7",
		func(s *accounts.Shadow) int64 { return s.Min }},
	{"warndays", "warndays", "-W", "Set how many days before its end the user is warned.\n\nCLI Example:\n\n    salt '*' shadow.set_warndays username 7",
		func(s *accounts.Shadow) int64 { return s.Warn }},
}

func (a age) value(in ageArgs) any {
	return map[string]any{"date": in.Date, "expire": in.Expire, "inactdays": in.Inact, "maxdays": in.Max, "mindays": in.Min, "warndays": in.Warn}[a.param]
}

func (a age) set(ctx context.Context, env *modules.Env, in ageArgs) (any, error) {
	v := a.value(in)
	before, err := accounts.FindShadow(in.Name)
	if err != nil || before == nil || v == nil {
		return false, err
	}
	n, isNumber := modules.Int(v)
	if isNumber == nil && a.of(before) == n {
		return true, nil
	}
	r, err := host.Tool(ctx, env.Host, "chage", a.flag, pyfmt.Str(v), in.Name)
	if err != nil || !r.OK() {
		return false, err
	}
	after, err := accounts.FindShadow(in.Name)
	return after != nil && (isNumber != nil || a.of(after) == n), err
}
