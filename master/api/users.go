package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/pyregex"
	"brine/master/store"
)

// Docs is where users and sessions are kept.
type Docs interface {
	PutDoc(ctx context.Context, kind, key string, v any) error
	Doc(ctx context.Context, kind, key string) (any, error)
	DeleteDoc(ctx context.Context, kind, key string) error
	Docs(ctx context.Context, kind, prefix string, limit int) ([]store.Document, error)
}

const (
	kindUser    = "user"
	kindSession = "session" // by the hash of the token
)

// Role is what a user may do.
type Role string

// The roles. A viewer looks; an operator does what concerns minions; an admin everything.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// Session is somebody who has logged in.
type Session struct {
	Token, User, Eauth string
	Role               Role
	// Perms are Salt's permissions, for a user that has some in the place of a role; nil otherwise.
	Perms         []any
	Start, Expire time.Time
}

// Users keeps users and sessions. Safe for concurrent use.
type Users struct {
	docs Docs
	life time.Duration

	mu     sync.Mutex
	failed map[string]failure // by name: logins that went wrong

	links sync.Mutex // held while a login link is used up
}

type failure struct {
	count int
	last  time.Time
}

// NewUsers makes the service; sessions live so long.
func NewUsers(docs Docs, life time.Duration) *Users {
	return &Users{docs: docs, life: life, failed: map[string]failure{}}
}

// Cost of argon2id (RFC 9106, the second recommended option, with less memory): about 50 ms.
const (
	argonTime, argonMemory, argonThreads, argonKey, saltLen = 3, 32 << 10, 2, 32, 16
)

