package master

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"brine/fileroots"
	"brine/master/jobs"
	"brine/master/release"
	"brine/master/runners"
	"brine/modules"
	"brine/proto"
)

// releaseDir is where pinned releases are kept.
func (o *Options) releaseDir() string { return filepath.Join(o.StateDir, "releases") }

// fileRoots are the configured ones, and the pinned trees of the releases: an environment "@ID" each.
func (m *Master) fileRoots() *fileroots.Roots {
	envs := maps.Clone(m.o.FileRoots)
	envs[fileroots.AnyEnv] = append(slices.Clone(envs[fileroots.AnyEnv]), release.Tree(m.o.releaseDir()))
	return fileroots.New(fileroots.Options{Envs: envs, IgnoreGlobs: m.o.FileIgnore})
}

func (m *Master) makeReleases() (err error) {
	m.releases, err = release.New(release.Options{
		Docs: m.store, Roots: fileroots.New(fileroots.Options{Envs: m.o.FileRoots, IgnoreGlobs: m.o.FileIgnore}), Pillar: m.pillars.roots, Dir: m.o.releaseDir(), PKIDir: m.o.PKIDir,
		Resolve: func(ctx context.Context, tgt any, tgtType string) ([]string, error) {
			ids, _, err := m.Resolve(ctx, &jobs.Request{Tgt: tgt, TgtType: tgtType})
			return ids, err
		},
	})
	return err
}

// manifest answers a device that asks for the manifest of a release.
func (m *Master) manifest(ctx context.Context, body []byte) (any, error) {
	var id string
	if err := proto.Decode(body, &id); err != nil {
		return nil, err
	}
	return m.releases.Manifest(ctx, id)
}

// Functions lists the runners and the wheel functions, for the reference pages: they cannot be called.
func Functions() (run, wheel []modules.Module) {
	d := &runners.Deps{}
	return append(runners.Runners(d), (&release.Service{}).Runner()), runners.Wheels(d)
}
