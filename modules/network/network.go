// Package network holds the network.* functions: interfaces, addresses, routes, names, and whether others can be reached.
package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"brine/internal/ifaces"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	const (
		ipDoc = `List the %s addresses of the interfaces, without those of the loopback.

interface
    only those of one interface
include_loopback
    those of the loopback too
cidr
    only those in a network, such as 10.0.0.0/8
type
    public or private: only those

CLI Example:

    salt '*' network.%s`
		netDoc = `List the %s networks that this minion is in.

interfaces
    only those of these interfaces

CLI Example:

    salt '*' network.%s`
	)
	v4, v6 := addresses(netip.Addr.Is4), addresses(netip.Addr.Is6)
	return modules.Module{Name: "network", Doc: "Functions for the network.", Funcs: []modules.Func{
		modules.PureFn("calc_net", calcNetDoc, calcNet),
		modules.Fn("connect", connectDoc, connect),
		modules.PureFn("convert_cidr", convertDoc, convertCIDR),
		modules.PureFn("default_route", defaultRouteDoc, defaultRoute),
		modules.Fn("dns_check", dnsCheckDoc, dnsCheck),
		modules.PureFn("fqdns", fqdnsDoc, fqdns),
		modules.PureFn("get_fqdn", getFQDNDoc, getFQDN),
		modules.PureFn("get_hostname", getHostnameDoc, getHostname),
		modules.PureFn("get_route", getRouteDoc, getRoute),
		modules.PureFn("hw_addr", hwAddrDoc, hwAddr),
		modules.PureFn("hwaddr", hwAddrDoc, hwAddr),
		modules.PureFn("ifacestartswith", startsDoc, ifaceStartsWith),
		modules.PureFn("in_subnet", inSubnetDoc, inSubnet),
		modules.PureFn("interface", interfaceDoc, oneInterface),
		modules.PureFn("interface_ip", interfaceIPDoc, interfaceIP),
		modules.PureFn("interfaces", interfacesDoc, interfaces),
		modules.PureFn("ip_addrs", fmt.Sprintf(ipDoc, "IPv4", "ip_addrs"), v4),
		modules.PureFn("ip_addrs6", fmt.Sprintf(ipDoc, "IPv6", "ip_addrs6"), v6),
		modules.PureFn("ip_in_subnet", ipInSubnetDoc, ipInSubnet),
		modules.PureFn("ipaddrs", fmt.Sprintf(ipDoc, "IPv4", "ipaddrs"), v4),
		modules.PureFn("ipaddrs6", fmt.Sprintf(ipDoc, "IPv6", "ipaddrs6"), v6),
		modules.PureFn("is_loopback", isLoopbackDoc, isLoopback),
		modules.PureFn("is_private", isPrivateDoc, isPrivate),
		modules.Fn("ping", pingDoc, ping),
		modules.PureFn("reverse_ip", reverseDoc, reverseIP),
		modules.PureFn("routes", routesDoc, routes),
		modules.PureFn("subnets", fmt.Sprintf(netDoc, "IPv4", "subnets"), subnets(netip.Addr.Is4)),
		modules.PureFn("subnets6", fmt.Sprintf(netDoc, "IPv6", "subnets6"), subnets(netip.Addr.Is6)),
	}}
}

type none struct{}

const interfacesDoc = `Tell all network interfaces: whether they are up, their hardware address and their addresses.

CLI Example:

    salt '*' network.interfaces`

func interfaces(context.Context, *modules.Env, none) (any, error) {
	list, err := ifaces.List()
	return ifaces.Salt(list), err
}

type ifaceArgs struct {
	Iface string `arg:"iface"`
}

const hwAddrDoc = `Tell the hardware address of an interface.

CLI Example:

    salt '*' network.hw_addr eth0`

func find(name string) (*ordered.Map, error) {
	list, err := ifaces.List()
	if err != nil {
		return nil, err
	}
	m, _ := ifaces.Salt(list).Value(name).(*ordered.Map)
	return m, nil
}

