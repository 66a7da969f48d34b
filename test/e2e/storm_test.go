package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/master"
	"brine/test/testbed"
)

// storm is how many jobs go to 20 minions while processes die at random: all 10,000 in make soak.
func storm() int {
	if os.Getenv("BRINE_SOAK") != "" {
		return 10_000
	}
	return 400
}

// stormJob is one published job: what it writes into the marks, and whom it is for.
type stormJob struct {
	jid, mark string
	minions   []string
}

// TestStorm publishes jobs while minions and master are killed and started again: every minion of every job ends in
// exactly one state, what ran left its mark exactly once, and what is called done has run.
func TestStorm(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprintf("m%02d", i))
	}
	b := testbed.New(t, testbed.Options{Minions: ids, Master: ordered.Pairs("log_level", "warning")})
	marks := filepath.Join(b.Dir, "marks")
	require.NoError(t, os.Mkdir(marks, 0o755))

	stop := make(chan struct{})
	var killers sync.WaitGroup
	killers.Add(1)
	go func() {
		defer killers.Done()
		kill(b, ids, stop)
	}()
	jobs := publishAll(t, b, ids, marks)
	close(stop)
	killers.Wait()
	b.WaitOnline(ids...)

	states := map[string]int{}
	for _, j := range jobs {
		result := settled(t, b, j.jid, len(j.minions))
		for _, id := range j.minions {
			r := result.Map(id)
			require.NotNil(t, r, "%s has no result of %s", j.jid, id)
			runs := len(lines(t, filepath.Join(marks, j.mark+"."+id)))
			assert.LessOrEqual(t, runs, 1, "%s ran %d times on %s", j.jid, runs, id)
			if r.Value("success") == true {
				assert.Equal(t, 1, runs, "%s is called done on %s and did not run", j.jid, id)
				states["done"]++
				continue
			}
			text := fmt.Sprint(r.Value("return"))
			assert.Contains(t, text, "stopped while the job was running", "%s on %s", j.jid, id)
			states["interrupted"]++
		}
	}
	t.Logf("%d jobs: %v", len(jobs), states)
	assert.NotZero(t, states["done"])
}

// kill ends processes at random moments and starts them again.
func kill(b *testbed.Bed, ids []string, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(50+rand.IntN(200)) * time.Millisecond):
		}
		p := b.Minions[ids[rand.IntN(len(ids))]]
		if n%15 == 14 {
			p = b.Master
		}
		p.Kill()
		p.Start()
	}
}

func publishAll(t *testing.T, b *testbed.Bed, ids []string, marks string) []stormJob {
	t.Helper()
	var out []stormJob
	for n := 0; len(out) < storm(); n++ {
		j := stormJob{mark: fmt.Sprint(n), minions: []string{ids[rand.IntN(len(ids))]}}
		if n%10 == 0 {
			j.minions = slices.Clone(ids)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		frames, err := b.Local(ctx, master.LocalRequest{
			Tgt: strings.Join(j.minions, ","), TgtType: "list", Fun: "cmd.run", Async: true, Queue: 3600,
			Arg: []any{fmt.Sprintf("echo run >> %s/%s.{{ grains.id }}", marks, j.mark), ordered.Pairs("__kwarg__", true, "template", "jinja")},
		})
		cancel()
		if err != nil || len(frames) == 0 || frames[0].Started == nil {
			time.Sleep(20 * time.Millisecond) // the master is away: nothing was acknowledged
			continue
		}
		j.jid = frames[0].Started.JID
		out = append(out, j)
	}
	return out
}
