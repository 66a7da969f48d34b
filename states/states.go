// Package states is the contract of state functions: what one finds out (Check), how it reaches the wish (Apply) and
// what it does when something that it watches changed (Watch). test=True is decided in one place, Func.Run: Check has
// to be free of side effects, so a dry run can change nothing.
//
// A family lives in a folder of its own (states/file, states/cmd ...) and exports State(); states/builtin lists them.
// Shapes and wording are Salt's: https://docs.saltproject.io/en/3006/ref/states/all/index.html.
package states

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/modules"
)

// Result is what a state function reports.
type Result struct {
	// Name is the name shown; empty takes the name argument of the chunk.
	Name any
	// OK is true or false; nil is Salt's None: nothing done, would change.
	OK      *bool
	Comment any
	Changes *ordered.Map
	// Warnings are shown beside the comment.
	Warnings []string
	// Extra keys of the return, such as "pid", "data" or "sub_state_run"; nil for none.
	Extra *ordered.Map
}

// True is the value of Result.OK for success.
func True() *bool { b := true; return &b }

// False is the value of Result.OK for failure.
func False() *bool { return new(bool) }

// Fine is a result without changes: the system is as wished.
func Fine(comment string) *Result { return &Result{OK: True(), Comment: comment} }

// Failed is a result that says what went wrong.
func Failed(format string, a ...any) *Result {
	return &Result{OK: False(), Comment: fmt.Sprintf(format, a...)}
}

// Check is what a look at the system told. Exactly one of Final and Would is set.
type Check[P any] struct {
	// Final ends the state here: it is as wished, or cannot be reached.
	Final *Result
	// Would is the answer of a dry run; its OK stays nil unless set.
	Would *Result
	// Plan is handed to Apply.
	Plan P
}

// Done makes a Check that ends the state with r.
func Done[P any](r *Result) Check[P] { return Check[P]{Final: r} }

// Change makes a Check that says what would happen.
func Change[P any](plan P, comment string, changes *ordered.Map) Check[P] {
	return Check[P]{Would: &Result{Comment: comment, Changes: changes}, Plan: plan}
}

// Env is what a state function may touch: all that an execution function may, and its own chunk.
type Env struct {
	*modules.Env
	// ID, SLS, Saltenv and Low are the chunk's __id__, __sls__, __env__ and __low__.
	StateID, SLS string
	Low          *ordered.Map
	// Run gives access to what other states of the same run left: accumulators (file.accumulated), listeners.
	Run *modules.Context
	// Chunks are all chunks of the run, Salt's __lowstate__. Read only.
	Chunks []*ordered.Map
}

// Func is one state function. Make it with Fn or Opaque.
type Func struct {
	Name, Doc string
	Spec      func() *modules.Spec
	// Run looks and, unless env.Test, acts.
	Run func(ctx context.Context, env *Env, a modules.Args) (*Result, error)
}

// State is one family of state functions, such as "file".
type State struct {
	Name   string
	Origin string
	Doc    string
	// Virtual tells why the state cannot be used here (nil: it can).
	Virtual func(*modules.Env) error
	Funcs   []Func
	// Watch is mod_watch: it runs instead of the function when something watched has changed and the function itself
	// found nothing to change. fun is the chunk's function. Nil: the family reacts to nothing.
	Watch func(ctx context.Context, env *Env, fun string, a modules.Args) (*Result, error)
	// OwnCheckCmd says that the functions run the check_cmd argument themselves, Salt's mod_run_check_cmd.
	OwnCheckCmd bool
	// Aggregate is mod_aggregate: it may fold later chunks of the run into this one and returns the chunk to run.
	Aggregate func(low *ordered.Map, chunks []*ordered.Map, running *ordered.Map) *ordered.Map
}

