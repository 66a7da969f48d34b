package difflib

import (
	_ "embed"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"brine/internal/pytext"
)

// recorded holds pairs of texts and the diff that Python 3.11 made of them.
//
//go:embed testdata/python.json
var recorded []byte

func TestUnifiedEqualsPython(t *testing.T) {
	t.Parallel()
	var cases []struct{ A, B, Want string }
	require.NoError(t, json.Unmarshal(recorded, &cases))
	require.NotEmpty(t, cases)
	for _, c := range cases {
		got := Unified(pytext.Splitlines(c.A, true), pytext.Splitlines(c.B, true), "f", "t")
		assert.Equal(t, c.Want, got, "a:\n%s\nb:\n%s", c.A, c.B)
	}
}

func TestUnifiedAnyLines(t *testing.T) {
	t.Parallel()
	line := rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "\n"})
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOfN(line, 0, 30).Draw(t, "a"), rapid.SliceOfN(line, 0, 30).Draw(t, "b")
		same := strings.Join(a, "") == strings.Join(b, "")
		assert.Equal(t, same, Unified(a, b, "", "") == "")
		var i, j int
		for _, op := range opcodes(a, b) {
			assert.Equal(t, []int{i, j}, []int{op.a0, op.b0}, "opcodes cover both texts without gaps")
			if op.equal {
				assert.Equal(t, a[op.a0:op.a1], b[op.b0:op.b1])
			}
			i, j = op.a1, op.b1
		}
		assert.Equal(t, []int{len(a), len(b)}, []int{i, j})
	})
}
