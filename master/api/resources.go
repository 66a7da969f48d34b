package api

import (
	"io"
	"net/http"
	"strings"
	"time"

	"brine/internal/ordered"
	"brine/internal/pyjson"
)

func (s *Server) minions(w http.ResponseWriter, r *http.Request, who *Session) error {
	tgt := r.PathValue("id")
	if tgt == "" {
		tgt = "*"
	}
	one, err := s.chunk(r.Context(), who, ordered.Pairs("client", "local", "tgt", tgt, "fun", "grains.items"))
	if err != nil {
		return err
	}
	answer(w, r, http.StatusOK, ordered.Pairs("return", one))
	return nil
}

func (s *Server) jobs(w http.ResponseWriter, r *http.Request, who *Session) error {
	one, err := s.chunk(r.Context(), who, ordered.Pairs("client", "runner", "fun", "jobs.list_jobs"))
	if err != nil {
		return err
	}
	answer(w, r, http.StatusOK, ordered.Pairs("return", one))
	return nil
}

func (s *Server) job(w http.ResponseWriter, r *http.Request, who *Session) error {
	one, err := s.chunk(r.Context(), who, ordered.Pairs("client", "runner", "fun", "jobs.list_job", "jid", r.PathValue("jid")))
	if err != nil {
		return err
	}
	rets := ordered.New(4)
	if info, ok := one[0].(*ordered.Map); ok {
		for id, v := range info.Map("Result").All() {
			if m, ok := v.(*ordered.Map); ok {
				rets.Set(id, m.Value("return"))
			}
		}
	}
	answer(w, r, http.StatusOK, ordered.Pairs("info", one, "return", []any{rets}))
	return nil
}

// wheel runs a wheel function and gives its value.
func (s *Server) wheel(r *http.Request, who *Session, fun string, kv ...any) (any, error) {
	low := ordered.Pairs("client", "wheel", "fun", fun)
	low.Update(ordered.Pairs(kv...))
	one, err := s.chunk(r.Context(), who, low)
	if err != nil {
		return nil, err
	}
	m, _ := one[0].(*ordered.Map)
	return m.Map("data").Value("return"), nil
}

func (s *Server) keys(w http.ResponseWriter, r *http.Request, who *Session) error {
	v, err := s.wheel(r, who, "key.list_all")
	if err != nil {
		return err
	}
	answer(w, r, http.StatusOK, ordered.Pairs("return", v))
	return nil
}

func (s *Server) key(w http.ResponseWriter, r *http.Request, who *Session) error {
	v, err := s.wheel(r, who, "key.finger", "match", r.PathValue("id"))
	if err != nil {
		return err
	}
	answer(w, r, http.StatusOK, ordered.Pairs("return", v))
	return nil
}

func (s *Server) hook(w http.ResponseWriter, r *http.Request, who *Session) error {
	if who.Role == Viewer {
		return fail(http.StatusUnauthorized, "%s may not fire events", who.User)
	}
	v, err := read(w, r)
	if err != nil {
		return err
	}
	headers := ordered.New(4)
	for k := range r.Header {
		if k != "X-Auth-Token" && k != "Cookie" && k != "Authorization" {
			headers.Set(k, r.Header.Get(k))
		}
	}
	tag := strings.TrimSuffix("salt/netapi/hook/"+r.PathValue("path"), "/")
	data := ordered.Pairs("post", v, "headers", headers)
	if text, ok := v.(string); ok {
		data = ordered.Pairs("post", ordered.New(0), "headers", headers, "body", text)
	}
	s.o.Backend.Fire(tag, data)
	answer(w, r, http.StatusOK, ordered.Pairs("success", true))
	return nil
}

const (
	keepAlive = 15 * time.Second
	// writeTime is how long a client may take for one event; a slower one is dropped, and nobody waits for it.
	writeTime = 10 * time.Second
)

// events streams the events of the bus.
func (s *Server) events(w http.ResponseWriter, r *http.Request, who *Session) error {
	sub := s.o.Backend.Subscribe()
	defer sub.Close()
	w.Header().Set("Content-Type", "text/event-stream;charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // the stream outlives the time for reading a request
	send := func(text string) error {
		if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		return c.Flush()
	}
	if err := send("retry: 400\n"); err != nil {
		return nil // the client has gone
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	over := time.After(time.Until(who.Expire))
	for {
		text := ": ping\n\n"
		select {
		case <-r.Context().Done():
			return nil
		case <-over:
			return nil
		case <-alive.C:
			if s.o.Users.Session(r.Context(), who.Token) == nil {
				return nil // logged out meanwhile
			}
		case e := <-sub.C():
			text = "tag: " + e.Tag + "\ndata: " + pyjson.Dumps(ordered.Pairs("tag", e.Tag, "data", e.Data), pyjson.Options{}) + "\n\n"
		}
		if send(text) != nil {
			return nil
		}
	}
}
