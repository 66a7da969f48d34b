package user_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	groupmod "brine/modules/group"
	"brine/modules/moduletest"
	"brine/modules/shadow"
	usermod "brine/modules/user"
	"brine/states/user"
)

func TestPresentAndAbsent(t *testing.T) {
	t.Parallel()
	moduletest.NeedRoot(t, "apt-get install passwd", "useradd", "chpasswd")
	b, s := moduletest.New(t, usermod.Module(), groupmod.Module(), shadow.Module()), user.State()
	name := fmt.Sprintf("bru%d", os.Getpid())
	other := name + "g"
	t.Cleanup(func() {
		_, _ = b.Call(context.Background(), "user.delete", modules.Pos(name))
		_, _ = b.Call(context.Background(), "group.delete", modules.Pos(other))
	})
	b.Run("group.add", modules.Pos(other))
	a := moduletest.KW(nil, "name", name, "home", b.Dir+"/home", "shell", "/bin/sh", "fullname", "Ann", "password", "secret", "hash_password", true,
		"groups", []any{other}, "optional_groups", []any{"no-such-group"}, "maxdays", 99)
	b.Test = true
	b.WantState(s, "present", a, "{'result': None, 'comment': 'User "+name+" set to be added', 'changes': {}}")
	b.Test = false
	r := b.DryAndTwice(s, "present", a)
	assert.Equal(t, "New user "+name+" created", r.Value("comment"))
	assert.Equal(t, "XXX-REDACTED-XXX", r.Map("changes").Value("password"))
	assert.NotContains(t, pyfmt.Repr(r), "secret")

	a = moduletest.KW(nil, "name", name, "shell", "/bin/false", "groups", []any{}, "password", "$6$new$hash", "home", b.Dir+"/second", "inactdays", 5)
	b.Test = true
	b.WantState(s, "present", a, "{'result': None, 'comment': 'The following user attributes are set to be changed:\\ngroups: []\\nhome: "+b.Dir+"/second\\n"+
		"homeDoesNotExist: "+b.Dir+"/second\\nshell: /bin/false\\npasswd: XXX-REDACTED-XXX\\ninactdays: 5\\n', 'changes': {}}")
	b.Test = false
	r = b.DryAndTwice(s, "present", a)
	assert.Equal(t, "Updated user "+name, r.Value("comment"))
	assert.Equal(t, pyfmt.Repr(ordered.Pairs("groups", []any{name}, "home", b.Dir+"/second", "shell", "/bin/false", "passwd", "XXX-REDACTED-XXX", "inact", 5)),
		pyfmt.Repr(r.Map("changes")))
	assert.DirExists(t, b.Dir+"/second")

	b.WantState(s, "present", moduletest.KW(nil, "name", name, "uid", 60123),
		"{'result': False, 'comment': 'Encountered error checking for needed changes. Additional info follows:\\n\\n- Changing uid ("+
			pyfmt.Str(b.Run("user.info", modules.Pos(name)).(*ordered.Map).Value("uid"))+
			" -> 60123) not permitted, set allow_uid_change to True to force this change. Note that this will not change file ownership.', 'changes': {}}")
	b.WantState(s, "present", moduletest.KW(nil, "name", name, "groups", []any{"nope1", "nope2"}),
		"{'result': False, 'comment': 'The following group(s) are not present: nope1,nope2', 'changes': {}}")
	b.WantState(s, "present", moduletest.KW(nil, "name", name, "fullname", "a,b"), `{'result': False, 'comment': "Unsupported char ',' in fullname", 'changes': {}}`)

	r = b.DryAndTwice(s, "absent", modules.Pos(name))
	assert.Equal(t, "Removed user "+name, r.Value("comment"))
	assert.Equal(t, "{'"+name+" group': 'removed', '"+name+"': 'removed'}", pyfmt.Repr(r.Map("changes")))
	b.WantState(s, "absent", modules.Pos(name), "{'result': True, 'comment': 'User "+name+" is not present', 'changes': {}}")
}
