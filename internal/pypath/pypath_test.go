package pypath

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNormpath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": ".", ".": ".", "/": "/", "//": "//", "///": "/", "/a/../b/./c": "/b/c", "a/b/c/..": "a/b", "../a": "../a",
		"../../a": "../../a", "/..": "/", "a//b": "a/b", "a/..": ".", "//a/../..": "//", "/../../x": "/x",
	} {
		assert.Equal(t, want, Normpath(in), "normpath(%q)", in)
	}
}

func TestSplitting(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"/a/b": {"/a", "b"}, "/a/b/": {"/a/b", ""}, "a": {"", "a"}, "/": {"/", ""}, "//a": {"//", "a"}, "/a//b": {"/a", "b"}, "": {"", ""},
	} {
		head, tail := Split(in)
		assert.Equal(t, want, [2]string{head, tail}, "split(%q)", in)
	}
	for in, want := range map[string][2]string{
		"a.txt": {"a", ".txt"}, ".bashrc": {".bashrc", ""}, "a.b/c": {"a.b/c", ""}, "a.tar.gz": {"a.tar", ".gz"}, "...x": {"...x", ""}, "x/.a.b": {"x/.a", ".b"},
	} {
		root, ext := Splitext(in)
		assert.Equal(t, want, [2]string{root, ext}, "splitext(%q)", in)
	}
	assert.Equal(t, "/a/b/c", Join("/a", "b", "c"))
	assert.Equal(t, "/c", Join("/a", "b", "/c"))
	assert.Equal(t, "a/", Join("a", ""))
	assert.Equal(t, "b", Join("", "b"))
	assert.Empty(t, Join())
}

func TestExpand(t *testing.T) {
	t.Setenv("HOME", "/home/me/")
	t.Setenv("PYP", "v")
	assert.Equal(t, "/home/me", Expanduser("~"))
	assert.Equal(t, "/home/me/x", Expanduser("~/x"))
	assert.Equal(t, "~nobody-of-that-name/x", Expanduser("~nobody-of-that-name/x"))
	assert.Equal(t, "a~", Expanduser("a~"))
	assert.Equal(t, "/v/v-$NOPYP ${NOPYP} $", Expandvars("/$PYP/${PYP}-$NOPYP ${NOPYP} $"))
}

func TestRealpath(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(dir+"/d", 0o755))
	require.NoError(t, os.Symlink("d", dir+"/l"))
	require.NoError(t, os.Symlink("nowhere", dir+"/broken"))
	require.NoError(t, os.Symlink("loop", dir+"/loop"))
	assert.Equal(t, dir+"/d/x", Realpath(dir+"/l/x"))
	assert.Equal(t, dir+"/nowhere", Realpath(dir+"/broken"))
	assert.Equal(t, dir, Realpath(dir+"/l/.."))
	assert.NotEmpty(t, Realpath(dir+"/loop"), "a loop must end")
	assert.False(t, Exists(dir+"/broken"))
	assert.True(t, Lexists(dir+"/broken"))
	assert.True(t, IsDir(dir+"/l"))
	assert.True(t, IsLink(dir+"/l"))
}

func TestGlobAndWalk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"a/x", "b/x", ".h"} {
		require.NoError(t, os.MkdirAll(dir+"/"+d, 0o755))
	}
	for _, f := range []string{"a/x/1.txt", "a/x/2.dat", "b/x/1.txt", ".h/f", "top"} {
		require.NoError(t, os.WriteFile(dir+"/"+f, nil, 0o600))
	}
	require.NoError(t, os.Symlink("a", dir+"/la"))
	sorted := func(l []string) []string { slices.Sort(l); return l }
	assert.Equal(t, []string{dir + "/a/x/1.txt", dir + "/b/x/1.txt"}, sorted(Glob(dir+"/[ab]/*/1.txt")))
	assert.Equal(t, []string{dir + "/a", dir + "/b", dir + "/la", dir + "/top"}, sorted(Glob(dir+"/*")))
	assert.Equal(t, []string{dir + "/.h"}, Glob(dir+"/.*"))
	assert.Equal(t, []string{dir + "/a/", dir + "/b/", dir + "/la/"}, sorted(Glob(dir+"/*/")))
	assert.Empty(t, Glob(dir+"/no*"))
	assert.Equal(t, []string{dir + "/top"}, Glob(dir+"/top"))

	var seen []string
	Walk(dir, func(d string, dirs, _ []string) []string { seen = append(seen, d); return dirs })
	assert.ElementsMatch(t, []string{dir, dir + "/a", dir + "/a/x", dir + "/b", dir + "/b/x", dir + "/.h"}, seen, "links are not entered")
	assert.Equal(t, dir, seen[0])
	var up []string
	WalkUp(dir, func(d string, _, _ []string) { up = append(up, d) })
	assert.ElementsMatch(t, seen, up)
	assert.Equal(t, dir, up[len(up)-1])
}
