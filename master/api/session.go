package api

import (
	"errors"
	"net/http"
	"time"

	"brine/internal/ordered"
)

func (s *Server) askLogin(w http.ResponseWriter, r *http.Request, _ *Session) error {
	w.Header().Set("WWW-Authenticate", "Session")
	answer(w, r, http.StatusOK, ordered.Pairs("status", nil, "return", "Please log in"))
	return nil
}

// enter opens a session from a map with username, password and eauth.
func (s *Server) enter(r *http.Request, m *ordered.Map) (*Session, error) {
	who, err := s.o.Users.Login(r.Context(), m.String("username"), m.String("password"), m.String("eauth"))
	if errors.Is(err, ErrLogin) {
		return nil, fail(http.StatusUnauthorized, "%s", err.Error())
	}
	return who, err
}

func (s *Server) credentials(w http.ResponseWriter, r *http.Request) (*Session, error) {
	v, err := read(w, r)
	if err != nil {
		return nil, err
	}
	if l, ok := v.([]any); ok && len(l) == 1 {
		v = l[0]
	}
	m, ok := v.(*ordered.Map)
	if !ok {
		return nil, fail(http.StatusBadRequest, "send username, password and eauth")
	}
	return s.enter(r, m)
}

func epoch(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func (s *Server) login(w http.ResponseWriter, r *http.Request, _ *Session) error {
	who, err := s.credentials(w, r)
	if err != nil {
		return err
	}
	w.Header().Set("X-Auth-Token", who.Token)
	s.cookie(w, who.Token, who.Expire)
	answer(w, r, http.StatusOK, ordered.Pairs("return", []any{ordered.Pairs("token", who.Token, "expire", epoch(who.Expire), "start", epoch(who.Start),
		"user", who.User, "eauth", who.Eauth, "perms", who.Permissions())}))
	return nil
}

func (s *Server) cookie(w http.ResponseWriter, token string, expire time.Time) {
	http.SetCookie(w, &http.Cookie{Name: "session_id", Value: token, Path: "/", Expires: expire, HttpOnly: true, Secure: s.o.TLS != nil, SameSite: http.SameSiteStrictMode})
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, who *Session) error {
	if err := s.o.Users.Logout(r.Context(), who.Token); err != nil {
		return err
	}
	s.cookie(w, "", time.Unix(0, 0))
	answer(w, r, http.StatusOK, ordered.Pairs("return", "Your token has been cleared"))
	return nil
}

func (s *Server) token(w http.ResponseWriter, r *http.Request, _ *Session) error {
	who, err := s.credentials(w, r)
	if err != nil {
		return err
	}
	answer(w, r, http.StatusOK, []any{ordered.Pairs("start", epoch(who.Start), "expire", epoch(who.Expire), "name", who.User, "eauth", who.Eauth, "token", who.Token)})
	return nil
}
