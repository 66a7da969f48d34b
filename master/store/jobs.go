package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"brine/proto"
)

// Job is a job as stored: the request and whom it is for.
type Job struct {
	proto.Job
	// Minions are the targets that were resolved, sorted.
	Minions []string `msgpack:"minions"`
	// Missing are the names of a list target that have no accepted key.
	Missing []string `msgpack:"missing,omitempty"`
	// Origin is the minion that started the job by itself, "" for one of the master's.
	Origin string `msgpack:"origin,omitempty"`
	// Open is set while some target has no terminal state.
	Open bool `msgpack:"-"`
}

// FunText is the function as one text: compound commands joined by commas.
func FunText(fun any) string {
	list, ok := fun.([]any)
	if !ok {
		return fmt.Sprint(fun)
	}
	parts := make([]string, len(list))
	for i, f := range list {
		parts[i] = fmt.Sprint(f)
	}
	return strings.Join(parts, ",")
}

func jidNumber(jid string) (int64, error) {
	t, err := proto.JIDTime(jid)
	if err != nil {
		return 0, err
	}
	return t.UnixMicro(), nil
}

func jidText(n int64) string { return proto.FormatJID(time.UnixMicro(n)) }

// SaveJob stores a new job.
func (s *Store) SaveJob(ctx context.Context, j Job) error {
	n, err := jidNumber(j.JID)
	if err != nil {
		return err
	}
	body, err := proto.Encode(&j)
	if err != nil {
		return err
	}
	return s.wait(ctx, func(t *tx) error {
		_, err := t.exec("INSERT INTO jobs (jid, fun, tgt, username, body, deadline, open) VALUES (?, ?, ?, ?, ?, ?, ?)",
			n, FunText(j.Fun), FunText(j.Tgt), fmt.Sprint(j.User), body, j.Deadline*1000, j.Open)
		return err
	})
}

// CloseJob stores that every target of a job has a terminal state.
func (s *Store) CloseJob(ctx context.Context, jid string) error {
	n, err := jidNumber(jid)
	if err != nil {
		return err
	}
	s.do(func(t *tx) error {
		_, err := t.exec("UPDATE jobs SET open = 0 WHERE jid = ?", n)
		return err
	}, func(error) {})
	return ctx.Err()
}

// Job reads one job; ErrNotFound when it is unknown.
func (s *Store) Job(ctx context.Context, jid string) (*Job, error) {
	n, err := jidNumber(jid)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	jobs, err := s.jobs(ctx, "SELECT body, open FROM jobs WHERE jid = ?", n)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("job %s: %w", jid, ErrNotFound)
	}
	return &jobs[0], nil
}

// OpenJobs reads the jobs that wait for some target, oldest first.
func (s *Store) OpenJobs(ctx context.Context) ([]Job, error) {
	return s.jobs(ctx, "SELECT body, open FROM jobs WHERE open = 1 ORDER BY jid")
}

// JobQuery chooses jobs; zero fields do not restrict.
type JobQuery struct {
	// Funs and Tgts are GLOB patterns of which one must match.
	Funs, Tgts []string
	User       string
	// Minion is one that has returned.
	Minion string
	Since  time.Time
	Until  time.Time
	// Before continues a listing: jobs older than this id.
	Before string
	// Limit is 1000 when zero.
	Limit int
}

// Jobs lists jobs, newest first.
func (s *Store) Jobs(ctx context.Context, q JobQuery) ([]Job, error) {
	where, args := []string{"1"}, []any{}
	anyOf := func(column string, globs []string) {
		var or []string
		for _, g := range globs {
			or, args = append(or, column+" GLOB ?"), append(args, g)
		}
		if len(or) > 0 {
			where = append(where, "("+strings.Join(or, " OR ")+")")
		}
	}
	anyOf("fun", q.Funs)
	anyOf("tgt", q.Tgts)
	add := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	if q.User != "" {
		add("username = ?", q.User)
	}
	if q.Minion != "" {
		n, _ := s.number(q.Minion)
		add("EXISTS (SELECT 1 FROM returns WHERE returns.jid = jobs.jid AND minion = ?)", n)
	}
	if !q.Since.IsZero() {
		add("jid >= ?", micros(q.Since))
	}
	if !q.Until.IsZero() {
		add("jid <= ?", micros(q.Until))
	}
	if q.Before != "" {
		n, err := jidNumber(q.Before)
		if err != nil {
			return nil, err
		}
		add("jid < ?", n)
	}
	if q.Limit == 0 {
		q.Limit = 1000
	}
	return s.jobs(ctx, "SELECT body, open FROM jobs WHERE "+strings.Join(where, " AND ")+" ORDER BY jid DESC LIMIT ?", append(args, q.Limit)...)
}

