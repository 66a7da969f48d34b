package file_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/cmd"
	"brine/modules/config"
	"brine/modules/file"
	"brine/modules/moduletest"
)

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, file.Module(), cmd.Module(), config.Module())
}

// answers checks what functions answer, with the folder of the test written as W.
func answers(b *moduletest.Bench, want, fun string, a modules.Args) {
	b.T.Helper()
	v := b.Run(fun, a)
	if m, ok := v.(*ordered.Map); ok {
		m.Delete("pid")
	}
	assert.Equal(b.T, want, strings.ReplaceAll(pyfmt.Repr(v), b.Work(""), "W/"), "%s %v", fun, a.Pos)
}

func TestContent(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.Work("f")
	answers(b, `'Wrote 3 lines to "W/f"'`, "file.write", modules.Pos(f, "alpha", "beta", int64(3)))
	answers(b, `'alpha\nbeta\n3\n'`, "file.read", modules.Pos(f))
	answers(b, `b'alpha\nbeta\n3\n'`, "file.read", modules.Pos(f, true))
	answers(b, `'Wrote 1 lines to "W/f"'`, "file.append", modules.Pos(f, "delta"))
	answers(b, `'Wrote 2 lines to "W/f"'`, "file.append", modules.Pos(f).With("args", []any{"a=b", "c=d"}))
	answers(b, `'Prepended 1 lines to "W/f"'`, "file.prepend", modules.Pos(f).With("args", "first"))
	assert.Equal(t, "first\nalpha\nbeta\n3\ndelta\na=b\nc=d\n", b.Read(f))
	require.NoError(t, os.WriteFile(f, []byte("no end"), 0o600))
	b.Run("file.append", modules.Pos(f, "x"))
	assert.Equal(t, "no end\nx\n", b.Read(f))
	answers(b, "None", "file.truncate", modules.Pos(f, "2"))
	answers(b, "'no'", "file.read", modules.Pos(f))
	answers(b, "b'o'", "file.seek_read", modules.Pos(f, int64(5), int64(1)))
	answers(b, "2", "file.seek_write", modules.Pos(f, "XY", int64(1)))
	assert.Equal(t, "nXY", b.Read(f))
	answers(b, "True", "file.touch", modules.Pos(b.Work("t"), int64(5), "6"))
	fi, err := os.Stat(b.Work("t"))
	require.NoError(t, err)
	assert.Equal(t, int64(6), fi.ModTime().Unix())
	b.Fails("atime and mtime must be integers", "file.touch", modules.Pos(f, "x"))
	b.Fails("No such file or directory", "file.touch", modules.Pos(b.Work("no/such")))
	b.Fails("[Errno 2] No such file or directory: '"+b.Work("none")+"'", "file.read", modules.Pos(b.Work("none")))
	b.Fails("[Errno 2] No such file or directory: '"+b.Work("none")+"'", "file.append", modules.Pos(b.Work("none"), "x"))
	b.Fails("[Errno 2] No such file or directory: '"+b.Work("no/f")+"'", "file.write", modules.Pos(b.Work("no/f"), "x"))
	b.Fails("[Errno 21] Is a directory: '"+b.Work("")+"'", "file.write", modules.Pos(b.Work(""), "x"))
	require.NoError(t, os.WriteFile(f, []byte("a\r\nb\rc"), 0o600))
	answers(b, `'a\nb\nc'`, "file.read", modules.Pos(f))
}

