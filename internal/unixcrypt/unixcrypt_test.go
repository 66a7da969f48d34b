package unixcrypt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first hash of each kind is of the specification, the others are what the C library makes.
func TestHash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ password, salt, algorithm, want string }{
		{"Hello world!", "saltstring", "sha512", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
		{"Hello world!", "rounds=10000$saltstringsaltstring", "sha512", "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."},
		{"", "x", "sha512", "$6$x$QSmr1Bx2g4O6BzKvdkgOcyU6H91X6I/XBv5pSalMhSPkwdH6Beo3F455xZJg0v//bxVK5F4OE5k1.0xuR26MK0"},
		{strings.Repeat("a", 200), "abc", "sha512", "$6$abc$ilkzlMDvJ8/NzivkOlZrDrH2vdRvxxhqQ5RM4V17XxVLAAagiKQ.PRicM675hU60ynnQWZOxK/C5Fjy7bZZLw/"},
		{"Hello world!", "saltstring", "sha256", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
		{"pässword", "rounds=1400$anotherlongsaltstring", "sha256", "$5$rounds=1400$anotherlongsalts$GDB5jowbz4wnn8yBVliwbO2ixXImnaoQlLnifMICHd7"},
		{"MyP@asswd", "My5alT", "md5", "$1$My5alT$M78H4MnI3FEp6gxUIuOHR."},
		{"", "x", "md5", "$1$x$fwjfZtMwarkdetsjiQreU1"},
		{strings.Repeat("a", 40), "12345678", "md5", "$1$12345678$beiWYJUUHF.ZVo9A4ag9w0"},
	} {
		got, err := Hash(c.password, c.salt, c.algorithm)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
		assert.True(t, Verify(c.password, got))
		assert.False(t, Verify(c.password+"x", got))
	}
	_, err := Hash("x", "y", "des")
	assert.ErrorIs(t, err, ErrAlgorithm)
	_, err = Hash("x", "a:b", "sha512")
	assert.ErrorIs(t, err, ErrSalt)
	assert.False(t, Verify("x", "x"))
	made, err := Hash("x", "", "sha512")
	require.NoError(t, err)
	assert.True(t, Verify("x", made))
}
