package file

import (
	"context"
	"os"
	"slices"
	"sync"

	"brine/internal/dictupdate"
	"brine/internal/difflib"
	"brine/internal/fileedit"
	"brine/internal/fileops"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/internal/pytext"
	"brine/modules"
	"brine/states"
)

func appendFuncs() []states.Func {
	return []states.Func{
		fn("append", "See that texts are in a file: those that are not are added at its end.", appended),
		fn("prepend", "See that texts are in a file: those that are not are put before its first line.", prepended),
	}
}

// sourced are the arguments that name sources of text, and how to render them.
type sourced struct {
	source, hash, sources, hashes, template any
	defaults, context                       *ordered.Map
}

// list is the sources, one or several; r says that both were given.
func (s sourced) list() (out []string, r *states.Result) {
	switch {
	case pyfmt.Truth(s.source) && pyfmt.Truth(s.sources):
		return nil, states.Failed("source and sources are mutually exclusive")
	case pyfmt.Truth(s.hash) && pyfmt.Truth(s.hashes):
		return nil, states.Failed("source_hash and source_hashes are mutually exclusive")
	case pyfmt.Truth(s.source):
		return texts(s.source), nil
	case pyfmt.Truth(s.sources):
		return texts(s.sources), nil
	}
	return nil, nil
}

// render gives the texts of sources.
func (s sourced) render(ctx context.Context, env *states.Env, list []string) ([]string, *states.Result, error) {
	vars := s.defaults.Clone()
	vars.Update(s.context)
	var out []string
	failed := func(source, msg string) ([]string, *states.Result, error) {
		r := states.Failed("%s", msg)
		r.Name = source
		return nil, r, nil
	}
	for _, source := range list {
		v, err := env.Call(ctx, "cp.get_template", modules.Pos(source, "").With("template", s.template).With("saltenv", env.Saltenv).With("context", vars))
		if err != nil {
			return nil, nil, err
		}
		path := text(v)
		if path == "" {
			return failed(source, "Failed to load template file "+source)
		}
		p, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		if len(p) == 0 {
			return failed(source, "Failed to read rendered template file "+path+" ("+source+")")
		}
		out = append(out, string(p))
	}
	return out, nil, nil
}

type appendArgs struct {
	Name             string       `arg:"name"`
	Text             any          `arg:"text" def:"None"`
	Makedirs         any          `arg:"makedirs" def:"False"`
	Source           any          `arg:"source" def:"None"`
	SourceHash       any          `arg:"source_hash" def:"None"`
	Template         any          `arg:"template" def:"'jinja'"`
	Sources          any          `arg:"sources" def:"None"`
	SourceHashes     any          `arg:"source_hashes" def:"None"`
	Defaults         *ordered.Map `arg:"defaults" def:"None"`
	Context          *ordered.Map `arg:"context" def:"None"`
	IgnoreWhitespace bool         `arg:"ignore_whitespace" def:"True"`
}

type prependArgs struct {
	Name         string       `arg:"name"`
	Text         any          `arg:"text" def:"None"`
	Makedirs     any          `arg:"makedirs" def:"False"`
	Source       any          `arg:"source" def:"None"`
	SourceHash   any          `arg:"source_hash" def:"None"`
	Template     any          `arg:"template" def:"'jinja'"`
	Sources      any          `arg:"sources" def:"None"`
	SourceHashes any          `arg:"source_hashes" def:"None"`
	Defaults     *ordered.Map `arg:"defaults" def:"None"`
	Context      *ordered.Map `arg:"context" def:"None"`
	Header       bool         `arg:"header" def:"False"`
}

// adding is one run of append or prepend.
type adding struct {
	name      string
	text      any
	makedirs  any
	source    sourced
	loose     bool // white space does not matter
	verbatim  bool // look at the first lines only
	asPrepend bool
}

func appended(ctx context.Context, env *states.Env, in appendArgs) (check, error) {
	return adding{in.Name, in.Text, in.Makedirs, sourced{in.Source, in.SourceHash, in.Sources, in.SourceHashes, in.Template, in.Defaults, in.Context},
		in.IgnoreWhitespace, false, false}.check(ctx, env)
}

