package rendering_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules/moduletest"
	"brine/modules/rendering"
	"brine/modules/test"
)

func TestText(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, test.Module())
	b.Secrets.M = ordered.Pairs("p", "secret")
	require.NoError(t, os.WriteFile(b.Roots+"/lib.j2", []byte("{% macro hi(x) %}hi {{ x }}{% endmacro %}"), 0o600))
	for in, want := range map[string]string{
		"id={{ grains.id }} {{ pillar.p }} {{ opts.id }} {{ saltenv }}\n": "id=m1 secret m1 base\n",
		"{{ salt['test.echo']('x') }}-{{ salt.test.echo('y') }}":          "x-y",
		"{% import 'lib.j2' as l %}{{ l.hi('you') }}":                     "hi you",
		"#!jinja|yaml\n{{ v }}\n":                                         "#!jinja|yaml\n1\n",
		" \n":                                                             " \n",
		"":                                                                "",
	} {
		got, err := rendering.Text(t.Context(), b.Env, "jinja", in, rendering.Options{Vars: ordered.Pairs("v", 1)})
		require.NoError(t, err, in)
		assert.Equal(t, want, got, in)
	}
	_, err := rendering.Text(t.Context(), b.Env, "mako", "x", rendering.Options{})
	assert.EqualError(t, err, "Specified template format mako is not supported")
	_, err = rendering.Text(t.Context(), b.Env, "jinja", "a\n{{ nope() }}", rendering.Options{})
	assert.ErrorContains(t, err, "nope")
}
