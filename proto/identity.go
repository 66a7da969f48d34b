package proto

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Identity is the long-lived Ed25519 key (RFC 8032) of a master or a minion.
type Identity struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// NewIdentity makes a fresh key.
func NewIdentity() (*Identity, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an identity key: %w", err)
	}
	return &Identity{private: priv, public: pub}, nil
}

// Public is the public half, 32 bytes.
func (k *Identity) Public() ed25519.PublicKey { return k.public }

// Sign signs data for one purpose; a signature made for one purpose verifies for no other.
func (k *Identity) Sign(purpose string, data []byte) []byte {
	return ed25519.Sign(k.private, purposed(purpose, data))
}

// Verify checks a signature that Sign made.
func Verify(public ed25519.PublicKey, purpose string, data, sig []byte) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, purposed(purpose, data), sig)
}

func purposed(purpose string, data []byte) []byte {
	out := make([]byte, 0, len("brine/1 ")+len(purpose)+1+len(data))
	out = append(out, "brine/1 "...)
	out = append(out, purpose...)
	out = append(out, 0)
	return append(out, data...)
}

const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// PrivatePEM is the key as PKCS#8 in PEM.
func (k *Identity) PrivatePEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// ParseIdentity reads what PrivatePEM wrote.
func ParseIdentity(text []byte) (*Identity, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != privateBlock {
		return nil, errors.New("no PEM block PRIVATE KEY")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	priv, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("a %T, want an Ed25519 key", key)
	}
	return &Identity{private: priv, public: priv.Public().(ed25519.PublicKey)}, nil
}

// PublicPEM is a public key as PKIX in PEM, the text that key listings show.
func PublicPEM(public ed25519.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der}))
}

// ParsePublic reads what PublicPEM wrote.
func ParsePublic(text string) (ed25519.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != publicBlock {
		return nil, errors.New("no PEM block PUBLIC KEY")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	pub, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a %T, want an Ed25519 key", key)
	}
	return pub, nil
}

// Finger is the fingerprint of a public key as Salt prints it: SHA-256 over the lines between the PEM markers, as 32
// hexadecimal pairs with colons.
func Finger(public ed25519.PublicKey) string {
	lines := strings.SplitAfter(strings.TrimSpace(PublicPEM(public))+"\n", "\n")
	var body string
	if len(lines) > 3 {
		body = strings.Join(lines[1:len(lines)-2], "")
	}
	sum := sha256.Sum256([]byte(body))
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(pairs, ":")
}

// SameFinger compares fingerprints without regard to case and colons.
func SameFinger(a, b string) bool {
	clean := func(s string) []byte {
		return []byte(strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), ":", "")))
	}
	return len(clean(a)) > 0 && subtle.ConstantTimeCompare(clean(a), clean(b)) == 1
}
