// Package random holds the random.* functions: random texts and numbers, hashes of passwords.
package random

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"

	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyrandom"
	"brine/internal/unixcrypt"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "random", Doc: "Functions for random texts and numbers and for hashes of passwords.", Funcs: []modules.Func{
		modules.PureFn("get_str", getStrDoc, getStr),
		modules.PureFn("hash", hashDoc, hash),
		modules.PureFn("rand_int", randIntDoc, randInt),
		modules.PureFn("sample", sampleDoc, sample),
		modules.PureFn("seed", seedDoc, seed),
		modules.PureFn("shadow_hash", shadowHashDoc, shadowHash),
		modules.PureFn("shuffle", shuffleDoc, shuffle),
		modules.PureFn("str_encode", strEncodeDoc, strEncode),
	}}
}

const hashDoc = `Tell the checksum of a text.

algorithm
    md5, sha1, sha224, sha256, sha384, sha512, blake2b or blake2s

CLI Example:

    salt '*' random.hash 'I am a string' md5`

type hashArgs struct {
	Value     any    `arg:"value"`
	Algorithm string `arg:"algorithm" def:"'sha512'"`
}

func hash(_ context.Context, _ *modules.Env, in hashArgs) (any, error) {
	text := []byte(pyfmt.Str(in.Value))
	switch in.Algorithm {
	case "blake2b":
		sum := blake2b.Sum512(text)
		return hex.EncodeToString(sum[:]), nil
	case "blake2s":
		sum := blake2s.Sum256(text)
		return hex.EncodeToString(sum[:]), nil
	}
	if hashsum.Length(in.Algorithm) == 0 {
		return nil, modules.Invalidf("You must specify a valid algorithm.")
	}
	return hashsum.Sum(in.Algorithm, text), nil
}

const strEncodeDoc = `Write a text as base64.

CLI Example:

    salt '*' random.str_encode 'I am a new string' base64`

type strEncodeArgs struct {
	Value   any    `arg:"value"`
	Encoder string `arg:"encoder" def:"'base64'"`
}

func strEncode(_ context.Context, _ *modules.Env, in strEncodeArgs) (any, error) {
	text, ok := in.Value.(string)
	if !ok || in.Encoder != "base64" {
		return nil, modules.Invalidf("Value must be an encode-able string")
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), nil
}

const getStrDoc = `Make up a text of the given length.

chars
    the characters to choose from, instead of the kinds below
lowercase, uppercase, digits, punctuation, whitespace, printable
    whether characters of these kinds may occur

CLI Example:

    salt '*' random.get_str 128
    salt '*' random.get_str 128 chars='abc123.!()'
    salt '*' random.get_str 128 lowercase=False whitespace=True`

type getStrArgs struct {
	Length      int  `arg:"length" def:"20"`
	Chars       any  `arg:"chars" def:"None"`
	Lowercase   bool `arg:"lowercase" def:"True"`
	Uppercase   bool `arg:"uppercase" def:"True"`
	Digits      bool `arg:"digits" def:"True"`
	Punctuation bool `arg:"punctuation" def:"True"`
	Whitespace  bool `arg:"whitespace" def:"False"`
	Printable   bool `arg:"printable" def:"False"`
}

const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	whitespace  = " \t\n\r\v\f"
	maxLength   = 1 << 20
)

func getStr(_ context.Context, _ *modules.Env, in getStrArgs) (any, error) {
	chars := ""
	for _, kind := range []struct {
		on   bool
		from string
	}{
		{in.Lowercase, lower}, {in.Uppercase, strings.ToUpper(lower)}, {in.Digits, digits}, {in.Punctuation, punctuation},
		{in.Whitespace, whitespace}, {in.Printable, digits + lower + strings.ToUpper(lower) + punctuation + whitespace},
	} {
		if kind.on {
			chars += kind.from
		}
	}
	if pyfmt.Truth(in.Chars) {
		chars = pyfmt.Str(in.Chars)
	}
	if chars == "" || in.Length < 0 || in.Length > maxLength {
		return nil, modules.Invalidf("No text of %d characters can be made of the characters allowed", in.Length)
	}
	from := []rune(chars)
	out := make([]rune, in.Length)
	for i := range out {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			return nil, err
		}
		out[i] = from[n.Int64()]
	}
	return string(out), nil
}

const shadowHashDoc = `Make the hash of a password for /etc/shadow. What is not given is made up.

algorithm
    sha512, sha256 or md5

CLI Example:

    salt '*' random.shadow_hash 'My5alT' 'MyP@asswd' md5`

