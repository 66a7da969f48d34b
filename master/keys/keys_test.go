package keys

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/master/store"
	"brine/proto"
)

type recorder struct {
	mu   sync.Mutex
	acts []string
}

func (r *recorder) fire(tag string, d *ordered.Map) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acts = append(r.acts, tag+" "+d.String("act")+" "+d.String("id"))
}

func (r *recorder) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.acts[len(r.acts)-1]
}

func setup(t *testing.T, o Options) (*Keys, *recorder, *store.Store) {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	r := &recorder{}
	k, err := New(t.Context(), s, o, r.fire)
	require.NoError(t, err)
	return k, r, s
}

func hello(t *testing.T, id string, k *proto.Identity, token string) *proto.Hello {
	t.Helper()
	_, frame, err := proto.NewOffer(k, proto.Hello{ID: id, Token: token})
	require.NoError(t, err)
	h, err := proto.ParseHello(frame)
	require.NoError(t, err)
	return h
}

func identity(t *testing.T) *proto.Identity {
	t.Helper()
	k, err := proto.NewIdentity()
	require.NoError(t, err)
	return k
}

func decide(t *testing.T, k *Keys, h *proto.Hello) proto.Verdict {
	t.Helper()
	v, err := k.Decide(t.Context(), h)
	require.NoError(t, err)
	return v
}

func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	k, r, s := setup(t, Options{})
	a, b := identity(t), identity(t)
	assert.Equal(t, proto.Pending, decide(t, k, hello(t, "web1", a, "")))
	assert.Equal(t, "salt/auth pend web1", r.last())
	assert.Nil(t, k.Accepted("web1"))
	require.NoError(t, k.Accept(t.Context(), k.Match("web*", store.KeyPending)))
	assert.Equal(t, "salt/key accept web1", r.last())
	assert.Equal(t, proto.Accepted, decide(t, k, hello(t, "web1", a, "")))
	assert.Equal(t, proto.Denied, decide(t, k, hello(t, "web1", b, "")), "a second key for an accepted id")
	assert.Equal(t, "salt/auth denied web1", r.last())
	assert.Equal(t, []byte(a.Public()), k.Accepted("web1"))
	require.ErrorContains(t, k.Accept(t.Context(), k.Match("web1", store.KeyDenied)), "delete it first")

	login, err := proto.NewLogin(a, "web1")
	require.NoError(t, err)
	require.NoError(t, k.Login("web1", []byte(login)))
	require.ErrorContains(t, k.Login("web1", []byte(login)), "used before")
	login, _ = proto.NewLogin(b, "web1")
	require.ErrorContains(t, k.Login("web1", []byte(login)), "another key")
	login, _ = proto.NewLogin(a, "web1")
	require.ErrorIs(t, k.Login("web2", []byte(login)), proto.ErrBadFrame)
	require.Error(t, k.Login("web1", []byte("nonsense")))

	again, err := New(t.Context(), s, Options{}, r.fire)
	require.NoError(t, err)
	assert.Equal(t, []byte(a.Public()), again.Accepted("web1"), "a restart forgets nothing")

	require.NoError(t, k.Delete(t.Context(), k.Match("web1", States()...)))
	assert.Empty(t, k.IDs(States()...))
	require.NoError(t, k.Reject(t.Context(), []store.Key{{ID: "web1", Public: b.Public()}}))
	assert.Equal(t, proto.Rejected, decide(t, k, hello(t, "web1", b, "")))
	assert.Equal(t, proto.Pending, decide(t, k, hello(t, "web1", a, "")))
}

func TestTokensAndRules(t *testing.T) {
	t.Parallel()
	f := identity(t)
	k, _, s := setup(t, Options{Autosign: []string{"lab-*"}, Autoreject: []string{"lab-bad"}, Fingers: map[string]string{"gw": proto.Finger(f.Public())}, MaxPending: 2})
	assert.Equal(t, proto.Accepted, decide(t, k, hello(t, "lab-1", identity(t), "")))
	assert.Equal(t, proto.Rejected, decide(t, k, hello(t, "lab-bad", identity(t), "")))
	assert.Equal(t, proto.Accepted, decide(t, k, hello(t, "gw", f, "")))

	token, err := NewToken()
	require.NoError(t, err)
	require.NoError(t, s.AddToken(t.Context(), token, "", time.Now().Add(time.Hour)))
	one, two := identity(t), identity(t)
	assert.Equal(t, proto.Accepted, decide(t, k, hello(t, "car1", one, token)))
	assert.Equal(t, proto.Pending, decide(t, k, hello(t, "car2", two, token)), "a token is spent once")
	assert.Equal(t, proto.Pending, decide(t, k, hello(t, "car3", identity(t), "")))
	assert.Equal(t, proto.Rejected, decide(t, k, hello(t, "car4", identity(t), "")), "no room for more pending keys")
	assert.Equal(t, []string{"car1", "gw", "lab-1"}, k.IDs(store.KeyAccepted))
}

func TestTwoKeysRaceForOneID(t *testing.T) {
	t.Parallel()
	k, _, _ := setup(t, Options{AutoAccept: true})
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[proto.Verdict]int{}
	for range 20 {
		h := hello(t, "web1", identity(t), "")
		wg.Go(func() {
			v, err := k.Decide(t.Context(), h)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			count[v]++
		})
	}
	wg.Wait()
	assert.Equal(t, 1, count[proto.Accepted])
	assert.Equal(t, 19, count[proto.Denied])
}
