package syntax

import "strings"

// parsePostfix reads what follows a value directly: attributes, subscripts, calls.
func (p *parser) parsePostfix(node Expr) Expr {
	for n := 0; ; p.link(&n) {
		switch p.cur.kind {
		case dot, lbracket:
			node = p.parseSubscript(node)
		case lparen:
			node = p.parseCall(node)
		default:
			return node
		}
	}
}

func (p *parser) parseFilters(node Expr) Expr {
	for n := 0; ; p.link(&n) {
		switch {
		case p.cur.kind == pipe:
			node = p.parseFilter(node, false)
		case p.cur.is("is"):
			node = p.parseTest(node)
		case p.cur.kind == lparen:
			node = p.parseCall(node)
		default:
			return node
		}
	}
}

func (p *parser) parseSubscript(node Expr) Expr {
	t := p.advance()
	line := At(t.line)
	if t.kind == dot {
		attr := p.advance()
		switch attr.kind {
		case name:
			return &Getattr{line, node, attr.text}
		case integer:
			return &Getitem{line, node, &Const{At(attr.line), attr.value}}
		}
		fail(attr.line, "expected name or number")
	}
	var args []Expr
	for p.cur.kind != rbracket {
		if len(args) > 0 {
			p.expect(comma)
		}
		args = append(args, p.parseSubscribed())
	}
	p.expect(rbracket)
	if len(args) == 1 {
		return &Getitem{line, node, args[0]}
	}
	return &Getitem{line, node, &Tuple{line, args}}
}

func (p *parser) parseSubscribed() Expr {
	s := &Slice{At: At(p.cur.line)}
	if !p.skipKind(colon) {
		e := p.parseExpression()
		if !p.skipKind(colon) {
			return e
		}
		s.Start = e
	}
	if k := p.cur.kind; k != colon && k != rbracket && k != comma {
		s.Stop = p.parseExpression()
	}
	if p.skipKind(colon) {
		if k := p.cur.kind; k != rbracket && k != comma {
			s.Step = p.parseExpression()
		}
	}
	return s
}

func (p *parser) parseCall(node Expr) Expr {
	line := At(p.cur.line)
	return &Call{line, node, p.parseArgs()}
}

func (p *parser) parseArgs() Args {
	open := p.expect(lparen)
	var a Args
	ensure := func(ok bool) {
		if !ok {
			fail(open.line, "invalid syntax for function call expression")
		}
	}
	for first := true; p.cur.kind != rparen; first = false {
		if !first {
			p.expect(comma)
			if p.cur.kind == rparen {
				break
			}
		}
		switch {
		case p.cur.kind == mul:
			ensure(a.DynPos == nil && a.DynKw == nil)
			p.advance()
			a.DynPos = p.parseExpression()
		case p.cur.kind == pow:
			ensure(a.DynKw == nil)
			p.advance()
			a.DynKw = p.parseExpression()
		case p.cur.kind == name && p.look().kind == assign:
			ensure(a.DynKw == nil)
			key := p.advance().text
			p.advance()
			a.Kw = append(a.Kw, Keyword{key, p.parseExpression()})
		default:
			ensure(a.DynPos == nil && a.DynKw == nil && len(a.Kw) == 0)
			a.Pos = append(a.Pos, p.parseExpression())
		}
	}
	p.expect(rparen)
	return a
}

func (p *parser) dotted() (string, int) {
	t := p.expect(name)
	var b strings.Builder
	b.WriteString(t.text)
	for p.skipKind(dot) {
		b.WriteString("." + p.expect(name).text)
	}
	return b.String(), t.line
}

// parseFilter reads the filters that follow; inline, the first stands without a |.
func (p *parser) parseFilter(node Expr, inline bool) Expr {
	for n := 0; p.cur.kind == pipe || inline; p.link(&n) {
		if !inline {
			p.advance()
		}
		inline = false
		f := &Filter{Node: node}
		filterName, line := p.dotted()
		f.Name, f.At = filterName, At(line)
		p.useFilter(f.Name, line)
		if p.cur.kind == lparen {
			f.Args = p.parseArgs()
		}
		node = f
	}
	return node
}

func (p *parser) parseTest(node Expr) Expr {
	line := At(p.advance().line)
	negated := p.skipWord("not")
	t := &Test{At: line, Node: node}
	t.Name, _ = p.dotted()
	p.useTest(t.Name, int(line))
	switch k := p.cur.kind; {
	case k == lparen:
		t.Args = p.parseArgs()
	case (k == name || k == str || k == integer || k == float || k == lbracket || k == lbrace) && !p.cur.isAny("else", "or", "and"):
		if p.cur.is("is") {
			fail(p.cur.line, "You cannot chain multiple tests with is")
		}
		t.Args.Pos = []Expr{p.parsePostfix(p.parsePrimary(false))}
	}
	if negated {
		return &Unary{line, "not", t}
	}
	return t
}
