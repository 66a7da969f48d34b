package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"brine/internal/ordered"
	"brine/proto"
)

// Minion is what is known of a minion besides its key.
type Minion struct {
	ID          string
	Grains      *ordered.Map
	GrainsTime  time.Time
	Version     string
	LastSeen    time.Time
	AsleepUntil time.Time
	Epoch       int64 // start of its process, Unix milliseconds, of the newest session
}

func (s *Store) loadNames(ctx context.Context) error {
	rows, err := s.read.QueryContext(ctx, "SELECT n, id FROM minions")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var id string
		if err := rows.Scan(&n, &id); err != nil {
			return err
		}
		s.names[id], s.ids[n] = n, id
	}
	return rows.Err()
}

func (s *Store) learn(names map[string]int64) {
	if len(names) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, n := range names {
		s.names[id], s.ids[n] = n, id
	}
}

func (s *Store) name(n int64) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ids[n]
}

func (s *Store) number(id string) (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.names[id]
	return n, ok
}

// minion returns the number of an id, giving it one when it is new.
func (t *tx) minion(id string) (int64, error) {
	if id == "" {
		return 0, nil
	}
	if n, ok := t.newNames[id]; ok {
		return n, nil
	}
	if n, ok := t.s.number(id); ok {
		return n, nil
	}
	res, err := t.exec("INSERT INTO minions (id) VALUES (?)", id)
	if err != nil {
		return 0, fmt.Errorf("new minion %s: %w", id, err)
	}
	n, err := res.LastInsertId()
	if err != nil {
		return 0, err
	}
	if t.newNames == nil {
		t.newNames = map[string]int64{}
	}
	t.newNames[id] = n
	return n, nil
}

// SeenMinion stores that a minion has a session now; done is called when that is on the disk. Grains are kept as they
// were when m.Grains is nil.
func (s *Store) SeenMinion(m Minion, done func(error)) {
	var grains []byte
	if m.Grains != nil {
		var err error
		if grains, err = proto.Encode(m.Grains); err != nil {
			done(err)
			return
		}
	}
	s.do(func(t *tx) error {
		n, err := t.minion(m.ID)
		if err != nil {
			return err
		}
		if grains != nil {
			if _, err := t.exec("UPDATE minions SET grains = ?, grains_time = ? WHERE n = ?", grains, micros(m.GrainsTime), n); err != nil {
				return err
			}
		}
		_, err = t.exec("UPDATE minions SET version = ?, last_seen = ?, asleep_until = ?, epoch = ? WHERE n = ?",
			m.Version, micros(m.LastSeen), micros(m.AsleepUntil), m.Epoch, n)
		return err
	}, done)
}

// LeftMinion stores when a minion was last here, and until when it means to sleep (zero: unknown); done is called when
// that is on the disk.
func (s *Store) LeftMinion(id string, at, until time.Time, done func(error)) {
	s.do(func(t *tx) error {
		_, err := t.exec("UPDATE minions SET last_seen = ?, asleep_until = ? WHERE id = ?", micros(at), micros(until), id)
		return err
	}, done)
}

// Minions returns every minion that was ever seen, with its grains.
func (s *Store) Minions(ctx context.Context) ([]Minion, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT id, grains, COALESCE(grains_time, 0), version, last_seen, asleep_until, epoch FROM minions ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("store: minions: %w", err)
	}
	defer rows.Close()
	var out []Minion
	for rows.Next() {
		var m Minion
		var grains []byte
		var gt, seen, asleep int64
		if err := rows.Scan(&m.ID, &grains, &gt, &m.Version, &seen, &asleep, &m.Epoch); err != nil {
			return nil, fmt.Errorf("store: minions: %w", err)
		}
		if len(grains) > 0 {
			m.Grains = ordered.New(0)
			if err := proto.Decode(grains, m.Grains); err != nil {
				return nil, fmt.Errorf("store: grains of %s: %w", m.ID, err)
			}
		}
		m.GrainsTime, m.LastSeen, m.AsleepUntil = fromMicros(gt), fromMicros(seen), fromMicros(asleep)
		out = append(out, m)
	}
	return out, rows.Err()
}

// ForgetMinion removes what hangs on an id whose key was deleted, so that a new holder of the id inherits nothing:
// grains, mine data, event queues. Its old returns stay with their jobs until they expire.
func (s *Store) ForgetMinion(ctx context.Context, id string) error {
	return s.wait(ctx, func(t *tx) error {
		n, ok := s.number(id)
		if !ok {
			return nil
		}
		for _, q := range []string{
			"UPDATE minions SET grains = NULL, grains_time = NULL, version = '', last_seen = 0, asleep_until = 0, epoch = 0 WHERE n = ?",
			"DELETE FROM queues WHERE minion = ?",
		} {
			if _, err := t.exec(q, n); err != nil {
				return err
			}
		}
		_, err := t.exec("DELETE FROM docs WHERE key = ?", id)
		return err
	})
}

// PutDoc keeps one document of a kind, such as the mine data of a minion.
func (s *Store) PutDoc(ctx context.Context, kind, key string, v any) error {
	body, err := proto.Encode(v)
	if err != nil {
		return err
	}
	return s.wait(ctx, func(t *tx) error {
		_, err := t.exec("INSERT INTO docs (kind, key, body, time) VALUES (?, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, time = excluded.time",
			kind, key, body, micros(time.Now()))
		return err
	})
}

// Doc reads a document; ErrNotFound when there is none.
func (s *Store) Doc(ctx context.Context, kind, key string) (any, error) {
	var body []byte
	err := s.read.QueryRowContext(ctx, "SELECT body FROM docs WHERE kind = ? AND key = ?", kind, key).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%s %s: %w", kind, key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s %s: %w", kind, key, err)
	}
	return proto.DecodeAny(body)
}

// DeleteDoc removes a document; one that is not there is no error.
func (s *Store) DeleteDoc(ctx context.Context, kind, key string) error {
	return s.wait(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM docs WHERE kind = ? AND key = ?", kind, key)
		return err
	})
}
