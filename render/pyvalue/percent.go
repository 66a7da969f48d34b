package pyvalue

import (
	"math"
	"math/big"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// percenter runs the % of str.
type percenter struct {
	args   []starlark.Value
	next   int
	whole  starlark.Value
	mapped bool
	escape bool // the pattern is marked text: what goes in is escaped
}

func percent(pattern starlark.Value, s string, arg starlark.Value) (starlark.Value, error) {
	p := &percenter{args: []starlark.Value{arg}, whole: arg}
	if t, ok := arg.(starlark.Tuple); ok {
		p.args = t
	}
	_, p.escape = pattern.(Markup)
	out, err := p.run(s)
	if err != nil {
		return nil, err
	}
	lenient := false // a dict or list may go unused
	switch arg.(type) {
	case *starlark.Dict, *starlark.List:
		lenient = true
	}
	if p.next < len(p.args) && !p.mapped && !lenient {
		return nil, typeErrorf("not all arguments converted during string formatting")
	}
	if p.escape {
		return Markup(out), nil
	}
	return starlark.String(out), nil
}

func (p *percenter) run(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); {
		at := strings.IndexByte(s[i:], '%')
		if at < 0 {
			b.WriteString(s[i:])
			break
		}
		b.WriteString(s[i : i+at])
		i += at + 1
		n, text, err := p.directive(s[i:], i)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		i += n
		if b.Len() > MaxSize {
			return "", tooLarge()
		}
	}
	return b.String(), nil
}

// directive is what follows a percent sign: [(key)][flags][width][.precision][length]verb.
func (p *percenter) directive(s string, at int) (int, string, error) {
	v, i, err := p.key(s)
	if err != nil {
		return 0, "", err
	}
	sp := spec{fill: " ", precision: -1, align: '>'}
	i = sp.flags(s, i)
	if i, sp.width, err = p.size(s, i); err != nil {
		return 0, "", err
	}
	if sp.width < 0 {
		sp.width, sp.fill, sp.align = -sp.width, " ", '<'
	}
	if i < len(s) && s[i] == '.' {
		if i, sp.precision, err = p.size(s, i+1); err != nil {
			return 0, "", err
		}
	}
	for i < len(s) && strings.IndexByte("hlL", s[i]) >= 0 {
		i++
	}
	if i >= len(s) {
		return 0, "", valueErrorf("incomplete format")
	}
	sp.verb = s[i]
	if sp.verb == '%' {
		return i + 1, "%", nil
	}
	if v == nil {
		if p.next >= len(p.args) {
			return 0, "", typeErrorf("not enough arguments for format string")
		}
		v = p.args[p.next]
		p.next++
	}
	text, err := p.convert(v, sp, at+i)
	return i + 1, text, err
}

// key is the value of a (key), nil when there is none, and where the directive goes on.
func (p *percenter) key(s string) (starlark.Value, int, error) {
	if !strings.HasPrefix(s, "(") {
		return nil, 0, nil
	}
	end := strings.IndexByte(s, ')')
	if end < 0 {
		return nil, 0, valueErrorf("incomplete format key")
	}
	d, ok := p.whole.(*starlark.Dict)
	if !ok {
		return nil, 0, typeErrorf("format requires a mapping")
	}
	key := starlark.String(s[1:end])
	item, found, _ := d.Get(key)
	if !found {
		return nil, 0, Errorf("KeyError", "%s", reprOrBlank(key))
	}
	p.mapped = true
	return item, end + 1, nil
}

// flags reads the flags from i on and returns where they end.
func (sp *spec) flags(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '#':
			sp.alternate = true
		case '0':
			if sp.align != '<' {
				sp.fill, sp.align = "0", '='
			}
		case '-':
			sp.fill, sp.align = " ", '<'
		case '+':
			sp.sign = '+'
		case ' ':
			if sp.sign == 0 {
				sp.sign = ' '
			}
		default:
			return i
		}
	}
	return i
}

