package link

import "time"

const (
	jumpTick = 2 * time.Second
	// maxDrift is how far wall and monotonic clock may part within a tick before it counts as a jump.
	maxDrift = 4 * time.Second
)

// jumpDetector notices that the wall clock moved against the monotonic one: the machine was suspended (CLOCK_MONOTONIC
// stands still then, clock_gettime(2)), or its clock was set.
type jumpDetector struct {
	read func() (wall time.Time, mono time.Duration)
	wall time.Time
	mono time.Duration
}

func newJumpDetector() *jumpDetector {
	start := time.Now()
	d := &jumpDetector{read: func() (time.Time, time.Duration) {
		return time.Now().Round(0), time.Since(start) // Round(0) strips the monotonic reading
	}}
	d.wall, d.mono = d.read()
	return d
}

// jumped tells whether the clocks have parted since the last call.
func (d *jumpDetector) jumped() bool {
	wall, mono := d.read()
	drift := wall.Sub(d.wall) - (mono - d.mono)
	d.wall, d.mono = wall, mono
	return drift.Abs() > maxDrift
}
