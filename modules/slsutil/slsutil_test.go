package slsutil_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"brine/internal/dictupdate"
	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/cp"
	"brine/modules/moduletest"
	"brine/modules/slsutil"
)

func bench(t *testing.T) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, slsutil.Module(), cp.Module(nil))
	require.NoError(t, os.MkdirAll(b.Roots+"/a/b", 0o755))
	require.NoError(t, os.WriteFile(b.Roots+"/a/map.jinja", []byte("{% set v = 1 %}k: {{ v + 1 }}\nid: {{ grains.id }}\n"), 0o600))
	return b
}

func TestMerges(t *testing.T) {
	t.Parallel()
	b := bench(t)
	a, c := ordered.Pairs("x", ordered.Pairs("p", 1), "l", []any{1}), ordered.Pairs("x", ordered.Pairs("q", 2), "l", []any{2})
	b.Want("{'x': {'p': 1, 'q': 2}, 'l': [2]}", "slsutil.merge", ordered.Copy(a), c)
	b.Want("{'x': {'p': 1, 'q': 2}, 'l': [1, 2]}", "slsutil.update", ordered.Copy(a), c, true, true)
	b.Want("{'x': {'q': 2}, 'l': [2]}", "slsutil.update", ordered.Copy(a), c, false)
	b.Want("{'foo': 'Bar'}", "slsutil.merge_all", []any{ordered.Pairs("foo", "Foo"), ordered.Pairs("foo", "Bar")})
	b.Fails(dictupdate.ErrNotDict.Error(), "slsutil.merge", modules.Pos("x", c))
}

func TestRenderer(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("{'k': 2, 'id': 'm1'}", "slsutil.renderer", "salt://a/map.jinja")
	b.WantArgs(`'Hello, world.'`, "slsutil.renderer", moduletest.KW(nil, "string", "Hello, {{ name }}.", "name", "world"))
	b.WantArgs(`'a: 1'`, "slsutil.renderer", moduletest.KW(nil, "string", "a: {{ 1 }}", "default_renderer", "jinja"))
	b.WantArgs(`{'a': 1}`, "slsutil.renderer", moduletest.KW(nil, "string", "#!json\n{\"a\": 1}"))
	b.Fails("Must pass either path or string", "slsutil.renderer", modules.Args{})
	b.Fails("Must not pass both path and string", "slsutil.renderer", modules.Pos("a", "b"))
	b.Want(`'{"a": 1}'`, "slsutil.serialize", "json", ordered.Pairs("a", 1))
	b.Want("'{a: 1}'", "slsutil.serialize", "yaml", ordered.Pairs("a", 1))
	b.Want(`{'a': [1]}`, "slsutil.deserialize", "json", `{"a": [1]}`)
	b.Want(`{'a': None}`, "slsutil.deserialize", "msgpack", b.Run("slsutil.serialize", modules.Pos("msgpack", ordered.Pairs("a", nil))))
	b.Fails("Serializer 'zz' not found.", "slsutil.serialize", modules.Pos("zz", "x"))
}

func TestTree(t *testing.T) {
	t.Parallel()
	b := bench(t)
	b.Want("True", "slsutil.file_exists", "a/map.jinja")
	b.Want("False", "slsutil.file_exists", "a/b")
	b.Want("True", "slsutil.dir_exists", "a/b")
	b.Want("True", "slsutil.path_exists", "a/b")
	b.Want("'a/map.jinja'", "slsutil.findup", "a/b", "map.jinja")
	b.Want("'a/map.jinja'", "slsutil.findup", "a/b/", []any{"none", "map.jinja"})
	b.Fails("File pattern(s) not found in path ancestry", "slsutil.findup", modules.Pos("a/b", "none"))
	b.Fails("Starting path not found in the state tree: zz", "slsutil.findup", modules.Pos("zz", "none"))
	b.Fails("Filenames argument must be a string or list of strings", "slsutil.findup", modules.Pos("", int64(5)))
	b.Want("'yes'", "slsutil.boolstr", true, "yes", "no")
	b.Want("'false'", "slsutil.boolstr", "")
}

func TestBanner(t *testing.T) {
	t.Parallel()
	b := bench(t)
	want := strings.Join([]string{
		"########################################################################",
		"#                                                                      #",
		"#              THIS FILE IS MANAGED BY SALT - DO NOT EDIT              #",
		"#                                                                      #",
		"# The contents of this file are managed by Salt. Any changes to this   #",
		"# file may be overwritten automatically and without warning.           #",
		"########################################################################",
	}, `\n`)
	b.Want("'"+want+"'", "slsutil.banner")
	b.WantArgs(`'/**\n *******\n *     *\n *  ab *\n *  cd *\n *     *\n * x   *\n *******\n */\n'`, "slsutil.banner",
		moduletest.KW([]any{int64(8)}, "commentchar", " *", "borderchar", "*", "blockstart", "/**", "blockend", " */", "title", "ab cd", "text", "x", "newline", true))
	b.Fails("Width is too small to render banner", "slsutil.banner", modules.Pos(int64(3)))
}
