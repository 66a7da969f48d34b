package syntax

import (
	"brine/internal/pyfmt"

	"go.starlark.net/starlark"
)

func (p *parser) parseExpression() Expr {
	defer p.deeper()()
	return p.parseCond()
}

func (p *parser) parseCond() Expr {
	line := At(p.cur.line)
	e := p.parseOr()
	for n := 0; p.skipWord("if"); p.link(&n) {
		c := &Cond{At: line, Then: e}
		c.Test = p.parseOr()
		if p.skipWord("else") {
			leave := p.deeper()
			c.Else = p.parseCond()
			leave()
		}
		e = c
		line = At(p.cur.line)
	}
	return e
}

func (p *parser) parseOr() Expr {
	line := At(p.cur.line)
	left := p.parseAnd()
	for n := 0; p.skipWord("or"); p.link(&n) {
		left = &Or{line, left, p.parseAnd()}
		line = At(p.cur.line)
	}
	return left
}

func (p *parser) parseAnd() Expr {
	line := At(p.cur.line)
	left := p.parseNot()
	for n := 0; p.skipWord("and"); p.link(&n) {
		left = &And{line, left, p.parseNot()}
		line = At(p.cur.line)
	}
	return left
}

func (p *parser) parseNot() Expr {
	if p.cur.is("not") {
		defer p.deeper()()
		line := At(p.advance().line)
		return &Unary{line, "not", p.parseNot()}
	}
	return p.parseCompare()
}

func (p *parser) parseCompare() Expr {
	line := At(p.cur.line)
	first := p.parseMath1()
	var rest []Operand
	for {
		switch k := p.cur.kind; {
		case k == "eq" || k == "ne" || k == "lt" || k == "lteq" || k == "gt" || k == "gteq":
			p.advance()
			rest = append(rest, Operand{string(k), p.parseMath1()})
		case p.cur.is("in"):
			p.advance()
			rest = append(rest, Operand{"in", p.parseMath1()})
		case p.cur.is("not") && p.nextIs("in"):
			p.advance()
			p.advance()
			rest = append(rest, Operand{"notin", p.parseMath1()})
		case rest == nil:
			return first
		default:
			return &Compare{line, first, rest}
		}
		line = At(p.cur.line)
	}
}

func (p *parser) nextIs(word string) bool {
	t := p.look()
	return t.is(word)
}

func (p *parser) parseMath1() Expr {
	line := At(p.cur.line)
	left := p.parseConcat()
	for n := 0; p.cur.kind == add || p.cur.kind == sub; p.link(&n) {
		op := p.advance().text
		left = &Binary{line, op, left, p.parseConcat()}
		line = At(p.cur.line)
	}
	return left
}

