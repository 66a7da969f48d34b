// Package fileedit changes texts by the rules of Salt's editing functions: one line at a time, a marked block, comments
// and patterns. It works on texts alone; reading, writing and backups are its callers'.
package fileedit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brine/internal/pyregex"
	"brine/internal/pytext"
)

// LineEdit is what file.line does to a text. Nil stands for what was not given.
type LineEdit struct {
	Content *string
	// Match, Before and After find lines, as patterns and as parts of them.
	Match, Before, After *string
	// Mode is insert, ensure, delete or replace.
	Mode string
	// Location is start or end, for insert; it goes before Before and After.
	Location string
	// Indent gives the line the indentation of its neighbour.
	Indent bool
}

// Apply returns the lines before and after, with their ends. The errors are Salt's texts.
func (e LineEdit) Apply(text string) (before, after []string, err error) {
	before = pytext.Lines(pytext.Universal(text))
	body := slices.Clone(before)
	if n := len(body); n > 0 && strings.HasSuffix(body[n-1], "\n") {
		body = append(body, "")
	}
	if e.Content == nil && e.Mode != "delete" {
		return nil, nil, errors.New(`Content can only be empty if mode is "delete"`)
	}
	if e.Before == nil && e.After == nil && (e.Match == nil || *e.Match == "") {
		e.Match = e.Content
	}
	body, err = e.set(body)
	if err != nil {
		return nil, nil, err
	}
	for i, line := range body {
		if eol(line) == "" && i+1 < len(body) {
			prev := i - 1
			if i < 2 {
				prev = 1
			}
			body[i] = withEOL(body[prev], line)
		}
	}
	if n := len(body); n > 0 && body[n-1] == "" {
		body = body[:n-1]
	}
	return before, body, nil
}

func eol(line string) string {
	for _, end := range []string{"\r\n", "\n", "\r"} {
		if strings.HasSuffix(line, end) {
			return end
		}
	}
	return ""
}

func withEOL(src, line string) string {
	end := eol(src)
	if end == "" {
		end = "\n"
	}
	return pytext.Rstrip(line) + end
}

// found lists the lines that a pattern, or text, is in; nil where nothing was asked or there are no lines.
func found(lines []string, pattern *string) ([]string, error) {
	if len(lines) == 0 || pattern == nil || *pattern == "" {
		return nil, nil
	}
	re, err := pyregex.Compile(*pattern, pyregex.DotAll)
	if err != nil {
		return nil, fmt.Errorf("%w: '%s'", err, *pattern)
	}
	out := []string{}
	for _, l := range lines {
		m, err := re.Search(l)
		if err != nil {
			return nil, fmt.Errorf("%w: '%s'", err, *pattern)
		}
		if m != nil || strings.Contains(l, *pattern) {
			out = append(out, l)
		}
	}
	return out, nil
}

func (e LineEdit) set(lines []string) ([]string, error) {
	after, err := found(lines, e.After)
	if err != nil {
		return nil, err
	}
	before, err := found(lines, e.Before)
	if err != nil {
		return nil, err
	}
	match, err := found(lines, e.Match)
	if err != nil {
		return nil, err
	}
	switch e.Mode {
	case "delete":
		if len(match) > 0 {
			lines = slices.DeleteFunc(lines, func(l string) bool { return l == match[0] })
		}
	case "replace":
		if len(match) > 0 {
			i := slices.Index(lines, match[0])
			lines[i] = e.indented(lines[i])
		}
	case "insert":
		return e.insert(lines, before, after)
	case "ensure":
		return e.ensure(lines, before, after)
	}
	return lines, nil
}

// indented is the content with the indentation of src.
func (e LineEdit) indented(src string) string {
	if !e.Indent {
		return *e.Content
	}
	return src[:len(src)-len(strings.TrimLeft(src, " \t"))] + pytext.Lstrip(*e.Content)
}

// same compares a line with the content, without regard to ends.
func (e LineEdit) same(line string) bool {
	return strings.TrimRight(line, "\r\n") == strings.TrimRight(*e.Content, "\r\n")
}

func once(lines []string, what string) error {
	var word string
	switch {
	case len(lines) > 1:
		word = "more than"
	case len(lines) < 1:
		word = "less than"
	default:
		return nil
	}
	return fmt.Errorf(`Found %s expected occurrences in "%s" expression`, word, what)
}

func (e LineEdit) insert(lines, before, after []string) ([]string, error) {
	switch {
	case before == nil && after == nil && e.Location == "":
		return nil, errors.New(`On insert either "location" or "before/after" conditions are required.`)
	case e.Location == "end" && len(lines) > 0:
		return append(lines, e.indented(lines[len(lines)-1])), nil
	case e.Location == "end":
		return append(lines, *e.Content), nil
	case e.Location == "start" && len(lines) > 0:
		return slices.Insert(lines, 0, withEOL(lines[0], *e.Content)), nil
	case e.Location == "start":
		return []string{*e.Content + "\n"}, nil
	case e.Location != "":
		return lines, nil
	case len(before) > 0 && len(after) > 0:
		if err := once(before, "before"); err != nil {
			return nil, err
		}
		if err := once(after, "after"); err != nil {
			return nil, err
		}
		last := slices.Index(lines, before[0])
		return slices.Insert(lines, last, e.indented(lines[last])), nil
	case len(after) > 0:
		return e.behind(lines, after)
	case len(before) > 0:
		if err := once(before, "before"); err != nil {
			return nil, err
		}
		i := slices.Index(lines, before[0])
		prev := lines[(i-1+len(lines))%len(lines)] // the last line stands before the first
		if e.same(prev) {
			return lines, nil
		}
		return slices.Insert(lines, i, e.indented(lines[i])), nil
	}
	return nil, errors.New("Neither before or after was found in file")
}

// behind puts the content after the one line of after, unless it is there.
func (e LineEdit) behind(lines, after []string) ([]string, error) {
	if err := once(after, "after"); err != nil {
		return nil, err
	}
	i := slices.Index(lines, after[0])
	if i+1 < len(lines) && e.same(lines[i+1]) {
		return lines, nil
	}
	return slices.Insert(lines, i+1, e.indented(lines[i])), nil
}

func (e LineEdit) ensure(lines, before, after []string) ([]string, error) {
	switch {
	case len(before) > 0 && len(after) > 0:
		return e.between(lines, before, after)
	case len(before) > 0:
		if err := once(before, "before"); err != nil {
			return nil, err
		}
		i := slices.Index(lines, before[0])
		if i > 0 && e.same(lines[i-1]) {
			return lines, nil
		}
		prev := lines[(i-1+len(lines))%len(lines)]
		return slices.Insert(lines, i, e.indented(prev)), nil
	case len(after) > 0:
		return e.behind(lines, after)
	}
	return nil, errors.New("Wrong conditions? Unable to ensure line without knowing where to put it before and/or after.")
}

func (e LineEdit) between(lines, before, after []string) ([]string, error) {
	if err := once(after, "after"); err != nil {
		return nil, err
	}
	if err := once(before, "before"); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(lines, func(l string) bool { return pytext.Lstrip(l) == *e.Content }) {
		return lines, nil
	}
	i, j := slices.Index(lines, after[0]), slices.Index(lines, before[0])
	switch j {
	case i + 1:
		return slices.Insert(lines, i+1, e.indented(lines[i])), nil
	case i + 2:
		lines[i+1] = e.indented(lines[i])
		return lines, nil
	}
	return nil, errors.New(`Found more than one line between boundaries "before" and "after".`)
}
