package grains

import (
	"bytes"
	"context"
	"debug/elf"
	"os"
	"regexp"
	"slices"
	"strings"

	"brine/internal/ordered"
)

// security sets selinux, on systems that have its tools.
func (d *detector) security(_ context.Context, out *ordered.Map) {
	if !d.has("selinuxenabled") {
		return
	}
	enforce := d.root.line("/sys/fs/selinux/enforce")
	m := ordered.Pairs("enabled", enforce != "")
	if d.has("getenforce") {
		m.Set("enforced", map[string]string{"": "Disabled", "0": "Permissive", "1": "Enforcing"}[enforce])
	}
	out.Set("selinux", m)
}

// initSystem sets init and systemd.
func (d *detector) initSystem(_ context.Context, out *ordered.Map) {
	if d.has("systemctl", "localectl") {
		if version, features := d.systemd(); version != "" {
			out.Set("systemd", ordered.Pairs("version", version, "features", features))
		}
	}
	out.Set("init", d.initName())
}

func (d *detector) initName() string {
	if d.root.exists("/run/systemd/system") {
		return "systemd"
	}
	argv := strings.Fields(strings.ReplaceAll(d.root.read("/proc/1/cmdline"), "\x00", " "))
	if len(argv) == 0 {
		return "unknown"
	}
	bin := argv[0]
	if !strings.Contains(bin, "/") {
		bin = d.which(bin)
	}
	if strings.HasSuffix(bin, "bin/init") {
		return d.initOf(bin)
	}
	for _, name := range []string{"supervisord", "dumb-init", "tini"} {
		if p := d.which(name); p != "" && slices.Contains(argv, p) {
			return name
		}
	}
	if slices.Equal(argv, []string{"runit"}) || slices.Contains(argv, "/sbin/my_init") {
		return "runit"
	}
	return "unknown"
}

// initOf tells which init a program is by the names in it, the one that comes first.
func (d *detector) initOf(bin string) string {
	text := bytes.ToLower([]byte(d.root.read(bin)))
	best, at := "unknown", len(text)
	for _, name := range []string{"upstart", "sysvinit", "systemd"} {
		if i := bytes.Index(text, []byte(name)); i >= 0 && i < at {
			best, at = name, i
		}
	}
	return best
}

// systemd finds out what systemctl --version would say, from the library that both lines come from, or from systemctl
// itself where there is no such library.
func (d *detector) systemd() (version, features string) {
	for _, dir := range append([]string{"/usr/lib/systemd", "/lib/systemd", "/usr/lib64/systemd"}, multiarch(d.m.Arch)...) {
		for _, name := range d.root.list(dir) {
			name, ours := strings.CutPrefix(name, "libsystemd-shared-")
			if end := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' }); ours && end > 0 {
				return name[:end], featureLine(constants(d.root.path(dir + "/libsystemd-shared-" + name)))
			}
		}
	}
	text := constants(d.root.path(d.which("systemctl")))
	if m := systemdVersion.FindSubmatch(text); m != nil {
		return string(m[1]), featureLine(text)
	}
	return "", ""
}

var systemdVersion = regexp.MustCompile(`systemd (\d+)(?: \(|\x00|\n)`)

// multiarch are the folders where Debian keeps the library.
func multiarch(machine string) []string {
	var out []string
	names := []string{machine + "-linux-gnu"}
	if strings.HasPrefix(machine, "arm") || machine == "aarch64" {
		names = append(names, "arm-linux-gnueabihf", "arm-linux-gnueabi")
	}
	if machine == "x86_64" || strings.HasSuffix(machine, "86") {
		names = append(names, "i386-linux-gnu")
	}
	for _, n := range names {
		out = append(out, "/usr/lib/"+n+"/systemd")
	}
	return out
}

// featureLine finds the line of what systemd is built with: "+PAM +AUDIT -SELINUX ...".
func featureLine(b []byte) string {
	for _, mark := range []string{"PAM +AUDIT ", "PAM -AUDIT "} {
		if i := bytes.Index(b, []byte(mark)); i > 0 {
			line := b[i-1:]
			if end := bytes.IndexAny(line, "\x00\n"); end > 0 {
				return string(line[:end])
			}
		}
	}
	return ""
}

// constants are the read-only data of a program.
func constants(p string) []byte {
	f, err := os.Open(p)
	if err != nil {
		return nil
	}
	defer f.Close()
	e, err := elf.NewFile(f)
	if err != nil {
		return nil
	}
	s := e.Section(".rodata")
	if s == nil {
		return nil
	}
	b, err := s.Data()
	if err != nil {
		return nil
	}
	return b
}
