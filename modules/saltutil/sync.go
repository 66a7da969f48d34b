package saltutil

import (
	"context"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
)

// Syncer fetches what users have written (_modules, _states ...) from the file roots and puts it in force.
type Syncer interface {
	// Sync answers with the names that are new or changed, by kind ("modules", "states"), each sorted: "modules.hello".
	Sync(ctx context.Context, env *modules.Env, kinds, saltenvs []string) (map[string][]string, error)
}

// kinds are Salt's, in the order in which sync_all answers.
var kinds = [...]string{
	"beacons", "clouds", "engines", "executors", "grains", "log_handlers", "matchers", "modules", "output", "proxymodules", "renderers", "returners",
	"sdb", "serializers", "states", "thorium", "utils", "wrapper",
}

const syncDoc = `Fetch what is new of one kind of user-written files from the file roots of the master, and put it in force.

saltenv
    the environments, separated by commas; those of the top file, else base, by default
refresh
    False leaves the new files for the next refresh

CLI Example:

    salt '*' saltutil.sync_modules
    salt '*' saltutil.sync_modules saltenv=base,dev`

const syncAllDoc = `Fetch what is new of all kinds of user-written files from the file roots of the master, and put it in force: modules, states, grains and more.

CLI Example:

    salt '*' saltutil.sync_all
    salt '*' saltutil.sync_all saltenv=base,dev`

type syncArgs struct {
	Saltenv any  `arg:"saltenv" def:"None"`
	Refresh bool `arg:"refresh" def:"True"`
	Include any  `arg:"extmod_whitelist" def:"None"`
	Exclude any  `arg:"extmod_blacklist" def:"None"`
}

func (u *util) syncFuncs() []modules.Func {
	var out []modules.Func
	for _, kind := range kinds {
		out = append(out, modules.Fn("sync_"+kind, syncDoc, func(ctx context.Context, env *modules.Env, in syncArgs) (any, error) {
			changed, err := u.sync(ctx, env, []string{kind}, in)
			return names(changed[kind]), err
		}))
	}
	return append(out, modules.Fn("sync_all", syncAllDoc, u.syncAll))
}

func (u *util) syncAll(ctx context.Context, env *modules.Env, in syncArgs) (any, error) {
	changed, err := u.sync(ctx, env, kinds[:], in)
	if err != nil {
		return nil, err
	}
	out := ordered.New(len(kinds))
	for _, kind := range kinds {
		out.Set(kind, names(changed[kind]))
	}
	return out, nil
}

func (u *util) sync(ctx context.Context, env *modules.Env, kinds []string, in syncArgs) (map[string][]string, error) {
	if u.Sync == nil {
		return nil, modules.Errorf("Nothing can be synced here: there is no minion")
	}
	return u.Sync.Sync(ctx, env, kinds, saltenvs(in.Saltenv))
}

func saltenvs(v any) []string {
	var out []string
	switch t := v.(type) {
	case nil:
		return nil
	case []any:
		for _, e := range t {
			out = append(out, pyfmt.Str(e))
		}
		return out
	}
	return strings.Split(pyfmt.Str(v), ",")
}

func names(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
