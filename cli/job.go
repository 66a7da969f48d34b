package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"brine/internal/rpc"
	"brine/master"
)

func newJob(env *Env) *cobra.Command {
	o := &execOptions{}
	var cancel, follow bool
	var kill bool
	cmd := &cobra.Command{
		Use:   "job [options] JID",
		Short: "watch a job, or attach to it again",
		Long: `Print what the minions have returned for a job, and what comes in while it runs.

Without --follow it waits as brine TARGET FUN does; with it until the last minion has answered.`,
		Example: `  brine job 20310504101112345678
  brine job --follow 20310504101112345678
  brine job --cancel 20310504101112345678`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := o.logger(env)
			if err != nil {
				return err
			}
			opts, loaded, err := master.Load(env.configDir(o.configDir, "master"))
			if err != nil {
				return err
			}
			warn(log, loaded)
			p, err := o.printer(env, log)
			if err != nil {
				return err
			}
			defer p.close()
			p.stateDefaults(opts.StateOutput, opts.StateVerb, false)
			q := master.JobRequest{JID: args[0], Follow: follow, Signal: 15}
			if kill {
				q.Signal = 9
			}
			if cancel || kill {
				var n int
				if err := rpc.One(cmd.Context(), opts.SocketPath(), "cancel", q, &n); err != nil {
					return reach(err, opts.SocketPath())
				}
				fmt.Fprintf(env.Stdout, "Cancelled on %d minions.\n", n)
				return nil
			}
			if o.timeout != "" {
				d, err := duration(o.timeout)
				if err != nil {
					return usagef("option -t: %v", err)
				}
				q.Timeout = d.Seconds()
			}
			s := &session{o: o, env: env, p: p, socket: opts.SocketPath()}
			if err := rpc.Call(cmd.Context(), s.socket, "watch", q, s.frame); err != nil {
				return s.trouble(cmd.Context(), err)
			}
			return s.exit()
		},
	}
	addCommon(cmd, &o.common)
	f := cmd.Flags()
	f.BoolVarP(&follow, "follow", "f", false, "wait until every minion has answered")
	f.BoolVar(&cancel, "cancel", false, "end the job on all minions that have not answered")
	f.BoolVar(&kill, "kill", false, "as --cancel, without giving commands time to clean up")
	f.StringVarP(&o.timeout, "timeout", "t", "", "seconds to wait for a silent minion")
	f.BoolVar(&o.hideTimeout, "hide-timeout", false, "say nothing about minions that do not answer")
	return cmd
}
