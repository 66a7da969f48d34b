package archives_test

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/archives"
)

type entry struct {
	name, body, link string
	kind             byte
}

func tarFile(t *testing.T, entries ...entry) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	f, err := os.Create(path)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for _, e := range entries {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.body)), Mode: 0o755, Uid: os.Getuid(), Gid: os.Getgid()}))
		_, err := w.Write([]byte(e.body))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return path
}

func TestTar(t *testing.T) {
	t.Parallel()
	file := tarFile(t, entry{name: "top/", kind: tar.TypeDir}, entry{name: "top/f", body: "hi", kind: tar.TypeReg}, entry{name: "top/l", link: "f", kind: tar.TypeSymlink},
		entry{name: "deep/er/g", body: "x", kind: tar.TypeReg}, entry{name: "h", link: "top/f", kind: tar.TypeLink})
	list, err := archives.ListTar(file)
	require.NoError(t, err)
	assert.Equal(t, []archives.Entry{{"top", archives.Dir}, {"top/f", archives.Regular}, {"top/l", archives.Link}, {"deep/er/g", archives.Regular}, {"h", archives.Regular}}, list)
	dest := t.TempDir()
	for range 2 {
		names, err := archives.ExtractTar(file, dest)
		require.NoError(t, err)
		assert.Equal(t, []string{"top", "top/f", "top/l", "deep/er/g", "h"}, names)
	}
	for _, p := range []string{"top/f", "top/l", "h"} {
		body, err := os.ReadFile(filepath.Join(dest, p))
		require.NoError(t, err)
		assert.Equal(t, "hi", string(body))
	}
	_, err = archives.ListTar(dest + "/top/f")
	assert.ErrorIs(t, err, archives.ErrFormat)
}

func TestNothingLeavesTheFolder(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"up":        tarFile(t, entry{name: "../evil", body: "x", kind: tar.TypeReg}),
		"link":      tarFile(t, entry{name: "l", link: "..", kind: tar.TypeSymlink}, entry{name: "l/evil", body: "x", kind: tar.TypeReg}),
		"hard link": tarFile(t, entry{name: "h", link: "../secret", kind: tar.TypeLink}),
	} {
		outer := t.TempDir()
		require.NoError(t, os.WriteFile(outer+"/secret", []byte("s"), 0o600))
		require.NoError(t, os.Mkdir(outer+"/in", 0o755))
		_, err := archives.ExtractTar(file, outer+"/in")
		assert.Error(t, err, name)
		assert.NoFileExists(t, outer+"/evil", name)
		assert.NoFileExists(t, outer+"/in/h", name)
	}
	outer := t.TempDir()
	require.NoError(t, os.Mkdir(outer+"/in", 0o755))
	_, err := archives.ExtractTar(tarFile(t, entry{name: "/abs", body: "x", kind: tar.TypeReg}), outer+"/in")
	require.NoError(t, err)
	assert.FileExists(t, outer+"/in/abs")
}

func TestZip(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := os.Create(dir + "/a.zip")
	require.NoError(t, err)
	w := zip.NewWriter(f)
	for _, n := range []string{"d/", "d/f", "e/g"} {
		_, err := w.Create(n)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	require.NoError(t, os.Mkdir(dir+"/out", 0o755))
	names, err := archives.ExtractZip(dir+"/a.zip", dir+"/out", archives.Zip{Skip: []string{"e/g"}, Perms: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"d/", "d/f"}, names)
	assert.FileExists(t, dir+"/out/d/f")
	yes, err := archives.Encrypted(dir + "/a.zip")
	require.NoError(t, err)
	assert.False(t, yes)
	assert.Equal(t, []string{"tar", "zip", "rar", ""}, []string{archives.Guess("x.TGZ"), archives.Guess("a.zip"), archives.Guess("b.rar"), archives.Guess("tar")})
}
