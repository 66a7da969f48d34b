package jinja

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"brine/internal/ordered"
	"brine/render/syntax"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type mapLoader map[string]string

func (l mapLoader) Load(_ context.Context, p string) ([]byte, error) {
	if s, ok := l[p]; ok {
		return []byte(s), nil
	}
	return nil, &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
}

const testVars = `{"d":{"a":1,"b":[1,2,3],"c":{"x":"y"}},"l":[3,1,2],"s":"Hello World","n":5,"f":2.5,"t":true,"z":null,
"u":"straße é","users":[{"name":"bob","age":30,"tags":["x","y"]},{"name":"Al","age":25,"tags":[]},
{"name":"cy","age":30,"tags":["z"]}],"empty":[]}`

func vars(t testing.TB) map[string]func() any {
	v, err := ordered.FromJSON([]byte(testVars))
	require.NoError(t, err)
	out := map[string]func() any{}
	for k, e := range v.(*ordered.Map).All() {
		out[k.(string)] = func() any { return e }
	}
	return out
}

// outcome is what a template does, in the form of the recorded cases: its text, or its error and the line of it.
func outcome(t testing.TB, in *Input) (out, failure string, line int) {
	r := newRun(t.Context(), in)
	out, err := r.renderMain(in.Source)
	if err == nil {
		return out, "", 0
	}
	var l *located
	var s *syntax.Error
	switch {
	case errors.As(err, &l):
		line = l.line
	case errors.As(err, &s):
		line = s.Line
	}
	return "", prefix(err) + text(err), line
}

// TestAsJinja compares with what Jinja 3.1 made of the same templates in a sandbox with StrictUndefined.
func TestAsJinja(t *testing.T) {
	t.Parallel()
	var files mapLoader
	data, err := os.ReadFile("testdata/files.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &files))
	data, err = os.ReadFile("testdata/jinja.jsonl")
	require.NoError(t, err)
	n := 0
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); n++ {
		var c struct {
			Src, Out, Err string
			Line          int
			WithFiles     bool
			Opt           map[string]bool
		}
		require.NoError(t, json.Unmarshal(sc.Bytes(), &c))
		in := &Input{Source: c.Src, Vars: vars(t), Loader: mapLoader{}}
		if c.WithFiles {
			in.Loader = files
		}
		in.Syntax = syntax.Options{TrimBlocks: c.Opt["trim_blocks"], LstripBlocks: c.Opt["lstrip_blocks"]}
		out, failure, line := outcome(t, in)
		assert.Equal(t, c.Out, out, "%q %v", c.Src, failure)
		assert.Equal(t, c.Err, failure, "%q", c.Src)
		assert.Equal(t, c.Line, line, "%q", c.Src)
	}
	require.Greater(t, n, 1000)
}

func render(t testing.TB, src string) (string, error) {
	return Render(t.Context(), &Input{Source: src, Vars: vars(t), Cache: NewCache()})
}

func TestErrorInImportedFileNamesIt(t *testing.T) {
	t.Parallel()
	in := &Input{Source: "x\n{% from 'lib/m.jinja' import m %}\n{{ m() }}\n", Loader: mapLoader{"lib/m.jinja": "{% macro m() %}\n{{ nope }}\n{% endmacro %}\n"}}
	_, err := Render(t.Context(), in)
	assert.EqualError(t, err, "Jinja variable 'nope' is undefined\nlib/m.jinja(2):\n---\n{% macro m() %}\n{{ nope }}    <======================\n{% endmacro %}\n---")
}

func TestContextIsCut(t *testing.T) {
	t.Parallel()
	src := strings.Repeat("a\n", 8) + "{{ nope }}\n" + strings.Repeat("b\n", 8)
	_, err := render(t, src)
	assert.EqualError(t, err, "Jinja variable 'nope' is undefined; line 9\n\n---\n[...]\n"+strings.Repeat("a\n", 5)+
		"{{ nope }}    <======================\n"+strings.Repeat("b\n", 5)+"[...]\n---")
}

func TestRelativeNames(t *testing.T) {
	t.Parallel()
	in := &Input{
		Source: "{% from './map.jinja' import v %}{{ v }}{{ tpldir }}{% import '../x.jinja' as x %}{{ x }}",
		Vars:   map[string]func() any{"tpldir": func() any { return "app/sub" }},
		Loader: mapLoader{"app/sub/map.jinja": "{% set v = tplfile %}", "app/x.jinja": "X{{ tpldir }}"},
	}
	out, err := Render(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, "./map.jinjaapp/subXapp/sub", out)

	in.Source = "{% include '../../../etc/passwd' %}"
	_, err = Render(t.Context(), in)
	assert.ErrorContains(t, err, "Jinja error: ../../../etc/passwd")
}

