// Package mqtt connects to an MQTT 3.1.1 broker over TCP, TLS or websockets with the paho client
// (https://github.com/eclipse/paho.mqtt.golang). Sessions are clean and messages QoS 0 unless configured: delivery is
// our own affair, end to end.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"brine/internal/backoff"
	"brine/transport"
)

// Config says where and as whom to connect.
type Config struct {
	// URL is mqtt://host[:1883], mqtts://host[:8883], ws:// or wss:// with a path. A user and password in it are used
	// when Login is nil.
	URL      string
	ClientID string
	// Login gives user and password, asked at each connect; nil takes those of the URL.
	Login func() (user, password string, err error)
	// TLS is for mqtts and wss; nil takes the system's roots.
	TLS *tls.Config
	// QoS is 0 or 1, for publications and subscriptions.
	QoS byte
	// KeepAlive is the interval of pings; zero is 30 s. A dead connection is noticed after one and a half.
	KeepAlive time.Duration
	// MinDelay and MaxDelay bound the jittered delay between attempts; zeros are 1 s and 1 minute.
	MinDelay, MaxDelay time.Duration
	// MaxPacket is the largest payload that the broker takes; zero is no limit.
	MaxPacket int
}

const (
	connectTimeout = 15 * time.Second
	writeTimeout   = 10 * time.Second
	refusedFactor  = 4 // a refused login waits longer than a network fault
	quiesce        = 50
)

// Conn is one client of a broker.
type Conn struct {
	cfg   Config
	h     transport.Handlers
	reset chan struct{}

	mu     sync.Mutex
	client paho.Client
}

var _ transport.Conn = (*Conn)(nil)

// New checks the configuration; Run connects.
func New(cfg Config, h transport.Handlers) (*Conn, error) {
	u, err := ParseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Login == nil && u.User != nil {
		user := u.User.Username()
		password, _ := u.User.Password()
		cfg.Login = func() (string, string, error) { return user, password, nil }
	}
	u.User = nil
	cfg.URL = u.String()
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = 30 * time.Second
	}
	if cfg.MinDelay == 0 {
		cfg.MinDelay = time.Second
	}
	if cfg.MaxDelay == 0 {
		cfg.MaxDelay = time.Minute
	}
	return &Conn{cfg: cfg, h: h, reset: make(chan struct{}, 1)}, nil
}

// ParseURL reads a broker's address; a missing port is the scheme's own.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("broker address: %w", err)
	}
	port := map[string]string{"mqtt": "1883", "tcp": "1883", "mqtts": "8883", "ssl": "8883", "tls": "8883", "ws": "80", "wss": "443"}[u.Scheme]
	if port == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("broker address %q: want mqtt://HOST[:PORT], mqtts://, ws:// or wss://", text)
	}
	if u.Port() == "" {
		u.Host += ":" + port
	}
	switch u.Scheme {
	case "tcp":
		u.Scheme = "mqtt"
	case "ssl", "tls":
		u.Scheme = "mqtts"
	}
	return u, nil
}

// Publish implements transport.Conn.
func (c *Conn) Publish(ctx context.Context, m transport.Message) error {
	if c.cfg.MaxPacket > 0 && len(m.Payload) > c.cfg.MaxPacket {
		return fmt.Errorf("%w: %d bytes, at most %d", transport.ErrTooLarge, len(m.Payload), c.cfg.MaxPacket)
	}
	c.mu.Lock()
	client := c.client
	c.mu.Unlock()
	if client == nil || !client.IsConnectionOpen() {
		return transport.ErrDown
	}
	token := client.Publish(m.Topic, c.cfg.QoS, m.Retained, m.Payload)
	if c.cfg.QoS > 0 {
		return token.Error() // what matters is acknowledged end to end, so nobody waits for the broker
	}
	return wait(ctx, token)
}

func wait(ctx context.Context, t paho.Token) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return fmt.Errorf("%w: no answer from the client in time", transport.ErrDown)
	}
}

// Reset implements transport.Conn.
func (c *Conn) Reset() {
	select {
	case c.reset <- struct{}{}:
	default:
	}
}

