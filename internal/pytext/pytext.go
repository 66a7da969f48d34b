// Package pytext has the string methods of Python whose idea of a line or of white space differs from Go's.
package pytext

import (
	"strings"
	"unicode/utf8"
)

// Splitlines is str.splitlines(keepends): a line ends at \n, \r, \r\n and at the rarer separators of Unicode.
func Splitlines(s string, keepends bool) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !lineEnd(r) {
			i += n
			continue
		}
		end := i + n
		if r == '\r' && end < len(s) && s[end] == '\n' {
			end++
		}
		if keepends {
			out = append(out, s[start:end])
		} else {
			out = append(out, s[start:i])
		}
		i, start = end, end
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

func lineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// Lines splits at \n only and keeps the ends, as iterating over a file opened in binary mode does.
func Lines(s string) []string {
	if s == "" {
		return nil
	}
	out := strings.SplitAfter(s, "\n")
	if out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// BytesLines is bytes.splitlines(True): only \n, \r and \r\n end a line.
func BytesLines(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '\n' && s[i] != '\r' {
			continue
		}
		if s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n' {
			i++
		}
		out = append(out, s[start:i+1])
		start = i + 1
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// Universal reads text as a file opened in text mode does: \r\n and \r become \n.
func Universal(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// Space tells whether Python's str.isspace holds for r.
func Space(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680,
		r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

// Strip is str.strip().
func Strip(s string) string { return strings.TrimFunc(s, Space) }

// Lstrip is str.lstrip().
func Lstrip(s string) string { return strings.TrimLeftFunc(s, Space) }

// Rstrip is str.rstrip().
func Rstrip(s string) string { return strings.TrimRightFunc(s, Space) }

// Fields is str.split(): parts between runs of white space.
func Fields(s string) []string { return strings.FieldsFunc(s, Space) }

// Decode makes valid UTF-8 of output that need not be: bytes that are no text become U+FFFD, as with errors='replace'.
func Decode(p []byte) string { return strings.ToValidUTF8(string(p), "\uFFFD") }
