package event

// Entry describes one kind of event.
type Entry struct {
	Tag string
	// Where is the bus that it is fired on: master, device, or both.
	Where string
	When  string
	// Data names the fields.
	Data string
}

// Catalogue lists the events that the program fires by itself. Names and fields of the first part are Salt's.
func Catalogue() []Entry {
	return []Entry{
		{"salt/auth", "master", "a minion offers its key", "result, act (accept, pend, reject, denied), id, pub"},
		{"salt/key", "master", "a key is accepted, rejected or deleted", "result, act, id"},
		{"salt/job/<jid>/new", "master", "a job is published", "jid, tgt, tgt_type, fun, arg, user, minions, missing"},
		{"salt/job/<jid>/ret/<id>", "master", "a minion has answered", "jid, id, fun, fun_args, return, retcode, success, cmd"},
		{"salt/job/<jid>/prog/<id>/<n>", "master", "a state of a run is done (state_events)", "ret, len, jid"},
		{"salt/minion/<id>/start", "master", "a minion has started and is connected", "id, data"},
		{"salt/presence/present", "master", "every loop_interval", "present"},
		{"salt/presence/change", "master", "minions came or went", "new, lost"},
		{"salt/run/<jid>/new", "master", "a runner function begins", "fun, jid, user, fun_args"},
		{"salt/run/<jid>/ret", "master", "a runner function has ended", "fun, jid, user, fun_args, return, success"},
		{"salt/wheel/<jid>/new, ret", "master", "the same for wheel functions", "as above"},
		{"salt/beacon/<id>/<beacon>/...", "both", "a beacon has seen something", "those of the beacon"},
		{"salt/job/<jid>/ret", "device", "returner event_result: a job on the device has ended", "the whole return"},
		{"system/minion/online, offline", "both", "the session with the master began or ended", ""},
		{"system/minion/restarting", "both", "the minion is going to restart", "reason"},
		{"system/release/pending, retrying, forcing", "both", "an attempt at a release begins", "id, attempts, limit, run"},
		{"system/release/updated", "both", "the attempt went through", "id, attempts, limit, run"},
		{"system/release/failed", "both", "the attempt failed", "id, attempts, limit, run, reason, failed, rolled_back_to"},
		{"system/release/suspended", "both", "an attempt was refused: too many have failed", "id, attempts, limit"},
		{"system/release/report", "master", "everything about a run", "run, id, version, state, counts, highstate, health, rollback ..."},
		{"system/power/sleep, hibernate", "both", "the shutdown states are over, the power-off is near", "delay, interval, reason, uptime"},
		{"system/power/reboot", "both", "the device is going to start again", "reason, uptime"},
		{"system/power/on", "both", "the device has come back from a power-off", "trigger, awaken"},
		{"system/power/last_off", "both", "once a start: when it was switched off", "timestamp"},
		{"system/sleep_timer/<name>/added, cleared", "both", "a sleep timer was made or dropped", "reason"},
	}
}
