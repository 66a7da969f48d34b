// Package mounts reads the kernel's table of mounted file systems.
package mounts

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Mount is a mounted file system.
type Mount struct {
	Device, Dir, Type string
}

// List lists what is mounted, the first mount of each folder that can still be seen, in the order of the kernel.
func List() ([]Mount, error) {
	src, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var out []Mount
	at := map[string]int{}
	for s := bufio.NewScanner(bytes.NewReader(src)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 3 {
			continue
		}
		m := Mount{unescape(f[0]), unescape(f[1]), f[2]}
		if i, seen := at[m.Dir]; seen {
			out[i] = m // a later mount hides the one below
			continue
		}
		at[m.Dir] = len(out)
		out = append(out, m)
	}
	return out, nil
}

// unescape reads the octal escapes of the mount table (proc(5)).
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
