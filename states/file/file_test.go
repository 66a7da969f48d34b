package file_test

import (
	"context"
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
	"brine/modules/cp"
	modfile "brine/modules/file"
	"brine/modules/hashutil"
	"brine/modules/moduletest"
	"brine/states"
	"brine/states/file"
)

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	return moduletest.New(t, modfile.Module(), cmd.Module(), cp.Module(nil), config.Module(), hashutil.Module())
}

// said is a result with W/ for the scratch folder.
func said(b *moduletest.Bench, r *ordered.Map) string {
	return strings.ReplaceAll(pyfmt.Repr(r), b.Work(""), "W/")
}

// TestAnswers holds wording and changes to Salt's.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fun        string
		args       []any
		files      map[string]string
		test       bool
		want, left string // left is the content of f afterwards
	}{
		{"managed", []any{"contents", "x", "source", "salt://s"}, nil, false,
			`{'result': False, 'comment': "'source' cannot be used in combination with 'contents', 'contents_pillar', or 'contents_grains'", 'changes': {}}`, ""},
		{"managed", []any{"contents", "x", "user", "nobody-at-all"}, nil, false, `{'result': False, 'comment': 'User nobody-at-all is not available ', 'changes': {}}`, ""},
		{"managed", []any{"contents_pillar", "no:such"}, nil, false, `{'result': False, 'comment': 'Pillar no:such does not exist', 'changes': {}}`, ""},
		{"managed", []any{"contents", "", "allow_empty", false}, nil, false,
			`{'result': False, 'comment': "'contents' value would result in empty contents. Set allow_empty to True to allow the managed file to be empty.", 'changes': {}}`, ""},
		{"managed", []any{"contents", "x", "context", "no dict"}, nil, false, `{'result': False, 'comment': 'Context must be formed as a dict', 'changes': {}}`, ""},
		{"managed", []any{"contents", "a", "contents_newline", false, "mode", "0600"}, map[string]string{"f": ""}, false, `{'result': True, 'comment': 'File W/f updated', 'changes': {'diff': '--- \n+++ \n@@ -0,0 +1 @@\n+a'}}`, "a"},
		{"managed", []any{"contents", "a", "show_changes", false}, map[string]string{"f": "b\n"}, true,
			`{'result': None, 'comment': 'The file W/f is set to be changed\nNote: No changes made, actual changes may\nbe different due to other states.', 'changes': {'diff': '<show_changes=False>'}}`, "b\n"},
		{"managed", []any{"mode", "0644"}, map[string]string{"f": "b\n"}, true, `{'result': None, 'comment': 'File W/f will be updated with permissions 0644 from its current state of 0600', 'changes': {'mode': '0644'}}`, "b\n"},
		{"managed", []any{"source", []any{"salt://a", "salt://b"}}, nil, false, `{'result': False, 'comment': 'Unable to manage file: none of the specified sources were found', 'changes': {}}`, ""},
		{"directory", []any{"recurse", []any{"nonsense"}}, nil, false,
			`{'result': False, 'comment': 'Types for "recurse" limited to "user", "group", "mode", "ignore_files", "ignore_dirs", "silent".', 'changes': {}}`, ""},
		{"directory", []any{"clean", true, "max_depth", 1}, nil, false, `{'result': False, 'comment': 'Cannot specify both max_depth and clean', 'changes': {}}`, ""},
		{"directory", []any{"force", true}, map[string]string{"f": "x"}, true,
			`{'result': None, 'comment': 'The following files will be changed:\nW/f: directory - new\n', 'changes': {'forced': 'File would be forcibly replaced', 'W/f': {'directory': 'new'}}}`, "x"},
		{"symlink", []any{"target", "/x"}, map[string]string{"f": "x"}, false, `{'result': False, 'comment': 'File exists where the symlink W/f should be', 'changes': {}}`, "x"},
		{"symlink", []any{"target", "/x"}, map[string]string{"f": "x"}, true, `{'result': False, 'comment': 'File or directory exists where the symlink W/f should be. Did you mean to use force?', 'changes': {}}`, "x"},
		{"hardlink", []any{"target", "/no/such"}, nil, false, `{'result': False, 'comment': 'Target /no/such for hard link does not exist', 'changes': {}}`, ""},
		{"absent", nil, map[string]string{"f": "x"}, true, `{'result': None, 'comment': 'File W/f is set for removal', 'changes': {'removed': 'W/f'}}`, "x"},
		{"replace", []any{"pattern", "x", "repl", "y"}, map[string]string{"f": "x\n"}, true, `{'result': None, 'comment': 'Changes would have been made', 'changes': {'diff': '--- \n+++ \n@@ -1 +1 @@\n-x\n+y\n'}}`, "x\n"},
		{"replace", []any{"pattern", "x", "repl", "y", "ignore_if_missing", true}, nil, false, `{'result': True, 'comment': 'No changes needed to be made', 'changes': {}}`, ""},
		{"line", []any{"mode", "insert"}, map[string]string{"f": "x\n"}, false, `{'result': False, 'comment': "Content can only be empty if mode is ['delete']", 'changes': {}}`, "x\n"},
		{"comment", []any{"regex", "^zz$"}, map[string]string{"f": "x\n"}, false, `{'result': False, 'comment': 'zz: Pattern not found', 'changes': {}}`, "x\n"},
		{"comment", []any{"regex", "^zz$", "ignore_missing", true}, map[string]string{"f": "x\n"}, false, `{'result': True, 'comment': 'Pattern not found and ignore_missing set to True', 'changes': {}}`, "x\n"},
		{"uncomment", []any{"regex", "^x"}, map[string]string{"f": "# x\n"}, true, `{'result': None, 'comment': 'File W/f is set to be updated', 'changes': {'W/f': 'updated'}}`, "# x\n"},
		{"keyvalue", []any{"key", "a", "value", 2}, map[string]string{"f": "a=1\n"}, false, `{'result': True, 'comment': 'Changed 1 lines', 'changes': {'diff': '- a=1\n+ a=2 (from int type)\n'}}`, "a=2\n"},
		{"keyvalue", []any{"key_values", ordered.Pairs("b", "2", "c", "3"), "prepend_if_not_found", true}, map[string]string{"f": "a=1\n"}, true,
			`{'result': None, 'comment': 'File W/f is set to be changed (2 lines)\nPredicted diff:\n\r\t\t  <SOF>\n\r\t\t+ c=3\n\r\t\t+ b=2\n', 'changes': {'diff': '  <SOF>\n+ c=3\n+ b=2\n'}}`, "a=1\n"},
		{"append", []any{"text", "y"}, map[string]string{"f": "x\n"}, true, `{'result': None, 'comment': 'File W/f is set to be updated', 'changes': {'diff': '--- \n\n+++ \n\n@@ -1 +1,2 @@\n\n x\n+y'}}`, "x\n"},
		{"append", []any{"text", "two  words"}, map[string]string{"f": "two words\n"}, false, `{'result': True, 'comment': 'File W/f is in correct state', 'changes': {}}`, "two words\n"},
		{"append", []any{"text", "y"}, nil, true, `{'result': None, 'comment': 'File W/f is set to be created', 'changes': {'new': 'W/f'}}`, ""},
		{"prepend", []any{"text", "y", "header", true}, map[string]string{"f": "x\ny\n"}, false, `{'result': True, 'comment': 'Prepended 1 lines', 'changes': {'diff': '--- \n+++ \n@@ -1,2 +1,3 @@\n+y\n x\n y\n'}}`, "y\nx\ny\n"},
		{"touch", nil, map[string]string{"f": "x"}, true, `{'result': True, 'comment': 'File W/f exists and has the correct times', 'changes': {'new': 'W/f'}}`, "x"},
		{"copy", []any{"source", "/no/such"}, nil, false, `{'result': False, 'comment': 'Source file "/no/such" is not present', 'changes': {}}`, ""},
		{"rename", []any{"source", "/no/such"}, nil, false, `{'result': True, 'comment': 'Source file "/no/such" has already been moved out of place', 'changes': {}}`, ""},
		{"serialize", []any{"dataset", ordered.Pairs("a", 1), "serializer", "nope"}, nil, false,
			`{'result': False, 'comment': 'The nope serializer could not be found. It either does not exist or its prerequisites are not installed.', 'changes': {}}`, ""},
		{"serialize", []any{"dataset", ordered.Pairs("a", 1)}, map[string]string{"f": "a: 2\n"}, true,
			`{'result': None, 'comment': 'Dataset will be serialized and stored into W/f', 'changes': {'diff': '--- \n+++ \n@@ -1 +1 @@\n-a: 2\n+a: 1\n'}}`, "a: 2\n"},
		{"mknod", []any{"ntype", "x"}, nil, false, `{'result': False, 'comment': "Node type unavailable: 'x'. Available node types are character ('c'), block ('b'), and pipe ('p')", 'changes': {}}`, ""},
		{"mknod", []any{"ntype", "p"}, map[string]string{"f": "x"}, false, `{'result': False, 'comment': 'File W/f exists and is not a fifo pipe. Refusing to continue', 'changes': {}}`, "x"},
		{"pruned", nil, nil, false, `{'result': True, 'comment': 'Directory W/f is not present', 'changes': {}}`, ""},
		{"tidied", nil, nil, false, `{'result': False, 'comment': 'W/f does not exist or is not a directory.', 'changes': {}}`, ""},
	} {
		b := bench(t)
		for name, body := range c.files {
			require.NoError(t, os.WriteFile(b.Work(name), []byte(body), 0o600))
		}
		b.Test = c.test
		a := moduletest.KW(nil, append([]any{"name", b.Work("f")}, c.args...)...)
		assert.Equal(t, c.want, said(b, b.State(file.State(), c.fun, a)), "%s %s", c.fun, pyfmt.Repr(a.Kw))
		if c.left != "" {
			assert.Equal(t, c.left, b.Read(b.Work("f")), "%s %s", c.fun, pyfmt.Repr(a.Kw))
		}
	}
}

