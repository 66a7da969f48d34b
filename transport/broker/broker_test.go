package broker

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"brine/proto"
	"brine/transport"
	"brine/transport/mqtt"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/eclipse/paho%2emqtt%2egolang.(*client).startCommsWorkers.func2"),
	)
}

var topics = proto.Topics{Prefix: "brine"}

func start(t *testing.T, o Options) *Broker {
	t.Helper()
	o.Topics = topics
	if o.Listeners == nil {
		o.Listeners = []Listener{{Addr: "127.0.0.1:0"}}
	}
	b, err := New(o)
	require.NoError(t, err)
	run(t, b.Run)
	return b
}

func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			assert.ErrorIs(t, err, context.Canceled)
		case <-time.After(10 * time.Second):
			t.Error("Run did not return")
		}
	})
}

// client connects as id and collects what it hears.
type client struct {
	*mqtt.Conn
	up   chan struct{}
	down chan error
	in   chan transport.Message
}

func dial(t *testing.T, url, id string, h transport.Handlers, tc *tls.Config) *client {
	t.Helper()
	c := &client{up: make(chan struct{}, 10), down: make(chan error, 100), in: make(chan transport.Message, 100)}
	h.Up = func() { c.up <- struct{}{} }
	h.Down = func(err error) { c.down <- err }
	h.Message = func(m transport.Message) { c.in <- m }
	conn, err := mqtt.New(mqtt.Config{
		URL: url, ClientID: id, Login: func() (string, string, error) { return id, "x", nil }, TLS: tc,
		MinDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond,
	}, h)
	require.NoError(t, err)
	c.Conn = conn
	run(t, conn.Run)
	return c
}

func get[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("no %s in time", what)
		panic("unreachable")
	}
}

func TestMessagesAndWill(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	heard := make(chan transport.Message, 10)
	up := make(chan struct{})
	master := b.Conn(transport.Handlers{
		Filters: []string{topics.AllUp(), topics.AllStates()},
		Message: func(m transport.Message) { heard <- m }, Up: func() { close(up) },
	})
	run(t, master.Run)
	get(t, up, "inline connection")

	c := dial(t, "mqtt://"+b.Addrs()[0], "web1", transport.Handlers{
		Filters: []string{topics.Down("web1"), topics.All()},
		Will: func() (transport.Message, error) {
			return transport.Message{Topic: topics.State("web1"), Payload: []byte("gone"), Retained: true}, nil
		},
	}, nil)
	get(t, c.up, "connection")
	require.NoError(t, master.Publish(t.Context(), transport.Message{Topic: topics.Down("web1"), Payload: []byte("hi")}))
	assert.Equal(t, "hi", string(get(t, c.in, "message").Payload))
	require.NoError(t, c.Publish(t.Context(), transport.Message{Topic: topics.Up("web1"), Payload: []byte("back")}))
	assert.Equal(t, "back", string(get(t, heard, "answer").Payload))

	b.Kick("web1")
	m := get(t, heard, "will")
	assert.Equal(t, topics.State("web1"), m.Topic)
	get(t, c.down, "end of the connection")
	get(t, c.up, "second connection")
}

func TestAccessControl(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Login: func(id, _ string, _ []byte) error {
		if id == "bad" {
			return errors.New("no")
		}
		return nil
	}})
	heard := make(chan transport.Message, 10)
	master := b.Conn(transport.Handlers{Filters: []string{"#"}, Message: func(m transport.Message) {
		if !strings.HasPrefix(m.Topic, "$SYS") {
			heard <- m
		}
	}})
	run(t, master.Run)
	url := "mqtt://" + b.Addrs()[0]

	refused := dial(t, url, "bad", transport.Handlers{}, nil)
	require.ErrorIs(t, get(t, refused.down, "refusal"), transport.ErrRefused)
	for _, id := range []string{"../x", "#", "+/a", "a b"} {
		c := dial(t, url, id, transport.Handlers{}, nil)
		require.ErrorIs(t, get(t, c.down, "refusal of "+id), transport.ErrRefused)
	}
	willful := dial(t, url, "evil", transport.Handlers{Will: func() (transport.Message, error) {
		return transport.Message{Topic: topics.State("web1"), Payload: []byte("x")}, nil
	}}, nil)
	require.ErrorIs(t, get(t, willful.down, "refusal of the will"), transport.ErrRefused)

	for _, filter := range []string{"#", "brine/#", topics.Down("web2"), topics.AllUp(), "brine/d/+", "$SYS/#", topics.State("web1")} {
		c := dial(t, url, "web1", transport.Handlers{Filters: []string{filter}}, nil)
		require.ErrorContains(t, get(t, c.down, "refusal of "+filter), "subscribe")
		require.Empty(t, c.up)
	}
	spy := dial(t, url, "spy", transport.Handlers{Filters: []string{topics.Down("spy")}}, nil)
	get(t, spy.up, "connection")
	for _, topic := range []string{topics.Up("web1"), topics.Down("web1"), topics.All(), topics.State("web1"), "other"} {
		require.NoError(t, spy.Publish(t.Context(), transport.Message{Topic: topic, Payload: []byte("x")}))
	}
	require.NoError(t, spy.Publish(t.Context(), transport.Message{Topic: topics.Up("spy"), Payload: []byte("own")}))
	m := get(t, heard, "its own message")
	assert.Equal(t, topics.Up("spy"), m.Topic, "nothing spoken for others may arrive")
	assert.GreaterOrEqual(t, b.Stats().Denied, int64(5))
	assert.GreaterOrEqual(t, b.Stats().Refused, int64(6))
}

