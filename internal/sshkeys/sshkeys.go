// Package sshkeys reads and edits authorized_keys files (see sshd(8)): options, kind, key and comment of each line.
package sshkeys

import (
	"crypto/md5"  //nolint:gosec // a fingerprint that users ask for
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

var (
	line = regexp.MustCompile(`^(.*?)\s?((?:sk-)?(?:ssh-|ecds)[\w-]+(?:@openssh\.com)?\s.+)$`)
	kind = regexp.MustCompile(`^(ssh-|ecds)`)
)

// Key is one line of an authorized_keys file.
type Key struct {
	Enc, Key, Comment string
	Options           []string
}

// Line is the key as it is written, with its end.
func (k Key) Line() string {
	options := ""
	if len(k.Options) > 0 {
		options = strings.Join(k.Options, ",") + " "
	}
	return options + k.Enc + " " + k.Key + " " + k.Comment + "\n"
}

// Full tells whether a line begins with a kind, so that it has no options.
func Full(s string) bool { return kind.MatchString(s) }

// ParseLine reads "options kind key comment"; false for a line that is none.
func ParseLine(s string) (Key, bool) {
	m := line.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return Key{}, false
	}
	fields := strings.Fields(m[2])
	if len(fields) < 2 {
		return Key{}, false
	}
	return Key{Enc: fields[0], Key: fields[1], Comment: strings.Join(fields[2:], " "), Options: options(m[1])}, true
}

// options splits at commas that are not in quotes.
func options(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	quoted, from := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"' && (i == 0 || s[i-1] != '\\'):
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out, from = append(out, s[from:i]), i+1
		}
	}
	return append(out, s[from:])
}

// Parse reads a file: its keys in order, those whose key is no base64 left out.
func Parse(text string) []Key {
	var out []Key
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "#") {
			continue
		}
		if k, ok := ParseLine(l); ok && Fingerprint(k.Key, "sha256") != "" {
			out = append(out, k)
		}
	}
	return out
}

// Remove takes the lines of a key out of a file.
func Remove(text, key string) string {
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(l string) bool {
		k, ok := ParseLine(l)
		return ok && !strings.HasPrefix(l, "#") && k.Key == key
	})
	return strings.Join(lines, "")
}

// Replace writes the line of a key anew.
func Replace(text string, now Key) string {
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if k, ok := ParseLine(l); ok && !strings.HasPrefix(l, "#") && k.Key == now.Key {
			lines[i] = now.Line()
		}
	}
	return strings.Join(lines, "")
}

// Fingerprint is the checksum of a key as pairs of digits, "" for what is no key.
func Fingerprint(key, hash string) string {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) == 0 {
		return ""
	}
	var sum []byte
	switch hash {
	case "md5":
		s := md5.Sum(raw) //nolint:gosec // see above
		sum = s[:]
	case "sha1":
		s := sha1.Sum(raw) //nolint:gosec // see above
		sum = s[:]
	default:
		s := sha256.Sum256(raw)
		sum = s[:]
	}
	digits := hex.EncodeToString(sum)
	var pairs []string
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, digits[i:i+2])
	}
	return strings.Join(pairs, ":")
}

// Kind brings the short names of kinds into the long form; false for one that is not known.
func Kind(enc string) (string, bool) {
	switch enc {
	case "r", "rsa", "ssh-rsa":
		return "ssh-rsa", true
	case "d", "dsa", "dss", "ssh-dss":
		return "ssh-dss", true
	case "e", "ecdsa":
		return "ecdsa-sha2-nistp256", true
	case "ed25519", "ssh-ed25519":
		return "ssh-ed25519", true
	case "ecdsa-sk":
		return "sk-ecdsa-sha2-nistp256@openssh.com", true
	case "ed25519-sk":
		return "sk-ssh-ed25519@openssh.com", true
	case "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ssh-ed25519@openssh.com":
		return enc, true
	}
	return "", false
}