// Fn makes a Func from its two halves; the arguments are the fields of In (see modules.SpecOf).
func Fn[In, P any](name, doc string,
	check func(context.Context, *Env, In) (Check[P], error),
	apply func(context.Context, *Env, In, P) (*Result, error),
) Func {
	t := reflect.TypeFor[In]()
	return Func{
		Name: name, Doc: doc, Spec: sync.OnceValue(func() *modules.Spec { return modules.SpecOf(t) }),
		Run: func(ctx context.Context, env *Env, a modules.Args) (*Result, error) {
			in, err := modules.Bind[In](name, a)
			if err != nil {
				return nil, err
			}
			c, err := check(ctx, env, in)
			if err != nil {
				return nil, err
			}
			if c.Final != nil {
				return c.Final, nil
			}
			if env.Test {
				return c.Would, nil
			}
			return apply(ctx, env, in, c.Plan)
		},
	}
}

// Opaque makes a Func whose two halves cannot be told apart from outside, as a user's own state file: run must look at
// env.Test itself.
func Opaque[In any](name, doc string, run func(context.Context, *Env, In) (*Result, error)) Func {
	t := reflect.TypeFor[In]()
	return Func{
		Name: name, Doc: doc, Spec: sync.OnceValue(func() *modules.Spec { return modules.SpecOf(t) }),
		Run: func(ctx context.Context, env *Env, a modules.Args) (*Result, error) {
			in, err := modules.Bind[In](name, a)
			if err != nil {
				return nil, err
			}
			return run(ctx, env, in)
		},
	}
}

// Registry holds state families by name. It does not change after NewRegistry.
type Registry struct {
	states map[string]*State
	funcs  map[string]*Func
}

// NewRegistry collects families; two of one name, or two functions of one name in a family, are an error.
func NewRegistry(list ...State) (*Registry, error) {
	r := &Registry{states: map[string]*State{}, funcs: map[string]*Func{}}
	for i := range list {
		if r.states[list[i].Name] != nil {
			return nil, fmt.Errorf("two states are called %q", list[i].Name)
		}
		if err := r.add(&list[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Registry) add(s *State) error {
	r.states[s.Name] = s
	for i := range s.Funcs {
		full := s.Name + "." + s.Funcs[i].Name
		if r.funcs[full] != nil {
			return fmt.Errorf("two state functions are called %q", full)
		}
		r.funcs[full] = &s.Funcs[i]
	}
	return nil
}

// With returns a registry in which the families of layer stand in front of those of r, function by function.
func (r *Registry) With(layer ...State) (*Registry, error) {
	out := &Registry{states: maps.Clone(r.states), funcs: maps.Clone(r.funcs)}
	for i := range layer {
		for j := range layer[i].Funcs {
			delete(out.funcs, layer[i].Name+"."+layer[i].Funcs[j].Name)
		}
		if err := out.add(&layer[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Lookup finds a function ("file.managed") and its family. The texts of the errors are Salt's.
func (r *Registry) Lookup(env *modules.Env, full string) (*State, *Func, error) {
	f := r.funcs[full]
	name := full
	for i := range full {
		if full[i] == '.' {
			name = full[:i]
			break
		}
	}
	s := r.states[name]
	if s == nil || f == nil {
		return nil, nil, fmt.Errorf("State '%s' was not found in SLS", full)
	}
	if s.Virtual != nil {
		if err := s.Virtual(env); err != nil {
			return nil, nil, fmt.Errorf("State '%s' was not found in SLS\nReason: '%s' __virtual__ returned False: %w", full, name, err)
		}
	}
	return s, f, nil
}

// Family returns a family by name, nil when there is none.
func (r *Registry) Family(name string) *State { return r.states[name] }

// Functions lists the full names that match the glob pattern, sorted.
func (r *Registry) Functions(env *modules.Env, pattern string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(r.funcs)) {
		if pattern != "" && !fnmatch.Match(pattern, name) {
			continue
		}
		if _, _, err := r.Lookup(env, name); err == nil {
			out = append(out, name)
		}
	}
	return out
}
