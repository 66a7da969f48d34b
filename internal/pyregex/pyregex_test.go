package pyregex

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type goldenCase struct {
	Pattern string `json:"p"`
	Flags   int    `json:"f"`
	Text    string `json:"t"`
	Repl    string `json:"r"`
	Count   int    `json:"c"`
	Err     string `json:"e"`
	SubErr  string `json:"sube"`

	Search, Match, Full, All, Split, Sub json.RawMessage
}

func asJSON(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func spanAndGroups(t *testing.T, m *Match, err error) string {
	require.NoError(t, err)
	if m == nil {
		return "null"
	}
	start, end := m.Span(0)
	return asJSON(t, []any{[]int{start, end}, m.Captured()})
}

// TestAsPython compares with what CPython's re answered; spans are in bytes.
func TestAsPython(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/re.jsonl")
	require.NoError(t, err)
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		var c goldenCase
		require.NoError(t, json.Unmarshal(sc.Bytes(), &c))
		checkGolden(t, &c)
	}
}

func checkGolden(t *testing.T, c *goldenCase) {
	var flags Flags
	for python, ours := range map[int]Flags{2: IgnoreCase, 8: Multiline, 16: DotAll} {
		if c.Flags&python != 0 {
			flags |= ours
		}
	}
	about := asJSON(t, c)
	re, err := Compile(c.Pattern, flags)
	if c.Err != "" {
		assert.EqualError(t, err, c.Err, about)
		return
	}
	if !assert.NoError(t, err, about) {
		return
	}
	m, err := re.Search(c.Text)
	assert.JSONEq(t, string(c.Search), spanAndGroups(t, m, err), about)
	m, err = re.Match(c.Text)
	assert.JSONEq(t, string(c.Match), spanAndGroups(t, m, err), about)
	m, err = re.FullMatch(c.Text)
	assert.JSONEq(t, string(c.Full), spanAndGroups(t, m, err), about)
	all, err := re.FindAll(c.Text)
	require.NoError(t, err)
	assert.JSONEq(t, string(c.All), asJSON(t, all), about)
	pieces, err := re.Split(c.Text, c.Count)
	require.NoError(t, err)
	assert.JSONEq(t, string(c.Split), asJSON(t, pieces), about)
	out, n, err := re.Sub(c.Repl, c.Text, c.Count)
	if c.SubErr != "" {
		assert.ErrorContains(t, err, strings.Trim(c.SubErr, `"`), about)
		return
	}
	require.NoError(t, err, about)
	assert.JSONEq(t, string(c.Sub), asJSON(t, []any{out, n}), about)
}

func TestNamedGroupsKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	re, err := Compile(`(?P<key>\w+)(=)(?P<val>.*)`, 0)
	require.NoError(t, err)
	m, err := re.Match("a=b")
	require.NoError(t, err)
	assert.Equal(t, []any{"a", "=", "b"}, m.Captured())
	assert.Equal(t, map[string]int{"key": 1, "val": 3}, re.Names())
	out, n, err := re.Sub(`\g<val>\2\1`, "k=v", 0)
	require.NoError(t, err)
	assert.Equal(t, "v=k", out)
	assert.Equal(t, 1, n)
}

func TestRunawayPatternEnds(t *testing.T) {
	t.Parallel()
	re, err := Compile(`^(?=(a+)+$)(a+)+$`, 0)
	require.NoError(t, err)
	begun := time.Now()
	_, err = re.Search(strings.Repeat("a", 40) + "b")
	assert.ErrorIs(t, err, ErrTimeout)
	assert.Less(t, time.Since(begun), 5*Timeout)
}

func TestEscape(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `https://example\.com\?a=b\ \-\ \#c_é`, Escape("https://example.com?a=b - #c_é"))
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`(?P<a>x)(?P=a)`, `[^\]a-z\w]{2,}?`, `(?(1)a|b)`, `(?i)\d+$`, `\x41\u00e9\0`, `(?<!a)b|c`} {
		f.Add(s, "ab 12\n")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(text) || len(pattern) > 60 || len(text) > 60 {
			return
		}
		re, err := Compile(pattern, 0)
		if err != nil {
			return
		}
		if m, err := re.FullMatch(text); err == nil && m != nil && m.Text() != text {
			t.Fatalf("%q matches %q as a whole, but only %q of it", pattern, text, m.Text())
		}
		pieces, err := re.Split(text, 0)
		if err == nil && re.Groups() == 0 && len(pieces) == 1 && pieces[0] != text {
			t.Fatalf("%q cuts nothing off %q and leaves %q", pattern, text, pieces[0])
		}
	})
}
