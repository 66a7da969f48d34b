package file

import (
	"context"
	"os"
	"strings"

	"brine/internal/difflib"
	"brine/internal/fileedit"
	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/internal/pytext"
	"brine/modules"
	"brine/states"
)

func editFuncs() []states.Func {
	return []states.Func{
		fn("line", "Edit one line of a file.", line),
		fn("replace", "Replace what a pattern matches in a file.", replace),
		fn("blockreplace", "Replace the lines between two marker lines of a file.", blockreplace),
		fn("keyvalue", "Give keys of a file of keys and values their values.", keyvalue),
		fn("comment", "Put a comment character before the lines that a pattern matches.", comment),
		fn("uncomment", "Take the comment character away from the lines that a pattern matches.", uncomment),
	}
}

// edited is the result of an editing function that answered with a diff or a truth.
func edited(env *states.Env, changes any, would string) *states.Result {
	if !pyfmt.Truth(changes) {
		return states.Fine("No changes needed to be made")
	}
	r := &states.Result{OK: states.True(), Comment: "Changes were made", Changes: ordered.Pairs("diff", changes)}
	if env.Test {
		r.OK, r.Comment = nil, would
	}
	return r
}

// either runs the same in a dry run and for real: f heeds env.Test.
func either(ctx context.Context, env *states.Env, f work) (check, error) {
	if !env.Test {
		return check{Plan: f}, nil
	}
	r, err := f(ctx)
	return states.Check[work]{Would: r}, err
}

type lineArgs struct {
	Name        string `arg:"name"`
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
	Create      bool   `arg:"create" def:"False"`
	User        any    `arg:"user" def:"None"`
	Group       any    `arg:"group" def:"None"`
	FileMode    any    `arg:"file_mode" def:"None"`
}

func line(ctx context.Context, env *states.Env, in lineArgs) (check, error) {
	return either(ctx, env, func(ctx context.Context) (*states.Result, error) {
		if !env.Test {
			if err := in.manage(ctx, env); err != nil {
				return nil, err
			}
		}
		if problem := notAFile(in.Name); problem != "" {
			return states.Failed("%s", problem), nil
		}
		mode := strings.ToLower(text(in.Mode))
		switch {
		case in.Mode == nil:
			return states.Failed("Mode was not defined. How to process the file?"), nil
		case mode != "delete" && in.Content == nil:
			return states.Failed("Content can only be empty if mode is ['delete']"), nil
		}
		changes, err := env.Call(ctx, "file.line", modules.Args{Pos: []any{in.Name, in.Content}, Kw: ordered.Pairs("match", in.Match, "mode", mode, "location", in.Location,
			"before", in.Before, "after", in.After, "show_changes", in.ShowChanges, "backup", in.Backup, "quiet", in.Quiet, "indent", in.Indent)})
		if err != nil {
			return nil, err
		}
		return edited(env, changes, "Changes would be made"), nil
	})
}

// manage makes the file, when asked, and sees to owner and mode.
func (in lineArgs) manage(ctx context.Context, env *states.Env) error {
	args, err := modules.Bind[managedArgs]("managed", modules.Args{Kw: ordered.Pairs("name", in.Name, "create", in.Create, "user", in.User, "group", in.Group,
		"mode", in.FileMode, "replace", false)})
	if err != nil {
		return err
	}
	c, err := managed(ctx, env, args)
	if err != nil || c.Final != nil {
		return err
	}
	_, err = c.Plan(ctx)
	return err
}

type replaceArgs struct {
	Name             string `arg:"name"`
	Pattern          any    `arg:"pattern"`
	Repl             any    `arg:"repl"`
	Count            any    `arg:"count" def:"0"`
	Flags            any    `arg:"flags" def:"8"`
	Bufsize          any    `arg:"bufsize" def:"1"`
	Append           bool   `arg:"append_if_not_found" def:"False"`
	Prepend          bool   `arg:"prepend_if_not_found" def:"False"`
	NotFound         any    `arg:"not_found_content" def:"None"`
	Backup           any    `arg:"backup" def:"'.bak'"`
	ShowChanges      bool   `arg:"show_changes" def:"True"`
	IgnoreIfMissing  bool   `arg:"ignore_if_missing" def:"False"`
	BackslashLiteral bool   `arg:"backslash_literal" def:"False"`
}

