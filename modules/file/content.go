package file

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"brine/internal/fileops"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/modules"
)

func contentFuncs() []modules.Func {
	return []modules.Func{
		modules.Fn("append", appendDoc, appendLines),
		modules.Fn("prepend", prependDoc, prepend),
		modules.PureFn("read", readDoc, read),
		modules.PureFn("seek_read", seekReadDoc, seekRead),
		modules.Fn("seek_write", seekWriteDoc, seekWrite),
		modules.Fn("touch", touchDoc, touch),
		modules.Fn("truncate", truncateDoc, truncate),
		modules.Fn("write", writeDoc, write),
	}
}

const readDoc = `Tell the content of a file; with binary=True as bytes.

CLI Example:

    salt '*' file.read /path/to/file`

type readArgs struct {
	Path   string `arg:"path"`
	Binary bool   `arg:"binary" def:"False"`
}

func read(_ context.Context, _ *modules.Env, in readArgs) (any, error) {
	p, err := os.ReadFile(in.Path)
	if err != nil {
		return nil, plain(err)
	}
	if in.Binary {
		return p, nil
	}
	return pytext.Universal(string(p)), nil
}

type linesArgs struct {
	Path   string         `arg:"path"`
	Args   []any          `arg:"*args"`
	Kwargs modules.Kwargs `arg:"**kwargs"`
}

// lines are the texts to write, one a line: the positional ones, or those of the keyword args.
func (in linesArgs) lines() []string {
	list := in.Args
	if v, ok := in.Kwargs.Get("args"); ok {
		if list, ok = v.([]any); !ok {
			list = []any{v}
		}
	}
	out := make([]string, len(list))
	for i, l := range list {
		out[i] = pyfmt.Str(l) + "\n"
	}
	return out
}

const appendDoc = `Add lines at the end of a file. A text with an equal sign has to be given as args='...' or args="['...', '...']".

CLI Example:

    salt '*' file.append /etc/motd \
            "With all thine offerings thou shalt offer salt." \
            "Salt is what makes things taste bad when it isn't in them."`

func appendLines(_ context.Context, _ *modules.Env, in linesArgs) (any, error) {
	path, lines := pypath.Expanduser(in.Path), in.lines()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, plain(err)
	}
	added := strings.Join(lines, "")
	last := make([]byte, 1)
	if end > 0 {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return nil, plain(err)
		}
		if last[0] != '\n' {
			added = "\n" + added
		}
	}
	if _, err := f.WriteString(added); err != nil {
		return nil, plain(err)
	}
	if err := f.Sync(); err != nil {
		return nil, plain(err)
	}
	return "Wrote " + strconv.Itoa(len(lines)) + ` lines to "` + path + `"`, nil
}

const prependDoc = `Put lines before the first of a file.

CLI Example:

    salt '*' file.prepend /etc/motd \
            "With all thine offerings thou shalt offer salt." \
            "Salt is what makes things taste bad when it isn't in them."`

func prepend(_ context.Context, _ *modules.Env, in linesArgs) (any, error) {
	path, lines := pypath.Expanduser(in.Path), in.lines()
	old, err := readText(path)
	if errors.Is(err, errTooLarge) {
		return nil, err
	}
	if err := put(path, strings.Join(lines, "")+pytext.Universal(old)); err != nil {
		return nil, err
	}
	return "Prepended " + strconv.Itoa(len(lines)) + ` lines to "` + path + `"`, nil
}

const writeDoc = `Write lines to a file; what was in it is gone.

CLI Example:

    salt '*' file.write /etc/motd \
            "With all thine offerings thou shalt offer salt."`

func write(_ context.Context, _ *modules.Env, in linesArgs) (any, error) {
	path, lines := pypath.Expanduser(in.Path), in.lines()
	if err := put(path, strings.Join(lines, "")); err != nil {
		return nil, err
	}
	return "Wrote " + strconv.Itoa(len(lines)) + ` lines to "` + path + `"`, nil
}

