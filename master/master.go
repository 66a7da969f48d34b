// Package master is the master: it keeps the keys of its fleet, publishes jobs, stores what comes back and tells whoever
// listens. New puts the services together, Run works until its context ends.
package master

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"brine/event"
	"brine/internal/metrics"
	"brine/internal/ordered"
	"brine/internal/pyfmt"
	"brine/internal/rpc"
	"brine/internal/selfca"
	"brine/internal/unixsock"
	"brine/internal/version"
	"brine/master/api"
	"brine/master/files"
	"brine/master/jobs"
	"brine/master/keys"
	"brine/master/link"
	"brine/master/mine"
	"brine/master/presence"
	"brine/master/release"
	"brine/master/runners"
	"brine/master/store"
	"brine/modules"
	"brine/proto"
	"brine/reactor/reaction"
	"brine/transport"
	"brine/transport/broker"
	"brine/transport/mqtt"
)

// Master is one master.
type Master struct {
	o        *Options
	log      *zap.Logger
	bus      *event.Bus
	store    *store.Store
	identity *proto.Identity
	keys     *keys.Keys
	presence *presence.Presence
	link     *link.Link
	jobs     *jobs.Manager
	files    *files.Service
	mine     *mine.Mine
	pillars  *pillars
	releases *release.Service
	users    *api.Users
	broker   *broker.Broker // nil with an outside one
	conn     transport.Conn
	socket   *net.UnixListener
	runners  *modules.Registry
	wheels   *modules.Registry
	reactor  *reaction.Reactor
	cleanups []func()
}

