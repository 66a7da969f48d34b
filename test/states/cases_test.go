package states

import (
	"archive/tar"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules/moduletest"
)

func args(kv ...any) []any { return kv }

func link(from, to string) func(*testing.T, *moduletest.Bench) {
	return func(t *testing.T, b *moduletest.Bench) { require.NoError(t, os.Symlink(from, b.Work(to))) }
}

func archive(t *testing.T, b *moduletest.Bench) {
	f, err := os.Create(b.Dir + "/srv/a.tar")
	require.NoError(t, err)
	w := tar.NewWriter(f)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "top/", Typeflag: tar.TypeDir, Mode: 0o755}))
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "top/f", Typeflag: tar.TypeReg, Mode: 0o644, Size: 2}))
	_, err = w.Write([]byte("hi"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
}

// suites are the cases by function: one at least for each.
func suites() map[string][]suite {
	out := map[string][]suite{}
	for _, group := range []map[string][]suite{fileSuites(), editSuites(), otherSuites()} {
		for k, v := range group {
			out[k] = v
		}
	}
	return out
}

func fileSuites() map[string][]suite {
	two := map[string]string{"f": "one\ntwo\n"}
	return map[string][]suite{
		"file.managed": {
			{args: args("name", "$D/f", "contents", "x", "mode", "0600")},
			{args: args("name", "$D/f", "contents", "x"), files: map[string]string{"f": "y\n"}},
			{args: args("name", "$D/d/e/f", "source", "salt://src", "makedirs", true)},
			{args: args("name", "$D/f", "source", "salt://t.j2", "template", "jinja", "context", ordered.Pairs("x", 5))},
			{args: args("name", "$D/f", "contents_pillar", "a:b", "mode", "0640"), files: map[string]string{"f": "text of the pillar\n"}},
			{args: args("name", "$D/f", "contents", "good", "check_cmd", "grep -q good")},
			{args: args("name", "$D/f", "contents_grains", "id")},
			{args: args("name", "$D/f", "source", []any{"salt://nope", "salt://src"})},
			{args: args("name", "$D/f", "contents", "x", "create", false), silent: true},
		},
		"file.directory": {
			{args: args("name", "$D/a/b", "makedirs", true, "mode", "0750")},
			{args: args("name", "$D/d", "clean", true), files: map[string]string{"d/f": "", "d/e/g": ""}},
			{args: args("name", "$D/d", "dir_mode", "0700", "file_mode", "0640", "recurse", []any{"mode"}), files: map[string]string{"d/f": "", "d/e/g": ""}},
			{args: args("name", "$D/d", "clean", true, "exclude_pat", []any{"keep*", "E@^also"}), files: map[string]string{"d/keep1": "", "d/also": "", "d/gone": ""}},
			{args: args("name", "$D/f", "force", true), files: two},
			{args: args("name", "$D/d", "max_depth", 1, "file_mode", "0640", "recurse", []any{"mode"}), files: map[string]string{"d/f": "", "d/e/": ""}},
		},
		"file.recurse": {
			{args: args("name", "$D/r", "source", "salt://tree", "file_mode", "0600", "dir_mode", "0700")},
			{args: args("name", "$D/r", "source", "salt://tree", "clean", true, "exclude_pat", "sub*"), files: map[string]string{"r/gone": "", "r/a": "old"}},
		},
		"file.symlink": {
			{args: args("name", "$D/l", "target", "$D/f"), files: two},
			{args: args("name", "$D/x/y/l", "target", "nowhere", "makedirs", true)},
			{args: args("name", "$D/l", "target", "$D/f"), setup: link("elsewhere", "l")},
		},
		"file.hardlink": {{args: args("name", "$D/h", "target", "$D/f"), files: two}},
		"file.absent": {
			{args: args("name", "$D/f"), files: two},
			{args: args("name", "$D/d"), files: map[string]string{"d/e/f": ""}},
			{args: args("name", "$D/none"), silent: true},
			{args: args("name", "$D/l"), setup: link("elsewhere", "l")},
		},
		"file.exists":  {{args: args("name", "$D/f"), files: two, silent: true}},
		"file.missing": {{args: args("name", "$D/f"), silent: true}},
		"file.tidied":  {{args: args("name", "$D/d", "matches", []any{"gone"}), files: map[string]string{"d/gone1": "", "d/stays": ""}}},
		"file.pruned":  {{args: args("name", "$D/d"), files: map[string]string{"d/": ""}}},
		"file.retention_schedule": {{args: args("name", "$D/d", "retain", ordered.Pairs("most_recent", 1), "strptime_format", "b%Y%m%d"),
			files: map[string]string{"d/b20300101": "", "d/b20300102": "", "d/other": ""}, always: true}},
		"file.touch":  {{args: args("name", "$D/t"), always: true}, {args: args("name", "$D/f"), files: two, always: true, silent: true}},
		"file.copy":   {{args: args("name", "$D/g", "source", "$D/f"), files: two}, {args: args("name", "$D/e", "source", "$D/d"), files: map[string]string{"d/a/b": "x"}}},
		"file.rename": {{args: args("name", "$D/x/g", "source", "$D/f", "makedirs", true), files: two}},
		"file.mknod":  {{args: args("name", "$D/p", "ntype", "p", "mode", "0640")}},
		"file.serialize": {
			{args: args("name", "$D/s", "dataset", ordered.Pairs("b", 1, "a", []any{1, 2}), "serializer", "json")},
			{args: args("name", "$D/s", "dataset", ordered.Pairs("b", 1), "merge_if_exists", true), files: map[string]string{"s": "a: 5\n"}},
		},
		"file.decode":      {{args: args("name", "$D/f", "encoded_data", "aGVsbG8K")}, {args: args("name", "$D/f", "encoded_data", "aGVsbG8K"), files: two}},
		"file.accumulated": {}, // acts on a run as a whole: see the tests of states/file
		"file.cached":      {{args: args("name", "$D/f"), files: two, silent: true}},
		"file.not_cached":  {{args: args("name", "$D/f"), files: two, silent: true}},
	}
}

func editSuites() map[string][]suite {
	two := map[string]string{"f": "one\ntwo\n"}
	return map[string][]suite{
		"file.line": {
			{args: args("name", "$D/f", "content", "mid", "mode", "ensure", "after", "one"), files: two},
			{args: args("name", "$D/f", "match", "two", "mode", "delete"), files: two},
		},
		"file.replace": {
			{args: args("name", "$D/f", "pattern", "^two", "repl", "2"), files: two},
			{args: args("name", "$D/f", "pattern", "^three.*", "repl", "three", "append_if_not_found", true), files: two},
		},
		"file.blockreplace": {{args: args("name", "$D/f", "content", "in", "append_if_not_found", true), files: two}},
		"file.comment":      {{args: args("name", "$D/f", "regex", "^one"), files: two}},
		"file.uncomment":    {{args: args("name", "$D/f", "regex", "one"), files: map[string]string{"f": "#one\n"}}},
		"file.keyvalue": {
			{args: args("name", "$D/f", "key", "a", "value", "2"), files: map[string]string{"f": "a=1\nb=2\n"}},
			{args: args("name", "$D/f", "key_values", ordered.Pairs("a", "2", "c", "3"), "append_if_not_found", true, "uncomment", "# "), files: map[string]string{"f": "# a=1\n"}},
		},
		"file.append":  {{args: args("name", "$D/f", "text", []any{"three", "it's  \"four\""}), files: two}, {args: args("name", "$D/new", "text", "x")}},
		"file.prepend": {{args: args("name", "$D/f", "text", "zero"), files: two}},
		"file.patch":   {{args: args("name", "$D/f", "source", "salt://p.patch"), files: two}},
	}
}

func otherSuites() map[string][]suite {
	ini := map[string]string{"i": "[main]\na = 1\n"}
	return map[string][]suite{
		"archive.extracted":    {{args: args("name", "$D/out", "source", "$D/../srv/a.tar"), setup: archive}},
		"ini.options_present":  {{args: args("name", "$D/i", "sections", ordered.Pairs("main", ordered.Pairs("a", 2, "b", "x"))), files: ini}},
		"ini.options_absent":   {{args: args("name", "$D/i", "sections", ordered.Pairs("main", []any{"a"})), files: ini}},
		"ini.sections_present": {{args: args("name", "$D/i", "sections", []any{"main", "new"}), files: ini}},
		"ini.sections_absent":  {{args: args("name", "$D/i", "sections", []any{"main"}), files: ini}},
		"host.present":         {{args: args("name", "db", "ip", "10.0.0.1")}},
		"host.absent":          {{args: args("name", "db", "ip", "10.0.0.1"), files: map[string]string{"hosts": "10.0.0.1 db\n"}}},
		"host.only":            {{args: args("name", "10.0.0.1", "hostnames", []any{"a", "b"})}},

		"test.nop":                     {{args: args("name", "x"), silent: true}},
		"test.succeed_without_changes": {{args: args("name", "x"), silent: true}},
		"test.fail_without_changes":    {}, // never reach a wish
		"test.fail_with_changes":       {},
		"test.succeed_with_changes":    {{args: args("name", "x"), always: true}},
		"test.configurable_test_state": {{args: args("name", "x"), always: true}},
		"test.show_notification":       {{args: args("name", "x", "text", "t"), silent: true}},
		"test.check_pillar":            {{args: args("name", "x", "present", "a"), silent: true}},

		"cmd.run":         {{args: args("name", "touch $D/made"), always: true}, {args: args("name", "touch $D/made", "creates", "$D/made"), always: true}},
		"cmd.script":      {{args: args("name", "s", "source", "salt://s.sh"), always: true}},
		"cmd.wait":        {{args: args("name", "touch $D/made"), silent: true}},
		"cmd.watch":       {{args: args("name", "touch $D/made"), silent: true}},
		"cmd.wait_script": {{args: args("name", "s", "source", "salt://s.sh"), silent: true}},

		"grains.present": {{args: args("name", "g", "value", "v")}},
		"grains.absent":  {{args: args("name", "none"), silent: true}},
		"grains.append": {{args: args("name", "list", "value", "v"), setup: func(_ *testing.T, b *moduletest.Bench) {
			b.Facts.M.Set("list", []any{"u"})
		}}},
		"grains.exists":       {{args: args("name", "id"), silent: true}},
		"grains.list_present": {{args: args("name", "l", "value", "v")}},
		"grains.list_absent":  {{args: args("name", "none", "value", "v"), silent: true}},
		"environ.setenv":      {{args: args("name", "BRINE_SUITE", "value", "v")}},
		"event.send":          {{args: args("name", "tag"), always: true}},
		"event.fire_master":   {{args: args("name", "tag"), always: true}},
		"event.wait":          {{args: args("name", "tag"), silent: true}},
		"module.run":          {{args: args("name", "m", "test.echo", []any{ordered.Pairs("text", "hi")}), always: true, silent: true}},
		"module.wait":         {{args: args("name", "test.ping"), silent: true}},
		"module.watch":        {{args: args("name", "test.ping"), silent: true}},
	}
}
