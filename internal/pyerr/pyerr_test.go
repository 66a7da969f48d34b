package pyerr

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, missing := os.Open(dir + "/no'pe")
	assert.Equal(t, `[Errno 2] No such file or directory: "`+dir+`/no'pe"`, Text(missing))
	rename := os.Rename(dir+"/a", dir+"/b")
	assert.Equal(t, "[Errno 2] No such file or directory: '"+dir+"/a' -> '"+dir+"/b'", Text(rename))
	assert.Equal(t, "[Errno 39] Directory not empty", Text(syscall.ENOTEMPTY))
	assert.Equal(t, "File exists", Strerror(os.ErrExist))
	assert.Equal(t, "other", Text(errors.New("other")))
	assert.Equal(t, "other", Strerror(errors.New("other")))
}
