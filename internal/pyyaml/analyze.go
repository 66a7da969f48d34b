package pyyaml

import (
	"strings"
	"unicode/utf8"
)

// analysis says in which styles a text can be written, by libyaml's rules.
type analysis struct {
	multiline              bool
	flowPlain, blockPlain  bool
	singleQuoted, blockish bool
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// isBlankz is libyaml's blank, break or end.
func isBlankz(r rune) bool { return r == ' ' || r == '\t' || r == 0 || isBreak(r) }

// printable is libyaml's notion: no control characters (nor a tab), no byte order mark, nothing beyond the first plane.
func printable(r rune) bool {
	switch {
	case r == '\n' || r >= 0x20 && r <= 0x7e:
		return true
	case r == 0x85:
		return false
	case r >= 0xa0 && r <= 0xd7ff:
		return true
	case r >= 0xe000 && r <= 0xfffd:
		return r != 0xfeff
	}
	return false
}

func analyze(s string, unicode bool) analysis {
	if s == "" {
		return analysis{blockPlain: true, singleQuoted: true}
	}
	indicators := scanIndicators(s)
	a := analysis{flowPlain: true, blockPlain: true, singleQuoted: true, blockish: true}
	var leading, trailingSpace, trailingBreak, breakSpace, spaceBreak, special bool
	var previousSpace, previousBreak bool
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		first, last := i == 0, i+n == len(s)
		i += n
		if !printable(r) || r == utf8.RuneError && n == 1 || r > 0x7f && !unicode {
			special = true
		}
		switch {
		case r == ' ':
			leading = leading || first
			trailingSpace = trailingSpace || last
			breakSpace = breakSpace || previousBreak
			previousSpace, previousBreak = true, false
		case isBreak(r):
			a.multiline = true
			leading = leading || first
			trailingBreak = trailingBreak || last
			spaceBreak = spaceBreak || previousSpace
			previousSpace, previousBreak = false, true
		default:
			previousSpace, previousBreak = false, false
		}
	}
	if leading || trailingSpace || trailingBreak || breakSpace || a.multiline {
		a.flowPlain, a.blockPlain = false, false
	}
	if trailingSpace {
		a.blockish = false
	}
	if breakSpace {
		a.singleQuoted = false
	}
	if spaceBreak || special {
		a.flowPlain, a.blockPlain, a.singleQuoted, a.blockish = false, false, false, false
	}
	a.flowPlain = a.flowPlain && !indicators.flow
	a.blockPlain = a.blockPlain && !indicators.block
	return a
}

type indicators struct{ flow, block bool }

// scanIndicators looks for characters that mean something at their place.
func scanIndicators(s string) indicators {
	var in indicators
	if strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		in = indicators{true, true}
	}
	preceded := true
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+n:])
		followed := i+n == len(s) || isBlankz(next)
		switch {
		case i == 0 && strings.ContainsRune("#,[]{}&*!|>'\"%@`", r):
			in = indicators{true, true}
		case i == 0 && (r == '?' || r == ':'), r == ':':
			in.flow, in.block = true, in.block || followed
		case i == 0 && r == '-' && followed:
			in = indicators{true, true}
		case strings.ContainsRune(",?[]{}", r):
			in.flow = true
		case r == '#' && preceded:
			in = indicators{true, true}
		}
		preceded = isBlankz(r)
		i += n
	}
	return in
}
