package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// KeyState is what the operator, or a rule, decided about a key.
type KeyState string

// The states of a key, Salt's.
const (
	KeyAccepted KeyState = "accepted"
	KeyPending  KeyState = "pending"
	KeyRejected KeyState = "rejected"
	KeyDenied   KeyState = "denied" // another key is accepted for this id
)

// Key is one public key that was offered for an id.
type Key struct {
	ID     string
	Public []byte
	State  KeyState
	Since  time.Time
	Note   string
}

// Keys returns all keys, sorted by id.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT id, pub, state, since, note FROM keys ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("store: keys: %w", err)
	}
	defer rows.Close()
	var out []Key
	for rows.Next() {
		var k Key
		var since int64
		if err := rows.Scan(&k.ID, &k.Public, &k.State, &since, &k.Note); err != nil {
			return nil, fmt.Errorf("store: keys: %w", err)
		}
		k.Since = fromMicros(since)
		out = append(out, k)
	}
	return out, rows.Err()
}

// PutKey stores the state of one key. That one id has two accepted keys is refused by the schema.
func (s *Store) PutKey(ctx context.Context, k Key) error {
	return s.wait(ctx, func(t *tx) error { return t.putKey(k) })
}

func (t *tx) putKey(k Key) error {
	_, err := t.exec("INSERT INTO keys (id, pub, state, since, note) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id, pub) DO UPDATE SET state = excluded.state, since = excluded.since, note = excluded.note",
		k.ID, k.Public, string(k.State), micros(k.Since), k.Note)
	if err != nil {
		return fmt.Errorf("key of %s: %w", k.ID, err)
	}
	return nil
}

// DeleteKey removes one key.
func (s *Store) DeleteKey(ctx context.Context, id string, public []byte) error {
	return s.wait(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM keys WHERE id = ? AND pub = ?", id, public)
		return err
	})
}

// AddToken stores a join token by its hash; the token itself is never kept. An empty id fits any minion.
func (s *Store) AddToken(ctx context.Context, token, id string, expires time.Time) error {
	hash := sha256.Sum256([]byte(token))
	return s.wait(ctx, func(t *tx) error {
		_, err := t.exec("INSERT INTO tokens (hash, id, expires) VALUES (?, ?, ?)", hash[:], id, micros(expires))
		return err
	})
}

// ErrToken says that a join token is unknown, used, expired or for another id.
var ErrToken = errors.New("the join token is not valid")

// UseToken spends a join token and accepts the key with it, in one transaction.
func (s *Store) UseToken(ctx context.Context, token string, k Key) error {
	hash := sha256.Sum256([]byte(token))
	return s.wait(ctx, func(t *tx) error {
		res, err := t.exec("UPDATE tokens SET used = ? WHERE hash = ? AND used = 0 AND expires > ? AND (id = '' OR id = ?)",
			micros(k.Since), hash[:], micros(k.Since), k.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrToken, err)
		}
		return t.putKey(k)
	})
}
