// Package e2e tests whole fleets of real processes over real brokers.
package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/master"
	"brine/test/testbed"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testbed.Clean()
	os.Exit(code)
}

// brokers are the ways in which messages travel; every test of delivery runs over each.
func brokers() []string { return []string{"embedded", "mosquitto", "nats"} }

func each(t *testing.T, o testbed.Options, f func(t *testing.T, b *testbed.Bed)) {
	t.Parallel()
	for _, name := range brokers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := o
			if name != "embedded" {
				one.Broker = name
			}
			f(t, testbed.New(t, one))
		})
	}
}

func publish(t *testing.T, b *testbed.Bed, fun string, arg ...any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	frames, err := b.Local(ctx, master.LocalRequest{Tgt: "*", TgtType: "glob", Fun: fun, Arg: arg, Async: true, Queue: 600})
	require.NoError(t, err)
	require.NotEmpty(t, frames)
	return frames[0].Started.JID
}

// settled waits until every minion has a terminal state and returns them.
func settled(t *testing.T, b *testbed.Bed, jid string, n int) *ordered.Map {
	t.Helper()
	var result *ordered.Map
	b.Eventually(60*time.Second, "every minion has answered "+jid, func() bool {
		v, err := b.Runner("jobs.list_job", "jid", jid)
		if err != nil {
			return false
		}
		result = v.(*ordered.Map).Map("Result")
		return result.Len() == n
	})
	return result
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestPing(t *testing.T) {
	each(t, testbed.Options{Minions: []string{"web1", "web2", "db1"}}, func(t *testing.T, b *testbed.Bed) {
		out, stderr, code := b.CLI("--out=json", "--static", "*", "test.ping")
		assert.Equal(t, 0, code, stderr)
		v, err := ordered.FromJSON([]byte(out))
		require.NoError(t, err, out)
		assert.True(t, ordered.Equal(v, ordered.Pairs("db1", true, "web1", true, "web2", true)), out)
	})
}

// TestKillMasterInMidJob: the job goes on without the master, and each answer is there when it is back.
func TestKillMasterInMidJob(t *testing.T) {
	each(t, testbed.Options{Minions: []string{"a", "b", "c"}}, func(t *testing.T, b *testbed.Bed) {
		mark := b.Dir + "/mark"
		jid := publish(t, b, "cmd.run", fmt.Sprintf("echo run >> %s; sleep 1; echo done", mark))
		b.Eventually(20*time.Second, "the job runs on all minions", func() bool { return len(lines(t, mark)) == 3 })
		b.Master.Kill()
		b.Master.Start()
		b.WaitOnline("a", "b", "c")
		result := settled(t, b, jid, 3)
		for id, r := range result.All() {
			assert.Equal(t, "done", r.(*ordered.Map).Value("return"), "%v", id)
		}
		assert.Len(t, lines(t, mark), 3, "nothing ran twice")
	})
}

// TestKillMinionInMidJob: the job ends as interrupted, and is not run again.
func TestKillMinionInMidJob(t *testing.T) {
	each(t, testbed.Options{Minions: []string{"a", "b"}}, func(t *testing.T, b *testbed.Bed) {
		mark := b.Dir + "/mark"
		jid := publish(t, b, "cmd.run", fmt.Sprintf("echo run >> %s; sleep 2; echo done", mark))
		b.Eventually(20*time.Second, "the job runs on both minions", func() bool { return len(lines(t, mark)) == 2 })
		b.Minions["a"].Kill()
		b.Minions["a"].Start()
		result := settled(t, b, jid, 2)
		assert.Contains(t, result.Map("a").Value("return"), "stopped while the job was running")
		assert.Equal(t, false, result.Map("a").Value("success"))
		assert.Equal(t, "done", result.Map("b").Value("return"))
		assert.Len(t, lines(t, mark), 2, "nothing ran twice")
	})
}

// TestKillBroker: jobs published before, during and after the broker's death all end.
func TestKillBroker(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mosquitto", "nats"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := testbed.New(t, testbed.Options{Broker: name, Minions: []string{"a", "b"}})
			mark := b.Dir + "/mark"
			before := publish(t, b, "cmd.run", fmt.Sprintf("echo run >> %s; sleep 1; echo done", mark))
			b.Eventually(20*time.Second, "the job runs", func() bool { return len(lines(t, mark)) == 2 })
			b.Broker.Kill()
			during := publish(t, b, "cmd.run", fmt.Sprintf("echo run >> %s; echo done", mark))
			b.Broker.Start()
			b.WaitPort()
			b.WaitOnline("a", "b")
			after := publish(t, b, "cmd.run", fmt.Sprintf("echo run >> %s; echo done", mark))
			for _, jid := range []string{before, during, after} {
				for id, r := range settled(t, b, jid, 2).All() {
					assert.Equal(t, "done", r.(*ordered.Map).Value("return"), "%s %v", jid, id)
				}
			}
			assert.Len(t, lines(t, mark), 6)
		})
	}
}

// TestJobWaitsForASleepingMinion: a queued job is run when the minion comes back, an ordinary one expires.
func TestJobWaitsForASleepingMinion(t *testing.T) {
	each(t, testbed.Options{Minions: []string{"a"}, Master: ordered.Pairs("timeout", 0.5, "gather_job_timeout", 0.5)}, func(t *testing.T, b *testbed.Bed) {
		mark := b.Dir + "/mark"
		b.Minions["a"].Stop()
		b.Eventually(20*time.Second, "the minion is away", func() bool {
			v, err := b.Runner("manage.not_present")
			return err == nil && len(v.([]any)) == 1
		})
		out, _, code := b.CLI("a", "cmd.run", "echo no >> "+mark)
		assert.Equal(t, 1, code)
		assert.Contains(t, out, "Minion did not return. [Not connected]")
		assert.Contains(t, out, "offline since")
		jid := publish(t, b, "cmd.run", "echo yes >> "+mark)
		b.Eventually(20*time.Second, "the ordinary job has expired", func() bool {
			v, err := b.Runner("jobs.active")
			return err == nil && v.(*ordered.Map).Len() == 1
		})
		b.Minions["a"].Start()
		settled(t, b, jid, 1)
		assert.Equal(t, []string{"yes"}, lines(t, mark))
	})
}