func TestFacts(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "content")
	answers(b, "'0644'", "file.get_mode", modules.Pos(f))
	answers(b, "'0600'", "file.set_mode", modules.Pos(f, "0600"))
	answers(b, "'0640'", "file.set_mode", modules.Pos(f, int64(640)))
	answers(b, "'Invalid Mode 9'", "file.set_mode", modules.Pos(f, "9"))
	b.Fails(f+"x: File not found", "file.set_mode", modules.Pos(f+"x", "600"))
	b.Fails("Path not found: "+f+"x", "file.get_user", modules.Pos(f+"x"))
	answers(b, "'root'", "file.uid_to_user", modules.Pos(int64(0)))
	answers(b, "987654", "file.uid_to_user", modules.Pos(int64(987654)))
	answers(b, "0", "file.user_to_uid", modules.Pos("root"))
	answers(b, "''", "file.user_to_uid", modules.Pos("no-such-user"))
	answers(b, "'root'", "file.gid_to_group", modules.Pos("0"))
	answers(b, "''", "file.gid_to_group", modules.Pos("no-such-group"))
	answers(b, "0", "file.group_to_gid", modules.Pos("root"))
	answers(b, "''", "file.group_to_gid", modules.Pos(nil))
	answers(b, `'User does not exist\nGroup does not exist\n'`, "file.chown", modules.Pos(f, "no-such-user", "no-such-group"))
	answers(b, `'File not found'`, "file.chown", modules.Pos(f+"x", nil, nil))
	answers(b, "True", "file.access", modules.Pos(f, "r"))
	answers(b, "True", "file.access", modules.Pos(f, int64(0)))
	answers(b, "False", "file.access", modules.Pos(f+"x", "f"))
	b.Fails("Invalid mode specified.", "file.access", modules.Pos(f, "q"))
	b.Fails("Path to link must be absolute.", "file.access", modules.Pos("rel", "f"))
	answers(b, "{}", "file.lstat", modules.Pos(f+"x"))
	assert.Equal(t, []any{"st_atime", "st_ctime", "st_gid", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid"}, b.Run("file.lstat", modules.Pos(f)).(*ordered.Map).Keys())
	assert.Len(t, b.Run("file.statvfs", modules.Pos(f)).(*ordered.Map).Keys(), 10)
	s := b.Run("file.stats", modules.Pos(f, "md5")).(*ordered.Map)
	assert.Equal(t, "9a0364b9e99bb480dd25e1f0284c8555", s.Value("sum"))
	answers(b, "False", "file.is_hardlink", modules.Pos(f))
	answers(b, "{}", "file.is_hardlink", modules.Pos(f+"x"))
	answers(b, "True", "file.is_chrdev", modules.Pos("/dev/null"))
	answers(b, "[1, 3]", "file.get_devmm", modules.Pos("/dev/null"))
	answers(b, "[0, 0]", "file.get_devmm", modules.Pos(f))
	answers(b, "False", "file.is_fifo", modules.Pos(f+"x"))
	b.Fails("File or directory does not exist: "+f+"x", "file.lsattr", modules.Pos(f+"x"))
	b.Fails("Need an operator: 'add' or 'remove' to modify attributes.", "file.chattr", modules.Pos(f))
	assert.True(t, b.Run("file.open_files", modules.Args{}).(*ordered.Map).Len() > 0)
}

func TestSums(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "content")
	const md5 = "9a0364b9e99bb480dd25e1f0284c8555"
	answers(b, "'"+md5+"'", "file.get_hash", modules.Pos(f, "md5"))
	answers(b, "'File not found'", "file.get_sum", modules.Pos(f+"x"))
	b.Fails("Invalid hash type: crc", "file.get_hash", modules.Pos(f, "crc"))
	answers(b, "True", "file.check_hash", modules.Pos(f, md5))
	answers(b, "True", "file.check_hash", modules.Pos(f, "md5:"+md5))
	answers(b, "False", "file.check_hash", modules.Pos(f, "md5="+md5[1:]+"0"))
	b.Fails("Hash abc (length: 3) could not be matched to a supported hash type. The supported hash types and lengths are: md5 (32), sha1 (40), sha224 (56), sha256 (64), sha384 (96), sha512 (128)",
		"file.check_hash", modules.Pos(f, "abc"))
	b.Fails("hash must be a string", "file.check_hash", modules.Pos(f, int64(5)))
	answers(b, "{'hash_type': 'md5', 'hsum': '"+md5+"'}", "file.get_source_sum", modules.Pos("", "x", "md5="+strings.ToUpper(md5)).With("saltenv", "base"))
	answers(b, "{'hash_type': 'md5', 'hsum': '"+md5+"'}", "file.get_source_sum", modules.Pos("", "x", md5))
	b.Fails("Invalid length (32) for hash type 'sha1'. Either remove the hash type and simply use '"+md5+"' as the source_hash, or change the hash type to 'md5'",
		"file.get_source_sum", modules.Pos("", "x", "sha1="+md5))
	_, err := b.Call(t.Context(), "file.get_source_sum", modules.Pos("", "x", "foo://bar"))
	assert.ErrorContains(t, err, "Source hash foo://bar format is invalid.")
	sums := b.File("sums", "# sums\nSHA1: 0123456789012345678901234567890123456789 other\n"+md5+"  ./a/one.txt\nfedcba98765432100123456789abcdef *two.txt\n")
	answers(b, "{'hsum': 'fedcba98765432100123456789abcdef', 'hash_type': 'md5'}", "file.extract_hash", modules.Pos(sums, "md5", "/x/two.txt"))
	answers(b, "{'hsum': '"+md5+"', 'hash_type': 'md5'}", "file.extract_hash", modules.Pos(sums, "md5", "", "http://h/one.txt"))
	answers(b, "{'hsum': '"+md5+"', 'hash_type': 'md5'}", "file.extract_hash", modules.Pos(sums, "md5", "nothing"))
	answers(b, "{'hsum': '0123456789012345678901234567890123456789', 'hash_type': 'sha1'}", "file.extract_hash", modules.Pos(sums, ""))
	answers(b, "None", "file.extract_hash", modules.Pos(sums, "sha512"))
	answers(b, "{'hsum': 'fedcba98765432100123456789abcdef', 'hash_type': 'md5'}", "file.get_source_sum", modules.Pos("/x/two.txt", "", sums))
}

