package hashutil_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/modules"
	"brine/modules/hashutil"
	"brine/modules/moduletest"
)

func TestHashutil(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, hashutil.Module())
	b.Want("'2aacf29e92feaf528fb738bcf9d647ac'", "hashutil.digest", "get salted")
	b.Want("'2aacf29e92feaf528fb738bcf9d647ac'", "hashutil.md5_digest", "get salted")
	b.Fails("Hash func 'crc' is not supported.", "hashutil.digest", modules.Pos("x", "crc"))
	f := b.File("f", "get salted")
	b.Want("'2aacf29e92feaf528fb738bcf9d647ac'", "hashutil.digest_file", f)
	b.Fails("File path '"+f+"x' not found.", "hashutil.digest_file", modules.Pos(f+"x"))
	b.Want("'Z2V0IHNhbHRlZA=='", "hashutil.base64_b64encode", "get salted")
	b.Want("'get salted'", "hashutil.base64_b64decode", "Z2V0IHNhbHRlZA==")
	b.Want(`'Z2V0IHNhbHRlZA==\n'`, "hashutil.base64_encodestring", "get salted")
	b.Want(`'`+strings.Repeat("eHh4", 19)+`\neHh4\n'`, "hashutil.base64_encodestring", strings.Repeat("x", 60))
	b.Want("'get salted'", "hashutil.base64_decodestring", "Z2V0IHNh\nbHRlZA==\n")
	b.Want(`b'\xff'`, "hashutil.base64_decodestring", "/w==")
	b.Fails("Incorrect padding", "hashutil.base64_decodestring", modules.Pos("Z2V"))
	b.Want(`'Z2V0IHNhbHRlZA==\n'`, "hashutil.base64_encodefile", f)
	b.Want("True", "hashutil.base64_decodefile", "AQI=", b.Work("out"))
	assert.Equal(t, "\x01\x02", b.Read(b.Work("out")))
	b.Want("'78159ff5bb2d5e0f8d88fe403b0a690791ccbd989830fcc433d5b960c9bf0264'", "hashutil.hmac_compute", "get salted", "shared secret")
	b.Want("True", "hashutil.hmac_signature", "get salted", "shared secret", "eBWf9bstXg+NiP5AOwppB5HMvZiYMPzEM9W5YMm/AmQ=")
	b.Want("False", "hashutil.hmac_signature", "get salted", "x", "eBWf9bstXg+NiP5AOwppB5HMvZiYMPzEM9W5YMm/AmQ=")
	b.Want("False", "hashutil.github_signature", "get salted", "shared secret", "sha1=00")
}
