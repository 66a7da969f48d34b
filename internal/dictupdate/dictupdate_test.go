package dictupdate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func parse(t *testing.T, text string) *ordered.Map {
	t.Helper()
	v, err := ordered.FromJSON([]byte(text))
	require.NoError(t, err)
	m, ok := v.(*ordered.Map)
	require.True(t, ok)
	return m
}

func TestMerge(t *testing.T) {
	t.Parallel()
	const a, b = `{"x":{"p":1,"q":[1,2]},"l":["a"],"only":0}`, `{"x":{"q":[2,3],"r":4},"l":["a","b"],"new":5}`
	for _, c := range []struct {
		name, want string
		o          Options
	}{
		{"smart", `{"x":{"p":1,"q":[2,3],"r":4},"l":["a","b"],"only":0,"new":5}`, Options{Strategy: "smart", Renderer: "jinja|yaml"}},
		{"recurse with lists", `{"x":{"p":1,"q":[1,2,3],"r":4},"l":["a","b"],"only":0,"new":5}`, Options{Strategy: "recurse", MergeLists: true}},
		{"unknown is recurse", `{"x":{"p":1,"q":[2,3],"r":4},"l":["a","b"],"only":0,"new":5}`, Options{Strategy: "what"}},
		{"overwrite", `{"x":{"q":[2,3],"r":4},"l":["a","b"],"only":0,"new":5}`, Options{Strategy: "overwrite"}},
		{"list", `{"x":[{"p":1,"q":[1,2]},{"q":[2,3],"r":4}],"l":[["a"],["a","b"]],"only":0}`, Options{Strategy: "list"}},
		{"aggregate", `{"x":{"q":[2,3],"r":4},"l":["a","b"],"only":0,"new":5}`, Options{Strategy: "aggregate"}},
		{"smart yamlex", `{"x":{"q":[2,3],"r":4},"l":["a","b"],"only":0,"new":5}`, Options{Strategy: "smart", Renderer: "jinja|yamlex"}},
	} {
		left, right := parse(t, a), parse(t, b)
		got := Merge(left, right, c.o)
		assert.Equal(t, pyfmt.Repr(parse(t, c.want)), pyfmt.Repr(got), c.name)
		assert.Equal(t, pyfmt.Repr(parse(t, a)), pyfmt.Repr(left), "%s must not change its input", c.name)
		assert.Equal(t, pyfmt.Repr(parse(t, b)), pyfmt.Repr(right), "%s must not change its input", c.name)
	}
}

func TestUpdateChangesInPlace(t *testing.T) {
	t.Parallel()
	dest := parse(t, `{"a":{"b":1}}`)
	inner := dest.Map("a")
	Update(dest, parse(t, `{"a":{"c":2},"d":null}`), false)
	assert.Equal(t, int64(2), inner.Value("c"))
	assert.True(t, dest.Has("d"))
}
