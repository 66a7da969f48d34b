package release

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Manifest pins what a release installs: every file of its environment's file roots and pillar inputs by content. The
// release's id is derived from it, so that another content is another release.
type Manifest struct {
	Version string `json:"version"`
	// Saltenv is the environment that was taken.
	Saltenv string `json:"saltenv"`
	// Sequence grows with every release of a master: a device refuses one lower than it has had.
	Sequence int64  `json:"sequence"`
	Created  int64  `json:"created"` // Unix seconds
	Note     string `json:"note,omitempty"`
	// Files are those of the file roots, Pillar those of the pillar roots, sorted by path.
	Files  []Entry `json:"files"`
	Pillar []Entry `json:"pillar"`
}

// Entry is one pinned file.
type Entry struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode,omitempty"`
}

// Signed is a manifest as it travels: its bytes, and the release key's signature over them.
type Signed struct {
	Manifest  []byte `json:"manifest" msgpack:"manifest"`
	Signature []byte `json:"signature" msgpack:"signature"`
	Public    []byte `json:"public" msgpack:"public"` // of the key that signed
}

// signPurpose separates signatures of manifests from all others that a key might make.
const signPurpose = "brine release manifest v1\x00"

// Seal encodes and signs a manifest, and tells the release's id: the first 40 hex digits of the SHA-256 of its bytes.
func Seal(m *Manifest, key ed25519.PrivateKey) (*Signed, string, error) {
	byPath := func(a, b Entry) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(m.Files, byPath)
	slices.SortFunc(m.Pillar, byPath)
	if err := m.check(); err != nil {
		return nil, "", err
	}
	src, err := json.Marshal(m)
	if err != nil {
		return nil, "", err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	return &Signed{Manifest: src, Signature: ed25519.Sign(key, append([]byte(signPurpose), src...)), Public: public}, ID(src), nil
}

// ID is the release id of an encoded manifest.
func ID(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return hex.EncodeToString(sum[:])[:40]
}

// The reasons for which a release is refused.
var (
	ErrForeign  = errors.New("the release is signed by a key that this device does not trust")
	ErrTampered = errors.New("the release is not what was signed")
	ErrOlder    = errors.New("the release is older than one that this device has had")
	ErrUnsigned = errors.New("the release is not signed, and this device has a release key")
)

const maxManifest = 16 << 20

// Open checks a manifest against the id that the device was told, the key that it trusts and the sequence that it has
// had. A nil key trusts the one that is sent: the caller pins it.
func (s *Signed) Open(id string, trusted ed25519.PublicKey, sequence int64) (*Manifest, error) {
	switch {
	case len(s.Manifest) > maxManifest:
		return nil, fmt.Errorf("%w: %d bytes of manifest", ErrTampered, len(s.Manifest))
	case ID(s.Manifest) != id:
		return nil, fmt.Errorf("%w: its manifest has the id %s, not %s", ErrTampered, ID(s.Manifest), id)
	case len(s.Public) != ed25519.PublicKeySize:
		return nil, fmt.Errorf("%w: no key", ErrForeign)
	case trusted != nil && !bytes.Equal(trusted, s.Public):
		return nil, ErrForeign
	case !ed25519.Verify(s.Public, append([]byte(signPurpose), s.Manifest...), s.Signature):
		return nil, fmt.Errorf("%w: the signature does not verify", ErrTampered)
	}
	m := &Manifest{}
	d := json.NewDecoder(bytes.NewReader(s.Manifest))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	if m.Sequence < sequence {
		return nil, fmt.Errorf("%w: number %d, the device has had %d", ErrOlder, m.Sequence, sequence)
	}
	return m, nil
}

// check refuses names that could leave the roots, and entries that stand twice.
func (m *Manifest) check() error {
	for _, list := range [][]Entry{m.Files, m.Pillar} {
		for i, e := range list {
			if e.Path == "" || path.Clean("/"+e.Path) != "/"+e.Path || strings.ContainsRune(e.Path, 0) {
				return fmt.Errorf("%q is not a path below the roots", e.Path)
			}
			if b, err := hex.DecodeString(e.SHA256); err != nil || len(b) != sha256.Size {
				return fmt.Errorf("%s: %q is not a SHA-256", e.Path, e.SHA256)
			}
			if i > 0 && list[i-1].Path >= e.Path {
				return fmt.Errorf("%s stands twice or out of order", e.Path)
			}
		}
	}
	if m.Saltenv == "" {
		return errors.New("no environment")
	}
	return nil
}

// Time is when the release was made.
func (m *Manifest) Time() time.Time { return time.Unix(m.Created, 0).UTC() }

// File finds a pinned file of the file roots.
func (m *Manifest) File(name string) (Entry, bool) { return find(m.Files, name) }

// PillarFile finds a pinned file of the pillar roots.
func (m *Manifest) PillarFile(name string) (Entry, bool) { return find(m.Pillar, name) }

func find(list []Entry, name string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(list, name, func(e Entry, name string) int { return strings.Compare(e.Path, name) })
	if !ok {
		return Entry{}, false
	}
	return list[i], true
}

// Env is the name under which the master serves the pinned files of a release.
func Env(id string) string { return "@" + id }
