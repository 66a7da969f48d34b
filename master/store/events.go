package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/proto"
)

// Event is one stored event.
type Event struct {
	ID       int64
	Tag      string
	Data     *ordered.Map
	Time     time.Time
	Received time.Time
	Minion   string // "" for the master's own
	Depth    int    // how many reactions led to it; not stored
}

// AddEvent stores one of the master's own events; done is called with its id when it is on the disk.
func (s *Store) AddEvent(e Event, done func(id int64, err error)) {
	body, err := proto.Encode(e.Data)
	if err != nil {
		done(0, err)
		return
	}
	var id int64
	s.do(func(t *tx) error {
		id, err = t.event(e, body)
		return err
	}, func(err error) { done(id, err) })
}

func (t *tx) event(e Event, body []byte) (int64, error) {
	n, err := t.minion(e.Minion)
	if err != nil {
		return 0, err
	}
	res, err := t.exec("INSERT INTO events (tag, time, received, minion, data) VALUES (?, ?, ?, ?, ?)", e.Tag, micros(e.Time), micros(e.Received), n, body)
	if err != nil {
		return 0, fmt.Errorf("event %s: %w", e.Tag, err)
	}
	return res.LastInsertId()
}

// AddEvents stores a batch from a minion's queue. Those that are stored already, by their number in the queue, are
// skipped: fresh are the others, with their ids. upTo is the highest number that is stored now.
func (s *Store) AddEvents(ctx context.Context, minion string, batch proto.Events, received time.Time) (fresh []Event, upTo uint64, err error) {
	err = s.wait(ctx, func(t *tx) error {
		fresh, upTo = nil, 0
		n, err := t.minion(minion)
		if err != nil {
			return err
		}
		var seq int64
		st, err := t.prepare("SELECT COALESCE(MAX(seq), 0) FROM queues WHERE minion = ? AND queue = ?") //nolint:sqlclosecheck // kept for the life of the connection
		if err != nil {
			return err
		}
		if err := st.QueryRowContext(t.ctx, n, batch.Queue).Scan(&seq); err != nil {
			return err
		}
		upTo = uint64(seq)
		for _, e := range batch.List {
			if e.Seq <= upTo {
				continue
			}
			body, err := proto.Encode(e.Data)
			if err != nil {
				return err
			}
			one := Event{Tag: e.Tag, Data: e.Data, Time: time.UnixMicro(e.Time).UTC(), Received: received, Minion: minion, Depth: max(e.Depth, 0)}
			if one.ID, err = t.event(one, body); err != nil {
				return err
			}
			fresh = append(fresh, one)
			upTo = e.Seq
		}
		_, err = t.exec("INSERT INTO queues (minion, queue, seq) VALUES (?, ?, ?) ON CONFLICT (minion, queue) DO UPDATE SET seq = excluded.seq", n, batch.Queue, int64(upTo))
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return fresh, upTo, nil
}

// EventQuery chooses events; zero fields do not restrict.
type EventQuery struct {
	// Tag is a GLOB pattern.
	Tag          string
	Minion       string
	Since, Until time.Time
	// After continues a stream: ids above this one, oldest first. Before continues a listing: ids below, newest first.
	After, Before int64
	// Limit is 100 when zero.
	Limit int
}

// where is the query as SQL.
func (s *Store) where(q EventQuery) (string, []any) {
	where, args := []string{"1"}, []any{}
	add := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	if q.Tag != "" && q.Tag != "*" {
		add("tag GLOB ?", q.Tag)
	}
	if q.Minion != "" {
		n, _ := s.number(q.Minion)
		add("minion = ?", n)
	}
	if !q.Since.IsZero() {
		add("time >= ?", micros(q.Since))
	}
	if !q.Until.IsZero() {
		add("time <= ?", micros(q.Until))
	}
	if q.After > 0 {
		add("id > ?", q.After)
	}
	if q.Before > 0 {
		add("id < ?", q.Before)
	}
	return strings.Join(where, " AND "), args
}

// countLimit is how many of the newest events a histogram looks at.
const countLimit = 50_000

// CountEvents counts events by time: so many equal parts from q.Since to q.Until, of which both must be set.
func (s *Store) CountEvents(ctx context.Context, q EventQuery, parts int) ([]int, error) {
	where, args := s.where(q)
	from, to := micros(q.Since), micros(q.Until)
	width := max(1, (to-from+int64(parts)-1)/int64(parts))
	rows, err := s.read.QueryContext(ctx, "SELECT (time - ?) / ?, COUNT(*) FROM (SELECT time FROM events WHERE "+where+" ORDER BY time DESC LIMIT ?) GROUP BY 1", append(append([]any{from, width}, args...), countLimit)...)
	if err != nil {
		return nil, fmt.Errorf("store: count events: %w", err)
	}
	defer rows.Close()
	out := make([]int, parts)
	for rows.Next() {
		var at, n int
		if err := rows.Scan(&at, &n); err != nil {
			return nil, fmt.Errorf("store: count events: %w", err)
		}
		out[min(max(at, 0), parts-1)] += n
	}
	return out, rows.Err()
}

// Events lists events, newest first unless q.After is set.
func (s *Store) Events(ctx context.Context, q EventQuery) ([]Event, error) {
	where, args := s.where(q)
	order := "time DESC, id DESC"
	if q.After > 0 {
		order = "id"
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	query := "SELECT id, tag, time, received, minion, data FROM events WHERE " + where + " ORDER BY " + order + " LIMIT ?"
	rows, err := s.read.QueryContext(ctx, query, append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("store: events: %w", err)
	}
	defer rows.Close()
	var out []Event
	for rows.Next() {
		e := Event{Data: ordered.New(0)}
		var at, received, n int64
		var body []byte
		if err := rows.Scan(&e.ID, &e.Tag, &at, &received, &n, &body); err != nil {
			return nil, fmt.Errorf("store: events: %w", err)
		}
		if err := proto.Decode(body, e.Data); err != nil {
			return nil, fmt.Errorf("store: event %d: %w", e.ID, err)
		}
		e.Time, e.Received, e.Minion = fromMicros(at), fromMicros(received), s.name(n)
		out = append(out, e)
	}
	return out, rows.Err()
}
