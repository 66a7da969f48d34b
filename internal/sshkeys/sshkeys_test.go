package sshkeys

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	text := "# ssh-rsa AAAA off\nno-pty,command=\"a,b\" ssh-rsa AAAB me and you\nssh-ed25519 AAAC\njunk\n"
	assert.Equal(t, []Key{{"ssh-rsa", "AAAB", "me and you", []string{"no-pty", `command="a,b"`}}, {"ssh-ed25519", "AAAC", "", nil}}, Parse(text))
	assert.Equal(t, "# ssh-rsa AAAA off\nssh-ed25519 AAAC\njunk\n", Remove(text, "AAAB"))
	assert.Equal(t, "# ssh-rsa AAAA off\nssh-rsa AAAB x\nssh-ed25519 AAAC\njunk\n", Replace(text, Key{Enc: "ssh-rsa", Key: "AAAB", Comment: "x"}))
	assert.Equal(t, "69:3e:9a:f8:4d:3d:fc:c7:1e:64:0e:00:5b:dc:5e:2e", Fingerprint("AAAA", "md5"))
	assert.Empty(t, Fingerprint("no key!", "md5"))
	k, ok := Kind("e")
	assert.True(t, ok)
	assert.Equal(t, "ecdsa-sha2-nistp256", k)
	_, ok = Kind("zz")
	assert.False(t, ok)
}

func FuzzParse(f *testing.F) {
	f.Add("a,\"b,c\" ssh-rsa AAAA x\n")
	f.Fuzz(func(_ *testing.T, text string) {
		for _, k := range Parse(text) {
			Replace(Remove(text, k.Key), k)
		}
	})
}
