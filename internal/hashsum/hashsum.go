// Package hashsum names the checksums that Salt knows and computes them over files and texts.
package hashsum

import (
	"crypto/md5"  //nolint:gosec // offered because Salt's users have such sums, never used to protect anything
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// Kind is one algorithm: its name and how many hexadecimal digits a sum has.
type Kind struct {
	Name string
	Len  int
}

// Kinds lists the algorithms, shortest sum first.
func Kinds() []Kind {
	return []Kind{{"md5", 32}, {"sha1", 40}, {"sha224", 56}, {"sha256", 64}, {"sha384", 96}, {"sha512", 128}}
}

// Length is how many digits a sum has, 0 for a name that is not known.
func Length(name string) int {
	for _, k := range Kinds() {
		if k.Name == name {
			return k.Len
		}
	}
	return 0
}

// ByLength is the algorithm whose sums have n digits, "" for none.
func ByLength(n int) string {
	for _, k := range Kinds() {
		if k.Len == n {
			return k.Name
		}
	}
	return ""
}

// Supported is the list in messages: "md5 (32), sha1 (40) ...".
func Supported() string {
	var parts []string
	for _, k := range Kinds() {
		parts = append(parts, fmt.Sprintf("%s (%d)", k.Name, k.Len))
	}
	return strings.Join(parts, ", ")
}

// New makes a hash by name, nil for a name that is not known.
func New(name string) hash.Hash {
	switch name {
	case "md5":
		return md5.New() //nolint:gosec // see the import
	case "sha1":
		return sha1.New() //nolint:gosec // see the import
	case "sha224":
		return sha256.New224()
	case "sha256":
		return sha256.New()
	case "sha384":
		return sha512.New384()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// Sum is the checksum of p in hexadecimal, "" for a name that is not known.
func Sum(name string, p []byte) string {
	h := New(name)
	if h == nil {
		return ""
	}
	h.Write(p)
	return hex.EncodeToString(h.Sum(nil))
}

// UnknownError names an algorithm that is not known.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return "Invalid hash type: " + e.Name }

// File is the checksum of a file's content in hexadecimal.
func File(path, name string) (string, error) {
	h := New(name)
	if h == nil {
		return "", &UnknownError{name}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
