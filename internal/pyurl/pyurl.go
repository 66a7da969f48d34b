// Package pyurl takes addresses apart as Python's urllib.parse.urlparse does, and knows the protocols and the query that
// Salt gives its file addresses.
package pyurl

import (
	"net/url"
	"slices"
	"strings"
)

// URL is an address in parts.
type URL struct{ Scheme, Netloc, Path, Query, Fragment string }

// Parse never fails: what is no address is a path.
func Parse(s string) URL {
	var u URL
	if i := strings.IndexByte(s, ':'); i > 0 && validScheme(s[:i]) {
		u.Scheme, s = strings.ToLower(s[:i]), s[i+1:]
	}
	if strings.HasPrefix(s, "//") {
		s = s[2:]
		end := strings.IndexAny(s, "/?#")
		if end < 0 {
			end = len(s)
		}
		u.Netloc, s = s[:end], s[end:]
	}
	s, u.Fragment, _ = strings.Cut(s, "#")
	u.Path, u.Query, _ = strings.Cut(s, "?")
	return u
}

func validScheme(s string) bool {
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return true
}

// Remote tells whether a protocol fetches from elsewhere than the master.
func Remote(scheme string) bool {
	return slices.Contains([]string{"http", "https", "ftp", "swift", "s3"}, scheme)
}

// Protocols lists the protocols of file addresses, in the order of Salt's messages.
func Protocols() []string { return []string{"salt", "file", "http", "https", "ftp", "swift", "s3"} }

// Known tells whether a protocol is one of file addresses.
func Known(scheme string) bool { return slices.Contains(Protocols(), scheme) }

// Salt reads a salt:// address: the path below the roots and the environment named in it, "" for none. Any other
// address is given back as it is.
func Salt(s string) (path, saltenv string) {
	rest, ok := strings.CutPrefix(s, "salt://")
	if !ok {
		return s, ""
	}
	path, query, _ := strings.Cut(rest, "?")
	path = strings.TrimLeft(path, "/")
	if v, ok := strings.CutPrefix(query, "saltenv="); ok {
		return path, v
	}
	if query != "" {
		path += "?" + query
	}
	return path, ""
}

// SplitEnv takes the environment off a salt:// address and leaves the rest an address.
func SplitEnv(s string) (rest, saltenv string) {
	if !strings.HasPrefix(s, "salt://") {
		return s, ""
	}
	path, saltenv := Salt(s)
	return "salt://" + path, saltenv
}

// Redact hides user and password of a web address.
func Redact(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	u.User = url.UserPassword("<redacted>", "<redacted>")
	return strings.ReplaceAll(u.String(), "%3Credacted%3E", "<redacted>")
}
