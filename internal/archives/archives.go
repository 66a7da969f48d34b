// Package archives lists and unpacks tar and zip archives. Nothing is ever written outside of the folder that an archive
// is unpacked into, whatever names and links it holds.
package archives

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// maxEntries bounds what is kept in memory of one archive.
const maxEntries = 2_000_000

// ErrFormat says that a file is no archive of the format, or packed in a way that is not known here (such as xz).
var ErrFormat = errors.New("the file could not be read as an archive")

// ErrTooMany says that an archive has too many entries.
var ErrTooMany = errors.New("the archive has too many entries")

// Guess tells the format by a file name: tar, zip or rar, "" for none.
func Guess(name string) string {
	name = strings.ToLower(name)
	for _, end := range []string{"tar", "tar.gz", "tgz", "tar.bz2", "tbz2", "tbz", "tar.xz", "txz", "tar.lzma", "tlz"} {
		if strings.HasSuffix(name, "."+end) {
			return "tar"
		}
	}
	for _, end := range []string{"zip", "rar"} {
		if strings.HasSuffix(name, "."+end) {
			return end
		}
	}
	return ""
}

// Kind is what an entry is.
type Kind int

// The kinds.
const (
	Regular Kind = iota
	Dir
	Link
)

// Entry is one name in an archive, without a slash at its end.
type Entry struct {
	Name string
	Kind Kind
}

// unpacked opens a tar archive, plain, gzip or bzip2.
func unpacked(r io.Reader) (*tar.Reader, error) {
	b := bufio.NewReader(r)
	head, _ := b.Peek(3) // a short file is no archive, as the reader says
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return tar.NewReader(z), nil
	case bytes.HasPrefix(head, []byte("BZh")):
		return tar.NewReader(bzip2.NewReader(b)), nil
	}
	return tar.NewReader(b), nil
}

// eachTar calls f for every entry.
func eachTar(file string, f func(h *tar.Header, r io.Reader) error) error {
	src, err := os.Open(file)
	if err != nil {
		return err
	}
	defer src.Close()
	t, err := unpacked(src)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrFormat, err)
		case n >= maxEntries:
			return ErrTooMany
		}
		if err := f(h, t); err != nil {
			return err
		}
	}
}

func tarEntry(h *tar.Header) Entry {
	e := Entry{Name: strings.TrimRight(h.Name, "/")}
	switch h.Typeflag {
	case tar.TypeDir:
		e.Kind = Dir
	case tar.TypeSymlink:
		e.Kind = Link
	}
	return e
}

// ListTar lists a tar archive in its order.
func ListTar(file string) ([]Entry, error) {
	var out []Entry
	err := eachTar(file, func(h *tar.Header, _ io.Reader) error {
		if h.Typeflag != tar.TypeXGlobalHeader {
			out = append(out, tarEntry(h))
		}
		return nil
	})
	return out, err
}

// ListZip lists a zip archive in its order.
func ListZip(file string) ([]Entry, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer func() { _ = z.Close() }()
	var out []Entry
	for _, f := range z.File {
		e := Entry{Name: strings.TrimRight(f.Name, "/")}
		switch {
		case f.Mode()&fs.ModeSymlink != 0:
			e.Kind = Link
		case strings.HasSuffix(f.Name, "/"):
			e.Kind = Dir
		}
		out = append(out, e)
	}
	return out, nil
}

// Encrypted tells whether a zip archive has entries with a password.
func Encrypted(file string) (bool, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return true, nil
		}
	}
	return false, nil
}

// clean is a name as a path inside of the folder.
func clean(name string) string {
	return path.Clean(strings.TrimLeft(name, "/"))
}

// put writes one file: beside its place first, so that nobody sees a part of it.
func put(root *os.Root, name string, mode fs.FileMode, r io.Reader) error {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	tmp := path.Join(path.Dir(name), ".part-"+path.Base(name))
	if len(path.Base(tmp)) > 255 {
		tmp = path.Join(path.Dir(name), ".part")
	}
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Chmod(mode)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = root.Rename(tmp, name)
	}
	if err != nil {
		_ = root.Remove(tmp)
	}
	return err
}

func link(root *os.Root, name, to string) error {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	if fi, err := root.Lstat(name); err == nil && !fi.IsDir() {
		_ = root.Remove(name)
	}
	return root.Symlink(to, name)
}

// ExtractTar unpacks a tar archive into a folder and gives the names of what was in it.
func ExtractTar(file, dest string) ([]string, error) {
	root, err := os.OpenRoot(dest)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var names []string
	var dirs []*tar.Header
	err = eachTar(file, func(h *tar.Header, r io.Reader) error {
		if h.Typeflag == tar.TypeXGlobalHeader {
			return nil
		}
		names = append(names, strings.TrimRight(h.Name, "/"))
		if h.Typeflag == tar.TypeDir {
			dirs = append(dirs, h)
		}
		if err := one(root, h, r); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
		return nil
	})
	for i := len(dirs) - 1; err == nil && i >= 0; i-- { // after what is in them
		name := clean(dirs[i].Name)
		if err = root.Chmod(name, dirs[i].FileInfo().Mode()); err == nil {
			err = root.Chtimes(name, dirs[i].ModTime, dirs[i].ModTime)
		}
	}
	return names, err
}

func one(root *os.Root, h *tar.Header, r io.Reader) error {
	name := clean(h.Name)
	var err error
	switch h.Typeflag {
	case tar.TypeDir:
		err = root.MkdirAll(name, 0o777)
	case tar.TypeSymlink:
		err = link(root, name, h.Linkname)
	case tar.TypeLink:
		_ = root.Remove(name)
		err = root.Link(clean(h.Linkname), name)
	case tar.TypeReg:
		err = put(root, name, h.FileInfo().Mode(), r)
		if err == nil {
			err = root.Chtimes(name, h.ModTime, h.ModTime)
		}
	default:
		return nil // devices and pipes are not for us to make
	}
	if err == nil && os.Getuid() == 0 {
		err = root.Lchown(name, h.Uid, h.Gid)
	}
	return err
}

// Zip says how ExtractZip works.
type Zip struct {
	// Skip are names to leave out.
	Skip []string
	// Perms keeps the modes of the archive.
	Perms bool
}

// ExtractZip unpacks a zip archive into a folder and gives the names of what was in it, folders with a slash at the end.
func ExtractZip(file, dest string, o Zip) ([]string, error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer func() { _ = z.Close() }()
	root, err := os.OpenRoot(dest)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	skip := map[string]bool{}
	for _, s := range o.Skip {
		skip[s] = true
	}
	var names []string
	for _, f := range z.File {
		if skip[f.Name] {
			continue
		}
		names = append(names, f.Name)
		if err := zipped(root, f, o.Perms); err != nil {
			return names, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return names, nil
}

func zipped(root *os.Root, f *zip.File, perms bool) error {
	name := clean(f.Name)
	if strings.HasSuffix(f.Name, "/") {
		return root.MkdirAll(name, 0o777)
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if f.Mode()&fs.ModeSymlink != 0 {
		to, err := io.ReadAll(io.LimitReader(r, 4096))
		if err != nil {
			return err
		}
		return link(root, name, string(to))
	}
	mode := fs.FileMode(0o644)
	if perms && f.Mode().Perm() != 0 {
		mode = f.Mode().Perm()
	}
	return put(root, name, mode, r)
}
