package fileedit

import (
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pytext"
)

// KeyValues is what file.keyvalue does to a text of lines with a key, a separator and a value.
type KeyValues struct {
	Pairs     *ordered.Map // texts to values
	Separator string
	// Count is how many lines a key may have; more are removed. Below 0 there is no bound.
	Count int64
	// Uncomment are the characters that comment a line out; nil takes white space.
	Uncomment *string
	// What to do with keys that no line has.
	Append, Prepend      bool
	FoldKeys, FoldValues bool
}

// KeyValueOutcome is the text after, the lines of the diff that Salt shows, and how many lines changed.
type KeyValueOutcome struct {
	Text    string
	Diff    []string
	Changes int64
}

// Apply sets the values in a text.
func (e KeyValues) Apply(text string) KeyValueOutcome {
	p := &pairing{KeyValues: e, left: map[string]int64{}}
	for k := range e.Pairs.All() {
		p.left[pyfmt.Str(k)] = e.Count
	}
	for _, l := range pytext.Lines(pytext.Universal(text)) {
		p.content = append(p.content, p.line(l))
	}
	p.lacking()
	return KeyValueOutcome{strings.Join(p.content, ""), p.diff, p.changes}
}

// pairing is one run over the lines.
type pairing struct {
	KeyValues
	left    map[string]int64 // how many lines of a key may still be
	content []string
	diff    []string
	changes int64
}

// bare is a line without the characters that comment it out.
func (p *pairing) bare(line string) string {
	if p.Uncomment == nil {
		return pytext.Lstrip(line)
	}
	return strings.TrimLeft(line, *p.Uncomment)
}

func folded(s string, fold bool) string {
	if fold {
		return strings.ToLower(s)
	}
	return s
}

// line is what becomes of a line.
func (p *pairing) line(line string) string {
	seen := p.bare(line)
	commented := len(line) > len(seen)
	seen = folded(seen, p.FoldKeys)
	for k, v := range p.Pairs.All() {
		key := pyfmt.Str(k)
		wanted := folded(key, p.FoldKeys)
		if !strings.HasPrefix(seen, wanted) {
			continue
		}
		work := line
		if commented {
			work = p.bare(line)
		}
		has, value, ok := strings.Cut(work, p.Separator)
		if !ok || folded(has, p.FoldKeys) != wanted {
			continue
		}
		same := folded(pytext.Strip(value), p.FoldValues) == folded(pytext.Strip(pyfmt.Str(v)), p.FoldValues)
		left, must := p.left[key], false
		switch {
		case commented && left > 0:
			must = true
		case commented:
			same = true // a line that is commented out may stay so
		case left == 0:
			must = true
		}
		if !same || must {
			p.diff = append(p.diff, "- "+line)
			line = ""
			if left != 0 {
				line = has + p.Separator + pyfmt.Str(v) + "\n"
				if _, isText := v.(string); isText {
					p.diff = append(p.diff, "+ "+line)
				} else {
					p.diff = append(p.diff, "+ "+pytext.Rstrip(line)+" (from "+pyfmt.Type(v)+" type)\n")
				}
			}
			p.changes++
		}
		if left > 0 {
			p.left[key]--
		}
	}
	return line
}

// lacking adds the keys that no line has.
func (p *pairing) lacking() {
	if !p.Append && !p.Prepend {
		return
	}
	var added []string
	for k, v := range p.Pairs.All() {
		if p.left[pyfmt.Str(k)] <= 0 {
			continue
		}
		line := pyfmt.Str(k) + p.Separator + pyfmt.Str(v) + "\n"
		added = append(added, line)
		p.changes++
		if p.Append {
			p.content = append(p.content, line)
		} else {
			p.content = append([]string{line}, p.content...)
		}
	}
	if len(added) == 0 {
		return
	}
	if p.Append {
		p.diff = append(p.diff, "- <EOF>\n")
		for _, l := range added {
			p.diff = append(p.diff, "+ "+l)
		}
		p.diff = append(p.diff, "+ <EOF>\n")
		return
	}
	head := []string{"  <SOF>\n"}
	for i := len(added) - 1; i >= 0; i-- {
		head = append(head, "+ "+added[i])
	}
	p.diff = append(head, p.diff...)
}
