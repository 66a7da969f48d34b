package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

func (s *Server) run(w http.ResponseWriter, r *http.Request, who *Session) error {
	v, err := read(w, r)
	if err != nil {
		return err
	}
	return s.chunks(w, r, v, http.StatusOK, func(*ordered.Map) (*Session, error) { return who, nil })
}

// runWith runs chunks that bring their own credentials.
func (s *Server) runWith(w http.ResponseWriter, r *http.Request, _ *Session) error {
	v, err := read(w, r)
	if err != nil {
		return err
	}
	return s.chunks(w, r, v, http.StatusOK, func(low *ordered.Map) (*Session, error) {
		if token := low.String("token"); token != "" {
			if who := s.o.Users.Session(r.Context(), token); who != nil {
				return who, nil
			}
			return nil, fail(http.StatusUnauthorized, "the token is not valid")
		}
		if low.String("username") == "" {
			return nil, fail(http.StatusUnauthorized, "No permission -- see authorization schemes")
		}
		return s.enter(r, low)
	})
}

func (s *Server) postMinions(w http.ResponseWriter, r *http.Request, who *Session) error {
	v, err := read(w, r)
	if err != nil {
		return err
	}
	if list, err := lowstate(v); err == nil {
		for _, m := range list {
			m.Set("client", "local_async")
		}
	}
	return s.chunks(w, r, v, http.StatusAccepted, func(*ordered.Map) (*Session, error) { return who, nil })
}

func (s *Server) chunks(w http.ResponseWriter, r *http.Request, v any, code int, who func(*ordered.Map) (*Session, error)) error {
	list, err := lowstate(v)
	if err != nil {
		return err
	}
	out := []any{}
	for _, low := range list {
		user, err := who(low)
		if err != nil {
			return err
		}
		one, err := s.chunk(r.Context(), user, low)
		if err != nil {
			return err
		}
		out = append(out, one...)
	}
	answer(w, r, code, ordered.Pairs("return", out))
	return nil
}

// chunk runs one chunk.
func (s *Server) chunk(ctx context.Context, who *Session, low *ordered.Map) ([]any, error) {
	client := low.String("client")
	kind, _, _ := strings.Cut(client, "_")
	c := &Call{Client: client, User: who.User, Fun: low.Value("fun"), Tgt: low.Value("tgt"), TgtType: low.String("tgt_type"), Arg: low.List("arg"), Low: low, Quiet: low.Value("__quiet__") == true}
	c.Kwarg, _ = low.Value("kwarg").(*ordered.Map)
	if c.TgtType == "" {
		if c.TgtType = low.String("expr_form"); c.TgtType == "" {
			c.TgtType = "glob"
		}
	}
	if !pyfmt.Truth(c.Fun) {
		return nil, fail(http.StatusBadRequest, "a lowstate needs fun")
	}
	switch client {
	case "local", "local_async", "local_batch", "local_subset":
		if c.Tgt == nil {
			return nil, fail(http.StatusInternalServerError, "An unexpected error occurred")
		}
		if err := s.mayLocal(ctx, who, c); err != nil {
			return nil, err
		}
		return s.local(ctx, c)
	case "runner", "runner_async", "wheel", "wheel_async":
		if !who.May(kind, pyfmt.Str(c.Fun), nil, nil) {
			return nil, fail(http.StatusUnauthorized, "%s may not call %s %s", who.User, kind, pyfmt.Str(c.Fun))
		}
		one, err := s.function(ctx, c, kind)
		return []any{one}, err
	}
	return nil, fail(http.StatusBadRequest, "the client %q is not enabled", client)
}

// mayLocal checks every function of a call on the minions that it means.
func (s *Server) mayLocal(ctx context.Context, who *Session, c *Call) error {
	funs, ok := c.Fun.([]any)
	if !ok {
		funs = []any{c.Fun}
	}
	minions, err := s.o.Backend.Resolve(ctx, c.Tgt, c.TgtType)
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	covered := func(tgt string) []string {
		ids, _ := s.o.Backend.Resolve(ctx, tgt, "compound") // a target that is wrong covers nobody
		return ids
	}
	for _, f := range funs {
		if !who.May("local", pyfmt.Str(f), minions, covered) {
			return fail(http.StatusUnauthorized, "%s may not call %s on %s", who.User, pyfmt.Str(f), pyfmt.Str(c.Tgt))
		}
	}
	return nil
}

// local runs a job and shapes the answer as the client wants it.
func (s *Server) local(ctx context.Context, c *Call) ([]any, error) {
	if c.Client == "local_async" {
		jid, minions, err := s.o.Backend.Local(ctx, c, nil)
		if errors.Is(err, ErrNoMatch) {
			return []any{ordered.New(0)}, nil
		}
		if err != nil {
			return nil, err
		}
		ids := make([]any, len(minions))
		for i, id := range minions {
			ids[i] = id
		}
		return []any{ordered.Pairs("jid", jid, "minions", ids)}, nil
	}
	whole, single := ordered.New(8), []any{}
	full := pyfmt.Truth(c.Low.Value("full_return"))
	_, _, err := s.o.Backend.Local(ctx, c, func(a Answer) error {
		v := a.Value
		switch {
		case a.Silent:
			v = false
		case full:
			m := ordered.Pairs("ret", a.Value, "retcode", int64(a.Retcode), "jid", a.JID)
			if a.Out != "" {
				m.Set("out", a.Out)
			}
			v = m
		}
		whole.Set(a.ID, v)
		if !a.Silent {
			single = append(single, ordered.Pairs(a.ID, a.Value))
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrNoMatch) {
		return nil, err
	}
	if c.Client == "local_batch" {
		return single, nil
	}
	return []any{whole}, nil
}

// reserved are the keys of a chunk that are no arguments of a runner or wheel function.
func reserved(key string) bool {
	switch key {
	case "client", "fun", "arg", "kwarg", "token", "username", "password", "eauth", "user", "key", "timeout", "full_return", "tgt_type", "tgt", "print_event", "metadata":
		return true
	}
	return strings.HasPrefix(key, "__")
}

func (s *Server) function(ctx context.Context, c *Call, kind string) (any, error) {
	name := map[string]string{"runner": "run", "wheel": "wheel"}[kind]
	kw := ordered.New(4)
	for k, v := range c.Low.All() {
		if key := ordered.KeyText(k); !reserved(key) {
			kw.Set(key, v)
		}
	}
	for _, k := range []string{"tgt", "tgt_type"} {
		if v, ok := c.Low.Get(k); ok {
			kw.Set(k, v)
		}
	}
	kw.Update(c.Kwarg)
	c.Kwarg = kw
	if strings.HasSuffix(c.Client, "_async") {
		jid, _, err := s.o.Backend.Function(ctx, name+" async", c)
		return ordered.Pairs("tag", "salt/"+name+"/"+jid, "jid", jid), err
	}
	jid, v, err := s.o.Backend.Function(ctx, name, c)
	success := err == nil
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		v = fmt.Sprintf("Exception occurred in %s %s: %v", kind, pyfmt.Str(c.Fun), err)
	}
	if kind == "runner" && !pyfmt.Truth(c.Low.Value("full_return")) {
		return v, nil
	}
	tag := "salt/" + name + "/" + jid
	data := ordered.Pairs("fun", kind+"."+pyfmt.Str(c.Fun), "jid", jid, "tag", tag, "user", c.User, "fun_args", append([]any{}, c.Arg...), "return", v, "success", success)
	if kind == "runner" {
		tag += "/ret"
	}
	return ordered.Pairs("tag", tag, "data", data), nil
}
