package file_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "alpha\nbeta\ngamma\n")
	require.NoError(t, os.Link(f, b.Work("hard")))
	answers(b, `'--- \n+++ \n@@ -1,3 +1,3 @@\n alpha\n-beta\n+BETA\n gamma\n'`, "file.replace", modules.Pos(f, "beta", "BETA"))
	assert.Equal(t, "alpha\nBETA\ngamma\n", b.Read(b.Work("hard")), "the inode stays")
	assert.Equal(t, "alpha\nbeta\ngamma\n", b.Read(f+".bak"))
	answers(b, `''`, "file.replace", modules.Pos(f, "beta", "BETA"))
	answers(b, `False`, "file.replace", modules.Pos(f, "BETA", "BETA").With("show_changes", false))
	answers(b, `True`, "file.replace", modules.Pos(f, "^a", "A").With("show_changes", false).With("dry_run", true))
	assert.Equal(t, "alpha\nBETA\ngamma\n", b.Read(f))
	answers(b, `True`, "file.replace", modules.Pos(f, "ALPHA", "x").With("flags", []any{"IGNORECASE", "M"}).With("search_only", true))
	answers(b, `'--- \n+++ \n@@ -1,3 +1,4 @@\n alpha\n BETA\n gamma\n+new\n'`, "file.replace", modules.Pos(f, "zzz", "new").With("append_if_not_found", true))
	answers(b, `''`, "file.replace", modules.Pos(f, "zzz", "new").With("append_if_not_found", true))
	answers(b, `False`, "file.replace", modules.Pos(f+"x", "a", "b").With("ignore_if_missing", true))
	b.Fails("File not found: "+f+"x", "file.replace", modules.Pos(f+"x", "a", "b"))
	b.Fails("Only one of append and prepend_if_not_found is permitted", "file.replace", modules.Pos(f, "a", "b").With("append_if_not_found", true).With("prepend_if_not_found", true))
	b.Fails("search_only cannot be used with append/prepend_if_not_found", "file.replace", modules.Pos(f, "a", "b").With("append_if_not_found", true).With("search_only", true))
	b.Fails("Invalid re flag given: huge", "file.replace", modules.Pos(f, "a", "b").With("flags", "huge"))
	bin := b.File("bin", "a\x00b")
	b.Fails("Cannot perform string replacements on a binary file: "+bin, "file.replace", modules.Pos(bin, "a", "b"))
	require.NoError(t, os.Symlink("f", b.Work("l")))
	b.Run("file.replace", modules.Pos(b.Work("l"), "alpha", "ALPHA"))
	answers(b, "'f.bak'", "file.readlink", modules.Pos(b.Work("l.bak")))
	answers(b, "True", "file.search", modules.Pos(f, "^gamma$"))
	answers(b, "False", "file.search", modules.Pos(f, "^amma"))
	answers(b, "True", "file.search", modules.Pos(f, "GAMMA").With("flags", int64(2)))
	answers(b, "False", "file.search", modules.Pos(f+"x", "a").With("ignore_if_missing", true))
}

func TestLineAndComment(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "alpha\nBETA\ngamma\n")
	answers(b, `'--- \n+++ \n@@ -1,3 +1,4 @@\n alpha\n BETA\n+epsilon\n gamma\n'`, "file.line", modules.Pos(f, "epsilon").With("mode", "insert").With("after", "BETA"))
	answers(b, `False`, "file.line", modules.Pos(f, "epsilon").With("mode", "ensure").With("after", "BETA"))
	answers(b, `True`, "file.line", modules.Pos(f).With("match", "eps").With("mode", "DELETE").With("show_changes", false))
	b.Fails("Mode was not defined. How to process the file?", "file.line", modules.Pos(f, "x"))
	b.Fails(`Unknown mode: "zap"`, "file.line", modules.Pos(f, "x").With("mode", "zap"))
	b.Fails(`Content can only be empty if mode is "delete"`, "file.line", modules.Pos(f).With("mode", "insert"))
	b.Fails(`File "`+f+`x" does not exists or is not a file.`, "file.line", modules.Pos(f+"x", "x").With("mode", "insert"))
	answers(b, `False`, "file.line", modules.Pos(f+"x", "x").With("mode", "insert").With("quiet", true))
	answers(b, `'--- \n+++ \n@@ -1 +1 @@\n-gamma\n+#gamma\n'`, "file.comment_line", modules.Pos(f, "^gamma"))
	answers(b, `False`, "file.comment", modules.Pos(f, "^gamma"))
	answers(b, `'--- \n+++ \n@@ -1 +1 @@\n-#gamma\n+gamma\n'`, "file.uncomment", modules.Pos(f, "^gamma$"))
	assert.Equal(t, "alpha\nBETA\n#gamma\n", b.Read(f+".bak"))
	b.Fails("File not found: "+f+"x", "file.comment", modules.Pos(f+"x", "a"))
}

