package filters

import (
	"math/big"
	"net"
	"net/netip"
	"strings"

	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// maxHosts bounds the addresses that network_hosts lists.
const maxHosts = 1 << 17

// network are Salt's filters of IP addresses.
func network(name string) *Filter {
	switch name {
	case "is_ip", "is_ipv4", "is_ipv6":
		return run(func(c *Call) (starlark.Value, error) {
			for _, version := range map[string][]int{"is_ip": {4, 6}, "is_ipv4": {4}, "is_ipv6": {6}}[name] {
				if _, ok := address(c.Value, version, c.str(0, "")); ok {
					return starlark.True, nil
				}
			}
			return starlark.False, nil
		}, "options?")
	case "ipaddr":
		return run(func(c *Call) (starlark.Value, error) { return addresses(c.Value, c.str(0, ""), 4, 6) }, "options?")
	case "ipv4":
		return run(func(c *Call) (starlark.Value, error) { return addresses(c.Value, c.str(0, ""), 4) }, "options?")
	case "ipv6":
		return run(func(c *Call) (starlark.Value, error) { return addresses(c.Value, c.str(0, ""), 6) }, "options?")
	case "ip_host":
		return run(func(c *Call) (starlark.Value, error) { return eachAddress(c, interfaceText) }, "options?", "version?")
	case "network_hosts":
		return run(func(c *Call) (starlark.Value, error) { return eachAddress(c, hosts) }, "options?", "version?")
	case "network_size":
		return run(func(c *Call) (starlark.Value, error) {
			return eachAddress(c, func(p netip.Prefix) (starlark.Value, error) {
				return starlark.MakeBigInt(new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))), nil
			})
		}, "options?", "version?")
	case "dns_check":
		return run(dnsCheck, "port?", "safe?", "ipv6?")
	}
	return nil
}

// parseAddress reads an address with or without a prefix length; single tells that none was given.
func parseAddress(s string) (p netip.Prefix, single, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true, true
	}
	if addr, mask, found := strings.Cut(s, "/"); found {
		a, err := netip.ParseAddr(addr)
		if err != nil {
			return p, false, false
		}
		if m := net.ParseIP(mask).To4(); m != nil && a.Is4() {
			ones, bits := net.IPMask(m).Size()
			return netip.PrefixFrom(a, ones), false, bits == 32
		}
	}
	p, err := netip.ParsePrefix(s)
	return p, false, err == nil
}

// address is the address in v as Python's ipaddress writes it, when it has the version and what the options ask.
func address(v starlark.Value, version int, options string) (string, bool) {
	s, ok := pyvalue.Text(v)
	if !ok {
		return "", false
	}
	p, single, ok := parseAddress(s)
	if !ok || p.Addr().Is4() != (version == 4) || !hasOptions(p.Addr(), options) {
		return "", false
	}
	if single {
		return p.Addr().String(), true
	}
	return p.String(), true
}

var reserved4 = netip.MustParsePrefix("240.0.0.0/4")

// privateNets are what Python's is_private knows beyond RFC 1918 and RFC 4193.
var privateNets = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("192.0.0.0/29"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), reserved4,
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("::/128"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("fe80::/10"),
}

func isPrivate(a netip.Addr) bool {
	if a.IsPrivate() {
		return true
	}
	for _, p := range privateNets {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func hasOptions(a netip.Addr, options string) bool {
	for _, o := range strings.Split(options, ",") {
		ok := true
		switch strings.TrimSpace(o) {
		case "global", "public":
			ok = !isPrivate(a)
		case "link-local", "linklocal", "ll", "link_local":
			ok = a.IsLinkLocalUnicast()
		case "loopback", "lo":
			ok = a.IsLoopback()
		case "multicast":
			ok = a.IsMulticast()
		case "private":
			ok = isPrivate(a)
		case "reserved":
			ok = reserved4.Contains(a)
		case "site-local", "sl", "site_local":
			ok = netip.MustParsePrefix("fec0::/10").Contains(a)
		case "unspecified":
			ok = a.IsUnspecified()
		}
		if !ok {
			return false
		}
	}
	return true
}

// addresses filters a list, or looks at one value; None stands for one that is no such address.
func addresses(v starlark.Value, options string, versions ...int) (starlark.Value, error) {
	if _, text := pyvalue.Text(v); text {
		for _, version := range versions {
			if s, ok := address(v, version, options); ok {
				return starlark.String(s), nil
			}
		}
		return starlark.None, nil
	}
	switch v.(type) {
	case *starlark.List, starlark.Tuple, *pyvalue.Generator:
	default:
		return starlark.None, nil
	}
	items, err := pyvalue.Items(v)
	if err != nil {
		return nil, err
	}
	out := starlark.NewList(nil)
	for _, version := range versions {
		for _, e := range items {
			if s, ok := address(e, version, options); ok {
				if err := out.Append(starlark.String(s)); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

func eachAddress(c *Call, f func(p netip.Prefix) (starlark.Value, error)) (starlark.Value, error) {
	version, err := c.number(1, 0)
	if err != nil {
		return nil, err
	}
	versions := []int{4, 6}
	if version != 0 {
		versions = []int{version}
	}
	found, err := addresses(c.Value, c.str(0, ""), versions...)
	if err != nil || !bool(found.Truth()) {
		return starlark.None, err
	}
	one := func(v starlark.Value) (starlark.Value, error) {
		s, _ := pyvalue.Text(v)
		p, _, _ := parseAddress(s)
		return f(p)
	}
	list, ok := found.(*starlark.List)
	if !ok {
		return one(found)
	}
	out := starlark.NewList(nil)
	for i := range list.Len() {
		v, err := one(list.Index(i))
		if err != nil {
			return nil, err
		}
		if err := out.Append(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func interfaceText(p netip.Prefix) (starlark.Value, error) { return starlark.String(p.String()), nil }

// hosts lists the usable addresses of a network: without its own and the broadcast address, where it has them.
func hosts(p netip.Prefix) (starlark.Value, error) {
	p = p.Masked()
	bits := p.Addr().BitLen() - p.Bits()
	if bits > 17 {
		return nil, pyvalue.Errorf("MemoryError", "the network has more than %d hosts", maxHosts)
	}
	n := 1 << bits
	out := make([]starlark.Value, 0, n)
	a := p.Addr()
	for i := range n {
		network, broadcast := i == 0, i == n-1 && p.Addr().Is4()
		if n <= 2 || !network && !broadcast {
			out = append(out, starlark.String(a.String()))
		}
		a = a.Next()
	}
	return starlark.NewList(out), nil
}

// dnsCheck resolves a name to the address to use for it.
func dnsCheck(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	safe, err := c.flag(1, false)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return starlark.String(s), nil
	}
	six := c.Args[2]
	ips, _ := net.DefaultResolver.LookupNetIP(c.Context(), "ip", s) // a name without address is answered below
	for _, ip := range ips {
		ip = ip.Unmap()
		if six == nil || six == starlark.None || bool(six.Truth()) == ip.Is6() {
			return starlark.String(ip.String()), nil
		}
	}
	if safe {
		return starlark.String(""), nil
	}
	return nil, pyvalue.Errorf("SaltSystemExit", "DNS lookup or connection check of '%s' failed", s)
}
