package file

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"brine/internal/atomicfile"
	"brine/internal/difflib"
	"brine/internal/fileedit"
	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
)

func editFuncs() []modules.Func {
	return []modules.Func{
		modules.Fn("blockreplace", blockreplaceDoc, blockreplace),
		modules.Fn("comment", commentDoc, comment),
		modules.Fn("comment_line", commentLineDoc, commentLine),
		modules.Fn("line", lineDoc, line),
		modules.Fn("replace", replaceDoc, replace),
		modules.Fn("uncomment", uncommentDoc, uncomment),
	}
}

func diff(before, after []string) string { return difflib.Unified(before, after, "", "") }

const commentDoc = `Put a comment character before the lines that a pattern matches. The answer is a diff, False when no line matches.

CLI Example:

    salt '*' file.comment /etc/modules pcspkr`

type commentArgs struct {
	Path   string `arg:"path"`
	Regex  string `arg:"regex"`
	Char   string `arg:"char" def:"'#'"`
	Backup any    `arg:"backup" def:"'.bak'"`
}

func comment(ctx context.Context, env *modules.Env, in commentArgs) (any, error) {
	return commentLine(ctx, env, commentLineArgs{in.Path, in.Regex, in.Char, true, in.Backup})
}

const uncommentDoc = `Take the comment character away from the lines that a pattern matches. The answer is a diff, False when no line matches.

CLI Example:

    salt '*' file.uncomment /etc/hosts.deny 'ALL: PARANOID'`

func uncomment(ctx context.Context, env *modules.Env, in commentArgs) (any, error) {
	return commentLine(ctx, env, commentLineArgs{in.Path, in.Regex, in.Char, false, in.Backup})
}

const commentLineDoc = `Put a comment character before the lines that a pattern matches, or with cmnt=False take it away. The answer is a diff, False when
no line matches.

CLI Example:

    salt '*' file.comment_line '/etc/modules' '^pcspkr'`

type commentLineArgs struct {
	Path   string `arg:"path"`
	Regex  string `arg:"regex"`
	Char   string `arg:"char" def:"'#'"`
	Cmnt   bool   `arg:"cmnt" def:"True"`
	Backup any    `arg:"backup" def:"'.bak'"`
}

func commentLine(_ context.Context, _ *modules.Env, in commentLineArgs) (any, error) {
	path := pypath.Realpath(pypath.Expanduser(in.Path))
	if !pypath.IsFile(path) {
		return nil, modules.Invalidf("File not found: %s", path)
	}
	content, _, err := editable(path, false)
	if err != nil {
		return nil, err
	}
	before, after, out, err := fileedit.Comment(content, in.Regex, in.Char, in.Cmnt)
	if err != nil {
		return nil, err
	}
	if len(before) == 0 {
		return false, nil
	}
	if err := keepAndWrite(path, path+text(in.Backup), pyfmt.Truth(in.Backup), out); err != nil {
		return nil, err
	}
	return diff(before, after), nil
}

// keepAndWrite keeps the old content at backup and replaces it.
func keepAndWrite(path, backup string, keep bool, content string) error {
	if keep {
		if err := fileops.Keep(path, backup); err != nil {
			return modules.Errorf("Unable to move the temp file '%s' to the backup file '%s'. Exception: %v", path, backup, plain(err))
		}
	}
	if err := atomicfile.Rewrite(path, []byte(content)); err != nil {
		return modules.Errorf("Unable to write file '%s'. Exception: %v", path, plain(err))
	}
	return nil
}

const lineDoc = `Edit one line of a file.

content
    the line; may be left out for delete
match
    pattern for, or part of, the line to delete or replace; content when not given
mode
    ensure, replace, delete or insert
location
    start or end, for insert
before, after
    pattern for, or part of, the one line to put it before or after
show_changes
    answer a diff; otherwise whether anything changed
backup
    keep the old file, with the time added to its name
quiet
    a file that is not there is no error
indent
    take the indentation of the line beside

CLI Example:

    salt '*' file.line /etc/nsswitch.conf "networks:\tfiles dns" after="hosts:.*?" mode='ensure'`

type lineArgs struct {
	Path        string `arg:"path"`
	Content     any    `arg:"content" def:"None"`
	Match       any    `arg:"match" def:"None"`
	Mode        any    `arg:"mode" def:"None"`
	Location    any    `arg:"location" def:"None"`
	Before      any    `arg:"before" def:"None"`
	After       any    `arg:"after" def:"None"`
	ShowChanges bool   `arg:"show_changes" def:"True"`
	Backup      any    `arg:"backup" def:"False"`
	Quiet       bool   `arg:"quiet" def:"False"`
	Indent      bool   `arg:"indent" def:"True"`
}

// given is a value as text, nil for one that was not given.
func given(v any) *string {
	if v == nil {
		return nil
	}
	s := pyfmt.Str(v)
	return &s
}

