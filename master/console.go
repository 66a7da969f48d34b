package master

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"brine/console"
	"brine/event"
	"brine/internal/ordered"
	"brine/master/api"
)

// consoleBackend is the master for the console.
type consoleBackend struct {
	m   *Master
	api *api.Server
}

var _ console.Backend = (*consoleBackend)(nil)

func consoleUser(s *api.Session) *console.User {
	if s == nil {
		return nil
	}
	u := &console.User{Name: s.User, Role: string(s.Role), Token: s.Token, Expire: s.Expire}
	if s.Perms != nil && u.Role == console.Admin {
		u.Role = console.Operator // permissions stand in the place of the role; each call is checked against them
	}
	return u
}

// Login implements console.Backend.
func (b *consoleBackend) Login(ctx context.Context, name, secret string) (*console.User, error) {
	var s *api.Session
	var err error
	if name == "" {
		s, err = b.m.users.LoginByLink(ctx, secret)
	} else {
		s, err = b.m.users.Login(ctx, name, secret, "console")
	}
	if err != nil {
		return nil, err
	}
	return consoleUser(s), nil
}

// Logout implements console.Backend.
func (b *consoleBackend) Logout(ctx context.Context, token string) error {
	return b.m.users.Logout(ctx, token)
}

// User implements console.Backend.
func (b *consoleBackend) User(ctx context.Context, token string) *console.User {
	return consoleUser(b.m.users.Session(ctx, token))
}

// Low implements console.Backend. The session is looked up again: its rights may have changed since the page began.
func (b *consoleBackend) Low(ctx context.Context, u *console.User, chunk *ordered.Map) (any, error) {
	s := b.m.users.Session(ctx, u.Token)
	if s == nil {
		return nil, api.ErrLogin
	}
	return b.api.Low(ctx, s, chunk)
}

// Devices implements console.Backend.
func (b *consoleBackend) Devices() []console.Device {
	list := b.m.minions()
	out := make([]console.Device, len(list))
	for i, mn := range list {
		out[i] = console.Device{ID: mn.ID, State: mn.State, Seen: mn.LastSeen, Until: mn.AsleepUntil, Version: mn.Version, Grains: mn.Grains}
	}
	slices.SortFunc(out, func(x, y console.Device) int { return strings.Compare(x.ID, y.ID) })
	return out
}

// Subscribe implements console.Backend.
func (b *consoleBackend) Subscribe() *event.Sub { return b.m.bus.Subscribe(1000, nil) }

// LoginLink makes the path of a page that logs a user in once. With "dev" it makes that user first: an admin without a
// password that anybody knows.
func (m *Master) LoginLink(ctx context.Context, name string) (string, error) {
	if name == devUser {
		if err := m.users.Add(ctx, devUser, rand.Text(), api.Admin, nil); err != nil {
			return "", err
		}
	}
	token, err := m.users.Link(ctx, name)
	return console.Prefix + "link/" + token, err
}

// devUser is who brine dev logs in.
const devUser = "dev"
