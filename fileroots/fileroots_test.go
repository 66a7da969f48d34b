package fileroots

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tree(t *testing.T) (*Roots, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/x.sls": "first", "b/x.sls": "second", "b/pkg/init.sls": "p", "dev/x.sls": "dev", "secret": "s", "any-qa/q": "q", "a/.hidden.swp": "",
	} {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a/empty"), 0o755))
	require.NoError(t, os.Symlink("../secret", filepath.Join(dir, "a/out")))
	require.NoError(t, os.Symlink("/etc", filepath.Join(dir, "a/etc")))
	require.NoError(t, os.Symlink("x.sls", filepath.Join(dir, "a/in.sls")))
	require.NoError(t, os.Symlink(".", filepath.Join(dir, "b/loop")))
	return New(Options{Envs: map[string][]string{
		"base": {dir + "/a", dir + "/b", dir + "/absent"}, "dev": {dir + "/dev"}, AnyEnv: {dir + "/any-" + AnyEnv},
	}, IgnoreGlobs: []string{"*.swp"}}), dir
}

func read(t *testing.T, r *Roots, env, name string) string {
	t.Helper()
	f, err := r.Open(env, name)
	require.NoError(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(b)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	r, dir := tree(t)
	assert.Equal(t, "first", read(t, r, "base", "x.sls"))
	assert.Equal(t, "first", read(t, r, "base", "/x.sls"))
	assert.Equal(t, "first", read(t, r, "base", "in.sls"))
	assert.Equal(t, "p", read(t, r, "base", "pkg/../pkg/init.sls"))
	assert.Equal(t, "dev", read(t, r, "dev", "x.sls"))
	assert.Equal(t, "q", read(t, r, "qa", "q"))
	assert.Equal(t, dir+"/b/pkg/init.sls", r.Path("base", "pkg/init.sls"))
	for _, bad := range []string{"../secret", "out", "etc/hostname", "pkg", "", "nope", "x.sls/y", "a\x00b", "../../etc/hostname", ".hidden.swp"} {
		_, err := r.Open("base", bad)
		require.ErrorIs(t, err, fs.ErrNotExist, bad)
	}
	for _, env := range []string{"../../etc", "a/b"} {
		_, err := r.Open(env, "q")
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	assert.Equal(t, []string{"base", "dev"}, r.Envs())
}

func TestListAndHash(t *testing.T) {
	t.Parallel()
	r, _ := tree(t)
	files, err := r.List(t.Context(), "dev", "")
	require.NoError(t, err)
	assert.Equal(t, []string{"x.sls"}, files)
	files, err = r.List(t.Context(), "base", "pkg")
	require.NoError(t, err)
	assert.Equal(t, []string{"pkg/init.sls"}, files)
	dirs, err := r.Dirs(t.Context(), "base", "")
	require.NoError(t, err)
	assert.Contains(t, dirs, "empty")
	assert.NotContains(t, dirs, "etc", "a link out of the root is not listed")
	sum, err := r.Hash("base", "x.sls")
	require.NoError(t, err)
	assert.Equal(t, "a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e", sum)
	_, err = r.Hash("base", "../secret")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestHashFollowsAChange(t *testing.T) {
	t.Parallel()
	r, dir := tree(t)
	before, err := r.Hash("base", "x.sls")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/a/x.sls", []byte("FIRST"), 0o644))
	after, err := r.Hash("base", "x.sls")
	require.NoError(t, err)
	assert.NotEqual(t, before, after)
}
