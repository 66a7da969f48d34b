package filters

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"brine/internal/pytext"
	"brine/render/pyvalue"

	"go.starlark.net/starlark"
)

// parseInt is int(s, base).
func parseInt(s string, base int) (starlark.Value, bool) {
	s = pytext.Strip(s)
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	lower := strings.ToLower(s)
	for prefix, b := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if rest, ok := strings.CutPrefix(lower, prefix); ok && (base == b || base == 0) {
			lower, base = strings.TrimPrefix(rest, "_"), b
		}
	}
	if base == 0 {
		base = 10
	}
	if strings.HasPrefix(lower, "_") || strings.HasSuffix(lower, "_") || strings.Contains(lower, "__") || base < 2 || base > 36 {
		return nil, false
	}
	lower = strings.ReplaceAll(lower, "_", "")
	if lower == "" || lower[0] == '+' || lower[0] == '-' {
		return nil, false
	}
	n, ok := new(big.Int).SetString(sign+lower, base)
	if !ok {
		return nil, false
	}
	return starlark.MakeBigInt(n), true
}

// parseFloat is float(s).
func parseFloat(s string) (float64, bool) {
	s = strings.ToLower(pytext.Strip(s))
	if strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") || strings.Contains(s, "__") || strings.ContainsAny(s, "xp") {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil && !strings.Contains(err.Error(), "out of range") {
		return 0, false
	}
	return f, true
}

func toInt(c *Call) (starlark.Value, error) {
	def := c.Args[0]
	if def == nil {
		def = starlark.MakeInt(0)
	}
	base, err := c.number(1, 10)
	if err != nil {
		return nil, err
	}
	switch t := c.Value.(type) {
	case starlark.Int:
		return t, nil
	case starlark.Bool:
		return pyvalue.Negate("+", t)
	case starlark.Float:
		n, err := starlark.NumberToInt(starlark.Float(math.Trunc(float64(t))))
		if err != nil {
			return def, nil
		}
		return n, nil
	}
	s, ok := pyvalue.Text(c.Value)
	if !ok {
		return def, nil
	}
	if n, ok := parseInt(s, base); ok {
		return n, nil
	}
	if f, err := strconv.ParseFloat(strings.ReplaceAll(pytext.Strip(s), "_", ""), 64); err == nil {
		if n, err := starlark.NumberToInt(starlark.Float(math.Trunc(f))); err == nil {
			return n, nil
		}
	}
	return def, nil
}

func toFloat(c *Call) (starlark.Value, error) {
	def := c.Args[0]
	if def == nil {
		def = starlark.Float(0)
	}
	if s, ok := pyvalue.Text(c.Value); ok {
		if f, ok := parseFloat(s); ok {
			return starlark.Float(f), nil
		}
		return def, nil
	}
	n, err := pyvalue.Negate("+", c.Value)
	if err != nil {
		return def, nil
	}
	f, ok := starlark.AsFloat(n)
	if !ok {
		return def, nil
	}
	return starlark.Float(f), nil
}

func round(c *Call) (starlark.Value, error) {
	n, err := pyvalue.Negate("+", c.Value)
	if err != nil {
		return nil, typeErrorf("type %s doesn't define __round__ method", pyvalue.TypeName(c.Value))
	}
	precision, err := c.number(0, 0)
	if err != nil {
		return nil, err
	}
	method := c.str(1, "common")
	f, _ := starlark.AsFloat(n)
	scale := math.Pow(10, float64(precision))
	switch method {
	case "ceil":
		return starlark.Float(math.Ceil(f*scale) / scale), nil
	case "floor":
		return starlark.Float(math.Floor(f*scale) / scale), nil
	case "common":
	default:
		return nil, argumentErrorf("method must be common, ceil or floor")
	}
	if i, ok := n.(starlark.Int); ok {
		if precision >= 0 {
			return i, nil
		}
		return starlark.NumberToInt(starlark.Float(math.RoundToEven(f*scale) / scale))
	}
	if precision >= 0 {
		r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', min(precision, 300), 64), 64)
		return starlark.Float(r), nil
	}
	return starlark.Float(math.RoundToEven(f*scale) / scale), nil
}

func fileSize(c *Call) (starlark.Value, error) {
	v, err := toFloatStrict(c.Value)
	if err != nil {
		return nil, err
	}
	bytes := float64(v.(starlark.Float))
	binary, err := c.flag(0, false)
	if err != nil {
		return nil, err
	}
	base, names := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if binary {
		base, names = 1024.0, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	switch {
	case bytes == 1:
		return starlark.String("1 Byte"), nil
	case bytes < base:
		return starlark.String(fmt.Sprintf("%d Bytes", int64(bytes))), nil
	}
	unit := base
	for i, n := range names {
		unit *= base
		if bytes < unit || i == len(names)-1 {
			return starlark.String(fmt.Sprintf("%.1f %s", base*bytes/unit, n)), nil
		}
	}
	return nil, nil
}