func hwAddr(_ context.Context, env *modules.Env, in ifaceArgs) (any, error) {
	m, err := find(in.Iface)
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		list, err := ifaces.List()
		if err != nil {
			return nil, err
		}
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].Name
		}
		return fmt.Sprintf("Interface %q not in available interfaces: %q", in.Iface, strings.Join(names, `", "`)), nil
	}
	return m.String("hwaddr"), nil
}

const interfaceDoc = `Tell the IPv4 addresses of an interface, with netmask, broadcast and label.

CLI Example:

    salt '*' network.interface eth0`

func oneInterface(ctx context.Context, env *modules.Env, in ifaceArgs) (any, error) {
	m, err := find(in.Iface)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return hwAddr(ctx, env, in)
	}
	if list := m.List("inet"); list != nil {
		return list, nil
	}
	return nil, nil
}

const interfaceIPDoc = `Tell the first IPv4 address of an interface.

CLI Example:

    salt '*' network.interface_ip eth0`

func interfaceIP(ctx context.Context, env *modules.Env, in ifaceArgs) (any, error) {
	v, err := oneInterface(ctx, env, in)
	list, ok := v.([]any)
	if !ok || err != nil {
		if v == nil {
			return "", err
		}
		return v, err
	}
	first, _ := list[0].(*ordered.Map)
	return first.String("address"), nil
}

const startsDoc = `List the interfaces whose name begins with a text.

CLI Example:

    salt '*' network.ifacestartswith docker`

type cidrArgs struct {
	CIDR string `arg:"cidr"`
}

func ifaceStartsWith(_ context.Context, _ *modules.Env, in cidrArgs) (any, error) {
	list, err := ifaces.List()
	out := []any{}
	for i := range list {
		if strings.HasPrefix(list[i].Name, in.CIDR) {
			out = append(out, list[i].Name)
		}
	}
	return out, err
}

type addrsArgs struct {
	Interface any    `arg:"interface" def:"None"`
	Loopback  bool   `arg:"include_loopback" def:"False"`
	CIDR      string `arg:"cidr" def:"None"`
	Type      string `arg:"type" def:"None"`
}

