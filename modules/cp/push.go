package cp

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"strings"

	"brine/internal/fileops"
	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyerr"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

type pusher struct{ to Pusher }

const pushDoc = `Send a file to the master, which must allow it (file_recv). It is kept below the folder of this minion.

keep_symlinks
    send it under the name of a link that leads to it
upload_path
    another name on the master
remove_source
    remove the file here when it is sent

CLI Example:

    salt '*' cp.push /etc/fstab
    salt '*' cp.push /etc/fstab upload_path='/new/path/fstab'`

type pushArgs struct {
	Path         string `arg:"path"`
	KeepSymlinks bool   `arg:"keep_symlinks" def:"False"`
	UploadPath   any    `arg:"upload_path" def:"None"`
	RemoveSource bool   `arg:"remove_source" def:"False"`
}

func (p pusher) push(ctx context.Context, env *modules.Env, in pushArgs) (any, error) {
	if p.to == nil {
		return nil, modules.Errorf("There is no master to send files to")
	}
	path := in.Path
	if strings.Contains(path, "../") || !pypath.IsAbs(path) {
		return false, nil
	}
	if !in.KeepSymlinks {
		path = pypath.Realpath(path)
	}
	name := path
	if up := text(in.UploadPath); up != "" {
		name = up
	}
	if !pypath.IsFile(path) || strings.Contains(name, "../") {
		return false, nil
	}
	if err := p.to.Push(ctx, path, strings.TrimLeft(pypath.Normpath(name), "/")); err != nil {
		env.Log.Error("the file could not be sent to the master: " + err.Error())
		return false, nil
	}
	if in.RemoveSource && os.Remove(path) != nil {
		return false, nil
	}
	return true, nil
}

const pushDirDoc = `Send a folder to the master, which must allow it (file_recv).

glob
    only files whose name matches
upload_path
    another name for the folder on the master

CLI Example:

    salt '*' cp.push_dir /etc/modprobe.d/ glob='*.conf'`

type pushDirArgs struct {
	Path       string `arg:"path"`
	Glob       any    `arg:"glob" def:"None"`
	UploadPath any    `arg:"upload_path" def:"None"`
}

func (p pusher) pushDir(ctx context.Context, env *modules.Env, in pushDirArgs) (any, error) {
	if strings.Contains(in.Path, "../") || !pypath.IsAbs(in.Path) {
		return false, nil
	}
	path := pypath.Realpath(in.Path)
	if pypath.IsFile(path) {
		return p.push(ctx, env, pushArgs{Path: path, UploadPath: in.UploadPath})
	}
	var files []string
	pypath.Walk(path, func(dir string, dirs, names []string) []string {
		for _, n := range names {
			if in.Glob == nil || fnmatch.Match(pyfmt.Str(in.Glob), n) {
				files = append(files, pypath.Join(dir, n))
			}
		}
		return dirs
	})
	if len(files) == 0 {
		return false, nil
	}
	for _, f := range files {
		var up any
		if u := text(in.UploadPath); u != "" {
			up = pypath.Join("/", strings.Trim(u, "/"), strings.Trim(strings.TrimPrefix(f, path), "/"))
		}
		if ok, err := p.push(ctx, env, pushArgs{Path: f, UploadPath: up}); ok != true || err != nil {
			return ok, err
		}
	}
	return true, nil
}

const recvDoc = `Take small files that salt-cp sends. It is not called by hand.

CLI Example:

    salt-cp '*' local-file /path/on/the/minion`

type recvArgs struct {
	Files *ordered.Map `arg:"files"`
	Dest  string       `arg:"dest"`
}

func recv(_ context.Context, _ *modules.Env, in recvArgs) (any, error) {
	out := ordered.New(0)
	for path, data := range in.Files.All() {
		base := pypath.Basename(pyfmt.Str(path))
		final := in.Dest
		switch {
		case pypath.IsDir(in.Dest):
			final = pypath.Join(in.Dest, base)
		case base == pypath.Basename(in.Dest), pypath.IsDir(pypath.Dirname(in.Dest)):
		default:
			return "Destination unavailable", nil
		}
		raw, ok := data.([]byte)
		if !ok {
			raw = []byte(pyfmt.Str(data))
		}
		out.Set(final, fileops.Put(final, raw) == nil)
	}
	return out, nil
}

const recvChunkedDoc = `Take a part of a file that salt-cp sends. It is not called by hand.

CLI Example:

    salt-cp -C '*' local-file /path/on/the/minion`

type recvChunkedArgs struct {
	Dest       string `arg:"dest"`
	Chunk      any    `arg:"chunk"`
	Append     bool   `arg:"append" def:"False"`
	Compressed bool   `arg:"compressed" def:"True"`
	Mode       any    `arg:"mode" def:"None"`
}

const maxChunk = 64 << 20

func recvChunked(_ context.Context, env *modules.Env, in recvChunkedArgs) (any, error) {
	answer, err := receive(in)
	if err != nil {
		env.Job.SetRetcode(1)
		return pyerr.Text(err), nil
	}
	return answer, nil
}

func receive(in recvChunkedArgs) (any, error) {
	if in.Chunk == nil {
		if pypath.IsFile(in.Dest) {
			return "Path exists and is a file", nil
		}
		return true, os.MkdirAll(in.Dest, 0o777)
	}
	raw, ok := in.Chunk.([]byte)
	if !ok {
		raw = []byte(pyfmt.Str(in.Chunk))
	}
	chunk, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
	if err != nil {
		return nil, err
	}
	if in.Compressed {
		if chunk, err = unzip(chunk); err != nil {
			return nil, err
		}
	}
	if _, err := parent(in.Dest, true); err != nil {
		return nil, err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if in.Append {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	f, err := os.OpenFile(in.Dest, flags, 0o666)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(chunk)
	if mode, isInt := in.Mode.(int64); isInt && !in.Append && err == nil {
		err = f.Chmod(os.FileMode(mode & 0o777))
	}
	return true, errors.Join(err, f.Sync(), f.Close())
}

func unzip(p []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(p))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxChunk+1))
	if len(out) > maxChunk {
		return nil, errors.New("the chunk is too large")
	}
	return out, err
}
