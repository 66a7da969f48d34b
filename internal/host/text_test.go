package host

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExec(t *testing.T) {
	t.Parallel()
	out, err := Exec(t.Context(), Real{}, Cmd{Argv: []string{"sh", "-c", `echo "$LC_ALL $X $PWD"; echo bad >&2; exit 3`}, Env: []string{"X=1"}})
	require.NoError(t, err)
	assert.Equal(t, Text{3, "C 1 /", "bad"}, out)
	assert.False(t, out.OK())
	assert.Equal(t, "bad", out.Said())
	out, err = Tool(t.Context(), Real{}, "echo", "a b")
	require.NoError(t, err)
	assert.True(t, out.OK())
	assert.Equal(t, "a b", out.Said())
	_, err = Tool(t.Context(), Real{}, "/no/such/program")
	assert.Error(t, err)
}