// own lists the addresses of this machine of one family, sorted as Salt sorts them.
func own(family func(netip.Addr) bool, only func(name string) bool, loopback bool) ([]netip.Prefix, error) {
	list, err := ifaces.List()
	var out []netip.Prefix
	for i := range list {
		if !only(list[i].Name) {
			continue
		}
		for _, a := range list[i].Addrs {
			if family(a.IP) && (loopback || !a.IP.IsLoopback()) {
				out = append(out, netip.PrefixFrom(a.IP, a.Bits))
			}
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.CompactFunc(out, func(a, b netip.Prefix) bool { return a.Addr() == b.Addr() }), err
}

func addresses(family func(netip.Addr) bool) func(context.Context, *modules.Env, addrsArgs) (any, error) {
	return func(_ context.Context, _ *modules.Env, in addrsArgs) (any, error) {
		only := named(in.Interface)
		list, err := own(family, only, in.Loopback)
		if err != nil {
			return nil, err
		}
		keep := func(netip.Addr) bool { return true }
		if in.CIDR != "" {
			p, err := netip.ParsePrefix(in.CIDR)
			if err != nil {
				return nil, modules.Invalidf("%s is no network", in.CIDR)
			}
			keep = p.Masked().Contains
		} else if in.Type != "" {
			keep = func(a netip.Addr) bool { return private(a) == (in.Type == "private") }
		}
		out := []any{}
		for _, p := range list {
			if keep(p.Addr()) {
				out = append(out, p.Addr().String())
			}
		}
		return out, nil
	}
}

// named makes a choice of interfaces: a name, a list of names, or nothing for all.
func named(v any) func(string) bool {
	var names []string
	switch t := v.(type) {
	case nil:
		return func(string) bool { return true }
	case []any:
		for _, e := range t {
			names = append(names, pyfmt.Str(e))
		}
	default:
		names = strings.Split(pyfmt.Str(v), ",")
	}
	return func(name string) bool { return slices.Contains(names, name) }
}

type subnetsArgs struct {
	Interfaces any `arg:"interfaces" def:"None"`
}

func subnets(family func(netip.Addr) bool) func(context.Context, *modules.Env, subnetsArgs) (any, error) {
	return func(_ context.Context, _ *modules.Env, in subnetsArgs) (any, error) {
		list, err := own(family, named(in.Interfaces), false)
		out := []any{}
		for _, p := range list {
			if s := p.Masked().String(); !slices.Contains(out, any(s)) {
				out = append(out, s)
			}
		}
		return out, err
	}
}

const inSubnetDoc = `Tell whether this minion has an address in a network.

CLI Example:

    salt '*' network.in_subnet 10.0.0.0/16`

func inSubnet(_ context.Context, env *modules.Env, in cidrArgs) (any, error) {
	p, err := netip.ParsePrefix(in.CIDR)
	if err != nil {
		env.Log.Sugar().Errorf("Invalid CIDR '%s'", in.CIDR)
		return false, nil
	}
	list, err := own(func(a netip.Addr) bool { return a.Is4() == p.Addr().Is4() }, named(nil), true)
	return slices.ContainsFunc(list, func(q netip.Prefix) bool { return p.Masked().Contains(q.Addr()) }), err
}

const ipInSubnetDoc = `Tell whether an address is in a network.

CLI Example:

    salt '*' network.ip_in_subnet 172.17.0.4 172.16.0.0/12`

type ipInArgs struct {
	IP   string `arg:"ip_addr"`
	CIDR string `arg:"cidr"`
}

func ipInSubnet(_ context.Context, _ *modules.Env, in ipInArgs) (any, error) {
	p, err := netip.ParsePrefix(in.CIDR)
	if err != nil {
		return nil, modules.Invalidf("%s is no network", in.CIDR)
	}
	a, err := netip.ParseAddr(in.IP)
	if err != nil {
		return nil, modules.Invalidf("%s is no address", in.IP)
	}
	return p.Masked().Contains(a), nil
}

const calcNetDoc = `Tell the network that an address with a netmask belongs to.

CLI Example:

    salt '*' network.calc_net 172.17.0.5 255.255.255.240
    salt '*' network.calc_net 2a02:f6e:a000:80:84d8:8332:7866:4e07/64`

type calcArgs struct {
	IP   string `arg:"ip_addr"`
	Mask string `arg:"netmask" def:"None"`
}

func calcNet(_ context.Context, _ *modules.Env, in calcArgs) (any, error) {
	p, err := prefix(in.IP, in.Mask)
	if err != nil {
		return nil, err
	}
	return p.Masked().String(), nil
}

// prefix reads an address and a mask: 255.255.0.0, 16, or nothing when the address has its length.
func prefix(ip, mask string) (netip.Prefix, error) {
	if mask != "" {
		if m := net.ParseIP(mask).To4(); m != nil {
			ones, _ := net.IPMask(m).Size()
			mask = fmt.Sprint(ones)
		}
		ip += "/" + mask
	} else if !strings.Contains(ip, "/") {
		if a, err := netip.ParseAddr(ip); err == nil {
			return netip.PrefixFrom(a, a.BitLen()), nil
		}
	}
	p, err := netip.ParsePrefix(ip)
	if err != nil {
		return p, modules.Invalidf("%s is no address with a netmask", ip)
	}
	return p, nil
}

const convertDoc = `Tell network, netmask and broadcast address of a network in CIDR notation.

CLI Example:

    salt '*' network.convert_cidr 172.31.0.0/16`

func convertCIDR(_ context.Context, _ *modules.Env, in cidrArgs) (any, error) {
	p, err := netip.ParsePrefix(in.CIDR)
	if err != nil || !p.Addr().Is4() {
		return ordered.Pairs("network", nil, "netmask", nil, "broadcast", nil), nil
	}
	n := p.Masked().Addr().As4()
	m := net.CIDRMask(p.Bits(), 32)
	var b [4]byte
	for i := range b {
		b[i] = n[i] | ^m[i]
	}
	return ordered.Pairs("network", netip.AddrFrom4(n).String(), "netmask", net.IP(m).String(), "broadcast", netip.AddrFrom4(b).String()), nil
}
