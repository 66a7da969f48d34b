package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"brine/fileroots"
	"brine/internal/atomicfile"
	"brine/modules"
)

// Caller asks the master.
type Caller interface {
	Call(ctx context.Context, what string, args, out any) error
}

// Query names a file, or the files below a prefix, on the wire.
type Query struct {
	Env    string `msgpack:"env"`
	Path   string `msgpack:"path"`
	Offset int64  `msgpack:"off,omitempty"`
	Len    int    `msgpack:"len,omitempty"`
	Hash   string `msgpack:"hash,omitempty"` // the file must still be the one with this hash
}

// Stat describes a file; Hash is "" when there is none.
type Stat struct {
	Hash string `msgpack:"hash"`
	Size int64  `msgpack:"size"`
	Mode uint32 `msgpack:"mode"`
}

// Remote reads the master's files and keeps copies. A transfer that was cut off goes on where it stopped; a copy counts
// only when its hash is right.
type Remote struct {
	Master Caller
	// Dir is the cache: Dir/<environment>/<path>.
	Dir string

	once   sync.Once
	copies *fileroots.Roots
	mu     sync.Mutex
	busy   map[string]*sync.Mutex
}

var _ modules.Files = (*Remote)(nil)

const (
	chunkSize = 64 << 10
	// window is how many chunks are on their way at a time.
	window = 16
)

// Envs implements modules.Files.
func (r *Remote) Envs(ctx context.Context) (out []string, err error) {
	return out, r.Master.Call(ctx, "files.envs", nil, &out)
}

// List implements modules.Files.
func (r *Remote) List(ctx context.Context, saltenv, prefix string) (out []string, err error) {
	return out, r.Master.Call(ctx, "files.list", Query{Env: saltenv, Path: prefix}, &out)
}

// Dirs implements modules.Files.
func (r *Remote) Dirs(ctx context.Context, saltenv, prefix string) (out []string, err error) {
	return out, r.Master.Call(ctx, "files.dirs", Query{Env: saltenv, Path: prefix}, &out)
}

// Hash implements modules.Files.
func (r *Remote) Hash(ctx context.Context, saltenv, path string) (string, error) {
	s, err := r.stat(ctx, saltenv, path)
	return s.Hash, err
}

func (r *Remote) stat(ctx context.Context, saltenv, path string) (s Stat, err error) {
	return s, r.Master.Call(ctx, "files.stat", Query{Env: saltenv, Path: path}, &s)
}

// Cache implements modules.Files.
func (r *Remote) Cache(ctx context.Context, saltenv, path string) (string, error) {
	path, err := fileroots.Clean(path)
	if err != nil {
		return "", nil //nolint:nilerr // a path that leaves the roots is a file that is not there
	}
	s, err := r.stat(ctx, saltenv, path)
	if err != nil || s.Hash == "" {
		return "", err
	}
	root := filepath.Join(r.Dir, saltenv)
	if !filepath.IsLocal(saltenv) {
		return "", fmt.Errorf("environment %q is no folder name", saltenv)
	}
	dst := filepath.Join(root, filepath.FromSlash(path))
	unlock := r.lock(dst)
	defer unlock()
	if have, err := r.cached(saltenv, path); err == nil && have == s.Hash {
		return dst, nil
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o700); err != nil {
		return "", err
	}
	return dst, r.fetch(ctx, Query{Env: saltenv, Path: path, Hash: s.Hash}, s, dst)
}

// cached is the hash of the copy; it is computed once for each content.
func (r *Remote) cached(saltenv, path string) (string, error) {
	r.once.Do(func() {
		r.copies = fileroots.New(fileroots.Options{Envs: map[string][]string{fileroots.AnyEnv: {filepath.Join(r.Dir, fileroots.AnyEnv)}}})
	})
	return r.copies.Hash(saltenv, path)
}

// lock keeps two jobs from fetching one file at once.
func (r *Remote) lock(dst string) (unlock func()) {
	r.mu.Lock()
	if r.busy == nil {
		r.busy = map[string]*sync.Mutex{}
	}
	m := r.busy[dst]
	if m == nil {
		m = &sync.Mutex{}
		r.busy[dst] = m
	}
	r.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// fetch gets a file in chunks into a part file named by the hash, so that a later call goes on with it.
func (r *Remote) fetch(ctx context.Context, q Query, s Stat, dst string) error {
	part := filepath.Join(filepath.Dir(dst), "."+q.Hash[:16]+".part")
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.fill(ctx, q, s.Size, f); err != nil {
		return fmt.Errorf("fetch salt://%s: %w", q.Path, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != q.Hash {
		_ = os.Remove(part)
		return fmt.Errorf("fetch salt://%s: what came has the hash %s, want %s", q.Path, got, q.Hash)
	}
	if err := errors.Join(f.Sync(), f.Chmod(fs.FileMode(s.Mode)&0o777|0o600), os.Rename(part, dst)); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(dst))
}

func (r *Remote) fill(ctx context.Context, q Query, size int64, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	start := min(info.Size(), size) / chunkSize * chunkSize
	if err := f.Truncate(start); err != nil {
		return err
	}
	// Chunks arrive in any order, so windows are finished one after another: the file never has a hole behind its end.
	for ; start < size; start += window * chunkSize {
		g, gctx := errgroup.WithContext(ctx)
		for off := start; off < min(size, start+window*chunkSize); off += chunkSize {
			one := q
			one.Offset, one.Len = off, int(min(chunkSize, size-off))
			g.Go(func() error {
				var data []byte
				if err := r.Master.Call(gctx, "files.chunk", one, &data); err != nil {
					return err
				}
				if len(data) != one.Len {
					return fmt.Errorf("%d bytes at %d, want %d: the file changes", len(data), one.Offset, one.Len)
				}
				_, err := f.WriteAt(data, one.Offset)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}
