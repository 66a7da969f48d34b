package config_test

import (
	"testing"

	"brine/internal/ordered"
	"brine/modules/config"
	"brine/modules/moduletest"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, config.Module())
	b.Opts.Set("both", ordered.Pairs("a", 1))
	b.Opts.Set("x.one", 1)
	b.Facts.M.Set("g", "grain")
	b.Secrets.M.Update(ordered.Pairs("both", ordered.Pairs("a", 2, "b", 3), "p", ordered.Pairs("q", "r"), "master", ordered.Pairs("x.two", 2, "l", []any{"m"}), "l", []any{"p"}))
	b.Want("1", "config.get", "both:a")
	b.WantArgs("2", "config.get", moduletest.KW([]any{"both:a"}, "omit_opts", true))
	b.Want("3", "config.get", "both:b")
	b.WantArgs("{'a': 1, 'b': 3}", "config.get", moduletest.KW([]any{"both"}, "merge", "recurse"))
	b.WantArgs("{'a': 1}", "config.get", moduletest.KW([]any{"both"}, "merge", "overwrite"))
	b.Want("'r'", "config.get", "p:q")
	b.Want("'grain'", "config.get", "g")
	b.Want("7", "config.get", "no", int64(7))
	b.Want("'unconfigured'", "config.get", "test.foo")
	b.Want("'unconfigured'", "config.option", "test.foo")
	b.Want("''", "config.option", "p:q")
	b.WantArgs("{'x.one': 1, 'x.two': 2}", "config.option", moduletest.KW([]any{"x.*"}, "wildcard", true))
	b.WantArgs("{}", "config.option", moduletest.KW([]any{"x.*"}, "wildcard", true, "omit_all", true))
	b.Want("{'a': 1, 'b': 3}", "config.merge", "both")
	b.Want("['m', 'p']", "config.merge", "l")
	b.Want("'d'", "config.merge", "zz", "d")
	b.Want("{'x.two': 2, 'x.one': 1}", "config.dot_vals", "x")
	b.Want("'minion'", "config.backup_mode", "minion")
	b.Want("''", "config.backup_mode")
	b.Want("'0644'", "config.manage_mode", int64(644))
	b.Want("None", "config.manage_mode", nil)
	b.Want("True", "config.valid_fileproto", "https://x")
	b.Want("False", "config.valid_fileproto", "/x")
}
