// Package lowpkg holds the lowpkg.* functions: what the tool below the package manager knows (dpkg).
package lowpkg

import (
	"context"
	"errors"
	"strings"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pypath"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{
		Name: "lowpkg", Doc: "Functions of the tool below the package manager.",
		Virtual: func(*modules.Env) error {
			if pypath.Which("dpkg-deb") == "" {
				return errors.New("dpkg-deb is not installed")
			}
			return nil
		},
		Funcs: []modules.Func{modules.PureFn("bin_pkg_info", infoDoc, info)},
	}
}

type infoArgs struct {
	Path    string `arg:"path"`
	Saltenv string `arg:"saltenv" def:"'base'"`
}

const infoDoc = `Tell the name, version and architecture of a package file; None when it cannot be read.

CLI Example:

    salt '*' lowpkg.bin_pkg_info /root/foo-1.2.3-1.deb`

func info(ctx context.Context, env *modules.Env, in infoArgs) (any, error) {
	if !strings.HasPrefix(in.Path, "/") {
		v, err := env.Call(ctx, "cp.cache_file", modules.Pos(in.Path).With("saltenv", in.Saltenv))
		if err != nil {
			return nil, err
		}
		path, ok := v.(string)
		if !ok || path == "" {
			return nil, modules.Errorf("Unable to cache %s: file not found", in.Path)
		}
		in.Path = path
	}
	if !pypath.Exists(in.Path) {
		return nil, modules.Errorf("%s does not exist on minion", in.Path)
	}
	r, err := host.Tool(ctx, env.Host, "dpkg-deb", "-f", in.Path, "Package", "Version", "Architecture")
	if err != nil || !r.OK() {
		return nil, err
	}
	out := ordered.New(3)
	names := map[string]string{"Package": "name", "Version": "version", "Architecture": "arch"}
	for line := range strings.Lines(r.Stdout) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && names[k] != "" {
			out.Set(names[k], v)
		}
	}
	return out, nil
}
