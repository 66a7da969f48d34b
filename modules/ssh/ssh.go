// Package ssh holds the ssh.* functions: the keys that may log in, and the hosts that are known.
package ssh

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brine/internal/accounts"
	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/sshkeys"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "ssh", Doc: "Functions for SSH keys and known hosts.", Funcs: slices.Concat([]modules.Func{
		modules.PureFn("auth_keys", authKeysDoc, authKeys),
		modules.PureFn("check_key", checkKeyDoc, checkKey),
		modules.Fn("check_key_file", checkKeyFileDoc, checkKeyFile),
		modules.Fn("rm_auth_key", rmAuthKeyDoc, rmAuthKey),
		modules.Fn("rm_auth_key_from_file", rmAuthKeyFromFileDoc, rmAuthKeyFromFile),
		modules.Fn("set_auth_key", setAuthKeyDoc, setAuthKey),
		modules.Fn("set_auth_key_from_file", setAuthKeyFromFileDoc, setAuthKeyFromFile),
	}, hostFuncs())}
}

// userOf looks an account up.
func userOf(name string) (*accounts.User, error) {
	u, err := accounts.FindUser(name)
	if err == nil && u == nil {
		err = modules.Errorf("User '%s' does not exist", name)
	}
	return u, err
}

// configFile is the path of a file of a user: %u is the name, %h the home folder, other paths are below it.
func configFile(user, config string) (string, *accounts.User, error) {
	u, err := userOf(user)
	if err != nil {
		return "", nil, err
	}
	var out strings.Builder
	for i := 0; i < len(config); i++ {
		if config[i] != '%' {
			out.WriteByte(config[i])
			continue
		}
		i++
		switch {
		case i < len(config) && config[i] == 'u':
			out.WriteString(u.Name)
		case i < len(config) && config[i] == 'h':
			out.WriteString(u.Home)
		case i < len(config) && config[i] == '%':
			out.WriteByte('%')
		case i < len(config):
			return "", nil, modules.Errorf(`AuthorizedKeysFile path: unknown token character "%%%c"`, config[i])
		default:
			return "", nil, modules.Errorf("AuthorizedKeysFile path: Last character can't be escape character")
		}
	}
	path := out.String()
	if !pypath.IsAbs(path) {
		path = pypath.Join(u.Home, path)
	}
	return path, u, nil
}

const authKeysDoc = `List the keys that may log in as a user, or as several users.

CLI Example:

    salt '*' ssh.auth_keys root
    salt '*' ssh.auth_keys user='[user1, user2]'`

type authKeysArgs struct {
	User   any    `arg:"user" def:"None"`
	Config string `arg:"config" def:"'.ssh/authorized_keys'"`
	Hash   any    `arg:"fingerprint_hash_type" def:"None"`
}

func hashName(v any) string {
	if v == nil {
		return "sha256"
	}
	return pyfmt.Str(v)
}

// keysOf reads the keys of one user.
func keysOf(user, config string) ([]sshkeys.Key, error) {
	path, _, err := configFile(user, config)
	if err != nil {
		return nil, err
	}
	p, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, modules.Errorf("Problem reading ssh key file %s: %s", path, pyerr.Text(err))
	}
	return sshkeys.Parse(string(p)), nil
}

func data(keys []sshkeys.Key, hash any) *ordered.Map {
	out := ordered.New(len(keys))
	for _, k := range keys {
		e := ordered.Pairs("enc", k.Enc, "comment", k.Comment, "options", append([]string{}, k.Options...), "fingerprint", sshkeys.Fingerprint(k.Key, hashName(hash)))
		out.Set(k.Key, e)
	}
	return out
}

func authKeys(_ context.Context, env *modules.Env, in authKeysArgs) (any, error) {
	list, several := in.User.([]any)
	if !several {
		user := in.User
		if user == nil {
			user = env.Opt("user")
		}
		if user == nil {
			user = "root"
		}
		list = []any{user}
	}
	out := ordered.New(len(list))
	for _, u := range list {
		keys, err := keysOf(pyfmt.Str(u), in.Config)
		if err != nil {
			return nil, err
		}
		out.Set(u, data(keys, in.Hash))
	}
	if !several {
		return out.Value(list[0]), nil
	}
	return out, nil
}

