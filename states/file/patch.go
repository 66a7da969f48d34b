package file

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/internal/pyurl"
	"brine/internal/shlex"
	"brine/modules"
	"brine/states"
)

func patchFuncs() []states.Func {
	return []states.Func{fn("patch", "Apply a patch to a file or folder, once.", patch)}
}

type patchArgs struct {
	Name           string         `arg:"name"`
	Source         any            `arg:"source" def:"None"`
	SourceHash     any            `arg:"source_hash" def:"None"`
	SourceHashName any            `arg:"source_hash_name" def:"None"`
	SkipVerify     bool           `arg:"skip_verify" def:"False"`
	Template       any            `arg:"template" def:"None"`
	Context        any            `arg:"context" def:"None"`
	Defaults       any            `arg:"defaults" def:"None"`
	Options        string         `arg:"options" def:"''"`
	RejectFile     any            `arg:"reject_file" def:"None"`
	Strip          any            `arg:"strip" def:"None"`
	Saltenv        any            `arg:"saltenv" def:"None"`
	Kwargs         modules.Kwargs `arg:"**kwargs"`
}

// patching is one run of patch.
type patching struct {
	patchArgs
	env      *states.Env
	options  []string
	warnings []string
}

func patch(ctx context.Context, env *states.Env, in patchArgs) (check, error) {
	p := &patching{patchArgs: in, env: env}
	if problem := p.prepare(); problem != "" {
		return p.ended(states.Failed("%s", problem))
	}
	v, err := call(ctx, env, "file.source_list", in.Source, in.SourceHash, env.Saltenv)
	if r, err := states.Refused(err); r != nil || err != nil {
		return states.Done[work](r), err
	}
	pair, _ := v.([]any)
	source := p.from(text(pair[0]))
	dir, err := os.MkdirTemp("", "__salt.tmp.*")
	if err != nil {
		return check{}, err
	}
	defer os.RemoveAll(dir)
	file := dir + "/patch"
	if r, err := p.fetch(ctx, source, file); err != nil || r.OK == nil || !*r.OK {
		if err != nil {
			r = states.Failed("Failed to cache patch file %s: %v", pyurl.Redact(source), err)
		}
		return p.ended(r)
	}
	tried, r, err := p.try(ctx, dir)
	if r != nil || err != nil {
		if r != nil {
			r.Warnings = p.warnings
		}
		return states.Done[work](r), err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return check{}, err
	}
	return check{Would: &states.Result{Name: p.Name, Comment: "The patch would be applied", Changes: tried, Warnings: p.warnings},
		Plan: func(ctx context.Context) (*states.Result, error) { return p.apply(ctx, content) }}, nil
}

func (p *patching) ended(r *states.Result) (check, error) {
	r.Name, r.Warnings = p.Name, p.warnings
	return final(r)
}

// prepare reads the arguments and says what is wrong with them.
func (p *patching) prepare() string {
	if pypath.Which("patch") == "" {
		return "patch executable not found on minion"
	}
	if p.Name == "" {
		return "A file/directory to be patched is required"
	}
	p.Name = pypath.Expanduser(p.Name)
	switch {
	case !pypath.IsAbs(p.Name):
		return p.Name + " is not an absolute path"
	case !pypath.Exists(p.Name):
		return p.Name + " does not exist"
	}
	for _, k := range []string{"hash", "dry_run_first"} {
		if p.Kwargs.Has(k) {
			p.warnings = append(p.warnings, "The '"+k+"' argument is no longer used and has been ignored.")
		}
	}
	if p.RejectFile != nil {
		reject := pyfmt.Str(p.RejectFile)
		switch dir := pypath.Dirname(reject); {
		case !pypath.IsAbs(dir):
			return "'" + reject + "' is not an absolute path"
		case !pypath.IsDir(dir):
			return "Parent directory for reject_file '" + reject + "' either does not exist, or is not a directory"
		}
	}
	return p.readOptions()
}

// readOptions takes strip out of the options and refuses those that are ours.
func (p *patching) readOptions() string {
	list, err := shlex.Split(p.Options)
	if err != nil {
		return err.Error()
	}
	var refused []string
	for i := 0; i < len(list); i++ {
		o := list[i]
		if slices.ContainsFunc([]string{"-N", "--forward", "-r", "--reject-file", "-o", "--output"}, func(own string) bool { return strings.HasPrefix(o, own) }) {
			refused = append(refused, o)
		}
		level, name := "", "-strip"
		switch {
		case strings.HasPrefix(o, "-p"):
			level, name = o[2:], "-p"
		case strings.HasPrefix(o, "--strip") && strings.Contains(o, "="):
			level = o[strings.LastIndexByte(o, '=')+1:]
		case strings.HasPrefix(o, "--strip"):
			if i++; i < len(list) {
				level = list[i]
			}
		default:
			p.options = append(p.options, o)
			continue
		}
		n, err := strconv.ParseInt(level, 10, 64)
		if err != nil {
			return "Invalid format for '" + name + "' CLI option. Consider using the 'strip' option for this state."
		}
		p.Strip = n
	}
	if len(refused) > 0 {
		return "The following CLI options are not allowed: " + strings.Join(refused, ", ")
	}
	return ""
}

