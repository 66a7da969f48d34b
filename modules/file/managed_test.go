package file_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/cmd"
	"brine/modules/config"
	"brine/modules/cp"
	"brine/modules/file"
	"brine/modules/moduletest"
)

func managedBench(t *testing.T) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, file.Module(), cmd.Module(), config.Module(), cp.Module(nil))
	require.NoError(t, os.WriteFile(b.Roots+"/src", []byte("one\ntwo\n"), 0o600))
	require.NoError(t, os.WriteFile(b.Roots+"/tpl", []byte("{{ a }} {{ grains.id }}\n"), 0o600))
	return b
}

// managed asks for a source and puts it into its place.
func managed(b *moduletest.Bench, dest, source, template string, context any, extra ...any) string {
	b.T.Helper()
	var tmpl any
	if template != "" {
		tmpl = template
	}
	got := b.Run("file.get_managed", modules.Pos(dest, tmpl, source, "", nil, nil, nil, nil, nil, "base", context, nil)).([]any)
	require.Empty(b.T, got[2])
	a := modules.Pos(dest, got[0], nil, source, got[1], nil, nil, "0640", nil, "base", "minion")
	for i := 0; i < len(extra); i += 2 {
		a = a.With(extra[i].(string), extra[i+1])
	}
	return strings.ReplaceAll(pyfmt.Repr(b.Run("file.manage_file", a)), b.Work(""), "W/")
}

func TestManageSource(t *testing.T) {
	t.Parallel()
	b := managedBench(t)
	f := b.Work("f")
	assert.Equal(t, "{'name': 'W/f', 'changes': {'diff': 'New file', 'mode': '0640'}, 'comment': 'File W/f updated', 'result': True}", managed(b, f, "salt://src", "", nil))
	assert.Equal(t, "one\ntwo\n", b.Read(f))
	assert.Equal(t, "{'name': 'W/f', 'changes': {}, 'comment': 'File W/f is in the correct state', 'result': True}", managed(b, f, "salt://src", "", nil))
	assert.Equal(t, `{'name': 'W/f', 'changes': {'diff': '--- \n+++ \n@@ -1,2 +1 @@\n-one\n-two\n+A m1\n'}, 'comment': 'File W/f updated', 'result': True}`,
		managed(b, f, "salt://tpl", "jinja", ordered.Pairs("a", "A")))
	assert.Len(t, b.Run("file.list_backups", modules.Pos(f)).(*ordered.Map).Keys(), 1)
	assert.Equal(t, `{'name': 'W/f', 'changes': {'diff': '<show_changes=False>'}, 'comment': 'File W/f updated', 'result': True}`,
		managed(b, f, "salt://src", "", nil, "show_changes", false))
	assert.Equal(t, "{'name': 'W/d/e/f', 'changes': {}, 'comment': 'Parent directory not present', 'result': False}", managed(b, b.Work("d/e/f"), "salt://src", "", nil))
	assert.Equal(t, "{'name': 'W/d/e/f', 'changes': {'diff': 'New file', 'mode': '0640'}, 'comment': 'File W/d/e/f updated', 'result': True}",
		managed(b, b.Work("d/e/f"), "salt://src", "", nil, "makedirs", true))
	b.Want("'0750'", "file.get_mode", b.Work("d"))
	require.NoError(t, os.Symlink("f", b.Work("l")))
	assert.Equal(t, "{'name': 'W/l', 'changes': {'diff': 'Replace symbolic link with regular file', 'mode': '0640'}, 'comment': 'File W/l updated', 'result': True}",
		managed(b, b.Work("l"), "salt://src", "", nil, "follow_symlinks", false))
	b.Want("False", "file.is_link", b.Work("l"))
}

func TestManageContents(t *testing.T) {
	t.Parallel()
	b := managedBench(t)
	f := b.Work("f")
	args := func(contents any) modules.Args {
		return modules.Pos(f, "", nil, "", nil, nil, nil, nil, nil, "base", "").With("contents", contents)
	}
	answers(b, "{'name': 'W/f', 'changes': {'diff': 'New file'}, 'comment': 'File W/f updated', 'result': True}", "file.manage_file", args("a\n"))
	b.Want("'"+newMode()+"'", "file.get_mode", f)
	answers(b, "{'name': 'W/f', 'changes': {}, 'comment': 'File W/f is in the correct state', 'result': True}", "file.manage_file", args("a\n"))
	answers(b, `{'name': 'W/f', 'changes': {'diff': '--- \n+++ \n@@ -1 +1 @@\n-a\n+café\n'}, 'comment': 'File W/f updated', 'result': True}`, "file.manage_file", args("café\n").With("encoding", "latin-1"))
	assert.Equal(t, "caf\xe9\n", b.Read(f))
	f = b.Work("empty")
	answers(b, "{'name': 'W/empty', 'changes': {'new': 'file W/empty created'}, 'comment': 'Empty file', 'result': True}", "file.manage_file",
		modules.Pos(f, "", nil, "", nil, nil, nil, "0600", nil, "base", ""))
	b.Env.Test = true
	answers(b, "{'name': 'W/none', 'changes': {}, 'comment': 'File W/none not updated', 'result': True}", "file.manage_file",
		modules.Pos(b.Work("none"), "", nil, "", nil, nil, nil, nil, nil, "base", ""))
	assert.NoFileExists(t, b.Work("none"))
}

