package filters

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"brine/internal/hashsum"
	"brine/internal/pyregex"
	"brine/internal/pytext"
	"brine/internal/shlex"
	"brine/render/pyvalue"

	"github.com/google/uuid"
	"go.starlark.net/starlark"
)

// saltText are Salt's filters of text.
func saltText(name string) *Filter {
	switch name {
	case "regex_search", "regex_match":
		return run(func(c *Call) (starlark.Value, error) { return regexGroups(c, name) }, "rgx", "ignorecase?", "multiline?")
	case "regex_replace":
		return run(regexReplace, "rgx", "val", "ignorecase?", "multiline?")
	case "regex_escape":
		return onText(pyregex.Escape)
	case "quote":
		return onText(shlex.Quote)
	case "uuid":
		return onText(func(s string) string {
			return uuid.NewSHA1(uuid.MustParse("91633EBF-1C86-5E33-935A-28061F4B480E"), []byte(s)).String()
		})
	case "md5", "sha1", "sha256", "sha512":
		return onBytes(func(b []byte) string { return hashsum.Sum(name, b) })
	case "base64_encode":
		return onBytes(base64.StdEncoding.EncodeToString)
	case "base64_decode":
		return run(base64Decode)
	case "hmac":
		return run(hmacVerify, "shared_secret", "challenge_hmac")
	case "hmac_compute":
		return run(func(c *Call) (starlark.Value, error) {
			sum, err := hmacSum(c)
			return starlark.String(hex.EncodeToString(sum)), err
		}, "shared_secret")
	case "rand_str", "random_hash":
		return run(randomHash, "hash_type?")
	case "to_num", "str_to_num":
		return run(toNum)
	case "to_bytes":
		return run(func(c *Call) (starlark.Value, error) {
			b, err := bytesOf(c.Value)
			return starlark.Bytes(b), err
		}, "encoding?", "errors?")
	}
	return saltWords(name)
}

func saltWords(name string) *Filter {
	switch name {
	case "to_snake_case":
		return onText(snakeCase)
	case "to_camelcase":
		return run(camelCase, "uppercamel?")
	case "human_to_bytes":
		return run(humanToBytes, "default_unit?", "handle_metric?")
	case "is_hex":
		return run(func(c *Call) (starlark.Value, error) {
			s, ok := pyvalue.Text(c.Value)
			_, valid := parseInt(s, 16)
			return starlark.Bool(ok && valid), nil
		})
	case "contains_whitespace":
		return run(func(c *Call) (starlark.Value, error) {
			s, err := c.text()
			return starlark.Bool(strings.ContainsFunc(s, pytext.Space)), err
		})
	case "to_bool":
		return run(toBool)
	case "skip":
		return &Filter{Params: none(), Lenient: true, Run: func(*Call) (starlark.Value, error) { return starlark.String(""), nil }}
	case "gen_mac":
		return onText(func(prefix string) string {
			return fmt.Sprintf("%s:%02X:%02X:%02X", prefix, rand.IntN(256), rand.IntN(256), rand.IntN(256))
		})
	case "mac_str_to_bytes":
		return run(macBytes)
	}
	return nil
}

// onBytes makes a filter of a function on the bytes of a text.
func onBytes(f func(b []byte) string) *Filter {
	return run(func(c *Call) (starlark.Value, error) {
		b, err := bytesOf(c.Value)
		return starlark.String(f(b)), err
	})
}

func bytesOf(v starlark.Value) ([]byte, error) {
	if b, ok := v.(starlark.Bytes); ok {
		return []byte(b), nil
	}
	if s, ok := pyvalue.Text(v); ok {
		return []byte(s), nil
	}
	return nil, typeErrorf("expected str, bytes, or bytearray not <class '%s'>", pyvalue.TypeName(v))
}

func regexGroups(c *Call, name string) (starlark.Value, error) {
	re, s, err := regex(c.Value, c.Args[0], c.Args[1], c.Args[2])
	if err != nil {
		return nil, err
	}
	find := re.Search
	if name == "regex_match" {
		find = re.Match
	}
	m, err := find(s)
	if err != nil || m == nil {
		return starlark.None, err
	}
	out := starlark.Tuple{}
	for i := range re.Groups() {
		if g, ok := m.Group(i + 1); ok {
			out = append(out, starlark.String(g))
		} else {
			out = append(out, starlark.None)
		}
	}
	return out, nil
}

func regexReplace(c *Call) (starlark.Value, error) {
	re, s, err := regex(c.Value, c.Args[0], c.Args[2], c.Args[3])
	if err != nil {
		return nil, err
	}
	with, err := pyvalue.StrArg(c.Args[1], "")
	if err != nil {
		return nil, typeErrorf("decoding to str: need a bytes-like object, %s found", pyvalue.TypeName(c.Args[1]))
	}
	out, _, err := re.Sub(with, s, 0)
	if err != nil {
		return nil, pyvalue.Errorf("error", "%s", err.Error())
	}
	return starlark.String(out), nil
}

