package broker

import (
	"net"
	"time"
)

// guardListener hands out connections that look after their own deadlines.
type guardListener struct {
	net.Listener
	write, idle time.Duration
}

// Accept implements net.Listener.
func (l *guardListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	_ = c.SetReadDeadline(time.Now().Add(connectTime))
	return &guardConn{Conn: c, write: l.write, idle: l.idle}, nil
}

// guardConn gives every write a deadline of its own and never lets a read wait for ever. The server sets one deadline
// for both directions; it counts for reads only.
type guardConn struct {
	net.Conn
	write, idle time.Duration
}

// Write implements net.Conn.
func (c *guardConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.write)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Conn.Close() // half a packet is out: the stream is of no more use
	}
	return n, err
}

// SetDeadline implements net.Conn.
func (c *guardConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *guardConn) SetReadDeadline(t time.Time) error {
	if latest := time.Now().Add(2 * c.idle); t.IsZero() || t.After(latest) {
		t = latest
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn; Write sets its own.
func (c *guardConn) SetWriteDeadline(time.Time) error { return nil }
