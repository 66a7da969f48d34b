package crontab

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestTab(t *testing.T) {
	t.Parallel()
	text := "MAILTO=x\n0 1 * * * by hand\n" + Marker + "\nPATH=/bin\n# why SALT_CRON_IDENTIFIER:a\n*/5 1 * * * echo hi  there\n#DISABLED#@hourly run it\n"
	tab := Parse(text)
	assert.Equal(t, []string{"MAILTO=x", "0 1 * * * by hand"}, tab.Pre)
	assert.Equal(t, []Variable{{"PATH", "/bin"}}, tab.Env)
	assert.Equal(t, "a", *tab.Jobs[0].ID)
	assert.Equal(t, "why", *tab.Jobs[0].Comment)
	assert.Equal(t, "echo hi  there", tab.Jobs[0].Cmd)
	assert.True(t, tab.Special[0].Commented)
	assert.Equal(t, text, tab.Text())
	assert.Equal(t, Marker+"\n", Tab{}.Text())
}

func TestMatches(t *testing.T) {
	t.Parallel()
	id := "a"
	with, without := Job{Cmd: "c", ID: &id}, Job{Cmd: "c"}
	assert.True(t, with.Matches("other", "a"))
	assert.False(t, with.Matches("c", "b"))
	assert.False(t, with.Matches("c", ""))
	assert.True(t, without.Matches("c", ""))
	assert.True(t, without.Matches("c", "b"), "a job without an identifier takes the one given")
	assert.False(t, without.Matches("d", ""))
	assert.False(t, without.Matches("d", "b"))
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([#@=* a-z0-9A-Z:/]*\n){0,12}`).Draw(t, "text")
		tab := Parse(Marker + "\n" + text)
		once := tab.Text()
		assert.Equal(t, once, Parse(once).Text())
	})
}
