package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/rpc"
	"brine/master"
	"brine/modules/builtin"
)

// completeTime bounds what a shell waits for while somebody types.
const completeTime = 2 * time.Second

// lister gives the words that an argument may be. Errors give none: a shell has no place to show them.
type lister func(ctx context.Context, socket string) []string

// completer completes arguments, each by its lister.
func completer(env *Env, c *common, by []lister) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= len(by) {
			return nil, cobra.ShellCompDirectiveDefault
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
		defer cancel()
		socket := ""
		if opts, _, err := master.Load(env.configDir(c.configDir, "master")); err == nil {
			socket = opts.SocketPath()
		}
		var out []cobra.Completion
		for _, w := range by[len(args)](ctx, socket) {
			if strings.HasPrefix(w, typed) {
				out = append(out, w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

func ask(ctx context.Context, socket, fun string, kw *ordered.Map) any {
	var f master.Frame
	if rpc.One(ctx, socket, "runner", master.FunRequest{Fun: fun, Kwargs: kw, Quiet: true}, &f) != nil || f.Value == nil {
		return nil
	}
	return f.Value.Value
}

func texts(v any) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = pyfmt.Str(e)
	}
	return out
}

func minionIDs(ctx context.Context, socket string) []string {
	return texts(ask(ctx, socket, "manage.find", ordered.Pairs("tgt", "*")))
}

func functions(ctx context.Context, socket string) []string {
	return texts(ask(ctx, socket, "doc.functions", nil))
}

func builtinFunctions(context.Context, string) []string {
	var out []string
	for _, m := range builtin.Modules(builtin.Deps{}) {
		for _, f := range m.Funcs {
			out = append(out, m.Name+"."+f.Name)
		}
	}
	return out
}

func runnerFunctions(ctx context.Context, socket string) []string {
	m, _ := ask(ctx, socket, "doc.runner", nil).(*ordered.Map)
	out := make([]string, 0, m.Len())
	for k := range m.All() {
		out = append(out, ordered.KeyText(k))
	}
	return out
}