func TestBlockreplace(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "ALP")
	markers := modules.Pos(f).With("marker_start", "-- S").With("marker_end", "-- E").With("content", "mid")
	answers(b, `'--- \n+++ \n@@ -1 +1,3 @@\n-ALP+ALP\n+-- S\n+mid-- E\n'`, "file.blockreplace", markers.With("append_if_not_found", true))
	answers(b, `''`, "file.blockreplace", markers)
	answers(b, `True`, "file.blockreplace", markers.With("content", "new").With("append_newline", true).With("show_changes", false))
	assert.Equal(t, "ALP\n-- S\nnew\n-- E\n", b.Read(f))
	assert.Equal(t, "ALP\n-- S\nmid-- E\n", b.Read(f+".bak"))
	b.Fails("Only one of append_if_not_found, prepend_if_not_found, insert_before_match, and insert_after_match is permitted",
		"file.blockreplace", markers.With("append_if_not_found", true).With("insert_after_match", "x"))
	b.Fails("Cannot edit marked block. Markers were not found in file.", "file.blockreplace", modules.Pos(f))
	b.Fails("File not found: "+f+"x", "file.blockreplace", modules.Pos(f+"x"))
}

func TestSearching(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "alpha\n  beta 42\n")
	answers(b, "True", "file.contains", modules.Pos(f, " beta "))
	answers(b, "False", "file.contains", modules.Pos(f, "zzz"))
	answers(b, "False", "file.contains", modules.Pos(f+"x", "a"))
	answers(b, "True", "file.contains_regex", modules.Pos(f, `^a.*a$`))
	answers(b, "False", "file.contains_regex", modules.Pos(f, `^beta`))
	answers(b, "True", "file.contains_regex", modules.Pos(f, `^beta`, " "))
	answers(b, "True", "file.contains_glob", modules.Pos(f, "*beta*"))
	answers(b, "False", "file.contains_glob", modules.Pos(f, "beta*"))
	answers(b, `{'retcode': 0, 'stdout': '  beta 42', 'stderr': ''}`, "file.grep", modules.Pos(f, "BETA", "-i"))
	answers(b, `{'retcode': 1, 'stdout': '', 'stderr': ''}`, "file.grep", modules.Pos(f, "zzz"))
	b.Fails("Passing multiple command line arguments in a single string is not supported, please pass the following arguments separately: -i -v",
		"file.grep", modules.Pos(f, "x", "-i -v"))
	answers(b, `{'retcode': 0, 'stdout': '', 'stderr': ''}`, "file.sed", modules.Pos(f, "alpha", "ALPHA"))
	answers(b, "True", "file.sed_contains", modules.Pos(f, "ALPHA"))
	answers(b, "False", "file.sed", modules.Pos(f+"x", "a", "b"))
	answers(b, "None", "file.psed", modules.Pos(f, `be(t)a`, `<\1>`))
	assert.Equal(t, "ALPHA\n  <t> 42\n", b.Read(f))
	p := b.File("p.patch", "--- a\n+++ b\n@@ -1 +1 @@\n-ALPHA\n+omega\n")
	v := b.Run("file.patch", modules.Pos(f, p)).(*ordered.Map)
	assert.Equal(t, int64(0), v.Value("retcode"), pyfmt.Repr(v))
	assert.Equal(t, "omega\n  <t> 42\n", b.Read(f))
}

func TestBackups(t *testing.T) {
	t.Parallel()
	b := bench(t)
	f := b.File("f", "one")
	root := fileops.BackupRoot(b.Opts.String("cachedir"))
	first := time.Date(2031, 1, 2, 3, 4, 5, 120000, time.Local)
	require.NoError(t, fileops.Backup(f, root, first))
	b.File("f", "three")
	require.NoError(t, fileops.Backup(f, root, first.Add(time.Hour)))
	b.File("f", "now")
	location := root + b.Work("") + "f_Thu_Jan_02_04:04:05_000120_2031"
	list := b.Run("file.list_backups", modules.Pos(f)).(*ordered.Map)
	assert.Equal(t, []any{int64(0), int64(1)}, list.Keys())
	assert.Equal(t, "{'Backup Time': 'Thu Jan 02 2031 04:04:05.000120', 'Size': 5, 'Location': '"+location+"'}", pyfmt.Repr(list.Value(0)))
	assert.Equal(t, 1, b.Run("file.list_backup", modules.Pos(f, int64(1))).(*ordered.Map).Len())
	assert.Equal(t, []any{"f"}, b.Run("file.list_backups_dir", modules.Pos(b.Work(""))).(*ordered.Map).Keys())
	b.Want("{'result': True, 'comment': 'Successfully restored "+location+" to "+f+"'}", "file.restore_backup", f, int64(0))
	assert.Equal(t, "three", b.Read(f))
	assert.Equal(t, 3, b.Run("file.list_backups", modules.Pos(f)).(*ordered.Map).Len(), "what was there is kept too")
	b.Want("{'result': False, 'comment': \"backup_id '9' does not exist for "+f+"\"}", "file.delete_backup", f, int64(9))
	b.Want("{'result': False, 'comment': \"Invalid backup_id 'x'\"}", "file.remove_backup", f, "x")
	b.Want("{'result': False, 'comment': \"Invalid backup_id '01'\"}", "file.remove_backup", f, "01")
	assert.Equal(t, true, b.Run("file.delete_backup", modules.Pos(f, int64(1))).(*ordered.Map).Value("result"))
	b.Want("{}", "file.list_backups", "/none/at/all")
}
