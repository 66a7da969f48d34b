package unixsock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestListenAndDial(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), strings.Repeat("long-folder/", 20), "sock")} {
		l, err := Listen(path)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		c, err := Dial(t.Context(), path)
		require.NoError(t, err)
		s, err := l.Accept()
		require.NoError(t, err)
		uid, pid, err := Peer(s)
		require.NoError(t, err)
		assert.Equal(t, os.Getuid(), uid)
		assert.Equal(t, os.Getpid(), pid)
		_, err = Listen(path)
		require.ErrorContains(t, err, "listens")
		_ = c.Close()
		_ = l.Close()
		l, err = Listen(path)
		require.NoError(t, err, "a socket left behind is replaced")
		_ = l.Close()
	}
}
