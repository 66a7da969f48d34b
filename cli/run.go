package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/internal/saltargs"
	"brine/master"
)

type runOptions struct {
	common
	async, doc, quiet bool
	jid               string
	timeout           string
}

func newRun(env *Env) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run [options] FUN [ARGS]",
		Short: "run a runner function on the master",
		Long:  "Run a runner function on the master and print what it returns. Without a function the documentation of all is shown.",
		Example: `  brine run manage.status
  brine run jobs.lookup_jid 20310504101112345678
  brine run state.event pretty=True`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, words(args)) },
	}
	cmd.ValidArgsFunction = completer(env, &o.common, []lister{runnerFunctions})
	addCommon(cmd, &o.common)
	addArgs(cmd, &o.common)
	f := cmd.Flags()
	f.BoolVar(&o.async, "async", false, "do not wait: the result comes as an event")
	f.BoolVarP(&o.doc, "doc", "d", false, "show documentation")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing")
	f.StringVar(&o.jid, "jid", "", "use this job id")
	f.StringVarP(&o.timeout, "timeout", "t", "", "accepted for compatibility")
	alias(f, "doc", "documentation")
	return cmd
}

func (o *runOptions) run(ctx context.Context, env *Env, args []string) error {
	log, err := o.logger(env)
	if err != nil {
		return err
	}
	opts, loaded, err := master.Load(env.configDir(o.configDir, "master"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	if args, err = o.readArgs(env, args); err != nil {
		return err
	}
	p, err := o.printer(env, log)
	if err != nil {
		return err
	}
	defer p.close()
	p.stateDefaults(opts.StateOutput, opts.StateVerb, false)
	if len(args) == 0 || o.doc {
		return o.docs(ctx, env, p, opts.SocketPath(), args)
	}
	pos, kw := saltargs.Parse(args[1:], o.noParse...)
	if args[0] == "state.event" {
		return followEvents(ctx, opts.SocketPath(), p, eventArgs(pos, kw))
	}
	q := master.FunRequest{Fun: args[0], Pos: pos, Kwargs: kw, User: userName(env), JID: o.jid, Async: o.async}
	var v *master.Value
	err = rpc.Call(ctx, opts.SocketPath(), "runner", q, func(b rpc.Body) error {
		var f master.Frame
		err := b.Decode(&f)
		v = f.Value
		if o.async && err == nil {
			fmt.Fprintf(env.Stderr, "[WARNING ] Running in asynchronous mode. Results of this execution may be collected by attaching to the master event bus or by examining the master job cache, if configured. This execution is running under tag salt/run/%s\n", v.JID)
			return errStop
		}
		return err
	})
	switch {
	case errors.Is(err, errStop):
		return nil
	case rpc.ErrCode(err) == master.CodeMissing:
		return &exitErr{exitError, err}
	case rpc.ErrCode(err) == master.CodeArguments:
		return &exitErr{exitError, fmt.Errorf("Passed invalid arguments: %w", err)}
	case err != nil:
		return reach(err, opts.SocketPath())
	}
	return o.show(p, v)
}

// errStop ends a stream whose rest is of no interest.
var errStop = errors.New("enough")

func (o *runOptions) show(p *printer, v *master.Value) error {
	data, out := v.Value, v.Out
	if m, ok := data.(*ordered.Map); ok && m.Has("outputter") && m.Has("data") {
		data, out = m.Value("data"), m.String("outputter")
	}
	if !o.quiet && !empty(data) {
		p.print(data, out)
	}
	if v.Retcode != 0 {
		return exit(exitError)
	}
	return nil
}

// empty tells whether a result prints nothing.
func empty(v any) bool {
	switch t := v.(type) {
	case nil:
		return true
	case string:
		return t == ""
	case []any:
		return len(t) == 0
	case *ordered.Map:
		return t.Len() == 0
	}
	return false
}

func (o *runOptions) docs(ctx context.Context, env *Env, p *printer, socket string, prefixes []string) error {
	var f master.Frame
	if err := rpc.One(ctx, socket, "runner", master.FunRequest{Fun: "doc.runner", User: userName(env)}, &f); err != nil {
		return reach(err, socket)
	}
	all, _ := f.Value.Value.(*ordered.Map)
	out := ordered.New(0)
	for k, v := range all.All() {
		name, _ := k.(string)
		for _, prefix := range append(prefixes, "")[:max(len(prefixes), 1)] {
			if strings.HasPrefix(name, prefix) {
				out.Set(k, v)
			}
		}
	}
	p.docs(out)
	return nil
}
