package pyvalue

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"brine/internal/pytext"

	"go.starlark.net/starlark"
)

// textFunc is a method of str on the text itself.
type textFunc func(s string, a Args) (starlark.Value, error)

// strMethods is the method of str called name.
func strMethods(name string) methodFunc {
	f := textMethods(name)
	if f == nil {
		f = searchMethods(name)
	}
	if f == nil {
		return nil
	}
	return func(recv starlark.Value, a Args) (starlark.Value, error) {
		s, _ := Text(recv)
		for _, v := range a.Pos {
			if err := Check(v); err != nil {
				return nil, err
			}
		}
		out, err := f(s, a)
		if t, ok := out.(starlark.String); ok && err == nil {
			if _, marked := recv.(Markup); marked && name != "format" {
				return Markup(t), nil
			}
		}
		return out, err
	}
}

func textMethods(name string) textFunc {
	if f := caseMethod(name); f != nil {
		return func(s string, a Args) (starlark.Value, error) {
			if _, err := a.Bind(name); err != nil {
				return nil, err
			}
			return starlark.String(f(s)), nil
		}
	}
	if f := isMethod(name); f != nil {
		return func(s string, a Args) (starlark.Value, error) {
			if _, err := a.Bind(name); err != nil {
				return nil, err
			}
			return starlark.Bool(f(s)), nil
		}
	}
	switch name {
	case "strip", "lstrip", "rstrip":
		return func(s string, a Args) (starlark.Value, error) { return strip(name, s, a) }
	case "ljust", "rjust", "center":
		return func(s string, a Args) (starlark.Value, error) { return justify(name, s, a) }
	case "zfill":
		return zfill
	case "expandtabs":
		return expandtabs
	case "join":
		return join
	case "format":
		return format
	case "format_map":
		return formatMap
	case "encode":
		return encode
	case "replace":
		return replace
	case "translate":
		return translate
	case "removeprefix", "removesuffix":
		return func(s string, a Args) (starlark.Value, error) {
			v, err := a.Bind(name, "affix")
			if err != nil {
				return nil, err
			}
			affix, err := StrArg(v[0], "")
			if name == "removeprefix" {
				return starlark.String(strings.TrimPrefix(s, affix)), err
			}
			return starlark.String(strings.TrimSuffix(s, affix)), err
		}
	}
	return nil
}

func caseMethod(name string) func(string) string {
	switch name {
	case "upper":
		return Upper
	case "lower", "casefold":
		return func(s string) string {
			s = strings.ToLower(s)
			if name == "casefold" {
				s = strings.ReplaceAll(s, "ß", "ss")
			}
			return s
		}
	case "capitalize":
		return Capitalize
	case "title":
		return title
	case "swapcase":
		return func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsUpper(r) {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			}, s)
		}
	}
	return nil
}

// Upper is str.upper: a few letters become several.
func Upper(s string) string {
	if !isASCII(s) {
		s = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST").Replace(s)
	}
	return strings.ToUpper(s)
}

// Capitalize is str.capitalize.
func Capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return titleRune(s[:n]) + strings.ToLower(s[n:])
}

