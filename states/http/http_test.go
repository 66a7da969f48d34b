package http_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"brine/modules"
	module "brine/modules/http"
	"brine/modules/moduletest"
	states "brine/states/http"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		if r.URL.Path == "/late" && n < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte("all is well"))
	}))
	defer srv.Close()
	b, s := moduletest.New(t, module.Module()), states.State()
	b.WantState(s, "wait_for_successful_query", moduletest.KW([]any{srv.URL + "/late"}, "status", 200, "request_interval", 0.01),
		"{'result': True, 'comment': 'Status 200 was found.', 'changes': {}}")
	b.WantState(s, "query", moduletest.KW([]any{srv.URL}, "match", "well", "status", 200),
		`{'result': True, 'comment': 'Match text "well" was found. Status 200 was found.', 'changes': {}}`)
	b.WantState(s, "query", moduletest.KW([]any{srv.URL}, "match", "ill$", "match_type", "pcre"), `{'result': False, 'comment': 'Match pattern "ill$" was not found.', 'changes': {}}`)
	b.WantState(s, "query", moduletest.KW([]any{srv.URL}, "match", "well", "status", []any{404, 500}, "status_type", "list"),
		`{'result': False, 'comment': 'Match text "well" was found. Statuses [404, 500] were not found.', 'changes': {}}`)
	b.WantState(s, "query", moduletest.KW([]any{srv.URL}, "status", "2..", "status_type", "pcre"), `{'result': True, 'comment': 'Status pattern "2.." was found.', 'changes': {}}`)
	b.WantState(s, "query", modules.Pos(srv.URL), "{'result': False, 'comment': 'Either match text (match) or a status code (status) is required.', 'changes': {}}")
	before := asked.Load()
	b.Test = true
	b.WantState(s, "query", moduletest.KW([]any{srv.URL}, "status", 200), "{'result': None, 'comment': 'Status 200 was not found. (TEST MODE)', 'changes': {}}")
	assert.Equal(t, before, asked.Load(), "a dry run asks nobody")
}