// put replaces the content of a file; an error is told as Python would for the path itself.
func put(path, content string) error {
	err := fileops.Put(path, []byte(content))
	if n := pyerr.Errno(err); err != nil && n != 0 {
		return plain(&os.PathError{Op: "open", Path: path, Err: n})
	}
	return err
}

const touchDoc = `Make an empty file, or set the times of one that is there: to now, or to seconds since 1970.

CLI Example:

    salt '*' file.touch /var/log/emptyfile`

type touchArgs struct {
	Name  string `arg:"name"`
	Atime any    `arg:"atime" def:"None"`
	Mtime any    `arg:"mtime" def:"None"`
}

func touch(_ context.Context, _ *modules.Env, in touchArgs) (any, error) {
	name := pypath.Expanduser(in.Name)
	now := time.Now()
	atime, ok1 := moment(in.Atime, now)
	mtime, ok2 := moment(in.Mtime, now)
	if !pypath.Exists(name) {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return nil, modules.Errorf("%s", reason(err))
		}
		_ = f.Close()
	}
	if !ok1 || !ok2 {
		return nil, modules.Invalidf("atime and mtime must be integers")
	}
	if err := os.Chtimes(name, atime, mtime); err != nil {
		return nil, modules.Errorf("%s", reason(err))
	}
	return pypath.Exists(name), nil
}

// moment is a time given in seconds; none is now.
func moment(v any, now time.Time) (time.Time, bool) {
	if v == nil {
		return now, true
	}
	if _, isText := v.(string); isText {
		if n, err := strconv.ParseInt(v.(string), 10, 64); err == nil && n >= 0 {
			return time.Unix(n, 0), true
		}
		return now, false
	}
	f, err := modules.Float(v)
	return time.Unix(0, int64(f*1e9)), err == nil
}

const truncateDoc = `Cut a file off, or fill it up with zeros, to a length in bytes.

CLI Example:

    salt '*' file.truncate /path/to/file 512`

type truncateArgs struct {
	Path   string `arg:"path"`
	Length any    `arg:"length"`
}

func truncate(_ context.Context, _ *modules.Env, in truncateArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	n, err := modules.Int(in.Length)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(n); err != nil {
		return nil, plain(pyerr.Errno(err))
	}
	return nil, plain(f.Sync())
}

const seekReadDoc = `Tell a part of a file: some bytes from an offset on.

CLI Example:

    salt '*' file.seek_read /path/to/file 4096 0`

type seekReadArgs struct {
	Path   string `arg:"path"`
	Size   any    `arg:"size"`
	Offset any    `arg:"offset"`
}

const maxRead = 64 << 20

func seekRead(_ context.Context, _ *modules.Env, in seekReadArgs) (any, error) {
	f, err := os.Open(pypath.Expanduser(in.Path))
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	offset, err := modules.Int(in.Offset)
	if err != nil {
		return nil, err
	}
	size, err := modules.Int(in.Size)
	if err != nil {
		return nil, err
	}
	if offset < 0 || size < 0 {
		return nil, plain(unix.EINVAL)
	}
	buf := make([]byte, min(size, maxRead))
	n, err := f.ReadAt(buf, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, plain(err)
	}
	return buf[:n], nil
}

const seekWriteDoc = `Write over a part of a file, from an offset on, and tell how many bytes were written.

CLI Example:

    salt '*' file.seek_write /path/to/file 'some data' 4096`

type seekWriteArgs struct {
	Path   string `arg:"path"`
	Data   any    `arg:"data"`
	Offset any    `arg:"offset"`
}

func seekWrite(_ context.Context, _ *modules.Env, in seekWriteArgs) (any, error) {
	f, err := os.OpenFile(pypath.Expanduser(in.Path), os.O_WRONLY, 0)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	offset, err := modules.Int(in.Offset)
	if err != nil {
		return nil, err
	}
	data, ok := in.Data.([]byte)
	if !ok {
		data = []byte(pyfmt.Str(in.Data))
	}
	if offset < 0 {
		return nil, plain(unix.EINVAL)
	}
	n, err := f.WriteAt(data, offset)
	if err != nil {
		return nil, plain(err)
	}
	return n, plain(f.Sync())
}