func prepended(ctx context.Context, env *states.Env, in prependArgs) (check, error) {
	return adding{in.Name, in.Text, in.Makedirs, sourced{in.Source, in.SourceHash, in.Sources, in.SourceHashes, in.Template, in.Defaults, in.Context},
		true, in.Header, true}.check(ctx, env)
}

func (a adding) check(ctx context.Context, env *states.Env) (check, error) {
	list, r := a.source.list()
	if r != nil {
		return final(r)
	}
	problem := notAFile(a.name)
	if env.Test && problem != "" {
		c, err := touch(ctx, env, touchArgs{Name: a.name, Makedirs: a.makedirs})
		return c, err
	}
	return either(ctx, env, func(ctx context.Context) (*states.Result, error) {
		if problem != "" {
			if err := a.create(ctx, env); err != nil {
				return nil, err
			}
			if notAFile(a.name) != "" {
				return states.Failed("%s", problem), nil
			}
		}
		chunks := texts(a.text)
		if list != nil {
			rendered, r, err := a.source.render(ctx, env, list)
			if r != nil || err != nil {
				return r, err
			}
			chunks = rendered
		}
		lines, err := a.lacking(ctx, env, chunks)
		if err != nil {
			return nil, err
		}
		return a.add(ctx, env, lines)
	})
}

// create makes the empty file that the texts go into.
func (a adding) create(ctx context.Context, env *states.Env) error {
	if !pypath.IsAbs(a.name) {
		return nil
	}
	if dir := pypath.Dirname(a.name); a.makedirs == true && !pypath.IsDir(dir) {
		if err := makeParent(ctx, env, a.name, nil, nil, nil); err != nil {
			return err
		}
	}
	c, err := touch(ctx, env, touchArgs{Name: a.name, Makedirs: a.makedirs})
	if err != nil || c.Final != nil {
		return err
	}
	_, err = c.Plan(ctx)
	return err
}

// lacking are the lines of the texts that are not in the file.
func (a adding) lacking(ctx context.Context, env *states.Env, chunks []string) ([]string, error) {
	var out []string
	for _, chunk := range chunks {
		if !a.verbatim {
			pattern := chunk
			if a.loose {
				var err error
				if pattern, err = fileedit.Loose(chunk); err != nil {
					return nil, err
				}
			}
			found, err := searched(ctx, env, a.name, pattern)
			if err != nil {
				return nil, err
			}
			if found {
				continue
			}
		}
		out = append(out, pytext.Splitlines(chunk, false)...)
	}
	return out, nil
}

func (a adding) add(ctx context.Context, env *states.Env, lines []string) (*states.Result, error) {
	before, err := os.ReadFile(a.name)
	if err != nil {
		return nil, err
	}
	if a.verbatim && !env.Test {
		have := pytext.Splitlines(string(before), false)
		if slices.Equal(have[:min(len(have), len(lines))], lines) {
			lines = nil
		}
	}
	r := &states.Result{OK: states.True(), Comment: "File " + a.name + " is in correct state", Changes: ordered.New(1)}
	if len(lines) == 0 {
		return r, nil
	}
	if env.Test {
		r.OK, r.Comment = nil, "File "+a.name+" is set to be updated"
		a.note(r.Changes, string(before), lines, "")
		return r, nil
	}
	fun, verb := "file.append", "Appended "
	if a.asPrepend {
		fun, verb = "file.prepend", "Prepended "
	}
	if _, err := env.Call(ctx, fun, modules.Pos(a.name).With("args", ordered.Of(lines))); err != nil {
		return nil, err
	}
	after, err := os.ReadFile(a.name)
	if err != nil {
		return nil, err
	}
	a.note(r.Changes, string(before), nil, string(after))
	r.Comment = verb + pyfmt.Str(int64(len(lines))) + " lines"
	return r, nil
}