func TestNamesAreExpandedAndAsked(t *testing.T) {
	t.Parallel()
	b := bench(t)
	for _, fun := range []string{"managed", "directory", "absent", "exists", "append", "symlink"} {
		a := moduletest.KW(nil, "name", "")
		if fun == "symlink" {
			a = a.With("target", "x")
		}
		assert.Equal(t, "Must provide name to file."+fun, b.State(file.State(), fun, a).Value("comment"))
	}
}

// run is one state run: its functions share what accumulates.
type run struct {
	*moduletest.Bench
	env *states.Env
}

func (r run) state(fun string, low *ordered.Map) *states.Result {
	r.T.Helper()
	reg, err := states.NewRegistry(file.State())
	require.NoError(r.T, err)
	_, f, err := reg.Lookup(r.Env, "file."+fun)
	require.NoError(r.T, err)
	env := *r.env
	env.Low, env.StateID = low, low.String("__id__")
	kw := low.Clone()
	for _, k := range []string{"__id__", "__sls__", "require_in", "state", "fun"} {
		kw.Delete(k)
	}
	res, err := f.Run(context.Background(), &env, modules.Args{Kw: kw})
	require.NoError(r.T, err)
	return res
}

func TestAccumulate(t *testing.T) {
	t.Parallel()
	b := bench(t)
	r := run{b, &states.Env{Env: b.Env, Run: &modules.Context{}}}
	f := b.File("f", "x\n")
	require.NoError(t, os.WriteFile(b.Roots+"/t", []byte("{{ accumulator.acc | join(',') }}\n"), 0o600))
	acc := ordered.Pairs("__id__", "a", "__sls__", "s", "name", "acc", "filename", f, "text", []any{"one", "two"})
	assert.Equal(t, "Orphaned accumulator acc in s:a", r.state("accumulated", acc).Comment)
	acc.Set("require_in", []any{ordered.Pairs("file", "blk")})
	assert.Equal(t, "Accumulator acc for file "+f+" was charged by text", r.state("accumulated", acc).Comment)
	assert.Equal(t, "", r.state("accumulated", acc).Comment, "the same text is taken once")
	r.state("blockreplace", ordered.Pairs("__id__", "blk", "name", f, "marker_start", "#<", "marker_end", "#>", "append_if_not_found", true))
	assert.Equal(t, "x\n#<\none\ntwo\n#>\n", b.Read(f))
	r.state("managed", ordered.Pairs("__id__", "m", "name", f, "source", "salt://t", "template", "jinja"))
	assert.Equal(t, "one,two\n", b.Read(f))
}

