// Package backoff gives the delays between attempts: full jitter under a doubling ceiling
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that a fleet that lost its broker does
// not come back as one wave.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Backoff counts the failed attempts of one activity. The zero value is not usable: set Base and Cap.
type Backoff struct {
	// Base is the ceiling of the first delay, Cap of all.
	Base, Cap time.Duration
	// Rand returns a number below n; nil is math/rand.
	Rand func(n int64) int64

	failed int
}

// Next is how long to wait after one more failed attempt.
func (b *Backoff) Next() time.Duration { return b.NextTimes(1) }

// NextTimes is Next with ceilings that are factor times higher, for a failure that hurting the other side makes worse.
func (b *Backoff) NextTimes(factor int) time.Duration {
	ceiling := b.Base
	for i := 0; i < b.failed && ceiling < b.Cap; i++ {
		ceiling *= 2
	}
	ceiling = min(ceiling, b.Cap) * time.Duration(factor)
	b.failed++
	random := rand.Int64N
	if b.Rand != nil {
		random = b.Rand
	}
	return time.Duration(random(int64(ceiling) + 1))
}

// Reset forgets the failures, after a success.
func (b *Backoff) Reset() { b.failed = 0 }