func TestLoadingTags(t *testing.T) {
	t.Parallel()
	in := &Input{Cache: NewCache(), Loader: mapLoader{"d.yaml": "a: {{ 1 + 1 }}\nb: [x]\n", "d.json": `{"k": [1]}`, "t.txt": "plain {{ 1 }}"}}
	for src, want := range map[string]string{
		"{% load_yaml as x %}\na: {b: 0644}\n{% endload %}{{ x.a.b }}":                           "644",
		"{% load_json as x %}[1, {\"a\": null}]{% endload %}{{ x }}":                             "[1, {'a': None}]",
		"{% load_text as x %} t {{ 5 }} {% endload %}[{{ x }}]":                                  "[ t 5 ]",
		"{% import_yaml 'd.yaml' as y %}{{ y }}":                                                 "{'a': 2, 'b': ['x']}",
		"{% import_json 'd.json' as y %}{{ y.k[0] }}":                                            "1",
		"{% import_text 't.txt' as y %}{{ y }}":                                                  "plain 1",
		"{{ '{a: 1}'|load_yaml }}{{ '{\"a\": 1}'|load_json }}":                                   "{'a': 1}{'a': 1}",
		"{% profile as 'x' %}in{% set q = 1 %}{% endprofile %}{{ q }}":                           "in1",
		"{{ {'root': {'a': 1, 'b': [1, {'c': 'x<'}]}}|xml }}":                                    "<?xml version=\"1.0\" ?>\n<root a=\"1\">\n <b>1</b>\n <b c=\"x&lt;\"/>\n</root>\n",
		"{{ {'b': 1, 'a': [1]}|python }}{{ d|default({'x': {}}, true)|json }}":                   "{'a': [1], 'b': 1}{\"x\": {}}",
		"{{ ({'a': 1}|json) + '<' }}{{ ({'a': 1}|json) ~ '<' }}":                                 "{\"a\": 1}&lt;{\"a\": 1}<",
		"{{ [[1, none, [2]], 3]|flatten }}{{ ['b', 'a', 'b']|unique }}":                          "[1, 2, 3]['b', 'a']",
		"{{ {'a': {'b': [5, {'c': 6}]}}|traverse('a:b:1:c') }}{{ {'a': 1}|traverse('x', 'd') }}": "6d",
		"{{ [1, 2, 3]|json_query('[0:2]') }}{{ [{'n': 1}, {'n': 2}]|json_query('[].n') }}":       "[1, 2][1, 2]",
	} {
		in.Source = src
		out, err := Render(t.Context(), in)
		if assert.NoError(t, err, src) {
			assert.Equal(t, want, out, src)
		}
	}
	in.Source = "a\n{% load_yaml as x %}\na: [\n{% endload %}"
	_, err := Render(t.Context(), in)
	assert.ErrorContains(t, err, "Jinja syntax error: Encountered error loading yaml: while parsing a flow node")
	assert.ErrorContains(t, err, "; line 2\n")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}": "number of steps",
		"{% for a in range(90000) %}" + strings.Repeat("x", 2000) + "{% endfor %}":       "number of bytes",
		"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}":                                "maximum recursion depth exceeded",
		"{{ 'x' * 10 ** 9 }}":  "larger than",
		"{{ 2 ** (10 ** 9) }}": "larger than",
		"{{ range(10 ** 6) }}": "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).",
		"{% set l = [1] %}{% for i in range(60) %}{% do l.extend(l) %}{% endfor %}":                            "larger than",
		"{% set x = 'xxxxxxxx' %}{% for i in range(60) %}{% set ns = x %}{% endfor %}{{ '%1000000000d' % 5 }}": "larger than",
		"{{ 'a'.__class__ }}":                              "access to attribute '__class__' of 'str' object is unsafe.",
		strings.Repeat("{% if true %}", 300):               "nested deeper than",
		"{{ " + strings.Repeat("(", 300):                   "nested deeper than",
		"{% set l = [] %}{% do l.append(l) %}{{ l|json }}": "nested too deeply",
		"{% set ns = namespace(v=1) %}{% for i in range(9000) %}{% set ns.v = (ns.v,) %}{% endfor %}{{ ns.v }}":                          "maximum recursion depth exceeded",
		"{% set ns = namespace(v=1) %}{% for i in range(9000) %}{% set ns.v = (ns.v,) %}{% endfor %}{{ {ns.v: 1} }}":                     "unhashable type",
		"{% set ns = namespace(v=1) %}{% for i in range(9000) %}{% set ns.v = [ns.v] %}{% endfor %}{{ ns.v == [ns.v] }}|{{ ns.v|yaml }}": "nested too deeply",
		"{% set d = {} %}{% do d.update({'k': d.items()}) %}{{ d.items() }}":                                                             "maximum recursion depth exceeded",
		"{{ a" + strings.Repeat(".b", 5000) + " }}":                                                                                      "more than 1000 parts",
		"{{ 1" + strings.Repeat("+1", 5000) + " }}":                                                                                      "more than 1000 parts",
		"{{ 1" + strings.Repeat("|e", 5000) + " }}":                                                                                      "more than 1000 parts",
		"{{ 1" + strings.Repeat(" if 1 else 1", 5000) + " }}":                                                                            "nested deeper than",
	} {
		in := &Input{Source: src, Vars: vars(t), Limits: Limits{Steps: 300_000, Output: 1 << 20, Depth: 50}}
		_, err := Render(t.Context(), in)
		assert.ErrorContains(t, err, want, src)
	}
	in := &Input{Source: "{% include 'r' %}", Loader: mapLoader{"r": "{% include 'r' %}"}}
	_, err := Render(t.Context(), in)
	assert.ErrorContains(t, err, "maximum recursion depth exceeded")

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	in = &Input{Source: "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"}
	_, err = Render(ctx, in)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestANamespaceMayHoldItself(t *testing.T) {
	t.Parallel()
	out, err := render(t, "{% set ns = namespace(v=1) %}{% set ns.v = ns %}{{ ns }}")
	require.NoError(t, err)
	assert.Equal(t, "<Namespace {'v': <Namespace {...}>}>", out)
}

