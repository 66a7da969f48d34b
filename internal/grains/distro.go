package grains

import (
	"context"
	"regexp"
	"strings"

	"brine/internal/ordered"
)

var (
	linuxWord    = regexp.MustCompile(`(?i)\W(?:gnu/)?linux`)
	minorVersion = regexp.MustCompile(`\d+\.\d+`)
	inBrackets   = regexp.MustCompile(`\((.*?)\)`)
)

// distribution sets os, os_family, osfullname, osrelease, oscodename and the lsb_distrib_ grains.
func (d *detector) distribution(_ context.Context, out *ordered.Map) {
	rel := osReleaseFile(d.root)
	dist := &distro{r: d.root, rel: rel, lsb: lsbRelease(d.root)}
	dist.fromOSRelease()
	dist.completeLSB()
	dist.finish()
	for _, key := range []string{"id", "release", "codename", "description"} {
		if v, ok := dist.lsb[key]; ok {
			out.Set("lsb_distrib_"+key, v)
		}
	}
	out.Set("osfullname", dist.fullname)
	out.Set("osrelease", dist.version)
	out.Set("oscodename", dist.codename)
	out.Set("os", dist.os)
	out.Set("os_family", osFamily(dist.os))
}

// distro gathers what the several release files say.
type distro struct {
	r        root
	rel, lsb map[string]string

	os, fullname, version, codename string
}

// fromOSRelease takes the name from os-release, which nearly every distribution has.
func (t *distro) fromOSRelease() {
	if t.rel != nil {
		t.fullname = strings.TrimSpace(t.rel["NAME"])
		t.os = osName(t.rel["NAME"], t.rel["ID"])
	}
	if strings.HasPrefix(strings.ToLower(t.lsb["description"]), "antergos") {
		t.fullname = "Antergos Linux"
		return
	}
}

// completeLSB fills in what an lsb-release file would say where there is none.
func (t *distro) completeLSB() {
	if _, ok := t.lsb["id"]; ok || strings.HasPrefix(strings.ToLower(t.lsb["description"]), "antergos") {
		return
	}
	if t.rel == nil {
		t.withoutOSRelease()
		return
	}
	t.lsb["id"] = strings.TrimSpace(t.rel["NAME"])
	if v, ok := t.rel["VERSION_ID"]; ok {
		t.lsb["release"] = v
	}
	if v, ok := t.rel["VERSION_CODENAME"]; ok {
		t.lsb["codename"] = v
	} else {
		t.lsb["codename"] = t.rel["PRETTY_NAME"]
	}
	if vendor, version, ok := cpe(t.rel["CPE_NAME"]); ok && (strings.EqualFold(vendor, "suse") || strings.EqualFold(vendor, "opensuse")) {
		t.os = "SUSE"
		if t.rel["NAME"] == "openSUSE Leap" {
			t.fullname = "Leap"
		} else if t.rel["VERSION"] == "Tumbleweed" {
			t.fullname = t.rel["VERSION"]
		}
		if version != "" && vendor == "opensuse" {
			t.lsb["release"] = version
		}
	}
	if f := strings.Fields(t.rel["PRETTY_NAME"]); strings.TrimSpace(t.rel["ID"]) == "mendel" && len(f) >= 3 {
		t.lsb["release"] = f[2]
	}
}

// withoutOSRelease reads the files of old distributions.
func (t *distro) withoutOSRelease() {
	switch {
	case t.r.isFile("/etc/SuSE-release"):
		t.suse()
	case t.r.isFile("/etc/altlinux-release"):
		t.lsb["id"] = "altlinux"
		if f := strings.Fields(t.r.read("/etc/altlinux-release")); len(f) > 3 && f[0] == "ALT" {
			t.lsb["release"], t.lsb["codename"] = f[2], strings.Trim(f[3], "()")
		}
	case t.r.isFile("/etc/centos-release"):
		t.lsb["id"] = "CentOS"
		for line := range strings.Lines(t.r.read("/etc/centos-release")) {
			if v := minorVersion.FindString(line); v != "" {
				t.lsb["release"] = v
			}
			if m := inBrackets.FindStringSubmatch(line); m != nil {
				t.lsb["codename"] = m[1]
			}
		}
	}
}

