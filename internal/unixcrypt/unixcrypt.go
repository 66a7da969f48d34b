// Package unixcrypt makes the password hashes of /etc/shadow: SHA-512 and SHA-256 as Ulrich Drepper specified them
// (https://www.akkadia.org/drepper/SHA-crypt.txt), and the older MD5 one.
package unixcrypt

import (
	"crypto/md5" //nolint:gosec // the old hash is asked for by name
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

const itoa64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Errors of Hash.
var (
	ErrAlgorithm = errors.New("Unsupported hash algorithm") // not sha512, sha256 or md5
	ErrSalt      = errors.New("the salt has a character that cannot stand in one")
)

const (
	defaultRounds = 5000
	minRounds     = 1000
	maxRounds     = 999_999_999
)

// Hash makes the hash of a password: algorithm is sha512, sha256 or md5; an empty salt is made up. The salt may begin
// with "rounds=N$".
func Hash(password, salt, algorithm string) (string, error) {
	if salt == "" {
		var err error
		if salt, err = NewSalt(8); err != nil {
			return "", err
		}
	}
	if i := strings.LastIndexByte(salt, '$'); strings.ContainsAny(salt[i+1:], ":\n*!;\\") {
		return "", ErrSalt
	}
	switch algorithm {
	case "sha512":
		return sha2("6", password, salt, sha512.New, order512()), nil
	case "sha256":
		return sha2("5", password, salt, sha256.New, order256()), nil
	case "md5":
		return md5crypt(password, salt), nil
	}
	return "", ErrAlgorithm
}

// Verify tells whether a password has a hash that Hash made.
func Verify(password, hashed string) bool {
	parts := strings.Split(hashed, "$")
	if len(parts) < 4 {
		return false
	}
	algorithm := map[string]string{"6": "sha512", "5": "sha256", "1": "md5"}[parts[1]]
	got, err := Hash(password, strings.Join(parts[2:len(parts)-1], "$"), algorithm)
	return err == nil && subtle.ConstantTimeCompare([]byte(got), []byte(hashed)) == 1
}

// NewSalt makes up a salt of n characters.
func NewSalt(n int) (string, error) {
	buf := make([]byte, n)
	if _, err := rand.Read(buf); err != nil {
		return "", err
	}
	for i := range buf {
		buf[i] = itoa64[buf[i]&63]
	}
	return string(buf), nil
}

func sha2(id, password, salt string, newHash func() hash.Hash, order []int) string {
	rounds, head := defaultRounds, "$"+id+"$"
	if v, rest, ok := strings.Cut(strings.TrimPrefix(salt, "rounds="), "$"); ok && strings.HasPrefix(salt, "rounds=") {
		if n, err := strconv.Atoi(v); err == nil {
			rounds, salt = min(max(n, minRounds), maxRounds), rest
			head += fmt.Sprintf("rounds=%d$", rounds)
		}
	}
	salt, _, _ = strings.Cut(salt, "$")
	salt = salt[:min(len(salt), 16)]
	pw, s := []byte(password), []byte(salt)

	b := sum(newHash, pw, s, pw)
	a := newHash()
	a.Write(pw)
	a.Write(s)
	a.Write(repeat(b, len(pw)))
	for n := len(pw); n > 0; n >>= 1 {
		if n&1 != 0 {
			a.Write(b)
		} else {
			a.Write(pw)
		}
	}
	digest := a.Sum(nil)
	p := repeat(sum(newHash, bytesTimes(pw, len(pw))), len(pw))
	q := repeat(sum(newHash, bytesTimes(s, 16+int(digest[0]))), len(s))
	for i := range rounds {
		digest = round(newHash(), i, digest, p, q)
	}
	return head + salt + "$" + encode(digest, order)
}

// round is one round, common to all three algorithms.
func round(h hash.Hash, i int, digest, p, s []byte) []byte {
	if i&1 != 0 {
		h.Write(p)
	} else {
		h.Write(digest)
	}
	if i%3 != 0 {
		h.Write(s)
	}
	if i%7 != 0 {
		h.Write(p)
	}
	if i&1 != 0 {
		h.Write(digest)
	} else {
		h.Write(p)
	}
	return h.Sum(nil)
}

func md5crypt(password, salt string) string {
	salt, _, _ = strings.Cut(salt, "$")
	salt = salt[:min(len(salt), 8)]
	pw, s := []byte(password), []byte(salt)
	b := sum(md5.New, pw, s, pw)
	a := md5.New() //nolint:gosec // see the import
	a.Write(pw)
	a.Write([]byte("$1$"))
	a.Write(s)
	a.Write(repeat(b, len(pw)))
	for n := len(pw); n > 0; n >>= 1 {
		if n&1 != 0 {
			a.Write([]byte{0})
		} else {
			a.Write(pw[:1])
		}
	}
	digest := a.Sum(nil)
	for i := range 1000 {
		digest = round(md5.New(), i, digest, pw, s) //nolint:gosec // see the import
	}
	return "$1$" + salt + "$" + encode(digest, []int{12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11})
}

func sum(newHash func() hash.Hash, parts ...[]byte) []byte {
	h := newHash()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// repeat repeats p until it has n bytes.
func repeat(p []byte, n int) []byte {
	out := make([]byte, 0, n+len(p))
	for len(out) < n {
		out = append(out, p...)
	}
	return out[:n]
}

func bytesTimes(p []byte, n int) []byte {
	out := make([]byte, 0, n*len(p))
	for range n {
		out = append(out, p...)
	}
	return out
}

// encode writes the digest's bytes in an order, three of them, lowest first, as four characters.
func encode(digest []byte, order []int) string {
	var b strings.Builder
	for i := 0; i < len(order); i += 3 {
		group := order[i:min(i+3, len(order))]
		v := 0
		for j, at := range group {
			v |= int(digest[at]) << (8 * j)
		}
		for range len(group) + 1 {
			b.WriteByte(itoa64[v&63])
			v >>= 6
		}
	}
	return b.String()
}

// order512 and order256 are the specification's orders of bytes.
func order512() []int {
	var out []int
	a, b, c := 0, 21, 42
	for range 21 {
		out = append(out, c, b, a)
		a, b, c = b+1, c+1, a+1
	}
	return append(out, 63)
}

func order256() []int {
	var out []int
	a, b, c := 0, 10, 20
	for range 10 {
		out = append(out, c, b, a)
		a, b, c = c+1, a+1, b+1
	}
	return append(out, 30, 31)
}
