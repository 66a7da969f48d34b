package runners

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	"brine/modules/builtin"
)

type functionArgs struct {
	Name string `arg:"name"`
}

// function is the usage and the text of an execution function.
func function(name string) *ordered.Map {
	for _, m := range builtin.Modules(builtin.Deps{}) {
		for _, f := range m.Funcs {
			if m.Name+"."+f.Name == name {
				return ordered.Pairs("name", name, "usage", usage(name, f.Spec()), "doc", f.Doc)
			}
		}
	}
	return ordered.New(0)
}

func usage(name string, s *modules.Spec) string {
	words := []string{name}
	for _, p := range s.Params {
		if p.Required {
			words = append(words, strings.ToUpper(p.Name))
			continue
		}
		words = append(words, "["+p.Name+"="+pyfmt.Repr(p.Default)+"]")
	}
	for _, more := range []string{s.VarArgs, s.KwArg} {
		if more != "" {
			words = append(words, "["+more+" ...]")
		}
	}
	return strings.Join(words, " ")
}

func docRunner(d *Deps) modules.Module {
	docs := func(list func(*Deps) []modules.Module) func(context.Context, *modules.Env, none) (any, error) {
		return func(context.Context, *modules.Env, none) (any, error) {
			out := ordered.New(0)
			for _, m := range list(d) {
				for _, f := range m.Funcs {
					out.Set(m.Name+"."+f.Name, f.Doc)
				}
			}
			return out, nil
		}
	}
	return modules.Module{Name: "doc", Doc: "Documentation of what runs on the master.", Funcs: []modules.Func{
		modules.PureFn("runner", "Documentation of the runner functions.\n\nCLI Example:\n\n    brine run doc.runner", docs(Runners)),
		modules.PureFn("wheel", "Documentation of the wheel functions.\n\nCLI Example:\n\n    brine run doc.wheel", docs(Wheels)),
		modules.PureFn("execution", "Documentation of the execution functions, as one connected minion tells it.\n\nCLI Example:\n\n    brine run doc.execution",
			func(ctx context.Context, _ *modules.Env, _ none) (any, error) {
				for _, m := range d.Minions() {
					if m.Online {
						got, err := d.Local(ctx, []any{m.ID}, "list", "sys.doc", nil)
						if err != nil {
							return nil, err
						}
						return got.Value(m.ID), nil
					}
				}
				return nil, modules.Errorf("no minion is connected whose functions could be listed")
			}),
		modules.PureFn("functions", "List the execution functions that the program is built with.\n\nCLI Example:\n\n    brine run doc.functions", func(context.Context, *modules.Env, none) (any, error) {
			out := []any{}
			for _, m := range builtin.Modules(builtin.Deps{}) {
				for _, f := range m.Funcs {
					out = append(out, m.Name+"."+f.Name)
				}
			}
			return out, nil
		}),
		modules.PureFn("function", "Tell how an execution function that the program is built with is called; nothing for one that it does not know.\n\nCLI Example:\n\n    brine run doc.function cmd.run",
			func(_ context.Context, _ *modules.Env, in functionArgs) (any, error) { return function(in.Name), nil }),
	}}
}
