// Package ifaces asks the kernel for its network interfaces, their addresses and the routes, in the words of the ip
// command, without starting it. The maps are those of Salt's network.interfaces.
package ifaces

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"brine/internal/ordered"
)

// Iface is a network interface.
type Iface struct {
	Index int
	Name  string
	// Parent is the interface that this one stands on (eth0 of eth0.7), "if12" when that one is in another namespace.
	Parent string
	// HWAddr is "" for interfaces that have none.
	HWAddr string
	Up     bool
	Addrs  []Addr
}

// Addr is an address of an interface.
type Addr struct {
	IP   netip.Addr
	Bits int
	// Peer is the other end of a point-to-point address.
	Peer      netip.Addr
	Broadcast netip.Addr
	// Scope is global, site, link, host, or a number.
	Scope string
	// Label is the name of an IPv4 address, such as eth0:1.
	Label     string
	Secondary bool
}

// List returns the interfaces in the order of their index.
func List() ([]Iface, error) {
	links, err := dump(unix.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var out []Iface
	raw := map[int]link{}
	for _, m := range links {
		if m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg {
			l := parseLink(&m)
			out = append(out, l.Iface)
			raw[l.Index] = l
		}
	}
	for i := range out {
		out[i].Parent = raw[out[i].Index].parent(raw)
	}
	slices.SortFunc(out, func(a, b Iface) int { return a.Index - b.Index })
	addrs, err := dump(unix.RTM_GETADDR, unix.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, m := range addrs {
		if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
			continue
		}
		a, index, ok := parseAddr(&m)
		if i := slices.IndexFunc(out, func(f Iface) bool { return f.Index == index }); ok && i >= 0 {
			out[i].Addrs = append(out[i].Addrs, a)
		}
	}
	return out, nil
}

// dump asks for everything of one kind.
func dump(kind, family int) ([]syscall.NetlinkMessage, error) {
	rib, err := syscall.NetlinkRIB(kind, family)
	if err != nil {
		return nil, err
	}
	return syscall.ParseNetlinkMessage(rib)
}

// link is an interface with what its parent's name follows from.
type link struct {
	Iface
	on      int
	hasOn   bool
	foreign bool
}

func parseLink(m *syscall.NetlinkMessage) link {
	h := m.Data
	l := link{Iface: Iface{Index: int(int32(binary.NativeEndian.Uint32(h[4:]))), Up: binary.NativeEndian.Uint32(h[8:])&unix.IFF_UP != 0}}
	hwType := binary.NativeEndian.Uint16(h[2:])
	for kind, v := range attributes(h[unix.SizeofIfInfomsg:]) {
		switch kind {
		case unix.IFLA_IFNAME:
			l.Name = text(v)
		case unix.IFLA_ADDRESS:
			l.HWAddr = hwaddr(hwType, v)
		case unix.IFLA_LINK:
			if len(v) >= 4 {
				l.on, l.hasOn = int(int32(binary.NativeEndian.Uint32(v))), true
			}
		case unix.IFLA_LINK_NETNSID:
			l.foreign = true
		}
	}
	return l
}

func (l link) parent(all map[int]link) string {
	switch {
	case !l.hasOn || l.on == l.Index && !l.foreign:
		return ""
	case l.on == 0:
		return "NONE"
	case l.foreign || all[l.on].Name == "":
		return fmt.Sprintf("if%d", l.on)
	}
	return all[l.on].Name
}

// hwaddr formats a link-layer address, which tunnels have from their own protocol.
func hwaddr(kind uint16, b []byte) string {
	switch kind {
	case unix.ARPHRD_TUNNEL, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_TUNNEL6, unix.ARPHRD_IP6GRE:
		if ip, ok := netip.AddrFromSlice(b); ok {
			return ip.String()
		}
	}
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = fmt.Sprintf("%02x", c)
	}
	return strings.Join(parts, ":")
}

