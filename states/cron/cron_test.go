package cron_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/crontab"
	"brine/internal/pyfmt"
	"brine/modules/cmd"
	"brine/modules/config"
	"brine/modules/cp"
	modcron "brine/modules/cron"
	"brine/modules/file"
	"brine/modules/moduletest"
	"brine/modules/user"
	"brine/states/cron"
)

// program stands for crontab(1): -l prints the file tab, a path replaces it.
const program = `#!/bin/sh
[ "$1" = -u ] && shift 2
if [ "$1" = -l ]; then cat "$CRONTAB_FILE" 2>/dev/null; exit 0; fi
cp "$1" "$CRONTAB_FILE"
`

func bench(t *testing.T) (*moduletest.Bench, string) {
	moduletest.NeedRoot(t, "")
	b := moduletest.New(t, modcron.Module(), cmd.Module(), file.Module(), cp.Module(nil), config.Module(), user.Module())
	require.NoError(t, os.Mkdir(b.Dir+"/bin", 0o755))
	require.NoError(t, os.WriteFile(b.Dir+"/bin/crontab", []byte(program), 0o755)) //nolint:gosec // it is run
	t.Setenv("PATH", b.Dir+"/bin:"+os.Getenv("PATH"))
	t.Setenv("CRONTAB_FILE", b.Work("tab"))
	return b, b.Work("tab")
}

func TestJobs(t *testing.T) {
	b, tab := bench(t)
	s := cron.State()
	r := b.DryAndTwice(s, "present", moduletest.KW(nil, "name", "echo hi", "minute", 5, "comment", "why"))
	assert.Equal(t, "Cron echo hi added to root's crontab", r.Value("comment"))
	assert.Equal(t, "{'root': 'echo hi'}", pyfmt.Repr(r.Value("changes")))
	assert.Equal(t, crontab.Marker+"\n# why SALT_CRON_IDENTIFIER:echo hi\n5 * * * * echo hi\n", b.Read(tab))
	r = b.DryAndTwice(s, "present", moduletest.KW(nil, "name", "echo ho", "identifier", "echo hi", "hour", "random"))
	assert.Equal(t, "Cron echo ho updated", r.Value("comment"))
	r = b.DryAndTwice(s, "present", moduletest.KW(nil, "name", "run", "special", "@hourly"))
	assert.Equal(t, "Cron run added to root's crontab", r.Value("comment"))
	r = b.DryAndTwice(s, "absent", moduletest.KW(nil, "name", "echo ho", "identifier", "echo hi"))
	assert.Equal(t, "Cron echo ho removed from root's crontab", r.Value("comment"))
	r = b.DryAndTwice(s, "env_present", moduletest.KW(nil, "name", "MAILTO", "value", "a@b"))
	assert.Equal(t, "Cron env MAILTO added to root's crontab", r.Value("comment"))
	b.Want("{'pre': [], 'crons': [], 'special': [{'spec': '@hourly', 'identifier': 'run', 'cmd': 'run', 'comment': '', 'commented': False}], 'env': [{'name': 'MAILTO', 'value': 'a@b'}]}", "cron.list_tab", "root")
	b.DryAndTwice(s, "env_absent", moduletest.KW(nil, "name", "MAILTO"))
	r = b.DryAndTwice(s, "absent", moduletest.KW(nil, "name", "run", "special", "@hourly"))
	assert.Equal(t, "Cron run removed from root's crontab", r.Value("comment"))
	assert.Equal(t, crontab.Marker+"\n", b.Read(tab))
}

func TestFile(t *testing.T) {
	b, tab := bench(t)
	require.NoError(t, os.WriteFile(b.Roots+"/tab", []byte("1 2 * * * echo\n"), 0o600))
	r := b.DryAndTwice(cron.State(), "file", moduletest.KW(nil, "name", "salt://tab"))
	assert.Equal(t, "Crontab for user root was updated", r.Value("comment"))
	assert.Equal(t, "1 2 * * * echo\n", b.Read(tab))
}
