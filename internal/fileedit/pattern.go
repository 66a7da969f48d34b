package fileedit

import (
	"strings"

	"brine/internal/pyregex"
	"brine/internal/pytext"
)

// Comment puts char before the lines that a pattern matches from their beginning, or takes it away. It returns the
// lines that changed, before and after, and the whole text; none when nothing matches.
func Comment(text, regex, char string, comment bool) (before, after []string, out string, err error) {
	end := ""
	if strings.HasSuffix(regex, "$") {
		end = "$"
	}
	core := strings.TrimRight(strings.TrimLeft(regex, "^"), "$")
	pattern := "^" + char + `\s*(` + core + ")" + end
	if comment {
		pattern = "(" + core + ")" + end
		if strings.HasPrefix(regex, "^") {
			pattern = "^" + pattern
		}
	}
	re, err := pyregex.Compile(pattern, 0)
	if err != nil {
		return nil, nil, "", err
	}
	var b strings.Builder
	for _, line := range pytext.Lines(text) {
		m, err := re.Match(line)
		if err != nil {
			return nil, nil, "", err
		}
		if m == nil {
			b.WriteString(line)
			continue
		}
		now := char + line
		if !comment {
			now = strings.TrimLeft(line, char)
		}
		before, after = append(before, line), append(after, now)
		b.WriteString(now)
	}
	return before, after, b.String(), nil
}

// Substitution is what file.replace does to a text.
type Substitution struct {
	Pattern, Repl string
	Flags         pyregex.Flags
	Count         int
	// Literal takes backslashes in Repl as they are.
	Literal bool
	// Append or Prepend add NotFound (Repl when it is nil) where nothing matches and it is not there yet.
	Append, Prepend bool
	NotFound        *string
}

// Outcome of a substitution.
type Outcome struct {
	// Before and After are the lines, with their ends.
	Before, After []string
	// Changed tells whether matches were replaced with something else, Added whether text was added.
	Changed, Added bool
}

// Search tells whether the pattern is anywhere in the text.
func (s Substitution) Search(text string) (bool, error) {
	re, err := pyregex.Compile(s.Pattern, s.Flags)
	if err != nil {
		return false, err
	}
	m, err := re.Search(text)
	return m != nil, err
}

// Apply makes the substitution.
func (s Substitution) Apply(text string) (Outcome, error) {
	var o Outcome
	re, err := pyregex.Compile(s.Pattern, s.Flags)
	if err != nil {
		return o, err
	}
	repl := s.Repl
	if s.Literal {
		repl = strings.ReplaceAll(repl, `\`, `\\`)
	}
	out, n, err := re.Sub(repl, text, s.Count)
	if err != nil {
		return o, err
	}
	o.Before, o.After = pytext.BytesLines(text), pytext.BytesLines(out)
	o.Changed = n > 0 && out != text
	if n > 0 || !s.Append && !s.Prepend {
		return o, nil
	}
	there, err := s.there(text)
	if err != nil || there {
		return o, err
	}
	return s.add(o), nil
}

// there tells whether an earlier run added the text already.
func (s Substitution) there(text string) (bool, error) {
	content := s.Repl
	if s.NotFound != nil && *s.NotFound != "" {
		content = *s.NotFound
	}
	re, err := pyregex.Compile("^"+pyregex.Escape(content)+"($|(?=\r\n))", s.Flags)
	if err != nil {
		return false, err
	}
	m, err := re.Search(text)
	return m != nil, err
}

func (s Substitution) add(o Outcome) Outcome {
	content := s.Repl
	if s.NotFound != nil {
		content = *s.NotFound
	}
	o.Added = true
	if s.Prepend {
		o.After = append([]string{content + "\n"}, o.After...)
		return o
	}
	if n := len(o.After); n > 0 && !strings.HasSuffix(o.After[n-1], "\n") {
		o.After[n-1] += "\n"
	}
	o.After = append(o.After, content+"\n")
	return o
}

// Text is the text after.
func (o Outcome) Text() string { return strings.Join(o.After, "") }
