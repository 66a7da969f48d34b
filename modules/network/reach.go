package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"brine/internal/host"
	"brine/internal/ifaces"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

const lookupTime = 5 * time.Second

type ipArgs struct {
	IP string `arg:"ip_addr"`
}

const isLoopbackDoc = `Tell whether an address is one of the loopback.

CLI Example:

    salt '*' network.is_loopback 127.0.0.1`

func isLoopback(_ context.Context, _ *modules.Env, in ipArgs) (any, error) {
	a, err := netip.ParseAddr(in.IP)
	if err != nil {
		return nil, modules.Invalidf("'%s' does not appear to be an IPv4 or IPv6 address", in.IP)
	}
	return a.IsLoopback(), nil
}

const isPrivateDoc = `Tell whether an address is a private one.

CLI Example:

    salt '*' network.is_private 10.0.0.3`

func isPrivate(_ context.Context, _ *modules.Env, in ipArgs) (any, error) {
	a, err := netip.ParseAddr(in.IP)
	if err != nil {
		return nil, modules.Invalidf("'%s' does not appear to be an IPv4 or IPv6 address", in.IP)
	}
	return private(a), nil
}

// special are the networks that IANA's registry does not call globally reachable, besides those netip knows.
func special() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{"0.0.0.0/8", "192.0.0.0/29", "192.0.0.170/31", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32", "2001:db8::/32", "2001::/23", "::/128"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || slices.ContainsFunc(special(), func(p netip.Prefix) bool { return p.Contains(a) })
}

const reverseDoc = `Tell the name under which DNS keeps the name of an address.

CLI Example:

    salt '*' network.reverse_ip 172.17.0.4`

func reverseIP(_ context.Context, _ *modules.Env, in ipArgs) (any, error) {
	a, err := netip.ParseAddr(in.IP)
	if err != nil {
		return nil, modules.Invalidf("'%s' does not appear to be an IPv4 or IPv6 address", in.IP)
	}
	var parts []string
	if a.Is4() {
		for _, b := range a.As4() {
			parts = append(parts, strconv.Itoa(int(b)))
		}
		slices.Reverse(parts)
		return strings.Join(parts, ".") + ".in-addr.arpa", nil
	}
	for _, b := range a.As16() {
		parts = append(parts, fmt.Sprintf("%x", b>>4), fmt.Sprintf("%x", b&15))
	}
	slices.Reverse(parts)
	return strings.Join(parts, ".") + ".ip6.arpa", nil
}

const pingDoc = `Ask another host with the ping command, four times, and tell what it says.

timeout
    seconds to wait
return_boolean
    True: only tell whether it answers

CLI Example:

    salt '*' network.ping archlinux.org
    salt '*' network.ping archlinux.org return_boolean=True
    salt '*' network.ping archlinux.org timeout=3`

type pingArgs struct {
	Host    string `arg:"host"`
	Timeout any    `arg:"timeout" def:"False"`
	Bool    bool   `arg:"return_boolean" def:"False"`
}

func ping(ctx context.Context, env *modules.Env, in pingArgs) (any, error) {
	if err := safeHost(in.Host); err != nil {
		return nil, err
	}
	argv := []string{"ping", "-c", "4"}
	if pyfmt.Truth(in.Timeout) {
		argv = append(argv, "-W", pyfmt.Str(in.Timeout))
	}
	r, err := env.Host.Run(ctx, host.Cmd{Argv: append(argv, in.Host), Env: os.Environ(), Dir: "/"})
	switch {
	case err != nil:
		return nil, modules.Errorf("ping cannot be run: %v", err)
	case in.Bool:
		return r.Retcode == 0, nil
	case r.Retcode != 0:
		return strings.TrimSpace(string(r.Stdout) + string(r.Stderr)), nil
	}
	return strings.TrimRight(string(r.Stdout), "\n"), nil
}

