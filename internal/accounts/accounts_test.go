package accounts

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParse(t *testing.T) {
	t.Parallel()
	u, ok := ParseUser("ann:x:1000:1001:Ann,1,2,3:/home/ann:/bin/sh")
	assert.True(t, ok)
	assert.Equal(t, User{"ann", "x", 1000, 1001, "Ann,1,2,3", "/home/ann", "/bin/sh"}, u)
	g, ok := ParseGroup("staff:x:50:ann,bob,")
	assert.True(t, ok)
	assert.Equal(t, []string{"ann", "bob"}, g.Members)
	s, ok := ParseShadow("ann:$6$x:19000:0:99999:7:::")
	assert.True(t, ok)
	assert.Equal(t, Shadow{"ann", "$6$x", 19000, 0, 99999, 7, -1, -1}, s)
	groups := []Group{{Name: "z", GID: 1001}, {Name: "a", GID: 5, Members: []string{"ann"}}, {Name: "b", GID: 6}}
	assert.Equal(t, []string{"a", "z"}, GroupsOf(u, groups))
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a:b:c", "root:x:0:0:r:/root:/bin/sh", "g:x:1:a,b", "r:*:1:2:3:4:5:6:", "+::::::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if u, ok := ParseUser(line); ok {
			assert.True(t, u.Name != "" && u.UID >= 0 && u.GID >= 0)
		}
		if g, ok := ParseGroup(line); ok {
			assert.NotContains(t, g.Members, "")
		}
		if s, ok := ParseShadow(line); ok {
			assert.NotEmpty(t, s.Name)
		}
	})
}
