package store

import (
	"context"
	"fmt"

	"brine/proto"
)

// Document is one document of a kind.
type Document struct {
	Key  string
	Body any
}

// Docs lists the documents of a kind whose key begins with prefix, the newest key first; limit 0 is all.
func (s *Store) Docs(ctx context.Context, kind, prefix string, limit int) ([]Document, error) {
	if limit <= 0 {
		limit = -1
	}
	return s.docs(ctx, kind, "substr(key, 1, ?) = ?", limit, len(prefix), prefix)
}

// DocsBefore lists the documents whose keys come before one, the last first; "" is the end.
func (s *Store) DocsBefore(ctx context.Context, kind, before string, limit int) ([]Document, error) {
	return s.docs(ctx, kind, "(? = '' OR key < ?)", limit, before, before)
}

func (s *Store) docs(ctx context.Context, kind, cond string, limit int, args ...any) ([]Document, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT key, body FROM docs WHERE kind = ? AND "+cond+" ORDER BY key DESC LIMIT ?", append(append([]any{kind}, args...), limit)...)
	if err != nil {
		return nil, fmt.Errorf("store: list %s: %w", kind, err)
	}
	defer rows.Close()
	var out []Document
	for rows.Next() {
		var d Document
		var body []byte
		if err := rows.Scan(&d.Key, &body); err != nil {
			return nil, err
		}
		if d.Body, err = proto.DecodeAny(body); err != nil {
			return nil, fmt.Errorf("store: %s %s: %w", kind, d.Key, err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}
