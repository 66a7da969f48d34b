package ssh

import (
	"context"
	"os"
	"slices"
	"strings"

	"brine/internal/accounts"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/sshkeys"
	"brine/modules"
)

func hostFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("check_known_host", checkKnownHostDoc, checkKnownHost),
		modules.PureFn("get_known_host_entries", getKnownHostDoc, getKnownHost),
		modules.Fn("hash_known_hosts", hashKnownHostsDoc, hashKnownHosts),
		modules.PureFn("host_keys", hostKeysDoc, hostKeys),
		modules.PureFn("recv_known_host_entries", recvKnownHostDoc, recvKnownHost),
		modules.Fn("rm_known_host", rmKnownHostDoc, rmKnownHost),
		modules.Fn("set_known_host", setKnownHostDoc, setKnownHost),
	}
}

func failure(msg string) *ordered.Map { return ordered.Pairs("status", "error", "error", msg) }

// knownFile is the file of known hosts of a user, or of the machine.
func knownFile(user, config any) (path string, u *accounts.User, refused *ordered.Map, err error) {
	if pyfmt.Truth(user) {
		file := ".ssh/known_hosts"
		if pyfmt.Truth(config) {
			file = pyfmt.Str(config)
		}
		path, u, err = configFile(pyfmt.Str(user), file)
		return path, u, nil, err
	}
	path = "/etc/ssh/ssh_known_hosts"
	if pyfmt.Truth(config) {
		path = pyfmt.Str(config)
	}
	if !pypath.IsAbs(path) {
		return "", nil, failure("Config file must be absolute path if no user specified."), nil
	}
	return path, nil, nil, nil
}

// hostName is how known_hosts writes a host with a port.
func hostName(host string, port any) string {
	if port == nil || pyfmt.Str(port) == "22" {
		return host
	}
	return "[" + host + "]:" + pyfmt.Str(port)
}

func tool(ctx context.Context, env *modules.Env, cmd ...string) (*ordered.Map, error) {
	v, err := env.Call(ctx, "cmd.run_all", modules.Pos(ordered.Of(cmd)).With("python_shell", false).With("ignore_retcode", true))
	res, _ := v.(*ordered.Map)
	return res, err
}

// entries reads lines of known_hosts.
func entries(text string, hash any) []any {
	out := []any{}
	for _, l := range pytext.Splitlines(text, false) {
		f := strings.Fields(l)
		if len(f) < 3 || strings.HasPrefix(l, "#") || strings.HasPrefix(l, "no hostkey") {
			continue
		}
		if print := sshkeys.Fingerprint(f[2], hashName(hash)); print != "" {
			out = append(out, ordered.Pairs("hostname", f[0], "enc", f[1], "key", f[2], "fingerprint", print))
		}
	}
	return out
}

func column(list []any, key string) []any {
	out := []any{}
	for _, e := range list {
		m, _ := e.(*ordered.Map)
		out = append(out, m.Value(key))
	}
	return out
}

const getKnownHostDoc = `List the keys that are known of a host, None for none.

CLI Example:

    salt '*' ssh.get_known_host_entries <user> <hostname>`

type getHostArgs struct {
	User     any    `arg:"user"`
	Hostname string `arg:"hostname"`
	Config   any    `arg:"config" def:"None"`
	Port     any    `arg:"port" def:"None"`
	Hash     any    `arg:"fingerprint_hash_type" def:"None"`
}

func getKnownHost(ctx context.Context, env *modules.Env, in getHostArgs) (any, error) {
	path, _, refused, err := knownFile(in.User, in.Config)
	if refused != nil || err != nil {
		return refused, err
	}
	res, err := tool(ctx, env, "ssh-keygen", "-F", hostName(in.Hostname, in.Port), "-f", path)
	if err != nil {
		return nil, err
	}
	if list := entries(res.String("stdout"), in.Hash); len(list) > 0 {
		return list, nil
	}
	return nil, nil
}

const recvKnownHostDoc = `Ask a host for its keys.

CLI Example:

    salt '*' ssh.recv_known_host_entries <hostname> enc=<enc> port=<port>`

type recvHostArgs struct {
	Hostname string `arg:"hostname"`
	Enc      any    `arg:"enc" def:"None"`
	Port     any    `arg:"port" def:"None"`
	HashName bool   `arg:"hash_known_hosts" def:"True"`
	Timeout  any    `arg:"timeout" def:"5"`
	Hash     any    `arg:"fingerprint_hash_type" def:"None"`
}

func recvKnownHost(ctx context.Context, env *modules.Env, in recvHostArgs) (any, error) {
	cmd := []string{"ssh-keyscan"}
	if in.Port != nil {
		cmd = append(cmd, "-p", pyfmt.Str(in.Port))
	}
	if in.Enc != nil {
		cmd = append(cmd, "-t", pyfmt.Str(in.Enc))
	}
	if in.HashName {
		cmd = append(cmd, "-H")
	}
	res, err := tool(ctx, env, append(cmd, "-T", pyfmt.Str(in.Timeout), in.Hostname)...)
	if err != nil {
		return nil, err
	}
	if list := entries(res.String("stdout"), in.Hash); len(list) > 0 {
		return list, nil
	}
	return nil, nil
}

