package pyrandom

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The figures are what Python 3.11 answers.
func TestEqualsPython(t *testing.T) {
	t.Parallel()
	r := FromText("m1")
	var got []uint64
	for range 8 {
		got = append(got, r.Below(10))
	}
	assert.Equal(t, []uint64{2, 5, 7, 0, 8, 4, 5, 8}, got)
	assert.Equal(t, uint64(386043309995), r.Below(1_000_000_000_000))

	r = FromText("m1")
	assert.Equal(t, []int{22, 41, 62, 6, 87, 66, 35, 42, 69, 44}, r.Sample(100, 10))
	assert.Equal(t, []int{14, 8, 7, 5, 12}, r.Sample(20, 5))
	l := []int{0, 1, 2, 3, 4, 5, 6, 7}
	r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
	assert.Equal(t, []int{1, 2, 0, 5, 6, 7, 4, 3}, l)

	r = FromInt(42)
	assert.Equal(t, int64(655), r.Int(1, 1000))
	assert.Equal(t, int64(-4), r.Int(-5, 5))
	assert.Equal(t, int64(655), FromInt(-42).Int(1, 1000))
	assert.Equal(t, int64(865), FromInt(0).Int(1, 1000))
}
