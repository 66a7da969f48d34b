package returners

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
)

func (m multi) each(do func(Returner) error) error {
	var errs []error
	for _, r := range m {
		errs = append(errs, do(r))
	}
	return errors.Join(errs...)
}

// local prints results, for trying things out.
type local struct{ w io.Writer }

// Return implements Returner.
func (l local) Return(_ context.Context, ret *ordered.Map) error {
	if l.w == nil {
		return nil
	}
	_, err := fmt.Fprintln(l.w, pyfmt.Repr(ret))
	return err
}

// Close implements Returner.
func (l local) Close() error { return nil }

// file appends one line of JSON for each result.
type file struct {
	path string
	mu   sync.Mutex
}

// Return implements Returner.
func (f *file) Return(_ context.Context, ret *ordered.Map) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	w, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, err = io.WriteString(w, pyjson.Dumps(ret, pyjson.Options{})+"\n")
	return err
}

// Close implements Returner.
func (f *file) Close() error { return nil }

// eventReturner puts results on the minion's own bus: short notices, or with whole everything, for who waits for the job.
type eventReturner struct {
	fire  func(ctx context.Context, tag string, data *ordered.Map) error
	whole bool
}

// Return implements Returner.
func (e eventReturner) Return(ctx context.Context, ret *ordered.Map) error {
	if e.fire == nil {
		return errors.New("there is no event bus here")
	}
	tag := "salt/job/" + ret.String("jid")
	if e.whole {
		return e.fire(ctx, tag+"/ret", ret)
	}
	data := ordered.New(4)
	for _, k := range []string{"success", "retcode"} {
		data.Set(k, ret.Value(k))
	}
	args := []any{}
	for _, a := range ret.List("fun_args") {
		if m, ok := a.(*ordered.Map); ok && m.Has("__kwarg__") {
			kw := m.Clone()
			kw.Delete("__kwarg__")
			data.Set("kwargs", kw)
			continue
		}
		args = append(args, a)
	}
	if len(args) > 0 {
		data.Set("args", args)
	}
	return e.fire(ctx, tag+"/fun/"+pyfmt.Str(ret.Value("fun")), data)
}

// Close implements Returner.
func (e eventReturner) Close() error { return nil }

// web posts results as JSON.
type web struct {
	url     string
	headers *ordered.Map
	client  *http.Client
}

func newHTTP(c conf) (Returner, error) {
	w := &web{url: c.text("url", ""), client: &http.Client{Timeout: 30 * time.Second}}
	w.headers, _ = c.value("headers").(*ordered.Map)
	if !strings.HasPrefix(w.url, "http://") && !strings.HasPrefix(w.url, "https://") {
		return nil, fmt.Errorf("returner http: the option http.url is no address of a web server")
	}
	return w, nil
}

// Return implements Returner.
func (w *web) Return(ctx context.Context, ret *ordered.Map) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader([]byte(stamped(ret))))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range w.headers.All() {
		req.Header.Set(pyfmt.Str(k), pyfmt.Str(v))
	}
	// A repeated result can be told by this.
	req.Header.Set("Idempotency-Key", ret.String("id")+"/"+ret.String("jid"))
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s", w.url, resp.Status)
	}
	return nil
}

// Close implements Returner.
func (w *web) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// system writes results to the system log.
type system struct {
	priority syslog.Priority
	tag      string
	network  string
	addr     string
	mu       sync.Mutex
	w        *syslog.Writer
}

func newSyslog(c conf) (Returner, error) {
	levels := map[string]syslog.Priority{
		"LOG_EMERG": syslog.LOG_EMERG, "LOG_ALERT": syslog.LOG_ALERT, "LOG_CRIT": syslog.LOG_CRIT, "LOG_ERR": syslog.LOG_ERR, "LOG_WARNING": syslog.LOG_WARNING,
		"LOG_NOTICE": syslog.LOG_NOTICE, "LOG_INFO": syslog.LOG_INFO, "LOG_DEBUG": syslog.LOG_DEBUG,
	}
	facilities := map[string]syslog.Priority{
		"LOG_KERN": syslog.LOG_KERN, "LOG_USER": syslog.LOG_USER, "LOG_MAIL": syslog.LOG_MAIL, "LOG_DAEMON": syslog.LOG_DAEMON, "LOG_AUTH": syslog.LOG_AUTH,
		"LOG_LPR": syslog.LOG_LPR, "LOG_NEWS": syslog.LOG_NEWS, "LOG_UUCP": syslog.LOG_UUCP, "LOG_CRON": syslog.LOG_CRON, "LOG_SYSLOG": syslog.LOG_SYSLOG,
		"LOG_LOCAL0": syslog.LOG_LOCAL0, "LOG_LOCAL1": syslog.LOG_LOCAL1, "LOG_LOCAL2": syslog.LOG_LOCAL2, "LOG_LOCAL3": syslog.LOG_LOCAL3,
		"LOG_LOCAL4": syslog.LOG_LOCAL4, "LOG_LOCAL5": syslog.LOG_LOCAL5, "LOG_LOCAL6": syslog.LOG_LOCAL6, "LOG_LOCAL7": syslog.LOG_LOCAL7,
	}
	level, known := levels[c.text("level", "LOG_INFO")]
	if !known {
		return nil, fmt.Errorf("returner syslog: level: there is no %s", c.text("level", ""))
	}
	facility, known := facilities[c.text("facility", "LOG_USER")]
	if !known {
		return nil, fmt.Errorf("returner syslog: facility: there is no %s", c.text("facility", ""))
	}
	s := &system{priority: level | facility, tag: c.text("tag", "salt-minion"), addr: c.text("address", "")}
	if s.addr != "" {
		s.network = c.text("network", "udp")
	}
	return s, nil
}

// Return implements Returner.
func (s *system) Return(_ context.Context, ret *ordered.Map) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		w, err := syslog.Dial(s.network, s.addr, s.priority, s.tag)
		if err != nil {
			return fmt.Errorf("system log: %w", err)
		}
		s.w = w
	}
	_, err := s.w.Write([]byte(pyjson.Dumps(ret, pyjson.Options{})))
	return err
}

// Close implements Returner.
func (s *system) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return nil
	}
	return s.w.Close()
}
