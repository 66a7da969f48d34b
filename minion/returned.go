package minion

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/minion/returners"
	"brine/proto"
)

// returnersTime is how long a stop of the minion waits for returners.
const returnersTime = 3 * time.Second

// returned hands the result of a job to the returners that the job and the option return name.
func (m *Minion) returned(_ context.Context, j *proto.Job, r *proto.Return) {
	names := append(returners.Split(j.Ret), m.everyReturner()...)
	if len(names) > 0 {
		m.giveReturn(names, j.Extra.String("ret_config"), r)
	}
}

// everyReturner are the returners of the option return.
func (m *Minion) everyReturner() []string { return returners.Split(strings.Join(m.o.Returners, ",")) }

// giveReturn hands a result to returners, each once.
func (m *Minion) giveReturn(names []string, profile string, r *proto.Return) {
	if len(names) == 0 {
		return
	}
	v, err := r.Value()
	if err != nil {
		m.log.Error("result for the returners", zap.String("jid", r.JID), zap.Error(err))
		return
	}
	ret := ordered.Pairs("id", r.ID, "jid", r.JID, "fun", "", "fun_args", nil, "return", nil, "retcode", r.Retcode, "success", r.Success)
	ret.Set("fun", r.Fun) // shared with who sends the return: set as they are
	ret.Set("fun_args", r.FunArgs)
	ret.Set("return", v)
	if r.Out != "" {
		ret.Set("out", r.Out)
	}
	if r.Schedule != "" {
		ret.Set("schedule", r.Schedule)
	}
	if r.Meta != nil {
		ret.Set("metadata", r.Meta)
	}
	seen := map[string]bool{}
	var once []string
	for _, n := range names {
		if !seen[n] {
			once = append(once, n)
		}
		seen[n] = true
	}
	if err := m.returns.Give(once, profile, ret); err != nil {
		m.log.Error("returners", zap.String("jid", r.JID), zap.Error(err))
	}
}

// entryReturners are the returners that an entry of the schedule names.
func entryReturners(entry *ordered.Map) []string {
	if list, ok := entry.Value("returner").([]any); ok {
		var out []string
		for _, n := range list {
			out = append(out, pyfmt.Str(n))
		}
		return out
	}
	return returners.Split(entry.String("returner"))
}
