// Package archive holds the archive.* states: archives unpacked into folders. Comments and changes are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/all/salt.states.archive.html.
package archive

import (
	"context"
	"os"
	"slices"
	"strings"

	"brine/internal/archives"
	"brine/internal/fileinfo"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pyregex"
	"brine/internal/pyurl"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "archive", Doc: "States for archives.", Funcs: []states.Func{
		states.Fn("extracted", "Unpack an archive into a folder, unless all that is in it is there.", look,
			func(ctx context.Context, _ *states.Env, _ extractedArgs, x *extraction) (*states.Result, error) {
				return x.apply(ctx)
			}),
	}}
}

type extractedArgs struct {
	Name             string         `arg:"name"`
	Source           any            `arg:"source"`
	SourceHash       any            `arg:"source_hash" def:"None"`
	SourceHashName   any            `arg:"source_hash_name" def:"None"`
	SourceHashUpdate bool           `arg:"source_hash_update" def:"False"`
	SkipVerify       bool           `arg:"skip_verify" def:"False"`
	Password         any            `arg:"password" def:"None"`
	Options          any            `arg:"options" def:"None"`
	ListOptions      any            `arg:"list_options" def:"None"`
	Force            bool           `arg:"force" def:"False"`
	Overwrite        bool           `arg:"overwrite" def:"False"`
	Clean            bool           `arg:"clean" def:"False"`
	CleanParent      bool           `arg:"clean_parent" def:"False"`
	User             any            `arg:"user" def:"None"`
	Group            any            `arg:"group" def:"None"`
	IfMissing        any            `arg:"if_missing" def:"None"`
	TrimOutput       any            `arg:"trim_output" def:"False"`
	UseCmdUnzip      any            `arg:"use_cmd_unzip" def:"None"`
	ExtractPerms     bool           `arg:"extract_perms" def:"True"`
	EnforceToplevel  bool           `arg:"enforce_toplevel" def:"True"`
	EnforceOwnership any            `arg:"enforce_ownership_on" def:"None"`
	Format           any            `arg:"archive_format" def:"None"`
	UseEtag          bool           `arg:"use_etag" def:"False"`
	Kwargs           modules.Kwargs `arg:"**kwargs"`
}

// extraction is one run of extracted.
type extraction struct {
	extractedArgs
	env      *states.Env
	keep     bool
	source   string // as chosen; the path of a local one
	local    bool
	format   string
	sum      *ordered.Map
	cached   string
	was      string       // the checksum of the copy before
	contents *ordered.Map // nil when it cannot be told
	warnings []string
	changes  *ordered.Map
	// what the look found
	wrong                     []string // paths of another kind
	needed, missing, newSum   bool
	ifMissingThere, strangers bool
}

type check = states.Check[*extraction]

func look(ctx context.Context, env *states.Env, in extractedArgs) (check, error) {
	x := &extraction{extractedArgs: in, env: env, keep: true, changes: ordered.New(0), sum: ordered.New(0)}
	for _, step := range []func(context.Context) (*states.Result, error){x.prepare, x.choose, x.readOptions, x.fetch, x.list, x.compare} {
		r, err := step(ctx)
		if err != nil {
			return check{}, err
		}
		if r != nil {
			r.Warnings = append(x.warnings, r.Warnings...)
			if r.OK == nil {
				return check{Would: r}, nil
			}
			return check{Final: r}, nil
		}
	}
	if env.Test {
		r, err := x.predict()
		return check{Would: r}, err
	}
	return check{Plan: x}, nil
}

func fail(format string, a ...any) (*states.Result, error) { return states.Failed(format, a...), nil }

func absolute(v any) bool { return v == nil || pypath.IsAbs(pyfmt.Str(v)) }

