package pyyaml

import (
	"fmt"
	"unicode/utf8"
)

// scalar writes a scalar in the style that libyaml picks for it.
func (e *emitter) scalar(n *node, at place) {
	a := analyze(n.value, e.unicode)
	style := e.chooseStyle(n, a, at)
	switch {
	case n.tag != "":
		e.indicator(n.tag, true, false, false)
	case !n.quoted && style != 0: // libyaml's mark that the text still decides the type
		e.indicator("!", true, false, false)
	}
	e.push(true, false)
	breaks := !at.simpleKey
	switch style {
	case 0:
		e.plain(n.value, breaks)
	case '\'':
		e.single(n.value, breaks)
	case '|':
		e.literal(n.value)
	case '>':
		e.folded(n.value)
	default:
		e.double(n.value, breaks)
	}
	e.pop()
}

func (e *emitter) chooseStyle(n *node, a analysis, at place) byte {
	style := n.style
	if at.simpleKey && a.multiline {
		style = '"'
	}
	if style == 0 {
		flow := e.flowLevel > 0
		switch {
		case flow && !a.flowPlain, !flow && !a.blockPlain, n.value == "" && (flow || at.simpleKey), n.tag == "" && !n.plain:
			style = '\''
		}
	}
	if style == '\'' && !a.singleQuoted {
		style = '"'
	}
	if (style == '|' || style == '>') && (!a.blockish || e.flowLevel > 0 || at.simpleKey) {
		style = '"'
	}
	return style
}

func nextIsSpace(s string, i int) bool { return i < len(s) && s[i] == ' ' }

func (e *emitter) plain(s string, breaks bool) {
	if s == "" {
		return
	}
	if !e.whitespace {
		e.put(' ')
	}
	e.flowText(s, func(i int) bool { return breaks && !nextIsSpace(s, i+1) }, false)
	e.whitespace, e.indention = false, false
}

func (e *emitter) single(s string, breaks bool) {
	e.indicator("'", true, false, false)
	e.flowText(s, func(i int) bool {
		return breaks && i > 0 && i < len(s)-1 && !nextIsSpace(s, i+1)
	}, true)
	e.indicator("'", false, false, false)
	e.whitespace, e.indention = false, false
}

// flowText writes plain or single-quoted text, folding at blanks where mayFold allows once the line is full.
func (e *emitter) flowText(s string, mayFold func(i int) bool, quoted bool) {
	spaces, breaks := false, false
	for i, r := range s {
		switch {
		case r == ' ':
			if !spaces && e.column > e.bestWidth && mayFold(i) {
				e.writeIndent()
			} else {
				e.put(r)
			}
			spaces = true
		case isBreak(r):
			if !breaks && r == '\n' {
				e.putBreak()
			}
			e.writeBreak(r)
			e.indention, breaks = true, true
		default:
			if breaks {
				e.writeIndent()
			}
			if quoted && r == '\'' {
				e.put('\'')
			}
			e.put(r)
			e.indention, spaces, breaks = false, false, false
		}
	}
	if breaks && quoted {
		e.writeIndent()
	}
}

func (e *emitter) writeBreak(r rune) {
	if r == '\n' {
		e.putBreak()
		return
	}
	e.out.WriteRune(r)
	e.column = 0
}

func (e *emitter) double(s string, breaks bool) {
	e.indicator("\"", true, false, false)
	spaces := false
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			e.escape(rune(s[i]))
			spaces = false
		case !printable(r) || r > 0x7f && !e.unicode || isBreak(r) || r == '"' || r == '\\':
			e.escape(r)
			spaces = false
		case r == ' ':
			if breaks && !spaces && e.column > e.bestWidth && i > 0 && i < len(s)-1 {
				e.writeIndent()
				if nextIsSpace(s, i+1) {
					e.put('\\')
				}
			} else {
				e.put(r)
			}
			spaces = true
		default:
			e.put(r)
			spaces = false
		}
		i += n
	}
	e.indicator("\"", false, false, false)
	e.whitespace, e.indention = false, false
}

func (e *emitter) escape(r rune) {
	names := map[rune]string{
		0: "0", 7: "a", 8: "b", 9: "t", 0xa: "n", 0xb: "v", 0xc: "f", 0xd: "r", 0x1b: "e", '"': `"`, '\\': `\`,
		0x85: "N", 0xa0: "_", 0x2028: "L", 0x2029: "P",
	}
	text, ok := names[r]
	switch {
	case ok:
	case r <= 0xff:
		text = fmt.Sprintf("x%02X", r)
	case r <= 0xffff:
		text = fmt.Sprintf("u%04X", r)
	default:
		text = fmt.Sprintf("U%08X", r)
	}
	for _, c := range `\` + text {
		e.put(c)
	}
}

// hints writes what stands behind | or >: the indent when the text begins with a blank, and whether it ends in no or
// in several line breaks.
func (e *emitter) hints(s string) (keep bool) {
	hint := ""
	if s != "" {
		if first, _ := utf8.DecodeRuneInString(s); first == ' ' || isBreak(first) {
			hint = fmt.Sprint(e.bestIndent)
		}
		last, n := utf8.DecodeLastRuneInString(s)
		before, _ := utf8.DecodeLastRuneInString(s[:len(s)-n])
		switch {
		case !isBreak(last):
			hint += "-"
		case len(s) == n || isBreak(before):
			hint += "+"
			keep = true
		}
	} else {
		hint = "-"
	}
	e.indicator(hint, false, false, false)
	return keep
}

func (e *emitter) literal(s string) {
	e.indicator("|", true, false, false)
	keep := e.hints(s)
	e.putBreak()
	e.indention, e.whitespace = true, true
	breaks := true
	for _, r := range s {
		if isBreak(r) {
			e.writeBreak(r)
			e.indention, breaks = true, true
			continue
		}
		if breaks {
			e.writeIndent()
		}
		e.put(r)
		e.indention, breaks = false, false
	}
	e.openEnded = keep
}

func (e *emitter) folded(s string) {
	e.indicator(">", true, false, false)
	keep := e.hints(s)
	e.putBreak()
	e.indention, e.whitespace = true, true
	breaks, leading := true, true
	for i, r := range s {
		if isBreak(r) {
			if !breaks && !leading && r == '\n' && foldedBreak(s[i:]) {
				e.putBreak()
			}
			e.writeBreak(r)
			e.indention, breaks = true, true
			continue
		}
		if breaks {
			e.writeIndent()
			leading = r == ' ' || r == '\t'
		}
		if !breaks && r == ' ' && !nextIsSpace(s, i+1) && e.column > e.bestWidth {
			e.writeIndent()
		} else {
			e.put(r)
		}
		e.indention, breaks = false, false
	}
	e.openEnded = keep
}

// foldedBreak tells whether the text after a run of breaks goes on with a word, so that one more break is needed.
func foldedBreak(s string) bool {
	for _, r := range s {
		if !isBreak(r) {
			return r != ' ' && r != '\t'
		}
	}
	return false
}