func base64Decode(c *Call) (starlark.Value, error) {
	b, err := bytesOf(c.Value)
	if err != nil {
		return nil, err
	}
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r) {
			return r
		}
		return -1
	}, string(b))
	out, err := base64.StdEncoding.DecodeString(clean)
	if err != nil {
		return nil, pyvalue.Errorf("binascii.Error", "Incorrect padding")
	}
	if !utf8.Valid(out) {
		return starlark.Bytes(out), nil
	}
	return starlark.String(out), nil
}

func hmacSum(c *Call) ([]byte, error) {
	msg, err := bytesOf(c.Value)
	if err != nil {
		return nil, err
	}
	key, err := bytesOf(c.Args[0])
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(msg)
	return h.Sum(nil), nil
}

func hmacVerify(c *Call) (starlark.Value, error) {
	sum, err := hmacSum(c)
	if err != nil {
		return nil, err
	}
	challenge, err := bytesOf(c.Args[1])
	return starlark.Bool(hmac.Equal([]byte(base64.StdEncoding.EncodeToString(sum)), challenge)), err
}

func randomHash(c *Call) (starlark.Value, error) {
	size, err := pyvalue.IntArg(c.Value, 9999999999)
	if err != nil || size < 0 {
		return nil, typeErrorf("unsupported operand type(s) for +: '%s' and 'int'", pyvalue.TypeName(c.Value))
	}
	kind := c.str(0, "md5")
	sum := hashsum.Sum(kind, fmt.Append(nil, rand.Int64N(int64(size)+1)))
	if sum == "" {
		return nil, pyvalue.Errorf("AttributeError", "module 'hashlib' has no attribute '%s'", kind)
	}
	return starlark.String(sum), nil
}

func toNum(c *Call) (starlark.Value, error) {
	s, ok := pyvalue.Text(c.Value)
	if !ok {
		if f, isFloat := c.Value.(starlark.Float); isFloat {
			n, err := starlark.NumberToInt(starlark.Float(math.Trunc(float64(f))))
			return n, err
		}
		n, err := pyvalue.Negate("+", c.Value)
		if err != nil {
			return nil, typeErrorf("int() argument must be a string, a bytes-like object or a real number, not '%s'", pyvalue.TypeName(c.Value))
		}
		return n, nil
	}
	if n, ok := parseInt(s, 10); ok {
		return n, nil
	}
	if f, ok := parseFloat(s); ok {
		return starlark.Float(f), nil
	}
	return c.Value, nil
}

func snakeCase(s string) string {
	for _, form := range []string{`(.)([A-Z][a-z]+)`, `([a-z0-9])([A-Z])`} {
		re, err := pyregex.Compile(form, 0)
		if err != nil {
			return s
		}
		if s, _, err = re.Sub(`\1_\2`, s, 0); err != nil {
			return s
		}
	}
	return strings.ToLower(s)
}

func camelCase(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	upper, err := c.flag(0, false)
	words := strings.Split(s, "_")
	for i, w := range words {
		if i > 0 || upper {
			words[i] = pyvalue.Capitalize(w)
		}
	}
	return starlark.String(strings.Join(words, "")), err
}

func humanToBytes(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	metric, err := c.flag(1, false)
	if err != nil {
		return nil, err
	}
	s = pytext.Strip(s)
	end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		end = len(s)
	}
	unit := strings.ToLower(strings.TrimSpace(s[end:]))
	if unit == "" {
		unit = strings.ToLower(c.str(0, "B"))
	}
	value, ok := new(big.Rat).SetString(s[:end])
	power := strings.Index("bkmgtpezy", unit[:min(1, len(unit))])
	rest := unit[min(1, len(unit)):]
	if !ok || unit == "" || power < 0 || rest != "" && (power == 0 || rest != "b" && rest != "ib") {
		return starlark.MakeInt(0), nil
	}
	factor := new(big.Int).Exp(big.NewInt(2), big.NewInt(int64(10*power)), nil)
	if rest == "b" && metric {
		factor.Exp(big.NewInt(10), big.NewInt(int64(3*power)), nil)
	}
	value.Mul(value, new(big.Rat).SetInt(factor))
	return starlark.MakeBigInt(new(big.Int).Quo(value.Num(), value.Denom())), nil
}

func toBool(c *Call) (starlark.Value, error) {
	switch t := c.Value.(type) {
	case starlark.NoneType:
		return starlark.False, nil
	case starlark.Bool:
		return t, nil
	case starlark.Int:
		return starlark.Bool(t.Sign() > 0), nil
	}
	if s, ok := pyvalue.Text(c.Value); ok {
		switch strings.ToLower(s) {
		case "yes", "1", "true":
			return starlark.True, nil
		}
		return starlark.False, nil
	}
	if !pyvalue.Hashable(c.Value) {
		n, err := pyvalue.Len(c.Value)
		return starlark.Bool(n > 0), err
	}
	return starlark.False, nil
}

func macBytes(c *Call) (starlark.Value, error) {
	s, err := c.text()
	if err != nil {
		return nil, err
	}
	switch len(s) {
	case 12:
	case 17:
		s = strings.ReplaceAll(s, s[2:3], "")
	default:
		return nil, valueErrorf("Invalid MAC address")
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, valueErrorf("Invalid MAC address")
	}
	return starlark.Bytes(b), nil
}
