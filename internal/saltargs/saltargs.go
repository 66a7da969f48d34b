// Package saltargs gives arguments their types as Salt's command line does: "name=value" is a keyword argument, and
// texts are read as YAML where that makes a number, a bool, null, or a bracketed list or map of them.
package saltargs

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyyaml"
)

// keyword is a name (a letter or underscore of any alphabet first), one equals sign, and anything on one line.
var keyword = regexp.MustCompile(`^((?:_|\p{L})[_\p{L}\p{M}\p{N}.-]*)=([^\n]*)\n?$`)

// Keyword splits "name=value"; ok is false for a positional argument.
func Keyword(arg string) (name, value string, ok bool) {
	g := keyword.FindStringSubmatch(arg)
	if g == nil || strings.HasPrefix(g[2], "=") {
		return "", "", false
	}
	return g[1], g[2], true
}

// Parse types the words of a command line: positional arguments, and keyword arguments in their order. Those named in
// noParse stay texts.
func Parse(argv []string, noParse ...string) (pos []any, kw *ordered.Map) {
	pos, kw = []any{}, ordered.New(0)
	for _, arg := range argv {
		name, text, ok := Keyword(arg)
		switch {
		case ok && slices.Contains(noParse, name):
			kw.Set(name, text)
		case ok:
			kw.Set(name, Value(text))
		default:
			pos = append(pos, positional(arg))
		}
	}
	return pos, kw
}

// jidDigits is the length of a job id, which stays a text among positional arguments.
const jidDigits = 20

func positional(arg string) any {
	v := Value(arg)
	if n, ok := v.(*big.Int); ok && len(n.String()) == jidDigits {
		return n.String()
	}
	return v
}

var underscored = regexp.MustCompile(`^[0-9_]*_[0-9_]*$`)

// maxTyped bounds the texts that are looked at: a longer one is data, not notation.
const maxTyped = 1 << 20

// Value types one text. It stays as it is when it is blank, has line breaks or tabs, would lose a comment, is a map or
// list without brackets, or is no YAML.
func Value(text string) any {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "" || trimmed == "---" || trimmed == "...", len(text) > maxTyped:
		return text
	case underscored.MatchString(trimmed), strings.ContainsAny(text, "\t\r\n"):
		return text
	case text == "None":
		return nil
	}
	v, err := pyyaml.Load([]byte(text), pyyaml.Options{})
	if err != nil {
		return text
	}
	switch t := v.(type) {
	case *ordered.Map:
		if !strings.HasPrefix(text, "{") {
			return text
		}
	case []any:
		if !strings.HasPrefix(text, "[") {
			return text
		}
	case string:
		if strings.Contains(text, "#") || t == "" && slices.Contains([]string{"|", "!", ">"}, text) {
			return text
		}
	case nil:
		if strings.Contains(text, "#") || trimmed == "!" {
			return text
		}
	}
	return v
}

// FromJob takes the argument list of a job apart: the keyword map marked __kwarg__, and texts of the form name=value,
// whose value is typed, are keyword arguments.
func FromJob(arg []any) (pos []any, kw *ordered.Map) {
	pos, kw = []any{}, ordered.New(0)
	for _, a := range arg {
		switch t := a.(type) {
		case *ordered.Map:
			if mark, _ := t.Value("__kwarg__").(bool); mark {
				for k, v := range t.All() {
					if k != "__kwarg__" {
						kw.Set(k, v)
					}
				}
				continue
			}
		case string:
			if name, text, ok := Keyword(t); ok {
				kw.Set(name, Value(text))
				continue
			}
		}
		pos = append(pos, a)
	}
	return pos, kw
}

// ToJob makes the argument list of a job: keywords in one marked map at the end.
func ToJob(pos []any, kw *ordered.Map) []any {
	out := slices.Clone(pos)
	if out == nil {
		out = []any{}
	}
	if kw.Len() == 0 {
		return out
	}
	m := kw.Clone()
	m.Set("__kwarg__", true)
	return append(out, m)
}
