package network_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/network"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, network.Module())
	b.Want("'172.17.0.0/28'", "network.calc_net", "172.17.0.5", "255.255.255.240")
	b.Want("'2a02:f6e:a000:80::/64'", "network.calc_net", "2a02:f6e:a000:80:84d8:8332:7866:4e07/64")
	b.Want("{'network': '172.31.0.0', 'netmask': '255.255.0.0', 'broadcast': '172.31.255.255'}", "network.convert_cidr", "172.31.0.0/16")
	b.Want("True", "network.ip_in_subnet", "172.17.0.4", "172.16.0.0/12")
	b.Want("False", "network.ip_in_subnet", "8.8.8.8", "172.16.0.0/12")
	b.Want("'4.0.17.172.in-addr.arpa'", "network.reverse_ip", "172.17.0.4")
	b.Want("True", "network.is_loopback", "127.0.0.9")
	b.Want("True", "network.is_private", "10.0.0.3")
	b.Want("False", "network.is_private", "8.8.8.8")
	b.Fails("'nonsense' does not appear to be an IPv4 or IPv6 address", "network.is_private", modules.Pos("nonsense"))
	b.Fails("x/y is no network", "network.ip_in_subnet", modules.Pos("1.2.3.4", "x/y"))
	b.WantArgs("['127.0.0.1']", "network.ip_addrs", moduletest.KW([]any{"lo"}, "include_loopback", true))
	b.Want("True", "network.in_subnet", "127.0.0.0/8")
	b.Want("'127.0.0.1'", "network.interface_ip", "lo")
	b.Want("'00:00:00:00:00:00'", "network.hw_addr", "lo")
	b.Want("['lo']", "network.ifacestartswith", "lo")
	b.Want("'127.0.0.1'", "network.dns_check", "127.0.0.1")
}

func TestConnect(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, network.Module())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	m, _ := b.Run("network.connect", modules.Pos("127.0.0.1", port)).(*ordered.Map)
	assert.Equal(t, true, m.Value("result"))
	require.NoError(t, l.Close())
	m, _ = b.Run("network.connect", modules.Pos("127.0.0.1", port)).(*ordered.Map)
	assert.Equal(t, false, m.Value("result"))
	b.Fails(`"-f" is not the name of a host`, "network.ping", modules.Pos("-f"))
}