// New makes a master from its configuration. Nothing stays open after an error.
func New(ctx context.Context, o *Options, log *zap.Logger) (_ *Master, err error) {
	m := &Master{o: o, log: log, bus: &event.Bus{}}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	if m.identity, err = proto.LoadIdentity(o.PKIDir, "master"); err != nil {
		return nil, err
	}
	if m.socket, err = unixsock.Listen(o.SocketPath()); err != nil {
		return nil, fmt.Errorf("control socket: %w: is another master running with this configuration?", err)
	}
	m.onClose(func() { _ = m.socket.Close(); _ = os.Remove(o.SocketPath()) })
	if m.store, err = store.Open(ctx, filepath.Join(o.StateDir, "brine.db")); err != nil {
		return nil, err
	}
	m.onClose(func() {
		if err := m.store.Close(); err != nil {
			log.Error("close the store", zap.Error(err))
		}
	})
	if err = m.services(ctx); err != nil {
		return nil, err
	}
	if err = m.connect(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Master) onClose(f func()) { m.cleanups = append(m.cleanups, f) }

// close undoes what New has done, the last first.
func (m *Master) close() {
	for i := len(m.cleanups) - 1; i >= 0; i-- {
		m.cleanups[i]()
	}
	m.cleanups = nil
}

func (m *Master) services(ctx context.Context) (err error) {
	rules, err := m.keyRules()
	if err != nil {
		return err
	}
	if m.keys, err = keys.New(ctx, m.store, rules, m.fireKey); err != nil {
		return err
	}
	interval := m.o.Interval
	if !m.o.Presence {
		interval = 0
	}
	if m.presence, err = presence.New(ctx, m.store, m.bus, interval, m.log); err != nil {
		return err
	}
	m.link, err = link.New(link.Options{
		Identity: m.identity, Topics: proto.Topics{Prefix: m.o.Prefix}, Spread: m.o.Spread, Wait: m.o.Broker == "embedded", Log: m.log,
	}, m.keys, m)
	if err != nil {
		return err
	}
	m.jobs, err = jobs.New(ctx, jobs.Options{StartWithin: m.o.Timeout + m.o.Gather, Log: m.log}, m.store, m.link, m, m.bus)
	if err != nil {
		return err
	}
	last, err := m.store.LastJID(ctx)
	if err != nil {
		return err
	}
	m.jobs.Seen(last)
	m.files = &files.Service{Roots: m.fileRoots()}
	if m.pillars, err = newPillars(m); err != nil {
		return err
	}
	m.users = api.NewUsers(m.store, m.o.APISession)
	if err = m.makeReleases(); err != nil {
		return err
	}
	m.mine = &mine.Mine{Docs: m.store, Matches: func(ctx context.Context, tgt any, tgtType string) ([]string, error) {
		ids, _, err := m.Resolve(ctx, &jobs.Request{Tgt: tgt, TgtType: tgtType})
		return ids, err
	}}
	deps := m.runnerDeps()
	if m.runners, err = modules.NewRegistry(append(runners.Runners(deps), m.releases.Runner(), m.userRunner(), m.auditRunner())...); err != nil {
		return err
	}
	if m.wheels, err = modules.NewRegistry(runners.Wheels(deps)...); err != nil {
		return err
	}
	return m.makeReactor(ctx)
}

func (m *Master) keyRules() (keys.Options, error) {
	r := keys.Options{AutoAccept: m.o.AutoAccept, Fingers: map[string]string{}}
	var err error
	if r.Autosign, err = patterns(m.o.Autosign); err != nil {
		return r, fmt.Errorf("option autosign_file: %w", err)
	}
	if r.Autoreject, err = patterns(m.o.Autoreject); err != nil {
		return r, fmt.Errorf("option autoreject_file: %w", err)
	}
	for id, finger := range m.o.MinionKeys.All() {
		r.Fingers[pyfmt.Str(id)] = pyfmt.Str(finger)
	}
	return r, nil
}

// connect makes the broker, or the connection to an outside one.
func (m *Master) connect() (err error) {
	if m.o.Broker == "embedded" {
		if err := m.embedded(); err != nil {
			return err
		}
		m.conn = m.broker.Conn(m.link.Handlers())
	} else {
		tlsConfig, err := m.outsideTLS()
		if err != nil {
			return err
		}
		m.conn, err = mqtt.New(mqtt.Config{
			URL: m.o.Broker, ClientID: m.o.ID, QoS: byte(m.o.QoS), TLS: tlsConfig, MaxPacket: proto.MaxPacket,
		}, m.link.Handlers())
		if err != nil {
			return err
		}
	}
	m.link.SetConn(m.conn)
	return nil
}

func (m *Master) outsideTLS() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.o.BrokerCA == "" {
		return c, nil
	}
	text, err := os.ReadFile(m.o.BrokerCA)
	if err != nil {
		return nil, fmt.Errorf("option broker_ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("option broker_ca: %s holds no PEM certificate", m.o.BrokerCA)
	}
	return c, nil
}

func (m *Master) embedded() error {
	var cert *tls.Config
	addr := func(port int) string { return net.JoinHostPort(m.o.Interface, strconv.Itoa(port)) }
	var list []broker.Listener
	if m.o.BrokerPort != 0 {
		list = append(list, broker.Listener{Addr: addr(max(m.o.BrokerPort, 0))})
	}
	if m.o.BrokerTLS != 0 {
		c, err := m.serverCert()
		if err != nil {
			return err
		}
		cert = &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}
		list = append(list, broker.Listener{Addr: addr(max(m.o.BrokerTLS, 0)), TLS: cert})
	}
	if m.o.BrokerWS != 0 {
		list = append(list, broker.Listener{Addr: addr(max(m.o.BrokerWS, 0)), Websocket: true, TLS: cert})
	}
	b, err := broker.New(broker.Options{
		Listeners: list, Topics: proto.Topics{Prefix: m.o.Prefix}, MaxClients: m.o.MaxClients, MaxPacket: m.o.MaxPacket, MaxQueued: m.o.MaxQueued,
		WriteDeadline: time.Duration(m.o.WriteTime) * time.Second,
		Login:         func(id, _ string, password []byte) error { return m.keys.Login(id, password) },
	})
	m.broker = b
	return err
}

