// Package fileops has what changing files safely takes: writing whole files, copying, moving, backups in the minion's
// cache and telling text from binary, as Salt's file functions and states do them.
package fileops

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/atomicfile"
	"brine/internal/pypath"
)

// Put writes the content of a file. A file that is there keeps mode, owner, links and, when it has other names or is no
// regular file, its inode; otherwise readers see the old content or the new. A new file gets the mode of the umask.
func Put(path string, data []byte) error {
	return PutFrom(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// PutFrom is Put with the content produced by fill.
func PutFrom(path string, fill func(io.Writer) error) error {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	switch {
	case errors.Is(err, unix.ENOENT) && !pypath.IsLink(path):
		return atomicfile.WriteFrom(path, 0o666&^Umask(), fill)
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink == 1:
		return atomicfile.RewriteFrom(path, fill)
	}
	return Overwrite(path, fill)
}

// Overwrite writes a file where it stands, so that all names of it show the new content. A power cut may leave a part.
func Overwrite(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	err = fill(f)
	if e := f.Sync(); err == nil && e != nil && !errors.Is(e, unix.EINVAL) { // a device or pipe has nothing to sync
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Umask is the process's umask.
func Umask() fs.FileMode {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(status)) {
			if v, ok := strings.CutPrefix(line, "Umask:"); ok {
				if n, err := strconv.ParseUint(strings.TrimSpace(v), 8, 32); err == nil {
					return fs.FileMode(n)
				}
			}
		}
	}
	return 0o022
}

// Copy copies content, as shutil.copyfile: the destination keeps its mode, or gets that of the umask.
func Copy(src, dst string) error {
	if a, err := os.Stat(src); err == nil {
		if b, err := os.Stat(dst); err == nil && os.SameFile(a, b) {
			return fmt.Errorf("'%s' and '%s' are the same file", src, dst)
		}
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	return PutFrom(dst, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}

// CopyMeta copies content, mode and times, as shutil.copy2.
func CopyMeta(src, dst string) error {
	if pypath.IsDir(dst) {
		dst = pypath.Join(dst, pypath.Basename(src))
	}
	if err := Copy(src, dst); err != nil {
		return err
	}
	return copyStat(src, dst)
}

func copyStat(src, dst string) error {
	var st unix.Stat_t
	if err := unix.Stat(src, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: src, Err: err}
	}
	if err := unix.Chmod(dst, st.Mode&0o7777); err != nil {
		return &fs.PathError{Op: "chmod", Path: dst, Err: err}
	}
	return os.Chtimes(dst, time.Unix(st.Atim.Unix()), time.Unix(st.Mtim.Unix()))
}

// Keep makes dst a copy of src with mode, owner and times, before src is changed. What is at dst is replaced, never
// written through, so that nobody can lead us elsewhere with a link.
func Keep(src, dst string) error {
	if err := atomicfile.Copy(src, dst); err != nil {
		return err
	}
	return copyStat(src, dst)
}

// CopyTree copies the files below src into dst and leaves what else is there.
func CopyTree(src, dst string) error {
	var failed error
	pypath.Walk(src, func(dir string, dirs, files []string) []string {
		target := pypath.Join(dst, strings.TrimLeft(strings.TrimPrefix(dir, src), "/"))
		if err := os.MkdirAll(target, 0o777); err != nil {
			failed = err
			return nil
		}
		for _, f := range files {
			if err := Copy(pypath.Join(dir, f), pypath.Join(target, f)); err != nil {
				failed = err
				return nil
			}
		}
		return dirs
	})
	return failed
}

// Move renames, into dst when that is a folder, and copies and deletes where the file systems differ, as shutil.move.
func Move(src, dst string) error {
	if pypath.IsDir(dst) && !pypath.IsLink(dst) {
		dst = pypath.Join(dst, pypath.Basename(strings.TrimRight(src, "/")))
		if pypath.Exists(dst) {
			return fmt.Errorf("Destination path '%s' already exists", dst)
		}
	}
	err := os.Rename(src, dst)
	if !errors.Is(err, unix.EXDEV) {
		return err
	}
	if err := copyAny(src, dst); err != nil {
		return err
	}
	return os.RemoveAll(src)
}

// copyAny copies a file, link or folder with modes and times.
func copyAny(src, dst string) error {
	fi, err := os.Lstat(src)
	if err != nil {
		return err
	}
	switch {
	case fi.Mode()&os.ModeSymlink != 0:
		to, err := os.Readlink(src)
		if err != nil {
			return err
		}
		return os.Symlink(to, dst)
	case fi.IsDir():
		if err := os.Mkdir(dst, 0o700); err != nil {
			return err
		}
		names, err := pypath.Listdir(src)
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := copyAny(pypath.Join(src, n), pypath.Join(dst, n)); err != nil {
				return err
			}
		}
		return copyStat(src, dst)
	}
	return CopyMeta(src, dst)
}

// BackupRoot is where backups lie below the minion's cache folder.
func BackupRoot(cachedir string) string { return pypath.Join(cachedir, "file_backup") }

// BackupLayout is how the name of a backup goes on after the file's own name, for the time package.
const BackupLayout = "_Mon_Jan_02_15:04:05"

// Backup copies a file below root under its own path, the time added to its name.
func Backup(path, root string, now time.Time) error {
	dir, base := pypath.Split(path)
	name := fmt.Sprintf("%s%s_%06d_%04d", base, now.Format(BackupLayout), now.Nanosecond()/1000, now.Year())
	target := pypath.Join(root, strings.TrimPrefix(dir, "/"), name)
	if err := os.MkdirAll(pypath.Dirname(target), 0o777); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := Copy(path, target); err != nil {
		return err
	}
	if err := os.Chown(target, int(st.Uid), int(st.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return unix.Chmod(target, st.Mode&0o7777)
}

// Place says how Install treats the destination.
type Place struct {
	// Backup is "minion" or "both" to keep the old content in the cache.
	Backup   string
	Cachedir string
	Now      time.Time
}

// Install puts the content of src at dst in one step. A file that is there keeps its mode and owner; a new one can be
// read by its owner only, until the caller sets a mode. A link at dst is replaced.
func Install(src, dst string, p Place) error {
	if !pypath.IsFile(src) {
		return &fs.PathError{Op: "open", Path: src, Err: unix.ENOENT}
	}
	if dir := pypath.Dirname(dst); !pypath.IsDir(dir) {
		return &fs.PathError{Op: "open", Path: dst, Err: unix.ENOENT}
	}
	if (p.Backup == "minion" || p.Backup == "both" && p.Cachedir != "") && pypath.Exists(dst) {
		if err := Backup(dst, BackupRoot(p.Cachedir), p.Now); err != nil {
			return fmt.Errorf("back up %s: %w", dst, err)
		}
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	fill := func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	}
	if pypath.IsFile(dst) && !pypath.IsLink(dst) {
		return atomicfile.RewriteFrom(dst, fill)
	}
	return atomicfile.WriteFrom(dst, 0o600, fill)
}

// Remove deletes a file, a link itself, or a folder with all in it. It tells whether something was there.
func Remove(path string) (bool, error) {
	if !pypath.Lexists(path) {
		return false, nil
	}
	return true, os.RemoveAll(path)
}

// Head reads up to n bytes of a file.
func Head(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, n)
	k, err := io.ReadFull(bufio.NewReader(f), buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return buf[:k], err
}
