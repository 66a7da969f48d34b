package finder

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/fileinfo"
	"brine/internal/ordered"
)

func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/a/b", 0o755))
	for name, size := range map[string]int{"top.txt": 0, "a/mid.TXT": 10, "a/b/deep.log": 3000} {
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte(strings.Repeat("x", size)), 0o600))
		require.NoError(t, os.Chmod(dir+"/"+name, 0o640))
	}
	require.NoError(t, os.WriteFile(dir+"/a/b/deep.log", []byte(strings.Repeat("y", 2990)+"\nneedle 42"), 0o640))
	old := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(dir+"/top.txt", old, old))
	require.NoError(t, os.Symlink("nowhere", dir+"/broken"))
	return dir
}

func find(t *testing.T, dir string, kv ...any) []string {
	t.Helper()
	f, err := New(ordered.Pairs(kv...), func(argv []string) (string, error) { return strings.Join(argv, "|"), nil })
	require.NoError(t, err)
	got, err := f.Find(dir)
	require.NoError(t, err)
	out := []string{}
	for _, v := range got {
		out = append(out, strings.ReplaceAll(strings.TrimPrefix(v.(string), dir), dir, "D"))
	}
	return out
}

func TestCriteria(t *testing.T) {
	t.Parallel()
	dir := tree(t)
	all := []string{"", "/a", "/a/b", "/a/b/deep.log", "/a/mid.TXT", "/broken", "/top.txt"}
	assert.ElementsMatch(t, all, find(t, dir))
	assert.ElementsMatch(t, []string{"/top.txt"}, find(t, dir, "name", "*.txt"))
	assert.ElementsMatch(t, []string{"/top.txt", "/a/mid.TXT"}, find(t, dir, "iname", "*.txt"))
	assert.ElementsMatch(t, []string{"/a/b/deep.log"}, find(t, dir, "regex", "d.*g"))
	assert.ElementsMatch(t, []string{"/a/b/deep.log", "/a/mid.TXT", "/top.txt"}, find(t, dir, "type", "f"))
	assert.ElementsMatch(t, []string{"/broken"}, find(t, dir, "type", "l"))
	assert.ElementsMatch(t, []string{"", "/a", "/a/b"}, find(t, dir, "type", "d"))
	assert.ElementsMatch(t, []string{"/a", "/broken", "/top.txt"}, find(t, dir, "maxdepth", 1, "mindepth", 1))
	assert.ElementsMatch(t, []string{"/a/b/deep.log"}, find(t, dir, "mindepth", 3))
	assert.ElementsMatch(t, []string{"/a/b/deep.log"}, find(t, dir, "size", "+1k", "type", "f"))
	assert.ElementsMatch(t, []string{"/a/b/deep.log"}, find(t, dir, "size", "2.9k", "type", "f"))
	assert.ElementsMatch(t, []string{"/a/mid.TXT", "/top.txt"}, find(t, dir, "size", "-10", "type", "f"))
	assert.ElementsMatch(t, []string{"/top.txt"}, find(t, dir, "mtime", "+1d", "type", "f"))
	assert.ElementsMatch(t, []string{"/a/b/deep.log", "/a/mid.TXT"}, find(t, dir, "mtime", "-1d", "type", "f"))
	assert.ElementsMatch(t, []string{"/a/b/deep.log"}, find(t, dir, "grep", `needle \d+`))
}

func TestActions(t *testing.T) {
	t.Parallel()
	dir := tree(t)
	assert.Equal(t, []string{"echo D/top.txt:\necho|D/top.txt\n"}, find(t, dir, "name", "top.txt", "exec", "echo {}"))
	f, err := New(ordered.Pairs("name", "top.txt", "print", "name,size type mode user md5"), nil)
	require.NoError(t, err)
	got, err := f.Find(dir)
	require.NoError(t, err)
	assert.Equal(t, []any{[]any{"top.txt", int64(0), "f", int64(0o640), fileinfo.UserName(os.Getuid()), "d41d8cd98f00b204e9800998ecf8427e"}}, got)
	assert.Len(t, find(t, dir, "delete", "f", "test", true), 3)
	assert.FileExists(t, dir+"/top.txt")
	assert.ElementsMatch(t, []string{"/a/b/deep.log", "/a/mid.TXT", "/top.txt"}, find(t, dir, "delete", "f"))
	assert.NoFileExists(t, dir+"/top.txt")
	assert.ElementsMatch(t, []string{"/broken"}, find(t, dir, "delete", "l"))
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for want, kv := range map[string][]any{
		`invalid option "color"`:          {"color", "red"},
		`missing value for "name" option`: {"name", ""},
		`invalid regular expression: "("`: {"regex", "("},
		`invalid file type "x"`:           {"type", "fx"},
		`no such user "no-such-user"`:     {"owner", "no-such-user"},
		`no such group "no-such-group"`:   {"group", "no-such-group"},
		`invalid size: "big"`:             {"size", "big"},
		`invalid time interval: 'soon'`:   {"mtime", "soon"},
	} {
		_, err := New(ordered.Pairs(kv...), nil)
		var u *UsageError
		require.ErrorAs(t, err, &u, want)
		assert.Equal(t, want, err.Error())
	}
	_, err := New(ordered.Pairs("size", 5), nil)
	var u *UsageError
	require.Error(t, err)
	assert.NotErrorAs(t, err, &u)
}
