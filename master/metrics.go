package master

import (
	"brine/internal/metrics"
	"brine/master/presence"
)

// samples are the master's numbers.
func (m *Master) samples() []metrics.Sample {
	l := m.link.Stats()
	out := []metrics.Sample{
		{Name: "brine_minions", Help: "Minions by state.", Value: float64(len(m.presence.IDs(presence.Online))), Labels: []string{"state", "online"}},
		{Name: "brine_minions", Help: "Minions by state.", Value: float64(len(m.presence.IDs(presence.Asleep))), Labels: []string{"state", "asleep"}},
		{Name: "brine_minions", Help: "Minions by state.", Value: float64(len(m.presence.IDs(presence.Missing))), Labels: []string{"state", "missing"}},
		{Name: "brine_jobs_open", Help: "Jobs that some minion has not answered.", Value: float64(m.jobs.Open())},
		{Name: "brine_messages_received_total", Help: "Messages of minions that were accepted.", Counter: true, Value: float64(l.Received)},
		{Name: "brine_messages_sent_total", Help: "Messages to minions.", Counter: true, Value: float64(l.Sent)},
		{Name: "brine_messages_dropped_total", Help: "Messages of minions for which there was no room.", Counter: true, Value: float64(l.Dropped)},
		{Name: "brine_store_queue", Help: "Changes that wait to be written.", Value: float64(m.store.Queued())},
	}
	r := m.reactor.Stats()
	out = append(out,
		metrics.Sample{Name: "brine_reactor_dropped_total", Help: "Events and reactions for which there was no room.", Counter: true, Value: float64(r.Dropped)},
		metrics.Sample{Name: "brine_reactor_deep_total", Help: "Events that too many reactions had caused.", Counter: true, Value: float64(r.Deep)},
		metrics.Sample{Name: "brine_reactor_failures_total", Help: "Reactions that failed.", Counter: true, Value: float64(r.Failed)},
		metrics.Sample{Name: "brine_reactor_waiting", Help: "Events and reactions that wait.", Value: float64(r.Waiting)},
	)
	for reason, n := range l.Refused {
		out = append(out, metrics.Sample{
			Name: "brine_messages_refused_total", Help: "Messages that were not trusted, by reason.", Counter: true, Value: float64(n), Labels: []string{"reason", reason},
		})
	}
	if m.broker != nil {
		b := m.broker.Stats()
		out = append(out,
			metrics.Sample{Name: "brine_broker_clients", Help: "Connections to the embedded broker.", Value: float64(b.Connected)},
			metrics.Sample{Name: "brine_broker_refused_total", Help: "Logins that the embedded broker refused.", Counter: true, Value: float64(b.Refused)},
			metrics.Sample{Name: "brine_broker_denied_total", Help: "Topics that clients were not allowed to use.", Counter: true, Value: float64(b.Denied)},
			metrics.Sample{Name: "brine_broker_dropped_total", Help: "Messages for clients whose queue was full.", Counter: true, Value: float64(b.Dropped)},
		)
	}
	return out
}