func TestTree(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f, l := b.File("f", "x"), b.Work("l")
	answers(b, "True", "file.symlink", modules.Pos(f, l))
	answers(b, "True", "file.symlink", modules.Pos(f, l))
	b.Fails("Found existing symlink: "+l, "file.symlink", modules.Pos("/etc", l))
	b.Fails("Existing path is not a symlink: "+f, "file.symlink", modules.Pos("/etc", f))
	b.Fails("Link path must be absolute: rel", "file.symlink", modules.Pos("/etc", "rel"))
	answers(b, "True", "file.symlink", modules.Pos("/etc", l).With("force", true))
	answers(b, "'/etc'", "file.readlink", modules.Pos(l))
	answers(b, "True", "file.symlink", modules.Pos(f, l).With("atomic", true))
	answers(b, "'W/f'", "file.readlink", modules.Pos(l, true))
	b.Fails("A valid link was not specified: "+f, "file.readlink", modules.Pos(f))
	answers(b, "True", "file.is_link", modules.Pos(l))
	answers(b, "True", "file.link", modules.Pos(f, b.Work("hard")))
	answers(b, "True", "file.is_hardlink", modules.Pos(f))
	b.Fails("Could not create '"+f+"': [Errno 17] File exists: '"+f+"' -> '"+f+"'", "file.link", modules.Pos(f, f))
	answers(b, "True", "file.copy", modules.Pos(f, b.Work("g")))
	answers(b, "True", "file.rename", modules.Pos(b.Work("g"), b.Work("h")))
	b.Fails("Could not rename '"+b.Work("none")+"' to '"+f+"'", "file.rename", modules.Pos(b.Work("none"), f))
	answers(b, `{'result': True, 'comment': "'W/h' moved to 'W/i'"}`, "file.move", modules.Pos(b.Work("h"), b.Work("i")))
	answers(b, "True", "file.mkdir", modules.Pos(b.Work("d/e")))
	answers(b, "None", "file.makedirs", modules.Pos(b.Work("m/n/o")))
	answers(b, `"Directory 'W/m/n' already exists"`, "file.makedirs", modules.Pos(b.Work("m/n/o")))
	answers(b, `"The path 'W/f' already exists and is not a directory"`, "file.makedirs", modules.Pos(b.Work("f/x")))
	answers(b, "None", "file.makedirs_perms", modules.Pos(b.Work("p/q")).With("mode", "0711"))
	answers(b, "'0711'", "file.get_mode", modules.Pos(b.Work("p")))
	b.Fails("Cannot copy overwriting a directory without recurse flag set to true!", "file.copy", modules.Pos(b.Work("d"), b.Work("d2")))
	b.Fails("No such file or directory '"+b.Work("none")+"'", "file.copy", modules.Pos(b.Work("none"), f))
	answers(b, "True", "file.copy", modules.Pos(b.Work("d"), b.Work("d2"), true))
	answers(b, "['.', '..', 'e']", "file.readdir", modules.Pos(b.Work("d2")))
	answers(b, "False", "file.rmdir", modules.Pos(b.Work("d2")))
	answers(b, "{'deleted': ['W/d2/e', 'W/d2'], 'errors': [], 'result': True}", "file.rmdir", modules.Pos(b.Work("d2"), true, true))
	b.Fails("A valid directory was not specified.", "file.rmdir", modules.Pos(f))
	answers(b, "True", "file.remove", modules.Pos(l))
	answers(b, "False", "file.remove", modules.Pos(l))
	answers(b, "True", "file.remove", modules.Pos(b.Work("d")))
	b.Fails("File path must be absolute: rel", "file.remove", modules.Pos("rel"))
	answers(b, "{'name': 'W/pipe', 'changes': {'new': 'Fifo pipe W/pipe created.'}, 'comment': '', 'result': True}", "file.mknod", modules.Pos(b.Work("pipe"), "p").With("mode", "0640"))
	answers(b, "'0640'", "file.get_mode", modules.Pos(b.Work("pipe")))
	answers(b, "{'name': 'W/pipe', 'changes': {}, 'comment': 'File W/pipe exists and cannot be overwritten', 'result': False}", "file.mknod_fifo", modules.Pos(b.Work("pipe")))
	b.Fails("Node type unavailable: 'z'. Available node types are character ('c'), block ('b'), and pipe ('p').", "file.mknod", modules.Pos(b.Work("z"), "z"))
}

