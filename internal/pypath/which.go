package pypath

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Which finds a program: exe itself when it is the path of one, else the first in the folders of PATH; "" for none.
func Which(exe string) string { return WhichIn(exe, os.Getenv("PATH")) }

// WhichIn is Which with the folders of path.
func WhichIn(exe, path string) string {
	if exe == "" {
		return ""
	}
	if Executable(exe) {
		return exe
	}
	for _, dir := range strings.Split(path, ":") {
		if p := Join(dir, exe); Executable(p) {
			return p
		}
	}
	return ""
}

// Executable tells whether p is a regular file that we may run.
func Executable(p string) bool { return IsFile(p) && unix.Access(p, unix.X_OK) == nil }
