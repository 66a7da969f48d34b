package render

import (
	"context"
	"errors"
	"strings"
	"testing"

	"brine/internal/ordered"
	"brine/internal/pyyaml"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPipelines(t *testing.T) {
	t.Parallel()
	env := &Env{
		Opts: ordered.Pairs("id", "m1"),
		Renderers: map[string]Renderer{"twice": func(_ context.Context, in any, _ *Env, args string) (any, error) {
			return strings.Repeat(in.(string), 2) + args, nil
		}},
		Decrypt: func(_ context.Context, m string) (string, error) {
			if strings.Contains(m, "bad") {
				return "", errors.New("no secret key")
			}
			return "opened", nil
		},
	}
	pgp := "-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----"
	for src, want := range map[string]any{
		"a: {{ opts.id }}":                   ordered.Pairs("a", "m1"),
		"#!yaml\na: '{{ b }}'":               ordered.Pairs("a", "{{ b }}"),
		"#!json\n{\"b\": 1, \"a\": [true]}":  ordered.Pairs("b", 1, "a", []any{true}),
		"#!jinja|json\n{\"a\": {{ 1 + 1 }}}": ordered.Pairs("a", 2),
		"#!yaml_jinja\na: {{ 1 }}":           ordered.Pairs("a", 1),
		"#!jinja\nx {{ 1 + 1 }}\n":           "#!jinja\nx 2\n",
		"#!jinja|yaml|gpg\na: |\n  " + strings.ReplaceAll(pgp, "\n", "\n  ") + "\nb: [x]": ordered.Pairs("a", "opened", "b", []any{"x"}),
		"#!text\nplain {{":   "#!text\nplain {{",
		"#!twice z\nq\n":     "#!twice z\nq\n#!twice z\nq\nz",
		"#!/bin/sh\n":        ordered.New(0),
		" \n\t":              ordered.New(0),
		"# only a comment\n": ordered.New(0),
		"[]":                 ordered.New(0),
		"text":               "text",
		"a: 1\r\nb: 2\r\n":   ordered.Pairs("a", 1, "b", 2),
	} {
		got, err := Render(t.Context(), []byte(src), env, Options{})
		if assert.NoError(t, err, src) {
			assert.True(t, ordered.Equal(want, got), "%q: %v", src, got)
		}
	}
	for src, want := range map[string]string{
		"#!mako\nx":           "the renderer 'mako' is not available",
		"#!py\nx":             "the renderer 'py' runs Python and is not available",
		"#!yaml|json\na: 1":   "the renderer 'json' needs text, but the one before it made data",
		"#!json\n{\n\"a\": }": "line 2",
		"#!jinja|yaml|gpg\na: \"-----BEGIN PGP MESSAGE-----bad-----END PGP MESSAGE-----\"": "no secret key",
		"a: b: c":    "mapping values are not allowed in this context; line 1\n\n---\na: b: c    <======================\n---",
		"a:\n\tb: 1": "Illegal tab character; line 2\n\n---\na:\n\tb: 1    <======================\n---",
	} {
		_, err := Render(t.Context(), []byte(src), env, Options{})
		assert.ErrorContains(t, err, want, "%q", src)
	}
	_, err := Render(t.Context(), []byte("a: b: c"), env, Options{})
	var e *pyyaml.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, 1, e.Line())
}

func TestWithoutBracesJinjaIsNotStarted(t *testing.T) {
	t.Parallel()
	asked := false
	env := &Env{Grains: func() *ordered.Map { asked = true; return nil }, Loader: files{}}
	_, err := Render(t.Context(), []byte("a: 1\n"), env, Options{})
	require.NoError(t, err)
	assert.False(t, asked)
}

