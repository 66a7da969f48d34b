// Package minion is the agent on a device: it connects to its master, runs jobs and answers them. New puts it together,
// Run works until its context ends.
package minion

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"brine/event"
	"brine/internal/metrics"
	"brine/internal/ordered"
	"brine/internal/rpc"
	"brine/internal/unixsock"
	"brine/internal/version"
	"brine/minion/beacons"
	"brine/minion/events"
	"brine/minion/exec"
	"brine/minion/facts"
	"brine/minion/files"
	"brine/minion/link"
	"brine/minion/mine"
	"brine/minion/pki"
	"brine/minion/returners"
	"brine/minion/schedule"
	"brine/minion/worker"
	"brine/proto"
	"brine/reactor"
	"brine/transport"
	"brine/transport/mqtt"
)

// Minion is one agent.
type Minion struct {
	o       *Options
	log     *zap.Logger
	runtime *exec.Runtime
	worker  *worker.Worker
	events  *events.Queue
	bus     *event.Bus
	link    *link.Link
	conn    transport.Conn
	socket  *net.UnixListener
	jids    proto.JIDs
	grains  *report
	device  *device
	reactor *reactor.Engine
	clock   *schedule.Scheduler
	returns *returners.Set
	beacons *beacons.Manager
	again   chan struct{} // automation is to be configured anew
}

// New makes a minion from its configuration. Nothing stays open after an error.
func New(o *Options, log *zap.Logger) (*Minion, error) {
	m := &Minion{o: o, log: log, bus: &event.Bus{}, grains: newReport()}
	identity, err := proto.LoadIdentity(o.PKIDir, "minion")
	if err != nil {
		return nil, err
	}
	pin, err := pki.OpenPin(o.PKIDir, o.MasterFinger)
	if err != nil {
		return nil, err
	}
	m.link = link.New(link.Options{
		ID: o.ID, Identity: identity, Topics: proto.Topics{Prefix: o.TopicPrefix}, Token: o.JoinToken, Retry: o.RetryMin, Log: log,
	}, pin, m)
	if m.events, err = events.Open(events.Options{
		ID: o.ID, Path: filepath.Join(o.CacheDir, "events.journal"), Send: m.link.Send, Log: log,
		MaxEvents: o.EventsMax, MaxBytes: o.EventsBytes, Policy: events.Policy(o.EventsFull),
	}, m.bus); err != nil {
		return nil, err
	}
	m.returns = returners.NewSet(returners.Options{Opts: o.All, Dir: o.CacheDir, Fire: m.events.Fire, Out: os.Stdout}, log)
	m.reactor, m.clock, m.beacons, m.again = m.newReactor(), m.newScheduler(), m.newBeacons(), make(chan struct{}, 1)
	if m.device, err = m.newDevice(); err != nil {
		return nil, err
	}
	if m.runtime, err = newRuntime(o, m.parts(), log); err != nil {
		return nil, err
	}
	m.runtime.Grains.(*facts.Facts).Changed = m.grains.set
	m.worker, err = worker.New(worker.Options{
		ID: o.ID, Journal: filepath.Join(o.CacheDir, "jobs.journal"), MaxJobs: o.MaxJobs, JobTimeout: o.JobTimeout, Match: m.match, Send: m.link.Send, Returned: m.returned, Log: log,
	}, m.runtime)
	if err != nil {
		return nil, err
	}
	m.worker.SetClock(m.link.Offset)
	if m.conn, err = m.connect(identity); err != nil {
		return nil, err
	}
	m.link.SetConn(m.conn)
	if m.socket, err = unixsock.Listen(o.SocketPath()); err != nil {
		return nil, fmt.Errorf("local socket: %w: is another minion running with this configuration?", err)
	}
	return m, nil
}

// parts are what jobs work with: the master's services, or those of this machine.
func (m *Minion) parts() parts {
	p := parts{events: m.events, pillar: remotePillar(m.o, m.link)}
	p.deps.Saltutil.Jobs = runningJobs{m}
	p.deps.Minionutil = m.utilDeps()
	p.deps.Power = m.device.power
	p.deps.State.Lock = &m.device.lock
	p.release = m.device.update.Record
	p.deps.Mine = mine.Master{Caller: m.link}
	p.deps.Reactor = m.reactor
	p.deps.Beacons = m.beacons
	s := scheduler{m.clock, m.o.ConfDir}
	p.deps.Schedule.Store, p.deps.Schedule.Clock = s, s
	if m.o.FileClient == "local" {
		p.local = newLocalPillar(m.o, m.log)
		p.files, p.pillar = newLocalFiles(m.o), p.local
	} else {
		p.files = &files.Remote{Master: m.link, Dir: filepath.Join(m.o.CacheDir, "files")}
	}
	p.pillar = watchedPillar{p.pillar, m.reconfigure}
	return p
}