// serverCert is the configured certificate, or one of the master's own authority for the names that it goes by.
func (m *Master) serverCert() (tls.Certificate, error) {
	if m.o.BrokerCert != "" {
		c, err := tls.LoadX509KeyPair(m.o.BrokerCert, m.o.BrokerKey)
		if err != nil {
			return c, fmt.Errorf("option broker_tls_cert: %w", err)
		}
		return c, nil
	}
	names := []string{"localhost", "127.0.0.1", "::1", "salt"}
	if host, err := os.Hostname(); err == nil {
		names = append(names, host)
	}
	if ip := net.ParseIP(m.o.Interface); ip != nil && !ip.IsUnspecified() {
		names = append(names, m.o.Interface)
	}
	return selfca.Server(m.o.PKIDir, names)
}

// Addrs are the addresses of the embedded broker, in the order TCP, TLS, websocket; none with an outside broker.
func (m *Master) Addrs() []string {
	if m.broker == nil {
		return nil
	}
	return m.broker.Addrs()
}

// Finger is the fingerprint of the master's key, for the minions' option master_finger.
func (m *Master) Finger() string { return proto.Finger(m.identity.Public()) }

// Run works until ctx ends. The services end together; the store last, when nobody writes any more.
func (m *Master) Run(ctx context.Context) error {
	defer m.close()
	m.log.Info("master starts", zap.String("id", m.o.ID), zap.String("version", version.Version), zap.Strings("broker", m.Addrs()))
	g, gctx := errgroup.WithContext(ctx)
	if m.broker != nil {
		g.Go(func() error { return m.broker.Run(gctx) })
	}
	g.Go(func() error { return m.conn.Run(gctx) })
	g.Go(func() error { return m.link.Run(gctx) })
	g.Go(func() error { return m.jobs.Run(gctx) })
	g.Go(func() error { return m.presence.Run(gctx) })
	g.Go(func() error { return m.expire(gctx) })
	g.Go(func() error { return m.reactor.Run(gctx) })
	g.Go(func() error { return m.serveAPI(gctx) })
	g.Go(func() error { return metrics.Serve(gctx, m.o.Metrics, m.samples) })
	g.Go(func() error {
		return (&rpc.Server{Methods: m.methods(), Log: m.log}).Serve(gctx, m.socket)
	})
	if err := g.Wait(); ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// expire deletes what is older than it is to be kept.
func (m *Master) expire(ctx context.Context) error {
	before := func(keep time.Duration) time.Time {
		if keep <= 0 {
			return time.Time{}
		}
		return time.Now().Add(-keep)
	}
	tick := time.NewTicker(max(m.o.Interval, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if n, err := m.store.Expire(ctx, before(m.o.KeepJobs), before(m.o.KeepEvents)); err != nil && ctx.Err() == nil {
				m.log.Error("delete old jobs and events", zap.Error(err))
			} else if n > 0 {
				m.log.Debug("deleted old rows", zap.Int64("rows", n))
			}
		}
	}
}

// fire puts one of the master's own events into the store and onto the bus.
func (m *Master) fire(tag string, data *ordered.Map) {
	m.fireCaused(context.Background(), tag, data)
}

// fireCaused is fire for an event that reactions may have led to, as the context knows.
func (m *Master) fireCaused(ctx context.Context, tag string, data *ordered.Map) {
	now := time.Now()
	e := event.New(tag, data, now)
	e.Depth = event.DepthOf(ctx)
	m.store.AddEvent(store.Event{Tag: tag, Data: e.Data, Time: now, Received: now}, func(id int64, err error) {
		if err != nil {
			m.log.Error("store event", zap.String("tag", tag), zap.Error(err))
		}
		e.ID = id
		m.bus.Fire(e)
	})
}

func (m *Master) fireKey(tag string, data *ordered.Map) {
	if tag == "salt/auth" && !m.o.AuthEvents {
		return
	}
	m.fire(tag, data)
}
