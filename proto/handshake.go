package proto

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/nacl/box"
)

// The purposes of signed frames. A key signs each for its own purpose only, so a minion's signature never passes for a
// master's.
const (
	purposeHello   = "minion hello"
	purposeWelcome = "master welcome"
	purposeNotice  = "master notice"
	purposeState   = "minion state"
	purposeLogin   = "broker login"
)

// Hello is how a minion offers its key and asks for a session. It is readable by anyone and signed by the key in it,
// which proves possession; whether the key is accepted is the master's affair.
type Hello struct {
	ID      string `msgpack:"id"`
	Public  []byte `msgpack:"pub"`   // Ed25519
	Session []byte `msgpack:"x"`     // X25519, fresh for this session
	Nonce   []byte `msgpack:"nonce"` // 16 bytes, echoed by Welcome
	Issued  int64  `msgpack:"iat"`   // Unix milliseconds by the minion's clock, informative
	Epoch   int64  `msgpack:"epoch"` // start of the minion process, Unix milliseconds
	Conn    uint64 `msgpack:"conn"`  // counts the connections of this epoch, so that a late will is told apart
	Version int    `msgpack:"v"`
	// Token is a join token, when the minion has one: it may accept the key.
	Token string `msgpack:"token,omitempty"`
}

// Verdict is what the master thinks of an offered key.
type Verdict string

// The verdicts of a Welcome.
const (
	Accepted Verdict = "accepted"
	Pending  Verdict = "pending"  // wait for an operator
	Rejected Verdict = "rejected" // an operator refused the key
	Denied   Verdict = "denied"   // another key is accepted for this id
	OtherVer Verdict = "version"  // the two do not speak the same wire version
)

// Welcome answers a Hello. It is signed by the master and bound to the Hello by its nonce and session key.
type Welcome struct {
	ID        string  `msgpack:"id"`     // of the minion
	Master    []byte  `msgpack:"master"` // the master's Ed25519 key
	Session   []byte  `msgpack:"x"`      // the master's X25519 key
	Nonce     []byte  `msgpack:"nonce"`  // of the Hello
	Peer      []byte  `msgpack:"peer"`   // the session key of the Hello
	Challenge []byte  `msgpack:"challenge"`
	Verdict   Verdict `msgpack:"verdict"`
	Time      int64   `msgpack:"time"`  // the master's clock, Unix milliseconds
	Epoch     int64   `msgpack:"epoch"` // start of the master process
	Version   int     `msgpack:"v"`
	Retry     int64   `msgpack:"retry,omitempty"` // when to ask again, milliseconds
}

// Notice is a small message from the master to everyone.
type Notice struct {
	// What is "hello": every minion should make a new session, at a moment of its own within Spread milliseconds.
	What   string `msgpack:"what"`
	Spread int64  `msgpack:"spread"`
	Time   int64  `msgpack:"time"`
	Epoch  int64  `msgpack:"epoch"`
}

// State is the retained presence of a minion, and with Up false its last will.
type State struct {
	ID    string `msgpack:"id"`
	Epoch int64  `msgpack:"epoch"` // a will of an older epoch than the last session is ignored
	Conn  uint64 `msgpack:"conn"`  // counts the connections of an epoch
	Up    bool   `msgpack:"up"`
	// Until is when a minion that left on purpose means to be back, Unix milliseconds.
	Until int64 `msgpack:"until,omitempty"`
}

// frame bytes: the first is the wire version, the second the form.
const (
	formSigned = 's'
	formSealed = 'b'
)

type signed struct {
	Purpose string `msgpack:"p"`
	Body    []byte `msgpack:"b"`
	Sig     []byte `msgpack:"s"`
}

// ErrBadFrame is wrapped by every error about a frame that cannot be read or trusted.
var ErrBadFrame = errors.New("bad frame")

func sign(k *Identity, purpose string, body any) ([]byte, error) {
	b, err := Encode(body)
	if err != nil {
		return nil, err
	}
	return encodeSigned(signed{Purpose: purpose, Body: b, Sig: k.Sign(purpose, b)})
}

func encodeSigned(s signed) ([]byte, error) {
	b, err := Encode(s)
	if err != nil {
		return nil, err
	}
	return append([]byte{Version, formSigned}, b...), nil
}

// unsign reads a signed frame of one purpose. who returns the key that must have signed, given the body.
func unsign[T any](frame []byte, purpose string, who func(*T) ed25519.PublicKey) (*T, error) {
	if len(frame) < 2 || frame[0] != Version || frame[1] != formSigned {
		return nil, fmt.Errorf("%w: not a signed frame of version %d", ErrBadFrame, Version)
	}
	var s signed
	if err := Decode(frame[2:], &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
	}
	if s.Purpose != purpose {
		return nil, fmt.Errorf("%w: signed as %q, want %q", ErrBadFrame, s.Purpose, purpose)
	}
	body := new(T)
	if err := Decode(s.Body, body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
	}
	if !Verify(who(body), purpose, s.Body, s.Sig) {
		return nil, fmt.Errorf("%w: the signature of a %s does not verify", ErrBadFrame, purpose)
	}
	return body, nil
}

