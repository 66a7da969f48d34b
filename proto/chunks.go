package proto

import (
	"errors"
	"fmt"
	"sync"
)

// Chunk is one part of a body that is too long for one message.
type Chunk struct {
	Message uint64 `msgpack:"m"` // which body, unique in its session and direction
	Type    Type   `msgpack:"t"` // of the whole
	Index   int    `msgpack:"i"`
	Count   int    `msgpack:"n"`
	Size    int    `msgpack:"size"` // of the whole body
	Data    []byte `msgpack:"d"`
}

// SealBody seals a body of any size up to MaxBody: one frame, or several of TypeChunk.
func (s *Session) SealBody(e Envelope) ([][]byte, error) {
	if len(e.Body) <= MaxInline {
		f, err := s.Seal(e)
		return [][]byte{f}, err
	}
	if len(e.Body) > MaxBody {
		return nil, fmt.Errorf("a message of %d bytes: at most %d", len(e.Body), MaxBody)
	}
	s.mu.Lock()
	s.next++ // a number of its own names the body
	message := s.next
	s.mu.Unlock()
	count := (len(e.Body) + MaxInline - 1) / MaxInline
	frames := make([][]byte, 0, count)
	for i := range count {
		part := e.Body[i*MaxInline : min((i+1)*MaxInline, len(e.Body))]
		body, err := Encode(Chunk{Message: message, Type: e.Type, Index: i, Count: count, Size: len(e.Body), Data: part})
		if err != nil {
			return nil, err
		}
		c := e
		c.Type, c.Body = TypeChunk, body
		f, err := s.Seal(c)
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// Assembler puts chunks together again. It keeps at most two bodies under way and forgets the oldest. Safe for
// concurrent use.
type Assembler struct {
	mu    sync.Mutex
	parts []*partial
}

type partial struct {
	message uint64
	typ     Type
	chunks  [][]byte
	missing int
	size    int
}

// maxPartial bounds the bodies under way: a sender has one, and one that it gave up.
const maxPartial = 2

var errChunk = errors.New("bad chunk")

// Add takes one TypeChunk envelope and returns the whole message when it was the last part, else nil.
func (a *Assembler) Add(e *Envelope) (*Envelope, error) {
	var c Chunk
	if err := Decode(e.Body, &c); err != nil {
		return nil, err
	}
	want := (c.Size + MaxInline - 1) / MaxInline
	switch {
	case c.Size <= 0 || c.Size > MaxBody, c.Count != want, c.Index < 0 || c.Index >= c.Count:
		return nil, fmt.Errorf("%w: part %d of %d of a body of %d bytes", errChunk, c.Index, c.Count, c.Size)
	case len(c.Data) != min(MaxInline, c.Size-c.Index*MaxInline):
		return nil, fmt.Errorf("%w: part %d has %d bytes", errChunk, c.Index, len(c.Data))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.find(&c)
	if p.typ != c.Type || len(p.chunks) != c.Count || p.size != c.Size {
		return nil, fmt.Errorf("%w: parts of one body disagree", errChunk)
	}
	if p.chunks[c.Index] == nil {
		p.chunks[c.Index] = c.Data
		p.missing--
	}
	if p.missing > 0 {
		return nil, nil
	}
	a.drop(p)
	whole := *e
	whole.Type, whole.Body = p.typ, make([]byte, 0, p.size)
	for _, part := range p.chunks {
		whole.Body = append(whole.Body, part...)
	}
	return &whole, nil
}

func (a *Assembler) find(c *Chunk) *partial {
	for _, p := range a.parts {
		if p.message == c.Message {
			return p
		}
	}
	if len(a.parts) >= maxPartial {
		a.parts = a.parts[1:]
	}
	p := &partial{message: c.Message, typ: c.Type, chunks: make([][]byte, c.Count), missing: c.Count, size: c.Size}
	a.parts = append(a.parts, p)
	return p
}

func (a *Assembler) drop(p *partial) {
	for i, q := range a.parts {
		if q == p {
			a.parts = append(a.parts[:i], a.parts[i+1:]...)
			return
		}
	}
}
