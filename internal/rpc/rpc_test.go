package rpc

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"brine/internal/unixsock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, methods map[string]Method) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sock")
	l, err := unixsock.Listen(path)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- (&Server{Methods: methods, Log: zap.NewNop()}).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		assert.ErrorIs(t, <-done, context.Canceled)
	})
	return path
}

func TestCalls(t *testing.T) {
	t.Parallel()
	cancelled := make(chan struct{})
	path := serve(t, map[string]Method{
		"count": func(_ context.Context, _ Caller, b Body, reply Reply) error {
			var n int
			if err := b.Decode(&n); err != nil {
				return err
			}
			for i := range n {
				if err := reply(i); err != nil {
					return err
				}
			}
			return nil
		},
		"fail":  func(context.Context, Caller, Body, Reply) error { return &Error{Code: "c", Msg: "no"} },
		"panic": func(context.Context, Caller, Body, Reply) error { panic("oh") },
		"hang": func(ctx context.Context, _ Caller, _ Body, reply Reply) error {
			_ = reply(1)
			<-ctx.Done()
			close(cancelled)
			return ctx.Err()
		},
	})
	var got []int
	require.NoError(t, Call(t.Context(), path, "count", 3, func(b Body) error {
		var n int
		err := b.Decode(&n)
		got = append(got, n)
		return err
	}))
	assert.Equal(t, []int{0, 1, 2}, got)
	err := One(t.Context(), path, "fail", nil, nil)
	assert.Equal(t, "c", ErrCode(err))
	require.EqualError(t, err, "no")
	require.ErrorContains(t, One(t.Context(), path, "panic", nil, nil), "oh")
	require.ErrorContains(t, One(t.Context(), path, "nope", nil, nil), "does not know")
	stop := errors.New("enough")
	require.ErrorIs(t, Call(t.Context(), path, "hang", nil, func(Body) error { return stop }), stop)
	select {
	case <-cancelled:
	case <-time.After(10 * time.Second):
		t.Fatal("the server's context must end with the client")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	cancelled = make(chan struct{})
	require.ErrorIs(t, Call(ctx, path, "hang", nil, func(Body) error { return nil }), context.DeadlineExceeded)
	<-cancelled

	c, err := net.Dial("unix", path)
	require.NoError(t, err)
	_, err = c.Write([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3})
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err, "garbage ends the connection")
	_ = c.Close()
}
