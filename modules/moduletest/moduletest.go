// Package moduletest builds environments in which tests call execution functions: a scratch folder, grains, pillar and
// files that the test sets, and a record of the events sent.
package moduletest

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Bench is an environment and what stands behind it.
type Bench struct {
	*modules.Env
	T testing.TB
	// Dir is a scratch folder, Roots the folder of the base environment's files.
	Dir, Roots string
	Facts      *Grains
	Secrets    *Pillar
	Bus        *Events
}

// New makes a bench with the given families. Grains and pillar begin empty but for the id.
func New(t testing.TB, families ...modules.Module) *Bench {
	t.Helper()
	reg, err := modules.NewRegistry(families...)
	require.NoError(t, err)
	dir := t.TempDir()
	b := &Bench{T: t, Dir: dir, Roots: dir + "/srv", Facts: &Grains{M: ordered.Pairs("id", "m1", "kernel", "Linux", "os_family", "Debian")},
		Secrets: &Pillar{M: ordered.New(0)}, Bus: &Events{}}
	for _, d := range []string{b.Roots, dir + "/cache", dir + "/work"} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	b.Env = &modules.Env{
		ID: "m1", Grains: b.Facts, Pillar: b.Secrets, Files: &Files{Root: b.Roots, Cached: dir + "/cache/files"}, Host: host.Real{}, Events: b.Bus,
		Mods: reg, Context: &modules.Context{}, Log: zap.NewNop(), Job: &modules.Job{JID: "20310101000000000000", Tgt: "m1", TgtType: "glob"},
		Saltenv: "base", Pillarenv: "base",
		Opts: ordered.Pairs("id", "m1", "cachedir", dir+"/cache", "root_dir", dir, "hash_type", "sha256", "file_client", "local", "backup_mode", "",
			"conf_file", dir+"/minion", "file_roots", ordered.Pairs("base", []any{b.Roots}), "saltenv", "base", "pillarenv", nil),
	}
	return b
}

// Work is the path of a name in the scratch folder for files.
func (b *Bench) Work(name string) string { return b.Dir + "/work/" + name }

// File writes a file below Work and returns its path.
func (b *Bench) File(name, content string) string {
	b.T.Helper()
	require.NoError(b.T, os.WriteFile(b.Work(name), []byte(content), 0o600))
	require.NoError(b.T, os.Chmod(b.Work(name), 0o644))
	return b.Work(name)
}

// Read is the content of a file.
func (b *Bench) Read(path string) string {
	b.T.Helper()
	p, err := os.ReadFile(path)
	require.NoError(b.T, err)
	return string(p)
}

// Run calls a function that must succeed.
func (b *Bench) Run(fun string, a modules.Args) any {
	b.T.Helper()
	v, err := b.Call(context.Background(), fun, a)
	require.NoError(b.T, err, "%s %s", fun, pyfmt.Repr(a.Pos))
	return v
}

// Want calls a function with positional arguments and compares the answer, written as Python.
func (b *Bench) Want(want, fun string, pos ...any) {
	b.T.Helper()
	b.WantArgs(want, fun, modules.Pos(pos...))
}

// WantArgs is Want with keyword arguments too.
func (b *Bench) WantArgs(want, fun string, a modules.Args) {
	b.T.Helper()
	if got := pyfmt.Repr(b.Run(fun, a)); got != want {
		assert.Equal(b.T, want, got, "%s %s", fun, pyfmt.Repr(a.Pos))
	}
}

// Fails calls a function that must answer with an error of this text.
func (b *Bench) Fails(text, fun string, a modules.Args) error {
	b.T.Helper()
	_, err := b.Call(context.Background(), fun, a)
	if assert.Error(b.T, err, "%s %s", fun, pyfmt.Repr(a.Pos)) {
		assert.Equal(b.T, text, err.Error(), "%s %s", fun, pyfmt.Repr(a.Pos))
	}
	return err
}

// KW makes arguments of positional ones and of alternating names and values.
func KW(pos []any, kv ...any) modules.Args {
	return modules.Args{Pos: pos, Kw: ordered.Pairs(kv...)}
}
