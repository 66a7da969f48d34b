// Package fileattr reads and sets the attribute letters of files (see chattr(1)) and reads their SELinux labels, by
// system calls: devices need no extra programs for it.
package fileattr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// flag is one attribute; the bits are those of linux/fs.h.
type flag struct {
	letter byte
	bit    int
}

// flags in the order in which lsattr(1) prints them; only those that Salt looks at.
func flags() []flag {
	return []flag{
		{'s', 0x1}, {'u', 0x2}, {'S', 0x8}, {'D', 0x10000},
		{'i', 0x10}, {'a', 0x20}, {'d', 0x40}, {'A', 0x80},
		{'c', 0x4}, {'j', 0x4000}, {'t', 0x8000}, {'T', 0x20000},
		{'e', 0x80000}, {'C', 0x800000}, {'P', 0x20000000},
	}
}

// ErrUnsupported says that the file system keeps no attributes.
var ErrUnsupported = errors.New("the file system has no attributes")

// Get returns the letters of a file or folder.
func Get(path string) (string, error) {
	bits, err := get(path)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, f := range flags() {
		if bits&f.bit != 0 {
			b.WriteByte(f.letter)
		}
	}
	return b.String(), nil
}

func get(path string) (bits int, err error) {
	err = with(path, func(fd int) error {
		bits, err = unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
		return err
	})
	return bits, err
}

// Change adds and removes letters.
func Change(path, add, remove string) error {
	bits, err := get(path)
	if err != nil {
		return err
	}
	for _, f := range flags() {
		if strings.IndexByte(add, f.letter) >= 0 {
			bits |= f.bit
		}
		if strings.IndexByte(remove, f.letter) >= 0 {
			bits &^= f.bit
		}
	}
	return with(path, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, bits) })
}

func with(path string, do func(fd int) error) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	err = do(int(f.Fd()))
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return ErrUnsupported
	}
	if err != nil {
		return &fs.PathError{Op: "ioctl", Path: path, Err: err}
	}
	return nil
}

// Label is the SELinux context of a file, user:role:type:range.
func Label(path string) (string, error) {
	buf := make([]byte, 4096)
	n, err := unix.Getxattr(path, "security.selinux", buf)
	if err != nil {
		return "", fmt.Errorf("no SELinux context of %s: %w", path, err)
	}
	return strings.TrimRight(string(buf[:n]), "\x00"), nil
}

// SetLabel gives a file an SELinux context.
func SetLabel(path, label string) error {
	if err := unix.Setxattr(path, "security.selinux", append([]byte(label), 0), 0); err != nil {
		return &fs.PathError{Op: "setxattr", Path: path, Err: err}
	}
	return nil
}
