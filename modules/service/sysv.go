package service

import (
	"context"
	"os"
	"path/filepath"
	"regexp"

	"brine/internal/host"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

// sysv drives the scripts of /etc/init.d with the service program (service(8), update-rc.d(8), chkconfig(8)).
type sysv struct {
	env *modules.Env
	// root is /etc.
	root string
}

func (s *sysv) list(ctx context.Context) (map[string]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, "init.d"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, e := range entries {
		name := e.Name()
		if !pypath.Executable(filepath.Join(s.root, "init.d", name)) {
			continue
		}
		out[name] = "disabled"
		if on, _ := s.enabled(ctx, name); on {
			out[name] = "enabled"
		}
	}
	return out, nil
}

func (s *sysv) running(ctx context.Context, name string, o options) (bool, error) {
	if o.sig != "" {
		v, err := s.env.Call(ctx, "status.pid", modules.Pos(o.sig))
		return pyfmt.Truth(v), err
	}
	r, err := host.Tool(ctx, s.env.Host, "service", name, "status")
	return r.OK(), err
}

func (s *sysv) act(ctx context.Context, verb, name string, _ options) (bool, error) {
	r, err := host.Tool(ctx, s.env.Host, "service", name, verb)
	return err == nil && r.OK(), err
}

var startLink = regexp.MustCompile(`^S\d*`)

// enabled looks for the link that starts the service in the usual runlevels.
func (s *sysv) enabled(_ context.Context, name string) (bool, error) {
	for _, level := range []string{"rcS.d", "rc2.d", "rc3.d", "rc4.d", "rc5.d"} {
		links, _ := os.ReadDir(filepath.Join(s.root, level))
		for _, l := range links {
			if head := startLink.FindString(l.Name()); head != "" && l.Name()[len(head):] == name {
				return true, nil
			}
		}
	}
	return false, nil
}

func (s *sysv) enable(ctx context.Context, name string, on bool) (bool, error) {
	steps := [][]string{{"update-rc.d", name, "defaults"}, {"update-rc.d", name, "enable"}}
	if !on {
		steps = [][]string{{"update-rc.d", name, "disable"}}
	}
	if pypath.Which("update-rc.d") == "" && pypath.Which("chkconfig") != "" {
		steps = [][]string{{"chkconfig", name, map[bool]string{true: "on", false: "off"}[on]}}
	}
	for _, argv := range steps {
		if r, err := host.Tool(ctx, s.env.Host, argv...); err != nil || !r.OK() {
			return false, err
		}
	}
	return true, nil
}
