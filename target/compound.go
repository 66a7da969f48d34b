package target

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// wordForm is one term of a compound expression: an engine letter, for some of them a delimiter, and the pattern.
var wordForm = regexp.MustCompile(`(?s)^(?:([GPIJ])(.)?@|([LNSER])@)?(.+)$`)

// engines give the kind of target that a letter stands for.
var engines = map[string]string{
	"G": "grain", "P": "grain_pcre", "I": "pillar", "J": "pillar_pcre", "L": "list", "S": "ipcidr", "E": "pcre", "R": "range",
}

func isOperator(w string) bool { return slices.Contains([]string{"and", "or", "not", "(", ")"}, w) }

// parseCompound reads words joined by and, or, not and brackets. Brackets are words of their own. "a not b" is "a and
// not b", as in Salt; not binds strongest, then and, then or.
func parseCompound(words []string, o Options) (Matcher, error) {
	words, err := expandWords(words, o)
	if err != nil {
		return nil, err
	}
	p := &compound{o: o, words: words}
	if len(words) == 0 {
		return nil, errors.New("an empty compound expression")
	}
	m, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.words) {
		return nil, fmt.Errorf("compound expression: did not expect %q after %q", p.words[p.pos], p.words[p.pos-1])
	}
	return m, nil
}

// expandWords puts node groups in and the "and" that may be left out before "not".
func expandWords(words []string, o Options) ([]string, error) {
	var out []string
	for _, w := range words {
		if name, ok := strings.CutPrefix(w, "N@"); ok {
			group, err := Nodegroup(name, o)
			if err != nil {
				return nil, err
			}
			out = append(out, group...)
			continue
		}
		if w == "not" && len(out) > 0 && !slices.Contains([]string{"and", "or", "("}, out[len(out)-1]) {
			out = append(out, "and")
		}
		out = append(out, w)
	}
	return out, nil
}

type compound struct {
	o     Options
	words []string
	pos   int
	depth int
}

const maxCompoundDepth = 200

func (p *compound) next() string {
	if p.pos < len(p.words) {
		return p.words[p.pos]
	}
	return ""
}

func (p *compound) or() (Matcher, error) {
	m, err := p.and()
	for err == nil && p.next() == "or" {
		p.pos++
		var right Matcher
		if right, err = p.and(); err == nil {
			left := m
			m = matchFunc(func(f *Facts) bool { return left.Match(f) || right.Match(f) })
		}
	}
	return m, err
}

func (p *compound) and() (Matcher, error) {
	m, err := p.not()
	for err == nil && p.next() == "and" {
		p.pos++
		var right Matcher
		if right, err = p.not(); err == nil {
			left := m
			m = matchFunc(func(f *Facts) bool { return left.Match(f) && right.Match(f) })
		}
	}
	return m, err
}

func (p *compound) not() (Matcher, error) {
	if p.depth++; p.depth > maxCompoundDepth {
		return nil, errors.New("compound expression: nested too deep")
	}
	defer func() { p.depth-- }()
	w := p.next()
	p.pos++
	switch w {
	case "not":
		m, err := p.not()
		if err != nil {
			return nil, err
		}
		return matchFunc(func(f *Facts) bool { return !m.Match(f) }), nil
	case "(":
		m, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.next() != ")" {
			return nil, errors.New("compound expression: a bracket is not closed")
		}
		p.pos++
		return m, nil
	case "":
		return nil, errors.New("compound expression: ends where a term is wanted")
	}
	if isOperator(w) {
		return nil, fmt.Errorf("compound expression: did not expect %q", w)
	}
	return p.term(w)
}

func (p *compound) term(w string) (Matcher, error) {
	g := wordForm.FindStringSubmatch(w)
	if g == nil {
		return nil, fmt.Errorf("compound expression: cannot read %q", w)
	}
	letter := g[1] + g[3]
	if letter == "" {
		return parseGlob(w), nil
	}
	o := p.o
	if g[2] != "" {
		o.Delimiter = g[2]
	}
	return Parse(g[4], engines[letter], o)
}
