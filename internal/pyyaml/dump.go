package pyyaml

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"sort"
	"strings"
	"unsafe"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// DumpOptions are those of PyYAML's dump. The zero value is what Salt writes by default: flow style for collections
// that hold only scalars, an indent of 2, lines of about 80 characters, other alphabets as they are.
type DumpOptions struct {
	// DefaultFlowStyle is nil for Python's None (flow style for collections of scalars), else false for block and true
	// for flow style throughout.
	DefaultFlowStyle *bool
	Indent           int  // 2 to 9, else 2
	Width            int  // more than twice the indent, else 80
	KeepOrder        bool // keep the order of keys instead of sorting them (sort_keys=False)
	EscapeUnicode    bool // write only ASCII (allow_unicode=False)
	ExplicitStart    bool // begin with ---
	ExplicitEnd      bool // end with ...
	DefaultStyle     byte // 0, or one of ' " | > for every scalar
	NoAliases        bool // write shared lists and maps out each time
}

// Block and Flow are the two fixed choices of DumpOptions.DefaultFlowStyle.
func Block() *bool { v := false; return &v }

// Flow is the choice of flow style throughout.
func Flow() *bool { v := true; return &v }

// Dump writes v as PyYAML's CSafeDumper does, with the line break at the end.
func Dump(v any, o DumpOptions) string {
	r := &representer{o: o, seen: map[any]*node{}}
	root := r.represent(v)
	e := newEmitter(o)
	e.document(root)
	return e.out.String()
}

type nodeKind byte

const (
	scalarNode nodeKind = iota
	sequenceNode
	mappingNode
)

// node is a value with the tag and style it is to be written in.
type node struct {
	kind    nodeKind
	tag     string // set where it must be written out
	value   string
	style   byte // 0, ' " | >
	plain   bool // reads back as the same value when written plain
	quoted  bool // reads back as the same value when quoted
	flow    bool
	items   []*node // alternating keys and values in a mapping
	uses    int
	anchor  string
	emitted bool
}

type representer struct {
	o    DumpOptions
	seen map[any]*node
}

func (r *representer) represent(v any) *node {
	switch t := v.(type) {
	case nil:
		return r.scalar(tagNull, "null")
	case bool:
		if t {
			return r.scalar(tagBool, "true")
		}
		return r.scalar(tagBool, "false")
	case int64:
		return r.scalar(tagInt, fmt.Sprint(t))
	case *big.Int:
		return r.scalar(tagInt, t.String())
	case float64:
		return r.scalar(tagFloat, floatText(t))
	case string:
		return r.scalar(tagStr, t)
	case []byte:
		n := r.scalar(tagBinary, base64Lines(t))
		n.style = '|'
		return n
	case []any:
		return r.shared(identity(t), func(n *node) { r.sequence(n, t) })
	case *ordered.Map:
		return r.shared(t, func(n *node) { r.mapping(n, t) })
	}
	if plain := ordered.Of(v); fmt.Sprintf("%T", plain) != fmt.Sprintf("%T", v) {
		return r.represent(plain)
	}
	return r.scalar(tagStr, fmt.Sprint(v))
}

// identity stands for a list in the table of shared values; empty lists have none.
func identity(l []any) any {
	if len(l) == 0 {
		return nil
	}
	return [2]uintptr{uintptr(unsafe.Pointer(&l[0])), uintptr(len(l))}
}

func (r *representer) shared(id any, build func(*node)) *node {
	if id == nil || r.o.NoAliases {
		n := &node{}
		build(n)
		return n
	}
	if n, ok := r.seen[id]; ok {
		n.uses++
		return n
	}
	n := &node{}
	r.seen[id] = n
	build(n)
	return n
}

func (r *representer) scalar(tag, text string) *node {
	n := &node{value: text, style: r.o.DefaultStyle}
	n.plain = resolve(text) == tag
	n.quoted = tag == tagStr
	if !n.plain && !n.quoted {
		n.tag = "!!" + strings.TrimPrefix(tag, tagPrefix)
	}
	return n
}

func (r *representer) sequence(n *node, l []any) {
	n.kind = sequenceNode
	leaf := true
	for _, e := range l {
		c := r.represent(e)
		leaf = leaf && c.leaf()
		n.items = append(n.items, c)
	}
	n.flow = r.flow(leaf)
}

func (r *representer) mapping(n *node, m *ordered.Map) {
	n.kind = mappingNode
	keys := m.Keys()
	if !r.o.KeepOrder {
		keys = sortKeys(keys)
	}
	leaf := true
	for _, k := range keys {
		kn, vn := r.represent(k), r.represent(m.Value(k))
		leaf = leaf && kn.leaf() && vn.leaf()
		n.items = append(n.items, kn, vn)
	}
	n.flow = r.flow(leaf)
}

func (n *node) leaf() bool { return n.kind == scalarNode && n.style == 0 }

func (r *representer) flow(leaf bool) bool {
	if r.o.DefaultFlowStyle != nil {
		return *r.o.DefaultFlowStyle
	}
	return leaf
}

// sortKeys sorts as Python sorts: text with text, numbers with numbers. Keys that Python cannot compare stay in order.
func sortKeys(keys []any) []any {
	if len(keys) < 2 {
		return keys
	}
	texts, numbers := 0, 0
	for _, k := range keys {
		switch k.(type) {
		case string:
			texts++
		case bool, int64, float64, *big.Int:
			numbers++
		}
	}
	if texts != len(keys) && numbers != len(keys) {
		return keys
	}
	sort.SliceStable(keys, func(i, j int) bool {
		if a, ok := keys[i].(string); ok {
			return a < keys[j].(string)
		}
		return numberOf(keys[i]).Cmp(numberOf(keys[j])) < 0
	})
	return keys
}

func numberOf(k any) *big.Float {
	switch t := k.(type) {
	case bool:
		if t {
			return big.NewFloat(1)
		}
		return big.NewFloat(0)
	case int64:
		return new(big.Float).SetInt64(t)
	case *big.Int:
		return new(big.Float).SetInt(t)
	case float64:
		if !math.IsNaN(t) {
			return big.NewFloat(t)
		}
	}
	return big.NewFloat(0)
}

func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	s := pyfmt.Float(f)
	if !strings.Contains(s, ".") {
		s = strings.Replace(s, "e", ".0e", 1)
	}
	return s
}

// base64Lines is base64 in lines of 76 characters, each ended, as Python's base64.encodebytes.
func base64Lines(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(s) > 76 {
		out.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	if s != "" {
		out.WriteString(s + "\n")
	}
	return out.String()
}