// keyArgs name a key of a user.
type keyArgs struct {
	User    string `arg:"user"`
	Key     string `arg:"key"`
	Enc     string `arg:"enc"`
	Comment string `arg:"comment"`
	Options []any  `arg:"options"`
	Config  string `arg:"config" def:"'.ssh/authorized_keys'"`
	Cache   any    `arg:"cache_keys" def:"None"`
	Hash    any    `arg:"fingerprint_hash_type" def:"None"`
}

func (in keyArgs) key() (sshkeys.Key, error) {
	enc, ok := sshkeys.Kind(in.Enc)
	if !ok {
		return sshkeys.Key{}, modules.Errorf("Incorrect encryption key type '%s'.", in.Enc)
	}
	k := sshkeys.Key{Enc: enc, Key: in.Key, Comment: in.Comment}
	for _, o := range in.Options {
		k.Options = append(k.Options, pyfmt.Str(o))
	}
	return k, nil
}

const checkKeyDoc = `Tell what is to be done so that a key may log in: add, update, or nothing because it exists.

CLI Example:

    salt '*' ssh.check_key <user> <key> <enc> <comment> <options>`

func checkKey(_ context.Context, _ *modules.Env, in keyArgs) (any, error) {
	k, err := in.key()
	if err != nil {
		return nil, err
	}
	keys, err := keysOf(in.User, in.Config)
	if err != nil {
		return nil, err
	}
	for _, have := range keys {
		if have.Key == k.Key {
			if have.Line() != k.Line() {
				return "update", nil
			}
			return "exists", nil
		}
	}
	return "add", nil
}

const setAuthKeyDoc = `Let a key log in as a user: new, replace or no change, or why not: fail, invalid.

CLI Example:

    salt '*' ssh.set_auth_key <user> '<key>' enc='dsa'`

type setKeyArgs struct {
	User    string `arg:"user"`
	Key     string `arg:"key"`
	Enc     string `arg:"enc" def:"'ssh-rsa'"`
	Comment string `arg:"comment" def:"''"`
	Options []any  `arg:"options" def:"None"`
	Config  string `arg:"config" def:"'.ssh/authorized_keys'"`
	Cache   any    `arg:"cache_keys" def:"None"`
	Hash    any    `arg:"fingerprint_hash_type" def:"None"`
}

func setAuthKey(ctx context.Context, env *modules.Env, in setKeyArgs) (any, error) {
	if len(strings.Fields(in.Key)) > 1 {
		return "invalid", nil
	}
	a := keyArgs{User: in.User, Key: in.Key, Enc: in.Enc, Comment: in.Comment, Options: in.Options, Config: in.Config, Hash: in.Hash}
	k, err := a.key()
	if err != nil {
		return nil, err
	}
	if u, err := accounts.FindUser(in.User); err != nil || u == nil {
		return "fail", err
	}
	if sshkeys.Fingerprint(in.Key, "sha256") == "" {
		return "Invalid public key", nil
	}
	status, err := checkKey(ctx, env, a)
	if err != nil || status == "exists" {
		return "no change", err
	}
	path, u, err := configFile(in.User, in.Config)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, u.Home) && !pypath.IsDir(u.Home) {
		return "fail", nil
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, modules.Errorf("Could not read key file: %s", pyerr.Text(err))
	}
	if status == "update" {
		return "replace", write(path, sshkeys.Replace(string(old), k), u)
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return "new", write(path, text+k.Line(), u)
}

// write replaces a file; a new one, and a new folder for it, belong to the user alone.
func write(path, text string, u *accounts.User) error {
	own := func(p string, mode os.FileMode) error {
		if err := os.Chmod(p, mode); err != nil || u == nil || os.Geteuid() != 0 {
			return err
		}
		return os.Chown(p, int(u.UID), int(u.GID))
	}
	dir := filepath.Dir(path)
	if !pypath.IsDir(dir) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return modules.Errorf("Could not write to key file: %s", pyerr.Text(err))
		}
		if err := own(dir, 0o700); err != nil {
			return err
		}
	}
	fresh := !pypath.Lexists(path)
	if fresh {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return modules.Errorf("Could not write to key file: %s", pyerr.Text(err))
		}
		if err := f.Close(); err != nil {
			return err
		}
		if err := own(path, 0o600); err != nil {
			return err
		}
	}
	if err := fileops.Put(path, []byte(text)); err != nil {
		return modules.Errorf("Could not write to key file: %s", pyerr.Text(err))
	}
	return nil
}

