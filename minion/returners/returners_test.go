package returners_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/minion/returners"
)

func result(jid string) *ordered.Map {
	return ordered.Pairs("id", "m1", "jid", jid, "fun", "test.arg", "fun_args", []any{"a", ordered.Pairs("__kwarg__", true, "k", 1)}, "return", ordered.Pairs("x", 1),
		"retcode", 0, "success", true)
}

func give(t *testing.T, name string, o returners.Options, rets ...*ordered.Map) {
	t.Helper()
	r, err := returners.New(name, o)
	require.NoError(t, err)
	for _, ret := range rets {
		require.NoError(t, r.Return(t.Context(), ret))
	}
	require.NoError(t, r.Close())
}

func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	give(t, "file", returners.Options{Opts: ordered.Pairs("rawfile_json.filename", "out/r.jsonl"), Dir: dir}, result("1"), result("2"))
	text, err := os.ReadFile(dir + "/out/r.jsonl")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 2)
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &m))
	assert.Equal(t, "2", m["jid"])
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b.db")
	give(t, "sqlite", returners.Options{Opts: ordered.Pairs("returner.sqlite3", ordered.Pairs("database", path))}, result("1"), result("1"), result("2"))
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	var n int
	var fun, full, success string
	require.NoError(t, db.QueryRow("SELECT COUNT(*), fun, full_ret, success FROM salt_returns").Scan(&n, &fun, &full, &success))
	assert.Equal(t, []any{2, "test.arg", `{"x": 1}`, "True"}, []any{n, fun, full, success})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	addr := os.Getenv("BRINE_TEST_POSTGRES")
	if addr == "" {
		t.Skip("TestPostgres needs a server: set BRINE_TEST_POSTGRES to its HOST:PORT, with user, password and database salt")
	}
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	jid := time.Now().Format("20060102150405.000000")
	give(t, "postgres", returners.Options{Opts: ordered.Pairs("returner.postgres.host", host, "returner.postgres.port", port)}, result(jid), result(jid))
	db, err := sql.Open("pgx", "postgres://salt:salt@"+addr+"/salt?sslmode=prefer")
	require.NoError(t, err)
	defer db.Close()
	var n int
	var fun, ret string
	require.NoError(t, db.QueryRow("SELECT COUNT(*), MIN(fun), MIN(return) FROM salt_returns WHERE jid = $1", jid).Scan(&n, &fun, &ret))
	assert.Equal(t, []any{1, "test.arg", `{"x": 1}`}, []any{n, fun, ret})
}

func TestPostgresShowsNoPassword(t *testing.T) {
	t.Parallel()
	r, err := returners.New("postgres", returners.Options{Opts: ordered.Pairs("postgres.host", "127.0.0.1", "postgres.port", 1, "postgres.passwd", "hush")})
	require.NoError(t, err)
	err = r.Return(t.Context(), result("1"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hush")
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Header.Get("X-Token")+" "+r.Header.Get("Idempotency-Key")+" "+string(body[:20]))
		if len(got) > 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	o := returners.Options{Opts: ordered.Pairs("http.url", srv.URL, "http.headers", ordered.Pairs("X-Token", "t"))}
	give(t, "http", o, result("1"))
	assert.Equal(t, []string{`t m1/1 {"id": "m1", "jid": `}, got)
	r, err := returners.New("http", o)
	require.NoError(t, err)
	require.ErrorContains(t, r.Return(t.Context(), result("2")), "503")
	_, err = returners.New("http", returners.Options{Opts: ordered.New(0)})
	require.ErrorContains(t, err, "http.url")
}

func TestSyslog(t *testing.T) {
	t.Parallel()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	give(t, "syslog", returners.Options{Opts: ordered.Pairs("syslog.address", l.LocalAddr().String(), "syslog.level", "LOG_ERR", "syslog.facility", "LOG_LOCAL1")}, result("1"))
	b := make([]byte, 4096)
	n, _, err := l.ReadFrom(b)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(b[:n]), "<139>"), string(b[:n])) // local1 (17) * 8 + err (3)
	assert.Contains(t, string(b[:n]), `"jid": "1"`)
	_, err = returners.New("syslog", returners.Options{Opts: ordered.Pairs("syslog.level", "LOUD")})
	require.ErrorContains(t, err, "there is no LOUD")
}

