package disk

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, Module())
	all, _ := b.Run("disk.usage", modules.Pos()).(*ordered.Map)
	root, ok := all.Value("/").(*ordered.Map)
	if assert.True(t, ok, "nothing is mounted on /") {
		assert.Equal(t, []any{"filesystem", "1K-blocks", "used", "available", "capacity"}, root.Keys())
		assert.Regexp(t, regexp.MustCompile(`^\d+%$`), root.String("capacity"))
		assert.Equal(t, root.String("capacity"), b.Run("disk.percent", modules.Pos("/")))
	}
	b.Fails("no file system is mounted on /nowhere", "disk.percent", modules.Pos("/nowhere"))
	b.Fails(`"-o" is not a device`, "disk.blkid", modules.Pos("-o"))
}

func TestShare(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "1%", share(1, 1000))
	assert.Equal(t, "-", share(0, 0))
}
