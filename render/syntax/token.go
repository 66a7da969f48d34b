// Package syntax reads Jinja 3.1 templates into a tree: it knows the grammar, whitespace control and Jinja's own words
// for syntax errors, and nothing of how a template is run.
package syntax

import (
	"fmt"

	"go.starlark.net/starlark"
)

// Error is a template that Jinja would refuse to compile.
type Error struct {
	Message string
	Line    int
}

func (e *Error) Error() string { return e.Message }

// fail ends the parse; Parse recovers it. A grammar this deep reads better without an error in every return.
func fail(line int, format string, a ...any) {
	panic(&Error{fmt.Sprintf(format, a...), line})
}

type kind string

const (
	data          kind = "data"
	variableBegin kind = "variable_begin"
	variableEnd   kind = "variable_end"
	blockBegin    kind = "block_begin"
	blockEnd      kind = "block_end"
	name          kind = "name"
	str           kind = "string"
	integer       kind = "integer"
	float         kind = "float"
	eof           kind = "eof"
	comma         kind = "comma"
	colon         kind = "colon"
	dot           kind = "dot"
	assign        kind = "assign"
	pipe          kind = "pipe"
	lparen        kind = "lparen"
	rparen        kind = "rparen"
	lbracket      kind = "lbracket"
	rbracket      kind = "rbracket"
	lbrace        kind = "lbrace"
	rbrace        kind = "rbrace"
	add           kind = "add"
	sub           kind = "sub"
	mul           kind = "mul"
	div           kind = "div"
	floordiv      kind = "floordiv"
	mod           kind = "mod"
	pow           kind = "pow"
	tilde         kind = "tilde"
)

type token struct {
	kind  kind
	line  int
	text  string
	value starlark.Value // of a string or number
}

// operators, longest first.
var operators = []struct {
	text string
	kind kind
}{
	{"==", "eq"}, {"!=", "ne"}, {">=", "gteq"}, {"<=", "lteq"}, {"//", floordiv}, {"**", pow},
	{"+", add}, {"-", sub}, {"/", div}, {"*", mul}, {"%", mod}, {"~", tilde}, {"[", lbracket}, {"]", rbracket}, {"(", lparen},
	{")", rparen}, {"{", lbrace}, {"}", rbrace}, {">", "gt"}, {"<", "lt"}, {"=", assign}, {".", dot}, {":", colon}, {"|", pipe},
	{",", comma}, {";", "semicolon"},
}

// describe is what Jinja calls a kind of token in its errors.
func (k kind) describe() string {
	switch k {
	case blockBegin:
		return "begin of statement block"
	case blockEnd:
		return "end of statement block"
	case variableBegin:
		return "begin of print statement"
	case variableEnd:
		return "end of print statement"
	case data:
		return "template data / text"
	case eof:
		return "end of template"
	}
	for _, o := range operators {
		if o.kind == k {
			return o.text
		}
	}
	return string(k)
}

func (t *token) describe() string {
	if t.kind == name {
		return t.text
	}
	return t.kind.describe()
}

func (t *token) is(word string) bool { return t.kind == name && t.text == word }

func (t *token) isAny(words ...string) bool {
	for _, w := range words {
		if t.is(w) {
			return true
		}
	}
	return false
}
