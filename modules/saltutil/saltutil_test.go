package saltutil_test

import (
	"context"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/saltutil"
)

type jobs struct{ got []string }

func (j *jobs) Running(except string) []*ordered.Map {
	var out []*ordered.Map
	for _, jid := range []string{"1", "2"} {
		if jid != except {
			out = append(out, ordered.Pairs("tgt_type", "glob", "jid", jid, "tgt", "*", "pid", int64(70), "ret", "", "user", "root", "arg", []any{}, "fun", "test.sleep"))
		}
	}
	return out
}

func (j *jobs) Signal(jid string, sig syscall.Signal) bool {
	j.got = append(j.got, jid+" "+sig.String())
	return true
}

type syncer struct{ saltenvs []string }

func (s *syncer) Sync(_ context.Context, _ *modules.Env, kinds, saltenvs []string) (map[string][]string, error) {
	s.saltenvs = saltenvs
	return map[string][]string{kinds[0]: {kinds[0] + ".hello"}}, nil
}

func TestJobs(t *testing.T) {
	t.Parallel()
	j := &jobs{}
	b := moduletest.New(t, saltutil.Module(saltutil.Deps{Jobs: j}))
	b.Job.JID = "1"
	const second = "{'tgt_type': 'glob', 'jid': '2', 'tgt': '*', 'pid': 70, 'ret': '', 'user': 'root', 'arg': [], 'fun': 'test.sleep'}"
	b.Want("["+second+"]", "saltutil.running")
	b.Want(second, "saltutil.find_job", int64(2))
	b.Want("{}", "saltutil.find_job", "1") // the one that asks
	b.Want("["+second+"]", "saltutil.is_running", "test.*")
	b.Want("[]", "saltutil.is_running", "state.*")
	b.Want("'Signal 15 sent to job 2 at pid 70'", "saltutil.term_job", "2")
	b.Want("'Signal 9 sent to job 2 at pid 70'", "saltutil.kill_job", "2")
	b.Want("''", "saltutil.kill_job", "3")
	b.Want("['Signal 15 sent to job 2 at pid 70']", "saltutil.term_all_jobs")
	assert.Equal(t, []string{"2 terminated", "2 killed", "2 terminated"}, j.got)
	b.Fails("99 is not the number of a signal", "saltutil.signal_job", modules.Pos("2", int64(99)))
}

func TestSync(t *testing.T) {
	t.Parallel()
	s := &syncer{}
	b := moduletest.New(t, saltutil.Module(saltutil.Deps{Sync: s}))
	b.WantArgs("['states.hello']", "saltutil.sync_states", moduletest.KW(nil, "saltenv", "base,dev"))
	assert.Equal(t, []string{"base", "dev"}, s.saltenvs)
	all, _ := b.Run("saltutil.sync_all", modules.Pos()).(*ordered.Map)
	assert.Equal(t, []any{"beacons.hello"}, all.List("beacons"))
	assert.Equal(t, []any{}, all.List("modules"))
	none := moduletest.New(t, saltutil.Module(saltutil.Deps{}))
	none.Want("[]", "saltutil.running")
	none.Fails("Nothing can be synced here: there is no minion", "saltutil.sync_all", modules.Pos())
}
