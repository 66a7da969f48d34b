package store

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/proto"
)

func openTest(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sub dir", "a?b.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func job(jid string, minions ...string) Job {
	return Job{Job: proto.Job{JID: jid, Fun: "test.ping", Tgt: "*", TgtType: "glob", User: "root", Arg: []any{}}, Minions: minions, Open: true}
}

func ret(t testing.TB, jid, id string) *proto.Return {
	t.Helper()
	r := &proto.Return{ID: id, JID: jid, Fun: "test.ping", Success: true, Status: proto.Succeeded}
	require.NoError(t, r.SetValue(ordered.Pairs("b", true, "a", []any{1})))
	return r
}

func save(t testing.TB, s *Store, r *proto.Return) (fresh bool) {
	t.Helper()
	done := make(chan error, 1)
	s.SaveReturn(r, nil, time.Now(), func(f bool, err error) { fresh = f; done <- err })
	require.NoError(t, <-done)
	return fresh
}

func TestJobsAndReturns(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ctx := t.Context()
	for i := range 5 {
		require.NoError(t, s.SaveJob(ctx, job(fmt.Sprintf("2031050410111200000%d", i), "web1", "web2")))
	}
	const jid = "20310504101112000003"
	require.Error(t, s.SaveJob(ctx, job(jid)), "a job id is used once")
	j, err := s.Job(ctx, jid)
	require.NoError(t, err)
	assert.Equal(t, []string{"web1", "web2"}, j.Minions)
	assert.True(t, j.Open)
	_, err = s.Job(ctx, "20310504101112000009")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = s.Job(ctx, "nonsense")
	require.ErrorIs(t, err, ErrNotFound)

	assert.True(t, save(t, s, ret(t, jid, "web2")))
	assert.True(t, save(t, s, ret(t, jid, "web1")))
	second := ret(t, jid, "web1")
	second.Status = proto.Failed
	assert.False(t, save(t, s, second), "the first terminal state stands")
	list, err := s.Returns(ctx, jid)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "web2", list[0].ID)
	one, err := s.Return(ctx, jid, "web1")
	require.NoError(t, err)
	assert.Equal(t, proto.Succeeded, one.Status)
	v, err := one.Value()
	require.NoError(t, err)
	assert.Equal(t, []any{"b", "a"}, v.(*ordered.Map).Keys())

	require.NoError(t, s.CloseJob(ctx, jid))
	require.Eventually(t, func() bool { open, err := s.OpenJobs(ctx); return err == nil && len(open) == 4 }, 5*time.Second, time.Millisecond)
	jobs, err := s.Jobs(ctx, JobQuery{Limit: 2, Before: "20310504101112000004", Funs: []string{"test.*"}, User: "root"})
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	assert.Equal(t, jid, jobs[0].JID)
	last, err := s.LastJID(ctx)
	require.NoError(t, err)
	assert.Equal(t, "20310504101112000004", last)

	at, _ := proto.JIDTime(jid)
	n, err := s.Expire(ctx, at.Add(time.Hour), time.Time{})
	require.NoError(t, err)
	assert.Equal(t, int64(2+5), n)
}

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "b.db")
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, s.SaveJob(t.Context(), job("20310504101112000003", "web1")))
	s.SeenMinion(Minion{ID: "web1", Grains: ordered.Pairs("os", "Debian"), LastSeen: time.Now(), Version: "1"}, func(err error) { assert.NoError(t, err) })
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Add(1)
		s.SaveReturn(ret(t, "20310504101112000003", fmt.Sprint("m", i)), nil, time.Now(), func(bool, error) { wg.Done() })
	}
	require.NoError(t, s.Close())
	wg.Wait()
	require.ErrorIs(t, s.SaveJob(t.Context(), job("20310504101112000004")), ErrClosed)
	s, err = Open(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	done, err := s.Returned(t.Context(), "20310504101112000003")
	require.NoError(t, err)
	assert.Len(t, done, 50)
	assert.True(t, done["m49"])
	ms, err := s.Minions(t.Context())
	require.NoError(t, err)
	assert.Len(t, ms, 51)
	require.NoError(t, s.ForgetMinion(t.Context(), "web1"))
	ms, err = s.Minions(t.Context())
	require.NoError(t, err)
	assert.Nil(t, ms[50].Grains)
}

