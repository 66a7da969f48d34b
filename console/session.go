package console

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cookieName is the cookie of the HTTP interface, so that one login is good for both.
const (
	cookieName = "session_id"
	flashName  = "said"
)

func (c *Console) who(r *request) *User {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	return c.Backend.User(r.Context(), cookie.Value)
}

func (c *Console) cookie(r *request, name, value string, expire time.Time) {
	http.SetCookie(r.w, &http.Cookie{Name: name, Value: value, Path: "/", Expires: expire, HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteStrictMode})
}

// toLogin sends a browser to the login page, and back afterwards.
func (c *Console) toLogin(r *request) {
	to := Prefix + "login"
	if r.Method == http.MethodGet && r.URL.Path != Prefix {
		to += "?to=" + url.QueryEscape(strings.TrimPrefix(r.URL.RequestURI(), Prefix))
	}
	if r.Header.Get("HX-Request") != "" { // a part of a page: the whole page has to go
		r.w.Header().Set("HX-Redirect", to)
		r.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(r.w, r.Request, to, http.StatusSeeOther)
}

type loginPage struct{ Name, To, Error string }

func (c *Console) askLogin(r *request) error {
	return c.show(r, "login", "Log in", loginPage{To: r.URL.Query().Get("to")})
}

func (c *Console) login(r *request) error {
	p := loginPage{Name: r.PostFormValue("name"), To: r.PostFormValue("to")}
	u, err := c.Backend.Login(r.Context(), p.Name, r.PostFormValue("password"))
	if err != nil {
		p.Error = err.Error()
		r.w.WriteHeader(http.StatusUnauthorized)
		return c.show(r, "login", "Log in", p)
	}
	c.enter(r, u, p.To)
	return nil
}

func (c *Console) loginByLink(r *request) error {
	u, err := c.Backend.Login(r.Context(), "", r.PathValue("token"))
	if err != nil {
		r.w.WriteHeader(http.StatusUnauthorized)
		return c.show(r, "login", "Log in", loginPage{Error: err.Error()})
	}
	c.enter(r, u, "")
	return nil
}

// enter sets the cookie and goes to a page of the console; to is below Prefix, whatever it holds.
func (c *Console) enter(r *request, u *User, to string) {
	c.cookie(r, cookieName, u.Token, u.Expire)
	http.Redirect(r.w, r.Request, Prefix+strings.TrimLeft(to, "/\\"), http.StatusSeeOther)
}

func (c *Console) logout(r *request) error {
	if err := c.Backend.Logout(r.Context(), r.user.Token); err != nil {
		return err
	}
	c.cookie(r, cookieName, "", time.Unix(0, 0))
	http.Redirect(r.w, r.Request, Prefix+"login", http.StatusSeeOther)
	return nil
}

// back goes to a page after a change, which tells what came of it once.
func (c *Console) back(r *request, to, said string) error {
	c.cookie(r, flashName, base64.RawURLEncoding.EncodeToString([]byte(said)), time.Now().Add(time.Minute))
	http.Redirect(r.w, r.Request, Prefix+to, http.StatusSeeOther)
	return nil
}

// said takes what the change before has to tell.
func (c *Console) said(r *request) string {
	cookie, err := r.Cookie(flashName)
	if err != nil {
		return ""
	}
	c.cookie(r, flashName, "", time.Unix(0, 0))
	text, _ := base64.RawURLEncoding.DecodeString(cookie.Value) // what is broken says nothing
	return string(text)
}
