// Package keys decides which public keys may speak for which minion ids, and remembers it. One id has at most one
// accepted key. A key becomes accepted by an operator, a single-use join token, a configured fingerprint, or, where the
// master is set to it, by itself.
package keys

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/master/store"
	"brine/proto"
)

// Store is where keys are kept.
type Store interface {
	Keys(ctx context.Context) ([]store.Key, error)
	PutKey(ctx context.Context, k store.Key) error
	DeleteKey(ctx context.Context, id string, public []byte) error
	UseToken(ctx context.Context, token string, k store.Key) error
}

// Options are the rules besides the operator.
type Options struct {
	// AutoAccept accepts every key: for a closed laboratory only.
	AutoAccept bool
	// Autosign are globs of ids whose keys are accepted, Autoreject of those that are refused.
	Autosign, Autoreject []string
	// Fingers are accepted fingerprints by id.
	Fingers map[string]string
	// MaxPending bounds how many keys may wait for an operator.
	MaxPending int
}

// Keys is the service. Safe for concurrent use.
type Keys struct {
	store Store
	o     Options
	fire  func(tag string, data *ordered.Map)

	mu     sync.Mutex
	byID   map[string][]store.Key
	logins map[[32]byte]time.Time
}

// New reads the keys. fire is called for each event that the service has to tell.
func New(ctx context.Context, s Store, o Options, fire func(tag string, data *ordered.Map)) (*Keys, error) {
	if o.MaxPending == 0 {
		o.MaxPending = 10_000
	}
	k := &Keys{store: s, o: o, fire: fire, byID: map[string][]store.Key{}, logins: map[[32]byte]time.Time{}}
	list, err := s.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range list {
		k.byID[key.ID] = append(k.byID[key.ID], key)
	}
	return k, nil
}

// Accepted returns the accepted key of an id, nil when there is none.
func (k *Keys) Accepted(id string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range k.byID[id] {
		if key.State == store.KeyAccepted {
			return key.Public
		}
	}
	return nil
}

// IDs lists the ids that have a key in one of the states, sorted.
func (k *Keys) IDs(states ...store.KeyState) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for id, list := range k.byID {
		if slices.ContainsFunc(list, func(key store.Key) bool { return slices.Contains(states, key.State) }) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// List returns the keys in a state, sorted by id.
func (k *Keys) List(state store.KeyState) []store.Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []store.Key
	for _, list := range k.byID {
		for _, key := range list {
			if key.State == state {
				out = append(out, key)
			}
		}
	}
	slices.SortFunc(out, func(a, b store.Key) int {
		return strings.Compare(a.ID+"\x00"+string(a.Public), b.ID+"\x00"+string(b.Public))
	})
	return out
}

// loginMemory is how long a broker login is remembered, so that it is not used twice.
const (
	loginMemory = 24 * time.Hour
	maxLogins   = 100_000
)

// Login decides whether a client of the embedded broker may connect as id: it must prove a key, and when the id has an
// accepted key it must be that one. A key that nobody knows yet may connect to be listed.
func (k *Keys) Login(id string, password []byte) error {
	l, err := proto.ParseLogin(id, password)
	if err != nil {
		return err
	}
	if err := k.once(sha256.Sum256(password)); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range k.byID[id] {
		same := bytes.Equal(key.Public, l.Public)
		switch {
		case key.State == store.KeyAccepted && !same:
			k.fireAuth(id, l.Public, "denied", false)
			return fmt.Errorf("another key is accepted for %s", id)
		case same && (key.State == store.KeyRejected || key.State == store.KeyDenied):
			return fmt.Errorf("the key of %s is %s", id, key.State)
		}
	}
	return nil
}

// once refuses a login that was used before.
func (k *Keys) once(sum [32]byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if _, used := k.logins[sum]; used {
		return errors.New("this login was used before")
	}
	if len(k.logins) >= maxLogins {
		for s, at := range k.logins {
			if now.Sub(at) > loginMemory || len(k.logins) >= maxLogins {
				delete(k.logins, s)
			}
		}
	}
	k.logins[sum] = now
	return nil
}

