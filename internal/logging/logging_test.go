package logging

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestLines(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	level, err := Level("warning")
	require.NoError(t, err)
	log := New(&b, level)
	log.Info("hidden")
	log.Warn("careful", zap.String("id", "a\x1b[31m"), zap.Error(errors.New("oh")))
	log.Error("bad")
	assert.Equal(t, "[WARNING ] careful id=\"a\\x1b[31m\" error=oh\n[ERROR   ] bad\n", b.String())
	path := filepath.Join(t.TempDir(), "l", "log")
	both, f, err := WithFile(log, path, level)
	require.NoError(t, err)
	both.Error("again")
	require.NoError(t, f.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Regexp(t, `^\d{4}-.* \[ERROR   \] again\n$`, string(text))
	_, err = Level("loud")
	require.Error(t, err)
}
