package pyyaml

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"brine/internal/ordered"
	"brine/internal/pyfmt"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// golden yields the lines of a file of recorded cases, each one JSON object.
func golden(t *testing.T, file string, each func(line []byte)) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 1<<20)
	n := 0
	for sc.Scan() {
		each(sc.Bytes())
		n++
	}
	require.Greater(t, n, 100)
}

// typed marks every number and map in v, so that 1 and 1.0 differ and the order of keys counts.
func typed(v any) any {
	switch t := v.(type) {
	case *ordered.Map:
		pairs := []any{}
		for k, x := range t.All() {
			pairs = append(pairs, []any{typed(k), typed(x)})
		}
		return map[string]any{"d": pairs}
	case []any:
		out := []any{}
		for _, x := range t {
			out = append(out, typed(x))
		}
		return out
	case float64:
		return map[string]any{"f": pyfmt.Float(t)}
	case int64, *big.Int:
		return map[string]any{"i": fmt.Sprint(t)}
	case []byte:
		return map[string]any{"b": hex.EncodeToString(t)}
	}
	return v
}

// TestLoadAsPyYAML compares values and error texts with those that PyYAML 6 with libyaml 0.2.5 and Salt's loader gave
// for the same documents.
func TestLoadAsPyYAML(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/load.jsonl", func(line []byte) {
		var c struct {
			S    string
			V    any
			E, K string
		}
		require.NoError(t, json.Unmarshal(line, &c))
		v, err := Load([]byte(c.S), Options{})
		if c.K != "" {
			var e *Error
			if assert.ErrorAs(t, err, &e, "%q", c.S) {
				assert.Equal(t, c.K+": "+c.E, string(e.Stage)+": "+e.Error(), "%q", c.S)
			}
			return
		}
		if assert.NoError(t, err, "%q", c.S) {
			assert.Equal(t, c.V, typed(v), "%q", c.S)
		}
	})
}

// unmark turns keys written as \x01 and digits back into numbers, which JSON cannot have as keys.
func unmark(v any) any {
	switch t := v.(type) {
	case []any:
		for i := range t {
			t[i] = unmark(t[i])
		}
	case *ordered.Map:
		out := ordered.New(t.Len())
		for k, x := range t.All() {
			if digits, ok := strings.CutPrefix(k.(string), "\x01"); ok {
				n, _ := strconv.ParseInt(digits, 10, 64)
				k = n
			}
			out.Set(k, unmark(x))
		}
		return out
	}
	return v
}

// TestDumpAsPyYAML compares with what yaml.dump(v, Dumper=CSafeDumper) wrote.
func TestDumpAsPyYAML(t *testing.T) {
	t.Parallel()
	options := map[string]DumpOptions{
		"none": {}, "block": {DefaultFlowStyle: Block()}, "flow": {DefaultFlowStyle: Flow()},
		"b4": {DefaultFlowStyle: Block(), Indent: 4}, "w40": {Width: 40},
		"asc": {DefaultFlowStyle: Block(), EscapeUnicode: true, KeepOrder: true},
	}
	golden(t, "testdata/dump.jsonl", func(line []byte) {
		var c struct{ V, O, W string }
		require.NoError(t, json.Unmarshal(line, &c))
		v, err := ordered.FromJSON([]byte(c.V))
		require.NoError(t, err)
		o := options[c.O]
		o.NoAliases = true
		assert.Equal(t, c.W, Dump(unmark(v), o), "%s %s", c.O, c.V)
	})
}

func TestDumpOtherKinds(t *testing.T) {
	t.Parallel()
	shared := []any{int64(1)}
	block := DumpOptions{DefaultFlowStyle: Block()}
	for _, c := range []struct {
		v    any
		o    DumpOptions
		want string
	}{
		{[]byte("hello"), DumpOptions{}, "!!binary |\n  aGVsbG8=\n"},
		{ordered.Pairs("a", []byte{0, 1}), DumpOptions{}, "a: !!binary |\n  AAE=\n"},
		{ordered.Pairs("a", shared, "b", shared), DumpOptions{}, "a: &id001 [1]\nb: *id001\n"},
		{[]any{math.NaN(), math.Inf(1), math.Inf(-1), 1e17}, block, "- .nan\n- .inf\n- -.inf\n- 1.0e+17\n"},
		{ordered.Pairs(true, "c", 1.5, "b"), block, "true: c\n1.5: b\n"},
		{ordered.Pairs("b", 1, 2, "x", "a", 3), block, "b: 1\n2: x\na: 3\n"},
		{"a", DumpOptions{ExplicitStart: true, ExplicitEnd: true, DefaultStyle: '"'}, "--- \"a\"\n...\n"},
		{ordered.Pairs("a", 1, "b", []any{nil, "x"}), DumpOptions{DefaultStyle: '"'}, "\"a\": ! \"1\"\n\"b\":\n- ! \"null\"\n- \"x\"\n"},
		{"a\n\n", DumpOptions{DefaultStyle: '|'}, "|+\n  a\n\n...\n"},
	} {
		assert.Equal(t, c.want, Dump(c.v, c.o))
	}
}