const checkKnownHostDoc = `Tell what is to be done so that a host is known: add, update, or nothing because it exists.

CLI Example:

    salt '*' ssh.check_known_host <user> <hostname> key='AAAA...FAaQ=='`

type checkHostArgs struct {
	User        any `arg:"user" def:"None"`
	Hostname    any `arg:"hostname" def:"None"`
	Key         any `arg:"key" def:"None"`
	Fingerprint any `arg:"fingerprint" def:"None"`
	Config      any `arg:"config" def:"None"`
	Port        any `arg:"port" def:"None"`
	Hash        any `arg:"fingerprint_hash_type" def:"None"`
}

func checkKnownHost(ctx context.Context, env *modules.Env, in checkHostArgs) (any, error) {
	if !pyfmt.Truth(in.Hostname) {
		return failure("hostname argument required"), nil
	}
	v, err := getKnownHost(ctx, env, getHostArgs{in.User, pyfmt.Str(in.Hostname), in.Config, in.Port, in.Hash})
	if err != nil {
		return nil, err
	}
	list, _ := v.([]any)
	switch {
	case len(list) == 0:
		return "add", nil
	case pyfmt.Truth(in.Key) && !slices.Contains(column(list, "key"), in.Key), pyfmt.Truth(in.Fingerprint) && !slices.Contains(column(list, "fingerprint"), in.Fingerprint):
		return "update", nil
	}
	return "exists", nil
}

const rmKnownHostDoc = `Forget the keys of a host.

CLI Example:

    salt '*' ssh.rm_known_host <user> <hostname>`

type rmHostArgs struct {
	User     any `arg:"user" def:"None"`
	Hostname any `arg:"hostname" def:"None"`
	Config   any `arg:"config" def:"None"`
	Port     any `arg:"port" def:"None"`
}

func rmKnownHost(ctx context.Context, env *modules.Env, in rmHostArgs) (any, error) {
	if !pyfmt.Truth(in.Hostname) {
		return failure("hostname argument required"), nil
	}
	path, u, refused, err := knownFile(in.User, in.Config)
	if refused != nil || err != nil {
		return refused, err
	}
	if !pypath.IsFile(path) {
		return failure("Known hosts file " + path + " does not exist"), nil
	}
	res, err := tool(ctx, env, "ssh-keygen", "-R", hostName(pyfmt.Str(in.Hostname), in.Port), "-f", path)
	if err != nil {
		return nil, err
	}
	if u != nil && os.Geteuid() == 0 {
		if err := os.Chown(path, int(u.UID), int(u.GID)); err != nil {
			return nil, err
		}
	}
	return ordered.Pairs("status", "removed", "comment", res.String("stdout")), nil
}

const hashKnownHostsDoc = `Hash the names in a file of known hosts.

CLI Example:

    salt '*' ssh.hash_known_hosts`

type hashHostsArgs struct {
	User   any `arg:"user" def:"None"`
	Config any `arg:"config" def:"None"`
}

func hashKnownHosts(ctx context.Context, env *modules.Env, in hashHostsArgs) (any, error) {
	path, u, refused, err := knownFile(in.User, in.Config)
	if refused != nil || err != nil {
		return refused, err
	}
	if !pypath.IsFile(path) {
		return failure("Known hosts file " + path + " does not exist"), nil
	}
	before, statErr := os.Stat(path)
	res, err := tool(ctx, env, "ssh-keygen", "-H", "-f", path)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(path + ".old") // it has the names that were to be hidden
	if statErr == nil {
		if err := os.Chmod(path, before.Mode()); err != nil {
			return nil, err
		}
	}
	if u != nil && os.Geteuid() == 0 {
		if err := os.Chown(path, int(u.UID), int(u.GID)); err != nil {
			return nil, err
		}
	}
	return ordered.Pairs("status", "updated", "comment", res.String("stdout")), nil
}

const setKnownHostDoc = `Make a host known: by the key given, or by the keys that it gives itself, checked by a fingerprint.

CLI Example:

    salt '*' ssh.set_known_host <user> fingerprint='xx:xx:..:xx' enc='ssh-rsa' config='.ssh/known_hosts'`

type setHostArgs struct {
	User        any  `arg:"user" def:"None"`
	Hostname    any  `arg:"hostname" def:"None"`
	Fingerprint any  `arg:"fingerprint" def:"None"`
	Key         any  `arg:"key" def:"None"`
	Port        any  `arg:"port" def:"None"`
	Enc         any  `arg:"enc" def:"None"`
	Config      any  `arg:"config" def:"None"`
	HashName    bool `arg:"hash_known_hosts" def:"True"`
	Timeout     any  `arg:"timeout" def:"5"`
	Hash        any  `arg:"fingerprint_hash_type" def:"None"`
}

