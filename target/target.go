// Package target decides which minions a target expression means: the master resolves a job's targets with it, the
// minion checks them again. One kind of matcher a file; the semantics are Salt's
// (https://docs.saltproject.io/en/3006/topics/targeting/index.html).
package target

import (
	"fmt"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// Facts are what is known of one minion. Grains and Pillar are asked for only when an expression needs them; nil
// functions stand for no data.
type Facts struct {
	ID     string
	Grains func() *ordered.Map
	Pillar func() *ordered.Map
}

func (f *Facts) grains() *ordered.Map { return call(f.Grains) }
func (f *Facts) pillar() *ordered.Map { return call(f.Pillar) }

func call(get func() *ordered.Map) *ordered.Map {
	if get == nil {
		return nil
	}
	return get()
}

// Matcher decides about one minion.
type Matcher interface {
	Match(f *Facts) bool
}

// matchFunc makes a function a Matcher.
type matchFunc func(*Facts) bool

func (m matchFunc) Match(f *Facts) bool { return m(f) }

// Options refine Parse.
type Options struct {
	// Delimiter splits the path of a grain or pillar target; empty is ":".
	Delimiter string
	// Nodegroups are the named groups: a compound expression, or a list of its words.
	Nodegroups *ordered.Map
}

// Types are the kinds of targets by Salt's names.
func Types() []string {
	return []string{
		"glob", "pcre", "list", "grain", "grain_pcre", "pillar", "pillar_pcre", "pillar_exact", "ipcidr", "nodegroup", "compound",
	}
}

// Parse reads a target: a text, or a list of ids for the type list and of words for compound. The error says what is
// wrong with the expression; nothing matches it then.
func Parse(tgt any, kind string, o Options) (Matcher, error) {
	if o.Delimiter == "" {
		o.Delimiter = ":"
	}
	if kind == "list" {
		return parseList(tgt), nil
	}
	if list, ok := tgt.([]any); ok && kind == "compound" {
		words := make([]string, len(list))
		for i, w := range list {
			words[i] = pyfmt.Str(w)
		}
		return parseCompound(words, o)
	}
	text := pyfmt.Str(tgt)
	switch kind {
	case "glob", "":
		return parseGlob(text), nil
	case "pcre":
		return parsePCRE(text)
	case "grain":
		return parseData(text, o.Delimiter, (*Facts).grains), nil
	case "grain_pcre":
		return parseDataPCRE(text, o.Delimiter, (*Facts).grains), nil
	case "pillar":
		return parseData(text, o.Delimiter, (*Facts).pillar), nil
	case "pillar_pcre":
		return parseDataPCRE(text, o.Delimiter, (*Facts).pillar), nil
	case "pillar_exact":
		return parseDataExact(text, o.Delimiter, (*Facts).pillar), nil
	case "ipcidr":
		return parseIPCIDR(text)
	case "nodegroup":
		return parseNodegroup(text, o)
	case "compound":
		return parseCompound(strings.Fields(text), o)
	case "range":
		return nil, fmt.Errorf("targets of type range need a range server, which is not supported: use -L, -G or a nodegroup")
	}
	return nil, fmt.Errorf("unknown target type %q: use one of %s", kind, strings.Join(Types(), ", "))
}

// NeedsPillar tells whether an expression of this kind may look at pillar.
func NeedsPillar(tgt any, kind string) bool {
	switch kind {
	case "pillar", "pillar_pcre", "pillar_exact", "nodegroup":
		return true
	case "compound":
		text := pyfmt.Str(tgt)
		return strings.Contains(text, "I") || strings.Contains(text, "J") || strings.Contains(text, "N@")
	}
	return false
}
