package atomicfile

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRewriteKeepsModeAndLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("old"), 0o600))
	require.NoError(t, os.Chmod(dir+"/f", 0o640|os.ModeSetgid))
	require.NoError(t, os.Symlink("f", dir+"/l"))
	require.NoError(t, Rewrite(dir+"/l", []byte("new")))
	got, err := os.ReadFile(dir + "/f")
	require.NoError(t, err)
	assert.Equal(t, "new", string(got))
	fi, err := os.Lstat(dir + "/f")
	require.NoError(t, err)
	assert.Equal(t, 0o640|os.ModeSetgid, fi.Mode())
	to, err := os.Readlink(dir + "/l")
	require.NoError(t, err)
	assert.Equal(t, "f", to)
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, names, 2, "no temporary file may stay")
	assert.ErrorIs(t, Rewrite(dir+"/absent", nil), os.ErrNotExist)
}
