package target

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"brine/internal/ordered"
)

func facts() *Facts {
	grains := ordered.Pairs("os", "Debian", "os_family", "Debian", "kernel", "Linux", "num_cpus", 2, "roles", []any{"web", "db"},
		"ipv4", []any{"10.0.0.5", "127.0.0.1"}, "ipv6", []any{"fe80::1"},
		"ip_interfaces", ordered.Pairs("eth0", []any{"10.0.0.5"}, "lo", []any{"127.0.0.1"}),
		"disk", ordered.Pairs("sda", ordered.Pairs("type", "SSD")), "a:b", "c")
	pillar := ordered.Pairs("role", "db", "app", ordered.Pairs("port", 80))
	return &Facts{ID: "m1", Grains: func() *ordered.Map { return grains }, Pillar: func() *ordered.Map { return pillar }}
}

func options() Options {
	return Options{Nodegroups: ordered.Pairs("web", "m1 or m2", "nested", "N@web and G@os:Debian", "list", []any{"G@os:Debian", "and", "m1"},
		"loop", "N@loop2", "loop2", "N@loop", "unknown", "N@nowhere")}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind string
		tgt  any
		want bool
	}{
		{"glob", "*", true}, {"glob", "m?", true}, {"glob", "[!m]1", false}, {"glob", "", false}, {"glob", "M1", false},
		{"list", "a,m1", true}, {"list", []any{"x", "m1"}, true}, {"list", "m", false},
		{"pcre", "m[0-9]", true}, {"pcre", "1", false}, {"pcre", "m", true}, {"pcre", "m$", false},
		{"grain", "os:Debian", true}, {"grain", "os:deb*", true}, {"grain", "os:Deb", false}, {"grain", "os", false}, {"grain", "num_cpus:2", true},
		{"grain", "roles:db", true}, {"grain", "roles:d?", true}, {"grain", "roles:x", false}, {"grain", "ip_interfaces:eth0:10.0.0.5", true},
		{"grain", "ip_interfaces:eth0", true}, {"grain", "ip_interfaces:eth1", false}, {"grain", "*:Linux", true}, {"grain", "*:sda:type:ssd", true},
		{"grain", "disk:*:type:ssd", true}, {"grain", "ip_interfaces:*:10.0.0.5", true}, {"grain", "ip_interfaces:*:10.0.0.6", false}, {"grain", "a:b:c", false},
		{"grain", "nope:*", false}, {"grain", "os:*", true}, {"grain", "ip_interfaces:*", true},
		{"grain_pcre", "os:(Debian|Ubuntu)", true}, {"grain_pcre", "os:^deb", true}, {"grain_pcre", "os:bian", false}, {"grain_pcre", "os:(", false},
		{"pillar", "role:d*", true}, {"pillar", "app:port:80", true}, {"pillar_exact", "role:d*", false}, {"pillar_exact", "role:db", true}, {"pillar_pcre", "role:^d.$", true},
		{"ipcidr", "10.0.0.0/8", true}, {"ipcidr", "10.0.0.5", true}, {"ipcidr", "10.0.0.6", false}, {"ipcidr", "fe80::/10", true},
		{"nodegroup", "web", true}, {"nodegroup", "nested", true}, {"nodegroup", "list", true},
		{"compound", "m1", true}, {"compound", "m1 and not G@os:Debian", false}, {"compound", "not m1", false}, {"compound", "m1 not x", true},
		{"compound", "( m1 or m2 ) and G@kernel:Linux", true}, {"compound", "x* or ( E@^m and not ( G@os:Windows or G@os:Solaris ) )", true},
		{"compound", "L@m1,m5 and S@10.0.0.0/8", true}, {"compound", "I@role:db", true}, {"compound", "J@role:^d.$", true}, {"compound", "P@os:(Debian|Ubuntu)", true},
		{"compound", "G|@deep|grain|path:x or m1", true}, {"compound", "G|@ip_interfaces|eth0|10.0.0.5", true}, {"compound", "N@web", true}, {"compound", "N@nested and m1", true},
		{"compound", "(m1)", false}, {"compound", "X@m1 or m1", true}, {"compound", []any{"m1", "and", "G@os:Debian"}, true},
		{"compound", "m1 or m2 and x", true}, {"compound", "not m1 or m1", true}, {"compound", "E@m1", true},
	} {
		m, err := Parse(c.tgt, c.kind, options())
		require.NoError(t, err, "%s %v", c.kind, c.tgt)
		assert.Equal(t, c.want, m.Match(facts()), "%s %v", c.kind, c.tgt)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, tgt, want string }{
		{"compound", "G@os:Debian and", "ends where a term"}, {"compound", "and m1", `did not expect "and"`}, {"compound", "m1 or", "ends where"}, {"compound", "", "empty"},
		{"compound", "( m1", "not closed"}, {"compound", "m1 )", "did not expect"}, {"compound", "m1 m2", "did not expect"}, {"compound", "( and m1 )", "did not expect"},
		{"compound", "S@nonsense", "neither"}, {"compound", "R@%x", "range"}, {"pcre", "(", "regular expression"}, {"nodegroup", "nowhere", "Node group nowhere unavailable"},
		{"nodegroup", "loop", "contains itself"}, {"nodegroup", "unknown", "Node group nowhere unavailable"}, {"moon", "x", "unknown target type"},
	} {
		_, err := Parse(c.tgt, c.kind, options())
		require.ErrorContains(t, err, c.want, "%s %s", c.kind, c.tgt)
	}
}

// TestCompoundAgreesWithBooleans builds random expressions and evaluates them independently.
func TestCompoundAgreesWithBooleans(t *testing.T) {
	t.Parallel()
	var build func(t *rapid.T, depth int) (string, bool)
	build = func(t *rapid.T, depth int) (string, bool) {
		kind := rapid.IntRange(0, 4).Draw(t, "kind")
		if depth == 0 {
			kind = 0
		}
		switch kind {
		case 1:
			s, v := build(t, depth-1)
			return "not ( " + s + " )", !v
		case 2, 3:
			a, x := build(t, depth-1)
			b, y := build(t, depth-1)
			if kind == 2 {
				return "( " + a + " and " + b + " )", x && y
			}
			return "( " + a + " or " + b + " )", x || y
		}
		if rapid.Bool().Draw(t, "hit") {
			return "m*", true
		}
		return "x*", false
	}
	rapid.Check(t, func(t *rapid.T) {
		text, want := build(t, 6)
		m, err := Parse(text, "compound", Options{})
		if err != nil || m.Match(facts()) != want {
			t.Fatalf("%s: want %v, error %v", text, want, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("( m1 or E@^m ) and not G@os:*")
	f.Fuzz(func(_ *testing.T, text string) {
		for _, kind := range Types() {
			if m, err := Parse(text, kind, options()); err == nil {
				m.Match(facts())
			}
		}
	})
}
