// Package api is the master's HTTP interface: Salt's rest_cherrypy, for programs that already speak it.
// Shapes: https://docs.saltproject.io/en/3006/ref/netapi/all/salt.netapi.rest_cherrypy.html.
package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/internal/version"
)

// Call is one call of a client.
type Call struct {
	Client, User string
	Fun          any
	Tgt          any
	TgtType      string
	Arg          []any
	Kwarg        *ordered.Map
	// Low is the whole chunk as it was sent.
	Low *ordered.Map
	// Quiet calls of functions that only read are not told on the event bus: a page asks a lot.
	Quiet bool
}

// Answer is what a minion gave back.
type Answer struct {
	ID, JID, Out string
	Value        any
	Retcode      int
	// Silent: it did not answer.
	Silent bool
}

// Backend is the master.
type Backend interface {
	// Local runs a job and hands over each answer; without each it does not wait. It tells the jid and the minions.
	Local(ctx context.Context, c *Call, each func(Answer) error) (jid string, minions []string, err error)
	// Function runs a runner or wheel function; kind is "run" or "wheel". fun, jid and whether it succeeded come back too.
	Function(ctx context.Context, kind string, c *Call) (jid string, value any, err error)
	// Resolve finds the minions of a target.
	Resolve(ctx context.Context, tgt any, tgtType string) ([]string, error)
	// Subscribe follows the events.
	Subscribe() *event.Sub
	// Fire puts an event on the bus.
	Fire(tag string, data *ordered.Map)
}

// ErrNoMatch is what Local answers when no minion matches.
var ErrNoMatch = errors.New("no minions matched")

// Options of a Server.
type Options struct {
	Backend Backend
	Users   *Users
	// TLS is nil for plain HTTP, which is served on loopback addresses only.
	TLS *tls.Config
	// Static is the folder of a user interface (SaltGUI): index.html and static/; "" for none.
	Static string
	Log    *zap.Logger
}

// Server serves the API.
type Server struct {
	o       Options
	start   time.Time
	console http.Handler
}

// New makes a server.
func New(o Options) *Server { return &Server{o: o, start: time.Now()} }

// policy says who may use a route.
type policy int

const (
	open    policy = iota + 1 // anybody
	session                   // whoever has logged in; what they may do is decided for each call
)

// route is one address.
type route struct {
	method, path string
	who          policy
	serve        func(*Server, http.ResponseWriter, *http.Request, *Session) error
}

// routes is the whole table.
func routes() []route {
	return []route{
		{"GET", "/{$}", open, (*Server).welcome},
		{"POST", "/{$}", session, (*Server).run},
		{"GET", "/login", open, (*Server).askLogin},
		{"POST", "/login", open, (*Server).login},
		{"GET", "/logout", open, (*Server).welcome},
		{"POST", "/logout", session, (*Server).logout},
		{"POST", "/token", open, (*Server).token},
		{"GET", "/run", open, (*Server).welcome},
		{"POST", "/run", open, (*Server).runWith}, // each chunk brings its own credentials
		{"GET", "/minions", session, (*Server).minions},
		{"GET", "/minions/{id}", session, (*Server).minions},
		{"POST", "/minions", session, (*Server).postMinions},
		{"GET", "/jobs", session, (*Server).jobs},
		{"GET", "/jobs/{jid}", session, (*Server).job},
		{"GET", "/keys", session, (*Server).keys},
		{"GET", "/keys/{id}", session, (*Server).key},
		{"GET", "/events", session, (*Server).events},
		{"POST", "/hook/{path...}", session, (*Server).hook},
		{"POST", "/hook", session, (*Server).hook},
		{"GET", "/stats", session, (*Server).stats},
	}
}

// ConsolePath is where the console is.
const ConsolePath = "/console/"

// Mount puts the console at ConsolePath, and in the place of the welcome for browsers. Before Handler.
func (s *Server) Mount(console http.Handler) { s.console = console }