func replace(ctx context.Context, env *states.Env, in replaceArgs) (check, error) {
	if problem := notAFile(in.Name); problem != "" {
		if in.IgnoreIfMissing && strings.Contains(problem, "file not found") {
			return final(states.Fine("No changes needed to be made"))
		}
		return refuse("%s", problem)
	}
	return either(ctx, env, func(ctx context.Context) (*states.Result, error) {
		changes, err := env.Call(ctx, "file.replace", modules.Args{Pos: []any{in.Name, in.Pattern, in.Repl}, Kw: ordered.Pairs("count", in.Count, "flags", in.Flags,
			"bufsize", in.Bufsize, "append_if_not_found", in.Append, "prepend_if_not_found", in.Prepend, "not_found_content", in.NotFound, "backup", in.Backup,
			"dry_run", env.Test, "show_changes", in.ShowChanges, "ignore_if_missing", in.IgnoreIfMissing, "backslash_literal", in.BackslashLiteral)})
		if err != nil {
			return nil, err
		}
		return edited(env, changes, "Changes would have been made"), nil
	})
}

type blockreplaceArgs struct {
	Name         string       `arg:"name"`
	Start        any          `arg:"marker_start" def:"'#-- start managed zone --'"`
	End          any          `arg:"marker_end" def:"'#-- end managed zone --'"`
	Source       any          `arg:"source" def:"None"`
	SourceHash   any          `arg:"source_hash" def:"None"`
	Template     any          `arg:"template" def:"'jinja'"`
	Sources      any          `arg:"sources" def:"None"`
	SourceHashes any          `arg:"source_hashes" def:"None"`
	Defaults     *ordered.Map `arg:"defaults" def:"None"`
	Context      *ordered.Map `arg:"context" def:"None"`
	Content      string       `arg:"content" def:"''"`
	Append       bool         `arg:"append_if_not_found" def:"False"`
	Prepend      bool         `arg:"prepend_if_not_found" def:"False"`
	Backup       any          `arg:"backup" def:"'.bak'"`
	ShowChanges  bool         `arg:"show_changes" def:"True"`
	Newline      any          `arg:"append_newline" def:"None"`
	InsertBefore any          `arg:"insert_before_match" def:"None"`
	InsertAfter  any          `arg:"insert_after_match" def:"None"`
}

func blockreplace(ctx context.Context, env *states.Env, in blockreplaceArgs) (check, error) {
	s := sourced{in.Source, in.SourceHash, in.Sources, in.SourceHashes, in.Template, in.Defaults, in.Context}
	list, r := s.list()
	if r != nil {
		return final(r)
	}
	if problem := notAFile(in.Name); problem != "" {
		return refuse("%s", problem)
	}
	content := in.Content
	for _, chunk := range charged(env, in.Name) {
		if content == "" {
			content = chunk
		} else {
			content += "\n" + chunk
		}
	}
	rendered, r, err := s.render(ctx, env, list)
	if r != nil || err != nil {
		return states.Done[work](r), err
	}
	content += strings.Join(rendered, "")
	return either(ctx, env, func(ctx context.Context) (*states.Result, error) {
		changes, err := env.Call(ctx, "file.blockreplace", modules.Args{Pos: []any{in.Name, in.Start, in.End}, Kw: ordered.Pairs("content", content,
			"append_if_not_found", in.Append, "prepend_if_not_found", in.Prepend, "insert_before_match", in.InsertBefore, "insert_after_match", in.InsertAfter,
			"backup", in.Backup, "dry_run", env.Test, "show_changes", in.ShowChanges, "append_newline", in.Newline)})
		if err != nil {
			return states.Failed("Encountered error managing block: %v. See the log for details.", err), nil
		}
		return edited(env, changes, "Changes would be made"), nil
	})
}

