// Package modules is the contract of execution modules: what a function is (Func), what it may touch (Env), how its
// arguments are declared and bound (Spec), and the Registry that callers look functions up in.
//
// A family lives in a folder of its own (modules/test, modules/file ...) and exports Module(); modules/builtin lists
// them all. The words are Salt's: https://docs.saltproject.io/en/3006/ref/modules/index.html.
package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
)

// Module is one family of functions, such as "file".
type Module struct {
	Name string
	// Origin says where the module comes from: "" for built-in, else the file that it was synced from.
	Origin string
	Doc    string
	// Virtual tells why the module cannot be used here (nil: it can), as Salt's __virtual__. It must be quick.
	Virtual func(*Env) error
	Funcs   []Func
}

// Args are the arguments of one call: positional ones, and keyword ones in the order given.
type Args struct {
	Pos []any
	Kw  *ordered.Map
}

// Pos makes Args of positional arguments alone.
func Pos(v ...any) Args { return Args{Pos: v} }

// With adds a keyword argument.
func (a Args) With(key string, v any) Args {
	kw := ordered.New(a.Kw.Len() + 1)
	kw.Update(a.Kw)
	kw.Set(key, v)
	a.Kw = kw
	return a
}

// Func is one execution function. Make it with Fn.
type Func struct {
	// Name is without the module: "ping".
	Name string
	// Doc is what sys.doc shows.
	Doc string
	// Pure functions only read: running one twice is harmless, so a job of it needs no journal.
	Pure bool
	// Spec returns the signature.
	Spec func() *Spec
	// Call runs the function. The answer is job data, or anything that ordered.Of understands.
	Call func(ctx context.Context, env *Env, a Args) (any, error)
}

// CommandError is an expected failure with a text for the user, Salt's CommandExecutionError: shown as "ERROR: text".
type CommandError struct{ Msg string }

func (e *CommandError) Error() string { return e.Msg }

// Errorf makes a CommandError.
func Errorf(format string, a ...any) error { return &CommandError{Msg: fmt.Sprintf(format, a...)} }

// InvocationError says that a function was called with values it cannot work with, Salt's SaltInvocationError: shown
// as "ERROR executing 'fun': text".
type InvocationError struct{ Msg string }

func (e *InvocationError) Error() string { return e.Msg }

// Invalidf makes an InvocationError.
func Invalidf(format string, a ...any) error {
	return &InvocationError{Msg: fmt.Sprintf(format, a...)}
}

// ErrNotAvailable is wrapped by the error for a function that is not there.
var ErrNotAvailable = errors.New("is not available.")

// NotAvailableError names the missing function; Reason is set when the module is there but refuses to load.
type NotAvailableError struct{ Fun, Reason string }

func (e *NotAvailableError) Error() string {
	if e.Reason != "" {
		mod, _, _ := strings.Cut(e.Fun, ".")
		return fmt.Sprintf("'%s' __virtual__ returned False: %s", mod, e.Reason)
	}
	return fmt.Sprintf("'%s' is not available.", e.Fun)
}

func (e *NotAvailableError) Unwrap() error { return ErrNotAvailable }

// Registry holds modules by name. It does not change after NewRegistry; a new set is a new Registry.
type Registry struct {
	mods  map[string]*Module
	funcs map[string]*Func
}

// NewRegistry collects modules; two of one name, or two functions of one name in a module, are an error.
func NewRegistry(list ...Module) (*Registry, error) {
	r := &Registry{mods: make(map[string]*Module, len(list)), funcs: make(map[string]*Func, 32*len(list))}
	for i := range list {
		m := &list[i]
		if r.mods[m.Name] != nil {
			return nil, fmt.Errorf("two modules are called %q", m.Name)
		}
		if err := r.add(m); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Registry) add(m *Module) error {
	r.mods[m.Name] = m
	for i := range m.Funcs {
		full := m.Name + "." + m.Funcs[i].Name
		if r.funcs[full] != nil {
			return fmt.Errorf("two functions are called %q", full)
		}
		r.funcs[full] = &m.Funcs[i]
	}
	return nil
}

// With returns a registry in which the modules of layer stand in front of those of r: a function of the layer wins
// over one of the same name, the others of that module stay, as with Salt's synced modules.
func (r *Registry) With(layer ...Module) (*Registry, error) {
	out := &Registry{mods: maps.Clone(r.mods), funcs: maps.Clone(r.funcs)}
	seen := map[string]bool{}
	for i := range layer {
		m := &layer[i]
		if seen[m.Name] {
			return nil, fmt.Errorf("two synced modules are called %q", m.Name)
		}
		seen[m.Name] = true
		for j := range m.Funcs {
			delete(out.funcs, m.Name+"."+m.Funcs[j].Name)
		}
		if err := out.add(m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Lookup finds a function by its full name and checks that its module can be used here.
func (r *Registry) Lookup(env *Env, fun string) (*Func, error) {
	f, mod := r.funcs[fun], fun
	if i := strings.IndexByte(fun, '.'); i >= 0 {
		mod = fun[:i]
	}
	m := r.mods[mod]
	if f == nil || m == nil {
		return nil, &NotAvailableError{Fun: fun}
	}
	if m.Virtual != nil {
		if err := m.Virtual(env); err != nil {
			return nil, &NotAvailableError{Fun: fun, Reason: err.Error()}
		}
	}
	return f, nil
}

// Has tells whether fun can be called here.
func (r *Registry) Has(env *Env, fun string) bool {
	_, err := r.Lookup(env, fun)
	return err == nil
}

// Functions lists the full names that match the glob pattern, sorted.
func (r *Registry) Functions(env *Env, pattern string) []string {
	var out []string
	for name := range r.funcs {
		if (pattern == "" || fnmatch.Match(pattern, name)) && r.Has(env, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Modules lists the modules that can be used here, sorted by name.
func (r *Registry) Modules(env *Env) []*Module {
	var out []*Module
	for _, name := range slices.Sorted(maps.Keys(r.mods)) {
		if m := r.mods[name]; m.Virtual == nil || m.Virtual(env) == nil {
			out = append(out, m)
		}
	}
	return out
}

// Unusable lists the modules that cannot be used here, sorted by name.
func (r *Registry) Unusable(env *Env) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.mods)) {
		if m := r.mods[name]; m.Virtual != nil && m.Virtual(env) != nil {
			out = append(out, name)
		}
	}
	return out
}
