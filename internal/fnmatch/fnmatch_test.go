package fnmatch

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"*", "a/b", true}, {"web*", "web1", true}, {"web*", "db1", false}, {"w?b", "web", true},
		{"[mn]1", "m1", true}, {"[!m]1", "m1", false}, {"[!m]1", "n1", true}, {"M1", "m1", false}, {"", "m1", false}, {"", "", true},
		{"{a,b}", "a", false}, {"{a,b}", "{a,b}", true}, {"[a", "[a", true}, {"a.c", "abc", false}, {"[a-c]x", "bx", true}, {"[c-a]x", "bx", false},
		{"[]]", "]", true}, {"[!]]", "a", true}, {"[!]]", "]", false}, {"a*c", "abbc", true}, {"a*c", "abb", false}, {"[\\]", "\\", true},
		{"*\n", "a\n", true}, {"é*", "été", true},
	} {
		assert.Equal(t, c.want, Match(c.pattern, c.name), "%q %q", c.pattern, c.name)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("web[1-3]*", "web2")
	f.Fuzz(func(_ *testing.T, pattern, name string) { Match(pattern, name) })
}
