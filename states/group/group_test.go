package group_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/pyfmt"
	"brine/modules"
	groupmod "brine/modules/group"
	"brine/modules/moduletest"
	"brine/states/group"
)

func TestPresentAndAbsent(t *testing.T) {
	t.Parallel()
	moduletest.NeedRoot(t, "apt-get install passwd", "groupadd", "gpasswd")
	b, s := moduletest.New(t, groupmod.Module()), group.State()
	name := fmt.Sprintf("brg%d", os.Getpid())
	t.Cleanup(func() { _, _ = b.Call(context.Background(), "group.delete", modules.Pos(name)) })
	a := moduletest.KW(nil, "name", name, "gid", 60321, "members", []any{"root"})
	b.Test = true
	b.WantState(s, "present", a, "{'result': None, 'comment': 'Group "+name+" set to be added', 'changes': {}}")
	b.Test = false
	r := b.DryAndTwice(s, "present", a)
	assert.Equal(t, "{'result': True, 'comment': 'New group "+name+" created', 'changes': {'name': '"+name+"', 'passwd': 'x', 'gid': 60321, 'members': ['root']}}", pyfmt.Repr(r))
	b.WantState(s, "present", moduletest.KW(nil, "name", name+"x", "gid", 60321),
		"{'result': False, 'comment': 'Group "+name+"x is not present but gid 60321 is already taken by group "+name+"', 'changes': {}}")
	r = b.DryAndTwice(s, "present", moduletest.KW(nil, "name", name, "gid", 60322, "delusers", []any{"root", "bin"}, "addusers", []any{"daemon"}))
	assert.Equal(t, "{'result': True, 'comment': \"The following group attributes are set to be changed:\\ngid: 60322\\naddusers: ['daemon']\\ndelusers: ['root']\\n\", "+
		"'changes': {'Final': 'All changes applied successfully'}}", pyfmt.Repr(r))
	r = b.DryAndTwice(s, "present", moduletest.KW(nil, "name", name, "members", []any{}))
	assert.Contains(t, r.Value("comment"), "delusers: {'daemon'}\n")
	b.WantState(s, "present", moduletest.KW(nil, "name", name, "members", []any{}, "addusers", []any{"root"}),
		"{'result': None, 'comment': 'Error: Conflicting options \"members\" with \"addusers\" and/or \"delusers\" can not be used together. ', 'changes': {}}")
	r = b.DryAndTwice(s, "absent", modules.Pos(name))
	assert.Equal(t, "{'result': True, 'comment': 'Removed group "+name+"', 'changes': {'"+name+"': ''}}", pyfmt.Repr(r))
}
