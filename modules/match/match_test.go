package match_test

import (
	"testing"

	"brine/internal/ordered"
	"brine/modules/data"
	"brine/modules/match"
	"brine/modules/moduletest"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, match.Module(), data.Module())
	b.Facts.M.Update(ordered.Pairs("os", "Debian", "ipv4", []any{"10.0.0.5"}, "deep", ordered.Pairs("a", "b:c")))
	b.Secrets.M = ordered.Pairs("role", "db")
	b.Opts.Set("nodegroups", ordered.Pairs("web", "m1 or m2"))
	for _, c := range []struct {
		want, fun string
		pos       []any
	}{
		{"True", "glob", []any{"m?"}}, {"False", "glob", []any{""}}, {"False", "glob", []any{"m1", "m2"}}, {"True", "pcre", []any{"^m"}},
		{"False", "pcre", []any{"("}}, {"True", "list", []any{"a,m1"}}, {"True", "list", []any{[]any{"m1"}}}, {"True", "grain", []any{"os:Deb*"}},
		{"True", "grain", []any{"deep|a|b:c", "|"}}, {"True", "grain_pcre", []any{"os:(Debian|Ubuntu)"}}, {"True", "pillar", []any{"role:d*"}},
		{"True", "pillar_pcre", []any{"role:^d.$"}}, {"True", "ipcidr", []any{"10.0.0.0/8"}}, {"False", "ipcidr", []any{"rubbish"}},
		{"True", "compound", []any{"m1 and not G@os:Windows and N@web"}}, {"False", "compound", []any{"m1 and"}}, {"False", "compound", []any{"N@none"}},
		{"False", "data", []any{"k"}}, {"False", "data", []any{"k:v"}},
	} {
		b.Want(c.want, "match."+c.fun, c.pos...)
	}
	b.Want("True", "data.update", "k", []any{"Value"})
	b.Want("True", "match.data", "k:v*")
	table := ordered.Pairs("x*", 1, "m* and G@os:Debian", ordered.Pairs("a", 1), "default", 0)
	b.Want("{'a': 1}", "match.filter_by", table)
	b.WantArgs("{'a': 1, 'b': 2}", "match.filter_by", moduletest.KW([]any{table}, "merge", ordered.Pairs("b", 2)))
	b.WantArgs("1", "match.filter_by", moduletest.KW([]any{table}, "minion_id", "xyz"))
	b.WantArgs("0", "match.filter_by", moduletest.KW([]any{table}, "tgt_type", "glob", "minion_id", "none"))
	b.Want("['web']", "match.search_by", ordered.Pairs("web", []any{"m1", "n1"}, "db", []any{"n2"}))
	b.Want("None", "match.search_by", ordered.Pairs("db", []any{"n2"}))
}
