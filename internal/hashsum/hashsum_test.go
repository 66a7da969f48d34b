package hashsum

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, k := range Kinds() {
		assert.Len(t, Sum(k.Name, nil), k.Len)
		assert.Equal(t, k.Name, ByLength(k.Len))
		assert.Equal(t, k.Len, Length(k.Name))
	}
	assert.Empty(t, Sum("crc", nil))
	assert.Zero(t, Length("crc"))
	assert.Equal(t, "md5 (32), sha1 (40), sha224 (56), sha256 (64), sha384 (96), sha512 (128)", Supported())
}

func TestFile(t *testing.T) {
	t.Parallel()
	p := t.TempDir() + "/f"
	require.NoError(t, os.WriteFile(p, []byte("data\n"), 0o600))
	sum, err := File(p, "sha256")
	require.NoError(t, err)
	assert.Equal(t, "6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f", sum)
	_, err = File(p, "nope")
	assert.EqualError(t, err, "Invalid hash type: nope")
	_, err = File(p+"x", "md5")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
