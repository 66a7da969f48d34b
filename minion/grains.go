package minion

import (
	"context"

	"brine/internal/ordered"
)

func detect(context.Context, *Options) *ordered.Map { return ordered.New(0) }

// mergeGrains lays the grains file over the detected grains, and the configured ones over both.
func mergeGrains(detected, file, configured *ordered.Map) *ordered.Map {
	out := detected.Clone()
	out.Update(file)
	out.Update(configured)
	return out
}
