// Package debversion compares versions of Debian packages: [epoch:]upstream[-revision], as deb-version(7) orders them.
package debversion

import "strings"

// Compare is below, at or above 0 as a is older than, equal to or newer than b.
func Compare(a, b string) int {
	ea, ua, ra := split(a)
	eb, ub, rb := split(b)
	if c := number(ea, eb); c != 0 {
		return c
	}
	if c := part(ua, ub); c != 0 {
		return c
	}
	return part(ra, rb)
}

// WithoutEpoch cuts the epoch off.
func WithoutEpoch(v string) string {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		return rest
	}
	return v
}

func split(v string) (epoch, upstream, revision string) {
	upstream = v
	if e, rest, ok := strings.Cut(v, ":"); ok {
		epoch, upstream = e, rest
	}
	if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
		upstream, revision = upstream[:i], upstream[i+1:]
	}
	return epoch, upstream, revision
}

// part compares by turns what is not digits and what is.
func part(a, b string) int {
	for a != "" || b != "" {
		na, nb := lead(a, false), lead(b, false)
		if c := text(a[:na], b[:nb]); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
		na, nb = lead(a, true), lead(b, true)
		if c := number(a[:na], b[:nb]); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// lead is the length of the digits, or of what is not digits, at the begin of s.
func lead(s string, digits bool) int {
	i := 0
	for i < len(s) && digit(s[i]) == digits {
		i++
	}
	return i
}

func number(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// text compares so that a tilde stands before everything, even the end, and letters before all other signs.
func text(a, b string) int {
	for i := range max(len(a), len(b)) {
		if c := weight(a, i) - weight(b, i); c != 0 {
			return c
		}
	}
	return 0
}

func weight(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	c := s[i]
	switch {
	case c == '~':
		return -1
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return int(c)
	}
	return int(c) + 256
}