// Run implements transport.Conn.
func (c *Conn) Run(ctx context.Context) error {
	delay := backoff.Backoff{Base: c.cfg.MinDelay, Cap: c.cfg.MaxDelay}
	for {
		up, err := c.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if up {
			delay.Reset()
		}
		if c.h.Down != nil {
			c.h.Down(err)
		}
		if errors.Is(err, errReset) {
			continue
		}
		factor := 1
		if errors.Is(err, transport.ErrRefused) {
			factor = refusedFactor
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.reset: // somebody knows better, such as a network that came back
		case <-time.After(delay.NextTimes(factor)):
		}
	}
}

var errReset = errors.New("a new connection was asked for")

// once makes one connection and stays until it ends.
func (c *Conn) once(ctx context.Context) (up bool, err error) {
	lost := make(chan error, 1)
	o, err := c.options(lost)
	if err != nil {
		return false, err
	}
	client := paho.NewClient(o)
	defer client.Disconnect(quiesce)
	if err := waitConnect(ctx, client.Connect()); err != nil {
		return false, err
	}
	if err := c.subscribe(ctx, client); err != nil {
		return false, err
	}
	c.set(client)
	defer c.set(nil)
	select {
	case <-c.reset: // asked for before this connection was made
	default:
	}
	if c.h.Up != nil {
		c.h.Up()
	}
	select {
	case <-ctx.Done():
		return true, ctx.Err()
	case <-c.reset:
		return true, errReset
	case err := <-lost:
		return true, fmt.Errorf("connection to %s lost: %w", c.cfg.URL, err)
	}
}

func (c *Conn) set(client paho.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client = client
}

func (c *Conn) options(lost chan<- error) (*paho.ClientOptions, error) {
	o := paho.NewClientOptions()
	o.AddBroker(pahoURL(c.cfg.URL)).SetClientID(c.cfg.ClientID).SetProtocolVersion(4).SetCleanSession(true)
	o.SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true)
	o.SetKeepAlive(c.cfg.KeepAlive).SetPingTimeout(max(c.cfg.KeepAlive/2, time.Second))
	o.SetConnectTimeout(connectTimeout).SetWriteTimeout(writeTimeout)
	if c.cfg.TLS != nil {
		o.SetTLSConfig(c.cfg.TLS.Clone())
	}
	if c.cfg.Login != nil {
		user, password, err := c.cfg.Login()
		if err != nil {
			return nil, err
		}
		o.SetUsername(user).SetPassword(password)
	}
	if c.h.Will != nil {
		m, err := c.h.Will()
		if err != nil {
			return nil, err
		}
		o.SetBinaryWill(m.Topic, m.Payload, c.cfg.QoS, m.Retained)
	}
	o.SetConnectionLostHandler(func(_ paho.Client, err error) {
		select {
		case lost <- err:
		default:
		}
	})
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		if c.h.Message != nil {
			c.h.Message(transport.Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained()})
		}
	})
	return o, nil
}

// pahoURL uses the scheme names that every version of paho knows.
func pahoURL(text string) string {
	if rest, ok := strings.CutPrefix(text, "mqtts://"); ok {
		return "ssl://" + rest
	}
	if rest, ok := strings.CutPrefix(text, "mqtt://"); ok {
		return "tcp://" + rest
	}
	return text
}

func waitConnect(ctx context.Context, t paho.Token) error {
	select {
	case <-t.Done():
	case <-ctx.Done():
		return ctx.Err()
	}
	err := t.Error()
	for _, refused := range []error{packets.ErrorRefusedBadUsernameOrPassword, packets.ErrorRefusedNotAuthorised, packets.ErrorRefusedIDRejected} {
		if errors.Is(err, refused) {
			return fmt.Errorf("%w: %w", transport.ErrRefused, err)
		}
	}
	return err
}

// refusedSubscription is the SUBACK code of MQTT 3.1.1 section 3.9.3.
const refusedSubscription = 0x80

func (c *Conn) subscribe(ctx context.Context, client paho.Client) error {
	if len(c.h.Filters) == 0 {
		return nil
	}
	filters := make(map[string]byte, len(c.h.Filters))
	for _, f := range c.h.Filters {
		filters[f] = c.cfg.QoS
	}
	token := client.SubscribeMultiple(filters, nil)
	if err := wait(ctx, token); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if t, ok := token.(*paho.SubscribeToken); ok {
		for filter, code := range t.Result() {
			if code == refusedSubscription {
				return fmt.Errorf("%w: it does not let %s subscribe to %s: see its access control list", transport.ErrRefused, c.cfg.ClientID, filter)
			}
		}
	}
	return nil
}
