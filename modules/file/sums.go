package file

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"

	"brine/internal/hashsum"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/pyurl"
	"brine/modules"
)

func sumFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("check_hash", checkHashDoc, checkHash),
		modules.PureFn("extract_hash", extractHashDoc, extractHash),
		modules.PureFn("get_hash", getHashDoc, getHash),
		modules.PureFn("get_source_sum", getSourceSumDoc, getSourceSum),
		modules.PureFn("get_sum", getSumDoc, getSum),
	}
}

const getHashDoc = `Tell the checksum of a file: md5, sha1, sha224, sha256, sha384 or sha512.

CLI Example:

    salt '*' file.get_hash /etc/shadow`

type getHashArgs struct {
	Path  string `arg:"path"`
	Form  string `arg:"form" def:"'sha256'"`
	Chunk int    `arg:"chunk_size" def:"65536"`
}

func getHash(_ context.Context, _ *modules.Env, in getHashArgs) (any, error) {
	return sumOf(pypath.Expanduser(in.Path), in.Form)
}

func sumOf(path, form string) (string, error) {
	sum, err := hashsum.File(path, form)
	if err != nil {
		return "", plain(err)
	}
	return sum, nil
}

const getSumDoc = `Tell the checksum of a file, or the text "File not found".

CLI Example:

    salt '*' file.get_sum /etc/passwd sha512`

type getSumArgs struct {
	Path string `arg:"path"`
	Form string `arg:"form" def:"'sha256'"`
}

func getSum(_ context.Context, _ *modules.Env, in getSumArgs) (any, error) {
	path := pypath.Expanduser(in.Path)
	if !pypath.IsFile(path) {
		return "File not found", nil
	}
	return sumOf(path, in.Form)
}

const checkHashDoc = `Tell whether a file has a checksum, given alone or as md5=<checksum>.

CLI Example:

    salt '*' file.check_hash /etc/fstab e138491e9d5b97023cea823fe17bac22
    salt '*' file.check_hash /etc/fstab md5=e138491e9d5b97023cea823fe17bac22`

type checkHashArgs struct {
	Path string `arg:"path"`
	Hash any    `arg:"file_hash"`
}

func checkHash(_ context.Context, _ *modules.Env, in checkHashArgs) (any, error) {
	want, ok := in.Hash.(string)
	if !ok {
		return nil, modules.Invalidf("hash must be a string")
	}
	kind := ""
	for _, sep := range []string{":", "="} {
		if k, v, found := strings.Cut(want, sep); found {
			kind, want = k, v
			break
		}
	}
	if kind == "" {
		if kind = hashsum.ByLength(len(want)); kind == "" {
			return nil, modules.Invalidf("Hash %s (length: %d) could not be matched to a supported hash type. The supported hash types and lengths are: %s",
				want, len(want), hashsum.Supported())
		}
	}
	got, err := sumOf(pypath.Expanduser(in.Path), kind)
	return got == want, err
}

const getSourceSumDoc = `Find out the checksum that a source is to have: from a checksum, from <type>=<checksum>, or from a file of checksums at a path or
address.

file_name, source, source_hash_name
    names to look for in a file of checksums

CLI Example:

    salt '*' file.get_source_sum /tmp/foo.tar.gz source=http://mydomain.tld/foo.tar.gz source_hash=499ae16dcae71eeb7c3a30c75ea7a1a6
    salt '*' file.get_source_sum /tmp/foo.tar.gz source=http://mydomain.tld/foo.tar.gz source_hash=https://mydomain.tld/hashes.md5`

type sourceSumArgs struct {
	FileName   any    `arg:"file_name" def:"''"`
	Source     any    `arg:"source" def:"''"`
	SourceHash any    `arg:"source_hash" def:"None"`
	HashName   any    `arg:"source_hash_name" def:"None"`
	Saltenv    string `arg:"saltenv" def:"'base'"`
	VerifySSL  any    `arg:"verify_ssl" def:"True"`
}

func badSourceHash(given any) error {
	return modules.Errorf("Source hash %s format is invalid. The supported formats are: 1) a hash, 2) an expression in the format <hash_type>=<hash>, or "+
		"3) either a path to a local file containing hashes, or a URI of a remote hash file. Supported protocols for remote hash files are: %s. "+
		"The hash may also not be of a valid length, the following are supported hash types and lengths: %s.",
		pyurl.Redact(pyfmt.Str(given)), strings.Join(pyurl.Protocols(), ", "), hashsum.Supported())
}

func getSourceSum(ctx context.Context, env *modules.Env, in sourceSumArgs) (any, error) {
	given, ok := in.SourceHash.(string)
	if !ok {
		return nil, badSourceHash(in.SourceHash)
	}
	from := ""
	scheme := pyurl.Parse(given).Scheme
	switch {
	case pypath.IsAbs(given):
		from = given
	case pyurl.Known(scheme):
		got, err := env.Call(ctx, "cp.cache_file", modules.Pos(given, in.Saltenv).With("verify_ssl", in.VerifySSL))
		if err != nil {
			return nil, err
		}
		if from, ok = got.(string); !ok || from == "" {
			return nil, modules.Errorf("Source hash file %s not found", pyurl.Redact(given))
		}
	case scheme != "":
		return nil, badSourceHash(given)
	}
	if from == "" {
		return expression(given)
	}
	got, err := extractHash(ctx, env, extractArgs{HashFn: from, FileName: in.FileName, Source: in.Source, HashName: in.HashName})
	if err != nil {
		return nil, err
	}
	sum, ok := got.(*ordered.Map)
	if !ok {
		return nil, badSourceHash(given)
	}
	sum.Set("hsum", strings.ToLower(sum.String("hsum")))
	return sum, nil
}

