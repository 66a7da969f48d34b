// Package file holds the file.* states: they bring files, folders, links and devices to what is wished. Comments, changes and
// the answers of dry runs are Salt's: https://docs.saltproject.io/en/3006/ref/states/all/salt.states.file.html.
package file

import (
	"context"
	"fmt"
	"os"
	"slices"

	"brine/internal/fileinfo"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pypath"
	"brine/modules"
	"brine/states"
)

// State is the family.
func State() states.State {
	return states.State{Name: "file", Doc: "States for files, folders, links and devices.", OwnCheckCmd: true,
		Funcs: slices.Concat(
			named(managedFuncs()), named(directoryFuncs()), named(recurseFuncs()), named(linkFuncs()), named(removeFuncs()),
			named(retentionFuncs()), named(editFuncs()), named(appendFuncs()), named(copyFuncs()),
			named(serializeFuncs()), decodeFuncs(), patchFuncs(), accumulateFuncs(), cacheFuncs())}
}

// work does what a look found to be needed.
type work func(context.Context) (*states.Result, error)

type check = states.Check[work]

// fn makes a function of a look that hands the work over as a closure.
func fn[In any](name, doc string, look func(context.Context, *states.Env, In) (check, error)) states.Func {
	return states.Fn(name, doc, look, func(ctx context.Context, _ *states.Env, _ In, w work) (*states.Result, error) { return w(ctx) })
}

// final ends a state here.
func final(r *states.Result) (check, error) { return states.Done[work](r), nil }

// refuse ends a state with a failure.
func refuse(format string, a ...any) (check, error) { return final(states.Failed(format, a...)) }

// change says what would happen, and what will.
func change(w work, comment string, changes *ordered.Map) (check, error) {
	return states.Change(w, comment, changes), nil
}

// named expands ~ in the name of each function, refuses an empty one, and shows the name as expanded.
func named(list []states.Func) []states.Func {
	for i := range list {
		f, run := list[i], list[i].Run
		list[i].Run = func(ctx context.Context, env *states.Env, a modules.Args) (*states.Result, error) {
			given, ok := a.Kw.Value("name").(string)
			if !ok {
				return run(ctx, env, a)
			}
			if given == "" {
				return states.Failed("Must provide name to file.%s", f.Name), nil
			}
			name := pypath.Expanduser(given)
			if name != given {
				a = a.With("name", name)
			}
			r, err := run(ctx, env, a)
			if r != nil && r.Name == nil {
				r.Name = name
			}
			return r, err
		}
	}
	return list
}

// resultOf reads the return of an execution function that answers as a state function does.
func resultOf(v any) *states.Result {
	m, _ := v.(*ordered.Map)
	r := &states.Result{Name: m.Value("name"), Comment: m.Value("comment"), Changes: m.Map("changes")}
	if ok, isBool := m.Value("result").(bool); isBool {
		r.OK = &ok
	}
	for _, w := range m.List("warnings") {
		r.Warnings = append(r.Warnings, pyfmt.Str(w))
	}
	return r
}

// call runs an execution function.
func call(ctx context.Context, env *states.Env, fun string, pos ...any) (any, error) {
	return env.Call(ctx, fun, modules.Pos(pos...))
}

// text is a value as text, "" for one that is not there.
func text(v any) string {
	if v == nil {
		return ""
	}
	return pyfmt.Str(v)
}

// owner is the user argument, or owner, which other tools call it.
func owner(user any, kwargs *ordered.Map) any {
	if pyfmt.Truth(user) || !kwargs.Has("owner") {
		return user
	}
	return kwargs.Value("owner")
}

// unknownOwner says which user or group there is not, "" for none.
func unknownOwner(user, group any) string {
	out := ""
	if pyfmt.Truth(user) {
		if _, ok := fileinfo.UID(user); !ok {
			out += "User " + pyfmt.Str(user) + " is not available "
		}
	}
	if pyfmt.Truth(group) {
		if _, ok := fileinfo.GID(group); !ok {
			out += "Group " + pyfmt.Str(group) + " is not available"
		}
	}
	return out
}

// ourOwner fills in user and group: the user that we run as, and that user's group.
func ourOwner(ctx context.Context, env *states.Env, user, group any) (any, any, error) {
	if user == nil {
		if user = env.Opt("user"); text(user) == "" {
			user = fileinfo.UserName(os.Getuid())
		}
	}
	if group != nil {
		return user, group, nil
	}
	if !env.Mods.Has(env.Env, "user.info") {
		return user, user, nil
	}
	info, err := states.Dict(call(ctx, env, "user.info", user))
	if err != nil {
		return nil, nil, err
	}
	gid, _ := info.Value("gid").(int64)
	return user, fileinfo.GroupName(int(gid)), nil
}

// missingOwner lists, for links, the user and group that there are not.
func missingOwner(user, group any) []string {
	var out []string
	if _, ok := fileinfo.UID(user); !ok {
		out = append(out, "User "+pyfmt.Str(user)+" does not exist")
	}
	if _, ok := fileinfo.GID(group); !ok {
		out = append(out, "Group "+pyfmt.Str(group)+" does not exist")
	}
	return out
}

// modeOf brings a mode into the form of file.stats, nil for none.
func modeOf(v any) any {
	if mode, ok := fileinfo.ModeOf(v); ok {
		return mode
	}
	return nil
}

// notAFile is why a file cannot be edited, "" when it can.
func notAFile(name string) string {
	switch {
	case !pypath.IsAbs(name):
		return "Specified file " + name + " is not an absolute path"
	case !pypath.Exists(name):
		return name + ": file not found"
	}
	return ""
}

func notAbsolute(name string) (check, error) {
	return refuse("Specified file %s is not an absolute path", name)
}

// makeParent makes the folder of a path.
func makeParent(ctx context.Context, env *states.Env, name string, user, group, mode any) error {
	_, err := call(ctx, env, "file.makedirs", name, user, group, mode)
	return err
}

// strings of a value that may be one text, or a list of texts and other scalars.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		if b, isBytes := v.([]byte); isBytes {
			return []string{string(b)}
		}
		return []string{pyfmt.Str(v)}
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = pyfmt.Str(e)
	}
	return out
}

const maxText = 64 << 20

// readText reads a file whole, within bounds.
func readText(path string) (string, error) {
	if fi, err := os.Stat(path); err == nil && fi.Size() > maxText {
		return "", fmt.Errorf("%s is too large to be edited as text", path)
	}
	p, err := os.ReadFile(path)
	return string(p), err
}