func TestPaths(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("'b.txt'", "file.basename", "/a/b.txt")
	b.Want("'/a'", "file.dirname", "/a/b.txt")
	b.Want("'/a/b/c'", "file.join", "/a", "b", "c")
	b.Want("'..'", "file.pardir")
	b.Want("'/b/c'", "file.normpath", "/a/../b/./c")
	b.File("one", "12345")
	b.Want("True", "file.path_exists_glob", b.Work("o*"))
	b.Want("False", "file.path_exists_glob", b.Work("z*"))
	b.Want("5", "file.diskusage", b.Work(""))
	b.Want("False", "file.directory_exists", b.Work("one"))
	answers(b, "['W/one']", "file.find", modules.Pos(b.Work("")).With("type", "f").With("name", "*"))
	answers(b, "[['one', 5]]", "file.find", modules.Pos(b.Work("")).With("type", "f").With("print", "name,size"))
	answers(b, `'error: invalid option "zzz"'`, "file.find", modules.Pos(b.Work("")).With("zzz", "f"))
	answers(b, "[]", "file.find", modules.Pos(b.Work("none*")))
	answers(b, `['echo W/one:\nW/one\n\n']`, "file.find", modules.Pos(b.Work("")).With("type", "f").With("exec", "echo {}"))
	answers(b, "['W/one']", "file.find", modules.Pos(b.Work(""), "delete"))
	assert.NoFileExists(t, b.Work("one"))
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "x")
	user, group := b.Run("file.get_user", modules.Pos(f)), b.Run("file.get_group", modules.Pos(f))
	who := "'luser': " + pyfmt.Repr(user) + ", 'lgroup': " + pyfmt.Repr(group)
	answers(b, "[{'name': 'W/f', 'changes': {'mode': '0400'}, 'comment': '', 'result': True}, {"+who+", 'lmode': '0644', 'cmode': '0400'}]",
		"file.check_perms", modules.Pos(f, ordered.New(0), user, group, int64(400)))
	b.Env.Test = true
	answers(b, "[{'name': 'W/f', 'changes': {'mode': '0644'}, 'comment': '', 'result': None}, {"+who+", 'lmode': '0400'}]",
		"file.check_perms", modules.Pos(f, nil, user, group, "644"))
	b.Fails("Path not found: "+f+"x", "file.check_perms", modules.Pos(f+"x", nil, user, group, "644"))
}
