package release

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/fileroots"
	"brine/internal/ordered"
	"brine/master/store"
	rel "brine/release"
)

func open(t *testing.T) (*Service, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"srv/top.sls": "base:\n  '*': [a]\n", "srv/a/init.sls": "x:\n  test.nop: []\n", "pillar/top.sls": "base:\n  '*': [p]\n", "pillar/p.sls": "k: v\n"} {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
	}
	db, err := store.Open(t.Context(), filepath.Join(dir, "db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	roots := func(d string) *fileroots.Roots {
		return fileroots.New(fileroots.Options{Envs: map[string][]string{"base": {filepath.Join(dir, d)}}})
	}
	s, err := New(Options{Docs: db, Roots: roots("srv"), Pillar: roots("pillar"), Dir: filepath.Join(dir, "releases"), PKIDir: filepath.Join(dir, "pki"),
		Resolve: func(_ context.Context, tgt any, _ string) ([]string, error) {
			if tgt == "nobody" {
				return nil, nil
			}
			return []string{"car1", "car2"}, nil
		}})
	require.NoError(t, err)
	return s, dir
}

func TestCreatePinsAndSigns(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	r, err := s.Create(t.Context(), "1.0", "base", "first")
	require.NoError(t, err)
	id := r.String("id")
	require.NoError(t, os.WriteFile(dir+"/srv/a/init.sls", []byte("changed"), 0o600))
	signed, err := s.Manifest(t.Context(), id)
	require.NoError(t, err)
	require.NotEmpty(t, signed.Manifest)
	m, err := signed.Open(id, nil, 0)
	require.NoError(t, err)
	assert.Len(t, m.Files, 2)
	assert.Len(t, m.Pillar, 2)
	pinned, err := os.ReadFile(filepath.Join(s.o.Dir, rel.Env(id), "files/a/init.sls"))
	require.NoError(t, err)
	assert.Equal(t, "x:\n  test.nop: []\n", string(pinned))

	_, err = s.Create(t.Context(), "1.0", "base", "")
	require.ErrorContains(t, err, "there is a release 1.0 already")
	_, err = s.Create(t.Context(), "2", "nosuch", "")
	require.ErrorContains(t, err, "nothing to release")
	next, err := s.Create(t.Context(), "1.1", "base", "")
	require.NoError(t, err)
	assert.Equal(t, int64(2), next.Value("sequence"))
	none, err := s.Manifest(t.Context(), "0000")
	require.NoError(t, err)
	assert.Empty(t, none.Manifest)
}

func TestPlans(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	r, err := s.Create(t.Context(), "1.0", "base", "")
	require.NoError(t, err)
	got, err := s.Queue(t.Context(), "1.0", "*", "glob", "startup")
	require.NoError(t, err)
	assert.Equal(t, []string{"car1", "car2"}, got)
	_, err = s.Policy(t.Context(), "*", "glob", "sleep")
	require.NoError(t, err)
	p, err := s.Pillar(t.Context(), "car1")
	require.NoError(t, err)
	assert.True(t, ordered.Equal(p, ordered.Pairs("latest_release_id", r.Value("id"), "minion", ordered.Pairs("latest_release_version", "1.0"),
		"update_release", ordered.Pairs("automatic", "shutdown", "demand", "startup"))), "%v", p)

	require.NoError(t, s.Event(t.Context(), "car1", rel.EventTag(rel.Updated), ordered.Pairs("id", r.Value("id"), "attempts", int64(1), "limit", int64(5)), time.Now()))
	d, err := s.Device(t.Context(), "car1")
	require.NoError(t, err)
	assert.Equal(t, false, d.Value("queued"), "what was asked for once is done once")
	assert.Equal(t, "updated", d.Map("last").Value("state"))
	d, err = s.Device(t.Context(), "car2")
	require.NoError(t, err)
	assert.Equal(t, "startup", d.Value("queued"))

	for name, f := range map[string]func() error{
		"no minions match nobody":         func() error { _, err := s.Assign(t.Context(), "1.0", "nobody", "glob"); return err },
		`there is no release "9"`:         func() error { _, err := s.Assign(t.Context(), "9", "*", "glob"); return err },
		`"soon" is neither sleep`:         func() error { _, err := s.Queue(t.Context(), "", "*", "glob", "soon"); return err },
		`"always" is none of off, sleep,`: func() error { _, err := s.Policy(t.Context(), "*", "glob", "always"); return err },
	} {
		require.ErrorContains(t, f(), name)
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	report := func(run, started string) *ordered.Map {
		return ordered.Pairs("run", run, "started", started, "state", "failed", "highstate", ordered.Pairs("x", 1))
	}
	for range 2 { // a report that comes twice is one run
		require.NoError(t, s.Event(t.Context(), "car1", rel.ReportTag, report("a", "2031-01-01T00:00:00Z"), time.Now()))
	}
	require.NoError(t, s.Event(t.Context(), "car2", rel.ReportTag, report("b", "2031-01-02T00:00:00Z"), time.Now()))
	all, err := s.Runs(t.Context(), "", 0)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "b", all[0].Value("run"), "the newest first")
	assert.False(t, all[0].Has("highstate"))
	one, err := s.Run(t.Context(), "a")
	require.NoError(t, err)
	assert.True(t, one.Has("highstate"))
	mine, err := s.Runs(t.Context(), "car1", 0)
	require.NoError(t, err)
	assert.Len(t, mine, 1)
}
