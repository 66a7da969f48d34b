package http_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/modules"
	module "brine/modules/http"
	"brine/modules/moduletest"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/json":
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"b": 1, "a": [true, null]}`))
		case "/late":
			if tries.Add(1) < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			user, pass, _ := r.BasicAuth()
			_, _ = w.Write([]byte(r.Method + " " + r.URL.RawQuery + " " + r.Header.Get("X-A") + " " + user + pass + " " + string(body)))
		}
	}))
	defer srv.Close()
	b := moduletest.New(t, module.Module())
	b.WantArgs("{'body': 'POST a=1 h np k=v+w'}", "http.query", moduletest.KW([]any{srv.URL}, "method", "post", "params", ordered.Pairs("a", 1),
		"data", ordered.Pairs("k", "v w"), "header_list", []any{"X-A: h"}, "username", "n", "password", "p"))
	b.WantArgs("{'body': '{\"b\": 1, \"a\": [true, null]}', 'status': 200, 'dict': {'b': 1, 'a': [True, None]}}", "http.query",
		moduletest.KW([]any{srv.URL + "/json"}, "decode", true, "status", true))
	b.Want("{'status': 404, 'error': 'HTTP 404: Not Found', 'body': ''}", "http.query", srv.URL+"/missing")
	b.WantArgs("{'body': '', 'text': ''}", "http.query", moduletest.KW([]any{srv.URL + "/missing"}, "raise_error", false, "text", true))
	b.WantArgs("{}", "http.query", moduletest.KW([]any{srv.URL}, "test", true))
	b.WantArgs("{'body': ''}", "http.wait_for_successful_query", moduletest.KW([]any{srv.URL + "/late"}, "request_interval", 0.01))
	assert.Equal(t, int32(3), tries.Load())
	got := b.Run("http.wait_for_successful_query", moduletest.KW([]any{srv.URL + "/missing"}, "request_interval", 0.01, "wait_for", 0.03))
	assert.Contains(t, pyfmt.Repr(got), "HTTP 404")
	b.Fails("The protocol of file:///etc/passwd is not supported", "http.query", modules.Pos("file:///etc/passwd"))
}
