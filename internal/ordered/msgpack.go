package ordered

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

var (
	_ msgpack.CustomEncoder = (*Map)(nil)
	_ msgpack.CustomDecoder = (*Map)(nil)
)

// EncodeMsgpack writes the pairs in order.
func (m *Map) EncodeMsgpack(e *msgpack.Encoder) error {
	if m == nil {
		return e.EncodeNil()
	}
	if err := e.EncodeMapLen(len(m.keys)); err != nil {
		return err
	}
	for i, k := range m.keys {
		if big, ok := k.(bigKey); ok {
			k = string(big)
		}
		if err := e.Encode(k); err != nil {
			return err
		}
		if err := e.Encode(m.vals[i]); err != nil {
			return fmt.Errorf("key %v: %w", k, err)
		}
	}
	return nil
}

// maxPrealloc bounds what a length prefix alone can make us allocate.
const maxPrealloc = 1024

// DecodeMsgpack reads a map and keeps its order. The decoder's map decoder must produce *Map for nested maps.
func (m *Map) DecodeMsgpack(d *msgpack.Decoder) error {
	n, err := d.DecodeMapLen()
	if err != nil {
		return err
	}
	*m = Map{}
	if n > 0 {
		*m = *New(min(n, maxPrealloc))
	}
	for range n {
		k, err := d.DecodeInterfaceLoose()
		if err != nil {
			return err
		}
		if !scalar(k) {
			return fmt.Errorf("map key of type %T", k)
		}
		v, err := d.DecodeInterfaceLoose()
		if err != nil {
			return err
		}
		m.Set(k, Of(v))
	}
	return nil
}

func scalar(k any) bool {
	switch k.(type) {
	case nil, bool, int64, uint64, float64, string:
		return true
	}
	return false
}
