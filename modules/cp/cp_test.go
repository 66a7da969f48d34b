package cp_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/cp"
	"brine/modules/moduletest"
)

func bench(t *testing.T, push cp.Pusher) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, cp.Module(push))
	for name, content := range map[string]string{"x.sls": "x", "sub/data.txt": "data\n", "sub/t.j2": "id={{ grains.id }} {{ v }}\n", "pkg/init.sls": "y", "other/f": "f"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(b.Roots+"/"+name), 0o755))
		require.NoError(t, os.WriteFile(b.Roots+"/"+name, []byte(content), 0o600))
	}
	require.NoError(t, os.MkdirAll(b.Roots+"/sub/empty", 0o755))
	require.NoError(t, os.Chmod(b.Roots+"/sub/data.txt", 0o751))
	return b
}

// answers compares with the folders of the test written as W and C.
func answers(b *moduletest.Bench, want, fun string, a modules.Args) {
	b.T.Helper()
	got := pyfmt.Repr(b.Run(fun, a))
	got = strings.ReplaceAll(strings.ReplaceAll(got, b.Work(""), "W/"), b.Dir+"/cache", "C")
	assert.Equal(b.T, want, got, "%s %v", fun, a.Pos)
}

func TestMaster(t *testing.T) {
	t.Parallel()
	b := bench(t, nil)
	answers(b, "['pkg', 'x']", "cp.list_states", modules.Args{})
	answers(b, "['other/f', 'pkg/init.sls', 'sub/data.txt', 'sub/t.j2', 'x.sls']", "cp.list_master", modules.Args{})
	answers(b, "['sub/data.txt', 'sub/t.j2']", "cp.list_master", modules.Pos("base", "sub/"))
	answers(b, "['other', 'pkg', 'sub', 'sub/empty']", "cp.list_master_dirs", modules.Args{})
	answers(b, "['base']", "cp.envs", modules.Args{})
	const sum = "6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f"
	answers(b, "{'hsum': '"+sum+"', 'hash_type': 'sha256'}", "cp.hash_file", modules.Pos("salt://sub/data.txt"))
	answers(b, "'"+sum+"'", "cp.hash_file_str", modules.Pos("salt://sub/data.txt?saltenv=base"))
	answers(b, "''", "cp.hash_file", modules.Pos("salt://nope"))
	answers(b, "{}", "cp.hash_file", modules.Pos("/no/such/file"))
	answers(b, "'0751'", "cp.stat_file", modules.Pos("salt://sub/data.txt"))
	answers(b, "None", "cp.stat_file", modules.Pos("salt://nope"))
}

func TestFetch(t *testing.T) {
	t.Parallel()
	b := bench(t, nil)
	answers(b, "'W/got/data.txt'", "cp.get_file", modules.Pos("salt://sub/data.txt", b.Work("got/data.txt")).With("makedirs", true))
	assert.Equal(t, "data\n", b.Read(b.Work("got/data.txt")))
	answers(b, "'W/got/data.txt'", "cp.get_file", modules.Pos("salt://sub/data.txt", b.Work("got/")))
	answers(b, "False", "cp.get_file", modules.Pos("salt://sub/data.txt", b.Work("no/data.txt")))
	answers(b, "''", "cp.get_file", modules.Pos("salt://sub/missing.txt", b.Work("m")))
	answers(b, "''", "cp.get_file", modules.Pos("salt://../../../etc/hostname", b.Work("evil")))
	assert.NoFileExists(t, b.Work("evil"))
	answers(b, "'W/m1'", "cp.get_file", modules.Pos("salt://{{ 'sub' }}/data.txt", b.Work("{{ grains.id }}")).With("template", "jinja"))
	answers(b, `'data\n'`, "cp.get_file_str", modules.Pos("salt://sub/data.txt"))
	answers(b, `False`, "cp.get_file_str", modules.Pos("salt://nope"))
	answers(b, "'W/t'", "cp.get_template", modules.Pos("salt://sub/t.j2", b.Work("t")).With("template", "jinja").With("v", "w"))
	assert.Equal(t, "id=m1 w\n", b.Read(b.Work("t")))
	answers(b, "''", "cp.get_template", modules.Pos("salt://nope", b.Work("t")))
	answers(b, "['W/dir/sub/data.txt', 'W/dir/sub/empty', 'W/dir/sub/t.j2']", "cp.get_dir", modules.Pos("salt://sub", b.Work("dir")))
	answers(b, "'C/files/base/sub/data.txt'", "cp.cache_file", modules.Pos("salt://sub/data.txt"))
	answers(b, "'C/files/base/sub/data.txt'", "cp.is_cached", modules.Pos("salt://sub/data.txt"))
	answers(b, "''", "cp.is_cached", modules.Pos("salt://x.sls"))
	answers(b, "'C/files/base/x.sls'", "cp.cache_dest", modules.Pos("salt://x.sls"))
	answers(b, "False", "cp.cache_file", modules.Pos("salt://nope"))
	answers(b, "'/etc/x'", "cp.cache_file", modules.Pos("/etc/x"))
	answers(b, "['C/files/base/x.sls', False]", "cp.cache_files", modules.Pos("salt://x.sls,salt://nope"))
	answers(b, "['C/files/base/sub/data.txt']", "cp.cache_dir", modules.Pos("salt://sub").With("include_pat", `E@\.txt$`))
	answers(b, "['C/files/base/sub/data.txt']", "cp.cache_dir", modules.Pos("salt://sub/").With("exclude_pat", "*.j2"))
	answers(b, "'C/localfilesW/t'", "cp.cache_local_file", modules.Pos(b.Work("t")))
	assert.Len(t, b.Run("cp.cache_master", modules.Args{}), 5)
	assert.Len(t, b.Run("cp.list_minion", modules.Args{}), 6)
	answers(b, "'W/u'", "cp.get_url", modules.Pos("salt://x.sls", b.Work("u")))
	answers(b, "'x'", "cp.get_url", modules.Pos("salt://x.sls", nil))
	answers(b, "False", "cp.get_url", modules.Pos("salt://nope", b.Work("u")))
	b.Fails("Path 'rel' is not absolute", "cp.get_url", modules.Pos("rel"))
}