func TestLoadSharesAliases(t *testing.T) {
	t.Parallel()
	v, err := Load([]byte("a: &x {k: [1]}\nb: *x\n"), Options{})
	require.NoError(t, err)
	m := v.(*ordered.Map)
	assert.Same(t, m.Map("a"), m.Map("b"))
}

func TestLoadBounds(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for about, c := range map[string]struct {
		src, want string
		o         Options
	}{
		"bomb":  {src: bomb, want: "once its aliases are written out"},
		"deep":  {src: strings.Repeat("[", 1000), want: "nested deeper than 200 levels"},
		"large": {src: strings.Repeat("x", 100), o: Options{MaxBytes: 50}, want: "the document has 100 bytes, the limit is 50"},
		"loop":  {src: "a: &a\n  b: *a\n", want: "found unconstructable recursive node"},
		"utf8":  {src: "a: \xff", want: "can't decode byte 0xff in position 3"},
	} {
		_, err := Load([]byte(c.src), c.o)
		assert.ErrorContains(t, err, c.want, about)
	}
}

func TestLoadMapKnowsLines(t *testing.T) {
	t.Parallel()
	m, lines, err := LoadMap([]byte("# top\nmaster: a\nroots:\n  base:\n    - /srv\n    - /two\n"), Options{})
	require.NoError(t, err)
	assert.Equal(t, "a", m.String("master"))
	assert.Equal(t, 2, lines.Of("master"))
	assert.Equal(t, 4, lines.Of("roots", "base"))
	assert.Equal(t, 6, lines.Of("roots", "base", 1))
	assert.Equal(t, 0, lines.Of("absent"))

	m, _, err = LoadMap([]byte("# nothing\n"), Options{})
	require.NoError(t, err)
	assert.Equal(t, 0, m.Len())
	_, _, err = LoadMap([]byte("- a\n"), Options{})
	assert.ErrorContains(t, err, "not a map")
}

// job generates job data that YAML can carry.
func job(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.StringMatching(`[ -~\n\t'":#-]{0,90}`), func(s string) any { return s }),
		rapid.Map(rapid.String(), func(s string) any { return strings.ToValidUTF8(s, "") }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
	)
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(job(depth-1), 0, 4), func(l []any) any { return append([]any{}, l...) }),
		rapid.Custom(func(t *rapid.T) any {
			m := ordered.New(0)
			for _, k := range rapid.SliceOfN(rapid.StringMatching(`[ -~]{0,20}`), 0, 4).Draw(t, "keys") {
				m.Set(k, job(depth-1).Draw(t, "value"))
			}
			return m
		}))
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := job(3).Draw(t, "v")
		o := DumpOptions{KeepOrder: true, NoAliases: true, Indent: rapid.IntRange(2, 9).Draw(t, "indent"), EscapeUnicode: rapid.Bool().Draw(t, "ascii")}
		switch rapid.IntRange(0, 2).Draw(t, "style") {
		case 0:
			o.DefaultFlowStyle = Block()
		case 1:
			o.DefaultFlowStyle = Flow()
		}
		text := Dump(v, o)
		back, err := Load([]byte(text), Options{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !ordered.Equal(v, back) {
			t.Fatalf("%q reads back as %s, was %s", text, pyfmt.Repr(back), pyfmt.Repr(v))
		}
	})
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{"a: [1, {b: c}]\n", "? [a]\n: &x |2-\n  b\n", "'a\n\n b': \"\\u00e9\\\n x\"\n", "%TAG ! x\n--- !y\n", "- - a\n  -\n<<: *b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Load([]byte(s), Options{MaxBytes: 1 << 16, MaxNodes: 10000})
		if err != nil {
			return
		}
		if _, err := Load([]byte(Dump(v, DumpOptions{})), Options{}); err != nil {
			t.Fatalf("%q dumps to %q: %v", s, Dump(v, DumpOptions{}), err)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	var src strings.Builder
	for i := range 500 {
		fmt.Fprintf(&src, "state-%d:\n  file.managed:\n    - name: /etc/app/%d.conf\n    - mode: '0644'\n", i, i)
	}
	for b.Loop() {
		if _, err := Load([]byte(src.String()), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
