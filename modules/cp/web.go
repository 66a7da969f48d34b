package cp

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"brine/internal/atomicfile"
	"brine/internal/fileops"
	"brine/internal/hashsum"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/pyurl"
	"brine/modules"
)

const getURLDoc = `Fetch a file from an address: salt://, http://, https:// or file://.

dest
    a path or folder; empty for the minion's cache, None to answer with the content instead

CLI Example:

    salt '*' cp.get_url salt://my/file /tmp/this_file_is_mine
    salt '*' cp.get_url http://www.slashdot.org /tmp/index.html`

type getURLArgs struct {
	Path       string `arg:"path"`
	Dest       any    `arg:"dest" def:"''"`
	Saltenv    any    `arg:"saltenv" def:"None"`
	Makedirs   bool   `arg:"makedirs" def:"False"`
	SourceHash any    `arg:"source_hash" def:"None"`
}

func getURL(ctx context.Context, env *modules.Env, in getURLArgs) (any, error) {
	dest, hasDest := in.Dest.(string)
	u := pyurl.Parse(in.Path)
	if hasDest && dest != "" && (pypath.IsDir(dest) || strings.HasSuffix(dest, "/")) {
		name := "index.html"
		if u.Query != "" || len(u.Path) > 1 && !strings.HasSuffix(u.Path, "/") {
			name = pypath.Basename(in.Path)
		}
		dest = pypath.Join(dest, name)
	}
	switch u.Scheme {
	case "", "file":
		path, err := localPath(u)
		if err != nil || hasDest {
			return path, err
		}
		return content(path)
	case "salt":
		return saltURL(ctx, env, in, dest, hasDest)
	}
	w := web{url: in.Path, saltenv: saltenvOf(env, in.Saltenv), sum: text(in.SourceHash), dest: dest, content: !hasDest}
	if dest != "" {
		if ok, err := parent(dest, in.Makedirs); !ok {
			return "", err
		}
	}
	return download(ctx, env, w)
}

func saltURL(ctx context.Context, env *modules.Env, in getURLArgs, dest string, hasDest bool) (any, error) {
	if dest == "" {
		got, err := cacheFile(ctx, env, cacheFileArgs{Path: in.Path, Saltenv: in.Saltenv})
		if path, ok := got.(string); ok && err == nil && !hasDest {
			return content(path)
		}
		return got, err
	}
	path, saltenv, ok := place(env, in.Path, in.Saltenv)
	if !ok {
		return false, nil
	}
	sum, err := env.Files.Hash(ctx, saltenv, path)
	if err != nil || sum == "" {
		return false, err
	}
	return fetchTo(ctx, env, target{path: path, saltenv: saltenv, dest: dest, sum: sum, makedirs: in.Makedirs})
}

func content(path any) (any, error) {
	p, err := os.ReadFile(pyfmt.Str(path))
	if err != nil {
		return nil, err
	}
	return pytext.Decode(p), nil
}

// web is a file to fetch from a web address.
type web struct {
	url, saltenv string
	// sum is a checksum; a copy in the cache that has it is not fetched again.
	sum string
	// dest is where to put it; empty is the minion's cache.
	dest string
	// content asks for the content instead of a file.
	content  bool
	insecure bool
	// etag asks the server whether its file is still the one fetched before.
	etag bool
}

// Bounds of a download.
const (
	webTimeout = time.Hour
	maxContent = 64 << 20
)

func download(ctx context.Context, env *modules.Env, w web) (any, error) {
	if s := pyurl.Parse(w.url).Scheme; s != "http" && s != "https" {
		return nil, modules.Errorf("The protocol of %s is not supported", pyurl.Redact(w.url))
	}
	if w.dest == "" && !w.content {
		if w.dest = webCache(env, w.url, w.saltenv); w.dest == "" {
			return nil, modules.Errorf("The path of %s cannot be cached", pyurl.Redact(w.url))
		}
		if w.current() {
			return w.dest, nil
		}
		if _, err := parent(w.dest, true); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, webTimeout)
	defer cancel()
	res, err := w.request(ctx)
	if err != nil {
		return nil, modules.Errorf("Error: %s reading %s", strings.ReplaceAll(err.Error(), w.url, pyurl.Redact(w.url)), pyurl.Parse(w.url).Path)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified:
		return w.dest, nil
	case res.StatusCode >= 400:
		return nil, modules.Errorf("Error: HTTP %d: %s reading %s", res.StatusCode, http.StatusText(res.StatusCode), pyurl.Parse(w.url).Path)
	case w.content:
		p, err := io.ReadAll(io.LimitReader(res.Body, maxContent))
		return pytext.Decode(p), err
	}
	return w.dest, w.save(res)
}

// current tells whether the copy in the cache has the checksum asked for.
func (w web) current() bool {
	sum := w.sum[strings.LastIndexByte(w.sum, '=')+1:]
	kind := hashsum.ByLength(len(sum))
	if kind == "" {
		return false
	}
	have, err := hashsum.File(w.dest, kind)
	return err == nil && have == sum
}

func (w web) etagFile() string { return w.dest + ".etag" }

func (w web) request(ctx context.Context) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return nil, err
	}
	if w.etag && pypath.IsFile(w.dest) {
		if tag, err := os.ReadFile(w.etagFile()); err == nil {
			req.Header.Set("If-None-Match", string(tag))
		}
	}
	client := http.DefaultClient
	if w.insecure {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // asked for with verify_ssl=False
		defer t.CloseIdleConnections()
		client = &http.Client{Transport: t}
	}
	return client.Do(req)
}

func (w web) save(res *http.Response) error {
	err := fileops.PutFrom(w.dest, func(out io.Writer) error {
		n, err := io.Copy(out, res.Body)
		if err == nil && res.ContentLength >= 0 && n != res.ContentLength {
			err = fmt.Errorf("the answer ended after %d of %d bytes", n, res.ContentLength)
		}
		return err
	})
	if tag := res.Header.Get("ETag"); err == nil && w.etag && tag != "" {
		err = atomicfile.Write(w.etagFile(), []byte(tag), 0o600)
	}
	return err
}
