package returners

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyjson"
)

// database keeps results in Salt's tables, which it makes where they are missing.
type database struct {
	db     *sql.DB
	schema string
	insert string
	row    func(ret *ordered.Map) []any

	mu   sync.Mutex
	made bool
}

const sqliteSchema = `CREATE TABLE IF NOT EXISTS jids (jid TEXT PRIMARY KEY, load TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS salt_returns (
	fun TEXT KEY, jid TEXT KEY, id TEXT KEY, fun_args TEXT, date TEXT NOT NULL, full_ret TEXT NOT NULL, success TEXT NOT NULL, UNIQUE (jid, id))`

func newSQLite(c conf) (Returner, error) {
	path := c.path("database", "salt.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &database{
		db: db, schema: sqliteSchema,
		insert: "INSERT OR REPLACE INTO salt_returns (fun, jid, id, fun_args, date, full_ret, success) VALUES (?, ?, ?, ?, ?, ?, ?)",
		row: func(ret *ordered.Map) []any {
			return []any{
				funText(ret), ret.String("jid"), ret.String("id"), pyjson.Dumps(ret.Value("fun_args"), pyjson.Options{}), time.Now().Format("2006-01-02 15:04:05.000000"),
				pyjson.Dumps(ret.Value("return"), pyjson.Options{}), pyfmt.Str(ret.Value("success")),
			}
		},
	}, nil
}

func funText(ret *ordered.Map) string { return pyfmt.Str(ret.Value("fun")) }

const postgresSchema = `CREATE TABLE IF NOT EXISTS jids (jid varchar(255) PRIMARY KEY, load text NOT NULL);
CREATE TABLE IF NOT EXISTS salt_returns (
	fun text NOT NULL, jid varchar(255) NOT NULL, return text NOT NULL, full_ret text, id varchar(255) NOT NULL, success varchar(10) NOT NULL,
	alter_time timestamptz DEFAULT now());
CREATE UNIQUE INDEX IF NOT EXISTS salt_returns_once ON salt_returns (jid, id)`

func newPostgres(c conf) (Returner, error) {
	u := url.URL{
		Scheme: "postgres", Host: net.JoinHostPort(c.text("host", "salt"), c.text("port", "5432")), Path: "/" + c.text("db", "salt"),
		User:     url.UserPassword(c.text("user", "salt"), c.text("passwd", c.text("pass", "salt"))),
		RawQuery: url.Values{"connect_timeout": {"10"}, "sslmode": {c.text("sslmode", "prefer")}}.Encode(),
	}
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		return nil, errors.New("returner postgres: the options make no address of a database") // the error would show the password
	}
	db.SetMaxOpenConns(2)
	db.SetConnMaxIdleTime(time.Minute)
	return &database{
		db: db, schema: postgresSchema,
		insert: "INSERT INTO salt_returns (fun, jid, return, full_ret, id, success) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (jid, id) DO NOTHING",
		row: func(ret *ordered.Map) []any {
			return []any{
				funText(ret), ret.String("jid"), pyjson.Dumps(ret.Value("return"), pyjson.Options{}), pyjson.Dumps(ret, pyjson.Options{}), ret.String("id"),
				pyfmt.Str(ret.Value("success")),
			}
		},
	}, nil
}

// Return implements Returner.
func (d *database) Return(ctx context.Context, ret *ordered.Map) error {
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if _, err := d.db.ExecContext(ctx, d.insert, d.row(ret)...); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

func (d *database) prepare(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made {
		return nil
	}
	if _, err := d.db.ExecContext(ctx, d.schema); err != nil {
		return fmt.Errorf("database: make the tables: %w", err)
	}
	d.made = true
	return nil
}

// Close implements Returner.
func (d *database) Close() error { return d.db.Close() }
