package minion

import (
	"context"
	"path/filepath"

	"go.uber.org/zap"

	"brine/fileroots"
	"brine/internal/grains"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/minion/exec"
	"brine/minion/facts"
	"brine/minion/files"
	"brine/modules"
	"brine/modules/builtin"
	"brine/modules/sys"
	"brine/release"
	"brine/states"
	statelist "brine/states/builtin"
)

// parts are what a runtime is made of besides the configuration.
type parts struct {
	files  modules.Files
	pillar modules.Pillar
	events modules.Events
	deps   builtin.Deps
	// local is the pillar when it is compiled here; it is given the runtime.
	local *localPillar
	// release tells the grain of the same name; nil: there is none.
	release func() release.Record
}

// newRuntime puts together what jobs run with.
func newRuntime(o *Options, p parts, log *zap.Logger) (*exec.Runtime, error) {
	stateReg, err := states.NewRegistry(statelist.States()...)
	if err != nil {
		return nil, err
	}
	p.deps.State.States = func() *states.Registry { return stateReg }
	p.deps.Sys.States = func() sys.States { return stateReg }
	reg, err := modules.NewRegistry(builtin.Modules(p.deps)...)
	if err != nil {
		return nil, err
	}
	r := &exec.Runtime{
		ID: o.ID, Opts: o.All, Grains: newGrains(o, p.release), Pillar: p.pillar, Files: p.files, Host: host.Real{}, Events: p.events, Log: log,
	}
	r.Swap(reg)
	if p.local != nil {
		p.local.runtime = r
	}
	return r, nil
}

func newGrains(o *Options, rel func() release.Record) *facts.Facts {
	return &facts.Facts{
		Detect: func(ctx context.Context) *ordered.Map {
			out := detect(ctx, o)
			if rel != nil && rel().State != release.None {
				out.Set("release", rel().Map())
			}
			return out
		},
		Merge: func(detected, file, configured *ordered.Map) *ordered.Map {
			return grains.Merge(detected, file, configured, pyfmt.Truth(o.All.Value("grains_deep_merge")))
		},
		Configured: o.Grains,
		Path:       filepath.Join(o.ConfDir, "grains"),
	}
}

// newLocalFiles reads the file roots of this machine.
func newLocalFiles(o *Options) files.Local {
	return files.Local{Roots: fileroots.New(fileroots.Options{Envs: o.FileRoots, IgnoreGlobs: o.FileIgnore})}
}

// NewLocal makes a runtime that works alone, without a master: files and pillar come from this machine, and events are
// not sent anywhere.
func NewLocal(o *Options, log *zap.Logger) (*exec.Runtime, error) {
	o.All.Set("file_client", "local")
	o.All.Set("local", true)
	local := newLocalPillar(o, log)
	return newRuntime(o, parts{files: newLocalFiles(o), pillar: local, local: local, events: noEvents{}}, log)
}

// noEvents is the event sender of a runtime without a master: nobody listens.
type noEvents struct{}

func (noEvents) Fire(context.Context, string, *ordered.Map) error { return nil }
func (noEvents) Send(context.Context, string, *ordered.Map) error { return nil }
