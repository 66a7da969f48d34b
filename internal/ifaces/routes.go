package ifaces

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Route is an entry of the main routing table.
type Route struct {
	// Dest has zero bits for the default route.
	Dest netip.Prefix
	// Gateway is not valid for a network that is reached directly.
	Gateway netip.Addr
	// Source is the address that packets leave with, when the route names one.
	Source netip.Addr
	// Iface is the name of the interface, "" when the route has none.
	Iface  string
	Metric int
	// Reject is set for unreachable, prohibited and blackhole routes.
	Reject bool
}

// Default tells whether the route is the way to everywhere.
func (r *Route) Default() bool { return r.Dest.Bits() == 0 }

// Routes returns the main table of a family, 4 or 6.
func Routes(version int) ([]Route, error) {
	family := unix.AF_INET
	if version == 6 {
		family = unix.AF_INET6
	}
	names, err := names()
	if err != nil {
		return nil, err
	}
	msgs, err := dump(unix.RTM_GETROUTE, family)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []Route
	for _, m := range msgs {
		if m.Header.Type != unix.RTM_NEWROUTE || len(m.Data) < unix.SizeofRtMsg {
			continue
		}
		if list, ok := parseRoute(m.Data, version, names); ok {
			out = append(out, list...)
		}
	}
	return out, nil
}

func names() (map[int]string, error) {
	links, err := dump(unix.RTM_GETLINK, unix.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	out := map[int]string{}
	for _, m := range links {
		if m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg {
			l := parseLink(&m)
			out[l.Index] = l.Name
		}
	}
	return out, nil
}

// parseRoute reads one message, which is several routes when it has several next hops.
func parseRoute(h []byte, version int, names map[int]string) ([]Route, bool) {
	table := uint32(h[4])
	zero := netip.IPv4Unspecified()
	if version == 6 {
		zero = netip.IPv6Unspecified()
	}
	r := Route{Dest: netip.PrefixFrom(zero, 0)}
	cloned := binary.NativeEndian.Uint32(h[8:])&unix.RTM_F_CLONED != 0
	switch h[7] {
	case unix.RTN_UNICAST:
	case unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT, unix.RTN_BLACKHOLE:
		r.Reject = true
	default:
		return nil, false
	}
	var hops []byte
	for kind, v := range attributes(h[unix.SizeofRtMsg:]) {
		switch kind {
		case unix.RTA_TABLE:
			table = number(v)
		case unix.RTA_DST:
			if ip, ok := netip.AddrFromSlice(v); ok {
				r.Dest = netip.PrefixFrom(ip, int(h[1]))
			}
		case unix.RTA_GATEWAY:
			r.Gateway, _ = netip.AddrFromSlice(v)
		case unix.RTA_VIA:
			if len(v) > 2 {
				r.Gateway, _ = netip.AddrFromSlice(v[2:])
			}
		case unix.RTA_PREFSRC:
			r.Source, _ = netip.AddrFromSlice(v)
		case unix.RTA_OIF:
			r.Iface = names[int(number(v))]
		case unix.RTA_PRIORITY:
			r.Metric = int(number(v))
		case unix.RTA_MULTIPATH:
			hops = v
		}
	}
	if table != unix.RT_TABLE_MAIN || cloned {
		return nil, false
	}
	if hops == nil {
		return []Route{r}, true
	}
	return multipath(r, hops, names), true
}

// multipath makes a route of each next hop.
func multipath(r Route, b []byte, names map[int]string) []Route {
	var out []Route
	for len(b) >= unix.SizeofRtNexthop {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtNexthop || size > len(b) {
			break
		}
		hop := r
		hop.Iface = names[int(int32(binary.NativeEndian.Uint32(b[4:])))]
		for kind, v := range attributes(b[unix.SizeofRtNexthop:size]) {
			if kind == unix.RTA_GATEWAY {
				hop.Gateway, _ = netip.AddrFromSlice(v)
			}
		}
		out = append(out, hop)
		b = b[min(len(b), (size+3)&^3):]
	}
	return out
}

func number(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(b)
}
