package proto

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"golang.org/x/crypto/nacl/box"
)

// Envelope is what stands inside a sealed frame.
type Envelope struct {
	// Aud is the id of the minion that the message is to or from.
	Aud  string `msgpack:"aud"`
	Type Type   `msgpack:"t"`
	// Issued and Expires are Unix milliseconds by the master's clock; a minion adds what its own differs. 0 never expires.
	Issued  int64              `msgpack:"iat"`
	Expires int64              `msgpack:"exp,omitempty"`
	JID     string             `msgpack:"jid,omitempty"`
	Attempt int                `msgpack:"att,omitempty"`
	Body    msgpack.RawMessage `msgpack:"b"`
	// Seq numbers the messages of one session and direction, from 1: with the session it is the message id.
	Seq uint64 `msgpack:"-"`
}

type direction byte

const (
	fromMaster direction = 1
	fromMinion direction = 2
)

// Session seals and opens messages between one minion and one master. Both sides number their messages; a number seen
// before, or too old to tell, is refused, so nothing can be replayed. Safe for concurrent use.
type Session struct {
	// Challenge is what the minion must give back in its Ready.
	Challenge []byte

	id   [8]byte
	peer string
	key  [32]byte
	send direction

	mu     sync.Mutex
	next   uint64
	top    uint64
	window [windowWords]uint64 // bit i: number top-i was seen
}

// windowWords is the size of the replay window in 64-bit words: brokers may overtake messages, by far less than this.
const windowWords = 16

func newSession(peer string, peerKey []byte, private *[32]byte, minionKey []byte, send direction) *Session {
	s := &Session{peer: peer, send: send}
	var pub [32]byte
	copy(pub[:], peerKey)
	box.Precompute(&s.key, &pub, private)
	sum := sha256.Sum256(minionKey)
	copy(s.id[:], sum[:])
	return s
}

// ID tells sessions apart; it stands in clear in each frame.
func (s *Session) ID() [8]byte { return s.id }

// SessionID reads the session of a sealed frame.
func SessionID(frame []byte) (id [8]byte, ok bool) {
	if !IsSealed(frame) || len(frame) < headerLen {
		return id, false
	}
	copy(id[:], frame[2:10])
	return id, true
}

// headerLen: version, form, session id, sequence number.
const headerLen = 2 + 8 + 8

// Errors of Open besides ErrBadFrame.
var (
	ErrReplay  = errors.New("seen before")
	ErrExpired = errors.New("expired")
)

// Seal makes the frame of a message. Body is encoded already; Seq and Aud are filled in.
func (s *Session) Seal(e Envelope) ([]byte, error) {
	e.Aud = s.peer
	if e.Issued == 0 {
		e.Issued = time.Now().UnixMilli()
	}
	plain, err := Encode(e)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.next++
	seq := s.next
	s.mu.Unlock()
	frame := make([]byte, headerLen, headerLen+len(plain)+box.Overhead)
	frame[0], frame[1] = Version, formSealed
	copy(frame[2:], s.id[:])
	binary.BigEndian.PutUint64(frame[10:], seq)
	nonce := nonceOf(s.send, seq)
	return box.SealAfterPrecomputation(frame, plain, &nonce, &s.key), nil
}

// nonceOf never repeats under one key: each direction has its own byte, and a number is used once.
func nonceOf(d direction, seq uint64) (n [24]byte) {
	n[0] = byte(d)
	binary.BigEndian.PutUint64(n[16:], seq)
	return n
}

// Open reads a frame of the other side at the time now (by the master's clock).
func (s *Session) Open(frame []byte, now time.Time) (*Envelope, error) {
	if !IsSealed(frame) || len(frame) < headerLen+box.Overhead {
		return nil, fmt.Errorf("%w: not a sealed frame of version %d", ErrBadFrame, Version)
	}
	if [8]byte(frame[2:10]) != s.id {
		return nil, fmt.Errorf("%w: another session", ErrBadFrame)
	}
	seq := binary.BigEndian.Uint64(frame[10:headerLen])
	nonce := nonceOf(fromMaster+fromMinion-s.send, seq)
	plain, ok := box.OpenAfterPrecomputation(nil, frame[headerLen:], &nonce, &s.key)
	if !ok {
		return nil, fmt.Errorf("%w: the seal is broken", ErrBadFrame)
	}
	var e Envelope
	if err := Decode(plain, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadFrame, err)
	}
	switch {
	case e.Aud != s.peer:
		return nil, fmt.Errorf("%w: meant for %q", ErrBadFrame, e.Aud)
	case !s.first(seq):
		return nil, fmt.Errorf("message %d: %w", seq, ErrReplay)
	case e.Expires > 0 && now.UnixMilli() > e.Expires:
		return nil, fmt.Errorf("message %d: %w at %s", seq, ErrExpired, time.UnixMilli(e.Expires).UTC().Format(time.RFC3339))
	}
	e.Seq = seq
	return &e, nil
}

// first tells whether a number is new, and remembers it.
func (s *Session) first(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq == 0 {
		return false
	}
	if seq > s.top {
		s.shift(seq - s.top)
		s.top = seq
		s.window[0] |= 1
		return true
	}
	age := s.top - seq
	if age >= windowWords*64 {
		return false
	}
	bit := uint64(1) << (age % 64)
	if s.window[age/64]&bit != 0 {
		return false
	}
	s.window[age/64] |= bit
	return true
}

func (s *Session) shift(n uint64) {
	words, bits := n/64, n%64
	for i := windowWords - 1; i >= 0; i-- {
		var v uint64
		if j := i - int(min(words, windowWords)); j >= 0 {
			v = s.window[j] << bits
			if bits > 0 && j > 0 {
				v |= s.window[j-1] >> (64 - bits)
			}
		}
		s.window[i] = v
	}
}
