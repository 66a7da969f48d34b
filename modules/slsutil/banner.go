package slsutil

import (
	"context"
	"strings"
	"unicode/utf8"

	"brine/internal/pyfmt"
	"brine/internal/pytext"
	"brine/modules"
)

const bannerDoc = `Make a block of comment for the top of a managed file.

width
    of the whole block
commentchar, borderchar
    what lines begin and end with, and what the upper and lower line are made of
blockstart, blockend
    lines around the block, for languages that have comments over several lines
title, text
    what it says
newline
    end with a line break

CLI Example:

    salt '*' slsutil.banner`

type bannerArgs struct {
	Width       int    `arg:"width" def:"72"`
	CommentChar string `arg:"commentchar" def:"'#'"`
	BorderChar  string `arg:"borderchar" def:"'#'"`
	BlockStart  any    `arg:"blockstart" def:"None"`
	BlockEnd    any    `arg:"blockend" def:"None"`
	Title       any    `arg:"title" def:"None"`
	Text        any    `arg:"text" def:"None"`
	Newline     bool   `arg:"newline" def:"False"`
}

const maxWidth = 10_000

func banner(_ context.Context, _ *modules.Env, in bannerArgs) (any, error) {
	title, text := "THIS FILE IS MANAGED BY SALT - DO NOT EDIT", "The contents of this file are managed by Salt. "+
		"Any changes to this file may be overwritten automatically and without warning."
	if in.Title != nil {
		title = pyfmt.Str(in.Title)
	}
	if in.Text != nil {
		text = pyfmt.Str(in.Text)
	}
	left, right := pytext.Rstrip(in.CommentChar), pytext.Strip(in.CommentChar)
	width := in.Width - length(left) - length(right) - 2
	if width <= 0 || in.Width > maxWidth {
		return nil, modules.Invalidf("Width is too small to render banner")
	}
	edge := ""
	if in.BorderChar != "" {
		edge = string([]rune(in.BorderChar)[:1])
	}
	border := in.CommentChar + strings.Repeat(edge, max(0, in.Width-length(left)-length(right))) + right
	spacer := in.CommentChar + strings.Repeat(" ", max(0, in.Width-2*length(in.CommentChar))) + in.CommentChar
	var block []string
	if in.BlockStart != nil {
		block = append(block, pyfmt.Str(in.BlockStart))
	}
	block = append(block, border, spacer)
	for _, l := range wrap(title, width) {
		block = append(block, left+" "+center(l, width)+" "+right)
	}
	block = append(block, spacer)
	for _, l := range wrap(text, width) {
		block = append(block, left+" "+l+strings.Repeat(" ", width-length(l))+" "+right)
	}
	block = append(block, border)
	if in.BlockEnd != nil {
		block = append(block, pyfmt.Str(in.BlockEnd))
	}
	out := strings.Join(block, "\n")
	if in.Newline {
		out += "\n"
	}
	return out, nil
}

func length(s string) int { return utf8.RuneCountInString(s) }

// center is str.center: where the blanks do not divide evenly, the left side gets more when the width is odd.
func center(s string, width int) string {
	pad := width - length(s)
	if pad <= 0 {
		return s
	}
	left := pad/2 + pad&width&1
	return strings.Repeat(" ", left) + s + strings.Repeat(" ", pad-left)
}

// wrap breaks a text into lines as textwrap.wrap does: at blanks and after hyphens within words, longer words anywhere.
func wrap(text string, width int) []string {
	var lines []string
	line, blank := "", ""
	for _, word := range pytext.Fields(text) {
		for i, part := range chunks(word) {
			if i == 0 && line != "" {
				blank = " "
			}
			for length(part) > width && line == "" {
				lines = append(lines, string([]rune(part)[:width]))
				part = string([]rune(part)[width:])
			}
			if length(line)+length(blank)+length(part) > width {
				if length(part) > width {
					room := width - length(line) - length(blank)
					if room > 0 {
						line += blank + string([]rune(part)[:room])
						part = string([]rune(part)[room:])
					}
				}
				lines, line, blank = append(lines, line), "", ""
				for length(part) > width {
					lines = append(lines, string([]rune(part)[:width]))
					part = string([]rune(part)[width:])
				}
			}
			line, blank = line+blank+part, ""
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// chunks cuts a word after the hyphens between letters.
func chunks(word string) []string {
	runes := []rune(word)
	letter := func(i int) bool {
		return i >= 0 && i < len(runes) && (runes[i] >= 'a' && runes[i] <= 'z' || runes[i] >= 'A' && runes[i] <= 'Z')
	}
	var out []string
	start := 0
	for i, r := range runes {
		if r == '-' && letter(i-1) && letter(i-2) && letter(i+1) && letter(i+2) {
			out = append(out, string(runes[start:i+1]))
			start = i + 1
		}
	}
	return append(out, string(runes[start:]))
}
