package grains

import (
	"context"
	"crypto/sha256"
	"hash/adler32"
	"hash/crc32"
	"math/big"
	"path"
	"strconv"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/shlex"
)

// zone is the name of the time zone that is in force now.
func zone() string {
	name, _ := time.Now().Zone()
	return name
}

// uname sets what the kernel says of itself.
func (d *detector) uname(_ context.Context, out *ordered.Map) {
	out.Set("num_gpus", int64(0))
	out.Set("gpus", []any{})
	out.Set("kernel", d.m.Kernel)
	out.Set("nodename", d.m.Node)
	out.Set("kernelrelease", d.m.Release)
	out.Set("kernelversion", d.m.Version)
	out.Set("cpuarch", d.m.Arch)
}

// identity sets id, master, server_id and machine_id.
func (d *detector) identity(_ context.Context, out *ordered.Map) {
	out.Set("id", d.ID)
	out.Set("master", d.Master)
	out.Set("server_id", d.serverID())
	for _, p := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if d.root.exists(p) {
			out.Set("machine_id", d.root.line(p))
			break
		}
	}
	if v, ok := d.Config.Get("append_domain"); ok {
		out.Set("append_domain", v)
	}
}

// serverID is a number that follows from the id.
func (d *detector) serverID() int64 {
	switch use := d.Config.Value("server_id_use_crc"); {
	case use == "crc32":
		return int64(crc32.ChecksumIEEE([]byte(d.ID)))
	case pyfmt.Truth(use):
		return int64(adler32.Checksum([]byte(d.ID)))
	}
	sum := sha256.Sum256([]byte(d.ID))
	n := new(big.Int).SetBytes(sum[:])
	return n.And(n, big.NewInt(1<<31-1)).Int64()
}

// process sets what we know of ourselves.
func (d *detector) process(_ context.Context, out *ordered.Map) {
	out.Set("username", d.root.account("/etc/passwd", d.m.UID))
	out.Set("groupname", d.root.account("/etc/group", d.m.GID))
	out.Set("uid", int64(d.m.UID))
	out.Set("gid", int64(d.m.GID))
	out.Set("pid", int64(d.m.PID))
	out.Set("cwd", d.m.Dir)
	search := strings.TrimSpace(d.m.Env("PATH"))
	out.Set("path", search)
	out.Set("systempath", list(strings.Split(search, ":")))
	shell := d.m.Env("SHELL")
	if shell == "" {
		shell = "/bin/sh"
	}
	out.Set("shell", shell)
	out.Set("ps", psCommand(out))
}

func psCommand(out *ordered.Map) string {
	switch {
	case out.String("virtual") == "openvzhn":
		return `ps -fH -p $(grep -l "^envID:[[:space:]]*0\$" /proc/[0-9]*/status | sed -e "s=/proc/\([0-9]*\)/.*=\1=")  | awk '{ $7=""; print }'`
	case out.String("os_family") == "NILinuxRT":
		return "ps -o user,pid,ppid,tty,time,comm"
	}
	return "ps -efHww"
}

// software sets the versions. The Python is the one that a Salt of this version brings along: templates ask for it.
func (d *detector) software(_ context.Context, out *ordered.Map) {
	out.Set("saltversion", d.SaltVersion)
	var info []any
	for _, part := range strings.Split(d.SaltVersion, ".") {
		if n, err := strconv.ParseInt(part, 10, 64); err == nil {
			info = append(info, n)
		}
	}
	out.Set("saltversioninfo", info)
	out.Set("brineversion", d.Version)
	out.Set("pythonversion", []any{int64(3), int64(10), int64(10), "final", int64(0)})
	out.Set("saltpath", path.Dir(d.m.Exe))
	out.Set("transactional", d.has("transactional-update"))
	zfs := d.root.isDir("/sys/module/zfs")
	out.Set("zfs_support", zfs && d.has("zpool"))
	out.Set("zfs_feature_flags", zfs && d.has("zpool"))
}

// kernelParams sets kernelparams: pairs of name and value.
func (d *detector) kernelParams(_ context.Context, out *ordered.Map) {
	if !d.root.exists("/proc/cmdline") {
		return
	}
	words, err := shlex.Split(d.root.read("/proc/cmdline"))
	if err != nil {
		return
	}
	params := []any{}
	for _, w := range words {
		f := strings.Split(w, "=")
		pair := []any{f[0], nil}
		if len(f) == 2 {
			pair[1] = strings.Trim(f[1], `"`)
		}
		params = append(params, pair)
	}
	out.Set("kernelparams", params)
}

// locale sets locale_info.
func (d *detector) locale(_ context.Context, out *ordered.Map) {
	lang, encoding := d.language()
	out.Set("locale_info", ordered.Pairs(
		"defaultlanguage", lang, "defaultencoding", encoding, "detectedencoding", "utf-8", "timezone", d.m.Timezone,
	))
}

// language is the locale as Python reads the environment. Python takes UTF-8 where no locale is set.
func (d *detector) language() (lang, encoding any) {
	name := d.m.Env("LC_ALL")
	for _, key := range []string{"LC_CTYPE", "LANG"} {
		if name == "" {
			name = d.m.Env(key)
		}
	}
	name, modifier, _ := strings.Cut(name, "@")
	name, charset, _ := strings.Cut(name, ".")
	switch {
	case name == "C" || name == "POSIX" || name == "":
		if d.m.Env("LC_ALL") != "" && charset == "" {
			return nil, nil
		}
		return "en_US", "UTF-8"
	case charset == "" && modifier == "euro":
		return name, "ISO8859-15"
	case charset == "":
		return name, "ISO8859-1"
	case strings.EqualFold(charset, "utf8"), strings.EqualFold(charset, "utf-8"):
		return name, "UTF-8"
	}
	return name, strings.ToUpper(charset)
}