// IsSealed tells a sealed frame from a signed one.
func IsSealed(frame []byte) bool {
	return len(frame) > 2 && frame[0] == Version && frame[1] == formSealed
}

// SignedPurpose tells what a signed frame claims to be, without trusting it; "" when it is none.
func SignedPurpose(frame []byte) string {
	if len(frame) < 2 || frame[0] != Version || frame[1] != formSigned {
		return ""
	}
	var s signed
	if Decode(frame[2:], &s) != nil {
		return ""
	}
	return s.Purpose
}

// Offer is a minion's side of a handshake under way.
type Offer struct {
	hello   Hello
	private [32]byte
}

// NewOffer makes the Hello of a minion, as a frame, and what is needed to read the answer. Of h the caller sets ID,
// Epoch, Conn and Token.
func NewOffer(k *Identity, h Hello) (*Offer, []byte, error) {
	pub, priv, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a session key: %w", err)
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return nil, nil, fmt.Errorf("make a nonce: %w", err)
	}
	h.Public, h.Session, h.Nonce = k.Public(), pub[:], nonce
	h.Issued, h.Version = time.Now().UnixMilli(), Version
	o := &Offer{private: *priv, hello: h}
	frame, err := sign(k, purposeHello, h)
	return o, frame, err
}

// ParseHello reads a Hello and checks its signature, not whether its key is accepted.
func ParseHello(frame []byte) (*Hello, error) {
	h, err := unsign(frame, purposeHello, func(h *Hello) ed25519.PublicKey { return h.Public })
	if err != nil {
		return nil, err
	}
	if err := CheckID(h.ID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
	}
	if len(h.Session) != 32 || len(h.Nonce) != 16 {
		return nil, fmt.Errorf("%w: a hello without session key or nonce", ErrBadFrame)
	}
	return h, nil
}

// SealKey is the X25519 key pair that a master makes at start.
type SealKey struct{ public, private [32]byte }

// NewSealKey makes a fresh pair.
func NewSealKey() (*SealKey, error) {
	pub, priv, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a session key: %w", err)
	}
	return &SealKey{public: *pub, private: *priv}, nil
}

// Answer makes the Welcome to a Hello as a frame, and the session that it opens when w.Verdict is Accepted. Of w the
// caller sets Verdict, Epoch and Retry.
func (s *SealKey) Answer(k *Identity, h *Hello, w Welcome) (frame []byte, session *Session, err error) {
	w.Challenge = make([]byte, 16)
	if _, err := rand.Read(w.Challenge); err != nil {
		return nil, nil, fmt.Errorf("make a challenge: %w", err)
	}
	w.ID, w.Master, w.Session, w.Nonce, w.Peer = h.ID, k.Public(), s.public[:], h.Nonce, h.Session
	w.Time, w.Version = time.Now().UnixMilli(), Version
	if frame, err = sign(k, purposeWelcome, w); err != nil {
		return nil, nil, err
	}
	if w.Verdict != Accepted {
		return frame, nil, nil
	}
	session = newSession(h.ID, h.Session, &s.private, h.Session, fromMaster)
	session.Challenge = w.Challenge
	return frame, session, nil
}

// Finish reads the Welcome to this offer. pinned is the master's key when it is known already; nil trusts the first
// that answers. The session is nil unless the verdict is Accepted.
func (o *Offer) Finish(frame []byte, pinned ed25519.PublicKey) (*Welcome, *Session, error) {
	w, err := unsign(frame, purposeWelcome, func(w *Welcome) ed25519.PublicKey {
		if pinned != nil {
			return pinned
		}
		return w.Master
	})
	if err != nil {
		return nil, nil, err
	}
	switch {
	case w.ID != o.hello.ID, !bytes.Equal(w.Nonce, o.hello.Nonce), !bytes.Equal(w.Peer, o.hello.Session):
		return nil, nil, fmt.Errorf("%w: a welcome to another hello", ErrBadFrame)
	case len(w.Session) != 32 || len(w.Challenge) != 16:
		return nil, nil, fmt.Errorf("%w: a welcome without session key or challenge", ErrBadFrame)
	case w.Verdict != Accepted:
		return w, nil, nil
	}
	s := newSession(o.hello.ID, w.Session, &o.private, o.hello.Session, fromMinion)
	s.Challenge = w.Challenge
	return w, s, nil
}

// SignNotice makes the frame of a Notice.
func SignNotice(k *Identity, n Notice) ([]byte, error) { return sign(k, purposeNotice, n) }

// ParseNotice reads a Notice of the pinned master.
func ParseNotice(frame []byte, master ed25519.PublicKey) (*Notice, error) {
	return unsign(frame, purposeNotice, func(*Notice) ed25519.PublicKey { return master })
}

// SignState makes the frame of a State.
func SignState(k *Identity, s State) ([]byte, error) { return sign(k, purposeState, s) }

// ParseState reads a State signed by the accepted key of the minion.
func ParseState(frame []byte, minion ed25519.PublicKey) (*State, error) {
	return unsign(frame, purposeState, func(*State) ed25519.PublicKey { return minion })
}
