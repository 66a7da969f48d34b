package debversion

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0}, {"1.0", "1.1", -1}, {"1.10", "1.9", 1}, {"1:1.0", "2.0", 1}, {"0:1", "1", 0}, {"1.0~rc1", "1.0", -1},
		{"1.0~~", "1.0~", -1}, {"1.0-1", "1.0-2", -1}, {"1.0-1", "1.0", 1}, {"1.0a", "1.0+", -1}, {"1.0", "1.0a", -1}, {"1.01", "1.1", 0},
		{"2.0-1-3", "2.0-1-4", -1}, {"99999999999999999999999", "100000000000000000000000", -1},
	} {
		assert.Equal(t, c.want, sign(Compare(c.a, c.b)), "%s %s", c.a, c.b)
		assert.Equal(t, -c.want, sign(Compare(c.b, c.a)), "%s %s", c.b, c.a)
	}
	assert.Equal(t, "1-2", WithoutEpoch("3:1-2"))
}

func sign(n int) int { return min(max(n, -1), 1) }

func FuzzCompare(f *testing.F) {
	f.Add("1.0~rc1-1", "1:0")
	f.Add("", "~")
	f.Fuzz(func(t *testing.T, a, b string) {
		assert.Equal(t, sign(Compare(a, b)), -sign(Compare(b, a)))
		assert.Zero(t, Compare(a, a))
	})
}
