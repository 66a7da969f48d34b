package proto

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"
)

// Login proves to the embedded broker that a client holds the key it names. It stands in the password of the MQTT
// CONNECT packet, with the id as user name and client id. Whoever could replay one gains nothing: the broker refuses one
// that it has seen, and everything that matters is sealed anyway.
type Login struct {
	ID     string `msgpack:"id"`
	Public []byte `msgpack:"pub"`
	Issued int64  `msgpack:"iat"` // Unix milliseconds by the minion's clock, informative: devices may wake without a clock
	Nonce  []byte `msgpack:"nonce"`
}

// NewLogin makes the password.
func NewLogin(k *Identity, id string) (string, error) {
	l := Login{ID: id, Public: k.Public(), Issued: time.Now().UnixMilli(), Nonce: make([]byte, 16)}
	if _, err := rand.Read(l.Nonce); err != nil {
		return "", fmt.Errorf("make a nonce: %w", err)
	}
	frame, err := sign(k, purposeLogin, l)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(frame), nil
}

// ParseLogin reads a password and checks its signature, not whether its key is accepted.
func ParseLogin(id string, password []byte) (*Login, error) {
	frame, err := base64.RawURLEncoding.DecodeString(string(password))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
	}
	l, err := unsign(frame, purposeLogin, func(l *Login) ed25519.PublicKey { return l.Public })
	if err != nil {
		return nil, err
	}
	if l.ID != id || len(l.Nonce) != 16 {
		return nil, fmt.Errorf("%w: a login of another id", ErrBadFrame)
	}
	return l, nil
}