func titleRune(s string) string {
	if s == "ß" {
		return "Ss"
	}
	return strings.ToTitle(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func title(s string) string {
	var b strings.Builder
	inWord := false
	for _, r := range s {
		cased := unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r)
		switch {
		case !cased:
			b.WriteRune(r)
		case inWord:
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteString(titleRune(string(r)))
		}
		inWord = cased
	}
	return b.String()
}

func every(ok func(rune) bool) func(string) bool {
	return func(s string) bool {
		for _, r := range s {
			if !ok(r) {
				return false
			}
		}
		return s != ""
	}
}

func isMethod(name string) func(string) bool {
	switch name {
	case "isdigit":
		return every(func(r rune) bool {
			return unicode.IsDigit(r) || strings.ContainsRune("²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", r)
		})
	case "isdecimal":
		return every(unicode.IsDigit)
	case "isnumeric":
		return every(unicode.IsNumber)
	case "isalpha":
		return every(unicode.IsLetter)
	case "isalnum":
		return every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
	case "isspace":
		return every(pytext.Space)
	case "isascii":
		return isASCII
	case "isprintable":
		return func(s string) bool {
			return s == "" || every(func(r rune) bool { return r == ' ' || unicode.IsPrint(r) })(s)
		}
	case "isupper":
		return func(s string) bool { return cased(s, unicode.IsUpper, unicode.IsLower) }
	case "islower":
		return func(s string) bool { return cased(s, unicode.IsLower, unicode.IsUpper) }
	case "istitle":
		return func(s string) bool { return s == title(s) && strings.ToLower(s) != Upper(s) }
	case "isidentifier":
		return isIdentifier
	}
	return nil
}

// cased tells whether letters of one case are there, and none of the other.
func cased(s string, want, other func(rune) bool) bool {
	found := false
	for _, r := range s {
		if other(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || want(r)
	}
	return found
}

func isIdentifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

func strip(name, s string, a Args) (starlark.Value, error) {
	v, err := a.Bind(name, "chars?")
	if err != nil {
		return nil, err
	}
	chars, err := StrArg(v[0], "")
	if err != nil {
		return nil, typeErrorf("%s arg must be None or str", name)
	}
	in := pytext.Space
	if v[0] != nil && v[0] != starlark.None {
		in = func(r rune) bool { return strings.ContainsRune(chars, r) }
	}
	if name != "rstrip" {
		s = strings.TrimLeftFunc(s, in)
	}
	if name != "lstrip" {
		s = strings.TrimRightFunc(s, in)
	}
	return starlark.String(s), nil
}

func justify(name, s string, a Args) (starlark.Value, error) {
	v, err := a.Bind(name, "width", "fillchar?")
	if err != nil {
		return nil, err
	}
	width, err := IntArg(v[0], 0)
	if err != nil {
		return nil, err
	}
	fill, err := StrArg(v[1], " ")
	if err != nil || utf8.RuneCountInString(fill) != 1 {
		return nil, typeErrorf("The fill character must be exactly one character long")
	}
	pad := width - utf8.RuneCountInString(s)
	if pad <= 0 {
		return starlark.String(s), nil
	}
	if pad > MaxSize {
		return nil, tooLarge()
	}
	left := 0
	switch name {
	case "rjust":
		left = pad
	case "center":
		left = pad/2 + pad&width&1
	}
	return starlark.String(strings.Repeat(fill, left) + s + strings.Repeat(fill, pad-left)), nil
}

func zfill(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("zfill", "width")
	if err != nil {
		return nil, err
	}
	width, err := IntArg(v[0], 0)
	pad := width - utf8.RuneCountInString(s)
	if err != nil || pad <= 0 {
		return starlark.String(s), err
	}
	if pad > MaxSize {
		return nil, tooLarge()
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	return starlark.String(sign + strings.Repeat("0", pad) + s), nil
}

func expandtabs(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("expandtabs", "tabsize?")
	if err != nil {
		return nil, err
	}
	size, err := IntArg(v[0], 8)
	if err != nil || size > 1000 {
		return nil, firstErr(err, tooLarge())
	}
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			n := 0
			if size > 0 {
				n = size - column%size
			}
			b.WriteString(strings.Repeat(" ", n))
			column += n
		case '\n', '\r':
			b.WriteRune(r)
			column = 0
		default:
			b.WriteRune(r)
			column++
		}
	}
	return starlark.String(b.String()), nil
}

func join(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("join", "iterable")
	if err != nil {
		return nil, err
	}
	items, err := Items(v[0])
	if err != nil {
		if Is(err, "TypeError") {
			return nil, typeErrorf("can only join an iterable")
		}
		return nil, err
	}
	var b strings.Builder
	for i, e := range items {
		t, ok := Text(e)
		if !ok {
			return nil, firstErr(Check(e), typeErrorf("sequence item %d: expected str instance, %s found", i, TypeName(e)))
		}
		if i > 0 {
			b.WriteString(s)
		}
		if b.WriteString(t); b.Len() > MaxSize {
			return nil, tooLarge()
		}
	}
	return starlark.String(b.String()), nil
}

func replace(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("replace", "old", "new", "count?")
	if err != nil {
		return nil, err
	}
	before, err1 := StrArg(v[0], "")
	after, err2 := StrArg(v[1], "")
	count, err3 := IntArg(v[2], -1)
	if err := firstErr(err1, err2, err3); err != nil {
		return nil, typeErrorf("replace() argument must be str, not %s", TypeName(v[0]))
	}
	if n := strings.Count(s, before); n*max(len(after)-len(before), 0) > MaxSize {
		return nil, tooLarge()
	}
	return starlark.String(strings.Replace(s, before, after, count)), nil
}

func translate(s string, a Args) (starlark.Value, error) {
	v, err := a.Bind("translate", "table")
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, r := range s {
		to, found, err := getItem(v[0], starlark.MakeInt(int(r)))
		if err != nil && !IsLookup(err) {
			return nil, err
		}
		switch t := to.(type) {
		case starlark.String:
			b.WriteString(string(t))
		case starlark.Int:
			n, _ := t.Int64()
			b.WriteRune(rune(n))
		default:
			if !found {
				b.WriteRune(r)
			}
		}
	}
	return starlark.String(b.String()), nil
}
