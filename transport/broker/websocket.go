package broker

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// websocketListener serves MQTT over websockets (MQTT 3.1.1 section 6) on a listener of ours, so that its connections
// have the same guards as the others.
type websocketListener struct {
	id     string
	sock   net.Listener
	server *http.Server
	up     websocket.Upgrader
	estab  listeners.EstablishFn
	once   sync.Once
}

func newWebsocket(id string, sock net.Listener) *websocketListener {
	l := &websocketListener{id: id, sock: sock}
	// Devices send no Origin header. A browser page of another site does, and is refused.
	l.up = websocket.Upgrader{Subprotocols: []string{"mqtt"}, ReadBufferSize: 2048, WriteBufferSize: 2048}
	l.server = &http.Server{Handler: http.HandlerFunc(l.serve), ReadHeaderTimeout: connectTime}
	return l
}

func (l *websocketListener) ID() string              { return l.id }
func (l *websocketListener) Address() string         { return l.sock.Addr().String() }
func (l *websocketListener) Protocol() string        { return "ws" }
func (l *websocketListener) Init(*slog.Logger) error { return nil }
func (l *websocketListener) Close(closeClients listeners.CloseFn) {
	l.once.Do(func() {
		_ = l.server.Close()
		closeClients(l.id)
	})
}

// Serve implements listeners.Listener.
func (l *websocketListener) Serve(establish listeners.EstablishFn) {
	l.estab = establish
	_ = l.server.Serve(l.sock) // returns when Close is called
}

func (l *websocketListener) serve(w http.ResponseWriter, r *http.Request) {
	c, err := l.up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer func() { _ = c.Close() }()
	_ = l.estab(l.id, &messageConn{Conn: c.NetConn(), ws: c})
}

// messageConn reads and writes MQTT as binary websocket messages.
type messageConn struct {
	net.Conn
	ws   *websocket.Conn
	part io.Reader

	write sync.Mutex
}

var errText = errors.New("MQTT travels in binary messages")

// Read implements net.Conn. A message may hold part of a packet, or several.
func (c *messageConn) Read(p []byte) (int, error) {
	for {
		if c.part == nil {
			kind, r, err := c.ws.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errText
			}
			c.part = r
		}
		n, err := c.part.Read(p)
		if errors.Is(err, io.EOF) {
			c.part, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *messageConn) Write(p []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline implements net.Conn.
func (c *messageConn) SetDeadline(t time.Time) error { return c.Conn.SetReadDeadline(t) }
