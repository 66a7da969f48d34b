package events

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/event"
	"brine/internal/ordered"
	"brine/proto"
)

// master takes batches as the real one does: each number of a queue once.
type master struct {
	mu     sync.Mutex
	up     bool
	stored map[string][]uint64
	q      *Queue
}

func (m *master) send(_ context.Context, e proto.Envelope) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.up {
		return errors.New("offline")
	}
	var b proto.Events
	if err := proto.Decode(e.Body, &b); err != nil {
		return err
	}
	var last uint64
	if list := m.stored[b.Queue]; len(list) > 0 {
		last = list[len(list)-1]
	}
	for _, ev := range b.List {
		if ev.Seq > last {
			m.stored[b.Queue] = append(m.stored[b.Queue], ev.Seq)
			last = ev.Seq
		}
	}
	go m.q.Done(last)
	return nil
}

func (m *master) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, l := range m.stored {
		n += len(l)
	}
	return n
}

func (m *master) setUp(up bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.up = up
}

func open(t *testing.T, path string, m *master, limit int) (*Queue, func()) {
	t.Helper()
	q, err := Open(Options{ID: "m1", Path: path, Send: m.send, MaxEvents: limit, Log: zap.NewNop()}, &event.Bus{})
	require.NoError(t, err)
	m.mu.Lock()
	m.q = q
	m.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		assert.ErrorIs(t, <-done, context.Canceled)
	})
	t.Cleanup(stop)
	return q, stop
}

func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "q")
	m := &master{stored: map[string][]uint64{}}
	q, stop := open(t, path, m, 0)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				assert.NoError(t, q.Send(t.Context(), fmt.Sprintf("a/%d/%d", w, i), ordered.Pairs("n", i)))
			}
		})
	}
	wg.Wait()
	stop()

	q, stop = open(t, path, m, 0)
	waiting, _ := q.Len()
	assert.Equal(t, 400, waiting)
	require.NoError(t, q.Send(t.Context(), "last", nil))
	m.setUp(true)
	q.Connected()
	require.Eventually(t, func() bool { n, _ := q.Len(); return n == 0 }, 10*time.Second, time.Millisecond)
	assert.Equal(t, 401, m.count())
	stop()

	q, _ = open(t, path, m, 0)
	require.NoError(t, q.Send(t.Context(), "after", nil))
	require.Eventually(t, func() bool { return m.count() == 402 }, 10*time.Second, time.Millisecond)
	assert.Len(t, m.stored, 1, "it is still the same queue")
}

func TestTheQueueIsBounded(t *testing.T) {
	t.Parallel()
	m := &master{stored: map[string][]uint64{}}
	q, _ := open(t, filepath.Join(t.TempDir(), "q"), m, 10)
	for range 25 {
		require.NoError(t, q.Send(t.Context(), "x", nil))
	}
	waiting, dropped := q.Len()
	assert.Equal(t, 10, waiting)
	assert.Equal(t, 15, dropped)
}

func TestWhatGoesWhenTheQueueIsFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "q")
	m := &master{stored: map[string][]uint64{}}
	queue := func(o Options) *Queue {
		o.Path, o.Send, o.Log = path, m.send, zap.NewNop()
		q, err := Open(o, &event.Bus{})
		require.NoError(t, err)
		return q
	}
	tags := func(q *Queue) (out []string) {
		for _, e := range q.list {
			out = append(out, e.Tag)
		}
		return out
	}
	q := queue(Options{MaxEvents: 3})
	for _, tag := range []string{"a", "salt/beacon/m1/load/", "b", "c", "d"} {
		require.NoError(t, q.Send(t.Context(), tag, nil))
	}
	assert.Equal(t, []string{"b", "c", "d"}, tags(q))
	require.NoError(t, q.j.Close())
	q = queue(Options{MaxEvents: 3}) // the bound holds after a restart too
	assert.Equal(t, []string{"b", "c", "d"}, tags(q))
	require.NoError(t, q.j.Close())
	q = queue(Options{MaxEvents: 3, Policy: Newest})
	require.ErrorIs(t, q.Send(t.Context(), "e", nil), ErrFull)
	q.Done(q.list[0].Seq)
	require.NoError(t, q.Send(t.Context(), "f", nil))
	assert.Equal(t, []string{"c", "d", "f"}, tags(q))
}

func TestTheFileIsBoundedOffline(t *testing.T) {
	t.Parallel()
	m := &master{stored: map[string][]uint64{}}
	path := filepath.Join(t.TempDir(), "q")
	q, err := Open(Options{Path: path, Send: m.send, MaxBytes: 1 << 20, Log: zap.NewNop()}, &event.Bus{})
	require.NoError(t, err)
	big := strings.Repeat("x", 100<<10)
	for range 200 { // 20 MB in all
		require.NoError(t, q.Send(t.Context(), "x", ordered.Pairs("big", big)))
	}
	waiting, dropped := q.Len()
	assert.Equal(t, 200, waiting+dropped)
	assert.LessOrEqual(t, q.bytes, 1<<20)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(8<<20))
	q.flush(t.Context())
	require.NoError(t, q.Send(t.Context(), "huge", ordered.Pairs("big", strings.Repeat("x", 2<<20)))) // stays, alone
	waiting, _ = q.Len()
	assert.Equal(t, 1, waiting)
}

func TestAKeyIsTakenOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.journal")
	bus := &event.Bus{}
	sub := bus.Subscribe(10, nil)
	open := func() *Queue {
		q, err := Open(Options{ID: "m", Path: path, Send: func(context.Context, proto.Envelope) error { return errors.New("offline") }, Log: zap.NewNop()}, bus)
		require.NoError(t, err)
		return q
	}
	q := open()
	for range 2 {
		require.NoError(t, q.SendOnce(t.Context(), "k1", "a/b", ordered.Pairs("x", int64(1))))
	}
	q.Done(1)
	require.NoError(t, q.rewrite())
	require.NoError(t, q.j.Close())
	q = open() // stored by the master and forgotten, but its key is still known
	require.NoError(t, q.SendOnce(t.Context(), "k1", "a/b", nil))
	require.NoError(t, q.SendOnce(t.Context(), "k2", "a/b", nil))
	waiting, _ := q.Len()
	assert.Equal(t, 1, waiting)
	require.NoError(t, q.j.Close())
	assert.Len(t, sub.C(), 2, "each fires here once")
}
