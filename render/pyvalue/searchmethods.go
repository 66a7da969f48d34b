package pyvalue

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"brine/internal/pytext"

	"go.starlark.net/starlark"
)

// searchMethods are the methods of str that look for text in it or take it apart.
func searchMethods(name string) textFunc {
	switch name {
	case "startswith", "endswith":
		return func(s string, a Args) (starlark.Value, error) { return affix(name, s, a) }
	case "find", "rfind", "index", "rindex", "count":
		return func(s string, a Args) (starlark.Value, error) { return find(name, s, a) }
	case "partition", "rpartition":
		return func(s string, a Args) (starlark.Value, error) { return partition(name, s, a) }
	case "split", "rsplit":
		return func(s string, a Args) (starlark.Value, error) { return split(name, s, a) }
	case "splitlines":
		return func(s string, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "keepends?")
			if err != nil {
				return nil, err
			}
			keep, err := BoolArg(v[0], false)
			return Strings(pytext.Splitlines(s, keep)), err
		}
	}
	return nil
}

// Strings makes a list of texts.
func Strings(texts []string) *starlark.List {
	out := make([]starlark.Value, len(texts))
	for i, t := range texts {
		out[i] = starlark.String(t)
	}
	return starlark.NewList(out)
}

// window cuts s to [start:end] in characters and returns how many characters were cut at the front.
func window(s string, start, end starlark.Value) (string, int, bool, error) {
	if start == nil && end == nil {
		return s, 0, true, nil
	}
	n := utf8.RuneCountInString(s)
	from, err1 := bound(start, 0)
	to, err2 := bound(end, n)
	if from < 0 {
		from = max(from+n, 0)
	}
	if to < 0 {
		to += n
	}
	to = min(to, n)
	if err := firstErr(err1, err2); err != nil || from > n || from > to {
		return "", 0, false, err
	}
	runes := []rune(s)
	return string(runes[from:to]), from, true, nil
}

func affix(name, s string, a Args) (starlark.Value, error) {
	v, err := a.Bind(name, "prefix", "start?", "end?")
	if err != nil {
		return nil, err
	}
	s, _, inside, err := window(s, v[1], v[2])
	if err != nil {
		return nil, err
	}
	options := []starlark.Value{v[0]}
	if t, ok := v[0].(starlark.Tuple); ok {
		options = t
	}
	for _, o := range options {
		p, ok := Text(o)
		if !ok {
			return nil, typeErrorf("%s first arg must be str or a tuple of str, not %s", name, TypeName(o))
		}
		if inside && (name == "startswith" && strings.HasPrefix(s, p) || name == "endswith" && strings.HasSuffix(s, p)) {
			return starlark.True, nil
		}
	}
	return starlark.False, nil
}

func find(name, s string, a Args) (starlark.Value, error) {
	v, err := a.Bind(name, "sub", "start?", "end?")
	if err != nil {
		return nil, err
	}
	part, ok := Text(v[0])
	if !ok {
		return nil, typeErrorf("must be str, not %s", TypeName(v[0]))
	}
	s, cut, inside, err := window(s, v[1], v[2])
	if err != nil {
		return nil, err
	}
	if name == "count" {
		if !inside {
			return starlark.MakeInt(0), nil
		}
		return starlark.MakeInt(strings.Count(s, part)), nil
	}
	at := -1
	if inside {
		at = strings.Index(s, part)
		if name[0] == 'r' {
			at = strings.LastIndex(s, part)
		}
	}
	if at < 0 {
		if strings.HasSuffix(name, "index") {
			return nil, valueErrorf("substring not found")
		}
		return starlark.MakeInt(-1), nil
	}
	return starlark.MakeInt(cut + utf8.RuneCountInString(s[:at])), nil
}

func partition(name, s string, a Args) (starlark.Value, error) {
	v, err := a.Bind(name, "sep")
	if err != nil {
		return nil, err
	}
	sep, ok := Text(v[0])
	if !ok {
		return nil, typeErrorf("must be str, not %s", TypeName(v[0]))
	}
	if sep == "" {
		return nil, valueErrorf("empty separator")
	}
	at := strings.Index(s, sep)
	if name == "rpartition" {
		at = strings.LastIndex(s, sep)
	}
	parts := []string{s, "", ""}
	switch {
	case at >= 0:
		parts = []string{s[:at], sep, s[at+len(sep):]}
	case name == "rpartition":
		parts = []string{"", "", s}
	}
	return starlark.Tuple{starlark.String(parts[0]), starlark.String(parts[1]), starlark.String(parts[2])}, nil
}

