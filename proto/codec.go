package proto

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"brine/internal/ordered"
)

// bigIntExt is the msgpack extension type of an integer beyond 64 bits, as decimal text.
const bigIntExt = 1

// setup teaches the msgpack library about *big.Int, once; the library keeps such types in a table of its own.
var setup = sync.OnceFunc(func() {
	msgpack.RegisterExtEncoder(bigIntExt, (*big.Int)(nil), func(_ *msgpack.Encoder, v reflect.Value) ([]byte, error) {
		n, ok := v.Interface().(*big.Int)
		if !ok || n == nil {
			return nil, errors.New("a nil integer")
		}
		return []byte(n.String()), nil
	})
	msgpack.RegisterExtDecoder(bigIntExt, (*big.Int)(nil), func(d *msgpack.Decoder, v reflect.Value, size int) error {
		if size > 4096 {
			return fmt.Errorf("an integer of %d digits", size)
		}
		text := make([]byte, size)
		if err := d.ReadFull(text); err != nil {
			return err
		}
		n, ok := new(big.Int).SetString(string(text), 10)
		if !ok {
			return fmt.Errorf("not an integer: %q", text)
		}
		v.Set(reflect.ValueOf(n))
		return nil
	})
})

// Encode writes a message body or job data as msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md).
func Encode(v any) ([]byte, error) {
	setup()
	var b bytes.Buffer
	e := msgpack.GetEncoder()
	defer msgpack.PutEncoder(e)
	e.Reset(&b)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// Decode reads a message body into v. Maps inside become *ordered.Map, integers int64.
func Decode(data []byte, v any) error {
	setup()
	if err := checkShape(data); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	d := msgpack.GetDecoder()
	defer msgpack.PutDecoder(d)
	d.Reset(bytes.NewReader(data))
	d.UseLooseInterfaceDecoding(true)
	d.SetMapDecoder(func(d *msgpack.Decoder) (any, error) {
		m := ordered.New(0)
		return m, m.DecodeMsgpack(d)
	})
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}

// DecodeAny reads job data.
func DecodeAny(data []byte) (any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var v any
	if err := Decode(data, &v); err != nil {
		return nil, err
	}
	return ordered.Of(v), nil
}

// maxDepth bounds how deep lists and maps may nest on the wire.
const maxDepth = 128

var errShape = errors.New("not well-formed msgpack")

// checkShape walks the bytes without allocating and refuses what the decoder could choke on: nesting beyond maxDepth
// (the decoder recurses), lengths beyond the data (it allocates by them), and text after the value.
func checkShape(data []byte) error {
	var left [maxDepth + 1]uint64 // values still to come on each level
	left[0] = 1
	depth, pos := 0, 0
	for {
		for left[depth] == 0 {
			if depth == 0 {
				if pos != len(data) {
					return fmt.Errorf("%w: %d bytes too many", errShape, len(data)-pos)
				}
				return nil
			}
			depth--
		}
		left[depth]--
		size, children, err := header(data[pos:])
		if err != nil {
			return err
		}
		if size > uint64(len(data)-pos) || children > uint64(len(data)) {
			return fmt.Errorf("%w: cut short at byte %d", errShape, pos)
		}
		pos += int(size)
		if children > 0 {
			if depth == maxDepth {
				return fmt.Errorf("nested deeper than %d levels", maxDepth)
			}
			depth++
			left[depth] = children
		}
	}
}

// header tells how many bytes the value at the start of p takes, without the values inside a list or map, and how many
// values are inside.
func header(p []byte) (size, children uint64, err error) {
	if len(p) == 0 {
		return 0, 0, fmt.Errorf("%w: cut short", errShape)
	}
	c := p[0]
	switch {
	case c <= 0x7f || c >= 0xe0: // small integers
		return 1, 0, nil
	case c <= 0x8f:
		return 1, 2 * uint64(c&0x0f), nil
	case c <= 0x9f:
		return 1, uint64(c & 0x0f), nil
	case c <= 0xbf:
		return 1 + uint64(c&0x1f), 0, nil
	}
	switch c {
	case 0xc0, 0xc2, 0xc3:
		return 1, 0, nil
	case 0xcc, 0xd0:
		return 2, 0, nil
	case 0xcd, 0xd1:
		return 3, 0, nil
	case 0xca, 0xce, 0xd2:
		return 5, 0, nil
	case 0xcb, 0xcf, 0xd3:
		return 9, 0, nil
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8: // fixext
		return 2 + 1<<(c-0xd4), 0, nil
	case 0xc4, 0xd9:
		return lengthOf(p, 1, 2)
	case 0xc5, 0xda:
		return lengthOf(p, 2, 3)
	case 0xc6, 0xdb:
		return lengthOf(p, 4, 5)
	case 0xc7:
		return lengthOf(p, 1, 3)
	case 0xc8:
		return lengthOf(p, 2, 4)
	case 0xc9:
		return lengthOf(p, 4, 6)
	case 0xdc, 0xde:
		n, _, err := lengthOf(p, 2, 0)
		return 3, n * uint64(1+(c-0xdc)/2), err
	case 0xdd, 0xdf:
		n, _, err := lengthOf(p, 4, 0)
		return 5, n * uint64(1+(c-0xdd)/2), err
	}
	return 0, 0, fmt.Errorf("%w: byte 0x%02x", errShape, c)
}

// lengthOf reads a big-endian length of width bytes after the first and adds what stands before the content.
func lengthOf(p []byte, width int, before uint64) (size, children uint64, err error) {
	if len(p) < 1+width {
		return 0, 0, fmt.Errorf("%w: cut short", errShape)
	}
	var n uint64
	for _, b := range p[1 : 1+width] {
		n = n<<8 | uint64(b)
	}
	return n + before, 0, nil
}
