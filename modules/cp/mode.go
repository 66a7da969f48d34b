package cp

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyurl"
	"brine/modules"
)

// modeOf is the mode of a file of the master, or of a local one, with the bits of its kind as the system has them.
func modeOf(ctx context.Context, env *modules.Env, in statArgs) (mode uint32, ok bool, err error) {
	path, saltenv, isSalt := place(env, in.Path, in.Saltenv)
	if !isSalt {
		if strings.HasPrefix(in.Path, "salt://") {
			return 0, false, nil
		}
		local, err := localPath(pyurl.Parse(in.Path))
		if err != nil {
			return 0, false, nil
		}
		return rawMode(local.(string))
	}
	if m, can := env.Files.(Moder); can {
		fm, ok, err := m.Mode(ctx, saltenv, path)
		return unix.S_IFREG | uint32(fm.Perm()) | special(fm), ok, err
	}
	roots, _ := env.Opts.Map("file_roots").Value(saltenv).([]any)
	for _, r := range roots {
		if mode, ok, err := rawMode(pypath.Join(pyfmt.Str(r), path)); ok || err != nil {
			return mode, ok, err
		}
	}
	return 0, false, nil
}

func special(m fs.FileMode) (bits uint32) {
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: unix.S_ISUID, fs.ModeSetgid: unix.S_ISGID, fs.ModeSticky: unix.S_ISVTX} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

func rawMode(path string) (uint32, bool, error) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0, false, nil
	}
	return st.Mode, true, nil
}

// octal is the last four digits of a mode.
func octal(mode uint32) string {
	s := fmt.Sprintf("0o%o", mode)
	return s[max(0, len(s)-4):]
}
