package grains

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"brine/internal/ifaces"
	"brine/internal/ordered"
)

// addresses sets the grains of the interfaces and their addresses, and those of our name.
func (d *detector) addresses(ctx context.Context, out *ordered.Map) {
	all, v4, v6, hw := ordered.New(0), ordered.New(0), ordered.New(0), ordered.New(0)
	var ips [2][]netip.Addr
	for _, f := range d.m.Interfaces {
		var four, six, second []any
		for _, a := range f.Addrs {
			switch {
			case a.Secondary:
				second = append(second, a.IP.String())
			case a.IP.Is4():
				four = append(four, a.IP.String())
			default:
				six = append(six, a.IP.String())
			}
			ips[family(a.IP)] = append(ips[family(a.IP)], a.IP)
		}
		all.Set(f.Name, slices.Concat([]any{}, four, six, second))
		v4.Set(f.Name, slices.Concat([]any{}, four, second))
		v6.Set(f.Name, slices.Concat([]any{}, six))
		if f.HWAddr != "" {
			hw.Set(f.Name, f.HWAddr)
		}
	}
	out.Set("ip_interfaces", all)
	out.Set("ip4_interfaces", v4)
	out.Set("ip6_interfaces", v6)
	out.Set("hwaddr_interfaces", hw)
	named := d.addressesOf(ctx, d.fqdn)
	for i, n := range []string{"4", "6"} {
		slices.SortFunc(ips[i], netip.Addr.Compare)
		out.Set("ipv"+n, texts(slices.Compact(ips[i])))
		of := []any{}
		if len(ips[i]) > 0 {
			of = texts(named[i])
		}
		out.Set("fqdn_ip"+n, of)
	}
	names := []any{}
	if v, ok := d.Config.Get("enable_fqdns_grains"); ok && v == true {
		names = d.reverse(ctx, slices.Concat(ips[0], ips[1]))
	}
	out.Set("fqdns", names)
}

// family is 0 for IPv4 and 1 for IPv6.
func family(ip netip.Addr) int {
	if ip.Is4() {
		return 0
	}
	return 1
}

func texts(list []netip.Addr) []any {
	out := make([]any, len(list))
	for i, ip := range list {
		out[i] = ip.String()
	}
	return out
}

// gateway sets ip_gw, ip4_gw and ip6_gw: the address of the default gateway, true for a default route without one.
func (d *detector) gateway(_ context.Context, out *ordered.Map) {
	for _, key := range []string{"ip_gw", "ip4_gw", "ip6_gw"} {
		out.Set(key, false)
	}
	for i, key := range []string{"ip4_gw", "ip6_gw"} {
		at := slices.IndexFunc(d.m.Routes[i], func(r ifaces.Route) bool { return r.Default() && !r.Reject })
		if at < 0 {
			continue
		}
		out.Set("ip_gw", true)
		out.Set(key, true)
		if gw := d.m.Routes[i][at].Gateway; gw.IsValid() {
			out.Set(key, gw.String())
		}
	}
}

// resolvConf is a resolver configuration.
type resolvConf struct {
	servers         []netip.Addr
	sortlist        []string
	domain          string
	search, options []string
}

// dns sets dns, from the servers behind systemd-resolved where it runs.
func (d *detector) dns(_ context.Context, out *ordered.Map) {
	p := "/etc/resolv.conf"
	if d.root.exists("/run/systemd/resolve/resolv.conf") {
		p = "/run/systemd/resolve/resolv.conf"
	}
	if !d.root.exists(p) {
		return
	}
	c := parseResolv(d.root.read(p))
	var of [2][]netip.Addr
	for _, ip := range c.servers {
		of[family(ip)] = append(of[family(ip)], ip)
	}
	out.Set("dns", ordered.Pairs(
		"nameservers", texts(c.servers), "ip4_nameservers", texts(of[0]), "ip6_nameservers", texts(of[1]),
		"sortlist", list(c.sortlist), "domain", c.domain, "search", list(c.search), "options", list(c.options),
	))
}

func parseResolv(src string) resolvConf {
	var c resolvConf
	for line := range strings.Lines(src) {
		f := strings.Fields(line)
		if i := slices.IndexFunc(f, func(w string) bool { return w[0] == '#' || w[0] == ';' }); i >= 0 {
			f = f[:i]
		}
		if len(f) < 2 {
			continue
		}
		switch strings.ToLower(f[0]) {
		case "nameserver":
			if ip, err := netip.ParseAddr(f[1]); err == nil && !slices.Contains(c.servers, ip) {
				c.servers = append(c.servers, ip)
			}
		case "domain":
			c.domain = f[1]
		case "search":
			c.search = f[1:]
		case "sortlist":
			for _, raw := range f[1:] {
				if n := sortNet(raw); n != "" && !slices.Contains(c.sortlist, n) {
					c.sortlist = append(c.sortlist, n)
				}
			}
		case "options":
			if !slices.Contains(c.options, f[1]) {
				c.options = append(c.options, f[1])
			}
		}
	}
	return c
}

// sortNet is a network of a sortlist with its mask; without one it is that of the address's old class.
func sortNet(raw string) string {
	addr, mask, masked := strings.Cut(raw, "/")
	ip, err := netip.ParseAddr(addr)
	if err != nil || !ip.Is4() {
		return ""
	}
	if masked && strings.Contains(mask, ".") {
		return addr + "/" + mask
	}
	bits := 24
	switch first := ip.As4()[0]; {
	case masked:
		p, err := netip.ParsePrefix(raw)
		if err != nil || p.Masked() != p {
			return ""
		}
		bits = p.Bits()
	case first < 128:
		bits = 8
	case first < 192:
		bits = 16
	}
	return netip.PrefixFrom(ip, bits).Masked().Addr().String() + "/" + ifaces.Netmask(bits)
}