// safeHost keeps a name from being read as an option.
func safeHost(name string) error {
	if name == "" || strings.HasPrefix(name, "-") || strings.ContainsAny(name, " \t\n/") {
		return modules.Invalidf("%q is not the name of a host", name)
	}
	return nil
}

const dnsCheckDoc = `Tell the address that a name has, the way in which a connection to it would find it.

safe
    True: fail without ending the caller
ipv6
    True or False: only addresses of that family

CLI Example:

    salt '*' network.dns_check example.com 80`

type dnsArgs struct {
	Addr string `arg:"addr"`
	Port int    `arg:"port" def:"80"`
	Safe bool   `arg:"safe" def:"False"`
	IPv6 any    `arg:"ipv6" def:"None"`
}

func dnsCheck(ctx context.Context, _ *modules.Env, in dnsArgs) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", in.Addr)
	if err != nil || len(addrs) == 0 {
		return nil, modules.Errorf("DNS lookup or connection check of '%s' failed", in.Addr)
	}
	wanted := func(a netip.Addr) bool { return in.IPv6 == nil || pyfmt.Truth(in.IPv6) == a.Unmap().Is6() }
	for _, a := range addrs {
		if wanted(a) {
			return bracketed(a.Unmap()), nil
		}
	}
	return nil, modules.Errorf("DNS lookup or connection check of '%s' failed", in.Addr)
}

func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

const connectDoc = `Try to connect to a port of another host, and tell whether it works.

port
    a number, or the name of a service
proto
    tcp or udp
timeout
    seconds to wait

CLI Example:

    salt '*' network.connect archlinux.org 80
    salt '*' network.connect archlinux.org 80 timeout=3`

type connectArgs struct {
	Host    string         `arg:"host"`
	Port    any            `arg:"port"`
	Extra   modules.Kwargs `arg:"**kwargs"`
	Proto   string         `arg:"proto" def:"'tcp'"`
	Timeout float64        `arg:"timeout" def:"5"`
	Family  string         `arg:"family" def:"''"`
}

func connect(ctx context.Context, _ *modules.Env, in connectArgs) (any, error) {
	network := strings.ToLower(in.Proto)
	if network != "tcp" && network != "udp" {
		return ordered.Pairs("result", false, "comment", "Only TCP and UDP can be tried."), nil
	}
	switch in.Family {
	case "ipv4":
		network += "4"
	case "ipv6":
		network += "6"
	}
	port := pyfmt.Str(in.Port)
	addr := net.JoinHostPort(in.Host, port)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(in.Timeout*float64(time.Second)))
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return ordered.Pairs("result", false, "comment", fmt.Sprintf("Unable to resolve host %s on %s port %s", in.Host, in.Proto, port)), nil
	case err != nil:
		return ordered.Pairs("result", false, "comment", fmt.Sprintf("Unable to connect to %s (%s) on %s port %s", in.Host, addr, in.Proto, port)), nil
	}
	remote := c.RemoteAddr().String()
	_ = c.Close()
	ip, _, _ := net.SplitHostPort(remote)
	return ordered.Pairs("result", true, "comment", fmt.Sprintf("Successfully connected to %s (%s) on %s port %s", in.Host, ip, in.Proto, port)), nil
}

const getHostnameDoc = `Tell the host name.

CLI Example:

    salt '*' network.get_hostname`

func getHostname(context.Context, *modules.Env, none) (any, error) { return os.Hostname() }

const getFQDNDoc = `Tell the full name of this host.

CLI Example:

    salt '*' network.get_fqdn`

func getFQDN(ctx context.Context, env *modules.Env, _ none) (any, error) {
	return env.Grains.Items(ctx).Value("fqdn"), nil
}

const fqdnsDoc = `List the names that DNS has for the addresses of this host.

CLI Example:

    salt '*' network.fqdns`

