package cmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"brine/internal/host"
	"brine/internal/pyfmt"
	"brine/internal/pytext"
	"brine/modules"
)

// outcome decodes the output and holds it against what counts as success.
func (in *command) outcome(res host.Result) (result, error) {
	out := result{pid: res.Pid}
	var err error
	if out.stdout, err = decode(res.Stdout, in.OutputEncoding); err != nil {
		return out, err
	}
	if out.stderr, err = decode(res.Stderr, in.OutputEncoding); err != nil {
		return out, err
	}
	if in.Rstrip {
		out.stdout, out.stderr = pytext.Rstrip(out.stdout), pytext.Rstrip(out.stderr)
	}
	codes, err := in.successCodes()
	if err != nil {
		return out, err
	}
	code := int64(res.Retcode)
	if slices.Contains(codes, code) || within(out.stdout, in.SuccessStdout) || within(out.stderr, in.SuccessStderr) {
		code = 0
	}
	out.retcode = code
	return out, nil
}

func (in *command) successCodes() ([]int64, error) {
	if in.SuccessRetcodes == nil {
		return []int64{0}, nil
	}
	var out []int64
	for _, v := range split(in.SuccessRetcodes) {
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil {
			return nil, modules.Invalidf("success_retcodes must be a list of integers")
		}
		out = append(out, n)
	}
	return out, nil
}

// split reads a list, or a text with commas.
func split(v any) []string {
	if list, ok := v.([]any); ok {
		out := make([]string, len(list))
		for i, e := range list {
			out[i] = strings.TrimSpace(pyfmt.Str(e))
		}
		return out
	}
	parts := strings.Split(pyfmt.Str(v), ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func within(output string, wanted any) bool {
	if wanted == nil {
		return false
	}
	return slices.ContainsFunc(split(wanted), func(w string) bool { return strings.Contains(output, w) })
}

// decode makes text of what a command printed.
func decode(p []byte, encoding any) (string, error) {
	if encoding == nil {
		return pytext.Decode(p), nil
	}
	switch strings.ReplaceAll(strings.ToLower(pyfmt.Str(encoding)), "_", "-") {
	case "utf-8", "utf8", "ascii", "us-ascii":
		return pytext.Decode(p), nil
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1":
		runes := make([]rune, len(p))
		for i, c := range p {
			runes[i] = rune(c)
		}
		return string(runes), nil
	}
	return "", fmt.Errorf("unknown encoding: %s", pyfmt.Str(encoding))
}
