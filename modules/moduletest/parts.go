package moduletest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/modules"
)

var (
	_ modules.Grains = (*Grains)(nil)
	_ modules.Pillar = (*Pillar)(nil)
	_ modules.Files  = (*Files)(nil)
	_ modules.Events = (*Events)(nil)
)

// Grains are kept in memory; what is stored goes over M.
type Grains struct {
	M, Stored *ordered.Map
	Refreshed int
}

// Items implements modules.Grains.
func (g *Grains) Items(context.Context) *ordered.Map {
	out := g.M.Clone()
	out.Update(g.Stored)
	return out
}

// Store implements modules.Grains.
func (g *Grains) Store(_ context.Context, file *ordered.Map) error {
	g.Stored = file
	return nil
}

// File implements modules.Grains.
func (g *Grains) File(context.Context) (*ordered.Map, error) {
	if g.Stored == nil {
		return ordered.New(0), nil
	}
	return ordered.Copy(g.Stored).(*ordered.Map), nil
}

// Refresh implements modules.Grains.
func (g *Grains) Refresh(context.Context) error {
	g.Refreshed++
	return nil
}

// Pillar is kept in memory; Compile puts the override over it.
type Pillar struct {
	M         *ordered.Map
	Refreshed int
}

// Items implements modules.Pillar.
func (p *Pillar) Items(context.Context) (*ordered.Map, error) { return p.M, nil }

// Compile implements modules.Pillar.
func (p *Pillar) Compile(_ context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error) {
	out := p.M.Clone()
	if pillarenv != "" && pillarenv != "base" {
		out = ordered.Pairs("env", pillarenv)
	}
	out.Update(override)
	return out, nil
}

// Refresh implements modules.Pillar.
func (p *Pillar) Refresh(context.Context) error {
	p.Refreshed++
	return nil
}

// Files serves one folder as the base environment.
type Files struct{ Root, Cached string }

// Envs implements modules.Files.
func (f *Files) Envs(context.Context) ([]string, error) { return []string{"base"}, nil }

func (f *Files) walk(prefix string, dirs bool) ([]string, error) {
	var out []string
	err := filepath.WalkDir(f.Root, func(p string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(f.Root, p)
		if err == nil && rel != "." && d.IsDir() == dirs && strings.HasPrefix(rel, prefix) {
			out = append(out, rel)
		}
		return err
	})
	slices.Sort(out)
	return out, err
}

// List implements modules.Files.
func (f *Files) List(_ context.Context, saltenv, prefix string) ([]string, error) {
	if saltenv != "base" {
		return nil, nil
	}
	return f.walk(prefix, false)
}

// Dirs implements modules.Files.
func (f *Files) Dirs(_ context.Context, saltenv, prefix string) ([]string, error) {
	if saltenv != "base" {
		return nil, nil
	}
	return f.walk(prefix, true)
}

func (f *Files) find(saltenv, path string) string {
	p := filepath.Join(f.Root, path)
	if fi, err := os.Stat(p); err != nil || fi.IsDir() || saltenv != "base" || !filepath.IsLocal(path) {
		return ""
	}
	return p
}

// Cache implements modules.Files.
func (f *Files) Cache(_ context.Context, saltenv, path string) (string, error) {
	src := f.find(saltenv, path)
	if src == "" {
		return "", nil
	}
	data, err := os.ReadFile(src)
	if err != nil {
		return "", err
	}
	dst := filepath.Join(f.Cached, saltenv, path)
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return "", err
	}
	return dst, os.WriteFile(dst, data, 0o600)
}

// Hash implements modules.Files.
func (f *Files) Hash(_ context.Context, saltenv, path string) (string, error) {
	src := f.find(saltenv, path)
	if src == "" {
		return "", nil
	}
	return hashsum.File(src, "sha256")
}

// Event is one event sent or fired.
type Event struct {
	Tag    string
	Data   *ordered.Map
	Master bool
}

// Events records what is sent.
type Events struct {
	mu  sync.Mutex
	All []Event
	// Err is returned by both methods.
	Err error
}

func (e *Events) add(ev Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.All = append(e.All, ev)
	return e.Err
}

// Fire implements modules.Events.
func (e *Events) Fire(_ context.Context, tag string, data *ordered.Map) error {
	return e.add(Event{Tag: tag, Data: data})
}

// Send implements modules.Events.
func (e *Events) Send(_ context.Context, tag string, data *ordered.Map) error {
	return e.add(Event{Tag: tag, Data: data, Master: true})
}
