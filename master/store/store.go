// Package store keeps what the master must not forget: keys, minions, jobs, returns, events. It is SQLite in WAL mode
// (https://sqlite.org/wal.html) with full synchronisation: what a write acknowledged survives kill -9 and power cuts.
//
// All writes go through one goroutine, which commits whatever has come in since its last commit: alone when it is idle,
// by the hundreds when it is busy. Readers have connections of their own and never wait for it.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrClosed says that the store no longer takes writes.
var ErrClosed = errors.New("the store is closed")

// Store is an open database.
type Store struct {
	write *sql.DB
	conn  *sql.Conn // the one connection of write, for the writer's goroutine only
	read  *sql.DB
	queue chan write
	stop  chan struct{}
	done  chan struct{}
	stmts map[string]*sql.Stmt // prepared on conn

	gate   sync.RWMutex // held for reading while handing in, for writing while closing
	closed bool

	mu    sync.RWMutex
	names map[string]int64 // minions.id to minions.n
	ids   map[int64]string
}

// write is one change and who waits for it.
type write struct {
	do   func(*tx) error
	done func(error)
}

const (
	queueSize = 4096
	maxBatch  = 1000
	// busyBatch is the size from which on a commit counts as part of a flood; busyPause is how long the next one waits.
	busyBatch   = 32
	busyPause   = 3 * time.Millisecond
	readers     = 4
	busyTimeout = "5000"
)

// Open opens the database in the file at path, makes it when it is missing, and brings its schema up to date.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := prepare(path); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{
		queue: make(chan write, queueSize), stop: make(chan struct{}), done: make(chan struct{}),
		stmts: map[string]*sql.Stmt{}, names: map[string]int64{}, ids: map[int64]string{},
	}
	var err error
	if s.write, err = open(path, 1); err != nil {
		return nil, err
	}
	if err = migrate(ctx, s.write); err == nil {
		if s.read, err = open(path, readers); err == nil {
			err = s.loadNames(ctx)
		}
	}
	if err == nil {
		s.conn, err = s.write.Conn(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", path, errors.Join(err, s.closeDBs()))
	}
	go s.writer()
	return s, nil
}

// prepare makes the folder and the file, readable by nobody else.
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func open(path string, conns int) (*sql.DB, error) {
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(" + busyTimeout + ")", "foreign_keys(ON)",
		"cache_size(-16000)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)",
	}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	return nil
}

// Close commits what has been handed in and closes the database.
func (s *Store) Close() error {
	s.gate.Lock()
	s.closed = true
	s.gate.Unlock()
	close(s.stop)
	<-s.done
	return s.closeDBs()
}

func (s *Store) closeDBs() error {
	var err error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// Queued is how many changes wait to be written.
func (s *Store) Queued() int { return len(s.queue) }

// do hands in a change; done is called when it is on the disk, or has failed. It waits while the queue is full.
func (s *Store) do(change func(*tx) error, done func(error)) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.closed {
		done(ErrClosed)
		return
	}
	s.queue <- write{change, done}
}

// wait hands in a change and waits until it is on the disk. When ctx ends first the change may still happen.
func (s *Store) wait(ctx context.Context, change func(*tx) error) error {
	done := make(chan error, 1)
	s.do(change, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) writer() {
	defer close(s.done)
	batch := make([]write, 0, maxBatch)
	for {
		select {
		case w := <-s.queue:
			busy := len(batch) >= busyBatch
			if batch = s.gather(append(batch[:0], w)); busy && len(batch) < busyBatch {
				time.Sleep(busyPause) // a flood comes in: fewer, larger commits carry it better
				batch = s.gather(batch)
			}
			s.commit(batch)
		case <-s.stop:
			for len(s.queue) > 0 {
				batch = s.gather(append(batch[:0], <-s.queue))
				s.commit(batch)
			}
			for _, st := range s.stmts {
				_ = st.Close()
			}
			_ = s.conn.Close()
			return
		}
	}
}

func (s *Store) gather(batch []write) []write {
	for len(batch) < maxBatch {
		select {
		case w := <-s.queue:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit does a batch in one transaction. When one change fails the others are done again without it, so that each
// answers for itself.
func (s *Store) commit(batch []write) {
	err := s.transact(batch)
	for _, w := range batch {
		if err != nil && len(batch) > 1 {
			w.done(s.transact([]write{w}))
			continue
		}
		w.done(err)
	}
}

func (s *Store) transact(batch []write) error {
	t := &tx{ctx: context.Background(), s: s} // a commit is not cut short: its callers may go, its data may not
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	err := t.all(batch)
	if err == nil {
		if _, err = t.exec("COMMIT"); err == nil {
			s.learn(t.newNames)
			return nil
		}
	}
	_, rollback := t.exec("ROLLBACK")
	return fmt.Errorf("store: %w", errors.Join(err, rollback))
}

// tx is the transaction that a batch shares.
type tx struct {
	ctx      context.Context //nolint:containedctx // lives as long as one batch
	s        *Store
	newNames map[string]int64
}

func (t *tx) all(batch []write) error {
	for _, w := range batch {
		if err := w.do(t); err != nil {
			return err
		}
	}
	return nil
}

// prepare returns a statement of the writer's connection, prepared at its first use.
func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if st := t.s.stmts[query]; st != nil {
		return st, nil
	}
	st, err := t.s.conn.PrepareContext(t.ctx, query)
	if err == nil {
		t.s.stmts[query] = st
	}
	return st, err
}

func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	st, err := t.prepare(query) //nolint:sqlclosecheck // kept for the life of the connection
	if err != nil {
		return nil, err
	}
	return st.ExecContext(t.ctx, args...)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
