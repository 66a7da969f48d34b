package output

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

var (
	repeated = regexp.MustCompile(` ms( ms)+`)
	number3  = regexp.MustCompile(`^([0-9.]+)( ms)*$`)
)

// TestAsSalt compares every layout of recorded data with what Salt prints. The recording appended " ms" to the durations
// in the data each time that it printed a highstate; both sides are freed of that.
func TestAsSalt(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("testdata/outputs.json")
	require.NoError(t, err)
	v, err := ordered.FromJSON(src)
	require.NoError(t, err)
	for _, c := range v.([]any) {
		one := c.(*ordered.Map)
		for k, want := range one.Map("out").All() {
			name, mode, _ := strings.Cut(k.(string), ":")
			t.Run(one.String("name")+"/"+k.(string), func(t *testing.T) {
				t.Parallel()
				o := Options{State: StateOptions{Output: mode}}
				if mode == "nonverbose" {
					o.State = StateOptions{Quiet: true}
				}
				data := plain(one.Value("data"), name == "highstate", name == "highstate" && mode == "")
				if strings.Contains(want.(string), "&id001") {
					data = shared(data, map[string]any{}) // as it was when it was recorded
				}
				got := Text(name, data, o)
				assert.Equal(t, repeated.ReplaceAllString(want.(string), " ms"), got)
			})
		}
	}
}

// plain takes the recording's extra units from the durations; with numbers, they are numbers as Salt 3006 has them.
func plain(v any, numbers, first bool) any {
	switch t := v.(type) {
	case *ordered.Map:
		out := ordered.New(t.Len())
		if first && t.Has("start_time") && t.Value("start_time") == "" { // added by the first printing
			t = t.Clone()
			t.Delete("start_time")
			t.Delete("duration")
		}
		for k, e := range t.All() {
			if s, ok := e.(string); ok && k == "duration" && number3.MatchString(s) {
				f, _ := strconv.ParseFloat(number3.FindStringSubmatch(s)[1], 64)
				if numbers {
					out.Set(k, f)
				} else {
					out.Set(k, strings.Split(s, " ")[0]+" ms")
				}
				continue
			}
			out.Set(k, plain(e, numbers, first))
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = plain(t[i], numbers, first)
		}
		return out
	}
	return v
}

// shared makes equal results of states one object.
func shared(v any, seen map[string]any) any {
	m, ok := v.(*ordered.Map)
	if !ok {
		return v
	}
	out := ordered.New(m.Len())
	for k, e := range m.All() {
		out.Set(k, shared(e, seen))
	}
	if !m.Has("__run_num__") {
		return out
	}
	key := pyfmt.Repr(out)
	if seen[key] == nil {
		seen[key] = out
	}
	return seen[key]
}

func TestUntrustedText(t *testing.T) {
	t.Parallel()
	evil := ordered.Pairs("m1", "\x1b]0;title\x07 \u009b2J", "m\x1b2", ordered.Pairs("k\x1b", "v"))
	for _, name := range Names() {
		got := Text(name, evil, Options{})
		assert.NotContains(t, got, "\x1b", name)
		assert.NotContains(t, got, "\u009b", name)
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	got := Text("nested", ordered.Pairs("m1", ordered.Pairs("a", int64(1), "b", "x")), Options{Color: true})
	assert.Equal(t, "\x1b[0;36mm1:\x1b[0;0m\n    \x1b[0;36m----------\x1b[0;0m\n    \x1b[0;36ma:\x1b[0;0m\n        \x1b[0;1;33m1\x1b[0;0m\n"+
		"    \x1b[0;36mb:\x1b[0;0m\n        \x1b[0;32mx\x1b[0;0m", got)
	got = Text("nested", ordered.Pairs("m1", "x"), Options{Color: true, Retcodes: map[string]int{"m1": 1}})
	assert.Equal(t, "\x1b[0;31mm1:\x1b[0;0m\n    \x1b[0;32mx\x1b[0;0m", got)
}

// TestMore compares layouts that the recording has none of with what Salt's documentation shows.
func TestMore(t *testing.T) {
	t.Parallel()
	rows := ordered.Pairs("web1", []any{ordered.Pairs("a", int64(1), "b", "x"), ordered.Pairs("a", int64(22), "b", "yy")})
	box := `web1:
----------
    -----------
    | A  | B  |
    -----------
    | 1  | x  |
    -----------
    | 22 | yy |
    -----------`
	assert.Equal(t, box, Text("table", rows, Options{}))
	assert.Equal(t, "True\nx", Text("newline_values_only", ordered.Pairs("a", true, "b", []any{"x"}), Options{}))
	one := -1
	assert.Equal(t, `{"a": [1]}`, Text("json", ordered.Pairs("a", []any{int64(1)}), Options{Indent: &one}))
	assert.Equal(t, "a\n", Text("nested", "a\n\n", Options{})[:1]+"\n")
	long := ordered.Pairs("m1", strings.Repeat("word ", 30))
	for _, line := range strings.Split(Text("pprint", long, Options{}), "\n") {
		assert.LessOrEqual(t, len(line), 80)
	}
}
