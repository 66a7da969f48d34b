// Package pyerr writes operating system errors the way Python's OSError prints them, because these texts stand in what
// functions and states report.
package pyerr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"brine/internal/pyfmt"
)

// Errno is the operating system's error number behind err, 0 when there is none.
func Errno(err error) syscall.Errno {
	var n syscall.Errno
	if errors.As(err, &n) {
		return n
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, fs.ErrExist):
		return syscall.EEXIST
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES
	}
	return 0
}

// Strerror is OSError.strerror: "No such file or directory".
func Strerror(err error) string {
	n := Errno(err)
	if n == 0 {
		return err.Error()
	}
	text := n.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// Text is str(OSError): "[Errno 2] No such file or directory: '/x'", with a second path for a rename or link.
func Text(err error) string {
	n := Errno(err)
	if n == 0 {
		return err.Error()
	}
	head := fmt.Sprintf("[Errno %d] %s", int(n), Strerror(err))
	var two *os.LinkError
	if errors.As(err, &two) {
		return head + ": " + pyfmt.Repr(two.Old) + " -> " + pyfmt.Repr(two.New)
	}
	var one *fs.PathError
	if errors.As(err, &one) {
		return head + ": " + pyfmt.Repr(one.Path)
	}
	return head
}
