package syntax

import "strings"

// parseStatement reads one tag, up to its closing mark.
func (p *parser) parseStatement() Stmt {
	t := p.cur
	if t.kind != name {
		fail(t.line, "tag name expected")
	}
	p.tags = append(p.tags, t.text)
	if t.text != "with" {
		p.last = t.line
	}
	s := p.statement(t.text)
	if s == nil {
		p.tags = p.tags[:len(p.tags)-1]
		p.missingEnd(t.text, p.ends, t.line)
	}
	p.tags = p.tags[:len(p.tags)-1]
	return s
}

// statement reads the statement that a word begins; nil when it begins none.
func (p *parser) statement(word string) Stmt {
	switch word {
	case "for":
		return p.parseFor()
	case "if":
		return p.parseIf()
	case "set":
		return p.parseSet()
	case "do":
		return p.parseDo()
	case "with":
		return p.parseWith()
	case "macro":
		return p.parseMacro()
	case "call":
		return p.parseCallBlock()
	case "filter":
		return p.parseFilterBlock()
	case "include":
		return p.parseInclude()
	case "import":
		return p.parseImport("")
	case "from":
		return p.parseFrom()
	case "break":
		return &Break{p.loopTag()}
	case "continue":
		return &Continue{p.loopTag()}
	}
	return p.rarer(word)
}

func (p *parser) rarer(word string) Stmt {
	switch word {
	case "extends":
		return p.parseExtends()
	case "block":
		return p.parseBlock()
	case "autoescape":
		return p.parseAutoescape()
	case "print":
		return p.parsePrint()
	case "profile":
		return p.parseProfile()
	case "load_yaml", "load_json", "load_text":
		return p.parseLoad()
	case "import_yaml", "import_json", "import_text":
		return p.parseImportData()
	}
	return nil
}

func (p *parser) parseSet() Stmt {
	line := At(p.advance().line)
	target := p.parseTarget(targetOptions{namespace: true})
	if p.skipKind(assign) {
		return &Set{line, target, p.parseTuple(tupleOptions{cond: true})}
	}
	var filter *Filter
	if p.cur.kind == pipe {
		filter = p.parseFilter(nil, false).(*Filter)
	}
	return &SetBlock{line, target, filter, p.parseBody(true, "endset")}
}

func (p *parser) parseFor() Stmt {
	f := &For{At: At(p.advance().line)}
	f.Target = p.parseTarget(targetOptions{end: "in"})
	p.expectWord("in")
	f.Iter = p.parseTuple(tupleOptions{end: "recursive"})
	if p.skipWord("if") {
		f.Test = p.parseExpression()
	}
	f.Recursive = p.skipWord("recursive")
	p.loops++
	f.Body = p.parseBody(false, "endfor", "else")
	p.loops--
	if p.advance().text == "else" {
		f.Else = p.parseBody(true, "endfor")
	}
	return f
}

func (p *parser) parseIf() Stmt {
	root := &If{At: At(p.advance().line)}
	node := root
	for {
		node.Test = p.parseTuple(tupleOptions{})
		node.Body = p.softly(func() []Stmt { return p.parseBody(false, "elif", "else", "endif") })
		switch t := p.advance(); t.text {
		case "elif":
			node = &If{At: At(p.cur.line)}
			root.Elifs = append(root.Elifs, node)
			continue
		case "else":
			root.Else = p.softly(func() []Stmt { return p.parseBody(true, "endif") })
		}
		return root
	}
}

func (p *parser) parseWith() Stmt {
	p.advance()
	w := &With{At: At(p.last)} // where Jinja places an error in the values
	for p.cur.kind != blockEnd {
		if len(w.Targets) > 0 {
			p.expect(comma)
		}
		w.Targets = append(w.Targets, p.parseTarget(targetOptions{}))
		p.expect(assign)
		w.Values = append(w.Values, p.parseExpression())
	}
	w.Body = p.parseBody(true, "endwith")
	return w
}

func (p *parser) parseAutoescape() Stmt {
	line := At(p.advance().line)
	return &Scope{line, p.parseExpression(), p.parseBody(true, "endautoescape")}
}

func (p *parser) parseBlock() Stmt {
	b := &Block{At: At(p.advance().line)}
	b.Name = p.expect(name).text
	b.Scoped = p.skipWord("scoped")
	b.Required = p.skipWord("required")
	if p.cur.kind == sub {
		fail(p.cur.line, "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.")
	}
	b.Body = p.parseBody(true, "endblock")
	if b.Required && !onlySpace(b.Body) {
		fail(p.cur.line, "Required blocks can only contain comments or whitespace")
	}
	if p.t.Blocks[b.Name] != nil {
		fail(b.Line(), "block '%s' defined twice", b.Name)
	}
	p.t.Blocks[b.Name] = b
	p.skipWord(b.Name)
	return b
}

func onlySpace(body []Stmt) bool {
	for _, s := range body {
		out, ok := s.(*Output)
		if !ok {
			return false
		}
		for _, item := range out.Items {
			if d, ok := item.(*Data); !ok || strings.TrimSpace(d.Text) != "" {
				return false
			}
		}
	}
	return true
}