func line(_ context.Context, env *modules.Env, in lineArgs) (any, error) {
	path := pypath.Realpath(pypath.Expanduser(in.Path))
	if !pypath.IsFile(path) {
		if in.Quiet {
			return false, nil
		}
		return nil, modules.Errorf(`File "%s" does not exists or is not a file.`, path)
	}
	mode := strings.ToLower(text(in.Mode))
	switch mode {
	case "insert", "ensure", "delete", "replace":
	default:
		if in.Mode == nil {
			return nil, modules.Errorf("Mode was not defined. How to process the file?")
		}
		return nil, modules.Errorf(`Unknown mode: "%s"`, mode)
	}
	content, err := readText(path)
	if err != nil {
		return nil, plain(err)
	}
	before, after, err := fileedit.LineEdit{Content: given(in.Content), Match: given(in.Match), Before: given(in.Before), After: given(in.After),
		Mode: mode, Location: text(in.Location), Indent: in.Indent}.Apply(content)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	now := strings.Join(after, "")
	if now == strings.Join(before, "") {
		return false, nil
	}
	if !env.Test {
		backup := path + "." + time.Now().Format("2006-01-02-15-04-05")
		if err := keepAndWrite(path, backup, pyfmt.Truth(in.Backup), now); err != nil {
			return nil, err
		}
	}
	if d := diff(before, after); in.ShowChanges && d != "" {
		return d, nil
	}
	return true, nil
}

const replaceDoc = `Replace what a pattern matches in a file.

repl
    the replacement; \1 stands for a group unless backslash_literal=True
count
    how many matches to replace, 0 for all
flags
    names such as IGNORECASE, MULTILINE and DOTALL, or the number of Python's re; MULTILINE when not given
append_if_not_found, prepend_if_not_found, not_found_content
    add the text, or another one, where nothing matches
backup
    what is added to the name of the copy that is kept, False for none
dry_run, search_only
    change nothing; tell what would change, or whether anything matches
show_changes
    answer a diff; otherwise whether anything changed
ignore_if_missing
    a file that is not there is no error

CLI Example:

    salt '*' file.replace /etc/httpd/httpd.conf pattern='LogLevel warn' repl='LogLevel info'
    salt '*' file.replace /some/file pattern='before' repl='after' flags='[MULTILINE, IGNORECASE]'`

type replaceArgs struct {
	Path             string `arg:"path"`
	Pattern          string `arg:"pattern"`
	Repl             any    `arg:"repl"`
	Count            int    `arg:"count" def:"0"`
	Flags            any    `arg:"flags" def:"8"`
	Bufsize          any    `arg:"bufsize" def:"1"`
	Append           bool   `arg:"append_if_not_found" def:"False"`
	Prepend          bool   `arg:"prepend_if_not_found" def:"False"`
	NotFound         any    `arg:"not_found_content" def:"None"`
	Backup           any    `arg:"backup" def:"'.bak'"`
	DryRun           bool   `arg:"dry_run" def:"False"`
	SearchOnly       bool   `arg:"search_only" def:"False"`
	ShowChanges      bool   `arg:"show_changes" def:"True"`
	IgnoreIfMissing  bool   `arg:"ignore_if_missing" def:"False"`
	PreserveInode    bool   `arg:"preserve_inode" def:"True"`
	BackslashLiteral bool   `arg:"backslash_literal" def:"False"`
}

func replace(_ context.Context, _ *modules.Env, in replaceArgs) (any, error) {
	shown := pypath.Expanduser(in.Path)
	path := pypath.Realpath(shown)
	content, missing, err := editable(path, in.IgnoreIfMissing)
	switch {
	case err != nil || missing:
		return false, err
	case in.SearchOnly && (in.Append || in.Prepend):
		return nil, modules.Invalidf("search_only cannot be used with append/prepend_if_not_found")
	case in.Append && in.Prepend:
		return nil, modules.Invalidf("Only one of append and prepend_if_not_found is permitted")
	}
	flags, err := reFlags(in.Flags)
	if err != nil {
		return nil, err
	}
	s := fileedit.Substitution{Pattern: in.Pattern, Repl: pyfmt.Str(in.Repl), Flags: flags, Count: in.Count, Literal: in.BackslashLiteral,
		Append: in.Append, Prepend: in.Prepend, NotFound: given(in.NotFound)}
	if in.SearchOnly {
		return s.Search(content)
	}
	o, err := s.Apply(content)
	if err != nil {
		return nil, err
	}
	if (o.Changed || o.Added) && !in.DryRun {
		if err := in.commit(shown, path, o); err != nil {
			return nil, err
		}
	}
	d := diff(o.Before, o.After)
	if in.ShowChanges {
		return d, nil
	}
	return d != "", nil
}

