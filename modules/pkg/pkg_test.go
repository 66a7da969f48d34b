package pkg

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
)

func TestApt(t *testing.T) {
	repo := moduletest.NewAptRepo(t)
	repo.Use()
	b := moduletest.New(t, Module())
	name := fmt.Sprintf("brine-test-m%d", os.Getpid())
	file := repo.Add(name, "1.0")
	assert.NotZero(t, b.Run("pkg.refresh_db", modules.Args{}).(*ordered.Map).Len())
	b.Want("''", "pkg.version", name)
	b.Want("'1.0'", "pkg.latest_version", name)
	b.Want("{'"+name+"': {'old': '', 'new': '1.0'}}", "pkg.install", name)
	b.Want("{}", "pkg.install", name)
	b.Want("'1.0'", "pkg.version", name)
	b.Want("''", "pkg.latest_version", name)
	b.Want("'"+name+"'", "pkg.owner", "/etc/"+name+"/conf")
	assert.Contains(t, b.Run("pkg.file_list", modules.Pos(name)).(*ordered.Map).List("files"), "/etc/"+name+"/conf")
	repo.Add(name, "1.1")
	repo.Add(name, "2.0")
	b.Want("True", "pkg.upgrade_available", name)
	assert.Equal(t, "2.0", b.Run("pkg.list_upgrades", modules.Args{}).(*ordered.Map).Value(name))
	b.WantArgs("{'"+name+"': {'old': '1.0', 'new': '1.1'}}", "pkg.install", moduletest.KW(nil, "pkgs", []any{ordered.Pairs(name, "<2")}))
	b.WantArgs("{'"+name+"': {'old': '1.1', 'new': '1.0'}}", "pkg.install", moduletest.KW([]any{name}, "version", "1.0"))
	b.Fails("No version matching '"+name+">9' could be found (available: 2.0, 1.1, 1.0)", "pkg.install", moduletest.KW([]any{name}, "version", ">9"))
	b.Want("{'"+name+"': {'name': '"+name+"', 'changes': {'old': 'install', 'new': 'hold'}, 'result': True, 'comment': 'Package "+name+" is now being held.'}}", "pkg.hold", name)
	b.WantArgs("{'hold': ['"+name+"']}", "pkg.get_selections", moduletest.KW([]any{name}, "state", "hold"))
	b.WantArgs("{'"+name+"': {'old': '1.0', 'new': '2.0'}}", "pkg.install", moduletest.KW([]any{name}, "update_holds", true, "version", "2.0"))
	b.WantArgs("{'hold': ['"+name+"']}", "pkg.get_selections", moduletest.KW([]any{name}, "state", "hold"))
	b.Run("pkg.unhold", modules.Pos(name))
	b.WantArgs("{'"+name+"': {'old': '2.0', 'new': '1.0'}}", "pkg.install", moduletest.KW(nil, "sources", []any{ordered.Pairs(name, file)}))
	b.Want("{'"+name+"': {'old': '1.0', 'new': ''}}", "pkg.remove", name)
	assert.Equal(t, []any{"1.0"}, b.Run("pkg.list_pkgs", moduletest.KW(nil, "removed", true, "versions_as_list", true)).(*ordered.Map).Value(name))
	b.Want("{'installed': {}, 'removed': {'"+name+"': {'old': '1.0', 'new': ''}}}", "pkg.purge", name)
	_, err := b.Call(t.Context(), "pkg.install", modules.Pos("brine-there-is-none"))
	require.Error(t, err)
	assert.Contains(t, err.Error(), "Problem encountered installing package(s). Additional info follows:\n\nerrors:\n    - E: Unable to locate package brine-there-is-none")
	b.Fails("no package is called --yes", "pkg.install", modules.Pos("--yes"))
}

func TestRepos(t *testing.T) {
	repo := moduletest.NewAptRepo(t)
	b := moduletest.New(t, Module())
	repo.Add(fmt.Sprintf("brine-test-r%d", os.Getpid()), "1")
	line := repo.Line()
	b.Want("{}", "pkg.get_repo", line)
	file := repo.Etc + "/sources.list.d/x.list"
	b.Run("pkg.mod_repo", moduletest.KW([]any{line}, "file", file))
	assert.Equal(t, line+"\n", b.Read(file))
	got := b.Run("pkg.get_repo", modules.Pos(line)).(*ordered.Map)
	assert.Equal(t, line, got.Value("line"))
	assert.Equal(t, file, got.Value("file"))
	assert.Equal(t, 1, b.Run("pkg.list_repos", modules.Args{}).(*ordered.Map).Len())
	b.Run("pkg.mod_repo", moduletest.KW([]any{line}, "disabled", true))
	assert.Equal(t, "# "+line+"\n", b.Read(file))
	b.Want("\"File "+file+" containing repo '"+line+"' has been removed.\"", "pkg.del_repo", line)
	assert.NoFileExists(t, file)
	b.Fails("Repo "+line+" doesn't exist in the sources.list(s)", "pkg.del_repo", modules.Pos(line))
	b.Fails("Error: repo 'nonsense' is not a well formatted definition", "pkg.get_repo", modules.Pos("nonsense"))
}

func TestSource(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"deb http://a/b stable main contrib":                         "deb http://a/b stable main contrib",
		"  #deb [ arch=amd64 signed-by=/k ] http://a/ x y # a word ": "# deb [arch=amd64 signed-by=/k] http://a/ x y # a word",
		"deb [arch=i386] file:/r ./":                                 "deb [arch=i386] file:/r ./",
	} {
		s, ok := parseSource(line)
		assert.True(t, ok, line)
		assert.Equal(t, want, s.String())
	}
	for _, line := range []string{"", "# a comment", "deb", "deb http://a", "rpm http://a b", "deb [ http://a b", "deb a b c"} {
		_, ok := parseSource(line)
		assert.False(t, ok, line)
	}
}

func FuzzSource(f *testing.F) {
	f.Add("deb [a=b] http://x y z # c")
	f.Fuzz(func(t *testing.T, line string) {
		s, ok := parseSource(line)
		if !ok {
			return
		}
		again, ok := parseSource(s.String())
		assert.True(t, ok)
		assert.Equal(t, s.String(), again.String())
	})
}

func TestFamily(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, Module())
	b.Facts.M.Set("os_family", "Arch")
	b.Fails(`'pkg' __virtual__ returned False: no package manager of the family "Arch" can be driven so far`, "pkg.version", modules.Pos("x"))
}
