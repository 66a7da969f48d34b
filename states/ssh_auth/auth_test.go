package ssh_auth_test

import (
	"os"
	"os/user"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pyfmt"
	"brine/modules/cmd"
	"brine/modules/cp"
	"brine/modules/moduletest"
	"brine/modules/ssh"
	"brine/states/ssh_auth"
	"brine/states/ssh_known_hosts"
)

const key = "AAAAB3NzaC1yc2EAAAADAQABAAAAgQ=="

func bench(t *testing.T) (b *moduletest.Bench, me, config string) {
	b = moduletest.New(t, ssh.Module(), cmd.Module(), cp.Module(nil))
	u, err := user.Current()
	require.NoError(t, err)
	return b, u.Username, b.Work(".ssh/keys")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	b, me, config := bench(t)
	s := ssh_auth.State()
	r := b.DryAndTwice(s, "present", moduletest.KW(nil, "name", "no-pty ssh-rsa "+key+" me", "user", me, "config", config))
	assert.Equal(t, "{'"+key+"': 'New'}", pyfmt.Repr(r.Value("changes")))
	assert.Equal(t, "The authorized host key "+key+" for user "+me+" was added", r.Value("comment"))
	assert.Equal(t, "no-pty ssh-rsa "+key+" me\n", b.Read(config))
	fi, err := os.Stat(config)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), fi.Mode())
	r = b.DryAndTwice(s, "present", moduletest.KW(nil, "name", key, "user", me, "comment", "you", "config", config))
	assert.Equal(t, "The authorized host key "+key+" for user "+me+" was updated", r.Value("comment"))
	assert.Equal(t, "ssh-rsa "+key+" you\n", b.Read(config))
	r = b.DryAndTwice(s, "manage", moduletest.KW(nil, "name", "x", "ssh_keys", []any{"ssh-ed25519 AAAC them"}, "user", me, "config", config))
	assert.Equal(t, "{'"+key+"': 'Key removed', 'AAAC': 'New'}", pyfmt.Repr(r.Value("changes")))
	r = b.DryAndTwice(s, "absent", moduletest.KW(nil, "name", "AAAC", "user", me, "config", config))
	assert.Equal(t, "Key removed", r.Value("comment"))
	b.WantState(s, "present", moduletest.KW(nil, "name", "no base64", "user", me, "config", config),
		"{'result': False, 'comment': 'Invalid public ssh key, most likely has spaces or invalid syntax', 'changes': {}}")
	require.NoError(t, os.WriteFile(b.Roots+"/keys", []byte("ssh-rsa "+key+" a\nno-pty ssh-ed25519 AAAC b\n"), 0o600))
	b.DryAndTwice(s, "present", moduletest.KW(nil, "name", "x", "source", "salt://keys", "user", me, "config", config))
	assert.Equal(t, "ssh-rsa "+key+" a\nno-pty ssh-ed25519 AAAC b\n", b.Read(config))
	b.DryAndTwice(s, "absent", moduletest.KW(nil, "name", "x", "source", "salt://keys", "user", me, "config", config))
}

func TestKnownHosts(t *testing.T) {
	t.Parallel()
	b, _, _ := bench(t)
	if _, err := os.Stat("/usr/bin/ssh-keygen"); err != nil {
		t.Skip("ssh-keygen is missing: install openssh-client")
	}
	s := ssh_known_hosts.State()
	config := b.Work("known")
	key := "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
	r := b.DryAndTwice(s, "present", moduletest.KW(nil, "name", "host.example", "key", key, "enc", "ssh-ed25519", "config", config))
	assert.Equal(t, "host.example's key saved to "+config+" (key: "+key+")", r.Value("comment"))
	assert.NotContains(t, b.Read(config), "host.example", "names are hashed")
	r = b.DryAndTwice(s, "absent", moduletest.KW(nil, "name", "host.example", "config", config))
	assert.Nil(t, r.Map("changes").Value("new"))
	assert.Equal(t, `If not specifying a "user", specify an absolute "config".`, b.State(s, "present", moduletest.KW(nil, "name", "h", "config", "rel")).Value("comment"))
}
