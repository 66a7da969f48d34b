package ordered

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// MarshalJSON writes the pairs in order. Keys that are not strings are written as Python's json does: true, null, 3.
func (m *Map) MarshalJSON() ([]byte, error) {
	if m == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range m.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(KeyText(k))
		if err != nil {
			return nil, err
		}
		val, err := json.Marshal(m.vals[i])
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", key, err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(val)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// KeyText is the text of a key where only text can stand, as in a JSON object.
func KeyText(k any) string {
	switch v := k.(type) {
	case string:
		return v
	case nil:
		return "null"
	case bigKey:
		return string(v)
	}
	return fmt.Sprint(k)
}

// UnmarshalJSON reads an object and keeps its order. Whole numbers become int64 or *big.Int, others float64.
func (m *Map) UnmarshalJSON(data []byte) error {
	v, err := FromJSON(data)
	if err != nil {
		return err
	}
	got, ok := v.(*Map)
	if !ok {
		return fmt.Errorf("want a JSON object, got %T", v)
	}
	*m = *got
	return nil
}

// maxJSONDepth bounds nesting, so that hostile input cannot exhaust the stack.
const maxJSONDepth = 1000

// FromJSON reads one JSON document into job data, objects as *Map in their order.
func FromJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("text after the JSON document at offset %d", d.InputOffset())
	}
	return v, nil
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, fmt.Errorf("JSON nested deeper than %d levels", maxJSONDepth)
	}
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '{' {
			return readObject(d, depth)
		}
		return readArray(d, depth)
	case json.Number:
		return number64(t)
	}
	return tok, nil
}

func readObject(d *json.Decoder, depth int) (any, error) {
	m := New(0)
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		m.Set(key, v)
	}
	_, err := d.Token()
	return m, err
}

func readArray(d *json.Decoder, depth int) (any, error) {
	out := []any{}
	for d.More() {
		v, err := readValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.Token()
	return out, err
}

func number64(n json.Number) (any, error) {
	if !strings.ContainsAny(n.String(), ".eE") {
		if i, err := n.Int64(); err == nil {
			return i, nil
		}
		if b, ok := new(big.Int).SetString(n.String(), 10); ok {
			return b, nil
		}
	}
	return n.Float64()
}
