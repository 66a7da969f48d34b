package inifile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func TestFile(t *testing.T) {
	t.Parallel()
	f, err := Parse("; first\ntop=1\n\n[main]\n# b = 7\na = 1\n  more\nodd\n[other]\nb = 2\n", Style{})
	require.NoError(t, err)
	assert.Equal(t, `{'top': '1', 'main': {'a': '1\n  more'}, 'other': {'b': '2'}}`, pyfmt.Repr(f.Data()))
	changes, err := f.Update(ordered.Pairs("main", ordered.Pairs("b", 3, "c", true), "top", 1, "new", ordered.Pairs("x", "y")))
	require.NoError(t, err)
	assert.Equal(t, `{'main': {'b': {'before': None, 'after': '3'}, 'c': {'before': None, 'after': 'True'}}, 'new': {'before': None, 'after': {'x': 'y'}}}`, pyfmt.Repr(changes))
	assert.Equal(t, "2", f.Remove("other", "b"))
	assert.Nil(t, f.Remove("other", "b"))
	assert.Equal(t, "; first\ntop = 1\n\n[main]\nb = 3\na = 1\n  more\nodd\nc = True\n\n[other]\n\n[new]\nx = y\n", f.Text())
	assert.Equal(t, "{'x': 'y'}", pyfmt.Repr(f.RemoveSection("new")))
	assert.Nil(t, f.RemoveSection("new"))
}

func FuzzParse(f *testing.F) {
	f.Add("[a]\nb = c\n", ":")
	f.Add("# x\n[[]]\n=\n", "=")
	f.Fuzz(func(t *testing.T, text, sep string) {
		p, err := Parse(text, Style{Separator: sep})
		if err != nil {
			return
		}
		again, err := Parse(p.Text(), Style{Separator: sep})
		require.NoError(t, err)
		_ = again.Text()
	})
}
