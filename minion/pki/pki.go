// Package pki keeps the master's key that the minion trusts, in the file minion_master.pub.
package pki

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"brine/internal/atomicfile"
	"brine/proto"
)

// Pin is the pinned key of the master.
type Pin struct {
	path   string
	finger string

	mu  sync.Mutex
	key ed25519.PublicKey
}

// OpenPin reads the pinned key of a folder. finger, when set, is the fingerprint that the key must have.
func OpenPin(dir, finger string) (*Pin, error) {
	p := &Pin{path: filepath.Join(dir, "minion_master.pub"), finger: finger}
	text, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if p.key, err = proto.ParsePublic(string(text)); err != nil {
		return nil, fmt.Errorf("pinned key %s: %w", p.path, err)
	}
	if finger != "" && !proto.SameFinger(finger, proto.Finger(p.key)) {
		return nil, fmt.Errorf("the pinned key %s has not the fingerprint of the option master_finger: remove the file, if the master has a new key", p.path)
	}
	return p, nil
}

// Master is the pinned key, nil when there is none yet.
func (p *Pin) Master() ed25519.PublicKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key
}

// Check decides about the key of the first master that answers, and pins it.
func (p *Pin) Check(key ed25519.PublicKey) error {
	if p.finger != "" && !proto.SameFinger(p.finger, proto.Finger(key)) {
		return fmt.Errorf("the master's key has the fingerprint %s, the option master_finger wants %s", proto.Finger(key), p.finger)
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(p.path, []byte(proto.PublicPEM(key)), 0o644); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = key
	return nil
}
