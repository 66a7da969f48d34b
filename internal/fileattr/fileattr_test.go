package fileattr

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChange(t *testing.T) {
	t.Parallel()
	p := t.TempDir() + "/f"
	require.NoError(t, os.WriteFile(p, nil, 0o600))
	before, err := Get(p)
	if errors.Is(err, ErrUnsupported) {
		t.Skip("this file system keeps no attributes")
	}
	require.NoError(t, err)
	require.NoError(t, Change(p, "d", ""))
	got, err := Get(p)
	require.NoError(t, err)
	assert.Contains(t, got, "d")
	require.NoError(t, Change(p, "", "d"))
	got, err = Get(p)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(before, "d", ""), got)
	_, err = Get(p + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestProcHasNoAttributes(t *testing.T) {
	t.Parallel()
	_, err := Get("/proc/self/status")
	assert.ErrorIs(t, err, ErrUnsupported)
}