type shadowHashArgs struct {
	Salt      any    `arg:"crypt_salt" def:"None"`
	Password  any    `arg:"password" def:"None"`
	Algorithm string `arg:"algorithm" def:"'sha512'"`
}

func shadowHash(ctx context.Context, env *modules.Env, in shadowHashArgs) (any, error) {
	if in.Password == nil {
		made, err := getStr(ctx, env, getStrArgs{Length: 20, Lowercase: true, Uppercase: true, Digits: true, Punctuation: true})
		if err != nil {
			return nil, err
		}
		in.Password = made
	}
	salt := ""
	if in.Salt != nil {
		salt = pyfmt.Str(in.Salt)
	}
	out, err := unixcrypt.Hash(pyfmt.Str(in.Password), salt, in.Algorithm)
	if errors.Is(err, unixcrypt.ErrAlgorithm) {
		return nil, modules.Invalidf("Algorithm '%s' is not natively supported by this platform, use force=True with passlib installed to override.", in.Algorithm)
	}
	return out, err
}

// source is random.Random(seed); without a seed it is a fresh one.
func source(seed any) (*pyrandom.Rand, error) {
	switch s := seed.(type) {
	case nil:
		n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
		if err != nil {
			return nil, err
		}
		return pyrandom.FromInt(n.Int64()), nil
	case int64:
		return pyrandom.FromInt(s), nil
	}
	return pyrandom.FromText(pyfmt.Str(seed)), nil
}

const randIntDoc = `Make up a whole number between two numbers, both included. The same seed gives the same number.

CLI Example:

    salt '*' random.rand_int 1 10`

type randIntArgs struct {
	Start int64 `arg:"start" def:"1"`
	End   int64 `arg:"end" def:"10"`
	Seed  any   `arg:"seed" def:"None"`
}

func randInt(_ context.Context, _ *modules.Env, in randIntArgs) (any, error) {
	if in.End < in.Start {
		return nil, errors.New("empty range for randrange()")
	}
	r, err := source(in.Seed)
	if err != nil {
		return nil, err
	}
	return r.Int(in.Start, in.End), nil
}

const seedDoc = `Tell a number below range that is the same at every call on this minion, and differs between minions.

hash
    text to use instead of the minion's id

CLI Example:

    salt '*' random.seed 10
    salt '*' random.seed 10 hash=None`

type seedArgs struct {
	Range int64 `arg:"range" def:"10"`
	Hash  any   `arg:"hash" def:"None"`
}

func seed(ctx context.Context, env *modules.Env, in seedArgs) (any, error) {
	if in.Range <= 0 {
		return nil, errors.New("empty range for randrange()")
	}
	if in.Hash == nil {
		in.Hash = env.Grains.Items(ctx).Value("id")
	}
	r, err := source(in.Hash)
	if err != nil {
		return nil, err
	}
	return r.Below(uint64(in.Range)), nil
}

// items are the elements of a list, or the characters of a text.
func items(v any) ([]any, bool) {
	switch t := v.(type) {
	case []any:
		return t, true
	case string:
		var out []any
		for _, r := range t {
			out = append(out, string(r))
		}
		return out, true
	}
	return nil, false
}

const sampleDoc = `Pick some elements of a list, none twice. The same seed picks the same.

CLI Example:

    salt '*' random.sample '["one", "two"]' 1 seed="something"`

type sampleArgs struct {
	Value any `arg:"value"`
	Size  int `arg:"size"`
	Seed  any `arg:"seed" def:"None"`
}

func sample(_ context.Context, _ *modules.Env, in sampleArgs) (any, error) {
	list, ok := items(in.Value)
	if !ok {
		return nil, errors.New("Population must be a sequence.  For dicts or sets, use sorted(d).")
	}
	if in.Size < 0 || in.Size > len(list) {
		return nil, errors.New("Sample larger than population or is negative")
	}
	r, err := source(in.Seed)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, i := range r.Sample(len(list), in.Size) {
		out = append(out, ordered.Copy(list[i]))
	}
	return out, nil
}

const shuffleDoc = `Put the elements of a list in a random order. The same seed gives the same order.

CLI Example:

    salt '*' random.shuffle '["one", "two"]' seed="something"`

type shuffleArgs struct {
	Value any `arg:"value"`
	Seed  any `arg:"seed" def:"None"`
}

func shuffle(ctx context.Context, env *modules.Env, in shuffleArgs) (any, error) {
	list, _ := items(in.Value)
	return sample(ctx, env, sampleArgs{Value: in.Value, Size: len(list), Seed: in.Seed})
}
