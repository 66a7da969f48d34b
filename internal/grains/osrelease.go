package grains

import (
	"regexp"
	"slices"
	"strings"
)

var (
	osReleaseLine  = regexp.MustCompile(`^([a-zA-Z0-9_]+)=(.*)$`)
	escaped        = regexp.MustCompile("\\\\([\\\\$\"'`])")
	lsbLine        = regexp.MustCompile(`^(DISTRIB_(?:ID|RELEASE|CODENAME|DESCRIPTION))=(?:'|")?([\w\s.\-]+)`)
	releaseContent = regexp.MustCompile(`^(?:[^)]*\)(.*)\()? *(?:STL )?([\d.+\-a-z]*\d) *(?:esaeler *)?(.+)`)
)

// osReleaseFile reads a file in the format of os-release(5). It is nil when there is none.
func osReleaseFile(r root) map[string]string {
	for _, p := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if r.isFile(p) {
			return parseOSRelease(r.read(p))
		}
	}
	return nil
}

func parseOSRelease(src string) map[string]string {
	out := map[string]string{"NAME": "Linux", "ID": "linux", "PRETTY_NAME": "Linux"}
	for line := range strings.Lines(src) {
		m := osReleaseLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		v := m[2]
		if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
			v = v[1 : n-1]
		}
		out[m[1]] = escaped.ReplaceAllString(v, "$1")
	}
	return out
}

// lsbRelease reads /etc/lsb-release: id, release, codename and description.
func lsbRelease(r root) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(r.read("/etc/lsb-release")) {
		if m := lsbLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			out[strings.ToLower(strings.TrimPrefix(m[1], "DISTRIB_"))] = strings.TrimRight(m[2], " \t\r\n\v\f")
		}
	}
	return out
}

// named is a name, version and codename out of one line such as "CentOS Linux release 7.9.2009 (Core)".
type named struct{ name, version, codename string }

// parseRelease reads such a line. It is read from its end, where the version is.
func parseRelease(line string) named {
	m := releaseContent.FindStringSubmatch(reversed(strings.TrimSpace(line)))
	if m == nil {
		return named{name: strings.TrimSpace(line)}
	}
	return named{name: reversed(m[3]), version: reversed(m[2]), codename: reversed(m[1])}
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// distroFile reads the first line of the distribution's own release file.
func distroFile(r root) named {
	for _, name := range []string{
		"SuSE-release", "arch-release", "base-release", "centos-release", "fedora-release", "gentoo-release", "mageia-release",
		"mandrake-release", "mandriva-release", "mandrivalinux-release", "manjaro-release", "oracle-release", "redhat-release",
		"rocky-release", "sl-release", "slackware-version",
	} {
		line, _, _ := strings.Cut(r.read("/etc/"+name), "\n")
		if n := parseRelease(line); n.name != "" {
			return n
		}
	}
	return named{}
}

// bestVersion is the most exact version that any of the files names: the one with the most dots.
func bestVersion(r root, osRelease map[string]string) string {
	candidates := []string{osRelease["VERSION_ID"], distroFile(r).version, parseRelease(osRelease["PRETTY_NAME"]).version}
	if osRelease["ID"] == "debian" || slices.Contains(strings.Fields(osRelease["ID_LIKE"]), "debian") {
		candidates = append(candidates, r.line("/etc/debian_version"))
	}
	best := ""
	for _, v := range candidates {
		if best == "" || strings.Count(v, ".") > strings.Count(best, ".") {
			best = v
		}
	}
	return best
}

// distroCodename is the codename outside of lsb-release.
func distroCodename(r root, osRelease map[string]string) string {
	for _, key := range []string{"VERSION_CODENAME", "UBUNTU_CODENAME"} {
		if v, ok := osRelease[key]; ok {
			return v
		}
	}
	return distroFile(r).codename
}

// cpeVersion returns vendor and version of a CPE name, in both of its spellings.
func cpe(name string) (vendor, version string, ok bool) {
	f := strings.Split(name, ":")
	at := 3 // cpe:2.3:part:vendor:product:version...
	switch {
	case len(f) <= 4 || f[0] != "cpe":
		return "", "", false
	case strings.HasPrefix(f[1], "/"):
		at = 2 // cpe:/part:vendor:product:version
	case f[1] != "2.3" || len(f) < 6 || len(f) == 7 || len(f) > 13:
		return "", "", false
	}
	vendor, version = f[at], f[at+2]
	if at == 3 && version == "*" {
		version = ""
	}
	return vendor, version, true
}
