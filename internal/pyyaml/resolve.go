package pyyaml

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// The tags of YAML 1.1's types.
const (
	tagPrefix    = "tag:yaml.org,2002:"
	tagBool      = tagPrefix + "bool"
	tagFloat     = tagPrefix + "float"
	tagInt       = tagPrefix + "int"
	tagMerge     = tagPrefix + "merge"
	tagNull      = tagPrefix + "null"
	tagTimestamp = tagPrefix + "timestamp"
	tagValue     = tagPrefix + "value"
	tagStr       = tagPrefix + "str"
	tagMap       = tagPrefix + "map"
	tagSeq       = tagPrefix + "seq"
	tagBinary    = tagPrefix + "binary"
	tagSet       = tagPrefix + "set"
	tagOmap      = tagPrefix + "omap"
	tagPairs     = tagPrefix + "pairs"
	tagUnicode   = tagPrefix + "python/unicode"
)

// The forms of plain numbers and dates in YAML 1.1, as PyYAML reads them: an exponent needs a dot and a sign.
var (
	floatForm = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?` +
		`|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
		`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*` +
		`|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	intForm = regexp.MustCompile(`^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)` +
		`|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	timestampForm = regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}` +
		`|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?` +
		`(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)$`)
)

// resolve is the tag of a plain scalar.
func resolve(s string) string {
	if s == "" {
		return tagNull
	}
	switch c := s[0]; {
	case strings.IndexByte("yYnNtTfFoO~", c) >= 0:
		return resolveWord(s)
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
		return resolveNumber(s)
	case s == "<<":
		return tagMerge
	case s == "=":
		return tagValue
	}
	return tagStr
}

func resolveWord(s string) string {
	switch s {
	case "yes", "Yes", "YES", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF":
		return tagBool
	case "~", "null", "Null", "NULL":
		return tagNull
	}
	return tagStr
}

func resolveNumber(s string) string {
	switch {
	case floatForm.MatchString(s):
		return tagFloat
	case s[0] == '.':
		return tagStr
	case intForm.MatchString(s):
		return tagInt
	case s[0] >= '0' && s[0] <= '9' && timestampForm.MatchString(s):
		return tagTimestamp
	}
	return tagStr
}

// toBool reads the text of a !!bool in any case.
func toBool(s string) (bool, bool) {
	switch strings.ToLower(s) {
	case "yes", "true", "on":
		return true, true
	case "no", "false", "off":
		return false, true
	}
	return false, false
}

// toInt reads the text of a !!int. Salt takes leading zeros away first, so that 0644 is the number 644; behind a sign
// they still mean octal, as in PyYAML.
func toInt(s string) (any, bool) {
	if s != "0" && strings.HasPrefix(s, "0") && !strings.HasPrefix(s, "0b") && !strings.HasPrefix(s, "0x") {
		if s = strings.TrimLeft(s, "0"); s == "" {
			s = "0"
		}
	}
	s = strings.ReplaceAll(s, "_", "")
	if s == "" {
		return nil, false
	}
	negative := s[0] == '-'
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	n := new(big.Int)
	var ok bool
	switch {
	case s == "0" || s == "":
		ok = s == "0"
	case strings.HasPrefix(s, "0b"):
		n, ok = n.SetString(s[2:], 2)
	case strings.HasPrefix(s, "0x"):
		n, ok = n.SetString(s[2:], 16)
	case s[0] == '0':
		n, ok = n.SetString(s, 8)
	case strings.Contains(s, ":"):
		n, ok = sexagesimal(s)
	default:
		n, ok = n.SetString(s, 10)
	}
	if !ok {
		return nil, false
	}
	if negative {
		n.Neg(n)
	}
	if n.IsInt64() {
		return n.Int64(), true
	}
	return n, true
}

func sexagesimal(s string) (*big.Int, bool) {
	n, sixty := new(big.Int), big.NewInt(60)
	for _, part := range strings.Split(s, ":") {
		d, ok := new(big.Int).SetString(part, 10)
		if !ok {
			return nil, false
		}
		n.Add(n.Mul(n, sixty), d)
	}
	return n, true
}

// toFloat reads the text of a !!float.
func toFloat(s string) (float64, bool) {
	s = strings.ToLower(strings.ReplaceAll(s, "_", ""))
	if s == "" {
		return 0, false
	}
	sign := 1.0
	if s[0] == '-' {
		sign = -1
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	switch {
	case s == ".inf":
		return math.Inf(int(sign)), true
	case s == ".nan":
		return math.NaN(), true
	case strings.Contains(s, ":"):
		total := 0.0
		for _, part := range strings.Split(s, ":") {
			f, err := strconv.ParseFloat(part, 64)
			if err != nil {
				return 0, false
			}
			total = total*60 + f
		}
		return sign * total, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return sign * f, true
}
