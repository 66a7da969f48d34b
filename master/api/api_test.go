package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/master/store"
)

type fake struct{ bus event.Bus }

func (f *fake) Local(_ context.Context, _ *Call, each func(Answer) error) (string, []string, error) {
	if each != nil {
		_ = each(Answer{ID: "a", Value: true})
	}
	return "1", []string{"a"}, nil
}
func (f *fake) Function(context.Context, string, *Call) (string, any, error) { return "1", true, nil }
func (f *fake) Resolve(context.Context, any, string) ([]string, error)       { return []string{"a"}, nil }
func (f *fake) Subscribe() *event.Sub                                        { return f.bus.Subscribe(10, nil) }
func (f *fake) Fire(string, *ordered.Map)                                    {}

func newUsers(t *testing.T) *Users {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return NewUsers(db, time.Hour)
}

// TestEveryRouteHasAPolicy asks every route without an identity: only the open ones answer.
func TestEveryRouteHasAPolicy(t *testing.T) {
	t.Parallel()
	h := New(Options{Backend: &fake{}, Users: newUsers(t), Log: zap.NewNop()}).Handler()
	for _, rt := range routes() {
		require.NotZero(t, rt.who, "%s %s has no policy", rt.method, rt.path)
		path := strings.NewReplacer("{$}", "", "{id}", "x", "{jid}", "1", "{path...}", "a/b").Replace(rt.path)
		for name, token := range map[string]string{"none": "", "made up": strings.Repeat("ab", 20), "no hex": "zz"} {
			r := httptest.NewRequest(rt.method, path, strings.NewReader("{}"))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Auth-Token", token)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if rt.who == session {
				assert.Equal(t, http.StatusUnauthorized, w.Code, "%s %s with a token that is %s", rt.method, path, name)
			} else {
				assert.NotEqual(t, http.StatusNotFound, w.Code, path)
			}
		}
	}
}

func TestUsersAndSessions(t *testing.T) {
	t.Parallel()
	u := newUsers(t)
	ctx := t.Context()
	require.ErrorContains(t, u.Add(ctx, "a", "short", Admin, nil), "10 characters")
	require.ErrorContains(t, u.Add(ctx, "a", "long enough", "king", nil), "none of the roles")
	require.NoError(t, u.Add(ctx, "a", "long enough", Admin, nil))
	_, err := u.Login(ctx, "a", "long enougH", "pam")
	require.ErrorIs(t, err, ErrLogin)
	_, err = u.Login(ctx, "nobody", "long enough", "pam")
	require.ErrorIs(t, err, ErrLogin)
	s, err := u.Login(ctx, "a", "long enough", "pam")
	require.NoError(t, err)
	require.NotNil(t, u.Session(ctx, s.Token))
	require.NoError(t, u.Logout(ctx, s.Token))
	assert.Nil(t, u.Session(ctx, s.Token))
	s, err = u.Login(ctx, "a", "long enough", "pam")
	require.NoError(t, err)
	require.NoError(t, u.Delete(ctx, "a"))
	assert.Nil(t, u.Session(ctx, s.Token), "a user that is gone has no sessions")
	u.life = -time.Second
	require.NoError(t, u.Add(ctx, "b", "long enough", Viewer, nil))
	s, err = u.Login(ctx, "b", "long enough", "pam")
	require.NoError(t, err)
	assert.Nil(t, u.Session(ctx, s.Token), "sessions expire")
}

func TestMay(t *testing.T) {
	t.Parallel()
	covered := func(tgt string) []string {
		return map[string][]string{"web*": {"web1", "web2"}, "db1": {"db1"}}[tgt]
	}
	perms := &Session{Role: Operator, Perms: []any{"test.ping", "@jobs", ordered.Pairs("web*", []any{"service.*"}), ordered.Pairs("@wheel", []any{"key.list_all"})}}
	for _, c := range []struct {
		s           *Session
		client, fun string
		minions     []string
		want        bool
	}{
		{&Session{Role: Admin}, "local", "cmd.run", []string{"a"}, true},
		{&Session{Role: Admin}, "runner", "user.add", nil, true},
		{&Session{Role: Operator}, "runner", "user.add", nil, false},
		{&Session{Role: Operator}, "wheel", "key.accept", nil, true},
		{&Session{Role: Viewer}, "local", "cmd.run", []string{"a"}, false},
		{&Session{Role: Viewer}, "local", "test.ping", []string{"a"}, true},
		{&Session{Role: Viewer}, "wheel", "key.delete", nil, false},
		{&Session{Role: Viewer}, "local", "test.ping_evil", []string{"a"}, false},
		{perms, "local", "test.ping", []string{"db1"}, true},
		{perms, "local", "test.ping_other", []string{"db1"}, false},
		{perms, "local", "service.restart", []string{"web1", "web2"}, true},
		{perms, "local", "service.restart", []string{"web1", "db1"}, false},
		{perms, "runner", "jobs.list_jobs", nil, true},
		{perms, "runner", "manage.up", nil, false},
		{perms, "wheel", "key.list_all", nil, true},
		{perms, "wheel", "key.delete", nil, false},
		{perms, "runner", "user.add", nil, false},
	} {
		assert.Equal(t, c.want, c.s.May(c.client, c.fun, c.minions, covered), "%+v", c)
	}
}

func FuzzLowstate(f *testing.F) {
	f.Add("application/json", []byte(`[{"client":"local","arg":"x"}]`))
	f.Add("application/x-www-form-urlencoded", []byte("arg=1&arg=[a, 2]&kwarg={z: 1}"))
	f.Add("text/yaml", []byte("- client: local"))
	f.Fuzz(func(_ *testing.T, media string, body []byte) {
		if v, err := parse(media, body); err == nil {
			_, _ = lowstate(v)
		}
	})
}
