// Package rpc is the small protocol of the local sockets: a connection carries one call, answered by any number of
// results and an end. Frames are a 4-byte big-endian length and msgpack. Closing the connection cancels the call.
package rpc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"go.uber.org/zap"

	"brine/internal/unixsock"
	"brine/proto"
)

// maxFrame bounds one frame, in bytes.
const maxFrame = 80 << 20

// Error is a failure that the server tells the client. Code is for programs, "" when there is nothing to tell apart.
type Error struct {
	Code string `msgpack:"code"`
	Msg  string `msgpack:"msg"`
}

func (e *Error) Error() string { return e.Msg }

// ErrCode returns the code of an Error in err's chain, "" when there is none.
func ErrCode(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

type call struct {
	Method string             `msgpack:"m"`
	Body   msgpack.RawMessage `msgpack:"b"`
}

type answer struct {
	Body msgpack.RawMessage `msgpack:"b,omitempty"`
	End  bool               `msgpack:"end,omitempty"`
	Err  *Error             `msgpack:"err,omitempty"`
}

func writeFrame(w io.Writer, v any) error {
	b, err := proto.Encode(v)
	if err != nil {
		return err
	}
	if len(b) > maxFrame {
		return fmt.Errorf("a frame of %d bytes, at most %d", len(b), maxFrame)
	}
	head := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	_, err = w.Write(append(head, b...))
	return err
}

func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return fmt.Errorf("a frame of %d bytes, at most %d", n, maxFrame)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	return proto.Decode(b, v)
}

// Caller is who calls: the user and process at the other end of the socket.
type Caller struct{ UID, PID int }

// Reply sends one result to the client.
type Reply func(v any) error

// Method serves one kind of call. Read the arguments with Decode. ctx ends when the client goes away.
type Method func(ctx context.Context, c Caller, body Body, reply Reply) error

// Body are the encoded arguments of a call.
type Body []byte

// Decode reads the arguments into v.
func (b Body) Decode(v any) error {
	if len(b) == 0 {
		return nil
	}
	return proto.Decode(b, v)
}

// Server answers calls on a unix socket. Only root and the user that the server runs as are let in.
type Server struct {
	Methods map[string]Method
	Log     *zap.Logger
}

// Serve answers until ctx ends, then waits for the calls under way.
func (s *Server) Serve(ctx context.Context, l *net.UnixListener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("local socket: %w", err)
		}
		calls.Go(func() {
			defer c.Close()
			s.serve(ctx, c)
		})
	}
}

// callTime is how long a client may take to say what it wants.
const callTime = 10 * time.Second

func (s *Server) serve(ctx context.Context, c net.Conn) {
	uid, pid, err := unixsock.Peer(c)
	if err != nil || uid != 0 && uid != os.Getuid() {
		_ = writeFrame(c, answer{End: true, Err: &Error{Code: "denied", Msg: "only root and the user that runs this process may use its socket"}})
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(callTime))
	var req call
	if err := readFrame(c, &req); err != nil {
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := make(chan struct{})
	go func() { // a client says nothing more: the end of its stream means that it is gone
		defer close(gone)
		_, _ = io.Copy(io.Discard, c)
		cancel()
	}()
	err = s.dispatch(ctx, Caller{UID: uid, PID: pid}, &req, c)
	end := answer{End: true}
	if err != nil {
		end.Err = &Error{Code: ErrCode(err), Msg: err.Error()}
	}
	_ = c.SetWriteDeadline(time.Now().Add(callTime))
	_ = writeFrame(c, end)
	_ = c.Close()
	<-gone
}

func (s *Server) dispatch(ctx context.Context, who Caller, req *call, c net.Conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("a call panicked", zap.String("method", req.Method), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("internal error in %s: %v", req.Method, p)
		}
	}()
	m := s.Methods[req.Method]
	if m == nil {
		return &Error{Code: "method", Msg: fmt.Sprintf("this process does not know %q: is it of another version?", req.Method)}
	}
	w := newCoalescer(c)
	defer func() { err = errors.Join(err, w.close()) }()
	return m(ctx, who, Body(req.Body), func(v any) error {
		b, err := proto.Encode(v)
		if err != nil {
			return err
		}
		return w.frame(answer{Body: b})
	})
}

// coalescer writes frames as they come, but those that come while a write is under way together: a flood of small
// results costs few system calls, a single one does not wait.
type coalescer struct {
	w    io.Writer
	wake chan struct{}
	done chan struct{}

	mu   sync.Mutex
	room sync.Cond // on mu: the writer took what was waiting
	buf  bytes.Buffer
	err  error
	end  bool
}

// maxBuffered is how much may wait for a slow client before the server waits for it.
const maxBuffered = 1 << 20

func newCoalescer(w io.Writer) *coalescer {
	c := &coalescer{w: w, wake: make(chan struct{}, 1), done: make(chan struct{})}
	c.room.L = &c.mu
	go c.run()
	return c
}

func (c *coalescer) frame(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.buf.Len() > maxBuffered && c.err == nil {
		c.room.Wait()
	}
	if c.err != nil {
		return c.err
	}
	err := writeFrame(&c.buf, v)
	c.poke()
	return err
}

func (c *coalescer) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *coalescer) run() {
	defer close(c.done)
	for range c.wake {
		c.mu.Lock()
		data, end := bytes.Clone(c.buf.Bytes()), c.end
		c.buf.Reset()
		c.mu.Unlock()
		_, err := c.w.Write(data)
		c.mu.Lock()
		c.err = errors.Join(c.err, err)
		c.room.Broadcast()
		c.mu.Unlock()
		if end || err != nil {
			return
		}
	}
}

// close writes what is left and waits for it.
func (c *coalescer) close() error {
	c.mu.Lock()
	c.end = true
	c.mu.Unlock()
	c.poke()
	<-c.done
	return c.err
}

// Call makes a call on the socket at path and hands each result to each. It returns the server's error as *Error.
func Call(ctx context.Context, path, method string, args any, each func(Body) error) error {
	c, err := unixsock.Dial(ctx, path)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	body, err := proto.Encode(args)
	if err != nil {
		return err
	}
	if err := writeFrame(c, call{Method: method, Body: body}); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		var a answer
		if err := readFrame(r, &a); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("the connection broke off: %w", err)
		}
		if a.End {
			if a.Err != nil {
				return a.Err
			}
			return nil
		}
		if err := each(Body(a.Body)); err != nil {
			return err
		}
	}
}

// One makes a call whose only result goes into out; nil drops it.
func One(ctx context.Context, path, method string, args, out any) error {
	return Call(ctx, path, method, args, func(b Body) error {
		if out == nil {
			return nil
		}
		return b.Decode(out)
	})
}
