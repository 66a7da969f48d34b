// Package ordered holds the one map type that job data is made of: keys keep the order in which they were
// first set, as in a Python dict, and may be any scalar.
//
// Job data (arguments, returns, grains, pillar, SLS) is built from these Go types and no others:
// nil, bool, int64, *big.Int, float64, string, []byte, []any and *Map. Of brings other Go values into that form.
package ordered

import (
	"iter"
	"math/big"
	"slices"
)

// Map is an insertion-ordered map. Keys are nil, bool, int64, float64 or string; integer keys of any Go integer
// type are stored as int64. The zero value is an empty map ready for use. A Map is not safe for concurrent writes.
type Map struct {
	keys  []any
	vals  []any
	index map[any]int // built when the map outgrows a linear scan
}

// linearMax is the size up to which a lookup scans the keys: below it a scan is faster than hashing and needs no
// second structure.
const linearMax = 8

// New returns an empty map with room for n keys.
func New(n int) *Map {
	return &Map{keys: make([]any, 0, n), vals: make([]any, 0, n)}
}

// Pairs builds a map from alternating keys and values, brought into the form of job data. It panics on an odd number of
// arguments.
func Pairs(kv ...any) *Map {
	if len(kv)%2 != 0 {
		panic("ordered.Pairs: odd number of arguments")
	}
	m := New(len(kv) / 2)
	for i := 0; i < len(kv); i += 2 {
		m.Set(kv[i], Of(kv[i+1]))
	}
	return m
}

// Len is the number of keys; a nil map has none.
func (m *Map) Len() int {
	if m == nil {
		return 0
	}
	return len(m.keys)
}

// Get returns the value of k and whether k is set.
func (m *Map) Get(k any) (any, bool) {
	if i := m.find(normKey(k)); i >= 0 {
		return m.vals[i], true
	}
	return nil, false
}

// Value returns the value of k, nil when k is not set.
func (m *Map) Value(k any) any {
	v, _ := m.Get(k)
	return v
}

// Has tells whether k is set.
func (m *Map) Has(k any) bool { return m.find(normKey(k)) >= 0 }

// String returns the value of k when it is a string, else "".
func (m *Map) String(k any) string {
	s, _ := m.Value(k).(string)
	return s
}

// Map returns the value of k when it is a map, else nil.
func (m *Map) Map(k any) *Map {
	v, _ := m.Value(k).(*Map)
	return v
}

// List returns the value of k when it is a list, else nil.
func (m *Map) List(k any) []any {
	v, _ := m.Value(k).([]any)
	return v
}

// Set gives k the value v; a new key goes to the end, a known one keeps its place.
func (m *Map) Set(k, v any) {
	k = normKey(k)
	if i := m.find(k); i >= 0 {
		m.vals[i] = v
		return
	}
	m.keys = append(m.keys, k)
	m.vals = append(m.vals, v)
	if m.index != nil {
		m.index[k] = len(m.keys) - 1
	} else if len(m.keys) > linearMax {
		m.reindex()
	}
}

// Delete removes k and tells whether it was set.
func (m *Map) Delete(k any) bool {
	i := m.find(normKey(k))
	if i < 0 {
		return false
	}
	m.keys = slices.Delete(m.keys, i, i+1)
	m.vals = slices.Delete(m.vals, i, i+1)
	if m.index != nil {
		m.reindex()
	}
	return true
}

// Keys returns the keys in order. The slice is the caller's.
func (m *Map) Keys() []any {
	if m == nil {
		return nil
	}
	return slices.Clone(m.keys)
}

// All yields the pairs in order. The map must not change meanwhile.
func (m *Map) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		if m == nil {
			return
		}
		for i, k := range m.keys {
			if !yield(k, m.vals[i]) {
				return
			}
		}
	}
}

// Update sets every pair of other in m, as Python's dict.update.
func (m *Map) Update(other *Map) {
	for k, v := range other.All() {
		m.Set(k, v)
	}
}

// Clone copies the map; the values are shared.
func (m *Map) Clone() *Map {
	out := New(m.Len())
	out.Update(m)
	return out
}

func (m *Map) find(k any) int {
	if m == nil {
		return -1
	}
	if m.index != nil {
		if i, ok := m.index[k]; ok {
			return i
		}
		return -1
	}
	for i, have := range m.keys {
		if have == k {
			return i
		}
	}
	return -1
}

func (m *Map) reindex() {
	m.index = make(map[any]int, 2*len(m.keys))
	for i, k := range m.keys {
		m.index[k] = i
	}
}

// bigKey stands for an integer beyond 64 bits, whose pointer could not be compared.
type bigKey string

func normKey(k any) any {
	switch v := k.(type) {
	case string, int64, bool, float64, nil:
		return k
	case int:
		return int64(v)
	case *big.Int:
		if v.IsInt64() {
			return v.Int64()
		}
		return bigKey(v.String())
	}
	if n, ok := intValue(k); ok {
		return n
	}
	return k
}
