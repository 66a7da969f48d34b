package archive_test

import (
	"archive/tar"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pyfmt"
	modarchive "brine/modules/archive"
	"brine/modules/cmd"
	"brine/modules/config"
	"brine/modules/cp"
	"brine/modules/file"
	"brine/modules/moduletest"
	"brine/states/archive"
)

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, modarchive.Module(), cmd.Module(), file.Module(), cp.Module(nil), config.Module())
}

func pack(t *testing.T, path string, files map[string]string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	w := tar.NewWriter(f)
	for name, body := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(body)), Uid: os.Getuid(), Gid: os.Getgid()}))
		_, err := w.Write([]byte(body))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
}

func TestExtracted(t *testing.T) {
	t.Parallel()
	b := bench(t)
	s := archive.State()
	src, out := b.Work("a.tar"), b.Work("out")
	pack(t, src, map[string]string{"top/f": "hi"})
	b.Test = true
	assert.Equal(t, "Archive "+src+" would be extracted to "+out+"/, due to absence of one or more files/dirs", b.State(s, "extracted", moduletest.KW(nil, "name", out, "source", src)).Value("comment"))
	b.Test = false
	r := b.DryAndTwice(s, "extracted", moduletest.KW(nil, "name", out, "source", src))
	assert.Equal(t, "{'directories_created': ['"+out+"/'], 'extracted_files': ['top/f']}", pyfmt.Repr(r.Value("changes")))
	assert.Equal(t, src+" extracted to "+out+"/, due to absence of one or more files/dirs. Output was trimmed to False number of lines", r.Value("comment"))
	assert.Equal(t, "hi", b.Read(out+"/top/f"))
	for want, a := range map[string][]any{
		"rel is not an absolute path":                                {"name", "rel", "source", src},
		src + " exists and is not a directory":                       {"name", src, "source", src},
		"Source file '/no/such.tar' does not exist":                  {"name", out, "source", "/no/such.tar"},
		"Value for 'if_missing' is not an absolute path":             {"name", out, "source", src, "if_missing", "x"},
		"The 'password' argument is only supported for zip archives": {"name", out, "source", src, "password", "x"},
		"User nobody-at-all does not exist":                          {"name", out, "source", src, "user", "nobody-at-all"},
		"Could not guess archive_format from the value of the 'source' argument. Please set this archive_format to one of the following: tar, rar, zip": {"name", out, "source", out + "/top/f"},
	} {
		r := b.State(s, "extracted", moduletest.KW(nil, a...))
		assert.Equal(t, "{'result': False, 'comment': "+pyfmt.Repr(want)+", 'changes': {}}", pyfmt.Repr(r))
	}
	b.WantState(s, "extracted", moduletest.KW(nil, "name", out, "source", src, "if_missing", src), "{'result': True, 'comment': '"+src+" exists', 'changes': {}}")
	pack(t, src, map[string]string{"f": "1", "g": "2"})
	assert.Contains(t, b.State(s, "extracted", moduletest.KW(nil, "name", out, "source", src)).Value("comment"), "Archive does not have a single top-level directory.")
	require.NoError(t, os.Mkdir(out+"/f", 0o755))
	assert.Contains(t, b.State(s, "extracted", moduletest.KW(nil, "name", out, "source", src, "enforce_toplevel", false)).Value("comment"), "exist, but are the incorrect type")
	r = b.State(s, "extracted", moduletest.KW(nil, "name", out, "source", src, "enforce_toplevel", false, "force", true))
	assert.Equal(t, "['"+out+"/f']", pyfmt.Repr(r.Map("changes").Value("removed")))
	assert.Equal(t, "1", b.Read(out+"/f"))
}

func TestModule(t *testing.T) {
	t.Parallel()
	b := bench(t)
	pack(t, b.Work("a.tar"), map[string]string{"top/f": "hi"})
	b.Want("['top/f']", "archive.list", b.Work("a.tar"))
	b.Want("{'dirs': [], 'files': ['top/f'], 'links': [], 'top_level_dirs': [], 'top_level_files': [], 'top_level_links': []}", "archive.list", b.Work("a.tar"), nil, nil, nil, false, true)
	b.File("one", "1")
	b.WantArgs("['one']", "archive.zip", moduletest.KW([]any{b.Work("z.zip"), "one"}, "cwd", b.Dir+"/work"))
	b.Want("False", "archive.is_encrypted", b.Work("z.zip"))
	b.Want("['one']", "archive.unzip", b.Work("z.zip"), b.Work("zout"))
	assert.Equal(t, "1", b.Read(b.Work("zout/one")))
	b.Fails("Tar options can not be empty", "archive.tar", moduletest.KW([]any{"", "x"}))
}
