package selfca

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := Server(dir, []string{"master.example", "127.0.0.1"})
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	for _, name := range []string{"master.example", "127.0.0.1"} {
		_, err = a.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name})
		require.NoError(t, err)
	}
	again, err := Server(dir, []string{"127.0.0.1"})
	require.NoError(t, err)
	assert.Equal(t, a.Leaf.SerialNumber, again.Leaf.SerialNumber, "a certificate that does is kept")
	more, err := Server(dir, []string{"other"})
	require.NoError(t, err)
	assert.NotEqual(t, a.Leaf.SerialNumber, more.Leaf.SerialNumber)
	for _, f := range []string{"ca.key", "server.key"} {
		info, err := os.Stat(filepath.Join(dir, f))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o400), info.Mode().Perm())
	}
}
