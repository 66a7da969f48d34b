// Package jinja renders Jinja 3.1 templates the way Salt 3006 sets Jinja up: strict about undefined variables, sandboxed,
// with do, break and continue, Salt's filters and tests, and its tags for loading data.
//
// A template is parsed once (Cache) and run over Starlark values with Python's behaviour (render/pyvalue). Errors are
// worded as Salt's users know them, with the line and the lines around it.
package jinja

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"

	"brine/internal/ordered"
	"brine/render/filters"
	"brine/render/syntax"

	"go.starlark.net/starlark"
)

// Limits bound one render; a zero takes the default.
type Limits struct {
	Steps  int // statements and expressions run; 20 million
	Output int // bytes of text made; 32 MiB
	Depth  int // macros, includes and imports inside each other; 100
}

func (l Limits) withDefaults() Limits {
	if l.Steps <= 0 {
		l.Steps = 20_000_000
	}
	if l.Output <= 0 {
		l.Output = 32 << 20
	}
	if l.Depth <= 0 {
		l.Depth = 100
	}
	return l
}

// Loader finds the templates that others import and include. Load wraps fs.ErrNotExist for a file that is not there.
type Loader interface {
	Load(ctx context.Context, path string) ([]byte, error)
}

// Caller runs execution functions for the salt object of templates.
type Caller interface {
	Call(ctx context.Context, fun string, pos []any, kw *ordered.Map) (any, error)
	// Has tells whether there is a function of that name.
	Has(fun string) bool
}

// Input is a template with all it may see.
type Input struct {
	Source string
	// Vars are the variables; their values are converted when they are first read.
	Vars map[string]func() any
	// Salt serves the salt object; nil leaves it out.
	Salt   Caller
	Loader Loader
	Cache  *Cache
	Limits Limits
	Syntax syntax.Options
	// AllowUndefined lets what is not there print as nothing and be false and empty (Salt's allow_undefined).
	AllowUndefined bool
}

// Cache keeps parsed templates by their content. It is safe for concurrent use.
type Cache struct {
	mu      sync.Mutex
	parsed  map[cacheKey]*syntax.Template
	size    int
	maxSize int
}

type cacheKey struct {
	sum     [sha256.Size]byte
	options syntax.Options
}

const cacheBytes = 16 << 20

// NewCache makes an empty cache. It holds templates of 16 MiB together and starts anew when they are more.
func NewCache() *Cache {
	return &Cache{parsed: map[cacheKey]*syntax.Template{}, maxSize: cacheBytes}
}

// Parse returns the parsed template of a source.
func (c *Cache) Parse(src string, o syntax.Options) (*syntax.Template, error) {
	if c == nil {
		return parse(src, o)
	}
	key := cacheKey{sha256.Sum256([]byte(src)), o}
	c.mu.Lock()
	t := c.parsed[key]
	c.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := parse(src, o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(src); c.size > c.maxSize {
		clear(c.parsed)
		c.size = len(src)
	}
	c.parsed[key] = t
	return t, nil
}

// Render runs a template and returns its text. Every error but one of ctx is an *Error.
func Render(ctx context.Context, in *Input) (string, error) {
	r := newRun(ctx, in)
	out, err := r.renderMain(in.Source)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", saltError(err, in.Source, r)
	}
	if strings.HasSuffix(in.Source, "\n") && !in.Syntax.KeepTrailingNewline {
		out += "\n"
	}
	return out, nil
}

// run is the state of one render.
type run struct {
	ctx     context.Context
	in      *Input
	limits  Limits
	steps   int
	written int
	depth   int
	// globals are what every template sees, the variables of the render among them; importing a file changes tpldir
	// and its kin here, as in Salt.
	globals map[string]starlark.Value
	vars    map[string]starlark.Value // Input.Vars as far as they were read
	loaded  map[string]*loaded
	modules map[*loaded]*module
	filters map[string]*filters.Filter // the ones used so far
	thread  *starlark.Thread
	convert func(v any) starlark.Value
}

func (r *run) renderMain(src string) (string, error) {
	parsed, err := r.in.Cache.Parse(src, r.in.Syntax)
	if err != nil {
		return "", err
	}
	main := &loaded{template: parsed}
	if err := r.checkNames(main); err != nil {
		return "", err
	}
	tc := &context_{t: main, vars: map[string]starlark.Value{}, main: true}
	var b strings.Builder
	err = r.root(tc, &b)
	return b.String(), err
}

// step counts work and looks now and then whether the render should end.
func (r *run) step() error {
	if r.steps++; r.steps&1023 == 0 {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if r.steps > r.limits.Steps {
			return &limitError{"the template runs for more than the allowed number of steps"}
		}
	}
	return nil
}

// enter counts a level of macros, includes and imports.
func (r *run) enter() error {
	if r.depth++; r.depth > r.limits.Depth {
		return &limitError{"maximum recursion depth exceeded"}
	}
	return nil
}

func (r *run) leave() { r.depth-- }

// write adds text to the output of a body.
func (r *run) write(b *strings.Builder, s string) error {
	if r.written += len(s); r.written > r.limits.Output {
		return &limitError{"the template writes more than the allowed number of bytes"}
	}
	b.WriteString(s)
	return nil
}