func setKnownHost(ctx context.Context, env *modules.Env, in setHostArgs) (any, error) {
	if !pyfmt.Truth(in.Hostname) {
		return failure("hostname argument required"), nil
	}
	host := pyfmt.Str(in.Hostname)
	v, err := getKnownHost(ctx, env, getHostArgs{in.User, host, in.Config, in.Port, in.Hash})
	if err != nil {
		return nil, err
	}
	stored, _ := v.([]any)
	named := in.Fingerprint != nil || in.Key != nil
	wanted := len(stored) == 0 || pyfmt.Truth(in.Fingerprint) && !slices.Contains(column(stored, "fingerprint"), in.Fingerprint) ||
		pyfmt.Truth(in.Key) && !slices.Contains(column(stored, "key"), in.Key)
	if !wanted && named {
		return ordered.Pairs("status", "exists", "keys", column(stored, "key")), nil
	}
	found := []any{ordered.Pairs("hostname", host, "enc", in.Enc, "key", in.Key)}
	if !pyfmt.Truth(in.Key) {
		v, err := recvKnownHost(ctx, env, recvHostArgs{host, in.Enc, in.Port, in.HashName, in.Timeout, in.Hash})
		if err != nil {
			return nil, err
		}
		found, _ = v.([]any)
		switch {
		case len(found) == 0:
			return failure("Unable to receive remote host keys"), nil
		case in.Fingerprint != nil && !slices.Contains(column(found, "fingerprint"), in.Fingerprint):
			return failure("Remote host public keys found but none of their fingerprints match the one you have provided"), nil
		}
		if !wanted && slices.ContainsFunc(column(found, "key"), func(k any) bool { return slices.Contains(column(stored, "key"), k) }) {
			return ordered.Pairs("status", "exists", "keys", column(stored, "key")), nil
		}
	}
	if refused, err := in.install(ctx, env, found); refused != nil || err != nil {
		return refused, err
	}
	var old any = stored
	if len(stored) == 0 {
		old = nil
	}
	return ordered.Pairs("status", "updated", "old", old, "new", found), nil
}

// install puts the entries of a host in the place of those that are there.
func (in setHostArgs) install(ctx context.Context, env *modules.Env, found []any) (*ordered.Map, error) {
	path, u, refused, err := knownFile(in.User, in.Config)
	if refused != nil || err != nil {
		return refused, err
	}
	if pypath.IsFile(path) {
		if _, err := rmKnownHost(ctx, env, rmHostArgs{in.User, in.Hostname, in.Config, in.Port}); err != nil {
			return nil, err
		}
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	text := string(old)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for _, e := range found {
		m, _ := e.(*ordered.Map)
		name := pyfmt.Str(m.Value("hostname"))
		if !in.HashName && !strings.Contains(name, ":") {
			name = hostName(name, in.Port)
		}
		text += name + " " + pyfmt.Str(m.Value("enc")) + " " + pyfmt.Str(m.Value("key")) + "\n"
	}
	if err := write(path, text, u); err != nil {
		return nil, modules.Errorf("Couldn't append to known hosts file: '%v'", err)
	}
	if u == nil {
		if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // all users read it
			return nil, err
		}
	}
	if pyfmt.Truth(in.Key) && in.HashName {
		_, err = hashKnownHosts(ctx, env, hashHostsArgs{in.User, path})
	}
	return nil, err
}

const hostKeysDoc = `Tell the keys of this host; the private ones only with private=True.

CLI Example:

    salt '*' ssh.host_keys
    salt '*' ssh.host_keys keydir=/etc/ssh private=False`

type hostKeysArgs struct {
	Keydir  any  `arg:"keydir" def:"None"`
	Private bool `arg:"private" def:"True"`
	Certs   bool `arg:"certs" def:"True"`
}

func hostKeys(_ context.Context, _ *modules.Env, in hostKeysArgs) (any, error) {
	dir := "/etc/ssh"
	if in.Keydir != nil {
		dir = pyfmt.Str(in.Keydir)
	}
	out := ordered.New(8)
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, modules.Errorf("%s", pyerr.Text(err))
	}
	for _, n := range names {
		rest, ok := strings.CutPrefix(n.Name(), "ssh_host_")
		if !ok || !strings.Contains(rest, "key") {
			continue
		}
		kind, pub, hasPub := strings.Cut(rest, ".")
		cert := strings.HasSuffix(kind, "-cert")
		if !hasPub && !in.Private || cert && !in.Certs || hasPub && pub != "pub" {
			continue
		}
		p, err := os.ReadFile(pypath.Join(dir, n.Name()))
		if err != nil {
			out.Set(strings.ReplaceAll(kind, "_key", ""), "")
			continue
		}
		kind = strings.TrimSuffix(kind, "_key")
		if hasPub {
			kind += ".pub"
		}
		out.Set(kind, strings.TrimSpace(string(p)))
	}
	return out, nil
}
