package ifaces

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
)

func TestList(t *testing.T) {
	t.Parallel()
	list, err := List()
	require.NoError(t, err)
	lo := Salt(list).Map("lo")
	require.NotNil(t, lo)
	assert.Equal(t, "00:00:00:00:00:00", lo.String("hwaddr"))
	if inet := lo.List("inet"); len(inet) > 0 {
		assert.True(t, ordered.Equal(ordered.Pairs("address", "127.0.0.1", "netmask", "255.0.0.0", "broadcast", nil, "label", "lo"), inet[0]))
	}
	_, err = Routes(4)
	require.NoError(t, err)
	_, err = Routes(6)
	require.NoError(t, err)
}

func TestSaltShape(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr
	list := []Iface{{
		Name: "eth0.7", Parent: "eth0", HWAddr: "02:00:00:00:00:01", Up: true,
		Addrs: []Addr{
			{IP: addr("10.0.0.5"), Bits: 20, Broadcast: addr("10.0.15.255"), Scope: "global", Label: "eth0.7"},
			{IP: addr("10.0.0.6"), Bits: 20, Scope: "global", Label: "eth0.7:1", Secondary: true},
			{IP: addr("10.9.0.1"), Bits: 24, Peer: addr("10.9.0.2"), Label: "eth0.7"},
			{IP: addr("fe80::1"), Bits: 64, Scope: "link"},
		},
	}, {Name: "tun0"}}
	want := ordered.Pairs(
		"eth0.7", ordered.Pairs("up", true, "parent", "eth0", "hwaddr", "02:00:00:00:00:01",
			"inet", []any{
				ordered.Pairs("address", "10.0.0.5", "netmask", "255.255.240.0", "broadcast", "10.0.15.255", "label", "eth0.7"),
				ordered.Pairs("address", "10.9.0.1", "netmask", "255.255.255.255", "broadcast", nil, "label", "eth0.7"),
			},
			"secondary", []any{ordered.Pairs("type", "inet", "address", "10.0.0.6", "netmask", "255.255.240.0", "broadcast", nil, "label", "eth0.7:1")},
			"inet6", []any{ordered.Pairs("address", "fe80::1", "prefixlen", "64", "scope", "link")},
		),
		"tun0", ordered.Pairs("up", false),
	)
	assert.True(t, ordered.Equal(want, Salt(list)), "%v", Salt(list))
	assert.Equal(t, "0.0.0.0", Netmask(0))
	assert.Equal(t, "255.255.255.255", Netmask(32))
}

func TestHwaddr(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "0.0.0.0", hwaddr(776, []byte{0, 0, 0, 0}))
	assert.Equal(t, "02:0a:ff:00:00:01", hwaddr(1, []byte{2, 10, 255, 0, 0, 1}))
	all := map[int]link{2: {Iface: Iface{Index: 2, Name: "eth0"}}}
	assert.Equal(t, "eth0", link{Iface: Iface{Index: 3}, on: 2, hasOn: true}.parent(all))
	assert.Equal(t, "if9", link{Iface: Iface{Index: 3}, on: 9, hasOn: true, foreign: true}.parent(all))
	assert.Equal(t, "NONE", link{Iface: Iface{Index: 3}, hasOn: true}.parent(all))
	assert.Empty(t, link{Iface: Iface{Index: 3}, on: 3, hasOn: true}.parent(all))
}
