package mounts

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestList(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "/a b", unescape(`/a\040b`))
	assert.Equal(t, `/a\`, unescape(`/a\`))
	list, err := List()
	require.NoError(t, err)
	dirs := map[string]bool{}
	for _, m := range list {
		assert.False(t, dirs[m.Dir], "%s stands twice", m.Dir)
		dirs[m.Dir] = true
	}
	assert.True(t, dirs["/proc"])
}
