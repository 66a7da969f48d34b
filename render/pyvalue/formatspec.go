package pyvalue

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// spec is what stands behind the colon of a format field: [[fill]align][sign][#][0][width][,][.precision][type].
type spec struct {
	fill      string
	align     byte // 0 < > = ^
	sign      byte // 0 + - or a blank
	alternate bool
	width     int
	group     string // "", "," or "_"
	precision int    // -1 when none is given
	verb      byte
}

const maxWidth = 1 << 20

func parseSpec(s string) (spec, error) {
	sp := spec{fill: " ", precision: -1}
	all := s
	if s == "" {
		return sp, nil
	}
	_, n := utf8.DecodeRuneInString(s)
	switch {
	case len(s) > n && strings.IndexByte("<>=^", s[n]) >= 0:
		sp.fill, sp.align = s[:n], s[n]
		s = s[n+1:]
	case strings.IndexByte("<>=^", s[0]) >= 0:
		sp.align = s[0]
		s = s[1:]
	}
	if s != "" && strings.IndexByte("+- ", s[0]) >= 0 {
		sp.sign = s[0]
		s = s[1:]
	}
	if strings.HasPrefix(s, "#") {
		sp.alternate = true
		s = s[1:]
	}
	if strings.HasPrefix(s, "0") {
		if sp.align == 0 {
			sp.fill, sp.align = "0", '='
		}
		s = s[1:]
	}
	sp.width, s = digits(s)
	if s != "" && (s[0] == ',' || s[0] == '_') {
		sp.group = s[:1]
		s = s[1:]
	}
	if strings.HasPrefix(s, ".") {
		rest := s[1:]
		if sp.precision, s = digits(rest); len(s) == len(rest) {
			return sp, valueErrorf("Format specifier missing precision")
		}
	}
	if len(s) > 1 || sp.width > maxWidth || sp.precision > maxWidth {
		return sp, valueErrorf("Invalid format specifier '%s'", all)
	}
	if s != "" {
		sp.verb = s[0]
	}
	return sp, nil
}

func digits(s string) (int, string) {
	n := 0
	for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	v, _ := strconv.Atoi(s[:n])
	return v, s[n:]
}

// FormatValue is format(v, spec).
func FormatValue(v starlark.Value, text string) (string, error) {
	if err := Check(v); err != nil {
		return "", err
	}
	if text == "" {
		return Str(v)
	}
	sp, err := parseSpec(text)
	if err != nil {
		return "", err
	}
	if s, ok := Text(v); ok {
		return sp.formatText(s)
	}
	n, ok := number(v)
	if !ok {
		return "", typeErrorf("unsupported format string passed to %s.__format__", TypeName(v))
	}
	if i, ok := n.(starlark.Int); ok && strings.IndexByte("eEfFgG%", sp.verb) < 0 {
		return sp.formatInt(i.BigInt())
	}
	f, _ := starlark.AsFloat(n)
	return sp.formatFloat(f)
}

func (sp spec) formatText(s string) (string, error) {
	if sp.verb != 0 && sp.verb != 's' {
		return "", valueErrorf("Unknown format code '%c' for object of type 'str'", sp.verb)
	}
	if sp.group != "" {
		return "", valueErrorf("Cannot specify '%s' with 's'.", sp.group)
	}
	if sp.align == '=' {
		if sp.fill != "0" {
			return "", valueErrorf("'=' alignment not allowed in string format specifier")
		}
		sp.align = '<'
	}
	if sp.sign != 0 {
		return "", valueErrorf("Sign not allowed in string format specifier")
	}
	if runes := []rune(s); sp.precision >= 0 && len(runes) > sp.precision {
		s = string(runes[:sp.precision])
	}
	if sp.align == 0 {
		sp.align = '<'
	}
	return sp.pad("", s), nil
}

// pad brings sign and body to the width.
func (sp spec) pad(sign, body string) string {
	missing := sp.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(body)
	if missing <= 0 {
		return sign + body
	}
	fill := strings.Repeat(sp.fill, missing)
	switch sp.align {
	case '<':
		return sign + body + fill
	case '=':
		return sign + fill + body
	case '^':
		left := strings.Repeat(sp.fill, missing/2)
		return left + sign + body + strings.Repeat(sp.fill, missing-missing/2)
	}
	return fill + sign + body
}