// TestStuckSubscriber floods a client that stops reading and watches that another one is served meanwhile.
func TestStuckSubscriber(t *testing.T) {
	t.Parallel()
	b := start(t, Options{WriteDeadline: 500 * time.Millisecond})
	master := b.Conn(transport.Handlers{})
	run(t, master.Run)
	url := "mqtt://" + b.Addrs()[0]
	good := dial(t, url, "good", transport.Handlers{Filters: []string{topics.Down("good")}}, nil)
	get(t, good.up, "connection")

	stuck := rawConnect(t, b.Addrs()[0], "stuck")
	_, err := stuck.Write([]byte{0x82, byte(2 + 2 + len(topics.Down("stuck")) + 1), 0, 1, 0, byte(len(topics.Down("stuck")))})
	require.NoError(t, err)
	_, err = stuck.Write(append([]byte(topics.Down("stuck")), 0))
	require.NoError(t, err)
	ack := make([]byte, 5)
	_, err = bufio.NewReader(stuck).Read(ack)
	require.NoError(t, err)

	big := make([]byte, 64<<10)
	for i := range 2000 {
		begin := time.Now()
		require.NoError(t, master.Publish(t.Context(), transport.Message{Topic: topics.Down("stuck"), Payload: big}))
		if i%20 == 0 {
			require.NoError(t, master.Publish(t.Context(), transport.Message{Topic: topics.Down("good"), Payload: []byte("x")}))
			get(t, good.in, "message while another client is stuck")
		}
		require.Less(t, time.Since(begin), 5*time.Second)
	}
	assert.Positive(t, b.Stats().Dropped)
	require.Eventually(t, func() bool { return b.Stats().Connected == 1 }, 10*time.Second, 20*time.Millisecond, "the stuck client must be dropped")
}

// rawConnect speaks just enough MQTT to be connected.
func rawConnect(t *testing.T, addr, id string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	body := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0x82, 0, 0}
	for _, s := range []string{id, id} {
		body = append(append(body, 0, byte(len(s))), s...)
	}
	_, err = c.Write(append([]byte{0x10, byte(len(body))}, body...))
	require.NoError(t, err)
	ack := make([]byte, 4)
	_, err = c.Read(ack)
	require.NoError(t, err)
	require.Equal(t, []byte{0x20, 2, 0, 0}, ack)
	return c
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	good := dial(t, "mqtt://"+b.Addrs()[0], "good", transport.Handlers{Filters: []string{topics.Down("good")}}, nil)
	get(t, good.up, "connection")
	for _, garbage := range [][]byte{
		{0x10, 0xff, 0xff, 0xff, 0x7f},                // a CONNECT of 256 MiB
		{0x30, 0x05, 0, 1, 'a', 'b', 'c'},             // PUBLISH before CONNECT
		{0x10, 0x02, 0xff, 0xff},                      // cut short
		[]byte("GET / HTTP/1.1\r\n\r\n"), {0}, {0xff}, // not MQTT
	} {
		c, err := net.Dial("tcp", b.Addrs()[0])
		require.NoError(t, err)
		_, _ = c.Write(garbage)
		_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
		_, err = c.Read(make([]byte, 16))
		require.Error(t, err)
		_ = c.Close()
	}
	c := rawConnect(t, b.Addrs()[0], "big")
	_, _ = c.Write([]byte{0x30, 0xff, 0xff, 0x7f}) // a PUBLISH of 2 MiB
	_, err := c.Read(make([]byte, 16))
	require.Error(t, err)
	require.NoError(t, b.Conn(transport.Handlers{}).Publish(t.Context(), transport.Message{Topic: topics.Down("good"), Payload: []byte("x")}))
	get(t, good.in, "message after the garbage")
}

func TestTLSAndWebsocket(t *testing.T) {
	t.Parallel()
	cert, pool := selfSigned(t)
	b := start(t, Options{Listeners: []Listener{
		{Addr: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{cert}}},
		{Addr: "127.0.0.1:0", Websocket: true},
		{Addr: "127.0.0.1:0", Websocket: true, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}},
	}})
	a := b.Addrs()
	tc := &tls.Config{RootCAs: pool, ServerName: "master"}
	for i, url := range []string{"mqtts://" + a[0], "ws://" + a[1] + "/mqtt", "wss://" + a[2] + "/mqtt"} {
		id := string(rune('a' + i))
		c := dial(t, url, id, transport.Handlers{Filters: []string{topics.Down(id)}}, tc)
		get(t, c.up, url)
		payload := strings.Repeat("x", 100_000)
		require.NoError(t, b.Conn(transport.Handlers{}).Publish(t.Context(), transport.Message{Topic: topics.Down(id), Payload: []byte(payload)}))
		assert.Len(t, get(t, c.in, url).Payload, len(payload))
	}
	// An unknown authority is refused, at the second try as at the first.
	c := dial(t, "mqtts://"+a[0], "z", transport.Handlers{}, &tls.Config{ServerName: "master", RootCAs: x509.NewCertPool()})
	for range 2 {
		require.ErrorContains(t, get(t, c.down, "refusal"), "certificate")
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "master"}, DNSNames: []string{"master"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	sock, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer sock.Close()
	_, err = New(Options{Topics: topics, Listeners: []Listener{{Addr: "127.0.0.1:0"}, {Addr: sock.Addr().String()}}})
	require.ErrorContains(t, err, "address already in use")
}
