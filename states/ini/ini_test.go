package ini_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	modini "brine/modules/ini"
	"brine/modules/moduletest"
	"brine/states/ini"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, modini.Module())
	s := ini.State()
	f := b.File("i", "top=1\n[main]\na = 1\nz = 9\n")
	a := moduletest.KW(nil, "name", f, "strict", true, "sections", ordered.Pairs("main", ordered.Pairs("a", 2, "n", "x"), "new", ordered.Pairs("k", "v")))
	b.Test = true
	assert.Equal(t, "Changed key a in section main.\nChanged key n in section main.\nDeleted key z in section main.\nChanged key k in section new.\n", b.State(s, "options_present", a).Value("comment"))
	b.Test = false
	r := b.DryAndTwice(s, "options_present", a)
	assert.Equal(t, "Changes take effect", r.Value("comment"))
	assert.Equal(t, "{'top': {'before': '1', 'after': None}, 'main': {'z': {'before': '9', 'after': None}, 'a': {'before': '1', 'after': '2'}, 'n': {'before': None, 'after': 'x'}}, "+
		"'new': {'before': None, 'after': {'k': 'v'}}}", pyfmt.Repr(r.Value("changes")))
	assert.Equal(t, "[main]\na = 2\nn = x\n\n[new]\nk = v\n", b.Read(f))
	assert.Equal(t, "No anomaly detected", b.State(s, "options_present", a).Value("comment"))
	b.DryAndTwice(s, "options_absent", moduletest.KW(nil, "name", f, "sections", ordered.Pairs("main", []any{"n", "none"})))
	b.DryAndTwice(s, "sections_present", moduletest.KW(nil, "name", f, "sections", []any{"main", "more"}))
	r = b.DryAndTwice(s, "sections_absent", moduletest.KW(nil, "name", f, "sections", []any{"new"}))
	assert.Equal(t, "{'new': {'k': 'v'}}", pyfmt.Repr(r.Value("changes")))
	b.Want("'2'", "ini.get_option", f, "main", "a")
	b.Want("None", "ini.remove_option", f, "main", "none")
}
