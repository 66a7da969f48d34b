package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"brine/internal/ordered"
	"brine/master/store"
)

const (
	kindLink = "login link" // by the hash of the token
	linkLife = 15 * time.Minute
)

// ErrLink is the answer to a login link that is used, old or made up.
var ErrLink = errors.New("this link was used before or is too old: make a new one")

// Link makes a token with which a user can log in once, for a quarter of an hour.
func (u *Users) Link(ctx context.Context, name string) (string, error) {
	if _, err := u.docs.Doc(ctx, kindUser, name); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("there is no user %q: see brine user list", name)
		}
		return "", err
	}
	token := hex.EncodeToString(random(20))
	return token, u.docs.PutDoc(ctx, kindLink, digest(token), ordered.Pairs("user", name, "expire", time.Now().Add(linkLife).UnixMicro()))
}

// LoginByLink opens a session with a token of Link, and uses it up.
func (u *Users) LoginByLink(ctx context.Context, token string) (*Session, error) {
	u.links.Lock() // so that of two that come at once one is refused
	defer u.links.Unlock()
	v, err := u.docs.Doc(ctx, kindLink, digest(token))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, err
	}
	if err := u.docs.DeleteDoc(ctx, kindLink, digest(token)); err != nil {
		return nil, err
	}
	m, _ := v.(*ordered.Map)
	if expire, _ := m.Value("expire").(int64); time.Now().UnixMicro() > expire {
		return nil, ErrLink
	}
	v, err = u.docs.Doc(ctx, kindUser, m.String("user"))
	if err != nil {
		return nil, ErrLink
	}
	user, _ := v.(*ordered.Map)
	return u.open(ctx, user, "link")
}
