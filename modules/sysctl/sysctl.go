// Package sysctl holds the sysctl.* functions: settings of the kernel, now and in the files that are read at boot.
package sysctl

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/modules"
)

// settings know where the kernel's settings are: /proc/sys, and the configuration that is read at boot.
type settings struct{ proc, etc, booted string }

// Module is the family.
func Module() modules.Module { return ModuleAt("/") }

// ModuleAt is the family for a system whose files are below root.
func ModuleAt(root string) modules.Module {
	return settings{filepath.Join(root, "proc/sys"), filepath.Join(root, "etc"), filepath.Join(root, "run/systemd/system")}.module()
}

func (s settings) module() modules.Module {
	return modules.Module{Name: "sysctl", Doc: "Functions for settings of the kernel.", Funcs: []modules.Func{
		modules.Fn("assign", assignDoc, s.assign),
		modules.PureFn("default_config", defaultDoc, s.defaultConfig),
		modules.PureFn("get", getDoc, s.get),
		modules.Fn("persist", persistDoc, s.persist),
		modules.PureFn("show", showDoc, s.show),
	}}
}

// path is the file of a setting; dots and slashes change places, as sysctl(8) has it.
func (s settings) path(name string) string {
	swapped := strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return r
	}, name)
	if strings.Contains(name, "/") && (!strings.Contains(name, ".") || strings.Index(name, "/") < strings.Index(name, ".")) {
		swapped = name // net/ipv4/conf/eth0.1/forwarding
	}
	return filepath.Join(s.proc, filepath.Clean("/"+swapped))
}

func (s settings) read(name string) (string, error) {
	text, err := os.ReadFile(s.path(name))
	return strings.TrimRight(string(text), "\n"), err
}

type none struct{}

const defaultDoc = `Name the file that settings are kept in.

CLI Example:

    salt '*' sysctl.default_config`

func (s settings) defaultConfig(context.Context, *modules.Env, none) (any, error) {
	return s.config(), nil
}

func (s settings) config() string {
	if _, err := os.Stat(s.booted); err == nil {
		return filepath.Join(s.etc, "sysctl.d/99-salt.conf")
	}
	return filepath.Join(s.etc, "sysctl.conf")
}

type showArgs struct {
	ConfigFile any `arg:"config_file" def:"False"`
}

const showDoc = `List the settings of the kernel.

config_file
    list those of a file instead; None when it cannot be read

CLI Example:

    salt '*' sysctl.show
    salt '*' sysctl.show config_file=/etc/sysctl.conf`

func (s settings) show(ctx context.Context, _ *modules.Env, in showArgs) (any, error) {
	out := ordered.New(512)
	if pyfmt.Truth(in.ConfigFile) {
		text, err := os.ReadFile(pyfmt.Str(in.ConfigFile))
		if err != nil {
			return nil, nil //nolint:nilerr // None is the answer for a file that cannot be read
		}
		for line := range strings.Lines(string(text)) {
			if k, v, ok := setting(line); ok {
				out.Set(k, v)
			}
		}
		return out, nil
	}
	err := filepath.WalkDir(s.proc, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // what cannot be read is left out
		}
		rel, _ := filepath.Rel(s.proc, path)
		name := strings.NewReplacer("/", ".", ".", "/").Replace(rel)
		if fi, err := d.Info(); err == nil && fi.Mode().Perm()&0o444 != 0 {
			if v, err := s.read(name); err == nil {
				out.Set(name, v)
			}
		}
		return nil
	})
	return out, err
}

// setting reads a line "name = value".
func setting(line string) (name, value string, ok bool) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' || line[0] == ';' {
		return "", "", false
	}
	name, value, ok = strings.Cut(line, "=")
	return strings.TrimSpace(name), strings.TrimSpace(value), ok
}

type getArgs struct {
	Name string `arg:"name"`
}

const getDoc = `Tell a setting of the kernel.

CLI Example:

    salt '*' sysctl.get net.ipv4.ip_forward`

func (s settings) get(_ context.Context, _ *modules.Env, in getArgs) (any, error) {
	v, err := s.read(in.Name)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return v, err
}

type assignArgs struct {
	Name  string `arg:"name"`
	Value any    `arg:"value"`
}

const assignDoc = `Change a setting of the kernel until the next boot.

CLI Example:

    salt '*' sysctl.assign net.ipv4.ip_forward 1`

func (s settings) assign(_ context.Context, _ *modules.Env, in assignArgs) (any, error) {
	value := pyfmt.Str(in.Value)
	if err := s.write(in.Name, value); err != nil {
		return nil, err
	}
	return ordered.Pairs(in.Name, value), nil
}

func (s settings) write(name, value string) error {
	path := s.path(name)
	if _, err := os.Stat(path); err != nil {
		return modules.Errorf("sysctl %s does not exist", name)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(value + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return modules.Errorf("sysctl -w failed: sysctl: setting key \"%s\": %s", name, pyerr.Strerror(err))
	}
	return nil
}

type persistArgs struct {
	Name   string `arg:"name"`
	Value  any    `arg:"value"`
	Config any    `arg:"config" def:"None"`
}

const persistDoc = `Change a setting of the kernel now and for every boot. The answer is Updated or Already set.

config
    the file to keep it in

CLI Example:

    salt '*' sysctl.persist net.ipv4.ip_forward 1`

// tabs writes several values the way the kernel shows them.
func tabs(value string) string { return strings.Join(strings.Fields(value), "\t") }

func (s settings) persist(_ context.Context, _ *modules.Env, in persistArgs) (any, error) {
	file := s.config()
	if in.Config != nil {
		file = pyfmt.Str(in.Config)
	}
	value := pyfmt.Str(in.Value)
	if strings.Contains(value, " ") {
		value = tabs(value)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		text, err = []byte("#\n# Kernel sysctl configuration\n#\n"), os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err != nil {
		return nil, modules.Errorf("Could not open %s: %s", file, pyerr.Strerror(err))
	}
	if _, err := os.Stat(s.path(in.Name)); err != nil {
		return nil, modules.Errorf("sysctl %s does not exist", in.Name)
	}
	var out strings.Builder
	edited := false
	for line := range strings.Lines(string(text)) {
		k, v, ok := setting(line)
		if !ok || k != in.Name {
			out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
			continue
		}
		if v == value || tabs(v) == value {
			now, err := s.read(in.Name)
			if err == nil && now == value {
				return "Already set", nil
			}
			return "Updated", s.write(in.Name, value)
		}
		out.WriteString(in.Name + " = " + value + "\n")
		edited = true
	}
	if !edited {
		out.WriteString(in.Name + " = " + value + "\n")
	}
	if err := atomicfile.Write(file, []byte(out.String()), 0o644); err != nil {
		return nil, modules.Errorf("Could not write to file: %s", file)
	}
	return "Updated", s.write(in.Name, value)
}
