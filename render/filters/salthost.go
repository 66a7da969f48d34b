package filters

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"brine/internal/hashsum"
	"brine/internal/pyerr"
	"brine/internal/pypath"
	"brine/internal/starval"
	"brine/render/pyvalue"

	"github.com/jmespath/go-jmespath"
	"github.com/ncruces/go-strftime"
	"go.starlark.net/starlark"
)

// saltHost are Salt's filters that look at the machine, at the clock or at other data.
func saltHost(name string) *Filter {
	switch name {
	case "strftime", "date_format":
		return run(dateFormat, "format?")
	case "path_join":
		return &Filter{Run: pathJoin}
	case "which":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := c.text()
			if err != nil {
				return nil, err
			}
			if p, err := exec.LookPath(s); err == nil {
				return starlark.String(p), nil
			}
			return starlark.None, nil
		})
	case "file_hashsum":
		return run(fileHash, "form?", "chunk_size?")
	case "list_files":
		return run(listFiles)
	case "is_text_file":
		return fileTest(func(p string) bool { text, ok := looksLikeText(p); return ok && text })
	case "is_binary_file", "is_bin_file":
		return fileTest(func(p string) bool { text, ok := looksLikeText(p); return ok && !text })
	case "is_empty", "is_empty_file":
		return fileTest(func(p string) bool { info, err := os.Stat(p); return err == nil && info.Size() == 0 })
	case "json_query":
		return run(jsonQuery, "expr")
	case "http_query":
		return &Filter{Run: func(c *Call) (starlark.Value, error) {
			return c.Salt("http.query", pyvalue.Args{Pos: append([]starlark.Value{c.Value}, c.Raw.Pos...), Kw: c.Raw.Kw})
		}}
	case "ifelse":
		return &Filter{Run: func(c *Call) (starlark.Value, error) {
			return c.Salt("match.ifelse", pyvalue.Args{Pos: append([]starlark.Value{c.Value}, c.Raw.Pos...), Kw: c.Raw.Kw})
		}}
	}
	if f := network(name); f != nil {
		return f
	}
	return serializers(name)
}

// layouts are the dates that strftime reads besides seconds since 1970.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006/01/02 15:04:05", "2006/01/02",
	"01/02/2006", "20060102", "20060102150405", "2 January 2006", "January 2, 2006", "2 Jan 2006", "Jan 2, 2006",
	time.ANSIC, time.RFC1123, time.RFC1123Z, time.UnixDate,
}

func dateFormat(c *Call) (starlark.Value, error) {
	t, err := dateOf(c.Value)
	if err != nil {
		return nil, err
	}
	return starlark.String(strftime.Format(c.str(0, "%Y-%m-%d"), t)), nil
}

func dateOf(v starlark.Value) (time.Time, error) {
	if v == starlark.None {
		return time.Now(), nil
	}
	if f, ok := starlark.AsFloat(v); ok {
		return time.UnixMicro(int64(f * 1e6)), nil
	}
	s, ok := pyvalue.Text(v)
	if !ok {
		return time.Time{}, pyvalue.Errorf("RuntimeError", "Unable to parse %s. Consider installing timelib", pyvalue.TypeName(v))
	}
	switch strings.ToLower(s) {
	case "now", "":
		return time.Now(), nil
	case "today":
		y, m, d := time.Now().Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.Local), nil
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, time.Local); err == nil {
			return t, nil
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return time.UnixMicro(int64(f * 1e6)), nil
	}
	return time.Time{}, pyvalue.Errorf("RuntimeError", "Unable to parse %s. Consider installing timelib", s)
}

func pathJoin(c *Call) (starlark.Value, error) {
	var parts []string
	for _, v := range append([]starlark.Value{c.Value}, c.Raw.Pos...) {
		b, err := bytesOf(v)
		if err != nil {
			return nil, err
		}
		p := string(b)
		if len(parts) > 0 {
			p = strings.TrimLeft(p, "/")
		}
		parts = append(parts, p)
	}
	return starlark.String(pypath.Normpath(pypath.Join(parts...))), nil
}

func fileHash(c *Call) (starlark.Value, error) {
	p, err := c.text()
	if err != nil {
		return nil, err
	}
	form := c.str(0, "sha256")
	sum, err := hashsum.File(p, form)
	var unknown *hashsum.UnknownError
	switch {
	case errors.As(err, &unknown):
		return nil, valueErrorf("Invalid hash type: %s", form)
	case err != nil:
		return nil, pyvalue.Errorf("OSError", "%s", pyerr.Text(err))
	}
	return starlark.String(sum), nil
}

const maxFiles = 200_000

func listFiles(c *Call) (starlark.Value, error) {
	p, err := c.text()
	if err != nil {
		return nil, err
	}
	var out []string
	err = filepath.WalkDir(p, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what cannot be read is left out, as os.walk does
		}
		if len(out) >= maxFiles {
			return pyvalue.Errorf("MemoryError", "more than %d files", maxFiles)
		}
		out = append(out, path)
		return c.Step()
	})
	return pyvalue.Strings(out), err
}

func fileTest(f func(path string) bool) *Filter {
	return run(func(c *Call) (starlark.Value, error) {
		p, err := c.text()
		return starlark.Bool(err == nil && f(p)), err
	})
}

// looksLikeText judges a file by its first 512 bytes; ok is false when it cannot be read.
func looksLikeText(path string) (text, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, false
	}
	f, err := os.Open(path)
	if err != nil {
		return false, false
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 512)
	n, err := io.ReadFull(f, block)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, false
	}
	block = block[:n]
	odd := 0
	for _, b := range block {
		if b == 0 {
			return false, true
		}
		if (b < 32 || b > 126) && strings.IndexByte("\n\r\t\f\b", b) < 0 {
			odd++
		}
	}
	return utf8.Valid(block) || n == 0 || float64(odd)/float64(n) <= 0.30, true
}

// jsonQuery runs a JMESPath expression; the keys of the dicts in its answer are sorted.
func jsonQuery(c *Call) (starlark.Value, error) {
	v, err := starval.Data(c.Value)
	if err != nil {
		return nil, err
	}
	expr, err := pyvalue.StrArg(c.Args[0], "")
	if err != nil {
		return nil, err
	}
	out, err := jmespath.Search(expr, goValue(v))
	if err != nil {
		return nil, pyvalue.Errorf("JMESPathError", "%s", err.Error())
	}
	return starval.Of(fromGo(out)), nil
}
