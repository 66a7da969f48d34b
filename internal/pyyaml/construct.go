package pyyaml

import (
	"encoding/base64"
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func mark(n *docNode) *Mark {
	m := n.at
	return &m
}

// constructor turns nodes into job data in PyYAML's order: a collection first stands empty and is filled after the
// ones around it, so that of two faults the same one is reported.
type constructor struct {
	o     Options
	made  map[*docNode]any  // what a node became; an alias shares it
	busy  map[*docNode]bool // being constructed right now
	flat  map[*docNode]bool // merge keys are resolved
	queue []func() error
}

// measure refuses documents that are too deep, too large once aliases are written out, or that contain themselves.
func (c *constructor) measure(root *docNode) error {
	sizes := map[*docNode]int{}
	var walk func(n *docNode, depth int) (int, error)
	walk = func(n *docNode, depth int) (int, error) {
		if size, ok := sizes[n]; ok {
			if size == 0 {
				return 0, c.fail(n, "found unconstructable recursive node")
			}
			return size, nil
		}
		if depth > c.o.MaxDepth {
			return 0, c.fail(n, fmt.Sprintf("the document is nested deeper than %d levels", c.o.MaxDepth))
		}
		if len(n.content) == 0 {
			return 1, nil
		}
		sizes[n] = 0
		total := 1
		for _, e := range n.content {
			size, err := walk(e, depth+1)
			if err != nil {
				return 0, err
			}
			if total += size; total > c.o.MaxNodes {
				return 0, c.fail(e, fmt.Sprintf("the document has more than %d values once its aliases are written out", c.o.MaxNodes))
			}
		}
		sizes[n] = total
		return total, nil
	}
	_, err := walk(root, 0)
	return err
}

func (c *constructor) fail(n *docNode, problem string) *Error {
	return &Error{Stage: Constructor, Problem: problem, ProblemMark: mark(n), name: c.o.Name}
}

func (c *constructor) failIn(outer, n *docNode, problem string) *Error {
	e := c.fail(n, problem)
	e.Context, e.ContextMark = "while constructing a mapping", mark(outer)
	return e
}

func (c *constructor) document(root *docNode) (any, error) {
	v, err := c.value(root)
	if err != nil {
		return nil, err
	}
	for len(c.queue) > 0 {
		todo := c.queue
		c.queue = nil
		for _, fill := range todo {
			if err := fill(); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// tagOf is the long form of a node's tag, found by the rules of YAML 1.1 when none is written.
func tagOf(n *docNode) string {
	switch {
	case n.tag != "":
		return n.tag
	case n.kind == mappingNode:
		return tagMap
	case n.kind == sequenceNode:
		return tagSeq
	case n.plain:
		return resolve(n.value)
	}
	return tagStr
}

func (c *constructor) value(n *docNode) (any, error) {
	if v, ok := c.made[n]; ok {
		return v, nil
	}
	if c.busy[n] {
		return nil, c.fail(n, "found unconstructable recursive node")
	}
	c.busy[n] = true
	v, err := c.construct(n, tagOf(n))
	delete(c.busy, n)
	if err != nil {
		return nil, err
	}
	if n.kind != scalarNode {
		c.made[n] = v
	}
	return v, nil
}

func (c *constructor) construct(n *docNode, tag string) (any, error) {
	switch tag {
	case tagMap, tagOmap:
		return c.mapping(n)
	case tagSet:
		return c.set(n)
	case tagSeq:
		return c.sequence(n)
	case tagPairs:
		return c.pairs(n)
	case tagStr, tagTimestamp, tagUnicode:
		return c.text(n)
	case tagNull, tagBool, tagInt, tagFloat, tagBinary:
		return c.scalar(n, tag)
	}
	return nil, c.fail(n, "could not determine a constructor for the tag "+pyfmt.Repr(tag))
}

func (c *constructor) text(n *docNode) (any, error) {
	if n.kind == mappingNode { // a map with the key '=' stands for that key's value
		for i := 0; i+1 < len(n.content); i += 2 {
			if tagOf(n.content[i]) == tagValue {
				return c.text(n.content[i+1])
			}
		}
	}
	if n.kind != scalarNode {
		return nil, c.fail(n, "expected a scalar node, but found "+kindName(n))
	}
	return n.value, nil
}

func (c *constructor) scalar(n *docNode, tag string) (any, error) {
	v, err := c.text(n)
	if err != nil {
		return nil, err
	}
	s := v.(string)
	switch tag {
	case tagNull:
		return nil, nil
	case tagBool:
		if b, ok := toBool(s); ok {
			return b, nil
		}
	case tagInt:
		if i, ok := toInt(s); ok {
			return i, nil
		}
	case tagFloat:
		if f, ok := toFloat(s); ok {
			return f, nil
		}
	case tagBinary:
		b, err := base64.StdEncoding.DecodeString(strings.Map(base64Only, s))
		if err == nil {
			return b, nil
		}
		return nil, c.fail(n, "failed to decode base64 data: "+err.Error())
	}
	return nil, c.fail(n, fmt.Sprintf("%s is not a value of the type %s", pyfmt.Repr(s), strings.TrimPrefix(tag, tagPrefix)))
}

// base64Only drops what is not of the alphabet, as Python's decoder does.
func base64Only(r rune) rune {
	if r < 0x80 && (isAlpha(byte(r)) || r == '+' || r == '/' || r == '=') && r != '_' && r != '-' {
		return r
	}
	return -1
}

func kindName(n *docNode) string {
	switch n.kind {
	case mappingNode:
		return "mapping"
	case sequenceNode:
		return "sequence"
	}
	return "scalar"
}

func (c *constructor) sequence(n *docNode) (any, error) {
	if n.kind != sequenceNode {
		return nil, c.fail(n, "expected a sequence node, but found "+kindName(n))
	}
	list := make([]any, len(n.content))
	c.queue = append(c.queue, func() error {
		for i, e := range n.content {
			v, err := c.value(e)
			if err != nil {
				return err
			}
			list[i] = v
		}
		return nil
	})
	return list, nil
}

// pairs is a list of one-entry maps, each given as a list of its key and its value.
func (c *constructor) pairs(n *docNode) (any, error) {
	if n.kind != sequenceNode {
		e := c.fail(n, "expected a sequence, but found "+kindName(n))
		e.Context, e.ContextMark = "while constructing pairs", mark(n)
		return nil, e
	}
	list := make([]any, len(n.content))
	for i, item := range n.content {
		if item.kind != mappingNode || len(item.content) != 2 {
			e := c.fail(item, "expected a single mapping item")
			e.Context, e.ContextMark = "while constructing pairs", mark(n)
			return nil, e
		}
		k, err := c.value(item.content[0])
		if err != nil {
			return nil, err
		}
		v, err := c.value(item.content[1])
		if err != nil {
			return nil, err
		}
		list[i] = []any{k, v}
	}
	return list, nil
}

func (c *constructor) mapping(n *docNode) (any, error) {
	m := ordered.New(len(n.content) / 2)
	c.queue = append(c.queue, func() error { return c.fill(n, m) })
	return m, nil
}

// set is the list of the keys: job data has no sets.
func (c *constructor) set(n *docNode) (any, error) {
	if n.kind != mappingNode {
		return nil, c.fail(n, "expected a mapping node, but found "+kindName(n))
	}
	m := ordered.New(len(n.content) / 2)
	if err := c.fill(n, m); err != nil {
		return nil, err
	}
	return m.Keys(), nil
}

func (c *constructor) fill(n *docNode, m *ordered.Map) error {
	if n.kind != mappingNode {
		return c.fail(n, "expected a mapping node, but found "+kindName(n))
	}
	if err := c.flatten(n); err != nil {
		return err
	}
	numbers := map[float64]bool{} // to Python 1, 1.0 and True are one key
	for i := 0; i+1 < len(n.content); i += 2 {
		kn := n.content[i]
		k, err := c.key(n, kn)
		if err != nil {
			return err
		}
		v, err := c.value(n.content[i+1])
		if err != nil {
			return err
		}
		f, isNumber := asFloat(k)
		if m.Has(k) || isNumber && numbers[f] {
			return c.failIn(n, n.content[i], fmt.Sprintf("found conflicting ID '%s'", pyfmt.Str(k)))
		}
		m.Set(k, v)
		if isNumber {
			numbers[f] = true
		}
	}
	return nil
}

// asFloat is a key as a number, when it is one that a float holds exactly.
func asFloat(k any) (float64, bool) {
	switch t := k.(type) {
	case bool:
		if t {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(t), int64(float64(t)) == t
	case float64:
		return t, true
	}
	return 0, false
}

// key constructs a map key. Lists and maps cannot be keys; a bytes key becomes text, which is what it is used as.
func (c *constructor) key(n, kn *docNode) (any, error) {
	if kn.kind != scalarNode {
		return nil, c.failIn(n, kn, "found unacceptable key "+nodeList(kn))
	}
	tag := tagOf(kn)
	if tag == tagValue {
		tag = tagStr
	}
	k, err := c.construct(kn, tag)
	if b, ok := k.([]byte); ok {
		return string(b), err
	}
	return k, err
}

// nodeList is Python's repr of a node's content, which Salt shows when a map or list stands as a key.
func nodeList(n *docNode) string {
	var parts []string
	if n.kind == mappingNode {
		for i := 0; i+1 < len(n.content); i += 2 {
			parts = append(parts, "("+nodeRepr(n.content[i])+", "+nodeRepr(n.content[i+1])+")")
		}
	} else {
		for _, e := range n.content {
			parts = append(parts, nodeRepr(e))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func nodeRepr(n *docNode) string {
	name := "ScalarNode"
	var value string
	switch n.kind {
	case mappingNode:
		name, value = "MappingNode", nodeList(n)
	case sequenceNode:
		name, value = "SequenceNode", nodeList(n)
	default:
		value = pyfmt.Repr(n.value)
	}
	return fmt.Sprintf("%s(tag='%s', value=%s)", name, tagOf(n), value)
}
