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
	"brine/modules/group"
	"brine/modules/moduletest"
	"brine/modules/shadow"
	"brine/modules/user"
)

func TestReading(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, user.Module(), group.Module(), shadow.Module())
	info := b.Run("user.info", modules.Pos("root")).(*ordered.Map)
	assert.Equal(t, "['gid', 'groups', 'home', 'name', 'passwd', 'shell', 'uid', 'fullname', 'roomnumber', 'workphone', 'homephone', 'other']",
		pyfmt.Repr(info.Keys()))
	assert.Equal(t, int64(0), info.Value("uid"))
	b.Want("{}", "user.info", "no-such-user")
	b.Want("'root'", "user.primary_group", "root")
	assert.Contains(t, b.Run("user.list_users", modules.Args{}), "root")
	assert.Contains(t, b.Run("user.list_groups", modules.Pos("root")), "root")
	assert.NotEmpty(t, b.Run("user.getent", modules.Args{}))
	b.Want("{}", "group.info", "no-such-group")
	assert.NotEmpty(t, b.Run("group.getent", modules.Args{}))
	b.Fails("User 'no-such-user' does not exist", "user.chshell", modules.Pos("no-such-user", "/bin/sh"))
	b.Fails("Group 'no-such-group' does not exist", "group.chgid", modules.Pos("no-such-group", 5))
	b.Want("'!'", "shadow.default_hash")
	b.Want("'$6$SALTsalt$UiZikbV3VeeBPsg8./Q5DAfq9aj7CVZMDU6ffBiBLgUEpxv7LMXKbcZ9JSZnYDrZQftdG319XkbLVMvWcF/Vr/'", "shadow.gen_password", "password", "SALTsalt")
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	moduletest.NeedRoot(t, "apt-get install passwd", "useradd", "groupadd", "chage")
	b := moduletest.New(t, user.Module(), group.Module(), shadow.Module())
	name := fmt.Sprintf("brm%d", os.Getpid())
	t.Cleanup(func() {
		_, _ = b.Call(context.Background(), "user.delete", modules.Pos(name))
		_, _ = b.Call(context.Background(), "group.delete", modules.Pos(name+"g"))
	})
	b.WantArgs("True", "group.add", moduletest.KW([]any{name + "g"}, "system", true))
	b.WantArgs("True", "user.add", moduletest.KW([]any{name}, "home", b.Dir+"/home", "shell", "/bin/sh", "fullname", "A B", "workphone", 12, "groups", []any{name + "g"}))
	info := b.Run("user.info", modules.Pos(name)).(*ordered.Map)
	assert.Equal(t, "A B", info.Value("fullname"))
	assert.Equal(t, "12", info.Value("workphone"))
	assert.Equal(t, []any{name, name + "g"}, info.Value("groups"))
	assert.DirExists(t, b.Dir+"/home")
	b.Want("True", "user.chfullname", name, "C D")
	b.Want("True", "user.chshell", name, "/bin/false")
	b.Want("True", "user.chhome", name, b.Dir+"/other")
	b.Want("True", "user.chgroups", name, []any{name})
	b.Want("['"+name+"']", "user.list_groups", name)
	b.Want("True", "group.adduser", name+"g", name)
	b.Want("True", "group.deluser", name+"g", name)
	b.Want("True", "group.members", name+"g", name)
	assert.Equal(t, []any{name}, b.Run("group.info", modules.Pos(name+"g")).(*ordered.Map).Value("members"))
	b.Want("True", "shadow.set_password", name, "$6$x$y")
	b.Want("True", "shadow.set_maxdays", name, 90)
	b.Want("True", "shadow.lock_password", name)
	s := b.Run("shadow.info", modules.Pos(name)).(*ordered.Map)
	assert.Equal(t, "!$6$x$y", s.Value("passwd"))
	assert.Equal(t, int64(90), s.Value("max"))
	b.Want("True", "user.rename", name, name+"n")
	b.Want("True", "user.rename", name+"n", name)
	b.Want("True", "user.delete", name)
	b.Want("False", "user.delete", name)
}
