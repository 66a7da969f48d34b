package cli

import (
	"context"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/master"
)

// releaseOptions are those of the release commands.
type releaseOptions struct {
	common
	tgt     target
	saltenv string
	note    string
	release string
	startup bool
	minion  string
	limit   int
	env     *Env
}

func newRelease(env *Env) *cobra.Command {
	o := &releaseOptions{env: env}
	cmd := &cobra.Command{
		Use: "release COMMAND", Short: "make releases and bring them to devices",
		Long: `Make releases and bring them to devices.

A release pins what an environment of the file roots and the pillar holds at one moment, and is signed. Devices that it is
assigned to install it when they are asked to (queue), by their policy, or at once (minionutil.update_release).`,
		Example: `  brine release create 1.4.2 --saltenv base
  brine release queue 'car-*' --release 1.4.2
  brine release policy 'car-*' startup
  brine release runs --minion car-17
  brine release run 0123456789abcdef`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o.commands(cmd)
	return cmd
}

// adder adds one subcommand: call gives the runner function and its arguments.
type adder func(use, short string, args int, call func(args []string) (string, *ordered.Map), flags func(*cobra.Command))

// commands adds the subcommands.
func (o *releaseOptions) commands(cmd *cobra.Command) {
	add := func(use, short string, args int, call func(args []string) (string, *ordered.Map), flags func(*cobra.Command)) {
		c := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(args), RunE: func(cmd *cobra.Command, list []string) error {
			fun, kw := call(list)
			return o.call(cmd.Context(), fun, kw)
		}}
		addCommon(c, &o.common)
		if flags != nil {
			flags(c)
		}
		cmd.AddCommand(c)
	}
	o.making(add)
	o.bringing(add)
}

// making are the commands about releases and runs themselves.
func (o *releaseOptions) making(sub adder) {
	sub("create VERSION", "pin and sign what an environment holds now", 1, func(a []string) (string, *ordered.Map) {
		return "release.create", ordered.Pairs("version", a[0], "saltenv", o.saltenv, "note", o.note)
	}, func(c *cobra.Command) {
		c.Flags().StringVar(&o.saltenv, "saltenv", "base", "the environment")
		c.Flags().StringVar(&o.note, "note", "", "a text for those who see the release")
	})
	sub("list", "list the releases, the newest first", 0, func([]string) (string, *ordered.Map) { return "release.list", nil }, nil)
	sub("show RELEASE", "show a release, by id or version", 1, func(a []string) (string, *ordered.Map) {
		return "release.show", ordered.Pairs("name", a[0])
	}, nil)
	sub("key", "show the public release key, for the option release_key of devices", 0, func([]string) (string, *ordered.Map) { return "release.key", nil }, nil)
	sub("runs", "list the runs of updates, the newest first", 0, func([]string) (string, *ordered.Map) {
		return "release.runs", ordered.Pairs("minion", o.minion, "limit", int64(o.limit))
	}, func(c *cobra.Command) {
		c.Flags().StringVar(&o.minion, "minion", "", "only those of this minion")
		c.Flags().IntVar(&o.limit, "limit", 50, "how many")
	})
	sub("run RUN", "show a run with the results of its states", 1, func(a []string) (string, *ordered.Map) {
		return "release.run", ordered.Pairs("name", a[0])
	}, nil)
}

// bringing are the commands that bring releases to devices.
func (o *releaseOptions) bringing(sub adder) {
	targets := func(c *cobra.Command) { o.tgt.add(c); o.tgt.addMore(c) }
	sub("assign RELEASE TARGET", "make a release the one that devices should have", 2, func(a []string) (string, *ordered.Map) {
		return "release.assign", o.with(a[1], "release", a[0])
	}, targets)
	sub("queue TARGET", "let devices install what they should have before their next sleep", 1, func(a []string) (string, *ordered.Map) {
		when := "sleep"
		if o.startup {
			when = "startup"
		}
		return "release.queue", o.with(a[0], "release", o.release, "when", when)
	}, func(c *cobra.Command) {
		targets(c)
		c.Flags().StringVar(&o.release, "release", "", "assign this release first")
		c.Flags().BoolVar(&o.startup, "startup", false, "at the next start too")
	})
	sub("cancel TARGET", "take a queued update back", 1, func(a []string) (string, *ordered.Map) { return "release.cancel", o.with(a[0]) }, targets)
	sub("policy TARGET off|sleep|startup", "set when devices update by themselves", 2, func(a []string) (string, *ordered.Map) {
		return "release.policy", o.with(a[0], "automatic", a[1])
	}, targets)
	sub("devices TARGET", "tell what devices should have, and what they last said", 1, func(a []string) (string, *ordered.Map) {
		return "release.devices", o.with(a[0])
	}, targets)
}

// with makes the arguments of a function that takes a target.
func (o *releaseOptions) with(tgt string, kv ...any) *ordered.Map {
	kw := ordered.Pairs(kv...)
	kw.Set("tgt", o.tgt.value(tgt))
	if kind, err := o.tgt.kind(); err == nil {
		kw.Set("tgt_type", kind)
	}
	return kw
}

func (o *releaseOptions) call(ctx context.Context, fun string, kw *ordered.Map) error {
	log, err := o.logger(o.env)
	if err != nil {
		return err
	}
	if _, err := o.tgt.kind(); err != nil {
		return err
	}
	opts, loaded, err := master.Load(o.env.configDir(o.configDir, "master"))
	if err != nil {
		return err
	}
	warn(log, loaded)
	p, err := o.printer(o.env, log)
	if err != nil {
		return err
	}
	defer p.close()
	var f master.Frame
	if err := rpc.One(ctx, opts.SocketPath(), "runner", master.FunRequest{Fun: fun, Kwargs: kw, User: userName(o.env)}, &f); err != nil {
		return reach(err, opts.SocketPath())
	}
	if !empty(f.Value.Value) {
		p.print(f.Value.Value, "")
	}
	return nil
}