func (p *parser) parseExtends() Stmt {
	line := At(p.advance().line)
	return &Extends{line, p.parseExpression()}
}

// context reads "with context" or "without context".
func (p *parser) context(with *bool) bool {
	if !p.cur.isAny("with", "without") {
		return false
	}
	if next := p.look(); !next.is("context") {
		return false
	}
	*with = p.advance().text == "with"
	p.advance()
	return true
}

func (p *parser) parseInclude() Stmt {
	i := &Include{At: At(p.advance().line), WithContext: true}
	i.Template = p.parseExpression()
	if p.cur.is("ignore") {
		if next := p.look(); next.is("missing") {
			i.IgnoreMissing = true
			p.advance()
			p.advance()
		}
	}
	p.context(&i.WithContext)
	return i
}

func (p *parser) parseImport(format string) Stmt {
	i := &Import{At: At(p.advance().line), Format: format}
	i.Template = p.parseExpression()
	p.expectWord("as")
	i.Target = p.expect(name).text
	p.context(&i.WithContext)
	return i
}

func (p *parser) parseImportData() Stmt {
	return p.parseImport(strings.TrimPrefix(p.cur.text, "import_"))
}

func (p *parser) parseFrom() Stmt {
	f := &FromImport{At: At(p.advance().line)}
	f.Template = p.parseExpression()
	p.expectWord("import")
	for {
		if len(f.Names) > 0 {
			p.expect(comma)
		}
		if p.cur.kind != name {
			p.expect(name)
		}
		if p.context(&f.WithContext) {
			break
		}
		t := p.advance()
		if strings.HasPrefix(t.text, "_") {
			fail(t.line, "names starting with an underline can not be imported")
		}
		alias := t.text
		if p.skipWord("as") {
			alias = p.expect(name).text
		}
		f.Names = append(f.Names, [2]string{t.text, alias})
		if p.context(&f.WithContext) || p.cur.kind != comma {
			break
		}
	}
	return f
}

func (p *parser) parseSignature() Signature {
	var s Signature
	p.expect(lparen)
	for p.cur.kind != rparen {
		if len(s.Params) > 0 {
			p.expect(comma)
		}
		param := p.expect(name).text
		if p.skipKind(assign) {
			s.Defaults = append(s.Defaults, p.parseExpression())
		} else if len(s.Defaults) > 0 {
			fail(p.cur.line, "non-default argument follows default argument")
		}
		s.Params = append(s.Params, param)
	}
	p.expect(rparen)
	return s
}

// macroBody reads the body of a macro and notes which of the special names it reads.
func (p *parser) macroBody(s *Signature, end string) []Stmt {
	loops := p.loops
	p.loops = 0
	p.macros = append(p.macros, s)
	body := p.parseBody(true, end)
	p.macros = p.macros[:len(p.macros)-1]
	p.loops = loops
	return body
}

func (p *parser) parseMacro() Stmt {
	m := &Macro{At: At(p.advance().line)}
	m.Name = p.expect(name).text
	m.Sig = p.parseSignature()
	m.Body = p.macroBody(&m.Sig, "endmacro")
	return m
}

func (p *parser) parseCallBlock() Stmt {
	c := &CallBlock{At: At(p.advance().line)}
	if p.cur.kind == lparen {
		c.Sig = p.parseSignature()
	}
	call, ok := p.parseExpression().(*Call)
	if !ok {
		fail(c.Line(), "expected call")
	}
	c.Call = call
	c.Body = p.macroBody(&c.Sig, "endcall")
	return c
}

func (p *parser) parseFilterBlock() Stmt {
	f := &FilterBlock{At: At(p.advance().line)}
	f.Filter = p.parseFilter(nil, true).(*Filter)
	f.Body = p.parseBody(true, "endfilter")
	return f
}

func (p *parser) parsePrint() Stmt {
	o := &Output{At: At(p.advance().line)}
	for p.cur.kind != blockEnd {
		if len(o.Items) > 0 {
			p.expect(comma)
		}
		o.Items = append(o.Items, p.parseExpression())
	}
	return o
}

func (p *parser) parseDo() Stmt {
	line := At(p.advance().line)
	return &Do{line, p.parseTuple(tupleOptions{cond: true})}
}

func (p *parser) loopTag() At {
	t := p.advance()
	if p.loops == 0 {
		fail(t.line, "'%s' outside loop", t.text)
	}
	return At(t.line)
}

func (p *parser) parseLoad() Stmt {
	l := &Load{At: At(p.cur.line), Format: strings.TrimPrefix(p.cur.text, "load_")}
	p.advance()
	p.expectWord("as")
	l.Target = p.parseTarget(targetOptions{})
	loops := p.loops
	p.loops = 0
	l.Body = p.parseBody(true, "endload")
	p.loops = loops
	return l
}

func (p *parser) parseProfile() Stmt {
	line := At(p.advance().line)
	p.expectWord("as")
	return &Profile{line, p.parseExpression(), p.parseBody(true, "endprofile")}
}
