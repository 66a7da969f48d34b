package sysctl

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
)

func TestSysctl(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/proc/sys/net/ipv4/conf/eth0.1", 0o755))
	require.NoError(t, os.WriteFile(dir+"/proc/sys/net/ipv4/ip_forward", []byte("0\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/proc/sys/net/ipv4/tcp_rmem", []byte("1\t2\t3\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/proc/sys/net/ipv4/conf/eth0.1/forwarding", []byte("1\n"), 0o600))
	b := moduletest.New(t, ModuleAt(dir))
	conf := dir + "/etc/sysctl.conf"
	b.Want("'"+conf+"'", "sysctl.default_config")
	b.Want("'0'", "sysctl.get", "net.ipv4.ip_forward")
	b.Want("'1'", "sysctl.get", "net/ipv4/conf/eth0.1/forwarding")
	b.Want("''", "sysctl.get", "net.ipv4.none")
	b.Want("{'net.ipv4.conf.eth0/1.forwarding': '1', 'net.ipv4.ip_forward': '0', 'net.ipv4.tcp_rmem': '1\\t2\\t3'}", "sysctl.show")
	b.Want("{'net.ipv4.ip_forward': '1'}", "sysctl.assign", "net.ipv4.ip_forward", 1)
	b.Fails("sysctl no.such does not exist", "sysctl.assign", modules.Pos("no.such", 1))
	b.Want("None", "sysctl.show", conf)
	b.Want("'Updated'", "sysctl.persist", "net.ipv4.ip_forward", 0)
	b.Want("'Already set'", "sysctl.persist", "net.ipv4.ip_forward", 0)
	b.Want("'Updated'", "sysctl.persist", "net.ipv4.tcp_rmem", "4  5 6")
	b.Want("'Already set'", "sysctl.persist", "net.ipv4.tcp_rmem", "4 5 6")
	b.Want("'Updated'", "sysctl.persist", "net.ipv4.ip_forward", "1")
	assert.Equal(t, "#\n# Kernel sysctl configuration\n#\nnet.ipv4.ip_forward = 1\nnet.ipv4.tcp_rmem = 4\t5\t6\n", b.Read(conf))
	assert.Equal(t, "1", b.Run("sysctl.show", modules.Pos(conf)).(*ordered.Map).Value("net.ipv4.ip_forward"))
	b.Want("''", "sysctl.get", "../../etc/sysctl.conf")
}