// Decide gives the verdict on a key that a minion offers, and remembers the key when it is new.
func (k *Keys) Decide(ctx context.Context, h *proto.Hello) (proto.Verdict, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var known *store.Key
	for i, key := range k.byID[h.ID] {
		if bytes.Equal(key.Public, h.Public) {
			known = &k.byID[h.ID][i]
		} else if key.State == store.KeyAccepted {
			return k.deny(ctx, h)
		}
	}
	if known != nil && known.State != store.KeyPending {
		return k.settled(h, known.State), nil
	}
	if state, why := k.rule(h); state != "" {
		return k.byRule(ctx, h, state, why)
	}
	if h.Token != "" {
		key := store.Key{ID: h.ID, Public: h.Public, State: store.KeyAccepted, Since: time.Now(), Note: "join token"}
		if err := k.store.UseToken(ctx, h.Token, key); err == nil {
			k.put(key)
			k.fireAuth(h.ID, h.Public, "accept", true)
			return proto.Accepted, nil
		} else if !errors.Is(err, store.ErrToken) {
			return proto.Pending, err
		}
	}
	if known != nil {
		k.fireAuth(h.ID, h.Public, "pend", true)
		return proto.Pending, nil
	}
	return k.pend(ctx, h)
}

func (k *Keys) settled(h *proto.Hello, state store.KeyState) proto.Verdict {
	switch state {
	case store.KeyAccepted:
		k.fireAuth(h.ID, h.Public, "accept", true)
		return proto.Accepted
	case store.KeyRejected:
		k.fireAuth(h.ID, h.Public, "reject", false)
		return proto.Rejected
	default:
		k.fireAuth(h.ID, h.Public, "denied", false)
		return proto.Denied
	}
}

// rule says what the configuration decides about a new key, "" for nothing.
func (k *Keys) rule(h *proto.Hello) (store.KeyState, string) {
	hit := func(globs []string) bool {
		return slices.ContainsFunc(globs, func(g string) bool { return fnmatch.Match(g, h.ID) })
	}
	switch {
	case hit(k.o.Autoreject):
		return store.KeyRejected, "autoreject"
	case k.o.AutoAccept:
		return store.KeyAccepted, "auto_accept"
	case hit(k.o.Autosign):
		return store.KeyAccepted, "autosign"
	case proto.SameFinger(k.o.Fingers[h.ID], proto.Finger(h.Public)):
		return store.KeyAccepted, "configured fingerprint"
	}
	return "", ""
}

func (k *Keys) byRule(ctx context.Context, h *proto.Hello, state store.KeyState, why string) (proto.Verdict, error) {
	key := store.Key{ID: h.ID, Public: h.Public, State: state, Since: time.Now(), Note: why}
	if err := k.store.PutKey(ctx, key); err != nil {
		return proto.Pending, err
	}
	k.put(key)
	return k.settled(h, state), nil
}

func (k *Keys) pend(ctx context.Context, h *proto.Hello) (proto.Verdict, error) {
	n := 0
	for _, list := range k.byID {
		for _, key := range list {
			if key.State == store.KeyPending || key.State == store.KeyDenied {
				n++
			}
		}
	}
	if n >= k.o.MaxPending {
		k.fireAuth(h.ID, h.Public, "full", false)
		return proto.Rejected, nil
	}
	key := store.Key{ID: h.ID, Public: h.Public, State: store.KeyPending, Since: time.Now()}
	if err := k.store.PutKey(ctx, key); err != nil {
		return proto.Pending, err
	}
	k.put(key)
	k.fireAuth(h.ID, h.Public, "pend", true)
	return proto.Pending, nil
}

// deny notes a second key for an id that has an accepted one.
func (k *Keys) deny(ctx context.Context, h *proto.Hello) (proto.Verdict, error) {
	k.fireAuth(h.ID, h.Public, "denied", false)
	for _, key := range k.byID[h.ID] {
		if bytes.Equal(key.Public, h.Public) && key.State == store.KeyDenied {
			return proto.Denied, nil
		}
	}
	if len(k.byID[h.ID]) >= maxPerID {
		return proto.Denied, nil
	}
	key := store.Key{ID: h.ID, Public: h.Public, State: store.KeyDenied, Since: time.Now()}
	if err := k.store.PutKey(ctx, key); err != nil {
		return proto.Denied, err
	}
	k.put(key)
	return proto.Denied, nil
}

// maxPerID bounds how many keys are kept for one id.
const maxPerID = 5

// put stores a key in memory; the lock is held.
func (k *Keys) put(key store.Key) {
	list := k.byID[key.ID]
	for i := range list {
		if bytes.Equal(list[i].Public, key.Public) {
			list[i] = key
			return
		}
	}
	k.byID[key.ID] = append(list, key)
}

func (k *Keys) fireAuth(id string, public []byte, act string, result bool) {
	k.fire("salt/auth", ordered.Pairs("result", result, "act", act, "id", id, "pub", proto.PublicPEM(public)))
}