func TestChangesStayInTheRender(t *testing.T) {
	t.Parallel()
	data := ordered.Pairs("a", 1)
	in := &Input{Source: "{% do g.update({'b': 2}) %}{{ g }}", Vars: map[string]func() any{"g": func() any { return data }}}
	for range 2 {
		out, err := Render(t.Context(), in)
		require.NoError(t, err)
		assert.Equal(t, "{'a': 1, 'b': 2}", out)
	}
	assert.Equal(t, 1, data.Len())
}

func FuzzRender(f *testing.F) {
	for _, s := range []string{
		"{% for i in l %}{{ loop.index }}{% else %}x{% endfor %}", "{{ '%5.2f|%s' % (f, s) }}{{ '{:>5}'.format(n) }}",
		"{% macro m(a, b=1) %}{{ varargs }}{% endmacro %}{{ m(1, 2, 3) }}", "{%- set a, b = d.items()|first -%}{{ a ~ b }}{# c #}",
		"{% call(x) m() %}{% endcall %}{% raw %}{{{% endraw %}", "{{ users|groupby('age')|map('last')|list|tojson }}", "{{ d.b[::-1][0:2] }}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		in := &Input{Source: src, Vars: vars(t), Limits: Limits{Steps: 20_000, Output: 1 << 16, Depth: 20}}
		_, err := Render(t.Context(), in)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%q: %T %v", src, err, err)
		}
	})
}

// formula is a template of about 400 lines, as big formulas have them.
func formula() string {
	var b strings.Builder
	b.WriteString("{%- set base = {'pkgs': [], 'port': 80} %}\n")
	for i := range 40 {
		fmt.Fprintf(&b, `{%%- set name = 'app%d' %%}
{%%- if users|length > 2 and d.get('a') == 1 %%}
{{ name }}-conf:
  file.managed:
    - name: /etc/{{ name }}/{{ s|lower|replace(' ', '_') }}.conf
    - mode: '0644'
    {%%- for u in users if u.age > 20 %%}
    - user_{{ loop.index }}: {{ u.name|yaml_dquote }}
    {%%- endfor %%}
{%%- endif %%}
`, i)
	}
	return b.String()
}

func BenchmarkParseAndRender(b *testing.B) {
	src := formula()
	b.Logf("%d lines", strings.Count(src, "\n"))
	for b.Loop() {
		if _, err := Render(b.Context(), &Input{Source: src, Vars: vars(b)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRenderCached(b *testing.B) {
	src, cache := formula(), NewCache()
	for b.Loop() {
		if _, err := Render(b.Context(), &Input{Source: src, Vars: vars(b), Cache: cache}); err != nil {
			b.Fatal(err)
		}
	}
}
