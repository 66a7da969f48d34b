package fileedit

import (
	"errors"
	"slices"
	"strings"

	"brine/internal/pyregex"
	"brine/internal/pytext"
)

// BlockEdit is what file.blockreplace does to a text: the lines between two markers become Content.
type BlockEdit struct {
	Start, End, Content string
	// Newline is Salt's append_newline: nil adds a line break to content that does not end in one.
	Newline *bool
	// What to do where there is no block: at most one of these.
	Append, Prepend           bool
	InsertBefore, InsertAfter string
}

// Errors of BlockEdit, in Salt's words.
var (
	ErrUnterminated = errors.New("Unterminated marked block. End of file reached before marker_end.")
	ErrNoMarkers    = errors.New("Cannot edit marked block. Markers were not found in file.")
)

// Apply returns the lines before and after, with their ends.
func (e BlockEdit) Apply(text string) (before, after []string, err error) {
	before = pytext.BytesLines(text)
	sep := "\n"
	if len(before) > 0 && strings.HasSuffix(before[0], "\r\n") {
		sep = "\r\n"
	}
	inside, done := false, false
	for _, line := range before {
		if strings.Contains(line, e.Start) {
			inside = true
			after = append(after, line)
			continue
		}
		if !inside {
			after = append(after, line)
			continue
		}
		if i := strings.Index(line, e.End); i >= 0 {
			inside, done = false, true
			after = append(after, e.block(sep, line[i:], false)...)
		}
	}
	if inside {
		return nil, nil, ErrUnterminated
	}
	if !done {
		if after, err = e.add(before, after, sep); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

// block is the lines of the block, up to the line with the end marker.
func (e BlockEdit) block(sep, end string, withStart bool) []string {
	var out []string
	if withStart {
		out = append(out, e.Start+sep)
	}
	end = strings.TrimRight(end, "\r\n") + sep
	lines := strings.Split(strings.ReplaceAll(e.Content, "\r\n", "\n"), "\n")
	for _, l := range lines[:len(lines)-1] {
		out = append(out, l+sep)
	}
	last := lines[len(lines)-1]
	newline := e.Newline != nil && *e.Newline || e.Newline == nil && !strings.HasSuffix(e.Content, "\n")
	if newline {
		return append(out, last+sep, end)
	}
	return append(out, last+end)
}

func (e BlockEdit) add(before, lines []string, sep string) ([]string, error) {
	block := e.block(sep, e.End, true)
	switch {
	case e.Prepend:
		return append(block, lines...), nil
	case e.Append:
		if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], sep) {
			lines[n-1] += sep
		}
		return append(lines, block...), nil
	case e.InsertBefore == "" && e.InsertAfter == "":
		return nil, ErrNoMarkers
	}
	pattern, shift := e.InsertBefore, 0
	if pattern == "" {
		pattern, shift = e.InsertAfter, 1
	}
	re, err := pyregex.Compile(pattern, 0)
	if err != nil {
		return nil, err
	}
	for i, l := range before {
		m, err := re.Search(l)
		if err != nil {
			return nil, err
		}
		if m != nil {
			return slices.Insert(lines, i+shift, block...), nil
		}
	}
	return nil, ErrNoMarkers
}
