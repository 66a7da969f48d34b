package timezone_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/moduletest"
	module "brine/modules/timezone"
	"brine/states/timezone"
)

// zone is a minimal time zone file (RFC 8536, version 1) with one name and one offset in seconds.
func zone(name string, offset int) []byte {
	p := make([]byte, 44)
	copy(p, "TZif")
	p[39], p[43] = 1, byte(len(name)+1)
	p = append(p, byte(offset>>24), byte(offset>>16), byte(offset>>8), byte(offset), 0, 0)
	return append(append(p, name...), 0)
}

func TestSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/usr/share/zoneinfo/Europe", 0o755))
	require.NoError(t, os.MkdirAll(dir+"/etc", 0o755))
	require.NoError(t, os.WriteFile(dir+"/usr/share/zoneinfo/Europe/Berlin", zone("CET", 3600), 0o600))
	require.NoError(t, os.WriteFile(dir+"/usr/share/zoneinfo/UTC", zone("UTC", 0), 0o600))
	b, s := moduletest.New(t, module.ModuleAt(dir)), timezone.State()
	r := b.DryAndTwice(s, "system", modules.Pos("Europe/Berlin"))
	assert.Equal(t, "{'result': True, 'comment': 'Set timezone Europe/Berlin', 'changes': {'timezone': 'Europe/Berlin'}}", pyfmt.Repr(r))
	b.WantState(s, "system", modules.Pos("Europe/Berlin"), "{'result': True, 'comment': 'Timezone Europe/Berlin already set, UTC already set to Europe/Berlin', 'changes': {}}")
	b.Want("'Europe/Berlin'", "timezone.get_zone")
	b.Want("'+0100'", "timezone.get_offset")
	b.Want("'CET'", "timezone.get_zonecode")
	b.Want("['Europe/Berlin', 'UTC']", "timezone.list_zones")
	assert.Equal(t, "Europe/Berlin\n", b.Read(dir+"/etc/timezone"))
	b.Test = true
	require.NoError(t, os.WriteFile(dir+"/etc/adjtime", []byte("0.0 0 0.0\n0\nLOCAL\n"), 0o600))
	b.WantState(s, "system", modules.Pos("UTC"), "{'result': None, 'comment': 'Timezone UTC needs to be set, UTC needs to be set to True', 'changes': {}}")
	r = b.State(s, "system", modules.Pos("../../etc/passwd"))
	assert.Equal(t, false, r.Value("result"))
	b.Fails("Valid options for timezone.set_hwclock are 'UTC' and 'localtime'", "timezone.set_hwclock", modules.Pos("moon"))
}