// newMode is what a new file gets without a wish.
func newMode() string {
	s := pyfmt.Repr(ordered.Of(int(0o666 &^ fileops.Umask())))
	return map[string]string{"420": "0644", "438": "0666", "384": "0600", "416": "0640", "436": "0664"}[s]
}

func TestCheckManaged(t *testing.T) {
	t.Parallel()
	b := managedBench(t)
	f := b.File("f", "one\n")
	check := func(source any, mode any) modules.Args {
		return modules.Pos(f, source, "", nil, nil, nil, mode, nil, nil, nil, nil, "base")
	}
	answers(b, `{'diff': '--- \n+++ \n@@ -1 +1,2 @@\n one\n+two\n', 'mode': '0600'}`, "file.check_managed_changes", check("salt://src", "0600"))
	got := b.Run("file.check_managed", check("salt://src", "0600")).([]any)
	assert.Nil(t, got[0])
	assert.True(t, strings.HasPrefix(got[1].(string), "The following values are set to be changed:\ndiff: --- \n+++ \n"), got[1])
	answers(b, `[False, "Source file salt://nope not found in saltenv 'base'"]`, "file.check_managed", check("salt://nope", nil))
	answers(b, `['salt://src', '']`, "file.source_list", modules.Pos([]any{"salt://nope", ordered.Pairs("salt://src", nil)}, "", "base"))
	b.Fails("none of the specified sources were found", "file.source_list", modules.Pos([]any{"salt://nope", "/no/such"}, "", "base"))
	answers(b, `{'newfile': 'W/new'}`, "file.check_file_meta", modules.Pos(b.Work("new"), nil, nil, nil, nil, nil, nil, nil, "base"))
	answers(b, `{'diff': '--- \n+++ \n@@ -1 +1 @@\n-one\n+x\n'}`, "file.check_file_meta", modules.Pos(f, nil, nil, nil, nil, nil, nil, nil, "base").With("contents", "x\n"))
	answers(b, `{'user': 'no-such-user'}`, "file.check_file_meta", modules.Pos(f, nil, nil, nil, "no-such-user", nil, nil, nil, "base"))
}

func TestSources(t *testing.T) {
	t.Parallel()
	b := managedBench(t)
	get := func(source, hash, template any) modules.Args {
		return modules.Pos("/dest", template, source, hash, nil, nil, nil, nil, nil, "base", nil, nil)
	}
	local := b.File("local", "one\ntwo\n")
	v := b.Run("file.get_managed", get(local, "", nil)).([]any)
	assert.Equal(t, local, v[0])
	assert.Equal(t, "", v[2])
	answers(b, `['', {}, 'Local file source /no/such does not exist']`, "file.get_managed", get("/no/such", "", nil))
	answers(b, `['', {}, 'Unable to verify upstream hash of source file http://h/x, please set source_hash or set skip_verify to True']`, "file.get_managed", get("http://h/x", "", nil))
	v = b.Run("file.get_managed", get("salt://tpl", "", "mako")).([]any)
	assert.Equal(t, "Specified template format mako is not supported", v[2])
	b.Want("'This is cool.'", "file.apply_template_on_contents", "This is {{ t }}.", "jinja", nil, ordered.Pairs("t", "cool"), "base")
	b.Want("{'result': False, 'comment': 'Specified template format zz is not supported'}", "file.apply_template_on_contents", "x", "zz", nil, nil, "base")
	f := b.File("f", "one\nzwei\n")
	answers(b, `'--- W/f\n+++ `+b.Dir+`/cache/files/base/src\n@@ -1,2 +1,2 @@\n one\n-zwei\n+two\n'`, "file.get_diff", modules.Pos(f, "salt://src"))
	answers(b, `''`, "file.get_diff", modules.Pos(local, "salt://src"))
	answers(b, `'<show_changes=False>'`, "file.get_diff", modules.Pos(f, "salt://src").With("show_changes", false))
	bin := b.File("bin", "\x00")
	answers(b, `'Replace text file with binary file'`, "file.get_diff", modules.Pos(f, bin))
	b.Fails("Failed to read /no/such: No such file or directory", "file.get_diff", modules.Pos("/no/such", f))
	b.Fails("Failed to cache one or more files. Additional info follows:\n\n- File salt://nope not found", "file.get_diff", modules.Pos("salt://nope", f))
}
