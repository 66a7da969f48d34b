package filters

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"brine/internal/pytext"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// jinjaText are Jinja's filters of text and numbers.
func jinjaText(name string) *Filter {
	switch name {
	case "upper":
		return onText(pyvalue.Upper)
	case "lower":
		return onText(strings.ToLower)
	case "capitalize":
		return onText(pyvalue.Capitalize)
	case "title":
		return onText(titleCase)
	case "string":
		return run(func(c *Call) (starlark.Value, error) {
			if _, ok := pyvalue.Text(c.Value); ok {
				return c.Value, nil
			}
			s, err := c.text()
			return starlark.String(s), err
		})
	case "trim":
		return run(trim, "chars?")
	case "replace":
		return run(replace, "old", "new", "count?")
	case "truncate":
		return run(truncate, "length?", "killwords?", "end?", "leeway?")
	case "indent":
		return run(indent, "width?", "first?", "blank?")
	case "center":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := c.text()
			if err != nil {
				return nil, err
			}
			width, err := c.number(0, 80)
			if err != nil {
				return nil, err
			}
			m, err := pyvalue.Attr(starlark.String(s), "center")
			if err != nil {
				return nil, err
			}
			return c.Call(m, pyvalue.Args{Pos: []starlark.Value{starlark.MakeInt(width)}})
		}, "width?")
	case "wordcount":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := c.text()
			return starlark.MakeInt(len(wordForm.FindAllString(s, -1))), err
		})
	case "wordwrap":
		return run(wordwrap, "width?", "break_long_words?", "wrapstring?", "break_on_hyphens?")
	case "striptags":
		return onText(func(s string) string {
			s = tagForm.ReplaceAllString(commentForm.ReplaceAllString(s, ""), "")
			return unescapeHTML(strings.Join(pytext.Fields(s), " "))
		})
	case "format":
		return &Filter{Run: formatFilter}
	case "urlencode":
		return run(urlencode)
	case "urlize":
		return onText(func(s string) string {
			return urlForm.ReplaceAllString(pyvalue.EscapeHTML(s), `<a href="$0" rel="noopener">$0</a>`)
		})
	}
	return jinjaNumbers(name)
}

func jinjaNumbers(name string) *Filter {
	switch name {
	case "e", "escape", "forceescape":
		return run(func(c *Call) (starlark.Value, error) {
			if m, ok := c.Value.(pyvalue.Markup); ok && name != "forceescape" {
				return m, nil
			}
			s, err := c.text()
			return pyvalue.Markup(pyvalue.EscapeHTML(s)), err
		})
	case "safe":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := c.text()
			return pyvalue.Markup(s), err
		})
	case "int":
		return run(toInt, "default?", "base?")
	case "float":
		return run(toFloat, "default?")
	case "abs":
		return run(func(c *Call) (starlark.Value, error) {
			less, err := pyvalue.Compare("lt", c.Value, starlark.MakeInt(0))
			if err != nil {
				return nil, typeErrorf("bad operand type for abs(): '%s'", pyvalue.TypeName(c.Value))
			}
			if less {
				return pyvalue.Negate("-", c.Value)
			}
			return pyvalue.Negate("+", c.Value)
		})
	case "round":
		return run(round, "precision?", "method?")
	case "filesizeformat":
		return run(fileSize, "binary?")
	}
	return nil
}

var (
	wordForm    = regexp.MustCompile(`[\p{L}\p{N}_]+`)
	tagForm     = regexp.MustCompile(`<[^>]*>`)
	commentForm = regexp.MustCompile(`(?s)<!--.*?-->`)
	urlForm     = regexp.MustCompile(`https?://[^\s<]+[^\s<.,;:!?)'"]`)
)

func unescapeHTML(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#39;", "'", "&#34;", `"`, "&quot;", `"`, "&amp;", "&").Replace(s)
}

// titleCase begins each word with a capital; words end at blanks, dashes and opening brackets only.
func titleCase(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		switch {
		case r == '-' || unicode.IsSpace(r) || strings.ContainsRune("({[<", r):
			b.WriteRune(r)
			start = true
		case start:
			b.WriteString(pyvalue.Upper(string(r)))
			start = false
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func trim(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	if c.Args[0] == nil || c.Args[0] == starlark.None {
		return starlark.String(pytext.Strip(s)), nil
	}
	return starlark.String(strings.Trim(s, c.str(0, ""))), nil
}

func replace(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	before, err1 := pyvalue.Str(c.Args[0])
	after, err2 := pyvalue.Str(c.Args[1])
	count, err3 := c.number(2, -1)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return nil, err
		}
	}
	if n := strings.Count(s, before); n*max(len(after)-len(before), 0) > pyvalue.MaxSize {
		return nil, pyvalue.Errorf("MemoryError", "the result is too large")
	}
	return starlark.String(strings.Replace(s, before, after, count)), nil
}