func (s *Store) jobs(ctx context.Context, query string, args ...any) ([]Job, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: jobs: %w", err)
	}
	defer rows.Close()
	var out []Job
	for rows.Next() {
		var body []byte
		var j Job
		if err := rows.Scan(&body, &j.Open); err != nil {
			return nil, fmt.Errorf("store: jobs: %w", err)
		}
		open := j.Open
		if err := proto.Decode(body, &j); err != nil {
			return nil, fmt.Errorf("store: jobs: %w", err)
		}
		j.Open = open
		out = append(out, j)
	}
	return out, rows.Err()
}

// LastJID is the id of the newest job, "" when there is none.
func (s *Store) LastJID(ctx context.Context) (string, error) {
	var n sql.NullInt64
	if err := s.read.QueryRowContext(ctx, "SELECT MAX(jid) FROM jobs").Scan(&n); err != nil {
		return "", fmt.Errorf("store: newest job: %w", err)
	}
	if !n.Valid {
		return "", nil
	}
	return jidText(n.Int64), nil
}

// SaveReturn stores the terminal state of one job on one minion; done is called when it is on the disk. fresh is false
// when there is one already: the first one stands. body is the return encoded, nil to encode it here.
func (s *Store) SaveReturn(r *proto.Return, body []byte, received time.Time, done func(fresh bool, err error)) {
	n, err := jidNumber(r.JID)
	if err == nil && body == nil {
		body, err = proto.Encode(r)
	}
	if err != nil {
		done(false, err)
		return
	}
	fresh := false
	s.do(func(t *tx) error {
		minion, err := t.minion(r.ID)
		if err != nil {
			return err
		}
		res, err := t.exec("INSERT INTO returns (jid, minion, status, retcode, received, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			n, minion, string(r.Status), r.Retcode, micros(received), body)
		if err != nil {
			return fmt.Errorf("return of job %s from %s: %w", r.JID, r.ID, err)
		}
		rows, err := res.RowsAffected()
		fresh = rows > 0
		return err
	}, func(err error) { done(fresh && err == nil, err) })
}

// Returns reads the returns of a job in the order in which they came.
func (s *Store) Returns(ctx context.Context, jid string) ([]proto.Return, error) {
	n, err := jidNumber(jid)
	if err != nil {
		return nil, err
	}
	return s.returns(ctx, "SELECT body FROM returns WHERE jid = ? ORDER BY received, minion", n)
}

// Return reads the return of one minion; ErrNotFound when there is none.
func (s *Store) Return(ctx context.Context, jid, id string) (*proto.Return, error) {
	n, err := jidNumber(jid)
	if err != nil {
		return nil, err
	}
	minion, _ := s.number(id)
	list, err := s.returns(ctx, "SELECT body FROM returns WHERE jid = ? AND minion = ?", n, minion)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("return of job %s from %s: %w", jid, id, ErrNotFound)
	}
	return &list[0], nil
}

func (s *Store) returns(ctx context.Context, query string, args ...any) ([]proto.Return, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: returns: %w", err)
	}
	defer rows.Close()
	var out []proto.Return
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("store: returns: %w", err)
		}
		var r proto.Return
		if err := proto.Decode(body, &r); err != nil {
			return nil, fmt.Errorf("store: returns: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Returned lists the ids that have a terminal state for a job.
func (s *Store) Returned(ctx context.Context, jid string) (map[string]bool, error) {
	n, err := jidNumber(jid)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, "SELECT minion FROM returns WHERE jid = ?", n)
	if err != nil {
		return nil, fmt.Errorf("store: returned: %w", err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var m int64
		if err := rows.Scan(&m); err != nil {
			return nil, fmt.Errorf("store: returned: %w", err)
		}
		out[s.name(m)] = true
	}
	return out, rows.Err()
}

// expireBatch bounds how long one deletion keeps other writes waiting.
const expireBatch = 2000

// Expire deletes what is older than the moment: closed jobs with their returns, and events. It works in small steps.
func (s *Store) Expire(ctx context.Context, jobsBefore, eventsBefore time.Time) (deleted int64, err error) {
	for _, step := range []struct {
		query  string
		before time.Time
	}{
		{"DELETE FROM returns WHERE (jid, minion) IN (SELECT jid, minion FROM returns WHERE jid < ? LIMIT ?)", jobsBefore},
		{"DELETE FROM jobs WHERE jid IN (SELECT jid FROM jobs WHERE jid < ? AND NOT (open = 1 AND deadline > CAST(unixepoch() AS INTEGER) * 1000000) LIMIT ?)", jobsBefore},
		{"DELETE FROM events WHERE id IN (SELECT id FROM events WHERE time < ? LIMIT ?)", eventsBefore},
	} {
		if step.before.IsZero() {
			continue
		}
		for {
			var n int64
			err := s.wait(ctx, func(t *tx) error {
				res, err := t.exec(step.query, micros(step.before), expireBatch)
				if err != nil {
					return err
				}
				n, err = res.RowsAffected()
				return err
			})
			if err != nil {
				return deleted, err
			}
			deleted += n
			if n < expireBatch {
				break
			}
		}
	}
	return deleted, nil
}
