// Package mine reaches the master's mine for the mine.* functions.
package mine

import (
	"context"

	"brine/internal/ordered"
	mines "brine/modules/mine"
)

// Caller asks the master.
type Caller interface {
	Call(ctx context.Context, what string, args, out any) error
}

// Master implements the store of the mine.* functions over the connection to the master.
type Master struct{ Caller Caller }

var _ mines.Store = Master{}

// Put implements the store.
func (m Master) Put(ctx context.Context, data *ordered.Map, clear bool) error {
	return m.Caller.Call(ctx, "mine.put", ordered.Pairs("data", data, "clear", clear), nil)
}

// Get implements the store.
func (m Master) Get(ctx context.Context, tgt, tgtType string, functions []string) (*ordered.Map, error) {
	funs := make([]any, len(functions))
	for i, f := range functions {
		funs[i] = f
	}
	out := ordered.New(0)
	err := m.Caller.Call(ctx, "mine.get", ordered.Pairs("tgt", tgt, "tgt_type", tgtType, "funs", funs), out)
	return out, err
}

// Delete implements the store.
func (m Master) Delete(ctx context.Context, function string) error {
	return m.Caller.Call(ctx, "mine.delete", function, nil)
}

// Flush implements the store.
func (m Master) Flush(ctx context.Context) error {
	return m.Caller.Call(ctx, "mine.flush", nil, nil)
}
