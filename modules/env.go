package modules

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"brine/internal/host"
	"brine/internal/ordered"
)

// Env is what a function may touch: Salt's dunders (__grains__, __pillar__, __opts__, __salt__, __context__), explicit.
// One Env serves one job and the calls nested in it; a copy with another Saltenv or Pillar is cheap.
type Env struct {
	// ID is the minion's id.
	ID string
	// Opts is the configuration under Salt's option names, defaults included. Read only.
	Opts   *ordered.Map
	Grains Grains
	Pillar Pillar
	Files  Files
	// Host starts processes.
	Host   host.Runner
	Events Events
	// Mods is where Call looks functions up.
	Mods *Registry
	// Context is memory that lives as long as the job, Salt's __context__.
	Context *Context
	Log     *zap.Logger
	// Job is the job that the call belongs to.
	Job *Job
	// Saltenv and Pillarenv are "base" unless the call says otherwise.
	Saltenv, Pillarenv string
	// Test is Salt's test option: say what would change and change nothing.
	Test bool
}

// Grains are the facts of this minion.
type Grains interface {
	// Items returns all grains. The map must not be changed.
	Items(ctx context.Context) *ordered.Map
	// Store replaces what is kept in the grains file of the configuration folder, durably, and refreshes Items.
	// A nil value in the map is a grain of value null; keys not in the map are removed from the file.
	Store(ctx context.Context, file *ordered.Map) error
	// File returns what the grains file holds (a copy).
	File(ctx context.Context) (*ordered.Map, error)
	// Refresh detects everything again.
	Refresh(ctx context.Context) error
}

// Pillar is the data that the master (or pillar_roots in local mode) compiled for this minion.
type Pillar interface {
	// Items returns the pillar that jobs work with. The map must not be changed.
	Items(ctx context.Context) (*ordered.Map, error)
	// Compile makes a fresh pillar for an environment ("" is the configured one) with overrides merged in, and leaves
	// Items as it is. Errors of rendering stand in the map under "_errors", as in Salt.
	Compile(ctx context.Context, pillarenv string, override *ordered.Map) (*ordered.Map, error)
	// Refresh compiles the pillar anew for Items.
	Refresh(ctx context.Context) error
}

// Files is the file client: the master's file roots, or the local ones in local mode. Paths are relative to the roots,
// with slashes. A file that is not there is no error: Cache returns "", Hash "".
type Files interface {
	Envs(ctx context.Context) ([]string, error)
	// List returns the files below prefix, sorted.
	List(ctx context.Context, saltenv, prefix string) ([]string, error)
	// Dirs returns the folders below prefix, sorted; empty ones too.
	Dirs(ctx context.Context, saltenv, prefix string) ([]string, error)
	// Cache fetches a file when the cached copy is missing or old and returns the local path of the copy.
	Cache(ctx context.Context, saltenv, path string) (string, error)
	// Hash returns the SHA-256 of a file as hex.
	Hash(ctx context.Context, saltenv, path string) (string, error)
}

// Events sends events to the minion's own bus and to the master.
type Events interface {
	// Fire puts an event on the local bus only.
	Fire(ctx context.Context, tag string, data *ordered.Map) error
	// Send hands an event to the master, durably.
	Send(ctx context.Context, tag string, data *ordered.Map) error
}

// Job is what a function can know of, and leave in, the job that runs it. Its methods are safe for concurrent use.
type Job struct {
	JID, Fun, User, Tgt, TgtType string
	// Schedule is the name of the schedule that started the job.
	Schedule string
	// Request is the publication as received, for the __pub_ values; it may be nil.
	Request *ordered.Map

	mu      sync.Mutex
	retcode int
	out     string
}

// SetRetcode leaves an exit code, as Salt's __context__['retcode'].
func (j *Job) SetRetcode(code int) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retcode = code
}

// Retcode is the code last set.
func (j *Job) Retcode() int {
	if j == nil {
		return 0
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.retcode
}

// SetOut names the outputter for the return, "highstate" for states.
func (j *Job) SetOut(name string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.out = name
}

// Out is the outputter last named, "" for the default.
func (j *Job) Out() string {
	if j == nil {
		return ""
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out
}

// Context is Salt's __context__: values kept by name. The zero value is ready.
type Context struct {
	mu sync.Mutex
	m  map[string]any
}

// Get returns a value and whether it is set.
func (c *Context) Get(key string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.m[key]
	return v, ok
}

// Set keeps a value; nil removes it.
func (c *Context) Set(key string, v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string]any{}
	}
	if v == nil {
		delete(c.m, key)
		return
	}
	c.m[key] = v
}

// Call runs another function in the same job, as __salt__['fun'](...). The answer is job data.
func (env *Env) Call(ctx context.Context, fun string, a Args) (any, error) {
	f, err := env.Mods.Lookup(env, fun)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v, err := f.Call(ctx, env, a)
	if err != nil {
		return nil, err
	}
	return ordered.Of(v), nil
}

// Opt returns a configuration value by Salt's option name, nil when it is not set.
func (env *Env) Opt(name string) any { return env.Opts.Value(name) }