func TestKeysAndTokens(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ctx := t.Context()
	now := time.Now()
	a, b := []byte("key-a"), []byte("key-b")
	require.NoError(t, s.PutKey(ctx, Key{ID: "web1", Public: a, State: KeyAccepted, Since: now}))
	require.Error(t, s.PutKey(ctx, Key{ID: "web1", Public: b, State: KeyAccepted, Since: now}), "one id, one accepted key")
	require.NoError(t, s.PutKey(ctx, Key{ID: "web1", Public: b, State: KeyDenied, Since: now}))
	keys, err := s.Keys(ctx)
	require.NoError(t, err)
	assert.Len(t, keys, 2)
	require.NoError(t, s.DeleteKey(ctx, "web1", a))

	require.NoError(t, s.AddToken(ctx, "secret", "web2", now.Add(time.Hour)))
	use := func(token, id string, at time.Time) error {
		return s.UseToken(ctx, token, Key{ID: id, Public: a, State: KeyAccepted, Since: at})
	}
	require.ErrorIs(t, use("wrong", "web2", now), ErrToken)
	require.ErrorIs(t, use("secret", "web3", now), ErrToken)
	require.ErrorIs(t, use("secret", "web2", now.Add(2*time.Hour)), ErrToken)
	require.NoError(t, use("secret", "web2", now))
	require.ErrorIs(t, use("secret", "web2", now), ErrToken, "a token is spent once")
}

func TestEventsOfAQueueAreStoredOnce(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ctx := t.Context()
	batch := func(queue string, from, to uint64) proto.Events {
		e := proto.Events{Queue: queue}
		for n := from; n <= to; n++ {
			e.List = append(e.List, proto.Event{Seq: n, Tag: fmt.Sprintf("a/%d", n), Data: ordered.Pairs("n", int64(n)), Time: int64(n) * 1e6})
		}
		return e
	}
	fresh, upTo, err := s.AddEvents(ctx, "web1", batch("q1", 1, 3), time.Now())
	require.NoError(t, err)
	assert.Len(t, fresh, 3)
	assert.Equal(t, uint64(3), upTo)
	fresh, upTo, err = s.AddEvents(ctx, "web1", batch("q1", 2, 5), time.Now())
	require.NoError(t, err)
	assert.Len(t, fresh, 2)
	assert.Equal(t, uint64(5), upTo)
	fresh, _, err = s.AddEvents(ctx, "web1", batch("q2", 1, 1), time.Now())
	require.NoError(t, err)
	assert.Len(t, fresh, 1, "a new queue starts again")
	list, err := s.Events(ctx, EventQuery{Minion: "web1", Tag: "a/*", Limit: 2})
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "a/5", list[0].Tag)
	list, err = s.Events(ctx, EventQuery{After: 2})
	require.NoError(t, err)
	assert.Equal(t, int64(3), list[0].ID)
}

func TestDocs(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	_, err := s.Doc(t.Context(), "mine", "web1")
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, s.PutDoc(t.Context(), "mine", "web1", ordered.Pairs("a", 1)))
	require.NoError(t, s.PutDoc(t.Context(), "mine", "web1", ordered.Pairs("a", 2)))
	v, err := s.Doc(t.Context(), "mine", "web1")
	require.NoError(t, err)
	assert.Equal(t, int64(2), v.(*ordered.Map).Value("a"))
	require.NoError(t, s.DeleteDoc(t.Context(), "mine", "web1"))
}

func BenchmarkSaveReturn(b *testing.B) {
	s := openTest(b)
	var wg sync.WaitGroup
	r := ret(b, "20310504101112000003", "x")
	for i := 0; b.Loop(); i++ {
		one := *r
		one.ID = fmt.Sprint("m", i%10000)
		one.JID = proto.FormatJID(time.UnixMicro(1935663072000000 + int64(i/10000)))
		wg.Add(1)
		s.SaveReturn(&one, nil, time.Now(), func(_ bool, err error) {
			if err != nil {
				b.Error(err)
			}
			wg.Done()
		})
	}
	wg.Wait()
}