func TestCleanKeepsWhatOtherStatesLookAfter(t *testing.T) {
	t.Parallel()
	b := bench(t)
	for _, p := range []string{"d/kept/deep", "d/gone/deep"} {
		require.NoError(t, os.MkdirAll(b.Work(p), 0o755))
		require.NoError(t, os.WriteFile(b.Work(p+"/f"), nil, 0o600))
	}
	low := ordered.Pairs("__id__", "mine", "name", b.Work("d/kept/deep/f"), "state", "file", "fun", "managed")
	r := run{b, &states.Env{Env: b.Env, Run: &modules.Context{}, Chunks: []*ordered.Map{low}}}
	res := r.state("directory", ordered.Pairs("__id__", "d", "name", b.Work("d"), "clean", true, "require", []any{ordered.Pairs("file", "mine")}))
	assert.Equal(t, "Files cleaned from directory "+b.Work("d"), res.Comment)
	assert.FileExists(t, b.Work("d/kept/deep/f"))
	assert.NoDirExists(t, b.Work("d/gone"))
}

func TestPatch(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/bin/patch"); err != nil {
		t.Skip("patch is missing: install patch")
	}
	b := bench(t)
	f := b.File("f", "one\ntwo\n")
	require.NoError(t, os.WriteFile(b.Roots+"/p", []byte("--- f\n+++ f\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"), 0o600))
	b.Test = true
	assert.Equal(t, "The patch would be applied", b.State(file.State(), "patch", moduletest.KW(nil, "name", f, "source", "salt://p")).Value("comment"))
	assert.Equal(t, "one\ntwo\n", b.Read(f))
	b.Test = false
	assert.Equal(t, "Patch successfully applied", b.State(file.State(), "patch", moduletest.KW(nil, "name", f, "source", "salt://p")).Value("comment"))
	assert.Equal(t, "one\n2\n", b.Read(f))
	assert.Equal(t, "Patch was already applied", b.State(file.State(), "patch", moduletest.KW(nil, "name", f, "source", "salt://p")).Value("comment"))
	b.File("f", "other\n")
	r := b.State(file.State(), "patch", moduletest.KW(nil, "name", f, "source", "salt://p"))
	assert.Equal(t, false, r.Value("result"))
	assert.Contains(t, r.Value("comment"), "Patch would not apply cleanly, no changes made. Results of dry-run are below.")
	assert.Equal(t, "The following CLI options are not allowed: -N", b.State(file.State(), "patch", moduletest.KW(nil, "name", f, "source", "salt://p", "options", "-N")).Value("comment"))
}

func TestRecurse(t *testing.T) {
	t.Parallel()
	b := bench(t)
	require.NoError(t, os.MkdirAll(b.Roots+"/tree/sub", 0o755))
	require.NoError(t, os.WriteFile(b.Roots+"/tree/a", []byte("a"), 0o600))
	require.NoError(t, os.WriteFile(b.Roots+"/tree/sub/b", []byte("b"), 0o600))
	b.WantState(file.State(), "recurse", moduletest.KW(nil, "name", b.Work("r"), "source", "/x"), `{'result': False, 'comment': "Invalid source '/x' (must be a salt:// URI)", 'changes': {}}`)
	b.WantState(file.State(), "recurse", moduletest.KW(nil, "name", b.Work("r"), "source", "salt://nope"),
		`{'result': False, 'comment': 'Recurse failed: none of the specified sources were found', 'changes': {}}`)
	r := b.DryAndTwice(file.State(), "recurse", moduletest.KW(nil, "name", b.Work("r"), "source", "salt://tree", "maxdepth", 0))
	assert.Equal(t, "Recursively updated "+b.Work("r"), r.Value("comment"))
	assert.FileExists(t, b.Work("r/a"))
	assert.NoFileExists(t, b.Work("r/sub/b"))
}