// Low runs one chunk with the rights of somebody who has logged in, as POST / does.
func (s *Server) Low(ctx context.Context, who *Session, chunk *ordered.Map) (any, error) {
	list, err := s.chunk(ctx, who, chunk)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// Handler is the whole interface.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes() {
		mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) { s.handle(w, r, rt) })
	}
	if s.console != nil {
		mux.Handle(ConsolePath, s.console)
	}
	if s.o.Static != "" {
		mux.Handle("GET /static/", http.FileServer(http.Dir(s.o.Static)))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && !strings.HasPrefix(r.URL.Path, ConsolePath) { // slashes at the end and doubled ones at the start are forgiven
			r.URL.Path = "/" + strings.Trim(r.URL.Path, "/")
		}
		h := w.Header()
		h.Set("Server", "brine")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		if s.page(w, r) {
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// page serves the user interface to browsers that ask for a page.
func (s *Server) page(w http.ResponseWriter, r *http.Request) bool {
	if s.o.Static == "" && s.console != nil && r.Method == http.MethodGet && r.URL.Path == "/" && strings.HasPrefix(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, ConsolePath, http.StatusFound)
		return true
	}
	if s.o.Static == "" || r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/static/") {
		return false
	}
	accept := r.Header.Get("Accept")
	if !strings.HasPrefix(r.URL.Path, "/app") && (!strings.Contains(accept, "text/html") || strings.HasPrefix(accept, "application/json")) {
		return false
	}
	src, err := os.ReadFile(filepath.Join(s.o.Static, "index.html"))
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(src) // the client may be gone
	return true
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request, rt route) {
	var who *Session
	if rt.who == session {
		who = s.who(r)
		if who == nil {
			w.Header().Set("WWW-Authenticate", "Session")
			s.refuse(w, r, fail(http.StatusUnauthorized, "No permission -- see authorization schemes"))
			return
		}
		w.Header().Set("Cache-Control", "private")
	}
	if err := rt.serve(s, w, r, who); err != nil {
		s.refuse(w, r, err)
	}
}

// who finds the session of a request: the header wins over the cookie. A cookie alone counts for requests that change
// something only when the browser says that they come from here.
func (s *Server) who(r *http.Request) *Session {
	token := r.Header.Get("X-Auth-Token")
	if token == "" && r.URL.Path == "/events" {
		token = r.URL.Query().Get("token")
		if token == "" {
			token = r.URL.Query().Get("salt_token")
		}
	}
	if token == "" {
		c, err := r.Cookie("session_id")
		if err != nil {
			return nil
		}
		if site := r.Header.Get("Sec-Fetch-Site"); r.Method != http.MethodGet && site != "" && site != "same-origin" && site != "none" {
			return nil
		}
		token = c.Value
	}
	return s.o.Users.Session(r.Context(), token)
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var st *statusError
	switch {
	case errors.As(err, &st):
		answer(w, r, st.code, ordered.Pairs("status", int64(st.code), "return", st.msg))
	case r.Context().Err() != nil: // the client has gone
	default:
		s.o.Log.Error("api", zap.String("path", r.URL.Path), zap.Error(err))
		answer(w, r, http.StatusInternalServerError, ordered.Pairs("status", int64(500), "return", "An unexpected error occurred"))
	}
}

// Serve serves on an address until ctx ends.
func (s *Server) Serve(ctx context.Context, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("option api_listen: %q is not HOST:PORT", addr)
	}
	if ip := net.ParseIP(host); s.o.TLS == nil && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("option api_listen: without TLS the API is served on a loopback address only, and %s is none: set api_tls", host)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("option api_listen: %w", err)
	}
	if s.o.TLS != nil {
		l = tls.NewListener(l, s.o.TLS)
	}
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	done := make(chan struct{})
	var failed error
	go func() {
		defer close(done)
		failed = srv.Serve(l)
	}()
	select {
	case <-done:
		return failed
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if srv.Shutdown(end) != nil {
		_ = srv.Close() // streams that do not end by themselves
	}
	<-done
	return ctx.Err()
}

func (s *Server) welcome(w http.ResponseWriter, r *http.Request, _ *Session) error {
	answer(w, r, http.StatusOK, ordered.Pairs("return", "Welcome", "clients", []any{"local", "local_async", "local_batch", "local_subset", "runner", "runner_async", "wheel", "wheel_async"}))
	return nil
}

func (s *Server) stats(w http.ResponseWriter, r *http.Request, _ *Session) error {
	up := time.Since(s.start).Seconds()
	answer(w, r, http.StatusOK, ordered.Pairs("CherryPy Applications", ordered.Pairs("Enabled", true, "Uptime", up, "Start Time", float64(s.start.Unix()), "Current Time", float64(time.Now().Unix()),
		"Server Version", version.Version, "Requests", ordered.New(0)), "Brine", ordered.Pairs("Version", version.Version)))
	return nil
}
