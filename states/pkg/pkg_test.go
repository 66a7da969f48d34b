package pkg_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/lowpkg"
	"brine/modules/moduletest"
	pkgmod "brine/modules/pkg"
	"brine/states/pkg"
)

func TestPackages(t *testing.T) {
	repo := moduletest.NewAptRepo(t)
	repo.Use()
	b, s := moduletest.New(t, pkgmod.Module(), lowpkg.Module()), pkg.State()
	n := fmt.Sprintf("brine-s%d", os.Getpid())
	file := repo.Add(n, "1.0")
	b.Run("pkg.refresh_db", modules.Args{})
	b.Test = true
	b.WantState(s, "installed", modules.Pos(n),
		"{'result': None, 'comment': 'The following packages would be installed/updated: "+n+"', 'changes': {'"+n+"': {'new': 'installed', 'old': ''}}}")
	b.Test = false
	r := b.DryAndTwice(s, "installed", modules.Pos(n))
	assert.Equal(t, "{'result': True, 'comment': 'The following packages were installed/updated: "+n+"', 'changes': {'"+n+"': {'old': '', 'new': '1.0'}}}", pyfmt.Repr(r))
	b.WantState(s, "installed", modules.Pos(n), "{'result': True, 'comment': 'All specified packages are already installed', 'changes': {}}")
	b.WantState(s, "installed", modules.Pos(n, "1.*"), "{'result': True, 'comment': 'All specified packages are already installed and are at the desired version', 'changes': {}}")
	b.WantState(s, "latest", modules.Pos(n), "{'result': True, 'comment': 'Package "+n+" is already up-to-date', 'changes': {}}")
	b.WantState(s, "installed", moduletest.KW(nil, "name", "x", "pkgs", []any{}), "{'result': True, 'comment': 'No packages to install provided', 'changes': {}}")

	repo.Add(n, "2.0")
	b.Run("pkg.refresh_db", modules.Args{})
	r = b.DryAndTwice(s, "installed", moduletest.KW(nil, "name", "x", "pkgs", []any{ordered.Pairs(n, ">=2")}))
	assert.Equal(t, "{'"+n+"': {'old': '1.0', 'new': '2.0'}}", pyfmt.Repr(r.Map("changes")))
	r = b.DryAndTwice(s, "installed", moduletest.KW(nil, "name", n, "sources", []any{ordered.Pairs(n, file)}))
	assert.Equal(t, "{'"+n+"': {'old': '2.0', 'new': '1.0'}}", pyfmt.Repr(r.Map("changes")))
	r = b.DryAndTwice(s, "latest", modules.Pos(n))
	assert.Equal(t, "The following packages were successfully installed/upgraded: "+n, r.Value("comment"))

	hold := moduletest.KW(nil, "name", n, "hold", true)
	b.Test = true
	b.WantState(s, "installed", hold, "{'result': None, 'comment': 'All specified packages are already installed.\\nPackage "+n+" is set to be held.', 'changes': {}}")
	b.Test = false
	r = b.DryAndTwice(s, "installed", hold)
	assert.Equal(t, "{'result': True, 'comment': 'All specified packages are already installed.\\nPackage "+n+" is now being held.', 'changes': {'"+n+"': {'old': 'install', 'new': 'hold'}}}", pyfmt.Repr(r))
	r = b.DryAndTwice(s, "unheld", modules.Pos(n))
	assert.Equal(t, "Package "+n+" is no longer being held.", r.Value("comment"))
	r = b.DryAndTwice(s, "held", modules.Pos(n))
	assert.Equal(t, "Package "+n+" is now being held", r.Value("comment"))
	b.DryAndTwice(s, "unheld", modules.Pos(n))

	b.WantState(s, "removed", modules.Pos(n, "7"), "{'result': True, 'comment': 'All specified packages (matching specified versions) are already absent', 'changes': {}}")
	r = b.DryAndTwice(s, "removed", modules.Pos(n))
	assert.Equal(t, "{'result': True, 'comment': 'All targeted packages were removed.', 'changes': {'"+n+"': {'old': '2.0', 'new': ''}}}", pyfmt.Repr(r))
	r = b.DryAndTwice(s, "purged", modules.Pos(n))
	assert.Equal(t, "All targeted packages were purged.", r.Value("comment"))
}

func TestUptodateAndFailures(t *testing.T) {
	repo := moduletest.NewAptRepo(t)
	repo.Use()
	b, s := moduletest.New(t, pkgmod.Module(), lowpkg.Module()), pkg.State()
	n := fmt.Sprintf("brine-u%d", os.Getpid())
	repo.Add(n, "1.0")
	b.Run("pkg.refresh_db", modules.Args{})
	b.Run("pkg.install", modules.Pos(n))
	repo.Add(n, "1.1")
	b.Run("pkg.refresh_db", modules.Args{})
	a := moduletest.KW(nil, "name", "x", "pkgs", []any{n})
	b.Test = true
	b.WantState(s, "uptodate", a, "{'result': None, 'comment': 'System update will be performed', 'changes': {'"+n+"': {'new': '1.1', 'old': '1.0'}}}")
	b.Test = false
	r := b.DryAndTwice(s, "uptodate", a)
	assert.Equal(t, "Upgrade ran successfully", r.Value("comment"))
	r = b.State(s, "installed", modules.Pos("brine-there-is-none"))
	assert.Equal(t, false, r.Value("result"))
	assert.Contains(t, r.Value("comment"), "E: Unable to locate package brine-there-is-none")
	b.WantState(s, "latest", moduletest.KW(nil, "name", "brine-there-is-none"), `{'result': False, 'comment': "No information found for 'brine-there-is-none'.", 'changes': {}}`)
}

func TestAggregate(t *testing.T) {
	t.Parallel()
	chunk := func(id string, kv ...any) *ordered.Map {
		m := ordered.Pairs("state", "pkg", "__id__", id, "name", id, "fun", "installed")
		m.Update(ordered.Pairs(kv...))
		return m
	}
	low := chunk("a")
	list := []*ordered.Map{low, chunk("b", "version", "2"), chunk("c", "pkgs", []any{"d", "a"}), chunk("e", "fun", "removed"), chunk("f", "hold", true), chunk("g"),
		chunk("h", "sources", []any{ordered.Pairs("x", "/y")})}
	running := ordered.Pairs("pkg_|-g_|-g_|-installed", true)
	got := pkg.State().Aggregate(low, list, running)
	assert.Equal(t, "['a', {'b': '2'}, 'd']", pyfmt.Repr(got.Value("pkgs")))
	assert.True(t, list[2].Has("__agg__"))
	assert.False(t, list[3].Has("__agg__"))
}