func hashed(password string, salt []byte) string {
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", argonMemory, argonTime, argonThreads, base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// Add makes a user, or gives one another password and role.
func (u *Users) Add(ctx context.Context, name, password string, role Role, perms []any) error {
	if name == "" || strings.ContainsAny(name, " \n\x00") {
		return fmt.Errorf("%q is not the name of a user", name)
	}
	if len(password) < 10 {
		return errors.New("a password needs at least 10 characters")
	}
	if !slices.Contains([]Role{Viewer, Operator, Admin}, role) {
		return fmt.Errorf("%q is none of the roles viewer, operator, admin", role)
	}
	doc := ordered.Pairs("name", name, "hash", hashed(password, random(saltLen)), "role", string(role), "since", time.Now().UTC().Format(time.RFC3339))
	if perms != nil {
		doc.Set("perms", perms)
	}
	return u.docs.PutDoc(ctx, kindUser, name, doc)
}

// Delete removes a user and ends its sessions.
func (u *Users) Delete(ctx context.Context, name string) error {
	if err := u.docs.DeleteDoc(ctx, kindUser, name); err != nil {
		return err
	}
	all, err := u.docs.Docs(ctx, kindSession, "", 0)
	if err != nil {
		return err
	}
	for _, d := range all {
		if m, ok := d.Body.(*ordered.Map); ok && m.String("user") == name {
			if err := u.docs.DeleteDoc(ctx, kindSession, d.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// List lists the users, without their hashes.
func (u *Users) List(ctx context.Context) ([]any, error) {
	all, err := u.docs.Docs(ctx, kindUser, "", 0)
	out := []any{}
	for _, d := range all {
		if m, ok := d.Body.(*ordered.Map); ok {
			m = m.Clone()
			m.Delete("hash")
			out = append(out, m)
		}
	}
	slices.Reverse(out)
	return out, err
}

// ErrLogin is the one answer to every login that does not go through.
var ErrLogin = errors.New("Could not authenticate using provided credentials")

// failLimit is how many wrong passwords a name may have before each further one has to wait, longer each time.
const failLimit = 5

// Login opens a session. It takes the same time whether the name is known or not.
func (u *Users) Login(ctx context.Context, name, password, eauth string) (*Session, error) {
	if wait := u.throttle(name); wait > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	v, err := u.docs.Doc(ctx, kindUser, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	doc, _ := v.(*ordered.Map)
	want := doc.String("hash")
	if want == "" {
		want = hashed("no such user", make([]byte, saltLen))
	}
	parts := strings.Split(want, "$")
	salt, err := base64.RawStdEncoding.DecodeString(parts[len(parts)-2])
	if err != nil {
		return nil, err
	}
	ok := subtle.ConstantTimeCompare([]byte(hashed(password, salt)), []byte(want)) == 1 && doc != nil
	u.note(name, ok)
	if !ok {
		return nil, ErrLogin
	}
	return u.open(ctx, doc, eauth)
}

func (u *Users) open(ctx context.Context, user *ordered.Map, eauth string) (*Session, error) {
	s := &Session{Token: hex.EncodeToString(random(20)), User: user.String("name"), Eauth: eauth, Role: Role(user.String("role")), Perms: user.List("perms"), Start: time.Now(), Expire: time.Now().Add(u.life)}
	return s, u.docs.PutDoc(ctx, kindSession, digest(s.Token), ordered.Pairs("user", s.User, "eauth", eauth, "start", s.Start.UnixMicro(), "expire", s.Expire.UnixMicro()))
}

func (u *Users) throttle(name string) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	f := u.failed[name]
	if f.count < failLimit || time.Since(f.last) > 15*time.Minute {
		return 0
	}
	return min(time.Duration(f.count-failLimit+1)*time.Second, 10*time.Second)
}

func (u *Users) note(name string, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.failed) > 10_000 {
		clear(u.failed) // names that are made up must not fill the memory
	}
	if ok {
		delete(u.failed, name)
		return
	}
	u.failed[name] = failure{u.failed[name].count + 1, time.Now()}
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Session finds the session of a token; nil when there is none, or none any more.
func (u *Users) Session(ctx context.Context, token string) *Session {
	if b, err := hex.DecodeString(token); err != nil || len(b) != 20 {
		return nil
	}
	v, err := u.docs.Doc(ctx, kindSession, digest(token))
	m, ok := v.(*ordered.Map)
	if err != nil || !ok {
		return nil
	}
	at := func(key string) time.Time { n, _ := m.Value(key).(int64); return time.UnixMicro(n) }
	s := &Session{Token: token, User: m.String("user"), Eauth: m.String("eauth"), Start: at("start"), Expire: at("expire")}
	if time.Now().After(s.Expire) {
		_ = u.docs.DeleteDoc(ctx, kindSession, digest(token)) // it counts for nothing any more
		return nil
	}
	v, err = u.docs.Doc(ctx, kindUser, s.User)
	user, ok := v.(*ordered.Map)
	if err != nil || !ok {
		return nil
	}
	s.Role, s.Perms = Role(user.String("role")), user.List("perms")
	return s
}

// Logout ends a session.
func (u *Users) Logout(ctx context.Context, token string) error {
	return u.docs.DeleteDoc(ctx, kindSession, digest(token))
}

// Permissions are what the answer to a login shows, in Salt's form.
func (s *Session) Permissions() []any {
	switch {
	case s.Perms != nil:
		return s.Perms
	case s.Role == Viewer:
		return []any{"@jobs", "@runner", "grains.*", "sys.*", "test.*"}
	}
	return []any{".*", "@jobs", "@runner", "@wheel"}
}

// looks are the functions that only look: what a viewer may call.
func looks(client, fun string) bool {
	var patterns []string
	switch client {
	case "runner":
		patterns = []string{`jobs\..*`, `manage\..*`, `event\.(list|count)`, `cache\.(grains|mine)`, `test\.arg`, `doc\..*`, `config\..*`, `release\.(list|show|key|devices|runs|run|summary)`, `reactor\.list`}
	case "wheel":
		patterns = []string{`key\.(list|list_all|list_match|name_match|finger|print)`, `config\.values`, `minions\.connected`}
	default:
		patterns = []string{`test\.(ping|version|versions|versions_report|echo|providers)`, `grains\.(items|item|get|ls|has_value|fetch)`, `sys\..*`, `saltutil\.(running|find_job|is_running)`,
			`status\..*`, `disk\.(usage|percent|inodeusage)`, `network\.(interfaces|ip_addrs|ipaddrs|ip_addrs6|hw_addr|routes|default_route|subnets)`, `pkg\.(list_pkgs|version)`,
			`service\.(status|available|enabled|get_all)`, `schedule\.list`, `beacons\.list`, `power\.status`, `minionutil\.master_status`}
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return full(p, fun) })
}

// full matches a whole function name against a permission, a regular expression.
func full(pattern, fun string) bool {
	re, err := pyregex.Compile("(?:"+pattern+`)\Z`, 0)
	if err != nil {
		return false
	}
	m, err := re.Search(fun)
	if err != nil || m == nil {
		return false
	}
	start, _ := m.Span(0)
	return start == 0
}

// May tells whether the user may call a function of a client (local, runner or wheel) on these minions. covered finds the
// minions of a target among them.
func (s *Session) May(client, fun string, minions []string, covered func(tgt string) []string) bool {
	switch {
	case fun == "saltutil.find_job" && client == "local":
		return true
	case client == "runner" && (strings.HasPrefix(fun, "user.") || strings.HasPrefix(fun, "audit.")): // who may do what is for admins
		return s.Role == Admin && s.Perms == nil
	}
	if s.Perms == nil {
		return s.Role == Admin || s.Role == Operator || s.Role == Viewer && looks(client, fun)
	}
	left := slices.Clone(minions)
	for _, p := range s.Perms {
		switch t := p.(type) {
		case string:
			if client == "local" && !strings.HasPrefix(t, "@") && full(t, fun) || t == "@"+client || t == "@jobs" && client == "runner" && strings.HasPrefix(fun, "jobs.") {
				return true
			}
		case *ordered.Map:
			for k, v := range t.All() {
				tgt := ordered.KeyText(k)
				hit := slices.ContainsFunc(texts(v), func(p string) bool { return full(p, fun) })
				if hit && tgt == "@"+client {
					return true
				}
				if hit && client == "local" && !strings.HasPrefix(tgt, "@") {
					ok := covered(tgt)
					left = slices.DeleteFunc(left, func(id string) bool { return slices.Contains(ok, id) })
				}
			}
		}
	}
	return client == "local" && len(minions) > 0 && len(left) == 0
}

func texts(v any) []string {
	l, ok := v.([]any)
	if !ok {
		return []string{pyfmt.Str(v)}
	}
	out := make([]string, len(l))
	for i, e := range l {
		out[i] = pyfmt.Str(e)
	}
	return out
}
