package pyvalue

import (
	"html"
	"math"
	"math/big"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// maxIntBits bounds the integers that ** may make.
const maxIntBits = 1 << 20

// Binary is a op b for + - * / // % **.
func Binary(op string, a, b starlark.Value) (starlark.Value, error) {
	for _, v := range []starlark.Value{a, b} {
		if u, ok := v.(*Undefined); ok {
			return nil, u.Err()
		}
	}
	x, xNum := number(a)
	y, yNum := number(b)
	if xNum && yNum {
		return arithmetic(op, x, y)
	}
	var v starlark.Value
	var err error
	switch op {
	case "+":
		v, err = concat(a, b)
	case "*":
		v, err = repeat(a, b, x, y, xNum, yNum)
	case "%":
		if s, ok := Text(a); ok {
			return percent(a, s, b)
		}
	case "-":
		if s, ok := a.(*starlark.Set); ok {
			if t, ok := b.(*starlark.Set); ok {
				return starlark.Binary(syntax.MINUS, s, t)
			}
		}
	}
	if v != nil || err != nil {
		return v, err
	}
	if h, ok := a.(starlark.HasBinary); ok {
		if r, err := h.Binary(tokenOf(op), b, starlark.Left); r != nil || err != nil {
			return r, err
		}
	}
	return nil, unsupported(op, a, b)
}

func tokenOf(op string) syntax.Token {
	return map[string]syntax.Token{
		"+": syntax.PLUS, "-": syntax.MINUS, "*": syntax.STAR, "/": syntax.SLASH, "//": syntax.SLASHSLASH, "%": syntax.PERCENT,
	}[op]
}

func unsupported(op string, a, b starlark.Value) error {
	if _, ok := Text(a); ok && op == "+" {
		return typeErrorf(`can only concatenate str (not "%s") to str`, TypeName(b))
	}
	switch a.(type) {
	case *starlark.List, starlark.Tuple:
		if op == "+" {
			return typeErrorf(`can only concatenate %s (not "%s") to %s`, TypeName(a), TypeName(b), TypeName(a))
		}
	}
	if op == "*" {
		for _, pair := range [][2]starlark.Value{{a, b}, {b, a}} {
			if isSequence(pair[0]) {
				return typeErrorf("can't multiply sequence by non-int of type '%s'", TypeName(pair[1]))
			}
		}
	}
	if op == "**" {
		op = "** or pow()"
	}
	return typeErrorf("unsupported operand type(s) for %s: '%s' and '%s'", op, TypeName(a), TypeName(b))
}

func isSequence(v starlark.Value) bool {
	switch v.(type) {
	case starlark.String, Markup, *starlark.List, starlark.Tuple, starlark.Bytes:
		return true
	}
	return false
}

// EscapeHTML is markupsafe's escape of a text.
func EscapeHTML(s string) string { return html.EscapeString(s) }

// escaped is the text of v as it is joined to marked text.
func escaped(v starlark.Value) string {
	if m, ok := v.(Markup); ok {
		return string(m)
	}
	s, _ := Text(v)
	return EscapeHTML(s)
}

func concat(a, b starlark.Value) (starlark.Value, error) {
	s, ok1 := Text(a)
	t, ok2 := Text(b)
	if ok1 && ok2 {
		_, m1 := a.(Markup)
		_, m2 := b.(Markup)
		if len(s)+len(t) > MaxSize {
			return nil, tooLarge()
		}
		if m1 || m2 {
			return Markup(escaped(a) + escaped(b)), nil
		}
		return starlark.String(s + t), nil
	}
	switch x := a.(type) {
	case *starlark.List:
		if y, ok := b.(*starlark.List); ok {
			if x.Len()+y.Len() > MaxItems {
				return nil, tooLarge()
			}
			return starlark.NewList(append(listItems(x), listItems(y)...)), nil
		}
	case starlark.Tuple:
		if y, ok := b.(starlark.Tuple); ok {
			return append(append(starlark.Tuple{}, x...), y...), nil
		}
	case starlark.Bytes:
		if y, ok := b.(starlark.Bytes); ok {
			return x + y, nil
		}
	}
	return nil, nil
}

func tooLarge() error {
	return Errorf("MemoryError", "the result is larger than %d bytes or items", MaxSize)
}

func repeat(a, b, x, y starlark.Value, xNum, yNum bool) (starlark.Value, error) {
	if xNum {
		a, y, yNum = b, x, true
	}
	i, ok := y.(starlark.Int)
	if !ok || !yNum || !isSequence(a) {
		return nil, nil
	}
	n, ok := i.Int64()
	if !ok && i.Sign() > 0 {
		return nil, tooLarge()
	}
	n = max(n, 0)
	size := int64(starlark.Len(a))
	limit := int64(MaxItems)
	if s, ok := Text(a); ok {
		size, limit = int64(len(s)), MaxSize
	}
	if size > 0 && n > limit/size {
		return nil, tooLarge()
	}
	switch t := a.(type) {
	case starlark.String:
		return starlark.String(strings.Repeat(string(t), int(n))), nil
	case Markup:
		return Markup(strings.Repeat(string(t), int(n))), nil
	case starlark.Bytes:
		return starlark.Bytes(strings.Repeat(string(t), int(n))), nil
	case starlark.Tuple:
		return starlark.Tuple(repeatItems(t, int(n))), nil
	}
	return starlark.NewList(repeatItems(listItems(a.(*starlark.List)), int(n))), nil
}

func repeatItems(items []starlark.Value, n int) []starlark.Value {
	out := make([]starlark.Value, 0, len(items)*n)
	for range n {
		out = append(out, items...)
	}
	return out
}

func arithmetic(op string, a, b starlark.Value) (starlark.Value, error) {
	x, xInt := a.(starlark.Int)
	y, yInt := b.(starlark.Int)
	if xInt && yInt {
		return intArithmetic(op, x, y)
	}
	f, okF := starlark.AsFloat(a)
	g, okG := starlark.AsFloat(b)
	if !okF || !okG || math.IsInf(f, 0) && xInt || math.IsInf(g, 0) && yInt {
		return nil, Errorf("OverflowError", "int too large to convert to float")
	}
	return floatArithmetic(op, f, g)
}

func intArithmetic(op string, x, y starlark.Int) (starlark.Value, error) {
	switch op {
	case "+":
		return x.Add(y), nil
	case "-":
		return x.Sub(y), nil
	case "*":
		if x.BigInt().BitLen()+y.BigInt().BitLen() > maxIntBits {
			return nil, tooLarge()
		}
		return x.Mul(y), nil
	case "**":
		return intPower(x, y)
	}
	if y.Sign() == 0 {
		return nil, Errorf("ZeroDivisionError", "%s", map[string]string{
			"/": "division by zero", "//": "integer division or modulo by zero", "%": "integer modulo by zero",
		}[op])
	}
	switch op {
	case "//":
		return x.Div(y), nil
	case "%":
		return x.Mod(y), nil
	}
	if x.Sign() == 0 && y.Sign() < 0 {
		return starlark.Float(math.Copysign(0, -1)), nil
	}
	q, _ := new(big.Rat).SetFrac(x.BigInt(), y.BigInt()).Float64()
	if math.IsInf(q, 0) {
		return nil, Errorf("OverflowError", "integer division result too large for a float")
	}
	return starlark.Float(q), nil
}

func intPower(x, y starlark.Int) (starlark.Value, error) {
	if y.Sign() < 0 {
		f, _ := starlark.AsFloat(x)
		g, _ := starlark.AsFloat(y)
		return floatArithmetic("**", f, g)
	}
	n, ok := y.Int64()
	base := x.BigInt()
	if base.BitLen() > 1 && (!ok || n > maxIntBits || int64(base.BitLen())*n > maxIntBits) {
		return nil, tooLarge()
	}
	if base.BitLen() <= 1 { // 0, 1 and -1 to any power
		n &= 1
		if y.Sign() > 0 {
			n += 2
		}
	}
	return starlark.MakeBigInt(new(big.Int).Exp(base, big.NewInt(n), nil)), nil
}

func floatArithmetic(op string, f, g float64) (starlark.Value, error) {
	switch op {
	case "+":
		return starlark.Float(f + g), nil
	case "-":
		return starlark.Float(f - g), nil
	case "*":
		return starlark.Float(f * g), nil
	case "**":
		return floatPower(f, g)
	}
	if g == 0 {
		return nil, Errorf("ZeroDivisionError", "%s", map[string]string{
			"/": "float division by zero", "//": "float floor division by zero", "%": "float modulo",
		}[op])
	}
	switch op {
	case "/":
		return starlark.Float(f / g), nil
	case "//":
		return starlark.Float(math.Floor(f / g)), nil
	}
	m := math.Mod(f, g)
	if m != 0 && (m < 0) != (g < 0) {
		m += g
	}
	return starlark.Float(m), nil
}

func floatPower(f, g float64) (starlark.Value, error) {
	if f == 0 && g < 0 {
		return nil, Errorf("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	}
	r := math.Pow(f, g)
	switch {
	case math.IsNaN(r) && !math.IsNaN(f) && !math.IsNaN(g):
		return nil, valueErrorf("a negative number to a fractional power is a complex number")
	case math.IsInf(r, 0) && !math.IsInf(f, 0) && !math.IsInf(g, 0):
		return nil, Errorf("OverflowError", "(34, 'Numerical result out of range')")
	}
	return starlark.Float(r), nil
}

// Negate is -v; op is - or +.
func Negate(op string, v starlark.Value) (starlark.Value, error) {
	if err := Check(v); err != nil {
		return nil, err
	}
	n, ok := number(v)
	if !ok {
		return nil, typeErrorf("bad operand type for unary %s: '%s'", op, TypeName(v))
	}
	if op == "+" {
		return n, nil
	}
	if i, ok := n.(starlark.Int); ok {
		return starlark.MakeInt(0).Sub(i), nil
	}
	return -n.(starlark.Float), nil
}