func truncate(c *Call) (starlark.Value, error) {
	size, err := pyvalue.Len(c.Value)
	if err != nil {
		return nil, err
	}
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	length, err := c.number(0, 255)
	if err != nil {
		return nil, err
	}
	kill, _ := c.flag(1, false)
	end := c.str(2, "...")
	leeway, err := c.number(3, 5)
	if err != nil {
		return nil, err
	}
	runes := []rune(s)
	tail := utf8.RuneCountInString(end)
	switch {
	case length < tail:
		return nil, pyvalue.Errorf("AssertionError", "expected length >= %d, got %d", tail, length)
	case leeway < 0:
		return nil, pyvalue.Errorf("AssertionError", "expected leeway >= 0, got %d", leeway)
	case size <= length+leeway:
		return starlark.String(s), nil
	case size != len(runes):
		return nil, typeErrorf("can only truncate text, not %s", pyvalue.TypeName(c.Value))
	}
	cut := string(runes[:length-tail])
	if kill {
		return starlark.String(cut + end), nil
	}
	if at := strings.LastIndexByte(cut, ' '); at >= 0 {
		cut = cut[:at]
	}
	return starlark.String(cut + end), nil
}

func indent(c *Call) (starlark.Value, error) {
	s, ok := pyvalue.Text(c.Value)
	if !ok {
		return nil, typeErrorf("unsupported operand type(s) for +=: '%s' and 'str'", pyvalue.TypeName(c.Value))
	}
	pad := c.str(0, "")
	if _, ok := pyvalue.Text(orNone(c.Args[0])); !ok {
		width, err := c.number(0, 4)
		if err != nil {
			return nil, err
		}
		if width > 10000 {
			return nil, valueErrorf("the width is too large")
		}
		pad = strings.Repeat(" ", max(width, 0))
	}
	first, err := c.flag(1, false)
	if err != nil {
		return nil, err
	}
	blank, err := c.flag(2, false)
	if err != nil {
		return nil, err
	}
	lines := pytext.Splitlines(s+"\n", false)
	for i, line := range lines {
		if i > 0 && (blank || line != "") {
			lines[i] = pad + line
		}
	}
	out := strings.Join(lines, "\n")
	if first {
		out = pad + out
	}
	return same(c.Value, out), nil
}

// same keeps marked text marked.
func same(v starlark.Value, s string) starlark.Value {
	if _, ok := v.(pyvalue.Markup); ok {
		return pyvalue.Markup(s)
	}
	return starlark.String(s)
}

func orNone(v starlark.Value) starlark.Value {
	if v == nil {
		return starlark.None
	}
	return v
}

func wordwrap(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	width, err := c.number(0, 79)
	if err != nil || width < 1 {
		return nil, valueErrorf("invalid width %d (must be > 0)", width)
	}
	long, _ := c.flag(1, true)
	join := c.str(2, "\n")
	var out []string
	for _, line := range pytext.Splitlines(s, false) {
		out = append(out, strings.Join(wrapLine(line, width, long), join))
	}
	return starlark.String(strings.Join(out, join)), nil
}

func wrapLine(line string, width int, breakLong bool) []string {
	var lines []string
	current := ""
	put := func() {
		lines = append(lines, strings.TrimRight(current, " "))
		current = ""
	}
	for _, word := range chunks.FindAllString(line, -1) {
		if utf8.RuneCountInString(current)+utf8.RuneCountInString(word) <= width {
			if current != "" || strings.TrimSpace(word) != "" || len(lines) == 0 {
				current += word
			}
			continue
		}
		if current != "" {
			put()
		}
		runes := []rune(word)
		for breakLong && len(runes) > width {
			lines = append(lines, string(runes[:width]))
			runes = runes[width:]
		}
		if word = string(runes); strings.TrimSpace(word) != "" {
			current = word
		}
	}
	if current != "" {
		put()
	}
	return lines
}

var chunks = regexp.MustCompile(`\s+|[^\s-]*-+|[^\s-]+`)

func formatFilter(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	if len(c.Raw.Pos) > 0 && len(c.Raw.Kw) > 0 {
		return nil, argumentErrorf("can't handle positional and keyword arguments at the same time")
	}
	var arg starlark.Value = starlark.Tuple(c.Raw.Pos)
	if len(c.Raw.Kw) > 0 {
		d := starlark.NewDict(len(c.Raw.Kw))
		for _, kv := range c.Raw.Kw {
			if err := d.SetKey(kv[0], kv[1]); err != nil {
				return nil, err
			}
		}
		arg = d
	}
	return pyvalue.Binary("%", starlark.String(s), arg)
}

func quoteURL(s string, plus bool) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "%7E", "~")
	if plus {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "+", "%20"), "%2F", "/")
}

func urlencode(c *Call) (starlark.Value, error) {
	_, text := pyvalue.Text(c.Value)
	d, isDict := c.Value.(*starlark.Dict)
	items, err := pyvalue.Items(c.Value)
	if text || err != nil && !isDict {
		s, err := c.text()
		return starlark.String(quoteURL(s, false)), err
	}
	if isDict {
		items = nil
		for _, kv := range d.Items() {
			items = append(items, kv)
		}
	}
	var parts []string
	for _, e := range items {
		kv, err := pyvalue.Items(e)
		if err != nil || len(kv) != 2 {
			return nil, valueErrorf("not enough values to unpack (expected 2)")
		}
		k, err1 := pyvalue.Str(kv[0])
		v, err2 := pyvalue.Str(kv[1])
		if err1 != nil || err2 != nil {
			return nil, err1
		}
		parts = append(parts, quoteURL(k, true)+"="+quoteURL(v, true))
	}
	return starlark.String(strings.Join(parts, "&")), nil
}
