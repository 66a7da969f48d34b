// Package release is the master's side of releases: it makes them, pins and signs what they install, assigns them to
// devices, tells each device through its pillar what it should have, and keeps the record of every run.
package release

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"brine/fileroots"
	"brine/internal/atomicfile"
	"brine/internal/ordered"
	"brine/master/store"
	"brine/proto"
	rel "brine/release"
)

// Docs is where all of it is kept.
type Docs interface {
	PutDoc(ctx context.Context, kind, key string, v any) error
	Doc(ctx context.Context, kind, key string) (any, error)
	DeleteDoc(ctx context.Context, kind, key string) error
	Docs(ctx context.Context, kind, prefix string, limit int) ([]store.Document, error)
}

// The kinds of documents.
const (
	kindRelease = "release"        // by id
	kindPlan    = "release plan"   // by minion id: what it should have
	kindRun     = "release run"    // by run id
	kindRunHead = "release head"   // by time and run id
	kindState   = "release device" // by minion id: what it last said
)

// Options of a Service.
type Options struct {
	Docs Docs
	// Roots are the file roots, Pillar the pillar roots, as they are now.
	Roots, Pillar *fileroots.Roots
	// Dir is where pinned trees are kept; PKIDir has the release key.
	Dir, PKIDir string
	// Resolve finds the minions of a target.
	Resolve func(ctx context.Context, tgt any, tgtType string) ([]string, error)
	// Changed is told of minions whose pillar is another now; nil: nobody is.
	Changed func(ids []string)
}

// Service manages releases. Safe for concurrent use.
type Service struct {
	o   Options
	key ed25519.PrivateKey

	mu sync.Mutex // one release is made at a time; plans are read and written whole
}

// New opens the service and makes the release key when there is none.
func New(o Options) (*Service, error) {
	id, err := proto.LoadIdentity(o.PKIDir, "release")
	if err != nil {
		return nil, err
	}
	src, err := id.PrivatePEM()
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(src)
	if block == nil {
		return nil, errors.New("the release key is no PEM file")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("release key: %w", err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("the release key is not an Ed25519 key")
	}
	return &Service{o: o, key: private}, nil
}

// PublicKey is the key that devices may be given as release_key, as PEM.
func (s *Service) PublicKey() string {
	public, _ := s.key.Public().(ed25519.PublicKey)
	return proto.PublicPEM(public)
}

// Tree is the folder of the pinned files of a release, as fileroots finds it: "@ID" stands for __env__.
func Tree(dir string) string { return filepath.Join(dir, fileroots.AnyEnv, "files") }

// Create pins what an environment holds now as a release, and signs it.
func (s *Service) Create(ctx context.Context, version, saltenv, note string) (*ordered.Map, error) {
	if version == "" || strings.ContainsAny(version, "\n\x00") {
		return nil, errors.New("a release needs a version, such as 1.4.2")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.o.Docs.Docs(ctx, kindRelease, "", 0)
	if err != nil {
		return nil, err
	}
	m := &rel.Manifest{Version: version, Saltenv: saltenv, Created: time.Now().Unix(), Note: note, Files: []rel.Entry{}, Pillar: []rel.Entry{}}
	for _, d := range all {
		if r, ok := d.Body.(*ordered.Map); ok {
			if r.String("version") == version {
				return nil, fmt.Errorf("there is a release %s already (%s): choose another version", version, d.Key)
			}
			n, _ := r.Value("sequence").(int64)
			m.Sequence = max(m.Sequence, n)
		}
	}
	m.Sequence++
	tmp, err := os.MkdirTemp(s.ensure(), "new-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if m.Files, err = pin(ctx, s.o.Roots, saltenv, filepath.Join(tmp, "files")); err != nil {
		return nil, err
	}
	if m.Pillar, err = pin(ctx, s.o.Pillar, saltenv, filepath.Join(tmp, "pillar")); err != nil {
		return nil, err
	}
	if len(m.Files) == 0 {
		return nil, fmt.Errorf("the environment %s has no files: nothing to release", saltenv)
	}
	signed, id, err := rel.Seal(m, s.key)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return nil, err
	}
	if err := os.Rename(tmp, filepath.Join(s.o.Dir, rel.Env(id))); err != nil {
		return nil, err
	}
	if err := atomicfile.SyncDir(s.o.Dir); err != nil {
		return nil, err
	}
	doc := ordered.Pairs("id", id, "version", version, "saltenv", saltenv, "sequence", m.Sequence, "created", m.Time().Format(time.RFC3339), "note", note,
		"files", int64(len(m.Files)), "pillar", int64(len(m.Pillar)), "manifest", string(signed.Manifest),
		"signature", base64.StdEncoding.EncodeToString(signed.Signature), "public", base64.StdEncoding.EncodeToString(signed.Public))
	if err := s.o.Docs.PutDoc(ctx, kindRelease, id, doc); err != nil {
		return nil, err
	}
	return shown(doc), nil
}

// shown is a release without its manifest.
func shown(doc *ordered.Map) *ordered.Map {
	out := doc.Clone()
	for _, k := range []string{"manifest", "signature", "public"} {
		out.Delete(k)
	}
	return out
}

func (s *Service) ensure() string {
	_ = os.MkdirAll(s.o.Dir, 0o755) // what needs it says so
	return s.o.Dir
}

// pin copies the files of an environment and lists them with their hashes.
func pin(ctx context.Context, roots *fileroots.Roots, saltenv, dir string) ([]rel.Entry, error) {
	names, err := roots.List(ctx, saltenv, "")
	if err != nil {
		return nil, err
	}
	out := []rel.Entry{}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := pinOne(roots, saltenv, name, filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("pin %s: %w", name, err)
		}
		out = append(out, e)
	}
	return out, nil
}

