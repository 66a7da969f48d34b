// Package timezone holds the timezone.* functions: the time zone of the system, and whether its hardware clock runs in
// UTC (adjtime(5), localtime(5)).
package timezone

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brine/internal/atomicfile"
	"brine/internal/host"
	"brine/internal/pypath"
	"brine/modules"
)

// clock knows the files of a system.
type clock struct{ etc, zones, booted string }

// Module is the family.
func Module() modules.Module { return ModuleAt("/") }

// ModuleAt is the family for a system whose files are below root.
func ModuleAt(root string) modules.Module {
	c := clock{filepath.Join(root, "etc"), filepath.Join(root, "usr/share/zoneinfo"), filepath.Join(root, "run/systemd/system")}
	return modules.Module{Name: "timezone", Doc: "Functions for the time zone and the hardware clock.", Funcs: []modules.Func{
		modules.PureFn("get_hwclock", getClockDoc, c.getClock),
		modules.PureFn("get_offset", getOffsetDoc, c.getOffset),
		modules.PureFn("get_zone", getZoneDoc, c.getZone),
		modules.PureFn("get_zonecode", getCodeDoc, c.getCode),
		modules.PureFn("list_zones", listDoc, c.list),
		modules.Fn("set_hwclock", setClockDoc, c.setClock),
		modules.Fn("set_zone", setZoneDoc, c.setZone),
		modules.PureFn("zone_compare", compareDoc, c.compare),
	}}
}

type none struct{}

const getZoneDoc = `Name the time zone.

CLI Example:

    salt '*' timezone.get_zone`

func (c clock) getZone(context.Context, *modules.Env, none) (any, error) { return c.zone() }

// zone is the name of the zone: where /etc/localtime links to, else what /etc/timezone says, else the zone that has the
// same content.
func (c clock) zone() (string, error) {
	local := filepath.Join(c.etc, "localtime")
	if to, err := os.Readlink(local); err == nil {
		if _, name, ok := strings.Cut(to, "/zoneinfo/"); ok {
			return name, nil
		}
	}
	if text, err := os.ReadFile(filepath.Join(c.etc, "timezone")); err == nil {
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				return line, nil
			}
		}
	}
	want, err := os.ReadFile(local)
	if err != nil {
		return "", modules.Errorf("Unable to get timezone from %s", local)
	}
	for _, name := range c.names() {
		if have, err := os.ReadFile(filepath.Join(c.zones, name)); err == nil && bytes.Equal(have, want) {
			return name, nil
		}
	}
	return "", modules.Errorf("Unable to get timezone from %s", local)
}

func (c clock) names() []string {
	var out []string
	_ = filepath.WalkDir(c.zones, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(c.zones, path)
		if err != nil || d.IsDir() {
			if rel == "posix" || rel == "right" {
				return fs.SkipDir
			}
			return nil //nolint:nilerr // what cannot be read is left out
		}
		if rel[0] >= 'A' && rel[0] <= 'Z' && filepath.Ext(rel) == "" {
			out = append(out, rel)
		}
		return nil
	})
	return out
}

const listDoc = `List all time zones.

CLI Example:

    salt '*' timezone.list_zones`

func (c clock) list(context.Context, *modules.Env, none) (any, error) { return c.names(), nil }

const getCodeDoc = `Tell the short name of the time zone that holds now, such as MST.

CLI Example:

    salt '*' timezone.get_zonecode`

const getOffsetDoc = `Tell the distance of local time from UTC, such as +0100.

CLI Example:

    salt '*' timezone.get_offset`

// now is the local time by the files of the system.
func (c clock) now() (time.Time, error) {
	data, err := os.ReadFile(filepath.Join(c.etc, "localtime"))
	if err != nil {
		return time.Now().UTC(), nil //nolint:nilerr // localtime(5): without the file it is UTC
	}
	loc, err := time.LoadLocationFromTZData("Local", data)
	if err != nil {
		return time.Time{}, err
	}
	return time.Now().In(loc), nil
}

