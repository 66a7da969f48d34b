package target

import (
	"fmt"
	"net/netip"

	"brine/internal/ordered"
)

// parseIPCIDR is one address or a network; a minion matches by the addresses of its ipv4 and ipv6 grains.
func parseIPCIDR(text string) (Matcher, error) {
	var contains func(netip.Addr) bool
	if addr, err := netip.ParseAddr(text); err == nil {
		contains = func(a netip.Addr) bool { return a == addr }
	} else {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8", text)
		}
		p = p.Masked()
		contains = p.Contains
	}
	return matchFunc(func(f *Facts) bool {
		g := f.grains()
		return anyAddr(g, "ipv4", contains) || anyAddr(g, "ipv6", contains)
	}), nil
}

func anyAddr(grains *ordered.Map, key string, contains func(netip.Addr) bool) bool {
	for _, v := range grains.List(key) {
		text, _ := v.(string)
		if a, err := netip.ParseAddr(text); err == nil && contains(a.WithZone("")) {
			return true
		}
	}
	return false
}
