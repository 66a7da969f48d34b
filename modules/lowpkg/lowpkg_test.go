package lowpkg_test

import (
	"fmt"
	"os"
	"testing"

	"brine/modules"
	"brine/modules/lowpkg"
	"brine/modules/moduletest"
)

func TestBinPkgInfo(t *testing.T) {
	repo := moduletest.NewAptRepo(t)
	b := moduletest.New(t, lowpkg.Module())
	name := fmt.Sprintf("brine-test-l%d", os.Getpid())
	b.Want("{'name': '"+name+"', 'version': '1:2-3', 'arch': 'all'}", "lowpkg.bin_pkg_info", repo.Add(name, "1:2-3"))
	b.Want("None", "lowpkg.bin_pkg_info", b.File("x.deb", "no package"))
	b.Fails("/no/such.deb does not exist on minion", "lowpkg.bin_pkg_info", modules.Pos("/no/such.deb"))
}
