package pyyaml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// docNode is a value as it stands in the document.
type docNode struct {
	kind    nodeKind
	tag     string // as written, resolved to its long form; empty when none is
	value   string
	plain   bool // a scalar whose text decides its type
	at      Mark
	content []*docNode // alternating keys and values in a mapping
}

// parser builds nodes from tokens, following libyaml.
type parser struct {
	s       *scanner
	tags    map[string]string // handles of %TAG directives
	anchors map[string]*docNode
	depth   int
	o       Options
}

// parse returns the root node of the only document, nil when there is none.
func parse(src []byte, o Options) (root *docNode, err error) {
	text := string(src)
	if err := checkCharacters(text, o); err != nil {
		return nil, err
	}
	p := &parser{s: newScanner(text), anchors: map[string]*docNode{}, o: o}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			e.name = o.Name
			root, err = nil, e
		}
	}()
	return p.stream(), nil
}

// checkCharacters refuses what YAML does not allow in a document.
func checkCharacters(text string, o Options) error {
	position := 0
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			return &Error{Stage: Reader, Problem: fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d", text[i], i), name: o.Name}
		case r == '\t', r == '\n', r == '\r', r >= ' ' && r <= '~', r == 0x85, r >= 0xa0 && r <= 0xfffd, r >= 0x10000:
		default:
			return &Error{
				Stage:   Reader,
				Problem: fmt.Sprintf("unacceptable character #x%04x: control characters are not allowed\n  in \"%s\", position %d", r, o.Name, position),
				name:    o.Name,
			}
		}
		position++
	}
	return nil
}

func (p *parser) fail(context string, at Mark, problem string, t *token) {
	m := t.start
	e := &Error{Stage: Parser, Problem: problem, ProblemMark: &m}
	if context != "" {
		e.Context, e.ContextMark = context, &at
		if strings.HasPrefix(context, "while parsing a block node") || strings.HasPrefix(context, "while parsing a flow node") {
			e.ContextMark = nil
		}
	}
	panic(e)
}

func (p *parser) stream() *docNode {
	for p.s.peek().kind == documentEnd {
		p.s.take()
	}
	if p.s.peek().kind == streamEnd {
		return nil
	}
	root := p.document()
	for p.s.peek().kind == documentEnd {
		p.s.take()
	}
	if t := p.s.peek(); t.kind != streamEnd {
		start := t.start
		p.directives()
		if t := p.s.peek(); t.kind != documentStart {
			p.fail("", Mark{}, "did not find expected <document start>", t)
		}
		at := root.at
		panic(&Error{
			Stage: Composer, Context: "expected a single document in the stream", ContextMark: &at,
			Problem: "but found another document", ProblemMark: &start,
		})
	}
	return root
}

func (p *parser) document() *docNode {
	first := p.s.peek().kind
	p.directives()
	if t := p.s.peek(); t.kind == documentStart {
		p.s.take()
		switch t := p.s.peek(); t.kind {
		case versionDirective, tagDirective, documentStart, documentEnd, streamEnd:
			return p.empty(t.start)
		}
	} else if first == versionDirective || first == tagDirective {
		p.fail("", Mark{}, "did not find expected <document start>", t)
	}
	return p.node(true, false)
}

func (p *parser) directives() {
	p.tags = map[string]string{}
	version := false
	for {
		t := p.s.peek()
		switch t.kind {
		case versionDirective:
			if version {
				p.fail("", Mark{}, "found duplicate %YAML directive", t)
			}
			if t.handle != "1" || t.value != "1" && t.value != "2" {
				p.fail("", Mark{}, "found incompatible YAML document", t)
			}
			version = true
		case tagDirective:
			if _, ok := p.tags[t.handle]; ok {
				p.fail("", Mark{}, "found duplicate %TAG directive", t)
			}
			p.tags[t.handle] = t.value
		default:
			return
		}
		p.s.take()
	}
}

