// Package hashutil holds the hashutil.* functions: checksums, signatures and base64.
package hashutil

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"os"
	"strings"
	"unicode/utf8"

	"brine/internal/atomicfile"
	"brine/internal/hashsum"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

// Module is the family.
func Module() modules.Module {
	return modules.Module{Name: "hashutil", Doc: "Functions for checksums, signatures and base64.", Funcs: []modules.Func{
		modules.PureFn("base64_b64decode", b64decodeDoc, decode),
		modules.PureFn("base64_b64encode", b64encodeDoc, b64encode),
		modules.Fn("base64_decodefile", decodefileDoc, decodefile),
		modules.PureFn("base64_decodestring", decodestringDoc, decode),
		modules.PureFn("base64_encodefile", encodefileDoc, encodefile),
		modules.PureFn("base64_encodestring", encodestringDoc, encodestring),
		modules.PureFn("digest", digestDoc, digest),
		modules.PureFn("digest_file", digestFileDoc, digestFile),
		modules.PureFn("github_signature", githubDoc, githubSignature),
		modules.PureFn("hmac_compute", hmacComputeDoc, hmacCompute),
		modules.PureFn("hmac_signature", hmacSignatureDoc, hmacSignature),
		modules.PureFn("md5_digest", "Tell the MD5 checksum of a text."+example+"md5_digest 'get salted'", sum("md5")),
		modules.PureFn("sha256_digest", "Tell the SHA-256 checksum of a text."+example+"sha256_digest 'get salted'", sum("sha256")),
		modules.PureFn("sha512_digest", "Tell the SHA-512 checksum of a text."+example+"sha512_digest 'get salted'", sum("sha512")),
	}}
}

const example = "\n\nCLI Example:\n\n    salt '*' hashutil."

type instrArgs struct {
	Instr any `arg:"instr"`
}

func raw(v any) []byte {
	if p, ok := v.([]byte); ok {
		return p
	}
	return []byte(pyfmt.Str(v))
}

// textOf is the bytes as text where they are text.
func textOf(p []byte) any {
	if utf8.Valid(p) {
		return string(p)
	}
	return p
}

func sum(name string) func(context.Context, *modules.Env, instrArgs) (any, error) {
	return func(_ context.Context, _ *modules.Env, in instrArgs) (any, error) {
		return hashsum.Sum(name, raw(in.Instr)), nil
	}
}

const digestDoc = `Tell the checksum of a text: md5, sha256 or sha512.

CLI Example:

    salt '*' hashutil.digest 'get salted'`

type digestArgs struct {
	Instr    any    `arg:"instr"`
	Checksum string `arg:"checksum" def:"'md5'"`
}

func digest(_ context.Context, _ *modules.Env, in digestArgs) (any, error) {
	switch in.Checksum {
	case "md5", "sha256", "sha512":
		return hashsum.Sum(in.Checksum, raw(in.Instr)), nil
	}
	return nil, modules.Errorf("Hash func '%s' is not supported.", in.Checksum)
}

const digestFileDoc = `Tell the checksum of a file: md5, sha256 or sha512.

CLI Example:

    salt '*' hashutil.digest_file /path/to/file`

type digestFileArgs struct {
	Infile   string `arg:"infile"`
	Checksum string `arg:"checksum" def:"'md5'"`
}

func digestFile(_ context.Context, _ *modules.Env, in digestFileArgs) (any, error) {
	if !pypath.IsFile(pypath.Expanduser(in.Infile)) {
		return nil, modules.Errorf("File path '%s' not found.", in.Infile)
	}
	switch in.Checksum {
	case "md5", "sha256", "sha512":
		return hashsum.File(in.Infile, in.Checksum)
	}
	return nil, modules.Errorf("Hash func '%s' is not supported.", in.Checksum)
}

const b64encodeDoc = `Write a text as base64, in one line.

CLI Example:

    salt '*' hashutil.base64_b64encode 'get salted'`

func b64encode(_ context.Context, _ *modules.Env, in instrArgs) (any, error) {
	return base64.StdEncoding.EncodeToString(raw(in.Instr)), nil
}

const b64decodeDoc = `Read a text written as base64.

CLI Example:

    salt '*' hashutil.base64_b64decode 'Z2V0IHNhbHRlZA=='`

const decodestringDoc = `Read a text written as base64, line breaks in it or not.

CLI Example:

    salt '*' hashutil.base64_decodestring instr='Z2V0IHNhbHRlZAo='`

func decode(_ context.Context, _ *modules.Env, in instrArgs) (any, error) {
	p, err := unbase64(raw(in.Instr))
	if err != nil {
		return nil, err
	}
	return textOf(p), nil
}

