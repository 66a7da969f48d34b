package grains

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"brine/internal/ordered"
)

// hostName sets localhost, fqdn, host and domain.
func (d *detector) hostName(ctx context.Context, out *ordered.Map) {
	name := d.m.Node
	out.Set("localhost", name)
	if d.fqdn = d.canonical(ctx, name); d.fqdn == "" {
		d.fqdn = name
	}
	if d.fqdn == "" {
		d.fqdn = "localhost.localdomain"
	}
	host, domain, _ := strings.Cut(d.fqdn, ".")
	out.Set("fqdn", d.fqdn)
	out.Set("host", host)
	out.Set("domain", domain)
}

// services lists where the system looks names up, in order.
func (d *detector) services() []string {
	for line := range strings.Lines(d.root.read("/etc/nsswitch.conf")) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "hosts:" {
			return slices.DeleteFunc(f[1:], func(s string) bool { return strings.HasPrefix(s, "[") })
		}
	}
	return []string{"files", "dns"}
}

// canonical is the full name of a host, "" when nobody knows it.
func (d *detector) canonical(ctx context.Context, name string) string {
	for _, service := range d.services() {
		switch service {
		case "files":
			if full, _ := d.hosts(name); full != "" {
				return full
			}
		case "myhostname", "resolve":
			if name == d.m.Node {
				return name
			}
		case "dns":
			if full := d.ask(ctx, name).name; full != "" {
				return full
			}
		}
	}
	return ""
}

// addressesOf are the IPv4 and IPv6 addresses of a name.
func (d *detector) addressesOf(ctx context.Context, name string) (out [2][]netip.Addr) {
	var found []netip.Addr
	for _, service := range d.services() {
		switch service {
		case "files":
			_, found = d.hosts(name)
		case "myhostname", "resolve":
			if name == d.m.Node {
				found = d.own()
			}
		case "dns":
			found = d.ask(ctx, name).addrs
		}
		if len(found) > 0 {
			break
		}
	}
	for _, ip := range found {
		if i := family(ip); !slices.Contains(out[i], ip) {
			out[i] = append(out[i], ip)
		}
	}
	return out
}

// hosts looks a name up in /etc/hosts.
func (d *detector) hosts(name string) (canonical string, addrs []netip.Addr) {
	for line := range strings.Lines(d.root.read("/etc/hosts")) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 || !slices.ContainsFunc(f[1:], func(n string) bool { return strings.EqualFold(n, name) }) {
			continue
		}
		ip, err := netip.ParseAddr(f[0])
		if err != nil {
			continue
		}
		if canonical == "" {
			canonical = f[1]
		}
		addrs = append(addrs, ip)
	}
	return canonical, addrs
}

// own are our addresses that others can reach us at, the loopback ones when there are no others.
func (d *detector) own() []netip.Addr {
	var out []netip.Addr
	for _, f := range d.m.Interfaces {
		for _, a := range f.Addrs {
			if a.Scope == "global" && !a.IP.IsLoopback() {
				out = append(out, a.IP)
			}
		}
	}
	if out == nil {
		out = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 2}), netip.IPv6Loopback()}
	}
	return out
}

// answer is what DNS says of a name.
type answer struct {
	name  string
	addrs []netip.Addr
}

// ask asks DNS, once for each name, and never longer than the bound.
func (d *detector) ask(ctx context.Context, name string) answer {
	if d.deaf || d.m.Resolver == nil || name == "" || len(parseResolv(d.root.read("/etc/resolv.conf")).servers) == 0 {
		return answer{}
	}
	ctx, cancel := context.WithTimeout(ctx, d.Resolve)
	defer cancel()
	var a answer
	addrs, err := d.m.Resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		d.deaf = true // do not wait for it a second time
		return a
	}
	for _, ip := range addrs {
		a.addrs = append(a.addrs, ip.Unmap())
	}
	if full, err := d.m.Resolver.LookupCNAME(ctx, name); err == nil {
		a.name = strings.TrimSuffix(full, ".")
	}
	return a
}

// reverse finds the names of addresses, all at a time.
func (d *detector) reverse(ctx context.Context, ips []netip.Addr) []any {
	if d.deaf || d.m.Resolver == nil {
		return []any{}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*d.Resolve)
	defer cancel()
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		found []string
	)
	for _, ip := range ips {
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			continue
		}
		wg.Go(func() {
			names, err := d.m.Resolver.LookupAddr(ctx, ip.String())
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, n := range names {
				found = append(found, strings.TrimSuffix(n, "."))
			}
		})
	}
	wg.Wait()
	return list(sortedSet(found))
}
