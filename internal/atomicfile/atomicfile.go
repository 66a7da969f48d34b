// Package atomicfile writes files that survive a power cut: a reader sees the old content or the new, never a part.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Write replaces the file at path with data: a temporary file in the same folder, fsync, rename, fsync of the folder.
func Write(path string, data []byte, mode fs.FileMode) error {
	return WriteFrom(path, mode, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFrom is Write with the content produced by fill.
func WriteFrom(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	return write(path, func(f *os.File) error { return f.Chmod(mode) }, fill)
}

// Rewrite replaces the content of a file that is there and keeps its mode, owner and security label. A link is
// followed: its target is replaced.
func Rewrite(path string, data []byte) error {
	return RewriteFrom(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// RewriteFrom is Rewrite with the content produced by fill.
func RewriteFrom(path string, fill func(io.Writer) error) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	return write(real, func(f *os.File) error { return copyMeta(f, real) }, fill)
}

// Copy makes dst a copy of src with its mode, owner and security label. Whatever is at dst is replaced, a link too.
func Copy(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	return write(dst, func(f *os.File) error { return copyMeta(f, src) }, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// copyMeta gives f the owner, mode and security label of the file at path.
func copyMeta(f *os.File, path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	// Who may not give files away keeps them; the mode is set after, because a change of owner clears setuid.
	if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err := unix.Fchmod(int(f.Fd()), st.Mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: f.Name(), Err: err}
	}
	label := make([]byte, 256)
	if n, err := unix.Getxattr(path, "security.selinux", label); err == nil && n > 0 {
		_ = unix.Fsetxattr(int(f.Fd()), "security.selinux", label[:n], 0) // the policy may forbid it; the default label is then right
	}
	return nil
}

func write(path string, prepare func(*os.File) error, fill func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if err := prepare(f); err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}

// Remove deletes the file at path durably; a file that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