// commit writes the new content and keeps the old; shown is the path as given, which may be a link to path.
func (in replaceArgs) commit(shown, path string, o fileedit.Outcome) error {
	suffix := text(in.Backup)
	keep := pyfmt.Truth(in.Backup)
	switch {
	case keep && !in.PreserveInode && o.Changed:
		// The old inode goes with the backup: a further name first, then the new file takes the place in one step.
		_ = os.Remove(path + suffix)
		if err := os.Link(path, path+suffix); err != nil {
			return modules.Errorf("Unable to move file '%s' to the temp file '%s'. Exception: %v", path, path+suffix, plain(err))
		}
	case keep:
		if err := fileops.Keep(path, path+suffix); err != nil {
			return modules.Errorf("Unable to copy file '%s' to the temp file '%s'. Exception: %v", path, path+suffix, plain(err))
		}
	}
	var err error
	if in.PreserveInode && !o.Added {
		err = fileops.Overwrite(path, func(w io.Writer) error {
			_, err := io.WriteString(w, o.Text())
			return err
		})
	} else {
		err = atomicfile.Rewrite(path, []byte(o.Text()))
	}
	if err != nil {
		return modules.Errorf("Unable to write file '%s'. Contents may be truncated. Exception: %v", path, plain(err))
	}
	if keep && pypath.IsLink(shown) {
		return backupLink(shown, suffix)
	}
	return nil
}

// backupLink makes a link beside a link that leads to the backup.
func backupLink(shown, suffix string) error {
	to, err := os.Readlink(shown)
	if err != nil {
		return plain(err)
	}
	if err := replaceLink(to+suffix, shown+suffix); err != nil {
		return modules.Errorf("Unable create backup symlink '%s'. Target was '%s'. Exception: %v", shown+suffix, to+suffix, plain(err))
	}
	return nil
}

const blockreplaceDoc = `Replace the lines between two marker lines of a file.

content
    what is to stand between the markers
append_if_not_found, prepend_if_not_found, insert_before_match, insert_after_match
    where to put the block when the markers are not there: at most one of these
backup
    what is added to the name of the copy that is kept, False for none
dry_run
    change nothing, tell what would change
show_changes
    answer a diff; otherwise whether anything changed
append_newline
    add a line break to the content: True, False, or None for when it has none

CLI Example:

    salt '*' file.blockreplace /etc/hosts '#-- start managed zone foobar : DO NOT EDIT --' \
    '#-- end managed zone foobar --' $'10.0.1.1 foo.foobar\n10.0.1.2 bar.foobar' True`

type blockreplaceArgs struct {
	Path         string `arg:"path"`
	Start        string `arg:"marker_start" def:"'#-- start managed zone --'"`
	End          string `arg:"marker_end" def:"'#-- end managed zone --'"`
	Content      string `arg:"content" def:"''"`
	Append       bool   `arg:"append_if_not_found" def:"False"`
	Prepend      bool   `arg:"prepend_if_not_found" def:"False"`
	Backup       any    `arg:"backup" def:"'.bak'"`
	DryRun       bool   `arg:"dry_run" def:"False"`
	ShowChanges  bool   `arg:"show_changes" def:"True"`
	Newline      any    `arg:"append_newline" def:"False"`
	InsertBefore any    `arg:"insert_before_match" def:"None"`
	InsertAfter  any    `arg:"insert_after_match" def:"None"`
}

func blockreplace(_ context.Context, _ *modules.Env, in blockreplaceArgs) (any, error) {
	ways := 0
	for _, on := range []bool{in.Append, in.Prepend, pyfmt.Truth(in.InsertBefore), pyfmt.Truth(in.InsertAfter)} {
		if on {
			ways++
		}
	}
	if ways > 1 {
		return nil, modules.Invalidf("Only one of append_if_not_found, prepend_if_not_found, insert_before_match, and insert_after_match is permitted")
	}
	path := pypath.Expanduser(in.Path)
	if !pypath.Exists(path) {
		return nil, modules.Invalidf("File not found: %s", path)
	}
	if fileops.IsBinary(path) && !fileops.IsText(path) {
		return nil, modules.Invalidf("Cannot perform string replacements on a binary file: %s", path)
	}
	for name, v := range ordered.Pairs("insert_before_match", in.InsertBefore, "insert_after_match", in.InsertAfter).All() {
		if _, ok := v.(string); pyfmt.Truth(v) && !ok {
			return nil, modules.Errorf("RegEx expected in %s parameter.", name)
		}
	}
	content, err := readText(path)
	if err != nil {
		return nil, modules.Errorf("Failed to read from %s: %v", path, plain(err))
	}
	e := fileedit.BlockEdit{Start: in.Start, End: in.End, Content: in.Content, Append: in.Append, Prepend: in.Prepend,
		InsertBefore: text(in.InsertBefore), InsertAfter: text(in.InsertAfter)}
	if in.Newline != nil {
		on := pyfmt.Truth(in.Newline)
		e.Newline = &on
	}
	before, after, err := e.Apply(content)
	if err != nil {
		return nil, modules.Errorf("%v", err)
	}
	d := diff(before, after)
	if d != "" && !in.DryRun {
		if err := keepAndWrite(path, path+text(in.Backup), in.Backup != false && text(in.Backup) != "", strings.Join(after, "")); err != nil {
			return nil, err
		}
	}
	if in.ShowChanges {
		return d, nil
	}
	return d != "", nil
}
