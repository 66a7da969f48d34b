package event

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
)

func TestBus(t *testing.T) {
	t.Parallel()
	var b Bus
	all := b.Subscribe(100, nil)
	rets := b.Subscribe(1, Glob("salt/job/*/ret/*"))
	at := time.Date(2031, 5, 4, 10, 11, 12, 345678999, time.UTC)
	for i := range 3 {
		b.Fire(New(fmt.Sprintf("salt/job/1/ret/web%d", i), ordered.Pairs("id", i), at))
	}
	b.Fire(New("salt/auth", nil, at))
	for i := range 3 {
		e, err := all.Next(t.Context())
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("salt/job/1/ret/web%d", i), e.Tag)
		assert.Equal(t, "2031-05-04T10:11:12.345678", e.Data.String("_stamp"))
	}
	e, err := rets.Next(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(0), e.Data.Value("id"))
	assert.Equal(t, int64(2), rets.Lost())
	rets.Close()
	b.Fire(New("salt/job/1/ret/x", nil, at))
	assert.Empty(t, rets.C())
}

func TestNextEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b Bus
		s := b.Subscribe(1, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := s.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestGlob(t *testing.T) {
	t.Parallel()
	assert.True(t, Glob("salt/job")("salt/job/1/new"))
	assert.True(t, Glob("")("anything"))
	assert.False(t, Glob("salt/auth")("salt/job/1"))
	assert.True(t, Glob("*/ret/*")("salt/job/1/ret/a"))
	assert.False(t, Glob("a?")("abc"))
}
