package runners

import (
	"context"
	"time"

	"brine/internal/ordered"
	"brine/master/store"
	"brine/modules"
)

type eventQueryArgs struct {
	Tag    string `arg:"tag" def:"'*'"`
	Minion string `arg:"minion" def:"''"`
	Since  any    `arg:"since" def:"None"`
	Until  any    `arg:"until" def:"None"`
	After  int64  `arg:"after" def:"0"`
	Before int64  `arg:"before" def:"0"`
	Limit  int    `arg:"limit" def:"100"`
}

func (in eventQueryArgs) query() (q store.EventQuery, err error) {
	q = store.EventQuery{Tag: in.Tag, Minion: in.Minion, After: in.After, Before: in.Before, Limit: min(max(in.Limit, 1), 1000)}
	if q.Since, err = moment(in.Since); err != nil {
		return q, err
	}
	q.Until, err = moment(in.Until)
	return q, err
}

func eventRunner(d *Deps) modules.Module {
	type args struct {
		Tag  string       `arg:"tag"`
		Data *ordered.Map `arg:"data" def:"None"`
	}
	return modules.Module{Name: "event", Doc: "Events of the master.", Funcs: []modules.Func{
		modules.Fn("send", "Fire an event on the master's bus.\n\nCLI Example:\n\n    brine run event.send my/tag '{x: 1}'",
			func(_ context.Context, _ *modules.Env, in args) (any, error) {
				d.Fire(in.Tag, in.Data.Clone())
				return true, nil
			}),
		modules.PureFn("list", "List stored events, the newest first; with after, those that came after the event of this number, in order.\n\n"+
			"CLI Example:\n\n    brine run event.list 'system/release/*' minion=car-17 since='2031-05-04 10:00'", func(ctx context.Context, _ *modules.Env, in eventQueryArgs) (any, error) {
			return listEvents(ctx, d, in)
		}),
		modules.PureFn("count", "Count stored events over time, in 60 equal parts: of the last day, unless since says otherwise.\n\n"+
			"CLI Example:\n\n    brine run event.count 'system/release/*'", func(ctx context.Context, _ *modules.Env, in eventQueryArgs) (any, error) {
			return countEvents(ctx, d, in)
		}),
	}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func listEvents(ctx context.Context, d *Deps, in eventQueryArgs) (any, error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	list, err := d.Store.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = ordered.Pairs("id", e.ID, "tag", e.Tag, "minion", e.Minion, "time", stamp(e.Time), "received", stamp(e.Received), "data", e.Data)
	}
	return out, nil
}

func countEvents(ctx context.Context, d *Deps, in eventQueryArgs) (any, error) {
	const parts = 60
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	if q.Until.IsZero() {
		q.Until = time.Now()
	}
	if q.Since.IsZero() {
		q.Since = q.Until.Add(-24 * time.Hour)
	}
	if !q.Since.Before(q.Until) {
		return nil, modules.Errorf("since has to be before until")
	}
	counts, err := d.Store.CountEvents(ctx, q, parts)
	if err != nil {
		return nil, err
	}
	out := make([]any, parts)
	for i, n := range counts {
		out[i] = ordered.Pairs("from", stamp(q.Since.Add(q.Until.Sub(q.Since)/parts*time.Duration(i))), "count", n)
	}
	return out, nil
}