func (p *parser) empty(at Mark) *docNode { return &docNode{plain: true, at: at} }

// properties are the anchor and tag before a node.
type properties struct {
	anchor, tag string
	anchored    bool
	tagged      bool
	start       Mark
}

func (p *parser) properties() properties {
	pr := properties{start: p.s.peek().start}
	for range 2 {
		t := p.s.peek()
		switch {
		case t.kind == anchorToken && !pr.anchored:
			pr.anchored, pr.anchor = true, p.s.take().value
		case t.kind == tagToken && !pr.tagged:
			tok := p.s.take()
			pr.tagged = true
			pr.tag = p.longTag(&tok, pr.start)
		}
	}
	return pr
}

func (p *parser) longTag(t *token, start Mark) string {
	if t.handle == "" {
		return t.value
	}
	prefix, ok := p.tags[t.handle]
	switch {
	case ok:
	case t.handle == "!":
		prefix = "!"
	case t.handle == "!!":
		prefix = tagPrefix
	default:
		p.fail("while parsing a node", start, "found undefined tag handle", t)
	}
	return prefix + t.value
}

func (p *parser) node(block, indentless bool) *docNode {
	if t := p.s.peek(); t.kind == aliasToken {
		n, ok := p.anchors[t.value]
		if !ok {
			m := t.start
			panic(&Error{Stage: Composer, Problem: "found undefined alias", ProblemMark: &m})
		}
		p.s.take()
		return n
	}
	if p.depth++; p.depth > p.o.MaxDepth {
		p.fail("", Mark{}, fmt.Sprintf("the document is nested deeper than %d levels", p.o.MaxDepth), p.s.peek())
	}
	defer func() { p.depth-- }()
	pr := p.properties()
	n := &docNode{at: pr.start, tag: pr.tag}
	if pr.tag == "!" {
		n.tag = ""
	}
	t := p.s.peek()
	switch {
	case indentless && t.kind == blockEntry:
		return p.anchored(pr, n, p.indentlessSequence)
	case t.kind == scalarToken:
		n.plain = t.plain && !pr.tagged || pr.tag == "!"
		n.value = t.value
		return p.anchored(pr, n, func(*docNode) { p.s.take() })
	case t.kind == flowSequenceStart:
		return p.anchored(pr, n, p.flowSequence)
	case t.kind == flowMappingStart:
		return p.anchored(pr, n, p.flowMapping)
	case block && t.kind == blockSequenceStart:
		return p.anchored(pr, n, p.blockSequence)
	case block && t.kind == blockMappingStart:
		return p.anchored(pr, n, p.blockMapping)
	case pr.anchored || pr.tagged:
		n.plain = !pr.tagged
		return p.anchored(pr, n, func(*docNode) {})
	}
	context := "while parsing a flow node"
	if block {
		context = "while parsing a block node"
	}
	p.fail(context, pr.start, "did not find expected node content", t)
	return nil
}

// anchored registers a node under its anchor before its content is read.
func (p *parser) anchored(pr properties, n *docNode, content func(*docNode)) *docNode {
	if pr.anchored {
		if first, ok := p.anchors[pr.anchor]; ok {
			at, here := first.at, n.at
			panic(&Error{
				Stage: Composer, Context: "found duplicate anchor; first occurrence", ContextMark: &at,
				Problem: "second occurrence", ProblemMark: &here,
			})
		}
		p.anchors[pr.anchor] = n
	}
	content(n)
	return n
}

func (k tokenKind) in(kinds ...tokenKind) bool {
	for _, o := range kinds {
		if k == o {
			return true
		}
	}
	return false
}

// nodeUnless reads a node unless one of kinds comes, in which case nothing stands for an empty scalar at the mark.
func (p *parser) nodeUnless(at Mark, block, indentless bool, kinds ...tokenKind) *docNode {
	if p.s.peek().kind.in(kinds...) {
		return p.empty(at)
	}
	return p.node(block, indentless)
}