// prepare checks paths and owner.
func (x *extraction) prepare(context.Context) (*states.Result, error) {
	if v, ok := x.Kwargs.Get("keep"); ok {
		x.keep = pyfmt.Truth(v)
	}
	if v, ok := x.Kwargs.Get("keep_source"); ok {
		x.keep = pyfmt.Truth(v)
		if x.Kwargs.Has("keep") {
			x.warnings = append(x.warnings, "Both 'keep_source' and 'keep' were used. Since these both do the same thing, 'keep' was ignored.")
		}
	}
	switch {
	case !pypath.IsAbs(x.Name):
		return fail("%s is not an absolute path", x.Name)
	case pypath.IsFile(strings.TrimRight(x.Name, "/")):
		return fail("%s exists and is not a directory", strings.TrimRight(x.Name, "/"))
	case !absolute(x.IfMissing):
		return fail("Value for 'if_missing' is not an absolute path")
	case !absolute(x.EnforceOwnership):
		return fail("Value for 'enforce_ownership_on' is not an absolute path")
	}
	x.Name = strings.TrimRight(x.Name, "/") + "/"
	if x.EnforceOwnership != nil && strings.HasPrefix(pypath.Relpath(pyfmt.Str(x.EnforceOwnership), x.Name), "../") {
		return fail("Value for 'enforce_ownership_on' must be within %s", x.Name)
	}
	if pyfmt.Truth(x.User) {
		if _, ok := fileinfo.UID(x.User); !ok {
			return fail("User %s does not exist", pyfmt.Str(x.User))
		}
	}
	if pyfmt.Truth(x.Group) {
		if _, ok := fileinfo.GID(x.Group); !ok {
			return fail("Group %s does not exist", pyfmt.Str(x.Group))
		}
	}
	if x.SourceHashUpdate && !pyfmt.Truth(x.SourceHash) {
		x.warnings = append(x.warnings, "The 'source_hash_update' argument is ignored when 'source_hash' is not also specified.")
	}
	return nil, nil
}

// choose finds the source and the format.
func (x *extraction) choose(ctx context.Context) (*states.Result, error) {
	v, err := x.env.Call(ctx, "file.source_list", modules.Pos(x.Source, x.SourceHash, x.env.Saltenv))
	if r, err := states.Refused(err); r != nil || err != nil {
		return r, err
	}
	pair, _ := v.([]any)
	x.source = pyfmt.Str(pair[0])
	u := pyurl.Parse(x.source)
	path := strings.TrimRight(pypath.Join(u.Netloc, u.Path), "/")
	if u.Scheme == "" || u.Scheme == "file" {
		x.local = true
		x.source = pypath.Realpath(pypath.Expanduser(path))
		if !pypath.IsFile(x.source) {
			return fail("Source file '%s' does not exist", x.source)
		}
	}
	if path == "" {
		path = u.Netloc
	}
	if !pyfmt.Truth(x.Format) {
		if x.format = archives.Guess(path); x.format == "" {
			return fail("Could not guess archive_format from the value of the 'source' argument. Please set this archive_format to one of the following: tar, rar, zip")
		}
		return nil, nil
	}
	x.format = strings.ToLower(pyfmt.Str(x.Format))
	if !slices.Contains([]string{"tar", "rar", "zip"}, x.format) {
		return fail("Invalid archive_format '%s'. Either set it to a supported value (tar, rar, zip) or remove this argument and the archive format will be guesseed based on file extension.", x.format)
	}
	return nil, nil
}

