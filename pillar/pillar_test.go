package pillar_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/fileroots"
	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/pillar"
	"brine/render"
)

// compiler makes one for the minion web1 with the files below a folder for each environment: "base/top.sls".
func compiler(t testing.TB, files map[string]string) *pillar.Compiler {
	t.Helper()
	dir := t.TempDir()
	for _, env := range []string{"base", "dev"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, env), 0o755))
	}
	for name, text := range files {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
	}
	return &pillar.Compiler{
		ID: "web1", Grains: ordered.Pairs("os", "Debian"), Opts: ordered.Pairs("id", "web1", "nodegroups", ordered.Pairs("webs", "web*")),
		Roots: fileroots.New(fileroots.Options{Envs: map[string][]string{"base": {dir + "/base"}, "dev": {dir + "/dev"}}}), Host: host.Real{}, Cache: render.NewCache(), Log: zap.NewNop(),
	}
}

func want(t *testing.T, c *pillar.Compiler, text string) {
	t.Helper()
	got, err := c.Compile(t.Context())
	require.NoError(t, err)
	assert.Equal(t, text, pyfmt.Repr(got))
}

func TestTopMatches(t *testing.T) {
	t.Parallel()
	c := compiler(t, map[string]string{
		"base/top.sls": `
base:
  'web*': [a]
  'db*': [no]
  'os:Debian': [{match: grain}, b]
  'web1,x': [{match: list}, c.d]
  'web[12]': [{match: pcre}, e]
  webs: [{match: nodegroup}, f.*]
  'web1 and not G@os:Debian': [no]
dev:
  '*': [g]
`,
		"base/a.sls": "a: 1", "base/b.sls": "b: {{ grains.os }}", "base/c/d.sls": "c: {{ opts.id }}", "base/e/init.sls": "e: 5", "base/no.sls": "no: no",
		"base/f/x.sls": "fx: 1", "base/f/y.sls": "fy: 2", "dev/g.sls": "g: dev",
		"dev/top.sls": "dev: {'*': [g]}\nbase: {'*': [no]}",
	})
	var grains []string
	c.ByGrain = func(tgt string) { grains = append(grains, tgt) }
	want(t, c, "{'a': 1, 'b': 'Debian', 'c': 'web1', 'e': 5, 'fx': 1, 'fy': 2, 'g': 'dev'}")
	assert.Equal(t, []string{"os:Debian", "web1 and not G@os:Debian"}, grains)
	c.Env = "dev"
	want(t, c, "{'g': 'dev'}")
}

func TestMerging(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"base/top.sls": "base: {'*': [a, b]}",
		"base/a.sls":   "m: {x: 1, l: [1, 2]}\ns: a",
		"base/b.sls":   "m: {y: 2, l: [3]}\ns: b",
	}
	for name, c := range map[string]struct {
		opts []any
		want string
	}{
		"by default": {nil, "{'m': {'x': 1, 'l': [3], 'y': 2}, 's': 'b'}"},
		"lists":      {[]any{"pillar_merge_lists", true}, "{'m': {'x': 1, 'l': [1, 2, 3], 'y': 2}, 's': 'b'}"},
		"recurse":    {[]any{"pillar_source_merging_strategy", "recurse"}, "{'m': {'x': 1, 'l': [3], 'y': 2}, 's': 'b'}"},
		"overwrite":  {[]any{"pillar_source_merging_strategy", "overwrite"}, "{'m': {'y': 2, 'l': [3]}, 's': 'b'}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			comp := compiler(t, files)
			comp.Opts.Update(ordered.Pairs(c.opts...))
			want(t, comp, c.want)
		})
	}
}

func TestIncludes(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"base/top.sls":      "base: {'*': [web]}",
		"base/web/init.sls": "include:\n- .own\n- lib: {key: 'deep:er', defaults: {color: red}}\nwho: web",
		"base/web/own.sls":  "include: [web]\nwho: own\nown: true",
		"base/lib.sls":      "color: {{ color }}",
	}
	want(t, compiler(t, files), "{'who': 'web', 'own': True, 'deep': {'er': {'color': 'red'}}}")
	c := compiler(t, files)
	c.Opts.Set("pillar_includes_override_sls", true)
	want(t, c, "{'who': 'own', 'own': True, 'deep': {'er': {'color': 'red'}}}")
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	t.Parallel()
	for text, files := range map[string]map[string]string{
		"Specified SLS 'gone' in environment 'base' is not available on the salt master": {"base/top.sls": "base: {'*': [gone, ok]}"},
		"Rendering SLS 'bad' failed. Please see master log for details.":                 {"base/top.sls": "base: {'*': [bad, ok]}", "base/bad.sls": "a: {{ 1/0 }}"},
		"SLS 'text' does not render to a dictionary":                                     {"base/top.sls": "base: {'*': [text, ok]}", "base/text.sls": "- text"},
		"Rendering Primary Top file failed, render error:":                               {"base/top.sls": "a: [", "dev/top.sls": "dev: {'*': [ok]}", "dev/ok.sls": "ok: true"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			files["base/ok.sls"] = "ok: true"
			got, err := compiler(t, files).Compile(t.Context())
			require.NoError(t, err)
			assert.Equal(t, true, got.Value("ok"), "the rest is there")
			errs := got.List("_errors")
			require.Len(t, errs, 1)
			assert.Contains(t, errs[0], text)
		})
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	c := compiler(t, map[string]string{"base/top.sls": "base: {'*': [a]}", "base/a.sls": "a: file\nb: file"})
	c.Opts.Set("ext_pillar", []any{ordered.Pairs("cmd_yaml", "echo 'a: %s'"), ordered.Pairs("cmd_json", `echo '{"n": 1}'`)})
	want(t, c, "{'a': 'web1', 'b': 'file', 'n': 1}")
	c.Opts.Set("ext_pillar_first", true)
	want(t, c, "{'a': 'file', 'n': 1, 'b': 'file'}")
	c.Opts.Set("ext_pillar", []any{ordered.Pairs("cmd_yaml", "exit 3"), ordered.Pairs("none_such", 1)})
	got, err := c.Compile(t.Context())
	require.NoError(t, err)
	assert.Len(t, got.List("_errors"), 2)
}

func TestOverrideWins(t *testing.T) {
	t.Parallel()
	c := compiler(t, map[string]string{"base/top.sls": "base: {'*': [a]}", "base/a.sls": "m: {x: 1, y: 2}"})
	c.Override = ordered.Pairs("m", ordered.Pairs("x", int64(5)))
	want(t, c, "{'m': {'x': 5, 'y': 2}}")
}

func TestSecretsAreDecrypted(t *testing.T) {
	t.Parallel()
	files := map[string]string{"base/top.sls": "base: {'*': [a]}", "base/a.sls": "#!yaml|gpg\nkey: |\n  -----BEGIN PGP MESSAGE-----\n  abc\n  -----END PGP MESSAGE-----\n"}
	c := compiler(t, files)
	c.Decrypt = func(context.Context, string) (string, error) { return "open", nil }
	want(t, c, "{'key': 'open'}")
}

func TestCompileEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := compiler(t, map[string]string{"base/top.sls": "base: {'*': [a]}", "base/a.sls": "a: 1"}).Compile(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
