package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
	"brine/internal/rpc"
	"brine/master"
)

// eventOptions say which events to follow and how to show them.
type eventOptions struct {
	tag    string
	pretty bool
	count  int
}

func newEvent(env *Env) *cobra.Command {
	var c common
	o := eventOptions{}
	cmd := &cobra.Command{
		Use:   "event [options] [TAG]",
		Short: "follow the events of the master",
		Long:  "Follow the events of the master until Ctrl-C. TAG is a glob, or the beginning of a tag. Each event is one line: tag, tab, JSON.",
		Example: `  brine event
  brine event 'salt/job/*/ret/*'
  brine event --pretty system/release`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.tag = args[0]
			}
			log, err := c.logger(env)
			if err != nil {
				return err
			}
			opts, loaded, err := master.Load(env.configDir(c.configDir, "master"))
			if err != nil {
				return err
			}
			warn(log, loaded)
			p, err := c.printer(env, log)
			if err != nil {
				return err
			}
			defer p.close()
			return followEvents(cmd.Context(), opts.SocketPath(), p, o)
		},
	}
	addCommon(cmd, &c)
	cmd.Flags().BoolVar(&o.pretty, "pretty", false, "show the data over several lines")
	cmd.Flags().IntVar(&o.count, "count", 0, "end after so many events")
	return cmd
}

// eventArgs reads the arguments of the runner state.event: tagmatch, count, quiet, sock_dir, pretty, node.
func eventArgs(pos []any, kw *ordered.Map) eventOptions {
	get := func(i int, name string) any {
		if v, ok := kw.Get(name); ok {
			return v
		}
		if i < len(pos) {
			return pos[i]
		}
		return nil
	}
	o := eventOptions{pretty: pyfmt.Truth(get(4, "pretty"))}
	if tag, ok := get(0, "tagmatch").(string); ok && tag != "*" {
		o.tag = tag
	}
	if n, ok := get(1, "count").(int64); ok && n > 0 {
		o.count = int(n)
	}
	return o
}

func followEvents(ctx context.Context, socket string, p *printer, o eventOptions) error {
	seen := 0
	err := rpc.Call(ctx, socket, "events", o.tag, func(b rpc.Body) error {
		var f master.Frame
		if err := b.Decode(&f); err != nil {
			return err
		}
		opts := pyjson.Options{EnsureASCII: true}
		if o.pretty {
			opts.Indent, opts.SortKeys = 4, true
		}
		p.text(fmt.Sprintf("%s\t%s", f.Event.Tag, pyjson.Dumps(f.Event.Data, opts)))
		if seen++; o.count > 0 && seen >= o.count {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) || ctx.Err() != nil {
		return nil
	}
	return reach(err, socket)
}