func split(name, s string, a Args) (starlark.Value, error) {
	v, err := a.Bind(name, "sep?", "maxsplit?")
	if err != nil {
		return nil, err
	}
	most, err := IntArg(v[1], -1)
	if err != nil {
		return nil, err
	}
	sep, err := StrArg(v[0], "")
	switch {
	case err != nil:
		return nil, err
	case v[0] == nil || v[0] == starlark.None:
		return Strings(splitSpace(s, most, name == "rsplit")), nil
	case sep == "":
		return nil, valueErrorf("empty separator")
	case name == "split" && most < 0:
		return Strings(strings.Split(s, sep)), nil
	case name == "split":
		return Strings(strings.SplitN(s, sep, most+1)), nil
	}
	parts := strings.Split(s, sep)
	if most >= 0 && len(parts) > most+1 {
		k := len(parts) - most
		parts = append([]string{strings.Join(parts[:k], sep)}, parts[k:]...)
	}
	return Strings(parts), nil
}

// splitSpace splits at runs of white space, at most so many times, from the right when asked to.
func splitSpace(s string, most int, right bool) []string {
	fields := pytext.Fields(s)
	if most < 0 || len(fields) <= most+1 {
		return fields
	}
	if right {
		s = pytext.Rstrip(s)
		var tail []string
		for range most {
			at := strings.LastIndexFunc(s, pytext.Space)
			_, n := utf8.DecodeRuneInString(s[at:])
			tail = append([]string{s[at+n:]}, tail...)
			s = pytext.Rstrip(s[:at])
		}
		return append([]string{s}, tail...)
	}
	s = pytext.Lstrip(s)
	var head []string
	for range most {
		at := strings.IndexFunc(s, pytext.Space)
		head = append(head, s[:at])
		s = pytext.Lstrip(s[at:])
	}
	return append(head, s)
}

func encode(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("encode", "encoding?", "errors?")
	if err != nil {
		return nil, err
	}
	encoding, err := StrArg(v[0], "utf-8")
	if err != nil {
		return nil, err
	}
	policy, _ := StrArg(v[1], "strict")
	var limit rune
	switch strings.ToLower(strings.ReplaceAll(encoding, "_", "-")) {
	case "utf-8", "utf8":
		return starlark.Bytes(s), nil
	case "ascii", "us-ascii":
		limit = 0x7f
	case "latin-1", "latin1", "iso-8859-1":
		limit = 0xff
	case "base64":
		return starlark.Bytes(base64.StdEncoding.EncodeToString([]byte(s)) + "\n"), nil
	default:
		return nil, Errorf("LookupError", "unknown encoding: %s", encoding)
	}
	var out []byte
	for i, r := range []rune(s) {
		switch {
		case r <= limit:
			out = append(out, byte(r))
		case policy == "replace":
			out = append(out, '?')
		case policy != "ignore":
			return nil, Errorf("UnicodeEncodeError", "'%s' codec can't encode character '\\x%02x' in position %d: ordinal not in range(%d)", encoding, r, i, limit+1)
		}
	}
	return starlark.Bytes(out), nil
}

// bytesMethods is the method of bytes called name.
func bytesMethods(name string) methodFunc {
	switch name {
	case "decode":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			if _, err := a.Bind(name, "encoding?", "errors?"); err != nil {
				return nil, err
			}
			s := string(recv.(starlark.Bytes))
			if !utf8.ValidString(s) {
				return nil, Errorf("UnicodeDecodeError", "'utf-8' codec can't decode the bytes")
			}
			return starlark.String(s), nil
		}
	case "hex":
		return func(recv starlark.Value, a Args) (starlark.Value, error) {
			_, err := a.Bind(name)
			return starlark.String(hexText(string(recv.(starlark.Bytes)))), err
		}
	}
	f := strMethods(name)
	if f == nil {
		return nil
	}
	return func(recv starlark.Value, a Args) (starlark.Value, error) { // the methods of str, on ASCII
		for i, v := range a.Pos {
			if b, ok := v.(starlark.Bytes); ok {
				a.Pos[i] = starlark.String(b)
			}
		}
		return bytesOf(f(starlark.String(recv.(starlark.Bytes)), a))
	}
}

func hexText(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}

func bytesOf(v starlark.Value, err error) (starlark.Value, error) {
	switch t := v.(type) {
	case starlark.String:
		return starlark.Bytes(t), err
	case *starlark.List:
		items := listItems(t)
		for i := range items {
			items[i], _ = bytesOf(items[i], nil)
		}
		return starlark.NewList(items), err
	}
	return v, err
}
