package alternatives_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/pyfmt"
	modalternatives "brine/modules/alternatives"
	"brine/modules/cmd"
	"brine/modules/moduletest"
	"brine/states/alternatives"
)

func TestAlternatives(t *testing.T) {
	t.Parallel()
	moduletest.NeedRoot(t, "it is part of dpkg", "update-alternatives")
	b := moduletest.New(t, modalternatives.Module(), cmd.Module())
	s := alternatives.State()
	name := "brine-test-" + strconv.Itoa(os.Getpid())
	link, one, two := b.Work("link"), b.File("one", ""), b.File("two", "")
	t.Cleanup(func() { b.Run("cmd.run", moduletest.KW([]any{"update-alternatives --remove-all " + name})) })
	add := func(path string, priority int) any {
		return b.DryAndTwice(s, "install", moduletest.KW(nil, "name", name, "link", link, "path", path, "priority", priority)).Value("comment")
	}
	assert.Equal(t, "Alternative for "+name+" set to path "+one+" with priority 10", add(one, 10))
	assert.Equal(t, "Alternative for "+name+" set to path "+two+" with priority 20", add(two, 20))
	r := b.DryAndTwice(s, "set", moduletest.KW(nil, "name", name, "path", one))
	assert.Equal(t, "{'path': '"+one+"'}", pyfmt.Repr(r.Value("changes")))
	b.Test = true
	assert.Equal(t, name+" will be put in auto mode", b.State(s, "auto", moduletest.KW(nil, "name", name)).Value("comment"))
	b.Test = false
	b.State(s, "auto", moduletest.KW(nil, "name", name))
	assert.Equal(t, name+" already in auto mode", b.State(s, "auto", moduletest.KW(nil, "name", name)).Value("comment"))
	r = b.DryAndTwice(s, "remove", moduletest.KW(nil, "name", name, "path", two))
	assert.Equal(t, "Alternative for "+name+" removed. Falling back to path "+one, r.Value("comment"))
	assert.Equal(t, "Alternative "+two+" for "+name+" doesn't exist", b.State(s, "set", moduletest.KW(nil, "name", name, "path", two)).Value("comment"))
}
