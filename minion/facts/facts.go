// Package facts keeps the grains of this minion: those detected, over them the grains file of the configuration folder,
// and over both the grains of the configuration.
package facts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/internal/pyyaml"
	"brine/modules"
)

// Facts implements modules.Grains. Nothing is detected before grains are asked for.
type Facts struct {
	// Detect looks at the machine.
	Detect func(ctx context.Context) *ordered.Map
	// Merge lays the three sources over one another.
	Merge func(detected, file, configured *ordered.Map) *ordered.Map
	// Configured are the grains of the configuration.
	Configured *ordered.Map
	// Path is the grains file.
	Path string
	// Changed is called with the grains after they were stored or detected again; nil for nobody.
	Changed func(*ordered.Map)

	mu       sync.Mutex
	detected *ordered.Map
	merged   *ordered.Map
}

var _ modules.Grains = (*Facts)(nil)

// Items implements modules.Grains.
func (f *Facts) Items(ctx context.Context) *ordered.Map {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.merged == nil {
		f.merge(ctx)
	}
	return f.merged
}

// merge makes the grains anew; the lock is held. A grains file that cannot be read counts as empty here: File says why.
func (f *Facts) merge(ctx context.Context) {
	if f.detected == nil {
		f.detected = f.Detect(ctx)
	}
	file, err := f.read()
	if err != nil {
		file = ordered.New(0)
	}
	f.merged = f.Merge(f.detected, file, f.Configured)
}

func (f *Facts) read() (*ordered.Map, error) {
	src, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return ordered.New(0), nil
	}
	if err != nil {
		return nil, err
	}
	m, _, err := pyyaml.LoadMap(src, pyyaml.Options{Name: f.Path})
	if err != nil {
		return nil, fmt.Errorf("grains file %s: %w", f.Path, err)
	}
	return m, nil
}

// File implements modules.Grains.
func (f *Facts) File(context.Context) (*ordered.Map, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

// Store implements modules.Grains.
func (f *Facts) Store(ctx context.Context, file *ordered.Map) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.tell()
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return err
	}
	text := pyyaml.Dump(file, pyyaml.DumpOptions{DefaultFlowStyle: pyyaml.Block()})
	if err := atomicfile.Write(f.Path, []byte(text), 0o600); err != nil {
		return err
	}
	f.merge(ctx)
	return nil
}

func (f *Facts) tell() {
	if f.Changed != nil {
		f.Changed(f.merged)
	}
}

// Refresh implements modules.Grains.
func (f *Facts) Refresh(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.tell()
	f.detected = nil
	f.merge(ctx)
	return nil
}
