// Package fileroots reads the file trees that a master serves, and that a minion without a master uses itself: for each
// environment a list of folders, the first that has a file wins. Names cannot leave the folders, through ".." or through
// symbolic links (os.Root).
package fileroots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"brine/internal/fnmatch"
)

// Options say what is served.
type Options struct {
	// Envs maps an environment to its folders, in order of precedence.
	Envs map[string][]string
	// IgnoreGlobs hides files whose path matches one of them.
	IgnoreGlobs []string
}

// AnyEnv is the environment whose folders serve every environment that is not configured itself, Salt's __env__.
const AnyEnv = "__env__"

// Roots reads the trees. Safe for concurrent use.
type Roots struct {
	o Options

	mu     sync.Mutex
	hashes map[string]hashed
}

type hashed struct {
	size int64
	mod  time.Time
	sum  string
}

// New makes Roots. Folders that do not exist are empty.
func New(o Options) *Roots { return &Roots{o: o, hashes: map[string]hashed{}} }

// Envs lists the environments, sorted.
func (r *Roots) Envs() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.o.Envs)), func(e string) bool { return e == AnyEnv })
}

func (r *Roots) dirs(saltenv string) []string {
	if d, ok := r.o.Envs[saltenv]; ok {
		return d
	}
	out := slices.Clone(r.o.Envs[AnyEnv])
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], AnyEnv, saltenv)
	}
	if strings.ContainsAny(saltenv, "/\x00") || strings.Contains(saltenv, "..") {
		return nil
	}
	return out
}

// Clean brings a path into the form used here: slashes, no leading one. A path that would leave the roots is refused
// with an error that wraps fs.ErrNotExist.
func Clean(p string) (string, error) {
	p = strings.TrimLeft(p, "/")
	if p == "" {
		return ".", nil
	}
	if p = path.Clean(p); !filepath.IsLocal(p) || strings.ContainsRune(p, 0) {
		return "", fmt.Errorf("%q leaves the file roots: %w", p, fs.ErrNotExist)
	}
	return p, nil
}

// Open opens a regular file. The error wraps fs.ErrNotExist when no root has it.
func (r *Roots) Open(saltenv, name string) (*os.File, error) {
	name, err := Clean(name)
	if err != nil {
		return nil, err
	}
	if r.ignored(name) {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	for _, dir := range r.dirs(saltenv) {
		f, err := openIn(dir, name)
		if err == nil {
			return f, nil
		}
		if !missing(err) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("salt://%s in environment %s: %w", name, saltenv, fs.ErrNotExist)
}

func openIn(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file: %w", name, fs.ErrNotExist)
	}
	return root.Open(name)
}

// missing tells an absent file, and one that only a link out of the root would reach, from a real failure.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || strings.Contains(err.Error(), "escapes") || strings.Contains(err.Error(), "not a directory")
}

// Path is where a file lies on this machine; "" when no root has it.
func (r *Roots) Path(saltenv, name string) string {
	f, err := r.Open(saltenv, name)
	if err != nil {
		return ""
	}
	defer f.Close()
	return f.Name()
}

// Hash is the SHA-256 of a file as hex. It is computed again only when size or time of the file have changed.
func (r *Roots) Hash(saltenv, name string) (string, error) {
	f, err := r.Open(saltenv, name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	have, ok := r.hashes[f.Name()]
	r.mu.Unlock()
	// A file that was written within the clock's resolution may change again without a new time.
	settled := time.Since(info.ModTime()) > 2*time.Second
	if ok && settled && have.size == info.Size() && have.mod.Equal(info.ModTime()) {
		return have.sum, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.hashes) > maxHashes {
		clear(r.hashes)
	}
	r.hashes[f.Name()] = hashed{size: info.Size(), mod: info.ModTime(), sum: sum}
	return sum, nil
}

const maxHashes = 100_000

// Entry is what a listing is made of.
type Entry struct {
	Path string
	Dir  bool
	Mode fs.FileMode
	Size int64
	// Target is where a symbolic link points, as written; "" for anything else.
	Target string
}

// Walk lists everything below prefix, sorted by path, each path once.
func (r *Roots) Walk(ctx context.Context, saltenv, prefix string) ([]Entry, error) {
	prefix, err := Clean(prefix)
	if err != nil {
		return nil, nil //nolint:nilerr // a prefix outside the roots has nothing below it
	}
	seen := map[string]Entry{}
	for _, dir := range r.dirs(saltenv) {
		if err := r.walkIn(ctx, dir, prefix, seen); err != nil && !missing(err) {
			return nil, err
		}
	}
	out := make([]Entry, 0, len(seen))
	for _, e := range seen {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (r *Roots) walkIn(ctx context.Context, dir, prefix string, seen map[string]Entry) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	w := walker{ctx: ctx, r: r, root: root, fsys: root.FS(), seen: seen}
	return w.folder(prefix)
}

type walker struct {
	ctx  context.Context //nolint:containedctx // lives as long as one walk
	r    *Roots
	root *os.Root
	fsys fs.FS
	seen map[string]Entry
	open []fs.FileInfo // the folders on the way down, so that a loop of symbolic links ends
}

func (w *walker) folder(dir string) error {
	here, err := w.root.Stat(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(w.open, func(i fs.FileInfo) bool { return os.SameFile(i, here) }) {
		return nil
	}
	w.open = append(w.open, here)
	defer func() { w.open = w.open[:len(w.open)-1] }()
	if err := w.ctx.Err(); err != nil {
		return err
	}
	list, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return err
	}
	for _, d := range list {
		name := path.Join(dir, d.Name())
		info, err := w.root.Stat(name)
		if err != nil || w.r.ignored(name) {
			continue // a link that leads nowhere, or out of the root
		}
		e := Entry{Path: name, Dir: info.IsDir(), Mode: info.Mode(), Size: info.Size()}
		if d.Type()&fs.ModeSymlink != 0 {
			e.Target, _ = w.root.Readlink(name)
		}
		if _, have := w.seen[name]; !have && (info.IsDir() || info.Mode().IsRegular()) {
			w.seen[name] = e
		}
		if info.IsDir() {
			if err := w.folder(name); err != nil && !missing(err) {
				return err
			}
		}
	}
	return nil
}

func (r *Roots) ignored(name string) bool {
	return slices.ContainsFunc(r.o.IgnoreGlobs, func(g string) bool { return fnmatch.Match(g, name) })
}

// List returns the files below prefix, sorted.
func (r *Roots) List(ctx context.Context, saltenv, prefix string) ([]string, error) {
	return r.paths(ctx, saltenv, prefix, false)
}

// Dirs returns the folders below prefix, sorted.
func (r *Roots) Dirs(ctx context.Context, saltenv, prefix string) ([]string, error) {
	return r.paths(ctx, saltenv, prefix, true)
}

func (r *Roots) paths(ctx context.Context, saltenv, prefix string, dirs bool) ([]string, error) {
	list, err := r.Walk(ctx, saltenv, prefix)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, e := range list {
		if e.Dir == dirs {
			out = append(out, e.Path)
		}
	}
	return out, nil
}
