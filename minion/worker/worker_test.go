package worker

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
	"brine/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// runner counts runs; "hang" runs until it is ended, "sleep" waits for a real command.
type runner struct {
	mu   sync.Mutex
	runs map[string]int
}

func (r *runner) Run(ctx context.Context, j *proto.Job, _ *ordered.Map) *proto.Return {
	r.mu.Lock()
	r.runs[j.JID]++
	r.mu.Unlock()
	ret := &proto.Return{ID: "m1", JID: j.JID, Fun: j.Fun, Success: true, Status: proto.Succeeded}
	switch j.Fun {
	case "hang":
		<-ctx.Done()
		ret.Success, ret.Status = false, proto.Cancelled
	case "sleep":
		res, err := host.Real{}.Run(ctx, host.Cmd{Argv: []string{"/bin/sh", "-c", "sleep 60 & sleep 60"}})
		ret.Status, ret.Retcode = proto.Cancelled, res.Retcode
		if err != nil {
			ret.Retcode = 99
		}
	}
	return ret
}

func (r *runner) Pure(fun any) bool { return fun == "pure" }

func (r *runner) count(jid string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs[jid]
}

type bench struct {
	*Worker
	r    *runner
	sent chan proto.Envelope
	path string
	stop func()
}

func start(t *testing.T, path string, r *runner) *bench {
	t.Helper()
	b := &bench{r: r, sent: make(chan proto.Envelope, 1000), path: path}
	w, err := New(Options{ID: "m1", Journal: path, MaxJobs: 10, Log: zap.NewNop(), Send: func(_ context.Context, e proto.Envelope) error {
		b.sent <- e
		return nil
	}}, r)
	require.NoError(t, err)
	b.Worker = w
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			assert.ErrorIs(t, err, context.Canceled)
		case <-time.After(20 * time.Second):
			t.Error("the worker did not stop")
		}
	})
	t.Cleanup(b.stop)
	require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.ctx != nil }, 5*time.Second, time.Millisecond)
	return b
}

func (b *bench) next(t *testing.T, typ proto.Type) *proto.Return {
	t.Helper()
	for {
		select {
		case e := <-b.sent:
			if e.Type != typ {
				continue
			}
			var r proto.Return
			require.NoError(t, proto.Decode(e.Body, &r))
			return &r
		case <-time.After(10 * time.Second):
			t.Fatalf("no %s was sent", typ)
		}
	}
}

func jid(n int) string { return fmt.Sprintf("2031050410111200%04d", n) }

func newRunner() *runner { return &runner{runs: map[string]int{}} }

func TestAJobRunsOnce(t *testing.T) {
	t.Parallel()
	b := start(t, filepath.Join(t.TempDir(), "j"), newRunner())
	j := &proto.Job{JID: jid(1), Fun: "change"}
	for range 5 {
		b.Accept(j)
	}
	assert.Equal(t, proto.Succeeded, b.next(t, proto.TypeRet).Status)
	b.Accept(j)
	assert.Equal(t, jid(1), b.next(t, proto.TypeRet).JID, "the recorded outcome is sent again")
	b.Done([]string{jid(1)})
	assert.Zero(t, b.Spooled())
	b.Accept(j)
	b.next(t, proto.TypeAck)
	assert.Equal(t, 1, b.r.count(jid(1)))

	b.stop()
	again := start(t, b.path, b.r)
	again.Accept(j)
	again.next(t, proto.TypeAck)
	assert.Equal(t, 1, b.r.count(jid(1)), "not after a restart either")
}

func TestRestartInMidJob(t *testing.T) {
	t.Parallel()
	r := newRunner()
	b := start(t, filepath.Join(t.TempDir(), "j"), r)
	b.Accept(&proto.Job{JID: jid(1), Fun: "hang"})
	b.Accept(&proto.Job{JID: jid(2), Fun: "change"})
	b.Accept(&proto.Job{JID: jid(3), Fun: "pure"})
	require.Eventually(t, func() bool { return r.count(jid(1)) == 1 && b.Spooled() == 2 }, 5*time.Second, time.Millisecond)
	b.stop()

	again := start(t, b.path, r)
	again.Connected(t.Context())
	got := map[string]proto.Status{}
	for range 2 {
		ret := again.next(t, proto.TypeRet)
		got[ret.JID] = ret.Status
	}
	assert.Equal(t, map[string]proto.Status{jid(1): proto.Interrupted, jid(2): proto.Succeeded}, got)
	again.Accept(&proto.Job{JID: jid(1), Fun: "hang"})
	assert.Equal(t, proto.Interrupted, again.next(t, proto.TypeRet).Status)
	again.Accept(&proto.Job{JID: jid(3), Fun: "pure"})
	assert.Equal(t, proto.Succeeded, again.next(t, proto.TypeRet).Status)
	assert.Equal(t, 1, r.count(jid(1)))
}

func TestDeadlineAndCancel(t *testing.T) {
	t.Parallel()
	b := start(t, filepath.Join(t.TempDir(), "j"), newRunner())
	b.Accept(&proto.Job{JID: jid(1), Fun: "change", Deadline: time.Now().Add(-time.Second).UnixMilli()})
	assert.Equal(t, proto.Expired, b.next(t, proto.TypeRet).Status)
	assert.Zero(t, b.r.count(jid(1)))

	b.Accept(&proto.Job{JID: jid(2), Fun: "sleep"})
	b.next(t, proto.TypeAck)
	require.Eventually(t, func() bool { r := b.Running(""); return len(r) == 1 && r[0].Value("pid") != nil }, 5*time.Second, time.Millisecond)
	assert.Empty(t, b.Running(jid(2)), "the asking job is left out")
	assert.Equal(t, []string{jid(2)}, b.Active())
	assert.True(t, b.Signal(jid(2), syscall.SIGKILL))
	assert.Equal(t, proto.Cancelled, b.next(t, proto.TypeRet).Status)

	b.Cancel(t.Context(), proto.Cancel{JID: jid(3), Signal: 15})
	assert.Equal(t, proto.Cancelled, b.next(t, proto.TypeRet).Status)
	b.Accept(&proto.Job{JID: jid(3), Fun: "change"})
	assert.Equal(t, proto.Cancelled, b.next(t, proto.TypeRet).Status, "a cancelled job is not run when it comes late")
	assert.Zero(t, b.r.count(jid(3)))
	assert.False(t, b.Signal("nope", syscall.SIGTERM))
}

func TestJournalStaysSmall(t *testing.T) {
	t.Parallel()
	b := start(t, filepath.Join(t.TempDir(), "j"), newRunner())
	big := &proto.Return{ID: "m1", JID: jid(0), Fun: "x"}
	require.NoError(t, big.SetValue(string(make([]byte, 1<<20))))
	for i := range 20 {
		r := *big
		r.JID = jid(i)
		require.NoError(t, b.Submit(t.Context(), &r))
		b.Done([]string{jid(i)})
	}
	assert.Less(t, b.journal.j.Size(), int64(6<<20))
	b.stop()
	again := start(t, b.path, b.r)
	again.Accept(&proto.Job{JID: jid(1), Fun: "change"})
	again.next(t, proto.TypeAck)
	assert.Zero(t, b.r.count(jid(1)))
}