type commentArgs struct {
	Name          string `arg:"name"`
	Regex         string `arg:"regex"`
	Char          string `arg:"char" def:"'#'"`
	Backup        any    `arg:"backup" def:"'.bak'"`
	IgnoreMissing bool   `arg:"ignore_missing" def:"False"`
}

type uncommentArgs struct {
	Name   string `arg:"name"`
	Regex  string `arg:"regex"`
	Char   string `arg:"char" def:"'#'"`
	Backup any    `arg:"backup" def:"'.bak'"`
}

// searched tells whether a pattern is in a file.
func searched(ctx context.Context, env *states.Env, name, pattern string) (bool, error) {
	return states.Truth(env.Call(ctx, "file.search", modules.Pos(name, pattern).With("multiline", true)))
}

// unanchored is a pattern without flags and anchors.
func unanchored(pattern string) (string, error) {
	re, err := pyregex.Compile(`^(\(\?[iLmsux]\))?\^?(.*?)\$?$`, 0)
	if err != nil {
		return "", err
	}
	out, _, err := re.Sub(`\2`, pattern, 0)
	return out, err
}

func comment(ctx context.Context, env *states.Env, in commentArgs) (check, error) {
	if problem := notAFile(in.Name); problem != "" {
		return refuse("%s", problem)
	}
	bare, err := unanchored(in.Regex)
	if err != nil {
		return check{}, err
	}
	done := in.Char + bare
	found, err := searched(ctx, env, in.Name, `^(?!\s*`+in.Char+`).*`+bare)
	if err != nil {
		return check{}, err
	}
	if !found {
		already, err := searched(ctx, env, in.Name, done)
		switch {
		case err != nil:
			return check{}, err
		case already:
			return final(states.Fine("Pattern already commented"))
		case in.IgnoreMissing:
			return final(states.Fine("Pattern not found and ignore_missing set to True"))
		}
		return refuse("%s: Pattern not found", bare)
	}
	c := commenting{name: in.Name, regex: in.Regex, char: in.Char, backup: in.Backup, on: true, done: done}
	return c.check(env)
}

func uncomment(ctx context.Context, env *states.Env, in uncommentArgs) (check, error) {
	if problem := notAFile(in.Name); problem != "" {
		return refuse("%s", problem)
	}
	bare := strings.TrimLeft(in.Regex, "^")
	done := "^[ \t]*" + bare
	found, err := searched(ctx, env, in.Name, in.Char+"[ \t]*"+bare)
	if err != nil {
		return check{}, err
	}
	if !found {
		already, err := searched(ctx, env, in.Name, done)
		switch {
		case err != nil:
			return check{}, err
		case already:
			return final(states.Fine("Pattern already uncommented"))
		}
		return refuse("%s: Pattern not found", in.Regex)
	}
	return commenting{name: in.Name, regex: in.Regex, char: in.Char, backup: in.Backup, done: done}.check(env)
}

// commenting puts a comment character in or takes it away; done is the pattern of success.
type commenting struct {
	name, regex, char, done string
	backup                  any
	on                      bool
}

func (c commenting) check(env *states.Env) (check, error) {
	return change(func(ctx context.Context) (*states.Result, error) { return c.apply(ctx, env) },
		"File "+c.name+" is set to be updated", ordered.Pairs(c.name, "updated"))
}

func (c commenting) apply(ctx context.Context, env *states.Env) (*states.Result, error) {
	before, err := os.ReadFile(c.name)
	if err != nil {
		return nil, err
	}
	if _, err := call(ctx, env, "file.comment_line", c.name, c.regex, c.char, c.on, c.backup); err != nil {
		return nil, err
	}
	after, err := os.ReadFile(c.name)
	if err != nil {
		return nil, err
	}
	ok, err := searched(ctx, env, c.name, c.done)
	if err != nil {
		return nil, err
	}
	verb, expected := "Uncommented", "Expected uncommented lines not found"
	if c.on {
		verb, expected = "Commented", "Expected commented lines not found"
	}
	r := &states.Result{OK: &ok, Comment: verb + " lines successfully", Changes: ordered.New(1)}
	if !ok {
		r.Comment = expected
	}
	noteDiff(r.Changes, c.name, pytext.Splitlines(string(before), true), pytext.Splitlines(string(after), true))
	return r, nil
}

