package reactor_test

import (
	"context"
	"errors"
	"testing"

	"brine/internal/ordered"
	"brine/modules"
	"brine/modules/moduletest"
	"brine/modules/reactor"
)

type engine struct{}

func (engine) Manage(_ context.Context, args []any, kwargs *ordered.Map) (*ordered.Map, error) {
	if len(args) == 0 {
		return nil, errors.New("want a command")
	}
	return ordered.Pairs("values", args, "kw", kwargs), nil
}

func (engine) Cache(_ context.Context, key string, fields *ordered.Map) (*ordered.Map, error) {
	return ordered.Pairs("value", key, "fields", fields), nil
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	b := moduletest.New(t, reactor.Module(engine{}))
	b.WantArgs("{'values': ['context', 'cache'], 'kw': {'value': 1}}", "reactor.manage", moduletest.KW([]any{"context", "cache"}, "value", 1, "__pub_fun", "x"))
	b.Want("{'value': 'system/release', 'fields': {}}", "reactor.cache", "system/release")
	b.Fails("want a command", "reactor.manage", modules.Pos())
	b.Fails("reactor.context is deprecated: use 'reactor.manage context [key ...]' instead", "reactor.context", modules.Pos())
	alone := moduletest.New(t, reactor.Module(nil))
	alone.Fails("There is no reactor here: ask the running minion, without --local", "reactor.manage", modules.Pos("context"))
	alone.Fails("There is no reactor here: ask the running minion, without --local", "reactor.cache", modules.Pos())
}