// unbase64 passes over characters that base64 does not have, as Python does.
func unbase64(p []byte) ([]byte, error) {
	clean := bytes.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '+', r == '/', r == '=':
			return r
		}
		return -1
	}, p)
	if i := bytes.IndexByte(clean, '='); i >= 0 && len(clean) > (i+3)/4*4 {
		clean = clean[:(i+3)/4*4] // what follows the padding is no data
	}
	out, err := base64.StdEncoding.DecodeString(string(clean))
	if err != nil {
		return nil, errors.New("Incorrect padding")
	}
	return out, nil
}

const encodestringDoc = `Write a text as base64, in lines of 76 characters.

CLI Example:

    salt '*' hashutil.base64_encodestring 'get salted'`

func encodestring(_ context.Context, _ *modules.Env, in instrArgs) (any, error) {
	return lines(raw(in.Instr)), nil
}

func lines(p []byte) string {
	var b strings.Builder
	for text := base64.StdEncoding.EncodeToString(p); text != ""; {
		n := min(76, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	return b.String()
}

const encodefileDoc = `Write a file as base64, in lines of 76 characters.

CLI Example:

    salt '*' hashutil.base64_encodefile /path/to/binary_file`

type fnameArgs struct {
	Fname string `arg:"fname"`
}

func encodefile(_ context.Context, _ *modules.Env, in fnameArgs) (any, error) {
	p, err := os.ReadFile(in.Fname)
	if err != nil {
		return nil, err
	}
	return lines(p), nil
}

const decodefileDoc = `Read a text written as base64 and put what it means into a file.

CLI Example:

    salt '*' hashutil.base64_decodefile instr='Z2V0IHNhbHRlZAo=' outfile='/path/to/binary_file'`

type decodefileArgs struct {
	Instr   any    `arg:"instr"`
	Outfile string `arg:"outfile"`
}

func decodefile(_ context.Context, _ *modules.Env, in decodefileArgs) (any, error) {
	p, err := unbase64(raw(in.Instr))
	if err != nil {
		return nil, err
	}
	if pypath.Exists(in.Outfile) {
		return true, atomicfile.Rewrite(in.Outfile, p)
	}
	return true, atomicfile.Write(in.Outfile, p, 0o644)
}

const hmacSignatureDoc = `Tell whether a text has a signature: its HMAC-SHA-256 with a shared secret, in base64.

CLI Example:

    salt '*' hashutil.hmac_signature 'get salted' 'shared secret' 'eBWf9bstXg+NiP5AOwppB5HMvZiYMPzEM9W5YMm/AmQ='`

type signatureArgs struct {
	String    any    `arg:"string"`
	Secret    any    `arg:"shared_secret"`
	Challenge string `arg:"challenge_hmac"`
}

func mac(newHash func() hash.Hash, secret, text any) []byte {
	h := hmac.New(newHash, raw(secret))
	h.Write(raw(text))
	return h.Sum(nil)
}

func hmacSignature(_ context.Context, _ *modules.Env, in signatureArgs) (any, error) {
	want := base64.StdEncoding.EncodeToString(mac(sha256.New, in.Secret, in.String))
	return hmac.Equal([]byte(want), []byte(in.Challenge)), nil
}

const hmacComputeDoc = `Make the HMAC-SHA-256 of a text with a shared secret, in hexadecimal.

CLI Example:

    salt '*' hashutil.hmac_compute 'get salted' 'shared secret'`

type computeArgs struct {
	String any `arg:"string"`
	Secret any `arg:"shared_secret"`
}

func hmacCompute(_ context.Context, _ *modules.Env, in computeArgs) (any, error) {
	return hex.EncodeToString(mac(sha256.New, in.Secret, in.String)), nil
}

const githubDoc = `Tell whether a text has a signature as GitHub's webhooks carry it: sha1=<hexadecimal HMAC>.

CLI Example:

    salt '*' hashutil.github_signature '{"ref":....} ' 'shared secret' 'sha1=bc6550fc290acf5b42283fa8deaf55cea0f8c206'`

func githubSignature(_ context.Context, _ *modules.Env, in signatureArgs) (any, error) {
	kind, want, ok := strings.Cut(in.Challenge, "=")
	if !ok || hashsum.Length(kind) == 0 {
		return nil, modules.Invalidf("The signature must be <hash type>=<hash>")
	}
	got := hex.EncodeToString(mac(func() hash.Hash { return hashsum.New(kind) }, in.Secret, in.String))
	return hmac.Equal([]byte(got), []byte(want)), nil
}
