package returners

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"brine/internal/ordered"
	"brine/internal/pyfmt"
)

// published puts results on a broker, one topic a function.
type published struct {
	opts   *mqtt.ClientOptions
	topic  string
	qos    byte
	retain bool

	mu     sync.Mutex
	client mqtt.Client
}

const mqttTime = 15 * time.Second

func newMQTT(c conf) (Returner, error) {
	addr := c.text("url", "")
	if addr == "" {
		addr = "tcp://" + c.text("host", "localhost") + ":" + c.text("port", "1883")
	}
	addr = strings.Replace(strings.Replace(addr, "mqtts://", "ssl://", 1), "mqtt://", "tcp://", 1)
	o := mqtt.NewClientOptions().AddBroker(addr).SetClientID(c.text("client_id", "")).SetAutoReconnect(false).SetConnectTimeout(mqttTime).SetWriteTimeout(mqttTime)
	o.SetUsername(c.text("username", "")).SetPassword(c.text("password", "")).SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12})
	p := &published{opts: o, topic: c.text("topic", ""), retain: c.text("retain", "False") == "True"}
	switch c.text("qos", "0") {
	case "0":
	case "1":
		p.qos = 1
	default:
		return nil, errors.New("returner mqtt: qos: want 0 or 1")
	}
	return p, nil
}

// Return implements Returner. The topic is the configured one, or the parts of the function's name.
func (p *published) Return(ctx context.Context, ret *ordered.Map) error {
	topic := p.topic
	if topic == "" {
		topic = strings.NewReplacer(".", "/", "#", "_", "+", "_").Replace(pyfmt.Str(ret.Value("fun")))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil || !p.client.IsConnectionOpen() {
		client := mqtt.NewClient(p.opts)
		if err := wait(ctx, client.Connect()); err != nil {
			client.Disconnect(0)
			return fmt.Errorf("broker: %w", err)
		}
		p.client = client
	}
	if err := wait(ctx, p.client.Publish(topic, p.qos, p.retain, stamped(ret))); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

func wait(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(mqttTime):
		return errors.New("it does not answer")
	}
}

// Close implements Returner.
func (p *published) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		p.client.Disconnect(250)
	}
	return nil
}
