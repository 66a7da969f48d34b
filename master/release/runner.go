package release

import (
	"context"

	"brine/internal/ordered"
	"brine/modules"
)

type createArgs struct {
	Version string `arg:"version"`
	Saltenv string `arg:"saltenv" def:"'base'"`
	Note    string `arg:"note" def:"''"`
}

type targetArgs struct {
	Tgt     any    `arg:"tgt"`
	TgtType string `arg:"tgt_type" def:"'glob'"`
}

type assignArgs struct {
	Release string `arg:"release"`
	Tgt     any    `arg:"tgt"`
	TgtType string `arg:"tgt_type" def:"'glob'"`
}

type queueArgs struct {
	Tgt     any    `arg:"tgt"`
	Release string `arg:"release" def:"''"`
	When    string `arg:"when" def:"'sleep'"`
	TgtType string `arg:"tgt_type" def:"'glob'"`
}

type policyArgs struct {
	Tgt       any    `arg:"tgt"`
	Automatic string `arg:"automatic"`
	TgtType   string `arg:"tgt_type" def:"'glob'"`
}

type runsArgs struct {
	Minion string `arg:"minion" def:"''"`
	Limit  int    `arg:"limit" def:"50"`
}

type nameArgs struct {
	Name string `arg:"name"`
}

type limitArgs struct {
	Limit int `arg:"limit" def:"0"`
}

type none struct{}

func ids(list []string, err error) (any, error) {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out, refused(err)
}

func maps(list []*ordered.Map, err error) (any, error) {
	out := make([]any, len(list))
	for i, m := range list {
		out[i] = m
	}
	return out, refused(err)
}

func one(m *ordered.Map, err error) (any, error) { return m, refused(err) }

func refused(err error) error {
	if err == nil {
		return nil
	}
	return modules.Errorf("%v", err)
}

// Runner is the runner "release".
func (s *Service) Runner() modules.Module {
	return modules.Module{Name: "release", Doc: "Releases: what devices install.", Funcs: []modules.Func{
		modules.Fn("create", "Pin what an environment holds now as a release, and sign it.\n\nCLI Example:\n\n    brine run release.create 1.4.2 saltenv=base", func(ctx context.Context, _ *modules.Env, in createArgs) (any, error) {
			return one(s.Create(ctx, in.Version, in.Saltenv, in.Note))
		}),
		modules.PureFn("list", "List the releases, the newest first.\n\nCLI Example:\n\n    brine run release.list", func(ctx context.Context, _ *modules.Env, in limitArgs) (any, error) {
			list, err := s.List(ctx)
			if in.Limit > 0 && len(list) > in.Limit {
				list = list[:in.Limit]
			}
			return maps(list, err)
		}),
		modules.PureFn("show", "Show a release, by id or version.\n\nCLI Example:\n\n    brine run release.show 1.4.2", func(ctx context.Context, _ *modules.Env, in nameArgs) (any, error) {
			m, err := s.Find(ctx, in.Name)
			if err != nil {
				return nil, refused(err)
			}
			return shown(m), nil
		}),
		modules.PureFn("key", "Show the public release key, for the option release_key of devices.\n\nCLI Example:\n\n    brine run release.key", func(context.Context, *modules.Env, none) (any, error) { return s.PublicKey(), nil }),
		modules.Fn("assign", "Make a release the one that devices should have.\n\nCLI Example:\n\n    brine run release.assign 1.4.2 'car-*'", func(ctx context.Context, _ *modules.Env, in assignArgs) (any, error) {
			return ids(s.Assign(ctx, in.Release, in.Tgt, in.TgtType))
		}),
		modules.Fn("queue", "Let devices install what is assigned to them, before their next sleep or at their next start (when=startup).\n\nCLI Example:\n\n    brine run release.queue 'car-*' release=1.4.2", func(ctx context.Context, _ *modules.Env, in queueArgs) (any, error) {
			return ids(s.Queue(ctx, in.Release, in.Tgt, in.TgtType, in.When))
		}),
		modules.Fn("cancel", "Take a queued update back.\n\nCLI Example:\n\n    brine run release.cancel 'car-*'", func(ctx context.Context, _ *modules.Env, in targetArgs) (any, error) {
			return ids(s.Cancel(ctx, in.Tgt, in.TgtType))
		}),
		modules.Fn("policy", "Set when devices update by themselves: off, sleep or startup.\n\nCLI Example:\n\n    brine run release.policy 'car-*' startup", func(ctx context.Context, _ *modules.Env, in policyArgs) (any, error) {
			return ids(s.Policy(ctx, in.Tgt, in.TgtType, in.Automatic))
		}),
		modules.PureFn("devices", "Tell what devices should have, and what they last said.\n\nCLI Example:\n\n    brine run release.devices '*'", func(ctx context.Context, _ *modules.Env, in targetArgs) (any, error) {
			return one(s.Devices(ctx, in.Tgt, in.TgtType))
		}),
		modules.PureFn("summary", "Count the devices: up to date, waiting, failed, without a release.\n\nCLI Example:\n\n    brine run release.summary", func(ctx context.Context, _ *modules.Env, _ none) (any, error) {
			return one(s.Summary(ctx))
		}),
		modules.PureFn("runs", "List the runs of updates, the newest first.\n\nCLI Example:\n\n    brine run release.runs minion=car-17", func(ctx context.Context, _ *modules.Env, in runsArgs) (any, error) {
			return maps(s.Runs(ctx, in.Minion, in.Limit))
		}),
		modules.PureFn("run", "Show a run with the results of its states.\n\nCLI Example:\n\n    brine run release.run 0123456789abcdef", func(ctx context.Context, _ *modules.Env, in nameArgs) (any, error) {
			return one(s.Run(ctx, in.Name))
		}),
	}}
}