func (sp spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case sp.sign == '+' || sp.sign == ' ':
		return string(sp.sign)
	}
	return ""
}

func (sp spec) formatInt(i *big.Int) (string, error) {
	if sp.precision >= 0 {
		return "", valueErrorf("Precision not allowed in integer format specifier")
	}
	bases := map[byte]int{0: 10, 'd': 10, 'n': 10, 'b': 2, 'o': 8, 'x': 16, 'X': 16}
	base := bases[sp.verb]
	if sp.verb == 'c' {
		if !i.IsInt64() || i.Int64() < 0 || i.Int64() > utf8.MaxRune {
			return "", Errorf("OverflowError", "%%c arg not in range(0x110000)")
		}
		return sp.pad("", string(rune(i.Int64()))), nil
	}
	if base == 0 {
		return "", valueErrorf("Unknown format code '%c' for object of type 'int'", sp.verb)
	}
	body := new(big.Int).Abs(i).Text(base)
	sign := sp.signOf(i.Sign() < 0)
	if sp.verb == 'X' {
		body = strings.ToUpper(body)
	}
	step := 3
	if base != 10 {
		step = 4
	}
	prefix := ""
	if sp.alternate && base != 10 {
		prefix = "0" + string(sp.verb)
	}
	return sp.finish(sign+prefix, sp.grouped(body, step, utf8.RuneCountInString(sign+prefix))), nil
}

// grouped puts separators into the digits, and the zeros that fill the width when zeros fill it.
func (sp spec) grouped(digits string, step, taken int) string {
	if sp.group == "" {
		return digits
	}
	whole, frac, dot := strings.Cut(digits, ".")
	rest := ""
	if dot {
		rest = "." + frac
	}
	build := func(d string) string {
		var b strings.Builder
		for i, c := range d {
			if i > 0 && (len(d)-i)%step == 0 {
				b.WriteString(sp.group)
			}
			b.WriteRune(c)
		}
		return b.String()
	}
	out := build(whole)
	for sp.fill == "0" && sp.align == '=' && taken+len(out)+len(rest) < sp.width {
		whole = "0" + whole
		out = build(whole)
	}
	return out + rest
}

func (sp spec) finish(sign, body string) string {
	if sp.align == 0 {
		sp.align = '>'
	}
	return sp.pad(sign, body)
}

func (sp spec) formatFloat(f float64) (string, error) {
	if strings.IndexByte("\x00eEfFgGn%", sp.verb) < 0 {
		return "", valueErrorf("Unknown format code '%c' for object of type 'float'", sp.verb)
	}
	suffix := ""
	if sp.verb == '%' {
		f, suffix = f*100, "%"
	}
	sign := sp.signOf(math.Signbit(f) && !math.IsNaN(f))
	body := floatBody(math.Abs(f), sp.verb, sp.precision, sp.alternate)
	if sp.verb == 'E' || sp.verb == 'F' || sp.verb == 'G' {
		body = strings.ToUpper(body)
	}
	mantissa, exponent, hasExp := strings.Cut(body, "e")
	body = sp.grouped(mantissa, 3, len(sign)+len(suffix))
	if hasExp {
		body += "e" + exponent
	}
	return sp.finish(sign, body+suffix), nil
}

// floatBody writes a float that is not negative with a verb of format() or %.
func floatBody(f float64, verb byte, precision int, alternate bool) string {
	if math.IsInf(f, 0) {
		return "inf"
	}
	if math.IsNaN(f) {
		return "nan"
	}
	p := precision
	if p < 0 {
		p = 6
	}
	switch verb {
	case 'f', 'F', '%':
		return strconv.FormatFloat(f, 'f', p, 64)
	case 'e', 'E':
		return strconv.FormatFloat(f, 'e', p, 64)
	case 0:
		if precision < 0 {
			s, _ := Repr(starlark.Float(f))
			return s
		}
		s := strconv.FormatFloat(f, 'g', max(p, 1), 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'g', max(p, 1), 64)
	if alternate && !strings.Contains(s, ".") {
		s += "."
	}
	return s
}