// size reads a width or precision, which * takes from the arguments.
func (p *percenter) size(s string, i int) (int, int, error) {
	if i < len(s) && s[i] == '*' {
		if p.next >= len(p.args) {
			return 0, 0, typeErrorf("not enough arguments for format string")
		}
		n, err := IntArg(p.args[p.next], 0)
		if err != nil {
			return 0, 0, typeErrorf("* wants int")
		}
		p.next++
		if n > maxWidth || n < -maxWidth {
			return 0, 0, tooLarge()
		}
		return i + 1, n, nil
	}
	n, rest := digits(s[i:])
	if n > maxWidth {
		return 0, 0, tooLarge()
	}
	return len(s) - len(rest), n, nil
}

func (p *percenter) convert(v starlark.Value, sp spec, at int) (string, error) {
	if err := Check(v); err != nil {
		return "", err
	}
	switch sp.verb {
	case 's', 'r', 'a':
		return p.text(v, sp)
	case 'c':
		return p.character(v, sp)
	case 'd', 'i', 'u', 'x', 'X', 'o':
		return percentInt(v, sp)
	case 'f', 'F', 'e', 'E', 'g', 'G':
		n, ok := number(v)
		if !ok {
			return "", typeErrorf("must be real number, not %s", TypeName(v))
		}
		f, _ := starlark.AsFloat(n)
		return sp.formatFloat(f)
	}
	return "", valueErrorf("unsupported format character '%c' (0x%x) at index %d", sp.verb, sp.verb, at)
}

func (p *percenter) character(v starlark.Value, sp spec) (string, error) {
	if sp.align == '=' {
		sp.fill, sp.align = " ", '>'
	}
	if s, ok := Text(v); ok && utf8.RuneCountInString(s) == 1 {
		return sp.finish("", s), nil
	}
	n, err := IntArg(v, -1)
	switch {
	case err != nil || v == starlark.None:
		return "", typeErrorf("%%c requires int or char")
	case n < 0 || n > utf8.MaxRune:
		return "", Errorf("OverflowError", "%%c arg not in range(0x110000)")
	}
	return sp.finish("", string(rune(n))), nil
}

func (p *percenter) text(v starlark.Value, sp spec) (string, error) {
	show := Repr
	if sp.verb == 's' {
		show = Str
	}
	s, err := show(v)
	if err != nil {
		return "", err
	}
	if _, marked := v.(Markup); p.escape && !marked {
		s = EscapeHTML(s)
	}
	if runes := []rune(s); sp.precision >= 0 && len(runes) > sp.precision {
		s = string(runes[:sp.precision])
	}
	if sp.align == '=' {
		sp.fill, sp.align = " ", '>'
	}
	return sp.pad("", s), nil
}

func percentInt(v starlark.Value, sp spec) (string, error) {
	n, ok := number(v)
	if !ok {
		if strings.IndexByte("xXo", sp.verb) >= 0 {
			return "", typeErrorf("%%%c format: an integer is required, not %s", sp.verb, TypeName(v))
		}
		return "", typeErrorf("%%%c format: a real number is required, not %s", sp.verb, TypeName(v))
	}
	var i *big.Int
	switch t := n.(type) {
	case starlark.Int:
		i = t.BigInt()
	case starlark.Float:
		f := float64(t)
		if strings.IndexByte("xXo", sp.verb) >= 0 {
			return "", typeErrorf("%%%c format: an integer is required, not float", sp.verb)
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return "", Errorf("OverflowError", "cannot convert float infinity to integer")
		}
		i, _ = big.NewFloat(math.Trunc(f)).Int(nil)
	}
	if strings.IndexByte("iu", sp.verb) >= 0 {
		sp.verb = 'd'
	}
	body := new(big.Int).Abs(i).Text(map[byte]int{'d': 10, 'x': 16, 'X': 16, 'o': 8}[sp.verb])
	if sp.verb == 'X' {
		body = strings.ToUpper(body)
	}
	if sp.precision > len(body) {
		body = strings.Repeat("0", sp.precision-len(body)) + body
	}
	sign := sp.signOf(i.Sign() < 0)
	if sp.alternate && sp.verb != 'd' {
		sign += "0" + string(sp.verb)
	}
	return sp.finish(sign, body), nil
}