// readOptions checks what goes with the format.
func (x *extraction) readOptions(context.Context) (*states.Result, error) {
	options, password := pyfmt.Truth(x.Options), pyfmt.Truth(x.Password)
	switch {
	case x.format == "zip" && options && x.UseCmdUnzip != nil && !pyfmt.Truth(x.UseCmdUnzip):
		return fail("'use_cmd_unzip' cannot be set to False if CLI options are being specified (via the 'options' argument). Either remove 'use_cmd_unzip', or set it to True.")
	case x.format == "zip" && options && pypath.Which("unzip") == "":
		return fail("archive.cmd_unzip function not available, unzip might not be installed on minion")
	case x.format != "zip" && password:
		return fail("The 'password' argument is only supported for zip archives")
	case x.format == "rar" && pypath.Which("unrar") == "" && pypath.Which("rar") == "":
		return fail("archive.unrar function not available, rar/unrar might not be installed on minion")
	case x.format == "rar" && options:
		return fail("The 'options' argument is only compatible with the following archive formats: tar, zip")
	}
	if x.format == "zip" {
		if options && x.UseCmdUnzip == nil {
			x.UseCmdUnzip = true
		}
		if password && pyfmt.Truth(x.UseCmdUnzip) {
			x.warnings = append(x.warnings, "Using a password in combination with setting 'use_cmd_unzip' to True is considered insecure. It is recommended to remove the 'use_cmd_unzip' "+
				"argument (or set it to False) and allow Salt to extract the archive using Python's built-in ZIP file support.")
		}
	}
	switch t := x.TrimOutput.(type) {
	case bool:
		if t {
			x.TrimOutput = int64(100)
		}
	case string:
		n, err := modules.Int(t)
		if err != nil {
			return fail("Invalid value for trim_output, must be True/False or an integer")
		}
		x.TrimOutput = n
	}
	return nil, nil
}

const stripOption = `--strip(?:-components)?(?:\s+|=)["']?(\d+)["']?`

// strip is how many folders the options leave out, nil for none.
func (x *extraction) strip() (any, error) {
	if x.format != "tar" || !pyfmt.Truth(x.Options) {
		return nil, nil
	}
	re, err := pyregex.Compile(stripOption, 0)
	if err != nil {
		return nil, err
	}
	m, err := re.Search(pyfmt.Str(x.Options))
	if m == nil || err != nil {
		return nil, err
	}
	n, _ := m.Group(1)
	return n, nil
}

// list finds out what is in the archive.
func (x *extraction) list(ctx context.Context) (*states.Result, error) {
	if x.format == "zip" && !pyfmt.Truth(x.Password) {
		encrypted, err := states.Truth(x.env.Call(ctx, "archive.is_encrypted", modules.Pos(x.cached)))
		if err != nil {
			if _, err := states.Refused(err); err != nil {
				return nil, err
			}
		}
		if encrypted {
			return fail("Archive %s is password-protected, but no password was specified. Please set the 'password' argument.", pyurl.Redact(x.source))
		}
	}
	strip, err := x.strip()
	if err != nil {
		return nil, err
	}
	x.contents, err = states.Dict(x.env.Call(ctx, "archive.list", modules.Args{Pos: []any{x.cached}, Kw: ordered.Pairs("archive_format", x.format, "options", x.ListOptions,
		"strip_components", strip, "verbose", true)}))
	if r, err := states.Refused(err); r != nil || err != nil {
		if r != nil {
			r.Comment = x.unlisted(pyfmt.Str(r.Comment))
		}
		return r, err
	}
	if x.EnforceToplevel && (len(x.contents.List("top_level_dirs")) > 1 || len(x.contents.List("top_level_files")) > 0) {
		return fail("Archive does not have a single top-level directory. To allow this archive to be extracted, set 'enforce_toplevel' to False. To avoid a '%s-bomb' it may also be "+
			"advisable to set a top-level directory by adding it to the 'name' value (for example, setting 'name' to %ssome_dir instead of %s).", x.format, x.Name, x.Name)
	}
	return nil, nil
}

