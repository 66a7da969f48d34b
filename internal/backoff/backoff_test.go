package backoff

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestNext(t *testing.T) {
	t.Parallel()
	b := Backoff{Base: time.Second, Cap: 5 * time.Second, Rand: func(n int64) int64 { return n - 1 }}
	for _, want := range []time.Duration{1, 2, 4, 5, 5} {
		assert.Equal(t, want*time.Second, b.Next())
	}
	assert.Equal(t, 20*time.Second, b.NextTimes(4))
	b.Reset()
	assert.Equal(t, time.Second, b.Next())
	c := Backoff{Base: time.Millisecond, Cap: time.Second}
	for range 100 {
		d := c.Next()
		assert.True(t, d >= 0 && d <= time.Second)
	}
}
