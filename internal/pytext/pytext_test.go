package pytext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSplitlines(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"a", "b", "", "c", "d", "e"}, Splitlines("a\nb\r\n\rc\vd\u2028e\n", false))
	assert.Equal(t, []string{"a\n", "b\r\n", "\r", "c\v", "d\u2028", "e\n"}, Splitlines("a\nb\r\n\rc\vd\u2028e\n", true))
	assert.Nil(t, Splitlines("", true))
	assert.Equal(t, []string{"a\n", "b\rc"}, Lines("a\nb\rc"))
	assert.Equal(t, []string{"a\n", "b\r", "c\vd"}, BytesLines("a\nb\rc\vd"))
	assert.Equal(t, "a\nb\nc", Universal("a\r\nb\rc"))
	assert.Equal(t, "x", Strip("\u00a0\x1c x\n\u3000"))
	assert.Equal(t, "\u200bx", Strip("\u200bx "))
	assert.Equal(t, []string{"a", "b"}, Fields(" a\x1fb\n"))
	assert.Equal(t, "ok\uFFFD", Decode([]byte("ok\xff")))
}

func FuzzSplitlines(f *testing.F) {
	f.Add("a\r\nb\u0085c")
	f.Fuzz(func(t *testing.T, s string) {
		assert.Equal(t, s, strings.Join(Splitlines(s, true), ""))
		assert.Equal(t, s, strings.Join(BytesLines(s), ""))
		assert.Equal(t, s, strings.Join(Lines(s), ""))
	})
}
