// Package console is the web console: pages for operators, rendered on the master and served beside its HTTP interface.
// Everything is embedded; nothing is built and nothing comes from elsewhere. Live parts are fetched by htmx
// (https://htmx.org); without scripts the pages and their forms still work.
package console

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
)

//go:embed static templates
var files embed.FS

// Prefix is where the console is mounted.
const Prefix = "/console/"

// User is somebody who has logged in.
type User struct {
	Name, Role string
	// Token is the session's.
	Token  string
	Expire time.Time
}

// The roles, each with the rights of those before it.
const (
	Viewer   = "viewer"
	Operator = "operator"
	Admin    = "admin"
)

var rank = []string{Viewer, Operator, Admin}

// May tells whether the user has a role's rights.
func (u *User) May(role string) bool {
	return slices.Index(rank, u.Role) >= slices.Index(rank, role)
}

// Device is a minion with an accepted key.
type Device struct {
	ID string
	// State is online, asleep or missing.
	State       string
	Seen, Until time.Time // when it was last heard of; until when it sleeps
	Version     string
	Grains      *ordered.Map
}

// Backend is the master.
type Backend interface {
	// Login opens a session for a name and password, or for a link that is used once when name is "".
	Login(ctx context.Context, name, secret string) (*User, error)
	Logout(ctx context.Context, token string) error
	// User finds the user of a session's token; nil when there is none.
	User(ctx context.Context, token string) *User
	// Low runs a chunk of the HTTP interface with the rights of a user.
	Low(ctx context.Context, u *User, chunk *ordered.Map) (any, error)
	// Devices lists the minions, sorted by id.
	Devices() []Device
	// Subscribe follows the events.
	Subscribe() *event.Sub
}

// Options of a console.
type Options struct {
	Backend Backend
	// Secure is set when the pages are served over TLS.
	Secure bool
	Log    *zap.Logger
}

// Console serves the pages.
type Console struct {
	Options
	views map[string]view
}

// open is the policy of pages that need no session.
const open = "open"

type request struct {
	*http.Request
	w    http.ResponseWriter
	user *User
}

type route struct {
	method, path string
	// who is the role that is needed at least, or open.
	who   string
	serve func(*Console, *request) error
}

// routes is the whole table.
func routes() []route {
	return []route{
		{"GET", "login", open, (*Console).askLogin},
		{"POST", "login", open, (*Console).login},
		{"GET", "link/{token}", open, (*Console).loginByLink},
		{"GET", "static/{file}", open, (*Console).static},
		{"POST", "logout", Viewer, (*Console).logout},
		{"GET", "{$}", Viewer, (*Console).overview},
		{"GET", "devices", Viewer, (*Console).devices},
		{"GET", "devices.csv", Viewer, (*Console).devicesCSV},
		{"GET", "devices/{id}", Viewer, (*Console).device},
		{"GET", "devices/{id}/{part}", Operator, (*Console).devicePart},
		{"GET", "terminal", Operator, (*Console).terminal},
		{"POST", "terminal", Operator, (*Console).command},
		{"GET", "functions", Viewer, (*Console).functions},
		{"GET", "doc", Viewer, (*Console).doc},
		{"GET", "updates", Viewer, (*Console).updates},
		{"POST", "updates", Operator, (*Console).changeUpdates},
		{"GET", "runs/{run}", Viewer, (*Console).run},
		{"GET", "events", Viewer, (*Console).events},
		{"GET", "events/live", Viewer, (*Console).liveEvents},
		{"GET", "jobs", Viewer, (*Console).jobs},
		{"GET", "jobs/{jid}", Viewer, (*Console).job},
		{"GET", "jobs/{jid}/output", Viewer, (*Console).jobOutput},
		{"GET", "keys", Viewer, (*Console).keys},
		{"POST", "keys", Admin, (*Console).changeKeys},
		{"GET", "users", Admin, (*Console).users},
		{"POST", "users", Admin, (*Console).changeUsers},
		{"GET", "audit", Admin, (*Console).audit},
	}
}

// New makes a console.
func New(o Options) (*Console, error) {
	views, err := parseViews()
	return &Console{o, views}, err
}

// Handler serves everything below Prefix. Requests that change something are refused when they come from another site
// (http.CrossOriginProtection), and scripts and styles come from here alone: text of a device that looks like markup
// would stay text even if a template should ever forget to escape it.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes() {
		mux.HandleFunc(rt.method+" "+Prefix+rt.path, func(w http.ResponseWriter, r *http.Request) { c.handle(&request{Request: r, w: w}, rt) })
	}
	same := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		same.ServeHTTP(w, r)
	})
}

func (c *Console) handle(r *request, rt route) {
	if rt.who != open {
		if r.user = c.who(r); r.user == nil {
			c.toLogin(r)
			return
		}
		if !r.user.May(rt.who) {
			c.fail(r, http.StatusForbidden, errors.New("this needs the role "+rt.who+", and "+r.user.Name+" has the role "+r.user.Role))
			return
		}
	}
	if err := rt.serve(c, r); err != nil && r.Context().Err() == nil {
		c.fail(r, http.StatusUnprocessableEntity, err)
	}
}

// fail shows an error as a page, or as a part of one.
func (c *Console) fail(r *request, code int, err error) {
	if code >= 500 {
		c.Log.Error("console", zap.String("path", r.URL.Path), zap.Error(err))
	}
	show := func() error { return c.show(r, "failed", "That did not work", err.Error()) }
	if r.Header.Get("HX-Request") != "" { // htmx shows no answers with another code
		code, show = http.StatusOK, func() error { return c.part(r, "failed", "problem", err.Error()) }
	}
	r.w.WriteHeader(code)
	if err := show(); err != nil {
		c.Log.Error("console", zap.String("path", r.URL.Path), zap.Error(err))
	}
}

// static serves the style, the scripts and the icon.
func (c *Console) static(r *request) error {
	sub, err := fs.Sub(files, "static")
	if err != nil {
		return err
	}
	r.w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(r.w, r.Request, sub, r.PathValue("file"))
	return nil
}

// low runs a chunk: client is runner, wheel, local or local_async. The pairs are the function's arguments for the first
// two, and part of the chunk for the others.
func (c *Console) low(r *request, client, fun string, kv ...any) (any, error) {
	chunk := ordered.Pairs("client", client, "fun", fun, "__quiet__", true)
	if client == "runner" || client == "wheel" {
		chunk.Set("kwarg", ordered.Pairs(kv...))
	} else {
		chunk.Update(ordered.Pairs(kv...))
	}
	return c.Backend.Low(r.Context(), r.user, chunk)
}

// maps is low for functions that answer with a list of maps.
func (c *Console) maps(r *request, client, fun string, kv ...any) ([]*ordered.Map, error) {
	v, err := c.low(r, client, fun, kv...)
	list, _ := v.([]any)
	out := make([]*ordered.Map, 0, len(list))
	for _, e := range list {
		if m, ok := e.(*ordered.Map); ok {
			out = append(out, m)
		}
	}
	return out, err
}

// table is low for functions that answer with a map.
func (c *Console) table(r *request, client, fun string, kv ...any) (*ordered.Map, error) {
	v, err := c.low(r, client, fun, kv...)
	m, _ := v.(*ordered.Map)
	if err == nil && m == nil {
		if text, ok := v.(string); ok && strings.HasPrefix(text, "Exception occurred") {
			err = errors.New(text)
		}
	}
	return m, err
}
