package saltargs

import (
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// TestAgainstSalt runs the argument vectors that Salt 3006 was measured with.
func TestAgainstSalt(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/cli-args.json")
	require.NoError(t, err)
	doc, err := ordered.FromJSON(src)
	require.NoError(t, err)
	cases := doc.([]any)
	require.Greater(t, len(cases), 60)
	for _, c := range cases {
		m := c.(*ordered.Map)
		var argv []string
		for _, a := range m.List("argv") {
			argv = append(argv, a.(string))
		}
		pos, kw := Parse(argv)
		want := m.List("parsed")
		assert.Equal(t, pyfmt.Repr(want[0]), pyfmt.Repr(pos), "%q", argv)
		assert.Equal(t, pyfmt.Repr(want[1]), pyfmt.Repr(kw), "%q", argv)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1": "1", "+1": "1", "-1": "-1", "1.5": "1.5", ".5": "0.5", "1.": "1.0", "1e3": "'1e3'", "1E5": "'1E5'", "1.0e3": "'1.0e3'", "1.0e+3": "1000.0", ".inf": "inf",
		"012": "12", "08": "'08'", "00": "0", "0o17": "'0o17'", "0x1F": "31", "0b11": "3", "1,000": "'1,000'", "1.2.3": "'1.2.3'", "12:30": "750", "1:2:3": "3723",
		"TRUE": "True", "on": "True", "off": "False", "y": "'y'", "n": "'n'", "NULL": "None", "'1'": "'1'", `"2"`: "'2'", "[a, 1]": "['a', 1]", "{'a': [1, 2]}": "{'a': [1, 2]}",
		"[a: 1]": "[{'a': 1}]", "[1": "'[1'", "{a": "'{a'", "[1, 2]x": "'[1, 2]x'", "- x": "'- x'", "-x": "'-x'", "[1] # x": "[1]", "'it''s'": `"it's"`, `"a" b`: `'"a" b'`,
		"!!str 5": "'5'", ">": "'>'", "*a": "'*a'", "@f": "'@f'", "%": "'%'", "!": "'!'", `C:\dir`: `'C:\\dir'`, "20261123084020367392": "20261123084020367392", "---": "'---'",
		"#c": "'#c'", " ": "' '", "a\tb": `'a\tb'`,
	} {
		assert.Equal(t, want, pyfmt.Repr(Value(text)), "%q", text)
	}
	assert.True(t, math.IsNaN(Value(".nan").(float64)))
	pos, kw := Parse([]string{"20261123084020367392", "202611230840203673921", "jid=20261123084020367392", "1é=2", "é=1", "a=", "k==v", "x=1\n", "n=5"}, "n")
	assert.Equal(t, "['20261123084020367392', 202611230840203673921, '1é=2', 'k==v']", pyfmt.Repr(pos))
	assert.Equal(t, "{'jid': 20261123084020367392, 'é': 1, 'a': '', 'x': 1, 'n': '5'}", pyfmt.Repr(kw))
}

func TestJobArguments(t *testing.T) {
	t.Parallel()
	pos, kw := FromJob([]any{"1", "a=2", ordered.Pairs("x", 1), ordered.Pairs("__kwarg__", true, "b", "c=d")})
	assert.Equal(t, "['1', {'x': 1}]", pyfmt.Repr(pos))
	assert.Equal(t, "{'a': 2, 'b': 'c=d'}", pyfmt.Repr(kw))
	assert.Equal(t, "[1, {'a': 2, '__kwarg__': True}]", pyfmt.Repr(ToJob([]any{1}, ordered.Pairs("a", 2))))
}

func FuzzValue(f *testing.F) {
	f.Add("[a, {b: 1}]")
	f.Fuzz(func(_ *testing.T, text string) { Parse([]string{text}) })
}