func TestGrainsAreAskedForOnce(t *testing.T) {
	t.Parallel()
	n := 0
	env := &Env{Grains: func() *ordered.Map { n++; return ordered.Pairs("a", n) }}
	got, err := Render(t.Context(), []byte("x: {{ grains.a }}{{ grains['a'] }}{% do grains.update({'a': 9}) %}{{ grains.a }}"), env, Options{})
	require.NoError(t, err)
	assert.True(t, ordered.Equal(ordered.Pairs("x", 119), got), "%v", got)
	assert.Equal(t, 1, n)
}

func TestSLSVars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sls, path string
		want      *ordered.Map
	}{
		{"app", "app/init.sls", ordered.Pairs("tplpath", "app/init.sls", "tplfile", "app/init.sls", "tpldir", "app", "tpldot", "app",
			"slspath", "app", "slsdotpath", "app", "slscolonpath", "app", "sls_path", "app")},
		{"a.b.c", "/cache/base/a/b/c.sls", ordered.Pairs("tplpath", "/cache/base/a/b/c.sls", "tplfile", "a/b/c.sls", "tpldir", "a/b", "tpldot", "a.b",
			"slspath", "a/b", "slsdotpath", "a.b", "slscolonpath", "a:b", "sls_path", "a_b")},
		{"top", "top.sls", ordered.Pairs("tplpath", "top.sls", "tplfile", "top.sls", "tpldir", ".", "tpldot", "",
			"slspath", "", "slsdotpath", "", "slscolonpath", "", "sls_path", "")},
		{"", "x/t.conf", ordered.Pairs("tplpath", "x/t.conf", "tplfile", "t.conf", "tpldir", ".", "tpldot", "",
			"slspath", "", "slsdotpath", "", "slscolonpath", "", "sls_path", "")},
	} {
		assert.Equal(t, c.want, SLSVars(c.sls, c.path), c.sls)
	}
}

func TestJinjaOptionsComeFromTheConfiguration(t *testing.T) {
	t.Parallel()
	env := &Env{SLS: "a", Opts: ordered.Pairs("jinja_sls_env", ordered.Pairs("trim_blocks", true, "lstrip_blocks", true))}
	src := []byte("x\n  {% if true %}\ny\n  {% endif %}\nz")
	got, err := Render(t.Context(), src, env, Options{Default: "jinja"})
	require.NoError(t, err)
	assert.Equal(t, "x\ny\nz", got)
	env.SLS = ""
	got, err = Render(t.Context(), src, env, Options{Default: "jinja"})
	require.NoError(t, err)
	assert.Equal(t, "x\n  \ny\n  \nz", got)
}

func TestAllowUndefined(t *testing.T) {
	t.Parallel()
	src := []byte("[{{ nope }}{{ opts.nope }}{% for x in nope %}x{% endfor %}{{ 'y' if nope else 'n' }}]")
	got, err := Render(t.Context(), src, &Env{Opts: ordered.Pairs("allow_undefined", true)}, Options{Default: "jinja"})
	require.NoError(t, err)
	assert.Equal(t, "[n]", got)
	_, err = Render(t.Context(), src, &Env{}, Options{Default: "jinja"})
	assert.ErrorContains(t, err, "Jinja variable 'nope' is undefined; line 1")
}

func TestRendersRunBesideEachOther(t *testing.T) {
	t.Parallel()
	f := files{"map.jinja": "{% set v = {'a': [1]} %}{% macro m() %}{{ v.a.append(2) or v.a|length }}{% endmacro %}"}
	env := &Env{Saltenv: "base", Loader: f, Cache: NewCache()}
	done := make(chan error, 8)
	for range 8 {
		go func() {
			got, err := Render(t.Context(), []byte("{% from 'map.jinja' import m %}a: {{ m() }}{{ m() }}"), env, Options{})
			if err == nil && !ordered.Equal(got, ordered.Pairs("a", 23)) {
				err = errors.New("a render saw the data of another")
			}
			done <- err
		}()
	}
	for range 8 {
		assert.NoError(t, <-done)
	}
}
