package fileops

import (
	"bytes"
	"unicode/utf8"

	"brine/internal/pypath"
)

// IsText tells whether the beginning of a file looks like text: no zero byte, and UTF-8 or few odd bytes. A file that
// cannot be read is no text.
func IsText(path string) bool {
	block, err := Head(path, 512)
	if err != nil || bytes.IndexByte(block, 0) >= 0 {
		return false
	}
	if utf8.Valid(block) {
		return true
	}
	odd := 0
	for _, c := range block {
		if !printable(rune(c)) && c != '\f' {
			odd++
		}
	}
	return float64(odd)/float64(len(block)) <= 0.30
}

func printable(r rune) bool {
	return r >= 32 && r < 127 || r == '\n' || r == '\r' || r == '\t' || r == '\b'
}

// IsBinary tells whether the beginning of a regular file is no text: not UTF-8, or with zero or many odd characters.
func IsBinary(path string) bool {
	if !pypath.IsFile(path) {
		return false
	}
	block, err := Head(path, 2048)
	if err != nil {
		return false
	}
	if !utf8.Valid(block) || bytes.IndexByte(block, 0) >= 0 {
		return true
	}
	odd, all := 0, 0
	for _, r := range string(block) {
		all++
		if !printable(r) {
			odd++
		}
	}
	return all > 0 && float64(odd)/float64(all) > 0.30
}

// Difference names a difference that no diff can show: "" when both files are text.
func Difference(old, now string) string {
	switch a, b := !IsText(old), !IsText(now); {
	case a && b:
		return "Replace binary file"
	case a:
		return "Replace binary file with text file"
	case b:
		return "Replace text file with binary file"
	}
	return ""
}