func pinOne(roots *fileroots.Roots, saltenv, name, dst string) (rel.Entry, error) {
	f, err := roots.Open(saltenv, name)
	if err != nil {
		return rel.Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return rel.Entry{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
		return rel.Entry{}, err
	}
	h := sha256.New()
	var n int64
	mode := info.Mode().Perm()
	err = atomicfile.WriteFrom(dst, mode&0o555, func(w io.Writer) (err error) {
		n, err = io.Copy(io.MultiWriter(w, h), f)
		return err
	})
	return rel.Entry{Path: name, SHA256: hex.EncodeToString(h.Sum(nil)), Size: n, Mode: uint32(mode)}, err
}

// List lists the releases, the newest first.
func (s *Service) List(ctx context.Context) ([]*ordered.Map, error) {
	docs, err := s.o.Docs.Docs(ctx, kindRelease, "", 0)
	if err != nil {
		return nil, err
	}
	var out []*ordered.Map
	for _, d := range docs {
		if m, ok := d.Body.(*ordered.Map); ok {
			out = append(out, shown(m))
		}
	}
	sortBySequence(out)
	return out, nil
}

// Find finds a release by id, the beginning of one, or version.
func (s *Service) Find(ctx context.Context, name string) (*ordered.Map, error) {
	docs, err := s.o.Docs.Docs(ctx, kindRelease, "", 0)
	if err != nil {
		return nil, err
	}
	var found []*ordered.Map
	for _, d := range docs {
		m, ok := d.Body.(*ordered.Map)
		if ok && (d.Key == name || m.String("version") == name) {
			return m, nil
		}
		if ok && len(name) >= 6 && strings.HasPrefix(d.Key, name) {
			found = append(found, m)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return nil, fmt.Errorf("there is no release %q: see brine release list", name)
}

// Manifest answers a device that asks for the manifest of a release; an empty one means that there is none.
func (s *Service) Manifest(ctx context.Context, id string) (*rel.Signed, error) {
	v, err := s.o.Docs.Doc(ctx, kindRelease, id)
	if errors.Is(err, store.ErrNotFound) {
		return &rel.Signed{}, nil
	}
	m, ok := v.(*ordered.Map)
	if err != nil || !ok {
		return nil, err
	}
	out := &rel.Signed{Manifest: []byte(m.String("manifest"))}
	if out.Signature, err = base64.StdEncoding.DecodeString(m.String("signature")); err != nil {
		return nil, fmt.Errorf("release %s: %w", id, err)
	}
	out.Public, err = base64.StdEncoding.DecodeString(m.String("public"))
	return out, err
}

// PillarRoots are the pinned pillar inputs of a release.
func (s *Service) PillarRoots(ctx context.Context, id string) (*fileroots.Roots, error) {
	v, err := s.o.Docs.Doc(ctx, kindRelease, id)
	if err != nil {
		return nil, fmt.Errorf("release %s: %w", id, err)
	}
	m, _ := v.(*ordered.Map)
	return fileroots.New(fileroots.Options{Envs: map[string][]string{m.String("saltenv"): {filepath.Join(s.o.Dir, rel.Env(id), "pillar")}}}), nil
}
