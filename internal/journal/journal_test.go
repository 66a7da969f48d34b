package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, path string) (*Journal, []string) {
	t.Helper()
	var got []string
	j, err := Open(path, func(rec []byte) error {
		got = append(got, string(rec))
		return nil
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j, got
}

func TestAppendAndReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "j")
	j, got := open(t, path)
	assert.Empty(t, got)
	require.NoError(t, j.Append([]byte("a"), []byte("")))
	require.NoError(t, j.Note([]byte("c")))
	_, got = open(t, path)
	assert.Equal(t, []string{"a", "", "c"}, got)
}

func TestManyWritersShareOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "j")
	j, _ := open(t, path)
	var wg sync.WaitGroup
	want := map[string]bool{}
	for w := range 8 {
		for i := range 50 {
			want[fmt.Sprintf("%d-%d", w, i)] = true
		}
		wg.Go(func() {
			for i := range 50 {
				rec := fmt.Appendf(nil, "%d-%d", w, i)
				if i%5 == 0 {
					assert.NoError(t, j.Note(rec))
					continue
				}
				assert.NoError(t, j.Append(rec))
			}
		})
	}
	wg.Wait()
	_, got := open(t, path)
	assert.Len(t, got, len(want))
	for _, g := range got {
		assert.True(t, want[g])
	}
}

// TestEveryCut cuts the file at each length: what remains is always a prefix of what was written, and appending goes on.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	j, _ := open(t, path)
	recs := []string{"first", "second record", "3"}
	ends := []int64{0}
	for _, r := range recs {
		require.NoError(t, j.Append([]byte(r)))
		ends = append(ends, j.Size())
	}
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := range len(whole) + 1 {
		cut := filepath.Join(dir, fmt.Sprintf("cut%d", n))
		require.NoError(t, os.WriteFile(cut, whole[:n], 0o600))
		k, got := open(t, cut)
		want := 0
		for want+1 < len(ends) && ends[want+1] <= int64(n) {
			want++
		}
		require.Equal(t, recs[:want], append([]string{}, got...), "cut at %d", n)
		require.NoError(t, k.Append([]byte("after")))
		_, got = open(t, cut)
		require.Equal(t, append(slices.Clone(recs[:want]), "after"), got)
	}
	for n := range whole { // a flipped bit never yields a record that was not written
		bad := slices.Clone(whole)
		bad[n] ^= 0x10
		file := filepath.Join(dir, fmt.Sprintf("bad%d", n))
		require.NoError(t, os.WriteFile(file, bad, 0o600))
		_, got := open(t, file)
		require.Equal(t, recs[:len(got)], append([]string{}, got...))
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "j")
	j, _ := open(t, path)
	for i := range 100 {
		require.NoError(t, j.Note(fmt.Appendf(nil, "%d", i)))
	}
	before := j.Size()
	require.NoError(t, j.Rewrite(slices.Values([][]byte{[]byte("kept")})))
	assert.Less(t, j.Size(), before)
	require.NoError(t, j.Append([]byte("next")))
	_, got := open(t, path)
	assert.Equal(t, []string{"kept", "next"}, got)
}

func BenchmarkAppend(b *testing.B) {
	j, err := Open(filepath.Join(b.TempDir(), "j"), func([]byte) error { return nil })
	require.NoError(b, err)
	defer j.Close()
	rec := make([]byte, 300)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := j.Append(rec); err != nil {
				b.Fatal(err)
			}
		}
	})
}