// from adds the environment to the source.
func (p *patching) from(source string) string {
	if p.Saltenv == nil || !strings.HasPrefix(source, "salt://") {
		return source
	}
	_, named := pyurl.Salt(source)
	if named != "" {
		if named != pyfmt.Str(p.Saltenv) {
			p.warnings = append(p.warnings, "Ignoring 'saltenv' option in favor of saltenv included in the source URL.")
		}
		return source
	}
	return source + "?saltenv=" + pyfmt.Str(p.Saltenv)
}

// fetch brings the patch to a temporary file, in a dry run too.
func (p *patching) fetch(ctx context.Context, source, file string) (*states.Result, error) {
	inner, outer := *p.env.Env, *p.env
	inner.Test, outer.Env = false, &inner
	args, err := modules.Bind[managedArgs]("managed", modules.Args{Kw: ordered.Pairs("name", file, "source", source, "source_hash", p.SourceHash,
		"source_hash_name", p.SourceHashName, "skip_verify", p.SkipVerify, "template", p.Template, "context", p.Context, "defaults", p.Defaults)})
	if err != nil {
		return nil, err
	}
	c, err := managed(ctx, &outer, args)
	if err != nil || c.Final != nil {
		return c.Final, err
	}
	return c.Plan(ctx)
}

func (p *patching) run(ctx context.Context, file string, dry bool, options ...string) (*ordered.Map, error) {
	var quoted []string
	for _, o := range append(slices.Clone(p.options), options...) {
		quoted = append(quoted, shlex.Quote(o))
	}
	return states.Dict(p.env.Call(ctx, "file.patch", modules.Pos(p.Name, file).With("options", strings.Join(quoted, " ")).With("dry_run", dry)))
}

func (p *patching) strip() []string {
	if p.Strip == nil || !pypath.IsDir(p.Name) {
		return nil
	}
	return []string{"-p" + pyfmt.Str(p.Strip)}
}

// try applies the patch to a file beside: what came of it, or the result when there is nothing to do or it does not fit.
func (p *patching) try(ctx context.Context, dir string) (*ordered.Map, *states.Result, error) {
	rejects := dir + "/rejects"
	if p.RejectFile != nil {
		rejects = pyfmt.Str(p.RejectFile)
	} else if err := os.WriteFile(rejects, nil, 0o600); err != nil {
		return nil, nil, err
	}
	tried, err := p.run(ctx, dir+"/patch", false, append([]string{"-N", "-r", rejects, "-o", dir + "/output"}, p.strip()...)...)
	if err != nil || tried.Value("retcode") == int64(0) {
		return tried, nil, err
	}
	back, err := p.run(ctx, rejects, true, "-R", "-f")
	if err != nil {
		return nil, nil, err
	}
	switch {
	case tried.Value("retcode") == int64(2) && tried.String("stderr") != "":
		return nil, &states.Result{Name: p.Name, OK: states.False(), Comment: tried.String("stderr")}, nil
	case back.Value("retcode") == int64(0):
		return nil, &states.Result{Name: p.Name, OK: states.True(), Comment: "Patch was already applied"}, nil
	}
	comment := "Patch would not apply cleanly, no changes made. Results of dry-run are below."
	if p.RejectFile == nil {
		comment += " Run state again using the reject_file option to save rejects to a persistent file."
	}
	return nil, &states.Result{Name: p.Name, OK: states.False(), Comment: comment + "\n\n" + nested(tried)}, nil
}

// nested shows the outcome of a command as Salt's nested outputter does, without colours.
func nested(m *ordered.Map) string {
	const indent = "              "
	out := []string{indent + "----------"}
	keys := texts(m.Keys())
	slices.Sort(keys)
	for _, k := range keys {
		out = append(out, indent+k+":")
		for _, l := range pytext.Splitlines(pyfmt.Str(m.Value(k)), false) {
			out = append(out, indent+"    "+l)
		}
	}
	return strings.Join(out, "\n")
}

func (p *patching) apply(ctx context.Context, content []byte) (*states.Result, error) {
	f, err := os.CreateTemp("", "__salt.tmp.*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	changes, err := p.run(ctx, f.Name(), false, p.strip()...)
	if err != nil {
		return nil, err
	}
	r := &states.Result{Name: p.Name, OK: states.True(), Comment: "Patch successfully applied", Changes: changes, Warnings: p.warnings}
	if changes.Value("retcode") != int64(0) {
		r.OK, r.Comment = states.False(), "Failed to apply patch"
	}
	return r, nil
}