func fqdns(ctx context.Context, _ *modules.Env, _ none) (any, error) {
	list, err := own(netip.Addr.IsValid, named(nil), false)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	out := []any{}
	for _, p := range list {
		names, _ := net.DefaultResolver.LookupAddr(ctx, p.Addr().WithZone("").String()) // without a name is no error
		for _, n := range names {
			if n = strings.TrimSuffix(n, "."); !slices.Contains(out, any(n)) {
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(a, b any) int { return strings.Compare(pyfmt.Str(a), pyfmt.Str(b)) })
	return ordered.Pairs("fqdns", out), nil
}

const routesDoc = `List the routes of the main table.

family
    inet or inet6: only those

CLI Example:

    salt '*' network.routes`

type familyArgs struct {
	Family string `arg:"family" def:"None"`
}

func routes(_ context.Context, _ *modules.Env, in familyArgs) (any, error) {
	if in.Family != "" && in.Family != "inet" && in.Family != "inet6" {
		return nil, modules.Errorf("Invalid address family %s", in.Family)
	}
	return table(in.Family, func(*ifaces.Route) bool { return true })
}

func table(family string, keep func(*ifaces.Route) bool) ([]any, error) {
	out := []any{}
	for version, name := range map[int]string{4: "inet", 6: "inet6"} {
		if family != "" && family != name {
			continue
		}
		list, err := ifaces.Routes(version)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if keep(&list[i]) {
				out = append(out, route(&list[i], name))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b any) int {
		x, _ := a.(*ordered.Map)
		y, _ := b.(*ordered.Map)
		return strings.Compare(x.String("addr_family"), y.String("addr_family"))
	})
	return out, nil
}

func route(r *ifaces.Route, family string) *ordered.Map {
	gateway, flags := "::", "U"
	if family == "inet" {
		gateway = "0.0.0.0"
	}
	if r.Gateway.IsValid() {
		gateway, flags = r.Gateway.String(), "UG"
	}
	if r.Dest.IsSingleIP() {
		flags += "H"
	}
	m := ordered.Pairs("addr_family", family, "destination", r.Dest.Addr().String(), "gateway", gateway)
	if family == "inet" {
		m.Set("netmask", ifaces.Netmask(r.Dest.Bits()))
	} else {
		m.Set("destination", r.Dest.String())
	}
	m.Set("flags", flags)
	m.Set("interface", r.Iface)
	return m
}

const defaultRouteDoc = `Tell the default routes.

family
    inet or inet6: only those

CLI Example:

    salt '*' network.default_route`

func defaultRoute(_ context.Context, _ *modules.Env, in familyArgs) (any, error) {
	return table(in.Family, (*ifaces.Route).Default)
}

const getRouteDoc = `Tell how packets to an address leave this host.

CLI Example:

    salt '*' network.get_route 10.10.10.10`

type ipOnlyArgs struct {
	IP string `arg:"ip"`
}

// getRoute asks the kernel by connecting a datagram socket, which sends nothing.
func getRoute(ctx context.Context, _ *modules.Env, in ipOnlyArgs) (any, error) {
	dst, err := netip.ParseAddr(in.IP)
	if err != nil {
		return nil, modules.Invalidf("'%s' does not appear to be an IPv4 or IPv6 address", in.IP)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(dst, 9).String())
	if err != nil {
		return nil, modules.Errorf("there is no route to %s: %v", in.IP, err)
	}
	local, _ := c.LocalAddr().(*net.UDPAddr)
	_ = c.Close()
	out := ordered.Pairs("destination", in.IP, "gateway", nil, "interface", nil, "source", local.IP.String())
	version := 6
	if dst.Is4() {
		version = 4
	}
	list, err := ifaces.Routes(version)
	best := -1
	for _, r := range list {
		if r.Dest.Contains(dst) && r.Dest.Bits() > best && !r.Reject {
			best = r.Dest.Bits()
			out.Set("interface", r.Iface)
			out.Set("gateway", nil)
			if r.Gateway.IsValid() {
				out.Set("gateway", r.Gateway.String())
			}
		}
	}
	return out, err
}