// noteDiff shows how the lines of a file changed, if they did.
func noteDiff(changes *ordered.Map, name string, before, after []string) {
	if d := difflib.Unified(before, after, "", ""); d != "" {
		if pypath.Exists(name) && !fileops.IsText(name) {
			d = "Replace binary file"
		}
		changes.Set("diff", d)
	}
}

type keyvalueArgs struct {
	Name            string `arg:"name"`
	Key             any    `arg:"key" def:"None"`
	Value           any    `arg:"value" def:"None"`
	KeyValues       any    `arg:"key_values" def:"None"`
	Separator       string `arg:"separator" def:"'='"`
	Append          bool   `arg:"append_if_not_found" def:"False"`
	Prepend         bool   `arg:"prepend_if_not_found" def:"False"`
	SearchOnly      bool   `arg:"search_only" def:"False"`
	ShowChanges     bool   `arg:"show_changes" def:"True"`
	IgnoreIfMissing bool   `arg:"ignore_if_missing" def:"False"`
	Count           any    `arg:"count" def:"1"`
	Uncomment       any    `arg:"uncomment" def:"None"`
	KeyIgnoreCase   bool   `arg:"key_ignore_case" def:"False"`
	ValueIgnoreCase bool   `arg:"value_ignore_case" def:"False"`
}

func keyvalue(_ context.Context, _ *states.Env, in keyvalueArgs) (check, error) {
	e := fileedit.KeyValues{Separator: in.Separator, Append: in.Append, Prepend: in.Prepend, FoldKeys: in.KeyIgnoreCase, FoldValues: in.ValueIgnoreCase}
	given, isDict := in.KeyValues.(*ordered.Map)
	switch {
	case in.Key != nil && in.Value != nil && isDict:
		return refuse("file.keyvalue can not combine key_values with key and value")
	case in.Key != nil && in.Value != nil:
		given = ordered.Pairs(pyfmt.Str(in.Key), in.Value)
	case !pyfmt.Truth(in.KeyValues):
		return refuse("file.keyvalue key and value not supplied and key_values is empty")
	case !isDict:
		return refuse("file.keyvalue key and value not supplied and key_values is not a dictionary")
	}
	e.Pairs = ordered.New(given.Len())
	for k, v := range given.All() {
		e.Pairs.Set(pyfmt.Str(k), v)
	}
	var err error
	if e.Count, err = modules.Int(in.Count); err != nil {
		return check{}, err
	}
	if in.Uncomment != nil {
		chars := pyfmt.Str(in.Uncomment)
		e.Uncomment = &chars
	}
	old, err := readText(in.Name)
	if err != nil {
		r := states.Failed("unable to open %s", in.Name)
		if in.IgnoreIfMissing {
			r.OK = states.True()
		}
		return final(r)
	}
	out := e.Apply(old)
	if out.Changes == 0 {
		return final(states.Fine(""))
	}
	would := "File " + in.Name + " is set to be changed (" + pyfmt.Str(out.Changes) + " lines)"
	changes := ordered.New(1)
	if in.ShowChanges {
		changes.Set("diff", strings.Join(out.Diff, ""))
		would += "\nPredicted diff:\n\r\t\t" + strings.Join(out.Diff, "\r\t\t")
	}
	return change(func(context.Context) (*states.Result, error) {
		r := &states.Result{OK: states.True(), Comment: "Changed " + pyfmt.Str(out.Changes) + " lines", Changes: changes}
		if err := fileops.Put(in.Name, []byte(out.Text)); err != nil {
			r.OK, r.Comment = states.False(), in.Name+" not writable"
		}
		return r, nil
	}, would, changes)
}