// note shows the diff: to the text after, or to what the lines will make of it. For append Salt shows lines without ends.
func (a adding) note(changes *ordered.Map, before string, lines []string, after string) {
	if a.asPrepend {
		now := pytext.Splitlines(after, true)
		if lines != nil {
			for _, l := range lines {
				now = append(now, l+"\n")
			}
			now = append(now, pytext.Splitlines(before, true)...)
		}
		noteDiff(changes, a.name, pytext.Splitlines(before, true), now)
		return
	}
	old := pytext.Splitlines(before, false)
	now := pytext.Splitlines(after, false)
	if lines != nil {
		now = append(slices.Clone(old), lines...)
	}
	if d := difflib.Joined(old, now); d != "" {
		if !fileops.IsText(a.name) {
			d = "Replace binary file"
		}
		changes.Set("diff", d)
	}
}

// accumulators are the texts that wait for files, and the states that they are for: file -> name -> list.
type accumulators struct {
	mu         sync.Mutex
	data, deps *ordered.Map
}

const accumulatorsKey = "file.accumulators"

func accumulatorsOf(env *states.Env) *accumulators {
	if v, ok := env.Run.Get(accumulatorsKey); ok {
		return v.(*accumulators)
	}
	a := &accumulators{data: ordered.New(0), deps: ordered.New(0)}
	env.Run.Set(accumulatorsKey, a)
	return a
}

// accumulatedFor are the texts for a file by accumulator, nil for none.
func accumulatedFor(env *states.Env, file string) *ordered.Map {
	a := accumulatorsOf(env)
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.data.Map(file); m != nil {
		return ordered.Copy(m).(*ordered.Map)
	}
	return nil
}

// charged are the texts for a file that are meant for this state, all of them when none is.
func charged(env *states.Env, file string) []string {
	all := accumulatedFor(env, file)
	a := accumulatorsOf(env)
	a.mu.Lock()
	defer a.mu.Unlock()
	var mine, every []string
	for name, list := range all.All() {
		chunks := texts(list)
		every = append(every, chunks...)
		if slices.Contains(a.deps.Map(file).List(name), any(env.StateID)) {
			mine = append(mine, chunks...)
		}
	}
	if mine == nil {
		return every
	}
	return mine
}

func accumulateFuncs() []states.Func {
	return []states.Func{states.Opaque("accumulated", "Collect texts for a file that another state of the same run writes.", accumulated)}
}

type accumulatedArgs struct {
	Name     string         `arg:"name"`
	Filename string         `arg:"filename"`
	Text     any            `arg:"text"`
	Kwargs   modules.Kwargs `arg:"**kwargs"`
}

// accumulated changes nothing on the system, so a dry run collects too: the file's own dry run shows the texts.
func accumulated(_ context.Context, env *states.Env, in accumulatedArgs) (*states.Result, error) {
	switch {
	case in.Name == "":
		return states.Failed("Must provide name to file.accumulated"), nil
	case in.Text == nil:
		return states.Failed("No text supplied for accumulator"), nil
	}
	deps := append(slices.Clone(env.Low.List("require_in")), env.Low.List("watch_in")...)
	ids, forFile := []any{}, false
	for _, d := range deps {
		switch t := d.(type) {
		case *ordered.Map:
			forFile = forFile || t.Has("file")
			for _, v := range t.All() {
				ids = append(ids, v)
			}
		case string:
			forFile = forFile || t == "file"
		}
	}
	if !forFile {
		return states.Failed("Orphaned accumulator %s in %s:%s", in.Name, pyfmt.Str(env.Low.Value("__sls__")), pyfmt.Str(env.Low.Value("__id__"))), nil
	}
	list, ok := in.Text.([]any)
	if !ok {
		list = []any{in.Text}
	}
	a := accumulatorsOf(env)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(a.deps, in.Filename, in.Name, ids)
	if a.add(a.data, in.Filename, in.Name, list) {
		return states.Fine("Accumulator " + in.Name + " for file " + in.Filename + " was charged by text"), nil
	}
	return states.Fine(""), nil
}

// add puts what is new into a list and tells whether anything was.
func (a *accumulators) add(to *ordered.Map, file, name string, items []any) bool {
	byName := to.Map(file)
	if byName == nil {
		byName = ordered.New(1)
		to.Set(file, byName)
	}
	have, added := byName.List(name), false
	for _, item := range items {
		if !dictupdate.Contains(have, item) {
			have, added = append(have, item), true
		}
	}
	byName.Set(name, have)
	return added
}
