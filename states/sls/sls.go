// Package sls compiles trees of SLS files and runs them, stage by stage: the top file chooses SLS files (top.go), they
// are loaded, rendered and merged into high data (load.go), extended and checked (high.go, requisitein.go), made into low
// chunks in order (low.go), and run with their requisites (run.go, requisite.go, call.go, listen.go).
//
// The stages, their errors and results are Salt's:
// https://docs.saltproject.io/en/3006/ref/states/index.html.
package sls

import (
	"context"
	"fmt"
	"strings"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/states"
)

// firstOrder is the order of the first state of a tree; each state takes the next number.
const firstOrder = 10000

// Compiler compiles and runs states for one job.
type Compiler struct {
	Env    *modules.Env
	States *states.Registry
	// Saltenv holds the top file to one environment; empty takes them all.
	Saltenv string

	order int64
	avail map[string][]string // SLS names by environment
}

// New makes a compiler.
func New(env *modules.Env, reg *states.Registry) *Compiler {
	return &Compiler{Env: env, States: reg, order: firstOrder, avail: map[string][]string{}}
}

// available lists the SLS files of an environment; false when there is no such environment.
func (c *Compiler) available(ctx context.Context, saltenv string) ([]string, bool, error) {
	if list, ok := c.avail[saltenv]; ok {
		return list, list != nil, nil
	}
	envs, err := c.Env.Files.Envs(ctx)
	if err != nil {
		return nil, false, err
	}
	known := false
	for _, e := range envs {
		known = known || e == saltenv
	}
	var list []string
	if known {
		files, err := c.Env.Files.List(ctx, saltenv, "")
		if err != nil {
			return nil, false, err
		}
		list = Names(files)
	}
	c.avail[saltenv] = list
	return list, known, nil
}

// Names are the SLS names among paths: a/b.sls is a.b, a/init.sls is a. The list is never nil.
func Names(files []string) []string {
	out := []string{}
	for _, f := range files {
		base, ok := strings.CutSuffix(f, ".sls")
		if !ok {
			continue
		}
		if name, isInit := strings.CutSuffix(base, "/init"); isInit {
			base = name
		}
		out = append(out, strings.ReplaceAll(base, "/", "."))
	}
	return out
}

func filter(names []string, pattern string) []string {
	var out []string
	for _, n := range names {
		if glob(pattern, n) {
			out = append(out, n)
		}
	}
	return out
}

// glob is fnmatch, with a short way for patterns that are plain text.
func glob(pattern, s string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return pattern == s
	}
	return fnmatch.Match(pattern, s)
}

// tag names a chunk in results.
func tag(low *ordered.Map) string {
	return text(low, "state") + "_|-" + text(low, "__id__") + "_|-" + text(low, "name") + "_|-" + text(low, "fun")
}

func text(m *ordered.Map, key string) string {
	v := m.Value(key)
	if s, ok := v.(string); ok {
		return s
	}
	return pyfmt.Str(v)
}

// first is the first key of a map and its value; it is how Salt reads a one-key map.
func first(m *ordered.Map) (string, any) {
	for k, v := range m.All() {
		return ordered.KeyText(k), v
	}
	return "", nil
}

func hidden(key any) bool {
	s, ok := key.(string)
	return ok && strings.HasPrefix(s, "__")
}

func errorf(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// list makes job data of errors.
func list(errs []string) []any {
	out := make([]any, len(errs))
	for i, e := range errs {
		out[i] = e
	}
	return out
}