func (p *parser) parseConcat() Expr {
	line := At(p.cur.line)
	parts := []Expr{p.parseMath2()}
	for p.skipKind(tilde) {
		parts = append(parts, p.parseMath2())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &Concat{line, parts}
}

func (p *parser) parseMath2() Expr {
	line := At(p.cur.line)
	left := p.parsePow()
	for n := 0; p.cur.kind == mul || p.cur.kind == div || p.cur.kind == floordiv || p.cur.kind == mod; p.link(&n) {
		op := p.advance().text
		left = &Binary{line, op, left, p.parsePow()}
		line = At(p.cur.line)
	}
	return left
}

func (p *parser) parsePow() Expr {
	line := At(p.cur.line)
	left := p.parseUnary(true)
	for n := 0; p.skipKind(pow); p.link(&n) {
		left = &Binary{line, "**", left, p.parseUnary(true)}
		line = At(p.cur.line)
	}
	return left
}

func (p *parser) parseUnary(withFilter bool) Expr {
	line := At(p.cur.line)
	var node Expr
	switch p.cur.kind {
	case sub, add:
		leave := p.deeper()
		op := p.advance().text
		node = &Unary{line, op, p.parseUnary(false)}
		leave()
	default:
		node = p.parsePrimary(false)
	}
	node = p.parsePostfix(node)
	if withFilter {
		node = p.parseFilters(node)
	}
	return node
}

func (p *parser) parsePrimary(namespace bool) Expr {
	t := p.cur
	switch t.kind {
	case name:
		p.advance()
		return p.parseName(t, namespace)
	case str:
		p.advance()
		text := string(t.value.(starlark.String))
		for p.cur.kind == str {
			text += string(p.advance().value.(starlark.String))
		}
		return &Const{At(t.line), starlark.String(text)}
	case integer, float:
		p.advance()
		return &Const{At(t.line), t.value}
	case lparen:
		p.advance()
		e := p.parseTuple(tupleOptions{cond: true, parens: true})
		p.expect(rparen)
		return e
	case lbracket:
		return p.parseList()
	case lbrace:
		return p.parseDict()
	}
	fail(t.line, "unexpected %s", pyfmt.Repr(t.describe()))
	return nil
}

func (p *parser) parseName(t token, namespace bool) Expr {
	line := At(t.line)
	switch t.text {
	case "true", "True":
		return &Const{line, starlark.True}
	case "false", "False":
		return &Const{line, starlark.False}
	case "none", "None":
		return &Const{line, starlark.None}
	}
	if namespace && p.cur.kind == dot {
		p.advance()
		return &NSRef{line, t.text, p.expect(name).text}
	}
	for _, s := range p.macros {
		s.UsesCaller = s.UsesCaller || t.text == "caller"
		s.UsesVarargs = s.UsesVarargs || t.text == "varargs"
		s.UsesKwargs = s.UsesKwargs || t.text == "kwargs"
	}
	return &Name{line, t.text}
}

type tupleOptions struct {
	simple    bool // only names and literals
	cond      bool // conditional expressions
	parens    bool // () is an empty tuple
	namespace bool
	end       string // a word that ends the tuple
}

func (p *parser) parseTuple(o tupleOptions) Expr {
	defer p.deeper()()
	line := At(p.cur.line)
	var items []Expr
	tuple := false
	for {
		if len(items) > 0 {
			p.expect(comma)
		}
		if k := p.cur.kind; k == variableEnd || k == blockEnd || k == rparen || o.end != "" && p.cur.is(o.end) {
			break
		}
		switch {
		case o.simple:
			items = append(items, p.parsePrimary(o.namespace))
		case o.cond:
			items = append(items, p.parseExpression())
		default:
			items = append(items, p.parseOr())
		}
		if p.cur.kind != comma {
			break
		}
		tuple = true
		line = At(p.cur.line)
	}
	if !tuple {
		if len(items) > 0 {
			return items[0]
		}
		if !o.parens {
			fail(p.cur.line, "Expected an expression, got %s", pyfmt.Repr(p.cur.describe()))
		}
	}
	return &Tuple{line, items}
}

type targetOptions struct {
	namespace bool
	end       string
}

// parseTarget reads what can stand left of =.
func (p *parser) parseTarget(o targetOptions) Expr {
	t := p.parseTuple(tupleOptions{simple: true, end: o.end, namespace: o.namespace})
	if bad := notAssignable(t); bad != "" {
		fail(t.Line(), "can't assign to '%s'", bad)
	}
	return t
}

func notAssignable(e Expr) string {
	switch t := e.(type) {
	case *Name, *NSRef:
		return ""
	case *Tuple:
		for _, i := range t.Items {
			if notAssignable(i) != "" {
				return "tuple"
			}
		}
		return ""
	case *Const:
		return "const"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	}
	return "expr"
}

func (p *parser) parseList() Expr {
	l := &List{At: At(p.advance().line)}
	for p.cur.kind != rbracket {
		if len(l.Items) > 0 {
			p.expect(comma)
		}
		if p.cur.kind == rbracket {
			break
		}
		l.Items = append(l.Items, p.parseExpression())
	}
	p.expect(rbracket)
	return l
}

func (p *parser) parseDict() Expr {
	d := &Dict{At: At(p.advance().line)}
	for p.cur.kind != rbrace {
		if len(d.Keys) > 0 {
			p.expect(comma)
		}
		if p.cur.kind == rbrace {
			break
		}
		d.Keys = append(d.Keys, p.parseExpression())
		p.expect(colon)
		d.Values = append(d.Values, p.parseExpression())
	}
	p.expect(rbrace)
	return d
}
