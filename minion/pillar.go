package minion

import (
	"context"

	"brine/internal/ordered"
)

// noPillar has no data.
type noPillar struct{}

func (noPillar) Items(context.Context) (*ordered.Map, error) { return ordered.New(0), nil }
func (noPillar) Compile(_ context.Context, _ string, override *ordered.Map) (*ordered.Map, error) {
	return override.Clone(), nil
}
func (noPillar) Refresh(context.Context) error { return nil }
