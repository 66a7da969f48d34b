package console

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
)

// backend has one device and one job, whose texts are markup.
type backend struct{ bus event.Bus }

const nasty = `"><script>alert(1)</script>`

func (b *backend) Login(_ context.Context, name, secret string) (*User, error) {
	if secret != "secret" {
		return nil, errors.New("no")
	}
	return &User{Name: name, Role: name, Token: name, Expire: time.Now().Add(time.Hour)}, nil
}
func (b *backend) Logout(context.Context, string) error { return nil }
func (b *backend) User(_ context.Context, token string) *User {
	if token == "" {
		return nil
	}
	return &User{Name: token, Role: token, Token: token}
}
func (b *backend) Devices() []Device {
	return []Device{{ID: "web1", State: "online", Seen: time.Now(), Version: nasty, Grains: ordered.Pairs("os", nasty)}}
}
func (b *backend) Subscribe() *event.Sub { return b.bus.Subscribe(1, nil) }

func (b *backend) Low(_ context.Context, _ *User, low *ordered.Map) (any, error) {
	job := ordered.Pairs("Function", nasty, "Target", nasty, "User", nasty, "StartTime", nasty, "Arguments", []any{nasty})
	switch low.String("fun") {
	case "release.summary":
		return ordered.Pairs("updated", 1, "waiting", 2, "failed", 3, "unassigned", 4), nil
	case "release.list":
		return []any{ordered.Pairs("version", nasty, "created", "2031-05-04T10:11:12Z")}, nil
	case "release.runs":
		return []any{ordered.Pairs("run", nasty, "minion", nasty, "version", nasty, "state", nasty, "started", "2031-05-04T10:11:12Z", "reason", nasty)}, nil
	case "release.run":
		return ordered.Pairs("run", nasty, "minion", nasty, "state", "failed", "highstate", ordered.Pairs("cmd_|-x_|-y_|-run", ordered.Pairs("result", false, "comment", nasty,
			"changes", ordered.Pairs("diff", "@@ -1 +1 @@\n-"+nasty), "__sls__", nasty, "__id__", nasty, "name", nasty, "duration", 1.5))), nil
	case "release.devices":
		return ordered.Pairs("web1", ordered.Pairs("version", nasty, "queued", false, "automatic", "off", "last", ordered.Pairs("state", nasty, "attempts", 1, "limit", 3))), nil
	case "event.list":
		return []any{ordered.Pairs("id", int64(7), "tag", nasty, "minion", nasty, "time", "2031-05-04T10:11:12Z", "received", "2031-05-04T11:11:12Z", "data", ordered.Pairs("x", nasty))}, nil
	case "event.count":
		return []any{ordered.Pairs("from", "2031-05-04T10:11:12Z", "count", int64(3))}, nil
	case "jobs.find":
		return ordered.Pairs("20310504101112131415", job), nil
	case "jobs.list_job":
		job.Update(ordered.Pairs("Minions", []any{nasty}, "Result", ordered.Pairs(nasty, ordered.Pairs("return", nasty, "success", true, "retcode", int64(0)))))
		return job, nil
	case "key.list_all", "key.finger":
		keys := any([]any{nasty})
		if low.String("fun") == "key.finger" {
			keys = ordered.Pairs(nasty, nasty)
		}
		return ordered.Pairs("data", ordered.Pairs("success", true, "return", ordered.Pairs("minions_pre", keys, "minions", keys))), nil
	case "key.accept_dict":
		return ordered.Pairs("data", ordered.Pairs("success", true, "return", ordered.New(0))), nil
	case "doc.function":
		return ordered.Pairs("name", nasty, "usage", nasty, "doc", nasty), nil
	case "doc.functions", "manage.find":
		return []any{nasty}, nil
	case "audit.list":
		return []any{ordered.Pairs("key", "1", "time", nasty, "user", nasty, "what", nasty, "target", nasty, "result", nasty, "error", nasty)}, nil
	case "user.list":
		return []any{ordered.Pairs("name", nasty, "role", nasty, "since", nasty)}, nil
	case "user.add":
		return true, nil
	case "schedule.list", "pillar.ls":
		return ordered.Pairs("web1", nasty), nil
	case "minionutil.update_release", "test.ping":
		return ordered.Pairs("jid", "20310504101112131415", "minions", []any{"web1"}), nil
	}
	return nil, errors.New("no such function: " + low.String("fun"))
}

func handler(t *testing.T) http.Handler {
	t.Helper()
	c, err := New(Options{Backend: &backend{}, Log: zap.NewNop()})
	require.NoError(t, err)
	return c.Handler()
}

// fill makes a path and a form that the route accepts.
func fill(rt route) (path string, form url.Values) {
	path = Prefix + strings.NewReplacer("{$}", "", "{id}", "web1", "{part}", "schedule", "{run}", "r1", "{jid}", "20310504101112131415", "{file}", "style.css", "{token}", "secret").Replace(rt.path)
	switch rt.path {
	case "login":
		form = url.Values{"name": {Admin}, "password": {"secret"}}
	case "terminal":
		form = url.Values{"tgt": {"*"}, "command": {"test.ping"}}
	case "updates":
		form = url.Values{"id": {"web1"}, "action": {"force"}}
	case "keys":
		form = url.Values{"id": {"web1"}, "action": {"accept"}, "list": {"minions_pre"}}
	case "users":
		form = url.Values{"name": {"x"}, "action": {"add"}, "password": {"longer than ten"}, "role": {"viewer"}}
	}
	return path, form
}

func do(h http.Handler, rt route, as, site string) *httptest.ResponseRecorder {
	path, form := fill(rt)
	r := httptest.NewRequest(rt.method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	if as != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: as})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestEveryRoute asks for every page as nobody and in every role: a route without a policy cannot be added by mistake.
func TestEveryRoute(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for _, rt := range routes() {
		t.Run(rt.method+" "+rt.path, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, []string{open, Viewer, Operator, Admin}, rt.who, "its policy")
			if w := do(h, rt, "", ""); rt.who != open {
				assert.Equal(t, http.StatusSeeOther, w.Code)
				assert.Contains(t, w.Header().Get("Location"), Prefix+"login")
			}
			for _, role := range []string{Viewer, Operator, Admin} {
				w := do(h, rt, role, "same-origin")
				if rt.who != open && !(&User{Role: role}).May(rt.who) {
					assert.Equal(t, http.StatusForbidden, w.Code, role)
					continue
				}
				assert.Less(t, w.Code, 400, "%s: %s", role, w.Body)
				if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
					assert.NotContains(t, w.Body.String(), "<script>alert", "markup of a device stays text")
				}
				assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
			}
			if rt.method == http.MethodPost {
				assert.Equal(t, http.StatusForbidden, do(h, rt, Admin, "cross-site").Code, "another site cannot change anything")
			}
		})
	}
}

func TestLoginGoesBackToThePage(t *testing.T) {
	t.Parallel()
	h := handler(t)
	for to, want := range map[string]string{"": "/console/", "events?tag=x": "/console/events?tag=x", "//evil.example/": "/console/evil.example/", `\\evil`: "/console/evil"} {
		r := httptest.NewRequest(http.MethodPost, Prefix+"login", strings.NewReader(url.Values{"name": {Admin}, "password": {"secret"}, "to": {to}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, want, w.Header().Get("Location"))
	}
}