func parseAddr(m *syscall.NetlinkMessage) (a Addr, index int, ok bool) {
	h := m.Data
	index = int(int32(binary.NativeEndian.Uint32(h[4:])))
	a.Bits, a.Scope = int(h[1]), scope(h[3])
	a.Secondary = h[0] == unix.AF_INET && h[2]&unix.IFA_F_SECONDARY != 0
	var local, addr netip.Addr
	for kind, v := range attributes(h[unix.SizeofIfAddrmsg:]) {
		switch kind {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(v)
		case unix.IFA_ADDRESS:
			addr, _ = netip.AddrFromSlice(v)
		case unix.IFA_BROADCAST:
			a.Broadcast, _ = netip.AddrFromSlice(v)
		case unix.IFA_LABEL:
			a.Label = text(v)
		}
	}
	a.IP = local
	if !local.IsValid() {
		a.IP = addr
	} else if addr.IsValid() && addr != local {
		a.Peer = addr
	}
	return a, index, a.IP.IsValid()
}

// attributes walks over the attributes that follow a header.
func attributes(b []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for len(b) >= unix.SizeofRtAttr {
			size := int(binary.NativeEndian.Uint16(b))
			kind := int(binary.NativeEndian.Uint16(b[2:])) & ^(unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
			if size < unix.SizeofRtAttr || size > len(b) || !yield(kind, b[unix.SizeofRtAttr:size]) {
				return
			}
			b = b[min(len(b), (size+3)&^3):]
		}
	}
}

func text(b []byte) string { return strings.TrimRight(string(b), "\x00") }

func scope(n byte) string {
	switch n {
	case unix.RT_SCOPE_UNIVERSE:
		return "global"
	case unix.RT_SCOPE_SITE:
		return "site"
	case unix.RT_SCOPE_LINK:
		return "link"
	case unix.RT_SCOPE_HOST:
		return "host"
	case unix.RT_SCOPE_NOWHERE:
		return "nowhere"
	}
	return fmt.Sprint(n)
}

// Netmask is the dotted mask of an IPv4 prefix length.
func Netmask(bits int) string {
	if bits < 0 || bits > 32 {
		return ""
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(uint64(0xffffffff)<<(32-bits)))
	return netip.AddrFrom4(b).String()
}

// Salt returns interfaces as Salt shows them: name to a map of up, parent, hwaddr, inet, inet6 and secondary.
func Salt(list []Iface) *ordered.Map {
	out := ordered.New(len(list))
	for i := range list {
		out.Set(list[i].Name, list[i].salt())
	}
	return out
}

func (f *Iface) salt() *ordered.Map {
	m := ordered.Pairs("up", f.Up)
	if f.Parent != "" {
		m.Set("parent", f.Parent)
	}
	if f.HWAddr != "" {
		m.Set("hwaddr", f.HWAddr)
	}
	put := func(key string, v *ordered.Map) { m.Set(key, append(m.List(key), v)) }
	for _, a := range f.Addrs {
		switch {
		case a.Secondary:
			put("secondary", ordered.Pairs("type", "inet", "address", a.IP.String(), "netmask", a.mask(), "broadcast", a.brd(), "label", a.Label))
		case a.IP.Is4():
			put("inet", ordered.Pairs("address", a.IP.String(), "netmask", a.mask(), "broadcast", a.brd(), "label", a.Label))
		default:
			var bits any = fmt.Sprint(a.Bits)
			if a.Peer.IsValid() {
				bits = int64(32) // the length belongs to the peer
			}
			put("inet6", ordered.Pairs("address", a.IP.String(), "prefixlen", bits, "scope", a.Scope))
		}
	}
	return m
}

// mask is that of the address itself; with a peer, the prefix length belongs to the peer.
func (a *Addr) mask() string {
	if a.Peer.IsValid() {
		return Netmask(32)
	}
	return Netmask(a.Bits)
}

func (a *Addr) brd() any {
	if !a.Broadcast.IsValid() {
		return nil
	}
	return a.Broadcast.String()
}