func TestWeb(t *testing.T) {
	t.Parallel()
	b := bench(t, nil)
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case r.URL.Path == "/gone":
			http.NotFound(w, r)
		case r.Header.Get("If-None-Match") == `"v1"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", `"v1"`)
			_, _ = w.Write([]byte("web"))
		}
	}))
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	answers(b, "'C/extrn_files/base/"+host+"/a/f-q=1'", "cp.cache_file", modules.Pos(srv.URL+"/a/f?q=1").With("use_etag", true))
	answers(b, "'C/extrn_files/base/"+host+"/a/f-q=1'", "cp.cache_file", modules.Pos(srv.URL+"/a/f?q=1").With("use_etag", true))
	assert.Equal(t, 2, asked)
	sum := pyfmt.Str(b.Run("cp.hash_file_str", modules.Pos(b.Dir+"/cache/extrn_files/base/"+host+"/a/f-q=1")))
	answers(b, "'C/extrn_files/base/"+host+"/a/f-q=1'", "cp.cache_file", modules.Pos(srv.URL+"/a/f?q=1").With("source_hash", "sha256="+sum))
	assert.Equal(t, 2, asked, "a copy with the right checksum is not fetched again")
	answers(b, "'web'", "cp.get_url", modules.Pos(srv.URL+"/x", nil))
	answers(b, "'W/x'", "cp.get_url", modules.Pos(srv.URL+"/x", b.Work("")))
	b.Fails("Error: HTTP 404: Not Found reading /gone", "cp.get_url", modules.Pos(srv.URL+"/gone", b.Work("y")))
	assert.NoFileExists(t, b.Work("y"))
	answers(b, "''", "cp.get_url", modules.Pos(srv.URL+"/x", b.Work("no/y")))
	_, err := b.Call(t.Context(), "cp.cache_file", modules.Pos("http://me:secret@127.0.0.1:1/x"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

type sent struct {
	names []string
	err   error
}

func (s *sent) Push(_ context.Context, _, name string) error {
	s.names = append(s.names, name)
	return s.err
}

func TestPushAndReceive(t *testing.T) {
	t.Parallel()
	s := &sent{}
	b := bench(t, s)
	f := b.File("f.txt", "x")
	answers(b, "True", "cp.push", modules.Pos(f))
	answers(b, "True", "cp.push", modules.Pos(f).With("upload_path", "/up/f"))
	answers(b, "False", "cp.push", modules.Pos("rel"))
	answers(b, "False", "cp.push", modules.Pos(f).With("upload_path", "../up"))
	b.File("g.conf", "y")
	answers(b, "True", "cp.push_dir", modules.Pos(b.Work("")).With("glob", "*.conf").With("upload_path", "/there"))
	real, err := filepath.EvalSymlinks(f)
	require.NoError(t, err)
	assert.Equal(t, []string{strings.TrimPrefix(real, "/"), "up/f", "there/g.conf"}, s.names)
	s.err = errors.New("no")
	answers(b, "False", "cp.push", modules.Pos(f).With("remove_source", true))
	assert.FileExists(t, f)
	s.err = nil
	answers(b, "True", "cp.push", modules.Pos(f).With("remove_source", true))
	assert.NoFileExists(t, f)

	answers(b, "{'W/in': True}", "cp.recv", modules.Pos(ordered.Pairs("/src/in", "data"), b.Work("")))
	answers(b, "'Destination unavailable'", "cp.recv", modules.Pos(ordered.Pairs("/src/in", "data"), b.Work("no/such/x")))
	answers(b, "True", "cp.recv_chunked", modules.Pos(b.Work("deep/c"), "YWI=", false, false, int64(0o640)))
	answers(b, "True", "cp.recv_chunked", modules.Pos(b.Work("deep/c"), "Y2Q=", true, false))
	assert.Equal(t, "abcd", b.Read(b.Work("deep/c")))
	b.Run("cp.recv_chunked", modules.Pos(b.Work("deep/c"), "no base64!"))
	assert.Equal(t, 1, b.Job.Retcode())
	b = bench(t, nil)
	b.Fails("There is no master to send files to", "cp.push", modules.Pos("/etc/hosts"))
}
