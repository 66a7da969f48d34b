package fileinfo

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("12345"), 0o600))
	require.NoError(t, os.Chmod(dir+"/f", 0o750|os.ModeSticky))
	require.NoError(t, os.Chtimes(dir+"/f", time.Unix(100, 500_000_000), time.Unix(200, 250_000_000)))
	require.NoError(t, os.Symlink("f", dir+"/l"))
	require.NoError(t, os.Symlink("none", dir+"/broken"))
	i, err := Stat(dir+"/l", true)
	require.NoError(t, err)
	assert.Equal(t, "1750", i.Mode)
	assert.Equal(t, int64(5), i.Size)
	assert.Equal(t, "file", i.Type)
	assert.Equal(t, []float64{100.5, 200.25}, []float64{i.Atime, i.Mtime})
	assert.Equal(t, os.Getuid(), i.UID)
	assert.Equal(t, []any{"inode", "uid", "gid", "group", "user", "atime", "mtime", "ctime", "size", "mode", "sum", "type", "target"}, i.Map("x").Keys())
	i, err = Stat(dir+"/l", false)
	require.NoError(t, err)
	assert.Equal(t, "link", i.Type)
	i, err = Stat(dir+"/broken", true)
	require.NoError(t, err)
	assert.Equal(t, "link", i.Type)
	i, err = Stat(dir, true)
	require.NoError(t, err)
	assert.Equal(t, "dir", i.Type)
	i, err = Stat("/dev/null", true)
	require.NoError(t, err)
	assert.Equal(t, "char", i.Type)
	_, err = Stat(dir+"/absent", true)
	assert.EqualError(t, err, "Path not found: "+dir+"/absent")
}

func TestModes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"644": "0644", "0o644": "0644", "00644": "0644", "'600'": "0600", "1777": "1777", "0": "0000", "": "0000"} {
		assert.Equal(t, want, Mode(in), in)
	}
	m, ok := ModeOf(int64(755))
	assert.True(t, ok)
	assert.Equal(t, "0755", m)
	_, ok = ModeOf(nil)
	assert.False(t, ok)
	n, err := Octal("0o1750")
	require.NoError(t, err)
	assert.Equal(t, uint32(0o1750), n)
	_, err = Octal("9")
	assert.Error(t, err)
}

func TestNames(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "root", UserName(0))
	assert.Equal(t, int64(987654), UserName(987654))
	assert.Equal(t, int64(987654), GroupName(987654))
	uid, ok := UID("root")
	assert.True(t, ok)
	assert.Zero(t, uid)
	uid, ok = UID(int64(7))
	assert.True(t, ok)
	assert.Equal(t, 7, uid)
	_, ok = UID("no such user")
	assert.False(t, ok)
	_, ok = GID(nil)
	assert.False(t, ok)
}