func (p *parser) blockSequence(n *docNode) {
	n.kind = sequenceNode
	start := p.s.take().start
	for {
		t := p.s.peek()
		switch t.kind {
		case blockEntry:
			end := p.s.take().end
			n.content = append(n.content, p.nodeUnless(end, true, false, blockEntry, blockEnd))
		case blockEnd:
			p.s.take()
			return
		default:
			p.fail("while parsing a block collection", start, "did not find expected '-' indicator", t)
		}
	}
}

func (p *parser) indentlessSequence(n *docNode) {
	n.kind = sequenceNode
	for p.s.peek().kind == blockEntry {
		end := p.s.take().end
		n.content = append(n.content, p.nodeUnless(end, true, false, blockEntry, keyToken, valueToken, blockEnd))
	}
}

func (p *parser) blockMapping(n *docNode) {
	n.kind = mappingNode
	start := p.s.take().start
	for {
		t := p.s.peek()
		var key *docNode
		switch t.kind {
		case keyToken:
			end := p.s.take().end
			key = p.nodeUnless(end, true, true, keyToken, valueToken, blockEnd)
		case blockEnd:
			p.s.take()
			return
		default:
			p.fail("while parsing a block mapping", start, "did not find expected key", t)
		}
		value := p.empty(p.s.peek().start)
		if p.s.peek().kind == valueToken {
			end := p.s.take().end
			value = p.nodeUnless(end, true, true, keyToken, valueToken, blockEnd)
		}
		n.content = append(n.content, key, value)
	}
}

func (p *parser) flowSequence(n *docNode) {
	n.kind = sequenceNode
	start := p.s.take().start
	for first := true; p.s.peek().kind != flowSequenceEnd; first = false {
		if !first {
			if t := p.s.peek(); t.kind != flowEntry {
				p.fail("while parsing a flow sequence", start, "did not find expected ',' or ']'", t)
			}
			p.s.take()
		}
		switch t := p.s.peek(); t.kind {
		case keyToken:
			n.content = append(n.content, p.pair())
		case flowSequenceEnd:
		default:
			n.content = append(n.content, p.node(false, false))
		}
	}
	p.s.take()
}

// pair is a single "key: value" in a flow sequence, a mapping of its own.
func (p *parser) pair() *docNode {
	n := &docNode{kind: mappingNode, at: p.s.take().start}
	key := p.empty(p.s.peek().end)
	if p.s.peek().kind.in(valueToken, flowEntry, flowSequenceEnd) {
		p.s.take() // libyaml takes the token here, which makes [? : b] an error
	} else {
		key = p.node(false, false)
	}
	value := p.empty(p.s.peek().start)
	if p.s.peek().kind == valueToken {
		p.s.take()
		value = p.nodeUnless(p.s.peek().start, false, false, flowEntry, flowSequenceEnd)
	}
	n.content = []*docNode{key, value}
	return n
}

func (p *parser) flowMapping(n *docNode) {
	n.kind = mappingNode
	start := p.s.take().start
	for first := true; p.s.peek().kind != flowMappingEnd; first = false {
		if !first {
			if t := p.s.peek(); t.kind != flowEntry {
				p.fail("while parsing a flow mapping", start, "did not find expected ',' or '}'", t)
			}
			p.s.take()
		}
		switch t := p.s.peek(); t.kind {
		case keyToken:
			p.s.take()
			key := p.nodeUnless(p.s.peek().start, false, false, valueToken, flowEntry, flowMappingEnd)
			value := p.empty(p.s.peek().start)
			if p.s.peek().kind == valueToken {
				p.s.take()
				value = p.nodeUnless(p.s.peek().start, false, false, flowEntry, flowMappingEnd)
			}
			n.content = append(n.content, key, value)
		case flowMappingEnd:
		default:
			key := p.node(false, false)
			n.content = append(n.content, key, p.empty(p.s.peek().start))
		}
	}
	p.s.take()
}
