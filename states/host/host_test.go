package host_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/pyfmt"
	"brine/modules/hosts"
	"brine/modules/moduletest"
	"brine/states/host"
)

func bench(t *testing.T, content string) (*moduletest.Bench, string) {
	b := moduletest.New(t, hosts.Module())
	f := b.File("hosts", content)
	b.Opts.Set("hosts.file", f)
	return b, f
}

func TestPresentAndAbsent(t *testing.T) {
	t.Parallel()
	b, f := bench(t, "# mine\n127.0.0.1 localhost # lo\n10.0.0.9 db\n")
	r := b.DryAndTwice(host.State(), "present", moduletest.KW(nil, "name", "web", "ip", []any{"127.0.0.1", "10.0.0.2"}))
	assert.Equal(t, "{'added': {'10.0.0.2': ['web'], '127.0.0.1': ['web']}}", pyfmt.Repr(r.Value("changes")))
	assert.Equal(t, "Added host web (10.0.0.2)\nAdded host web (127.0.0.1)", r.Value("comment"))
	assert.Equal(t, "# mine\n127.0.0.1\t\tlocalhost web\t\t# lo\n10.0.0.9\t\tdb\n10.0.0.2\t\tweb\n", b.Read(f))
	r = b.DryAndTwice(host.State(), "present", moduletest.KW(nil, "name", "db", "ip", "10.0.0.8", "clean", true, "comment", "main"))
	assert.Equal(t, "{'added': {'10.0.0.8': ['db']}, 'comment_added': {'10.0.0.8': ['main']}, 'removed': {'10.0.0.9': ['db']}}", pyfmt.Repr(r.Value("changes")))
	b.Test = true
	b.WantState(host.State(), "absent", moduletest.KW(nil, "name", "db", "ip", []any{"10.0.0.8", "1.1.1.1"}),
		"{'result': None, 'comment': 'Host db (10.0.0.8) needs to be removed\\nHost db (1.1.1.1) already absent', 'changes': {}}")
	b.Test = false
	b.WantState(host.State(), "absent", moduletest.KW(nil, "name", "db", "ip", "10.0.0.8"), "{'result': True, 'comment': 'Removed host db (10.0.0.8)', 'changes': {'host': 'db'}}")
	b.WantState(host.State(), "absent", moduletest.KW(nil, "name", "db", "ip", "10.0.0.8"), "{'result': True, 'comment': 'Host db (10.0.0.8) already absent', 'changes': {}}")
}

func TestOnly(t *testing.T) {
	t.Parallel()
	b, f := bench(t, "10.0.0.1 a b\n10.0.0.1 c\n")
	b.Test = true
	b.WantState(host.State(), "only", moduletest.KW(nil, "name", "10.0.0.1", "hostnames", []any{"x", "y"}), `{'result': None, 'comment': 'Would change 10.0.0.1 from "a b c" to "x y"', 'changes': {}}`)
	b.Test = false
	r := b.DryAndTwice(host.State(), "only", moduletest.KW(nil, "name", "10.0.0.1", "hostnames", []any{"x", "y"}))
	assert.Equal(t, `successfully changed 10.0.0.1 from "a b c" to "x y"`, r.Value("comment"))
	assert.Equal(t, "10.0.0.1\t\tx y\n", b.Read(f))
	b.Want("['x', 'y']", "hosts.get_alias", "10.0.0.1")
	b.Want("'10.0.0.1'", "hosts.get_ip", "y")
	b.Want("{'10.0.0.1': {'aliases': ['x', 'y']}}", "hosts.list_hosts")
	assert.Equal(t, `IP address 10.0.0.1 already set to "x y"`, b.State(host.State(), "only", moduletest.KW(nil, "name", "10.0.0.1", "hostnames", []any{"x", "y"})).Value("comment"))
}
