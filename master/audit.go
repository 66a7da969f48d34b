package master

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/master/jobs"
	"brine/master/store"
	"brine/modules"
	"brine/modules/builtin"
	"brine/proto"
)

// kindAudit are the entries of the audit log, by job id: what was changed on the master. What was changed on minions is
// in the jobs themselves; audit.list shows both as one log.
const kindAudit = "audit"

// auditTime bounds the writing of an entry after the call that it is about.
const auditTime = 10 * time.Second

type auditEntry struct {
	jid, user, what string
	err             error
}

// audit writes an entry. It is written even when the caller has gone meanwhile.
func (m *Master) audit(ctx context.Context, e *auditEntry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTime)
	defer cancel()
	doc := ordered.Pairs("user", cmp.Or(e.user, "root"), "what", e.what, "result", "succeeded")
	if e.err != nil {
		doc.Set("result", "failed")
		doc.Set("error", e.err.Error())
	}
	if err := m.store.PutDoc(ctx, kindAudit, e.jid, doc); err != nil {
		m.log.Error("audit", zap.String("user", e.user), zap.String("what", e.what), zap.Error(err))
	}
}

// line is a call as somebody would type it.
func line(fun string, args []any) string {
	words := []string{fun}
	for _, a := range args {
		m, ok := a.(*ordered.Map)
		if !ok {
			words = append(words, pyfmt.Str(a))
			continue
		}
		for k, v := range m.All() {
			words = append(words, ordered.KeyText(k)+"="+pyfmt.Str(v))
		}
	}
	return strings.Join(words, " ")
}

type auditArgs struct {
	Before any `arg:"before" def:"''"`
	Limit  int `arg:"limit" def:"100"`
}

// auditRunner is the runner "audit".
func (m *Master) auditRunner() modules.Module {
	pure := map[string]bool{}
	for _, mod := range builtin.Modules(builtin.Deps{}) {
		for _, f := range mod.Funcs {
			pure[mod.Name+"."+f.Name] = f.Pure
		}
	}
	return modules.Module{Name: "audit", Doc: "Who has changed what.", Funcs: []modules.Func{
		modules.PureFn("list", "List what was changed, on the master and on minions, the newest first; before is the key where the page before ended.\n\nCLI Example:\n\n    brine run audit.list limit=20",
			func(ctx context.Context, _ *modules.Env, in auditArgs) (any, error) {
				return m.auditList(ctx, pyfmt.Str(in.Before), min(max(in.Limit, 1), 1000), func(fun string) bool { return pure[fun] })
			}),
	}}
}

func (m *Master) auditList(ctx context.Context, before string, limit int, pure func(string) bool) ([]any, error) {
	docs, err := m.store.DocsBefore(ctx, kindAudit, before, limit)
	if err != nil {
		return nil, err
	}
	rows := make([]*ordered.Map, 0, 2*limit)
	for _, d := range docs {
		if e, ok := d.Body.(*ordered.Map); ok {
			row := ordered.Pairs("key", d.Key, "time", proto.StartTime(d.Key), "target", "master")
			row.Update(e)
			rows = append(rows, row)
		}
	}
	changes := 0
	for changes < limit { // jobs that only read are passed over
		list, err := m.store.Jobs(ctx, store.JobQuery{Before: before, Limit: limit})
		if err != nil {
			return nil, err
		}
		for i := range list {
			if before = list[i].JID; !slices.ContainsFunc(strings.Split(store.FunText(list[i].Fun), ","), func(f string) bool { return !pure(f) }) {
				continue
			}
			rows = append(rows, auditJob(&list[i]))
			changes++
		}
		if len(list) < limit {
			break
		}
	}
	slices.SortStableFunc(rows, func(x, y *ordered.Map) int { return strings.Compare(y.String("key"), x.String("key")) })
	out := make([]any, min(limit, len(rows)))
	for i := range out {
		out[i] = rows[i]
	}
	return out, nil
}

func auditJob(j *store.Job) *ordered.Map {
	user := "root"
	if j.User != nil {
		user = fmt.Sprint(j.User)
	}
	result := "ended"
	if j.Open {
		result = "running"
	}
	return ordered.Pairs("key", j.JID, "time", proto.StartTime(j.JID), "target", pyfmt.Str(j.Tgt), "user", user, "what", line(store.FunText(j.Fun), redacted(jobs.PlainArgs(j.Arg))), "result", result)
}
