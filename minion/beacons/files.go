package beacons

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
)

// maxEvents bounds what one look may fire; the rest comes at the next.
const maxEvents = 1000

// inotify fires when files change.
type inotify struct {
	log *zap.Logger
	w   *fsnotify.Watcher
}

// masks are the changes by Salt's names.
func masks() map[fsnotify.Op]string {
	return map[fsnotify.Op]string{fsnotify.Create: "IN_CREATE", fsnotify.Write: "IN_MODIFY", fsnotify.Remove: "IN_DELETE", fsnotify.Rename: "IN_MOVED_FROM", fsnotify.Chmod: "IN_ATTRIB"}
}

// Check implements Beacon.
func (*inotify) Check(conf *ordered.Map) error {
	if conf.Map("files") == nil {
		return errors.New("Configuration for inotify beacon must include files.")
	}
	return nil
}

// Poll implements Beacon.
func (n *inotify) Poll(_ context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	files := conf.Map("files")
	if n.w == nil {
		w, err := fsnotify.NewBufferedWatcher(10 * maxEvents)
		if err != nil {
			return nil, err
		}
		n.w = w
	}
	errs := n.follow(files)
	var out []*ordered.Map
	for len(out) < maxEvents {
		select {
		case ev := <-n.w.Events:
			out = append(out, n.events(ev, files)...)
			continue
		case err := <-n.w.Errors:
			errs = append(errs, err)
			continue
		default:
		}
		break
	}
	return out, errors.Join(errs...)
}

// follow watches what is configured and there, once each.
func (n *inotify) follow(files *ordered.Map) (errs []error) {
	have := n.w.WatchList()
	add := func(path string) {
		if slices.Contains(have, path) {
			return
		}
		if err := n.w.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
	}
	for k, v := range files.All() {
		root := filepath.Clean(pyfmt.Str(k))
		c, _ := v.(*ordered.Map)
		add(root)
		if !flag(c, "recurse", false) && !flag(c, "auto_add", false) {
			continue
		}
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				add(p)
			}
			return nil //nolint:nilerr // a folder that goes away meanwhile is no mistake
		})
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// events are what one change means, for each entry that the path belongs to.
func (n *inotify) events(ev fsnotify.Event, files *ordered.Map) []*ordered.Map {
	var out []*ordered.Map
	for k, v := range files.All() {
		root := filepath.Clean(pyfmt.Str(k))
		c, _ := v.(*ordered.Map)
		if ev.Name != root && !strings.HasPrefix(ev.Name, root+"/") || excluded(c, ev.Name) {
			continue
		}
		for op, name := range masks() {
			if ev.Op.Has(op) && masked(c, name) {
				out = append(out, ordered.Pairs("tag", root, "path", ev.Name, "change", name))
			}
		}
		break
	}
	return out
}

func excluded(c *ordered.Map, path string) bool {
	for _, e := range c.List("exclude") {
		pattern := ""
		switch t := e.(type) {
		case string:
			if pattern = t; path == t || strings.HasPrefix(path, t+"/") {
				return true
			}
		case *ordered.Map: // {PATTERN: {regex: True}}
			for k := range t.All() {
				pattern = pyfmt.Str(k)
			}
		}
		if re, err := pyregex.Compile(pattern, 0); err == nil {
			if m, err := re.Search(path); err == nil && m != nil {
				return true
			}
		}
	}
	return false
}

// masked tells whether an entry wants a change; without a mask those that Salt watches by default.
func masked(c *ordered.Map, change string) bool {
	want := c.List("mask")
	if v := c.Value("mask"); want == nil && v != nil {
		want = []any{v}
	}
	if len(want) == 0 {
		want = []any{"create", "delete", "modify"}
	}
	plain := strings.ToLower(strings.TrimPrefix(change, "IN_"))
	for _, w := range want {
		name := strings.ToLower(strings.TrimPrefix(pyfmt.Str(w), "IN_"))
		if name == plain || name == "all_events" || name == "move" && plain == "moved_from" || name == "close_write" && plain == "modify" {
			return true
		}
	}
	return false
}

