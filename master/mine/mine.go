// Package mine keeps what minions publish for one another: the last result of each function of their mine. The rules
// are those of Salt's mine: https://docs.saltproject.io/en/3006/topics/mine/index.html.
package mine

import (
	"context"
	"errors"
	"fmt"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/master/store"
	"brine/proto"
)

// Docs is where the mine is kept, one document a minion.
type Docs interface {
	PutDoc(ctx context.Context, kind, key string, v any) error
	Doc(ctx context.Context, kind, key string) (any, error)
	DeleteDoc(ctx context.Context, kind, key string) error
}

// Mine is the service. Matches finds the minions of a target; its errors are for the minion that asks.
type Mine struct {
	Docs    Docs
	Matches func(ctx context.Context, tgt any, tgtType string) ([]string, error)
}

const kind = "mine"

// Keys of a result that only some minions may read.
const (
	aclMark = "__saltmine_acl__"
	aclData = "__data__"
)

// Put is the question mine.put: results to add, or to keep instead of all others.
type Put struct {
	Data  *ordered.Map `msgpack:"data"`
	Clear bool         `msgpack:"clear,omitempty"`
}

// Get is the question mine.get.
type Get struct {
	Tgt     string   `msgpack:"tgt"`
	TgtType string   `msgpack:"tgt_type"`
	Funs    []string `msgpack:"funs"`
}

// Answer answers a question of the minion id.
func (m *Mine) Answer(ctx context.Context, id, what string, body []byte) (any, error) {
	switch what {
	case "mine.put":
		var q Put
		if err := proto.Decode(body, &q); err != nil {
			return nil, err
		}
		return true, m.put(ctx, id, &q)
	case "mine.get":
		var q Get
		if err := proto.Decode(body, &q); err != nil {
			return nil, err
		}
		return m.get(ctx, id, &q)
	case "mine.delete":
		var fun string
		if err := proto.Decode(body, &fun); err != nil {
			return nil, err
		}
		data, err := m.of(ctx, id)
		if err != nil {
			return nil, err
		}
		data.Delete(fun)
		return true, m.Docs.PutDoc(ctx, kind, id, data)
	case "mine.flush":
		return true, m.Docs.DeleteDoc(ctx, kind, id)
	}
	return nil, fmt.Errorf("the master's mine does not know %q", what)
}

func (m *Mine) put(ctx context.Context, id string, q *Put) error {
	data := q.Data
	if !q.Clear {
		old, err := m.of(ctx, id)
		if err != nil {
			return err
		}
		old.Update(q.Data)
		data = old
	}
	return m.Docs.PutDoc(ctx, kind, id, data)
}

// of reads what a minion has published.
func (m *Mine) of(ctx context.Context, id string) (*ordered.Map, error) {
	v, err := m.Docs.Doc(ctx, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return ordered.New(0), nil
	}
	if data, ok := v.(*ordered.Map); ok {
		return data, err
	}
	return ordered.New(0), err
}

func (m *Mine) get(ctx context.Context, asker string, q *Get) (*ordered.Map, error) {
	out := ordered.New(0)
	ids, err := m.Matches(ctx, q.Tgt, q.TgtType)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		data, err := m.of(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, fun := range q.Funs {
			v, ok := data.Get(fun)
			if ok {
				v, ok = m.readable(ctx, asker, v)
			}
			if !ok {
				continue
			}
			if len(q.Funs) == 1 {
				out.Set(id, v)
				continue
			}
			if !out.Has(fun) {
				out.Set(fun, ordered.New(0))
			}
			of, _ := out.Value(fun).(*ordered.Map)
			of.Set(id, v)
		}
	}
	return out, nil
}

// readable takes a result out of its wrapping, when the asker may read it.
func (m *Mine) readable(ctx context.Context, asker string, v any) (any, bool) {
	w, ok := v.(*ordered.Map)
	if !ok || !w.Has(aclMark) {
		return v, true
	}
	tgt := w.Value("allow_tgt")
	if pyfmt.Truth(tgt) {
		tgtType := w.String("allow_tgt_type")
		if tgtType == "" {
			tgtType = "glob"
		}
		ids, err := m.Matches(ctx, tgt, tgtType)
		if err != nil {
			return nil, false
		}
		for _, id := range ids {
			if id == asker {
				return w.Value(aclData), true
			}
		}
		return nil, false
	}
	return w.Value(aclData), true
}
