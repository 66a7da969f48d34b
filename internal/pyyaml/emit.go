package pyyaml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// emitter lays nodes out as libyaml does.
type emitter struct {
	out        strings.Builder
	column     int
	indent     int
	indents    []int
	bestIndent int
	bestWidth  int
	flowLevel  int
	// whitespace and indention tell whether the last character was a blank, and whether only blanks and indicators stand
	// on the line so far.
	whitespace, indention bool
	unicode               bool
	explicitStart         bool
	explicitEnd           bool
	lastAnchor            int
	// openEnded is set while the text ends in line breaks that belong to a scalar, so that ... must close it.
	openEnded bool
}

func newEmitter(o DumpOptions) *emitter {
	e := &emitter{
		indent: -1, bestIndent: o.Indent, bestWidth: o.Width, unicode: !o.EscapeUnicode,
		explicitStart: o.ExplicitStart, explicitEnd: o.ExplicitEnd, whitespace: true, indention: true,
	}
	if e.bestIndent < 2 || e.bestIndent > 9 {
		e.bestIndent = 2
	}
	switch {
	case e.bestWidth < 0:
		e.bestWidth = 1 << 30
	case e.bestWidth <= e.bestIndent*2:
		e.bestWidth = 80
	}
	return e
}

// place is where a node stands.
type place struct{ root, mapping, simpleKey bool }

func (e *emitter) document(n *node) {
	e.number(n, map[*node]bool{})
	if e.explicitStart {
		e.writeIndent()
		e.indicator("---", true, false, false)
	}
	e.node(n, place{root: true})
	e.writeIndent()
	if e.explicitEnd || e.openEnded {
		e.indicator("...", true, false, false)
		e.writeIndent()
	}
}

// number gives the nodes that stand in several places their anchors, in the order in which they are met again.
func (e *emitter) number(n *node, seen map[*node]bool) {
	if n.kind == scalarNode {
		return
	}
	if seen[n] {
		if n.anchor == "" {
			n.anchor = "?"
		}
		return
	}
	seen[n] = true
	for _, c := range n.items {
		e.number(c, seen)
	}
}

func (e *emitter) put(r rune) {
	e.openEnded = false
	e.out.WriteRune(r)
	e.column++
}

func (e *emitter) putBreak() {
	e.out.WriteByte('\n')
	e.column = 0
}

func (e *emitter) writeIndent() {
	indent := max(e.indent, 0)
	if !e.indention || e.column > indent || e.column == indent && !e.whitespace {
		e.putBreak()
	}
	for e.column < indent {
		e.put(' ')
	}
	e.whitespace, e.indention = true, true
}

func (e *emitter) indicator(s string, needBlank, isBlank, isIndention bool) {
	if needBlank && !e.whitespace {
		e.put(' ')
	}
	e.out.WriteString(s)
	e.column += utf8.RuneCountInString(s)
	e.whitespace, e.indention = isBlank, e.indention && isIndention
}

func (e *emitter) push(flow, indentless bool) {
	e.indents = append(e.indents, e.indent)
	switch {
	case e.indent < 0 && flow:
		e.indent = e.bestIndent
	case e.indent < 0:
		e.indent = 0
	case !indentless:
		e.indent += e.bestIndent
	}
}

func (e *emitter) pop() {
	e.indent = e.indents[len(e.indents)-1]
	e.indents = e.indents[:len(e.indents)-1]
}

func (e *emitter) node(n *node, at place) {
	if n.anchor != "" {
		if n.emitted {
			e.indicator("*"+n.anchor, true, false, false)
			if at.simpleKey {
				e.put(' ')
			}
			return
		}
		n.emitted = true
		e.lastAnchor++
		n.anchor = fmt.Sprintf("id%03d", e.lastAnchor)
		e.indicator("&"+n.anchor, true, false, false)
	}
	switch n.kind {
	case scalarNode:
		e.scalar(n, at)
	case sequenceNode:
		if e.flowLevel > 0 || n.flow || len(n.items) == 0 {
			e.flowSequence(n)
		} else {
			e.blockSequence(n, at)
		}
	default:
		if e.flowLevel > 0 || n.flow || len(n.items) == 0 {
			e.flowMapping(n)
		} else {
			e.blockMapping(n)
		}
	}
}

func (e *emitter) flowSequence(n *node) {
	e.indicator("[", true, true, false)
	e.push(true, false)
	e.flowLevel++
	for i, c := range n.items {
		e.flowSeparator(i)
		e.node(c, place{})
	}
	e.flowLevel--
	e.pop()
	e.indicator("]", false, false, false)
}

func (e *emitter) flowSeparator(i int) {
	if i > 0 {
		e.indicator(",", false, false, false)
	}
	if e.column > e.bestWidth {
		e.writeIndent()
	}
}

func (e *emitter) flowMapping(n *node) {
	e.indicator("{", true, true, false)
	e.push(true, false)
	e.flowLevel++
	for i := 0; i+1 < len(n.items); i += 2 {
		e.flowSeparator(i)
		if e.isSimpleKey(n.items[i]) {
			e.node(n.items[i], place{mapping: true, simpleKey: true})
			e.indicator(":", false, false, false)
		} else {
			e.indicator("?", true, false, false)
			e.node(n.items[i], place{mapping: true})
			if e.column > e.bestWidth {
				e.writeIndent()
			}
			e.indicator(":", true, false, false)
		}
		e.node(n.items[i+1], place{mapping: true})
	}
	e.flowLevel--
	e.pop()
	e.indicator("}", false, false, false)
}

func (e *emitter) blockSequence(n *node, at place) {
	e.push(false, at.mapping && !e.indention)
	for _, c := range n.items {
		e.writeIndent()
		e.indicator("-", true, false, true)
		e.node(c, place{})
	}
	e.pop()
}

func (e *emitter) blockMapping(n *node) {
	e.push(false, false)
	for i := 0; i+1 < len(n.items); i += 2 {
		e.writeIndent()
		if e.isSimpleKey(n.items[i]) {
			e.node(n.items[i], place{mapping: true, simpleKey: true})
			e.indicator(":", false, false, false)
		} else {
			e.indicator("?", true, false, true)
			e.node(n.items[i], place{mapping: true})
			e.writeIndent()
			e.indicator(":", true, false, true)
		}
		e.node(n.items[i+1], place{mapping: true})
	}
	e.pop()
}

// isSimpleKey tells whether a key fits before a colon: one line of at most 128 bytes.
func (e *emitter) isSimpleKey(n *node) bool {
	length := len(n.anchor) + len(n.tag)
	switch n.kind {
	case scalarNode:
		if analyze(n.value, e.unicode).multiline {
			return false
		}
		length += len(n.value)
	default:
		if len(n.items) > 0 && !n.emitted {
			return false
		}
	}
	return length <= 128
}