// unlisted says what helps when the content of an archive cannot be told.
func (x *extraction) unlisted(msg string) string {
	var problems []string
	if !pyfmt.Truth(x.IfMissing) {
		problems = append(problems, "'if_missing' must be set")
	}
	if x.EnforceOwnership == nil && (pyfmt.Truth(x.User) || pyfmt.Truth(x.Group)) {
		problems = append(problems, "Ownership cannot be managed without setting 'enforce_ownership_on'.")
	}
	if len(problems) == 0 {
		return msg
	}
	msg += "\n\n"
	if x.format == "tar" {
		msg += "If the source archive is a tar archive compressed using a compression type not natively supported by the tar command, then setting the 'list_options' argument may allow the " +
			"contents to be listed. Otherwise, if Salt is unable to determine the files/directories in the archive, the following workaround(s) would need to be used for this state to proceed"
	} else {
		msg += "The following workarounds must be used for this state to proceed"
	}
	msg += " (assuming the source file is a valid " + x.format + " archive):\n"
	for _, p := range problems {
		msg += "\n- " + p
	}
	return msg
}

// compare looks which of the paths are there.
func (x *extraction) compare(context.Context) (*states.Result, error) {
	x.needed = x.Overwrite
	if x.IfMissing != nil && pypath.Exists(pyfmt.Str(x.IfMissing)) {
		x.ifMissingThere = true
	} else {
		for _, kind := range []string{"dirs", "files", "links"} {
			for _, p := range x.contents.List(kind) {
				x.one(kind, pyfmt.Str(p))
			}
		}
		if len(x.wrong) > 0 {
			if r := x.strange(); r != nil {
				return r, nil
			}
		}
	}
	if !x.needed && x.SourceHashUpdate && x.was != "" && x.was != x.sumNow() {
		x.needed, x.newSum = true, true
	}
	return nil, nil
}

func (x *extraction) one(kind, path string) {
	fi, err := os.Lstat(strings.TrimRight(pypath.Join(x.Name, path), "/"))
	switch {
	case os.IsNotExist(err):
		x.needed, x.missing = true, true
	case err != nil:
	case fi.Mode()&os.ModeSymlink != 0 && kind != "links", fi.IsDir() && kind != "dirs", fi.Mode().IsRegular() && kind != "files":
		x.wrong = append(x.wrong, path)
	}
}

// strange deals with paths of another kind: nil when they will be removed.
func (x *extraction) strange() *states.Result {
	paths := "\n\n"
	for i, p := range x.wrong {
		if i > 0 {
			paths += "\n"
		}
		paths += "- " + p
	}
	comment := "The below paths (relative to " + x.Name + ") exist, but are the incorrect type (file instead of directory, symlink instead of file, etc.)."
	switch {
	case x.Clean && x.env.Test:
		return &states.Result{Comment: comment + " Since the 'clean' option is enabled, the destination paths would be cleared and the archive would be extracted." + paths}
	case x.Clean:
		x.needed = true
		return nil
	case !x.Force:
		return states.Failed("%s To proceed with extraction, set 'force' to True. Note that this will remove these paths before extracting.%s", comment, paths)
	}
	x.needed, x.strangers = true, true
	return nil
}

// told adds why the archive is unpacked.
func (x *extraction) told(comment string) string {
	switch {
	case x.newSum:
		return comment + ", due to source_hash update"
	case x.missing:
		return comment + ", due to absence of one or more files/dirs"
	}
	return comment
}

func (x *extraction) predict() (*states.Result, error) {
	if x.needed {
		comment := "Archive " + pyurl.Redact(x.source) + " would be extracted to " + x.Name
		if x.Clean {
			comment += ", after cleaning destination path(s)"
		}
		return &states.Result{Comment: x.told(comment), Warnings: x.warnings}, nil
	}
	r := states.Fine("All files in archive are already present")
	if x.ifMissingThere {
		r.Comment = pyfmt.Str(x.IfMissing) + " exists"
	}
	r.Warnings = x.warnings
	if o := x.own(true); o.changed {
		r.OK, r.Changes = nil, ordered.Pairs("updated ownership", true)
		r.Comment = pyfmt.Str(r.Comment) + ". Ownership would be updated on one or more files/directories."
	}
	return r, nil
}
