package timezone_test

import (
	"testing"

	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/timezone"
)

func TestWithoutFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := moduletest.New(t, timezone.ModuleAt(dir))
	b.Want("'UTC'", "timezone.get_hwclock")
	b.Want("'+0000'", "timezone.get_offset")
	b.Want("True", "timezone.zone_compare", "UTC")
	b.Fails("Unable to get timezone from "+dir+"/etc/localtime", "timezone.get_zone", modules.Args{})
	b.Fails("Zone does not exist: "+dir+"/usr/share/zoneinfo/No/Where", "timezone.set_zone", modules.Pos("No/Where"))
}
