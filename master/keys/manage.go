package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"brine/internal/fnmatch"
	"brine/internal/ordered"
	"brine/master/store"
)

// States are all states in the order of Salt's listings.
func States() []store.KeyState {
	return []store.KeyState{store.KeyAccepted, store.KeyDenied, store.KeyPending, store.KeyRejected}
}

// Match returns the keys in the given states whose id matches: a glob, or ids and globs separated by commas.
func (k *Keys) Match(match string, states ...store.KeyState) []store.Key {
	globs := strings.Split(match, ",")
	var out []store.Key
	for _, s := range states {
		for _, key := range k.List(s) {
			if slices.ContainsFunc(globs, func(g string) bool { return fnmatch.Match(strings.TrimSpace(g), key.ID) }) {
				out = append(out, key)
			}
		}
	}
	return out
}

// Accept makes keys the accepted ones of their ids. A key whose id has another accepted key is refused: delete that one
// first.
func (k *Keys) Accept(ctx context.Context, list []store.Key) error {
	for _, key := range list {
		if have := k.Accepted(key.ID); have != nil && !bytes.Equal(have, key.Public) {
			return fmt.Errorf("%s has another accepted key: delete it first, if the new one is right", key.ID)
		}
		if err := k.set(ctx, key, store.KeyAccepted, "accept"); err != nil {
			return err
		}
	}
	return nil
}

// Reject refuses keys for good.
func (k *Keys) Reject(ctx context.Context, list []store.Key) error {
	for _, key := range list {
		if err := k.set(ctx, key, store.KeyRejected, "reject"); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keys) set(ctx context.Context, key store.Key, state store.KeyState, act string) error {
	key.State, key.Since, key.Note = state, time.Now(), "operator"
	if err := k.store.PutKey(ctx, key); err != nil {
		return err
	}
	k.mu.Lock()
	k.put(key)
	k.mu.Unlock()
	k.fire("salt/key", ordered.Pairs("result", true, "act", act, "id", key.ID))
	return nil
}

// Delete forgets keys.
func (k *Keys) Delete(ctx context.Context, list []store.Key) error {
	for _, key := range list {
		if err := k.store.DeleteKey(ctx, key.ID, key.Public); err != nil {
			return err
		}
		k.mu.Lock()
		k.byID[key.ID] = slices.DeleteFunc(k.byID[key.ID], func(o store.Key) bool { return bytes.Equal(o.Public, key.Public) })
		if len(k.byID[key.ID]) == 0 {
			delete(k.byID, key.ID)
		}
		k.mu.Unlock()
		k.fire("salt/key", ordered.Pairs("result", true, "act", "delete", "id", key.ID))
	}
	return nil
}

// NewToken makes the text of a join token.
func NewToken() (string, error) {
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return hex.EncodeToString(b), nil
}
