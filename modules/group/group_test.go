package group_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/group"
	"brine/modules/moduletest"
)

func TestInfo(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, group.Module())
	root := b.Run("group.info", modules.Pos("root")).(*ordered.Map)
	assert.Equal(t, int64(0), root.Value("gid"))
	b.Want("False", "group.deluser", "no-such-group", "root")
}
