package system_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/system"
)

// The clock of the machine that runs the tests is left alone: only what is refused is tried.
func TestClock(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, system.Module())
	assert.Regexp(t, regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`), b.Run("system.get_system_date_time", modules.Pos("-0500")))
	assert.Regexp(t, regexp.MustCompile(`^\d\d:\d\d:\d\d [AP]M$`), b.Run("system.get_system_time", modules.Pos()))
	assert.Regexp(t, regexp.MustCompile(`^\d\d/\d\d/\d{4}$`), b.Run("system.get_system_date", modules.Pos()))
	b.Fails("Invalid UTC offset format.", "system.get_system_date", modules.Pos("east"))
	b.Fails("Date never is invalid", "system.set_system_date", modules.Pos("never"))
	b.Fails(`"25:00" is not a time such as 11:20:00`, "system.set_system_time", modules.Pos("25:00"))
	b.Fails("2031-02-30 00:00:00 is not a time", "system.set_system_date_time", modules.Pos(int64(2031), int64(2), int64(30), int64(0), int64(0), int64(0)))
	b.Fails(`"a b" is not a host name`, "system.set_computer_name", modules.Pos("a b"))
	b.Fails(`"-c" is not a time`, "system.shutdown", modules.Pos("-c"))
}