const rmAuthKeyDoc = `Take a key away from those that may log in as a user.

CLI Example:

    salt '*' ssh.rm_auth_key <user> <key>`

type rmKeyArgs struct {
	User   string `arg:"user"`
	Key    string `arg:"key"`
	Config string `arg:"config" def:"'.ssh/authorized_keys'"`
	Hash   any    `arg:"fingerprint_hash_type" def:"None"`
}

func rmAuthKey(_ context.Context, _ *modules.Env, in rmKeyArgs) (any, error) {
	keys, err := keysOf(in.User, in.Config)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(keys, func(k sshkeys.Key) bool { return k.Key == in.Key }) {
		return "Key not present", nil
	}
	path, u, err := configFile(in.User, in.Config)
	if err != nil {
		return nil, err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return nil, modules.Errorf("Could not read key file: %s", pyerr.Text(err))
	}
	return "Key removed", write(path, sshkeys.Remove(string(old), in.Key), u)
}

const checkKeyFileDoc = `Tell for each key of a file what ssh.check_key tells.

CLI Example:

    salt '*' ssh.check_key_file root salt://ssh/keyfile`

type fileArgs struct {
	User    string `arg:"user"`
	Source  string `arg:"source"`
	Config  string `arg:"config" def:"'.ssh/authorized_keys'"`
	Saltenv any    `arg:"saltenv" def:"'base'"`
	Hash    any    `arg:"fingerprint_hash_type" def:"None"`
}

// keys are those of a file of the file roots.
func (in fileArgs) keys(ctx context.Context, env *modules.Env) ([]sshkeys.Key, error) {
	v, err := env.Call(ctx, "cp.cache_file", modules.Pos(in.Source).With("saltenv", in.Saltenv))
	if err != nil {
		return nil, err
	}
	path, _ := v.(string)
	if path == "" {
		return nil, nil
	}
	p, err := os.ReadFile(path)
	return sshkeys.Parse(string(p)), err
}

func checkKeyFile(ctx context.Context, env *modules.Env, in fileArgs) (any, error) {
	keys, err := in.keys(ctx, env)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(keys))
	for _, k := range keys {
		status, err := checkKey(ctx, env, keyArgs{User: in.User, Key: k.Key, Enc: k.Enc, Comment: k.Comment, Options: anys(k.Options), Config: in.Config})
		if err != nil {
			return nil, err
		}
		out.Set(k.Key, status)
	}
	return out, nil
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

const setAuthKeyFromFileDoc = `Let the keys of a file log in as a user.

CLI Example:

    salt '*' ssh.set_auth_key_from_file <user> salt://ssh_keys/<user>.id_rsa.pub`

func setAuthKeyFromFile(ctx context.Context, env *modules.Env, in fileArgs) (any, error) {
	keys, err := in.keys(ctx, env)
	if err != nil || len(keys) == 0 {
		return "fail", err
	}
	worst := "no change"
	for _, k := range keys {
		v, err := setAuthKey(ctx, env, setKeyArgs{User: in.User, Key: k.Key, Enc: k.Enc, Comment: k.Comment, Options: anys(k.Options), Config: in.Config})
		if err != nil {
			return nil, err
		}
		order := []string{"no change", "new", "replace", "fail"}
		if s := pyfmt.Str(v); slices.Index(order, s) > slices.Index(order, worst) {
			worst = s
		}
	}
	return worst, nil
}

const rmAuthKeyFromFileDoc = `Take the keys of a file away from those that may log in as a user.

CLI Example:

    salt '*' ssh.rm_auth_key_from_file <user> salt://ssh_keys/<user>.id_rsa.pub`

func rmAuthKeyFromFile(ctx context.Context, env *modules.Env, in fileArgs) (any, error) {
	keys, err := in.keys(ctx, env)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, modules.Errorf("No keys have been found. Please check the formatting of the ssh key file.")
	}
	worst := "Key not present"
	for _, k := range keys {
		v, err := rmAuthKey(ctx, env, rmKeyArgs{User: in.User, Key: k.Key, Config: in.Config})
		if err != nil {
			return nil, err
		}
		if v == "Key removed" {
			worst = "Key removed"
		}
	}
	return worst, nil
}
