package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"brine/internal/ordered"
	"brine/test/testbed"
)

// web is a client of the HTTP interface.
type web struct {
	t     *testing.T
	base  string
	token string
}

// post sends a body and reads the JSON of the answer.
func (w *web) post(path, kind, body string) (int, map[string]any) {
	w.t.Helper()
	return w.do(http.MethodPost, path, kind, body)
}

func (w *web) do(method, path, kind, body string) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.base+path, strings.NewReader(body))
	require.NoError(w.t, err)
	r.Header.Set("Accept", "application/json")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if w.token != "" {
		r.Header.Set("X-Auth-Token", w.token)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	assert.NotEmpty(w.t, resp.Header.Get("Server"))
	var out map[string]any
	_ = json.Unmarshal(text, &out) // a list, in one case
	return resp.StatusCode, out
}

// low posts one chunk as a browser does and gives the first result.
func (w *web) low(kv ...any) any {
	w.t.Helper()
	var b bytes.Buffer
	require.NoError(w.t, json.NewEncoder(&b).Encode(ordered.Pairs(kv...)))
	code, out := w.post("/", "text/plain;charset=UTF-8", b.String())
	require.Equal(w.t, http.StatusOK, code, "%v: %v", kv, out)
	list := out["return"].([]any)
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func TestSaltAPI(t *testing.T) {
	t.Parallel()
	addr := "127.0.0.1:" + itoa(testbed.FreePort(t))
	b := testbed.New(t, testbed.Options{Minions: []string{"alpha", "beta"}, Master: ordered.Pairs("api_listen", addr)})
	for name, role := range map[string]string{"root": "admin", "op": "operator", "eve": "viewer"} {
		runner(t, b, "user.add", "name", name, "password", "correct horse", "role", role)
	}
	w := &web{t: t, base: "http://" + addr}
	code, _ := w.post("/", "application/json", "[]")
	assert.Equal(t, http.StatusUnauthorized, code)
	code, _ = w.post("/login", "application/json", `{"username":"root","password":"wrong horse","eauth":"pam"}`)
	assert.Equal(t, http.StatusUnauthorized, code)
	code, out := w.post("/login", "application/x-www-form-urlencoded", "username=root&password=correct+horse&eauth=pam")
	require.Equal(t, http.StatusOK, code)
	entry := out["return"].([]any)[0].(map[string]any)
	w.token = entry["token"].(string)
	assert.Len(t, w.token, 40)
	assert.Equal(t, []any{".*", "@jobs", "@runner", "@wheel"}, entry["perms"])

	assert.Equal(t, map[string]any{"alpha": true, "beta": true}, w.low("client", "local", "tgt", "*", "fun", "test.ping"))
	args := w.low("client", "local", "tgt", "alpha", "fun", "test.arg", "arg", []any{"1", "a=2"}, "kwarg", ordered.Pairs("b", "x")).(map[string]any)["alpha"].(map[string]any)
	assert.Equal(t, []any{"1"}, args["args"])
	assert.InDelta(t, 2, args["kwargs"].(map[string]any)["a"], 0)
	assert.Equal(t, "x", args["kwargs"].(map[string]any)["b"])
	full := w.low("client", "local", "tgt", "alpha", "fun", "test.ping", "full_return", true).(map[string]any)["alpha"].(map[string]any)
	assert.Equal(t, true, full["ret"])
	assert.InDelta(t, 0, full["retcode"], 0)
	assert.Equal(t, map[string]any{}, w.low("client", "local", "tgt", "nobody", "fun", "test.ping"))
	assert.Equal(t, "'no.such' is not available.", w.low("client", "local", "tgt", "alpha", "fun", "no.such").(map[string]any)["alpha"])
	assert.ElementsMatch(t, []any{"alpha", "beta"}, w.low("client", "runner", "fun", "manage.up").([]any))
	keys := w.low("client", "wheel", "fun", "key.list_all").(map[string]any)["data"].(map[string]any)
	assert.Equal(t, true, keys["success"])
	assert.Equal(t, []any{"alpha", "beta"}, keys["return"].(map[string]any)["minions"])
	async := w.low("client", "local_async", "tgt", "*", "fun", "test.ping").(map[string]any)
	jid := async["jid"].(string)
	b.Eventually(20*time.Second, "the job is in the job cache", func() bool {
		_, out := w.do(http.MethodGet, "/jobs/"+jid, "", "")
		rets, _ := out["return"].([]any)
		return len(rets) == 1 && len(rets[0].(map[string]any)) == 2
	})
	code, out = w.do(http.MethodGet, "/keys", "", "")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, out["return"], "minions_pre")
	for path, want := range map[string]int{"/stats": 200, "/minions/alpha": 200, "/jobs": 200, "/nosuch": 404} {
		code, _ = w.do(http.MethodGet, path, "", "")
		assert.Equal(t, want, code, path)
	}
	code, _ = w.post("/", "application/json", "{")
	assert.Equal(t, http.StatusBadRequest, code)
	code, _ = w.post("/", "application/json", `{"client":"ssh","fun":"x"}`)
	assert.Equal(t, http.StatusBadRequest, code)
	code, out = w.post("/run", "application/json", `[{"client":"local","tgt":"*","fun":"test.ping","username":"op","password":"correct horse","eauth":"pam"}]`)
	assert.Equal(t, http.StatusOK, code, out)

	t.Run("events", func(t *testing.T) { followOne(t, w) })
	t.Run("a viewer looks and does nothing", func(t *testing.T) {
		v := &web{t: t, base: w.base}
		_, out := v.post("/login", "application/json", `{"username":"eve","password":"correct horse","eauth":"pam"}`)
		v.token = out["return"].([]any)[0].(map[string]any)["token"].(string)
		assert.NotNil(t, v.low("client", "local", "tgt", "*", "fun", "test.ping"))
		for _, chunk := range []string{`{"client":"local","tgt":"*","fun":"cmd.run","arg":["id"]}`, `{"client":"wheel","fun":"key.delete","match":"alpha"}`,
			`{"client":"runner","fun":"user.add","name":"x","password":"0123456789","role":"admin"}`, `{"client":"runner","fun":"release.create","version":"1"}`} {
			code, _ := v.post("/", "application/json", chunk)
			assert.Equal(t, http.StatusUnauthorized, code, chunk)
		}
	})
	code, out = w.post("/logout", "", "")
	assert.Equal(t, http.StatusOK, code)
	assert.Equal(t, "Your token has been cleared", out["return"])
	code, _ = w.do(http.MethodGet, "/stats", "", "")
	assert.Equal(t, http.StatusUnauthorized, code)
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// followOne opens the stream of events and waits for those of a job.
func followOne(t *testing.T, w *web) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+"/events?token="+w.token, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	require.True(t, lines.Scan())
	assert.Equal(t, "retry: 400", lines.Text())
	w.low("client", "local_async", "tgt", "alpha", "fun", "test.ping")
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e struct {
			Tag  string         `json:"tag"`
			Data map[string]any `json:"data"`
		}
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		if strings.HasPrefix(e.Tag, "salt/job/") && strings.HasSuffix(e.Tag, "/ret/alpha") {
			assert.Equal(t, true, e.Data["return"])
			return
		}
	}
	t.Fatal("the event of the return did not come")
}
