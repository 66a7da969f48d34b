package shlex

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		``: nil, ` a  b `: {"a", "b"}, `a'b c'd`: {"ab cd"}, `"a\"b\\c\d" ''`: {`a"b\c\d`, ""}, `a\ b`: {"a b"}, `'a\'`: {`a\`}, "a\nb#c": {"a", "b#c"},
	} {
		got, err := Split(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, got, in)
	}
	for in, want := range map[string]error{`a'b`: ErrNoClosingQuote, `a\`: ErrNoEscaped, `"a\`: ErrNoEscaped} {
		_, err := Split(in)
		assert.ErrorIs(t, err, want, in)
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("it's a \"test\" \\ $x")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Split(Quote(s))
		require.NoError(t, err)
		assert.Equal(t, []string{s}, got)
	})
}
