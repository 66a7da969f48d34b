package pyurl

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]URL{
		"salt://a/b?saltenv=x":  {"salt", "a", "/b", "saltenv=x", ""},
		"HTTP://h:80/p;q?x=1#f": {"http", "h:80", "/p;q", "x=1", "f"},
		"/a/b:c":                {"", "", "/a/b:c", "", ""},
		"file:///etc/x":         {"file", "", "/etc/x", "", ""},
		"md5=abc":               {"", "", "md5=abc", "", ""},
		"1x://y":                {"", "", "1x://y", "", ""},
		"":                      {},
		"host:80":               {"host", "", "80", "", ""},
	} {
		assert.Equal(t, want, Parse(in), in)
	}
	assert.True(t, Known("s3"))
	assert.True(t, Remote("https"))
	assert.False(t, Remote("salt"))
}

func TestSalt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"salt://a/b": {"a/b", ""}, "salt://a/b?saltenv=dev": {"a/b", "dev"}, "salt:///a": {"a", ""}, "/x": {"/x", ""}, "salt://a?b": {"a?b", ""},
	} {
		p, e := Salt(in)
		assert.Equal(t, want, [2]string{p, e}, in)
	}
	rest, saltenv := SplitEnv("salt://a?saltenv=dev")
	assert.Equal(t, []string{"salt://a", "dev"}, []string{rest, saltenv})
	assert.Equal(t, "https://<redacted>:<redacted>@h/p", Redact("https://me:secret@h/p"))
	assert.Equal(t, "https://h/p", Redact("https://h/p"))
}