// Close ends the watches.
func (n *inotify) Close() {
	if n.w == nil {
		return
	}
	if err := n.w.Close(); err != nil {
		n.log.Warn("beacon inotify", zap.Error(err))
	}
}

// logFile fires for new lines of a file that match.
type logFile struct {
	begun bool
	at    int64
}

// Check implements Beacon.
func (*logFile) Check(conf *ordered.Map) error {
	if conf.String("file") == "" {
		return errors.New("Configuration for log beacon must contain file option.")
	}
	for name, v := range conf.Map("tags").All() {
		m, _ := v.(*ordered.Map)
		if _, err := pyregex.Compile(m.String("regex"), 0); err != nil || m.String("regex") == "" {
			return fmt.Errorf("Configuration for log beacon: tag %s needs a regex", pyfmt.Str(name))
		}
	}
	return nil
}

// Poll implements Beacon. It begins at the end of the file, and at its start when the file has become shorter.
func (l *logFile) Poll(_ context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	f, err := os.Open(conf.String("file"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if !l.begun {
		l.begun, l.at = true, end
		return nil, nil
	}
	if end < l.at {
		l.at = 0
	}
	if _, err := f.Seek(l.at, io.SeekStart); err != nil {
		return nil, err
	}
	var out []*ordered.Map
	r := bufio.NewReaderSize(f, 64<<10)
	for len(out) < maxEvents {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil // a line that long is looked at in parts
		}
		if err != nil {
			break // what has no end yet is read the next time
		}
		l.at += int64(len(line))
		text := strings.TrimRight(string(line), "\r\n")
		for k, v := range conf.Map("tags").All() {
			m, _ := v.(*ordered.Map)
			re, err := pyregex.Compile(m.String("regex"), 0)
			if err != nil {
				return out, err
			}
			if hit, err := re.Search(text); err == nil && hit != nil {
				out = append(out, ordered.Pairs("tag", pyfmt.Str(k), "match", "yes", "raw", text, "error", ""))
			}
		}
	}
	return out, nil
}

// journald fires for new entries of the system's journal.
type journald struct {
	host   host.Runner
	cursor string
}

// Check implements Beacon.
func (*journald) Check(conf *ordered.Map) error {
	if conf.Map("services") == nil {
		return errors.New("Configuration for journald beacon requires services.")
	}
	return nil
}

// Poll implements Beacon.
func (j *journald) Poll(ctx context.Context, conf *ordered.Map) ([]*ordered.Map, error) {
	argv := []string{"journalctl", "--no-pager", "-o", "json"}
	if j.cursor == "" {
		argv = append(argv, "-n", "1") // from here on
	} else {
		argv = append(argv, "--after-cursor="+j.cursor)
	}
	res, err := j.host.Run(ctx, host.Cmd{Argv: argv, Timeout: 30 * time.Second, MaxOutput: 8 << 20, Env: append(os.Environ(), "LC_ALL=C")})
	if err != nil {
		return nil, err
	}
	if res.Retcode != 0 {
		return nil, fmt.Errorf("journalctl: %s", strings.TrimSpace(string(res.Stderr)))
	}
	first := j.cursor == ""
	var out []*ordered.Map
	for line := range strings.Lines(string(res.Stdout)) {
		v, err := ordered.FromJSON([]byte(line))
		m, ok := v.(*ordered.Map)
		if err != nil || !ok {
			continue
		}
		if c := m.String("__CURSOR"); c != "" {
			j.cursor = c
		}
		for k, want := range conf.Map("services").All() {
			w, _ := want.(*ordered.Map)
			if !first && matches(w, m) {
				ev := m.Clone()
				ev.Set("tag", pyfmt.Str(k))
				out = append(out, ev)
			}
		}
	}
	return out, nil
}

// matches tells whether an entry has every field that is asked for.
func matches(want, entry *ordered.Map) bool {
	for k, v := range want.All() {
		if pyfmt.Str(entry.Value(k)) != pyfmt.Str(v) {
			return false
		}
	}
	return want.Len() > 0
}
