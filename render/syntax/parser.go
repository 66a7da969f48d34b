package syntax

import (
	"slices"
	"strings"

	"brine/internal/pyfmt"
)

// MaxDepth bounds how deep expressions and blocks may be nested.
const MaxDepth = 200

// Parse reads a template. Every error is an *Error.
func Parse(src string, o Options) (t *Template, err error) {
	p := &parser{lex: newLexer(src, o), last: 1, t: &Template{Blocks: map[string]*Block{}}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			t, err = nil, e
		}
	}()
	p.cur = p.lex.next()
	p.t.Body = p.parseUntil(nil)
	return p.t, nil
}

type parser struct {
	lex    *lexer
	cur    token
	ahead  []token
	t      *Template
	tags   []string   // open tags, for the error about an end that is missing
	ends   [][]string // what would end them
	depth  int
	soft   int // inside a branch, where a filter that is not known only matters when it is reached
	loops  int
	last   int // line of the statement or output before
	macros []*Signature
}

func (p *parser) advance() token {
	t := p.cur
	if len(p.ahead) > 0 {
		p.cur, p.ahead = p.ahead[0], p.ahead[1:]
	} else {
		p.cur = p.lex.next()
	}
	return t
}

// look is the token behind the current one.
func (p *parser) look() token {
	if len(p.ahead) == 0 {
		p.ahead = append(p.ahead, p.lex.next())
	}
	return p.ahead[0]
}

func (p *parser) skipKind(k kind) bool {
	if p.cur.kind == k {
		p.advance()
		return true
	}
	return false
}

func (p *parser) skipWord(w string) bool {
	if p.cur.is(w) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) expect(k kind) token {
	if p.cur.kind != k {
		p.expected(k.describe())
	}
	return p.advance()
}

func (p *parser) expectWord(w string) token {
	if !p.cur.is(w) {
		p.expected(w)
	}
	return p.advance()
}

func (p *parser) expected(what string) {
	if p.cur.kind == eof {
		fail(p.cur.line, "unexpected end of template, expected %s.", pyfmt.Repr(what))
	}
	fail(p.cur.line, "expected token %s, got %s", pyfmt.Repr(what), pyfmt.Repr(p.cur.describe()))
}

// maxChain bounds what is strung together without parentheses, such as a.b.c or 1 + 2 + 3: each link is a level of the
// tree.
const maxChain = 1000

// link counts one more link of a chain.
func (p *parser) link(n *int) {
	if *n++; *n > maxChain {
		fail(p.cur.line, "the expression has more than %d parts", maxChain)
	}
}

// deeper counts a level of nesting; the function it returns leaves it.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > MaxDepth {
		fail(p.cur.line, "the template is nested deeper than %d levels", MaxDepth)
	}
	return func() { p.depth-- }
}

// parseUntil reads text and statements up to one of the ending words, whose tag it leaves at that word.
func (p *parser) parseUntil(ends []string) []Stmt {
	defer p.deeper()()
	if ends != nil {
		p.ends = append(p.ends, ends)
		defer func() { p.ends = p.ends[:len(p.ends)-1] }()
	}
	var body []Stmt
	var out []Expr
	flush := func() {
		if len(out) > 0 {
			body = append(body, &Output{At(out[0].Line()), out})
			out = nil
		}
	}
	for {
		switch p.cur.kind {
		case eof:
			flush()
			return body
		case data:
			t := p.advance()
			p.last = t.line
			out = append(out, &Data{At(t.line), t.text})
		case variableBegin:
			p.advance()
			e := p.parseTuple(tupleOptions{cond: true})
			p.last = e.Line()
			out = append(out, e)
			p.expect(variableEnd)
		default:
			flush()
			p.advance()
			if ends != nil && p.cur.isAny(ends...) {
				return body
			}
			body = append(body, p.parseStatement())
			p.expect(blockEnd)
		}
	}
}

// parseBody reads the body of a block statement from the end of its opening tag.
func (p *parser) parseBody(drop bool, ends ...string) []Stmt {
	p.skipKind(colon)
	p.expect(blockEnd)
	body := p.parseUntil(ends)
	if p.cur.kind == eof {
		p.missingEnd("", append(slices.Clone(p.ends), ends), p.cur.line)
	}
	if drop {
		p.advance()
	}
	return body
}

// softly reads what may never run.
func (p *parser) softly(read func() []Stmt) []Stmt {
	p.soft++
	defer func() { p.soft-- }()
	return read()
}

// missingEnd says which tag stands where none, or another, was looked for.
func (p *parser) missingEnd(tag string, ends [][]string, line int) {
	message := "Unexpected end of template."
	if tag != "" {
		message = "Encountered unknown tag " + pyfmt.Repr(tag) + "."
	}
	if len(ends) > 0 {
		var quoted []string
		for _, e := range ends[len(ends)-1] {
			quoted = append(quoted, pyfmt.Repr(e))
		}
		looking := strings.Join(quoted, " or ")
		if tag != "" && slices.ContainsFunc(ends, func(e []string) bool { return slices.Contains(e, tag) }) {
			message += " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " + looking + "."
		} else {
			message += " Jinja was looking for the following tags: " + looking + "."
		}
	}
	if n := len(p.tags); n > 0 {
		message += " The innermost block that needs to be closed is " + pyfmt.Repr(p.tags[n-1]) + "."
	}
	fail(line, "%s", message)
}

func (p *parser) useFilter(name string, line int) {
	if p.soft == 0 {
		p.t.Filters = append(p.t.Filters, Use{name, line})
	}
}

func (p *parser) useTest(name string, line int) {
	if p.soft == 0 {
		p.t.Tests = append(p.t.Tests, Use{name, line})
	}
}
