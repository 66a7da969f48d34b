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
	rows, err := s.read.QueryContext(ctx, "SELECT key, body FROM docs WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY key DESC LIMIT ?", kind, len(prefix), prefix, limit)
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