var hexDigits = regexp.MustCompile(`^[0-9a-fA-F]+$`)

// expression reads a checksum, or <type>=<checksum>.
func expression(given string) (any, error) {
	kind, sum, ok := strings.Cut(given, "=")
	kind, sum = pytext.Strip(kind), pytext.Strip(sum)
	if !ok {
		sum = given
		if kind = hashsum.ByLength(len(given)); kind == "" || !hexDigits.MatchString(given) {
			return nil, badSourceHash(given)
		}
	}
	want := hashsum.Length(kind)
	if want == 0 {
		var names []string
		for _, k := range hashsum.Kinds() {
			names = append(names, k.Name)
		}
		return nil, modules.Errorf("Invalid hash type '%s'. Supported hash types are: %s. Either remove the hash type and simply use '%s' as the source_hash, "+
			"or change the hash type to a supported type.", kind, strings.Join(names, ", "), sum)
	}
	real := hashsum.ByLength(len(sum))
	if real == "" {
		return nil, badSourceHash(given)
	}
	if real != kind {
		return nil, modules.Errorf("Invalid length (%d) for hash type '%s'. Either remove the hash type and simply use '%s' as the source_hash, "+
			"or change the hash type to '%s'", len(sum), kind, sum, real)
	}
	return ordered.Pairs("hash_type", kind, "hsum", strings.ToLower(sum)), nil
}

const extractHashDoc = `Find a checksum in a file of checksums: that of a line with the name looked for, else the first there is, else None.

CLI Example:

    salt '*' file.extract_hash /path/to/hash/file sha512 /etc/foo`

type extractArgs struct {
	HashFn   string `arg:"hash_fn"`
	HashType any    `arg:"hash_type" def:"'sha256'"`
	FileName any    `arg:"file_name" def:"''"`
	Source   any    `arg:"source" def:"''"`
	HashName any    `arg:"source_hash_name" def:"None"`
}

// wantedName is a name that a line of a file of checksums may end in or begin with.
type wantedName struct {
	end, start string
	before     string // what may stand before it
}

func extractHash(_ context.Context, _ *modules.Env, in extractArgs) (any, error) {
	lines, err := readLines(in.HashFn)
	if err != nil {
		return nil, plain(err)
	}
	const blanks = " \t\n\r\x0b\x0c"
	var names []wantedName
	if n := text(in.HashName); n != "" {
		names = append(names, wantedName{n, n, blanks})
	}
	if n := text(in.FileName); n != "" {
		names = append(names, wantedName{pypath.Basename(n), n, blanks + `\/*`})
	}
	if n := text(in.Source); n != "" {
		u := pyurl.Parse(n)
		base := u.Path
		if base == "" {
			base = u.Netloc
		}
		names = append(names, wantedName{pypath.Basename(base), n, blanks + `\/*`})
	}
	found := make([]*ordered.Map, len(names))
	var first *ordered.Map
	for _, line := range lines {
		line = pytext.Strip(line)
		sum := findSum(line, hashsum.Length(text(in.HashType)))
		if sum == nil {
			continue
		}
		if first == nil {
			first = sum
		}
		for i, n := range names {
			if found[i] == nil && n.in(line) {
				found[i] = sum
			}
		}
	}
	for _, f := range append(found, first) {
		if f != nil {
			return f, nil
		}
	}
	return nil, nil
}

func (n wantedName) in(line string) bool {
	if strings.HasSuffix(line, n.end) {
		i := len(line) - len(n.end) - 1
		return i >= 0 && strings.IndexByte(n.before, line[i]) >= 0
	}
	rest, ok := strings.CutPrefix(line, n.start)
	return ok && rest != "" && rest != pytext.Lstrip(rest)
}

var hexWords = regexp.MustCompile(`[A-Za-z0-9]+`)

// findSum finds a checksum in a line: of length n, of any known length when n is 0.
func findSum(line string, n int) *ordered.Map {
	kinds := hashsum.Kinds()
	low, high := n, n
	if n == 0 {
		low, high = kinds[0].Len, kinds[len(kinds)-1].Len
	}
	for _, w := range hexWords.FindAllString(line, -1) {
		if len(w) < low || len(w) > high || !hexDigits.MatchString(w) {
			continue
		}
		if kind := hashsum.ByLength(len(w)); kind != "" {
			return ordered.Pairs("hsum", w, "hash_type", kind)
		}
		return nil
	}
	return nil
}

// maxLines bounds how much of a text file is read as lines.
const maxText = 256 << 20

var errTooLarge = errors.New("the file is too large to be worked on as text")

// readText reads a file whole, within bounds.
func readText(path string) (string, error) {
	if fi, err := os.Stat(path); err == nil && fi.Size() > maxText {
		return "", errTooLarge
	}
	p, err := os.ReadFile(path)
	return string(p), err
}

// readLines reads a text file's lines with \n as their ends.
func readLines(path string) ([]string, error) {
	s, err := readText(path)
	return pytext.Lines(pytext.Universal(s)), err
}
