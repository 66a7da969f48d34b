package fileperm

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/fileinfo"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func file(t *testing.T, mode os.FileMode) string {
	t.Helper()
	p := t.TempDir() + "/f"
	require.NoError(t, os.WriteFile(p, nil, 0o600))
	require.NoError(t, os.Chmod(p, mode))
	return p
}

func TestMode(t *testing.T) {
	t.Parallel()
	p := file(t, 0o600)
	r, err := Check(Wish{Path: p, Mode: int64(755)})
	require.NoError(t, err)
	assert.Equal(t, "{'mode': '0755'}", pyfmt.Repr(r.Changes))
	assert.Equal(t, "0755", r.Perms.Value("cmode"))
	assert.Equal(t, "0600", r.Perms.Value("lmode"))
	again, err := Check(Wish{Path: p, Mode: "0755"})
	require.NoError(t, err)
	assert.Zero(t, again.Changes.Len())
	assert.False(t, again.Perms.Has("cmode"))
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	p := file(t, 0o600)
	r, err := Check(Wish{Path: p, Mode: "644", User: "no-such-user", Test: true})
	require.NoError(t, err)
	ret := r.Apply(nil, p, true)
	assert.Equal(t, "{'user': 'no-such-user', 'mode': '0644'}", pyfmt.Repr(ret.Value("changes")))
	assert.Nil(t, ret.Value("result"))
	i, err := fileinfo.Stat(p, true)
	require.NoError(t, err)
	assert.Equal(t, "0600", i.Mode)
}

func TestUnknownOwner(t *testing.T) {
	t.Parallel()
	p := file(t, 0o600)
	r, err := Check(Wish{Path: p, User: "no-such-user", Group: "no-such-group"})
	require.NoError(t, err)
	ret := r.Apply(nil, p, false)
	assert.Equal(t, false, ret.Value("result"))
	assert.Equal(t, "User does not exist\nGroup does not exist\n; Failed to change user to no-such-user; Failed to change group to no-such-group", ret.Value("comment"))
}

func TestOwner(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs to be root")
	}
	p := file(t, 0o4755)
	r, err := Check(Wish{Path: p, User: int64(1), Group: int64(1)})
	require.NoError(t, err)
	assert.Equal(t, "{'user': 1, 'group': 1}", pyfmt.Repr(r.Changes))
	assert.Equal(t, int64(0), r.Perms.Value("luser"), "asked by number, told by number")
	again, err := Check(Wish{Path: p, User: "daemon"})
	require.NoError(t, err)
	assert.Zero(t, again.Changes.Len())
}

func TestApplyKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	p := file(t, 0o600)
	r, err := Check(Wish{Path: p, Mode: "640"})
	require.NoError(t, err)
	ret := ordered.Pairs("name", "n", "changes", ordered.Pairs("diff", "d"), "comment", "before", "result", true)
	r.Apply(ret, p, false)
	assert.Equal(t, "{'name': 'n', 'changes': {'diff': 'd', 'mode': '0640'}, 'comment': 'before', 'result': True}", pyfmt.Repr(ret))
	_, err = Check(Wish{Path: p + "x"})
	assert.EqualError(t, err, "Path not found: "+p+"x")
}

func TestMissing(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "bc", missing("abcb", "a"))
	assert.Empty(t, missing("", "a"))
}
