package pkgrepo_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/pyfmt"
	"brine/modules/moduletest"
	pkgmod "brine/modules/pkg"
	"brine/states/pkgrepo"
)

func TestManagedAndAbsent(t *testing.T) {
	repo := moduletest.NewAptRepo(t)
	b, s := moduletest.New(t, pkgmod.Module()), pkgrepo.State()
	repo.Add(fmt.Sprintf("brine-p%d", os.Getpid()), "1")
	file := repo.Etc + "/sources.list.d/x.list"
	a := moduletest.KW(nil, "name", repo.Line(), "file", file)
	r := b.DryAndTwice(s, "managed", a)
	assert.Equal(t, "Configured package repo '"+repo.Line()+"'", r.Value("comment"))
	assert.Equal(t, "{'repo': '"+repo.Line()+"'}", pyfmt.Repr(r.Map("changes")))
	assert.Equal(t, repo.Line()+"\n", b.Read(file))
	b.WantState(s, "managed", a, `{'result': True, 'comment': "Package repo '`+repo.Line()+`' already configured", 'changes': {}}`)
	r = b.DryAndTwice(s, "managed", moduletest.KW(nil, "name", repo.Line(), "disabled", true))
	assert.Equal(t, "{'new': True, 'old': False}", pyfmt.Repr(r.Map("changes").Map("disabled")))
	r = b.DryAndTwice(s, "absent", moduletest.KW(nil, "name", repo.Line()))
	assert.Equal(t, "Removed repo "+repo.Line(), r.Value("comment"))
	assert.NoFileExists(t, file)
	b.WantState(s, "managed", moduletest.KW(nil, "name", "nonsense"),
		`{'result': False, 'comment': "Failed to examine repo 'nonsense': Error: repo 'nonsense' is not a well formatted definition", 'changes': {}}`)
}
