package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/internal/saltargs"
	"brine/minion"
	"brine/minion/exec"
	"brine/proto"
)

// callOptions are those of brine call.
type callOptions struct {
	common
	local       bool
	passthrough bool
	grains, doc bool
	metadata    bool
	id          string
	fileRoot    string
	pillarRoot  string
	noReport    bool
}

func newCall(env *Env) *cobra.Command {
	o := &callOptions{}
	cmd := &cobra.Command{
		Use:   "call [options] FUN [ARGS]",
		Short: "run a function on this device",
		Long: `Run a function on this device: inside the running minion when there is one, with --local alone and without a master.

The result is printed under the name "local".`,
		Example: `  brine call test.ping
  brine call --local state.apply web test=True
  brine call --local --out=json grains.items`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), env, words(args)) },
	}
	cmd.ValidArgsFunction = completer(env, &o.common, []lister{builtinFunctions})
	addCommon(cmd, &o.common)
	addArgs(cmd, &o.common)
	f := cmd.Flags()
	f.BoolVar(&o.local, "local", false, "run alone, without a master: files and pillar of this machine")
	f.BoolVar(&o.passthrough, "retcode-passthrough", false, "exit with the function's own return code")
	f.BoolVarP(&o.grains, "grains", "g", false, "show the grains")
	f.BoolVarP(&o.doc, "doc", "d", false, "show documentation")
	f.BoolVar(&o.metadata, "metadata", false, "show the return with its job id, function and return code")
	f.StringVar(&o.id, "id", "", "use this minion id")
	f.StringVar(&o.fileRoot, "file-root", "", "folder of the base environment's files")
	f.StringVar(&o.pillarRoot, "pillar-root", "", "folder of the base environment's pillar")
	f.BoolVar(&o.noReport, "no-return-event", false, "keep the result from the master")
	alias(f, "doc", "documentation")
	return cmd
}

func (o *callOptions) run(ctx context.Context, env *Env, args []string) error {
	args, err := o.readArgs(env, args)
	if err != nil {
		return err
	}
	req, err := o.request(args)
	if err != nil {
		return err
	}
	log, err := o.logger(env)
	if err != nil {
		return err
	}
	opts, loaded, err := minion.Load(env.configDir(o.configDir, "minion"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	if err := o.override(env, opts); err != nil {
		return err
	}
	reply, err := o.call(ctx, opts, req, log)
	if err != nil {
		return err
	}
	p, err := o.printer(env, log)
	if err != nil {
		return err
	}
	defer p.close()
	return o.show(env, p, opts, req, reply)
}

func (o *callOptions) request(args []string) (*minion.CallRequest, error) {
	switch {
	case o.grains:
		args = []string{"grains.items"}
	case o.doc:
		args = append([]string{"sys.doc"}, args...)
	case len(args) == 0:
		return nil, usagef("Requires function, --grains or --doc")
	}
	pos, kw := saltargs.Parse(args[1:], o.noParse...)
	return &minion.CallRequest{Fun: args[0], Pos: pos, Kwargs: kw, NoReport: o.noReport}, nil
}

// override lets options of the command line win over the configuration.
func (o *callOptions) override(env *Env, opts *minion.Options) error {
	if o.id != "" {
		if err := proto.CheckID(o.id); err != nil {
			return usagef("option --id: %v", err)
		}
		opts.ID = o.id
		opts.All.Set("id", o.id)
	}
	if o.fileRoot != "" {
		opts.FileRoots = map[string][]string{"base": {env.abs(o.fileRoot)}}
		opts.All.Set("file_roots", ordered.Pairs("base", []any{env.abs(o.fileRoot)}))
	}
	if o.pillarRoot != "" {
		opts.PillarRoots = map[string][]string{"base": {env.abs(o.pillarRoot)}}
		opts.All.Set("pillar_roots", ordered.Pairs("base", []any{env.abs(o.pillarRoot)}))
	}
	return nil
}

func (o *callOptions) call(ctx context.Context, opts *minion.Options, req *minion.CallRequest, log *zap.Logger) (*minion.CallReply, error) {
	if o.local || opts.FileClient == "local" {
		r, err := minion.NewLocal(opts, log)
		if err != nil {
			return nil, err
		}
		var jids proto.JIDs
		return minion.Call(ctx, r, jids.Next(), req), nil
	}
	var reply minion.CallReply
	err := rpc.One(ctx, opts.SocketPath(), "call", req, &reply)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("no minion is running here (%s): start one with brine minion, or use --local to run alone", opts.SocketPath())
	}
	return &reply, err
}

// show prints a reply as salt-call does and gives the exit code.
func (o *callOptions) show(env *Env, p *printer, opts *minion.Options, req *minion.CallRequest, r *minion.CallReply) error {
	switch r.Kind {
	case exec.OK:
	case exec.NotAvailable:
		return &exitErr{exitNoFunction, errors.New(r.Error)}
	case exec.BadArguments:
		fmt.Fprintf(env.Stderr, "\nPassed invalid arguments: %s.\n\nUsage:\n%s\n", strings.TrimSuffix(r.Error, "."), r.Doc)
		return exit(exitError)
	case exec.BadKeywords:
		return &exitErr{exitError, errors.New(r.Error)}
	case exec.Refused:
		return &exitErr{exitError, fmt.Errorf("Error running '%s': %s", req.Fun, r.Error)}
	case exec.CommandFailed:
		return &exitErr{exitError, fmt.Errorf("Error running '%s': %s", req.Fun, r.Error)}
	default:
		return &exitErr{exitError, fmt.Errorf("[ERROR   ] An un-handled exception was caught: %s", r.Error)}
	}
	var data any = ordered.Pairs("local", r.Value)
	if o.metadata {
		data = ordered.Pairs("local", ordered.Pairs("fun", req.Fun, "fun_args", saltargs.ToJob(req.Pos, req.Kwargs), "id", opts.ID, "jid", r.JID,
			"retcode", r.Retcode, "return", r.Value))
	}
	p.print(data, r.Out)
	switch {
	case r.Retcode == 0:
		return nil
	case o.passthrough:
		return exit(r.Retcode)
	}
	return exit(exitError)
}
