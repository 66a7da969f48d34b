package fileops

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pypath"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func read(t *testing.T, path string) string {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(p)
}

func TestPut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, Put(dir+"/new", []byte("1")))
	fi, err := os.Stat(dir + "/new")
	require.NoError(t, err)
	assert.Equal(t, 0o666&^Umask(), fi.Mode())

	put(t, dir+"/old", "old")
	require.NoError(t, os.Link(dir+"/old", dir+"/hard"))
	require.NoError(t, Put(dir+"/old", []byte("changed")))
	assert.Equal(t, "changed", read(t, dir+"/hard"), "other names of a file see the new content")

	require.NoError(t, os.Symlink("new", dir+"/link"))
	require.NoError(t, Put(dir+"/link", []byte("2")))
	assert.Equal(t, "2", read(t, dir+"/new"))
	require.NoError(t, os.Symlink("made", dir+"/broken"))
	require.NoError(t, Put(dir+"/broken", []byte("3")))
	assert.Equal(t, "3", read(t, dir+"/made"))
	assert.Error(t, Put(dir+"/no/folder", nil))
}

func TestCopyAndMove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/a", "a")
	require.NoError(t, os.Chmod(dir+"/a", 0o751))
	require.NoError(t, os.Chtimes(dir+"/a", time.Unix(5, 0), time.Unix(6, 0)))
	require.NoError(t, CopyMeta(dir+"/a", dir+"/b"))
	fi, err := os.Stat(dir + "/b")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o751), fi.Mode())
	assert.Equal(t, int64(6), fi.ModTime().Unix())
	assert.ErrorContains(t, Copy(dir+"/a", dir+"/a"), "are the same file")

	require.NoError(t, os.Symlink("b", dir+"/a.bak"))
	require.NoError(t, Keep(dir+"/a", dir+"/a.bak"))
	assert.False(t, pypath.IsLink(dir+"/a.bak"), "a backup is not written through a link")

	require.NoError(t, os.MkdirAll(dir+"/d/sub", 0o755))
	put(t, dir+"/d/sub/f", "f")
	require.NoError(t, CopyTree(dir+"/d", dir+"/e"))
	assert.Equal(t, "f", read(t, dir+"/e/sub/f"))
	require.NoError(t, Move(dir+"/a", dir+"/d"))
	assert.Equal(t, "a", read(t, dir+"/d/a"))
	put(t, dir+"/a", "again")
	assert.ErrorContains(t, Move(dir+"/a", dir+"/d"), "already exists")
	require.NoError(t, os.Symlink("nowhere", dir+"/d/l"))
	require.NoError(t, copyAny(dir+"/d", dir+"/g"))
	to, err := os.Readlink(dir + "/g/l")
	require.NoError(t, err)
	assert.Equal(t, "nowhere", to)
}

func TestInstall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir+"/src", "new")
	put(t, dir+"/dst", "old")
	require.NoError(t, os.Chmod(dir+"/dst", 0o644))
	now := time.Date(2031, 5, 4, 10, 11, 12, 345678000, time.Local)
	require.NoError(t, Install(dir+"/src", dir+"/dst", Place{Backup: "minion", Cachedir: dir + "/cache", Now: now}))
	assert.Equal(t, "new", read(t, dir+"/dst"))
	kept := BackupRoot(dir+"/cache") + dir + "/dst_Sun_May_04_10:11:12_345678_2031"
	assert.Equal(t, "old", read(t, kept))
	fi, err := os.Stat(kept)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), fi.Mode())

	require.NoError(t, os.Symlink("dst", dir+"/link"))
	require.NoError(t, Install(dir+"/src", dir+"/link", Place{}))
	assert.False(t, pypath.IsLink(dir+"/link"))
	assert.ErrorIs(t, Install(dir+"/absent", dir+"/x", Place{}), os.ErrNotExist)
	assert.ErrorIs(t, Install(dir+"/src", dir+"/no/x", Place{}), os.ErrNotExist)
}

func TestKinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content      string
		text, binary bool
	}{
		"empty": {"", true, false}, "plain": {"a\nb\n", true, false}, "utf8": {"é🚗", true, true}, "zero": {"a\x00b", false, true},
		"latin": {strings.Repeat("abc", 9) + "\xe9", true, true}, "bytes": {"\xff\xfe\xfd\xfc", false, true},
	} {
		put(t, dir+"/"+name, c.content)
		assert.Equal(t, c.text, IsText(dir+"/"+name), name)
		assert.Equal(t, c.binary, IsBinary(dir+"/"+name), name)
	}
	assert.False(t, IsText(dir+"/absent"))
	assert.Equal(t, "Replace text file with binary file", Difference(dir+"/plain", dir+"/zero"))
	assert.Equal(t, "Replace binary file", Difference(dir+"/zero", dir+"/zero"))
	assert.Empty(t, Difference(dir+"/plain", dir+"/empty"))
}

func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/d/e", 0o755))
	require.NoError(t, os.Symlink("d", dir+"/l"))
	was, err := Remove(dir + "/l")
	require.NoError(t, err)
	assert.True(t, was)
	assert.True(t, pypath.IsDir(dir+"/d"), "a link's target stays")
	was, err = Remove(dir + "/d")
	require.NoError(t, err)
	assert.True(t, was)
	was, err = Remove(dir + "/d")
	require.NoError(t, err)
	assert.False(t, was)
}