func TestEvents(t *testing.T) {
	t.Parallel()
	var got []string
	o := returners.Options{Fire: func(_ context.Context, tag string, data *ordered.Map) error {
		got = append(got, tag+" "+pyfmt.Repr(data))
		return nil
	}}
	give(t, "event", o, result("1"))
	give(t, "event_result", o, result("2"))
	assert.Equal(t, "salt/job/1/fun/test.arg {'success': True, 'retcode': 0, 'kwargs': {'k': 1}, 'args': ['a']}", got[0])
	assert.True(t, strings.HasPrefix(got[1], "salt/job/2/ret {'id': 'm1', 'jid': '2', "), got[1])
}

func TestMulti(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), &bytes.Buffer{}
	o := returners.Options{Opts: ordered.Pairs("multi_returner", []any{"local", "file"}, "file.filename", dir+"/r"), Out: out}
	give(t, "multi_returner", o, result("1"))
	assert.Contains(t, out.String(), "'jid': '1'")
	assert.FileExists(t, dir+"/r")
	for _, bad := range []*ordered.Map{ordered.New(0), ordered.Pairs("multi_returner", []any{"multi"}), ordered.Pairs("multi_returner", []any{"none"})} {
		_, err := returners.New("multi_returner", returners.Options{Opts: bad})
		require.Error(t, err)
	}
}

func TestMQTT(t *testing.T) {
	t.Parallel()
	srv := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, srv.AddHook(new(auth.AllowHook), nil))
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	require.NoError(t, srv.AddListener(l))
	require.NoError(t, srv.Serve())
	got := make(chan string, 10)
	require.NoError(t, srv.Subscribe("#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		got <- pk.TopicName + " " + string(pk.Payload)
	}))
	host, port, err := net.SplitHostPort(l.Address())
	require.NoError(t, err)
	o := ordered.Pairs("mqtt.host", host, "mqtt.port", port, "mqtt.qos", 1)
	give(t, "mqtt", returners.Options{Opts: o}, result("1"))
	text := <-got
	assert.True(t, strings.HasPrefix(text, `test/arg {"id": "m1", "jid": "1", `), text)
	assert.Contains(t, text, `"_stamp": "`)
	require.NoError(t, srv.Close())
	r, err := returners.New("mqtt", returners.Options{Opts: o})
	require.NoError(t, err)
	require.ErrorContains(t, r.Return(t.Context(), result("1")), "broker")
	require.NoError(t, r.Close())
}

func TestSet(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	n := 0
	block := make(chan struct{})
	s := returners.NewSet(returners.Options{Opts: ordered.New(0), Dir: t.TempDir(), Fire: func(_ context.Context, tag string, _ *ordered.Map) error {
		if strings.HasSuffix(tag, "/ret") {
			<-block
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		return nil
	}}, zap.NewNop())
	for range 1100 {
		_ = s.Give([]string{"event_result"}, "", result("1"))
	}
	require.NoError(t, s.Give([]string{"event"}, "", result("2")))
	require.ErrorContains(t, s.Give([]string{"none", "event"}, "", result("3")), `there is no returner "none"`)
	dropped, failed := s.Lost()
	assert.GreaterOrEqual(t, dropped, int64(99))
	assert.Zero(t, failed)
	close(block)
	s.Close(10 * time.Second)
	assert.Equal(t, 1100-int(dropped)+2, n)
	require.Error(t, s.Give([]string{"event"}, "", result("4")))
	assert.Equal(t, []string{"a", "b"}, returners.Split(" a, ,b"))
}