// connect makes the connection to the broker; Run dials.
func (m *Minion) connect(identity *proto.Identity) (transport.Conn, error) {
	tlsConfig, err := m.o.tls()
	if err != nil {
		return nil, err
	}
	return mqtt.New(mqtt.Config{
		URL: m.o.BrokerURL(), ClientID: m.o.ID, QoS: byte(m.o.QoS), KeepAlive: m.o.Keepalive, MaxDelay: m.o.ReconnectMax, MaxPacket: proto.MaxPacket, TLS: tlsConfig,
		Login: func() (string, string, error) {
			if m.o.BrokerUser != "" {
				return m.o.BrokerUser, m.o.BrokerPass, nil
			}
			password, err := proto.NewLogin(identity, m.o.ID)
			return m.o.ID, password, err
		},
	}, m.link.Handlers())
}

// tls is the configuration for mqtts and wss: the system's authorities, or the one of broker_ca.
func (o *Options) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.BrokerCA == "" {
		return c, nil
	}
	text, err := os.ReadFile(o.BrokerCA)
	if err != nil {
		return nil, fmt.Errorf("option broker_ca: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("option broker_ca: %s holds no PEM certificate", o.BrokerCA)
	}
	return c, nil
}

// Run works until ctx ends. What is under way ends first, then the master is told, then the connection goes.
func (m *Minion) Run(ctx context.Context) error {
	m.log.Info("minion starts", zap.String("id", m.o.ID), zap.String("version", version.Version), zap.String("master", m.o.BrokerURL()))
	if err := m.device.recover(ctx); err != nil {
		return err
	}
	outer, closeConn := context.WithCancel(context.WithoutCancel(ctx))
	defer closeConn()
	connDone := make(chan struct{})
	go func() {
		defer close(connDone)
		_ = m.conn.Run(outer) // it ends with its context, and with nothing else
	}()
	g, gctx := errgroup.WithContext(ctx)
	m.configure(nil) // without the pillar, for which the master has to be asked
	m.reconfigure()
	g.Go(func() error { return m.configureAgain(gctx) })
	g.Go(func() error { return m.beacons.Run(gctx) })
	g.Go(func() error { return m.worker.Run(gctx) })
	g.Go(func() error { return m.reactor.Run(gctx) })
	g.Go(func() error { return m.clock.Run(gctx) })
	g.Go(func() error { return m.events.Run(gctx) })
	g.Go(func() error { return m.link.Run(gctx) })
	g.Go(func() error { return m.device.power.Run(gctx) })
	g.Go(func() error { return m.device.restarts(gctx) })
	g.Go(func() error { return m.startup(gctx) })
	g.Go(func() error { return m.grains.run(gctx, m.link) })
	g.Go(func() error { return metrics.Serve(gctx, m.o.MetricsAddr, m.samples) })
	g.Go(func() error {
		return (&rpc.Server{Methods: m.methods(), Log: m.log}).Serve(gctx, m.socket)
	})
	err := g.Wait()
	m.returns.Close(returnersTime)
	closeConn()
	<-connDone
	_ = os.Remove(m.o.SocketPath())
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Ready implements link.Handler.
func (m *Minion) Ready(ctx context.Context) proto.Ready {
	return proto.Ready{Grains: m.runtime.Grains.Items(ctx), Running: m.worker.Active(), Version: version.Version}
}

// Online implements link.Handler.
func (m *Minion) Online(ctx context.Context) {
	m.log.Info("connected to the master")
	m.device.connected()
	m.worker.Connected(ctx)
	m.events.Connected()
	m.fire("system/minion/online")
	m.reconfigure()
}

// Offline implements link.Handler.
func (m *Minion) Offline(context.Context) {
	m.log.Info("no session with the master")
	m.fire("system/minion/offline")
}

func (m *Minion) fire(tag string) { m.bus.Fire(event.New(tag, ordered.New(0), time.Now())) }

// Message implements link.Handler.
func (m *Minion) Message(ctx context.Context, e *proto.Envelope) {
	var err error
	switch e.Type {
	case proto.TypeJob:
		j := &proto.Job{}
		if err = proto.Decode(e.Body, j); err == nil {
			m.worker.Accept(j)
		}
	case proto.TypeDone:
		var d proto.Done
		if err = proto.Decode(e.Body, &d); err == nil {
			m.worker.Done(d.JIDs)
			m.events.Done(d.Events)
		}
	case proto.TypeCancel:
		var c proto.Cancel
		if err = proto.Decode(e.Body, &c); err == nil {
			m.worker.Cancel(ctx, c)
		}
	default:
		err = fmt.Errorf("unknown type %q", e.Type)
	}
	if err != nil {
		m.log.Warn("message from the master", zap.String("type", string(e.Type)), zap.Error(err))
	}
}
