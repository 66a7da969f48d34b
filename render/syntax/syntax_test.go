package syntax

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tpl, err := Parse("a {{ x.y[0] | f(1) }}\n{% for i in l if i %}{% block b %}{% endblock %}{% endfor %}", Options{})
	require.NoError(t, err)
	require.Len(t, tpl.Body, 2)
	assert.Equal(t, []Use{{"f", 1}}, tpl.Filters)
	assert.Contains(t, tpl.Blocks, "b")
	loop := tpl.Body[1].(*For)
	assert.Equal(t, 2, loop.Line())
	assert.Equal(t, "i", loop.Test.(*Name).Name)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]Error{
		"a\n{% if %}":              {"Expected an expression, got 'end of statement block'", 2},
		"{% if a %}\n{% endfor %}": {"Encountered unknown tag 'endfor'. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.", 2},
		"{{ a":                     {"unexpected end of template, expected 'end of print statement'.", 1},
		"\n{# a":                   {"Missing end of comment tag", 2},
		"{{ ) }}":                  {"unexpected ')'", 1},
	} {
		_, err := Parse(src, Options{})
		var e *Error
		require.ErrorAs(t, err, &e, src)
		assert.Equal(t, want, *e, src)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"{% if a %}b{% elif c %}{% else %}{% endif %}", "{{ a|b(c, d=e)[1:2].f is g not in h }}", "{%- raw +%}{% endraw %}{##}", "{% set a.b, (c) = 1 %}"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, src string, trim bool) {
		_, err := Parse(src, Options{TrimBlocks: trim, LstripBlocks: trim})
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Line < 1) {
			t.Fatalf("%q: %#v", src, err)
		}
	})
}
