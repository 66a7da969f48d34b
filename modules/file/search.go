package file

import (
	"context"
	"strings"

	"brine/internal/fileedit"
	"brine/internal/fileops"
	"brine/internal/fnmatch"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/internal/pytext"
	"brine/modules"
)

func searchFuncs() []modules.Func {
	return []modules.Func{
		modules.PureFn("contains", containsDoc, contains),
		modules.PureFn("contains_glob", containsGlobDoc, containsGlob),
		modules.PureFn("contains_regex", containsRegexDoc, containsRegex),
		modules.PureFn("search", searchDoc, search),
	}
}

const containsDoc = `Tell whether a text is in a file; blanks around it do not count.

CLI Example:

    salt '*' file.contains /etc/crontab 'mymaintenance.sh'`

type containsArgs struct {
	Path string `arg:"path"`
	Text any    `arg:"text"`
}

func contains(_ context.Context, _ *modules.Env, in containsArgs) (any, error) {
	content, err := readText(pypath.Expanduser(in.Path))
	return err == nil && content != "" && strings.Contains(content, pytext.Strip(pyfmt.Str(in.Text))), nil
}

const containsRegexDoc = `Tell whether a pattern is found in any line of a file.

lchar
    characters to take off the beginning of each line first

CLI Example:

    salt '*' file.contains_regex /etc/crontab '^0'`

type containsRegexArgs struct {
	Path  string `arg:"path"`
	Regex string `arg:"regex"`
	Lchar string `arg:"lchar" def:"''"`
}

func containsRegex(_ context.Context, _ *modules.Env, in containsRegexArgs) (any, error) {
	lines, err := readLines(pypath.Expanduser(in.Path))
	if err != nil || len(lines) == 0 {
		return false, nil
	}
	re, err := pyregex.Compile(in.Regex, 0)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		m, err := re.Search(strings.TrimLeft(l, in.Lchar))
		if err != nil {
			return nil, err
		}
		if m != nil {
			return true, nil
		}
	}
	return false, nil
}

const containsGlobDoc = `Tell whether a glob matches the whole content of a file.

CLI Example:

    salt '*' file.contains_glob /etc/foobar '*cheese*'`

type containsGlobArgs struct {
	Path string `arg:"path"`
	Glob string `arg:"glob_expr"`
}

func containsGlob(_ context.Context, _ *modules.Env, in containsGlobArgs) (any, error) {
	content, err := readText(pypath.Expanduser(in.Path))
	return err == nil && content != "" && fnmatch.Match(in.Glob, content), nil
}

const searchDoc = `Tell whether a pattern is found in a file.

flags
    as in file.replace
multiline
    let ^ and $ match at line breaks, whatever flags say

CLI Example:

    salt '*' file.search /etc/crontab 'mymaintenance.sh'`

type searchArgs struct {
	Path      string `arg:"path"`
	Pattern   string `arg:"pattern"`
	Flags     any    `arg:"flags" def:"8"`
	Bufsize   any    `arg:"bufsize" def:"1"`
	IgnoreIf  bool   `arg:"ignore_if_missing" def:"False"`
	Multiline bool   `arg:"multiline" def:"False"`
}

func search(_ context.Context, _ *modules.Env, in searchArgs) (any, error) {
	flags, err := reFlags(in.Flags)
	if err != nil {
		return nil, err
	}
	if in.Multiline {
		flags |= pyregex.Multiline
	}
	content, missing, err := editable(pypath.Realpath(pypath.Expanduser(in.Path)), in.IgnoreIf)
	if err != nil || missing {
		return false, err
	}
	return fileedit.Substitution{Pattern: in.Pattern, Flags: flags}.Search(content)
}

// editable reads a file that is to be searched or edited as text.
func editable(path string, ignoreMissing bool) (content string, missing bool, err error) {
	if !pypath.Exists(path) {
		if ignoreMissing {
			return "", true, nil
		}
		return "", false, modules.Invalidf("File not found: %s", path)
	}
	if !fileops.IsText(path) {
		return "", false, modules.Invalidf("Cannot perform string replacements on a binary file: %s", path)
	}
	content, err = readText(path)
	if err != nil {
		err = modules.Errorf("Unable to open file '%s'. Exception: %v", path, plain(err))
	}
	return content, false, err
}

// reFlags reads flags of Python's re: a number, a name or a list of names.
func reFlags(v any) (pyregex.Flags, error) {
	var list []any
	switch t := v.(type) {
	case int64:
		return flagBits(t), nil
	case string:
		list = []any{t}
	case []any:
		list = t
	default:
		return 0, modules.Errorf(`Invalid re flags: "%s", must be given either as a single flag string, a list of strings, as an integer, or as an re flag`, pyfmt.Str(v))
	}
	var out pyregex.Flags
	for _, f := range list {
		switch strings.ToUpper(pyfmt.Str(f)) {
		case "IGNORECASE", "I":
			out |= pyregex.IgnoreCase
		case "MULTILINE", "M":
			out |= pyregex.Multiline
		case "DOTALL", "S":
			out |= pyregex.DotAll
		case "VERBOSE", "X":
			out |= pyregex.Verbose
		case "ASCII", "A", "UNICODE", "U", "LOCALE", "L", "DEBUG", "TEMPLATE", "T":
		default:
			return 0, modules.Errorf("Invalid re flag given: %s", pyfmt.Str(f))
		}
	}
	return out, nil
}

// flagBits reads the numbers of Python's re: I is 2, M 8, S 16, X 64.
func flagBits(n int64) pyregex.Flags {
	var out pyregex.Flags
	for bit, f := range map[int64]pyregex.Flags{2: pyregex.IgnoreCase, 8: pyregex.Multiline, 16: pyregex.DotAll, 64: pyregex.Verbose} {
		if n&bit != 0 {
			out |= f
		}
	}
	return out
}