func (c clock) getCode(context.Context, *modules.Env, none) (any, error) {
	t, err := c.now()
	return t.Format("MST"), err
}

func (c clock) getOffset(context.Context, *modules.Env, none) (any, error) {
	t, err := c.now()
	return t.Format("-0700"), err
}

type zoneArgs struct {
	Timezone string `arg:"timezone"`
}

// path is the file of a zone; the error says that there is none.
func (c clock) path(zone string) (string, error) {
	path := filepath.Join(c.zones, zone)
	if !filepath.IsLocal(zone) || !pypath.IsFile(path) {
		return "", modules.Errorf("Zone does not exist: %s", path)
	}
	return path, nil
}

const setZoneDoc = `Set the time zone.

CLI Example:

    salt '*' timezone.set_zone 'America/Denver'`

func (c clock) setZone(ctx context.Context, env *modules.Env, in zoneArgs) (any, error) {
	path, err := c.path(in.Timezone)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.booted); err == nil && pypath.Which("timedatectl") != "" {
		r, err := host.Tool(ctx, env.Host, "timedatectl", "set-timezone", in.Timezone)
		if err == nil && !r.OK() {
			err = modules.Errorf("Failed to set timezone: %s", r.Said())
		}
		return err == nil, err
	}
	local := filepath.Join(c.etc, "localtime")
	tmp := local + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err := os.Symlink(path, tmp); err != nil {
		return nil, err
	}
	if err := os.Rename(tmp, local); err != nil {
		return nil, err
	}
	named := filepath.Join(c.etc, "timezone")
	if env.Grains.Items(ctx).String("os_family") == "Debian" || pypath.IsFile(named) {
		return true, atomicfile.Write(named, []byte(in.Timezone+"\n"), 0o644)
	}
	return true, atomicfile.SyncDir(c.etc)
}

const compareDoc = `Tell whether a time zone is the one that is set.

CLI Example:

    salt '*' timezone.zone_compare 'America/Denver'`

func (c clock) compare(_ context.Context, _ *modules.Env, in zoneArgs) (any, error) {
	local := filepath.Join(c.etc, "localtime")
	if !pypath.Exists(local) {
		return in.Timezone == "UTC" || in.Timezone == "Etc/UTC", nil
	}
	path := filepath.Join(c.zones, in.Timezone)
	want, err := os.ReadFile(path)
	if err != nil || !filepath.IsLocal(in.Timezone) {
		return nil, modules.Invalidf("Can't find a local timezone \"%s\"", in.Timezone)
	}
	have, err := os.ReadFile(local)
	return bytes.Equal(have, want), err
}

const getClockDoc = `Tell whether the hardware clock runs in UTC or in localtime.

CLI Example:

    salt '*' timezone.get_hwclock`

func (c clock) getClock(context.Context, *modules.Env, none) (any, error) {
	text, err := os.ReadFile(filepath.Join(c.etc, "adjtime"))
	if err != nil {
		return "UTC", nil //nolint:nilerr // adjtime(5): without the file it is UTC
	}
	if lines := strings.Split(string(text), "\n"); len(lines) > 2 && strings.TrimSpace(lines[2]) == "LOCAL" {
		return "localtime", nil
	}
	return "UTC", nil
}

type clockArgs struct {
	Clock string `arg:"clock"`
}

const setClockDoc = `Let the hardware clock run in UTC or in localtime.

CLI Example:

    salt '*' timezone.set_hwclock UTC`

func (c clock) setClock(ctx context.Context, env *modules.Env, in clockArgs) (any, error) {
	flag := map[string]string{"utc": "--utc", "localtime": "--localtime"}[strings.ToLower(in.Clock)]
	if flag == "" {
		return nil, modules.Invalidf("Valid options for timezone.set_hwclock are 'UTC' and 'localtime'")
	}
	r, err := host.Tool(ctx, env.Host, "hwclock", "--systohc", flag)
	if err == nil && !r.OK() {
		err = modules.Errorf("hwclock: %s", r.Said())
	}
	return err == nil, err
}