func (t *distro) suse() {
	t.lsb["id"] = "SUSE"
	digits := func(s string) string { return regexp.MustCompile(`[^0-9]`).ReplaceAllString(s, "") }
	version, patch := "", ""
	for line := range strings.Lines(t.r.read("/etc/SuSE-release")) {
		switch lower := strings.ToLower(line); {
		case strings.Contains(lower, "enterprise"):
			t.lsb["id"] = "SLES"
			t.lsb["codename"] = strings.TrimSpace(regexp.MustCompile(`\(.+\)`).ReplaceAllString(line, ""))
		case strings.Contains(lower, "version"):
			version = digits(line)
		case strings.Contains(lower, "patchlevel"):
			patch = digits(line)
		}
	}
	t.lsb["release"] = version
	if patch != "" {
		t.lsb["release"] += "." + patch
		if c := t.lsb["codename"]; c != "" && !strings.Contains(c, "SP"+patch) {
			t.lsb["codename"] += " SP" + patch
		}
	}
	if t.lsb["codename"] == "" {
		t.lsb["codename"] = "n.a"
	}
}

// finish derives the rest from what is known by now.
func (t *distro) finish() {
	if t.fullname == "" {
		t.fullname = strings.TrimSpace(distroFile(t.r).name)
		if id, ok := t.lsb["id"]; ok {
			t.fullname = strings.TrimSpace(id)
		}
		if strings.HasPrefix(strings.ToLower(t.lsb["id"]), "nilrt") {
			t.fullname = "nilrt"
		}
	}
	codename := t.lsb["codename"]
	if strings.Contains(codename, "CentOS Linux 7") || strings.Contains(codename, "CentOS Linux 8") {
		delete(t.lsb, "release") // its os-release leaves the minor version out
	}
	if v, ok := t.lsb["release"]; ok {
		t.version = strings.TrimSpace(v)
	} else {
		t.version = strings.TrimSpace(bestVersion(t.r, t.rel))
	}
	t.trimCodename()
	other := distroCodename(t.r, t.rel)
	if t.codename = strings.TrimSpace(t.lsb["codename"]); t.codename == "" || strings.Contains(t.codename, "Red Hat") {
		t.codename = other
	}
	if t.os == "" {
		t.os = osName(t.fullname, "")
	}
}

// trimCodename takes the codename out of brackets, for distributions that have it there only.
func (t *distro) trimCodename() {
	if !strings.Contains(t.os, "Rocky") && !strings.Contains(t.os, "AlmaLinux") && !strings.Contains(t.os, "AstraLinuxSE") {
		return
	}
	_, inner, ok := strings.Cut(t.lsb["codename"], "(")
	if !ok {
		return
	}
	inner, _, _ = strings.Cut(inner, ")")
	if t.os == "AstraLinuxSE" {
		if f := strings.Fields(inner); len(f) > 0 {
			inner = strings.ToLower(f[0])
		}
	}
	t.lsb["codename"] = inner
}

// osName is the short name that Salt has for a distribution.
func osName(full, id string) string {
	switch [2]string{id, full} {
	case [2]string{"astra", "Astra Linux (Orel)"}:
		return "AstraLinuxCE"
	case [2]string{"astra", "Astra Linux (Smolensk)"}:
		return "AstraLinuxSE"
	case [2]string{"pop", "Pop!_OS"}:
		return "Pop"
	}
	name := strings.TrimSpace(linuxWord.ReplaceAllString(full, ""))
	short := []rune(strings.ToLower(strings.ReplaceAll(name, " ", "")))
	if known, ok := shortNames[string(short[:min(10, len(short))])]; ok {
		return known
	}
	return name
}

func osFamily(os string) string {
	if f, ok := families[os]; ok {
		return f
	}
	return os
}
