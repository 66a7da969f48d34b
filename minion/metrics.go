package minion

import "brine/internal/metrics"

// samples are the minion's numbers.
func (m *Minion) samples() []metrics.Sample {
	online := 0.0
	if m.link.Online() {
		online = 1
	}
	waiting, dropped := m.events.Len()
	return append([]metrics.Sample{
		{Name: "brine_minion_online", Help: "1 while there is a session with the master.", Value: online},
		{Name: "brine_minion_jobs", Help: "Jobs that wait or run.", Value: float64(len(m.worker.Active()))},
		{Name: "brine_minion_returns_spooled", Help: "Returns that the master has not stored.", Value: float64(m.worker.Spooled())},
		{Name: "brine_minion_events_queued", Help: "Events that the master has not stored.", Value: float64(waiting)},
		{Name: "brine_minion_events_dropped_total", Help: "Events that found no room in the queue.", Counter: true, Value: float64(dropped)},
		{Name: "brine_minion_messages_refused_total", Help: "Messages that were not trusted.", Counter: true, Value: float64(m.link.Refused())},
	}, m.automationSamples()...)
}
