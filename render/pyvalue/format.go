package pyvalue

import (
	"strings"

	"go.starlark.net/starlark"
)

// formatter runs str.format.
type formatter struct {
	args   Args
	auto   int  // the next automatic field
	manual bool // a numbered field was used
	lookup func(name string) (starlark.Value, error)
}

func format(s string, a Args) (starlark.Value, error) {
	f := &formatter{args: a, lookup: func(name string) (starlark.Value, error) {
		for _, kv := range a.Kw {
			if string(kv[0].(starlark.String)) == name {
				return kv[1], nil
			}
		}
		return nil, Errorf("KeyError", "%s", reprOrBlank(starlark.String(name)))
	}}
	return f.run(s)
}

func formatMap(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("format_map", "mapping")
	if err != nil {
		return nil, err
	}
	f := &formatter{lookup: func(name string) (starlark.Value, error) {
		item, found, err := getItem(v[0], starlark.String(name))
		if err == nil && !found {
			err = Errorf("KeyError", "%s", reprOrBlank(starlark.String(name)))
		}
		return item, err
	}}
	return f.run(s)
}

func (f *formatter) run(s string) (starlark.Value, error) {
	out, err := f.expand(s, 2)
	return starlark.String(out), err
}

// expand replaces the fields of s; depth bounds fields inside fields.
func (f *formatter) expand(s string, depth int) (string, error) {
	if depth == 0 {
		return "", valueErrorf("Max string recursion exceeded")
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c != '{' && c != '}':
			b.WriteByte(c)
			i++
		case i+1 < len(s) && s[i+1] == c:
			b.WriteByte(c)
			i += 2
		case c == '}':
			return "", valueErrorf("Single '}' encountered in format string")
		default:
			end := closingBrace(s, i)
			if end < 0 {
				if i+1 == len(s) {
					return "", valueErrorf("Single '{' encountered in format string")
				}
				return "", valueErrorf("expected '}' before end of string")
			}
			text, err := f.field(s[i+1:end], depth)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
			i = end + 1
		}
		if b.Len() > MaxSize {
			return "", tooLarge()
		}
	}
	return b.String(), nil
}

func closingBrace(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// field is one replacement: name[.attr|[item]]*[!conversion][:spec].
func (f *formatter) field(s string, depth int) (string, error) {
	name, text := s, ""
	bracket := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			bracket++
		case ']':
			bracket--
		}
		if s[i] == ':' && bracket <= 0 {
			name, text = s[:i], s[i+1:]
			break
		}
	}
	conversion := byte(0)
	if at := strings.LastIndexByte(name, '!'); at >= 0 {
		if at+2 != len(name) {
			return "", valueErrorf("expected ':' after conversion specifier")
		}
		name, conversion = name[:at], name[at+1]
	}
	v, err := f.value(name)
	if err != nil {
		return "", err
	}
	switch conversion {
	case 0:
	case 'r', 'a':
		s, err := Repr(v)
		if err != nil {
			return "", err
		}
		v = starlark.String(s)
	case 's':
		s, err := Str(v)
		if err != nil {
			return "", err
		}
		v = starlark.String(s)
	default:
		return "", valueErrorf("Unknown conversion specifier %c", conversion)
	}
	if strings.Contains(text, "{") {
		if text, err = f.expand(text, depth-1); err != nil {
			return "", err
		}
	}
	return FormatValue(v, text)
}

func (f *formatter) value(name string) (starlark.Value, error) {
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	v, err := f.first(name[:end])
	for rest := name[end:]; rest != "" && err == nil; {
		if rest[0] == '.' {
			n := strings.IndexAny(rest[1:], ".[")
			if n < 0 {
				n = len(rest) - 1
			}
			attr := rest[1 : 1+n]
			rest = rest[1+n:]
			if v, err = Attr(v, attr); v == nil && err == nil {
				err = Errorf("AttributeError", "object has no attribute '%s'", attr)
			} else if err == nil {
				err = Check(v)
			}
			continue
		}
		n := strings.IndexByte(rest, ']')
		if rest[0] != '[' || n < 0 {
			return nil, valueErrorf("Missing ']' in format string")
		}
		var key starlark.Value = starlark.String(rest[1:n])
		if i, left := digits(rest[1:n]); left == "" && n > 1 {
			key = starlark.MakeInt(i)
		}
		rest = rest[n+1:]
		var found bool
		if v, found, err = getItem(v, key); err == nil && !found {
			err = Errorf("KeyError", "%s", reprOrBlank(key))
		}
	}
	return v, err
}

func (f *formatter) first(name string) (starlark.Value, error) {
	i := f.auto
	if name == "" {
		if f.manual {
			return nil, valueErrorf("cannot switch from manual field specification to automatic field numbering")
		}
		f.auto++
	} else {
		n, rest := digits(name)
		if rest != "" {
			return f.lookup(name)
		}
		if f.auto > 0 {
			return nil, valueErrorf("cannot switch from automatic field numbering to manual field specification")
		}
		f.manual = true
		i = n
	}
	if i >= len(f.args.Pos) {
		return nil, Errorf("IndexError", "Replacement index %d out of range for positional args tuple", i)
	}
	return f.args.Pos[i], nil
}
