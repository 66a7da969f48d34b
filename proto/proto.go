// Package proto is the wire between master and minions: identities, the handshake, sealed messages, their types and
// codec, topics and job ids. It knows nothing of brokers, modules or stores.
//
// A message has exactly one reader and a proven sender. Long-lived Ed25519 identities sign a handshake, in which the
// minion offers a fresh X25519 key and the master answers with its own; from then on everything is sealed with NaCl box
// (https://nacl.cr.yp.to/box.html) under the key the two have in common. See Hello, Welcome and Session.
package proto

import (
	"fmt"

	"github.com/vmihailenco/msgpack/v5"

	"brine/internal/ordered"
)

// Version is the wire version that both sides must speak.
const Version = 1

// Limits of the wire, in bytes.
const (
	// MaxPacket bounds one MQTT payload: the smallest limit among common brokers is 128 KB.
	MaxPacket = 128 << 10
	// MaxInline is the largest body that travels in one message; longer ones go in chunks of this size.
	MaxInline = 96 << 10
	// MaxBody bounds a body put together from chunks.
	MaxBody = 64 << 20
)

// Type tells what the body of a sealed message is.
type Type string

// The message types, with their direction and body.
const (
	TypeReady  Type = "ready"  // minion to master: Ready, ends the handshake
	TypeJob    Type = "job"    // master to minion: Job
	TypeAck    Type = "ack"    // minion to master: JobAck, a job was accepted and waits or runs
	TypeRet    Type = "ret"    // minion to master: Return
	TypeDone   Type = "done"   // master to minion: Done, returns and events are stored
	TypeEvent  Type = "event"  // minion to master: Events
	TypeReq    Type = "req"    // minion to master: Request
	TypeReply  Type = "reply"  // master to minion: Reply
	TypeCancel Type = "cancel" // master to minion: Cancel
	TypeChunk  Type = "chunk"  // either way: Chunk of a longer message
	TypeBye    Type = "bye"    // minion to master: Bye, it leaves on purpose
)

// Job is one job for one minion, Salt's publication.
type Job struct {
	JID     string       `msgpack:"jid"`
	Fun     any          `msgpack:"fun"` // string, or a list of strings for a compound command
	Arg     []any        `msgpack:"arg"` // keywords stand in one map with __kwarg__: true
	Tgt     any          `msgpack:"tgt"` // string, or a list of ids
	TgtType string       `msgpack:"tgt_type"`
	Ret     string       `msgpack:"ret"` // returners, comma separated
	User    any          `msgpack:"user"`
	Meta    *ordered.Map `msgpack:"metadata,omitempty"`
	// Extra holds the optional fields ret_config, ret_kwargs, module_executors, executor_opts, delimiter.
	Extra *ordered.Map `msgpack:"extra,omitempty"`
	// Deadline is when the job may no longer start, Unix milliseconds; 0 is none.
	Deadline int64 `msgpack:"deadline,omitempty"`
	// Timeout is how long the job may run, milliseconds; 0 is the minion's own limit.
	Timeout int64 `msgpack:"timeout,omitempty"`
	// Spread is the window over which a big fleet spreads its answers, milliseconds.
	Spread int64 `msgpack:"spread,omitempty"`
	// Attempt counts how often the master has sent this job to this minion, from 1.
	Attempt int `msgpack:"attempt"`
	// Depth is how many reactions led to the job.
	Depth int `msgpack:"depth,omitempty"`
}

// Status is the terminal state of one job on one minion. Every (job, minion) pair ends in exactly one.
type Status string

// The terminal states.
const (
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"      // it ran and returned a failure
	TimedOut    Status = "timed out"   // it ran longer than its deadline allowed
	Expired     Status = "expired"     // it was not started before its deadline
	Cancelled   Status = "cancelled"   // somebody ended it
	Interrupted Status = "interrupted" // the minion stopped in the middle of it
)

// Return is the outcome of a job on one minion.
type Return struct {
	ID       string             `msgpack:"id"`
	JID      string             `msgpack:"jid"`
	Fun      any                `msgpack:"fun"`
	FunArgs  []any              `msgpack:"fun_args"`
	Return   msgpack.RawMessage `msgpack:"return"`
	Retcode  int                `msgpack:"retcode"`
	Success  bool               `msgpack:"success"`
	Status   Status             `msgpack:"status"`
	Out      string             `msgpack:"out,omitempty"`
	User     any                `msgpack:"user,omitempty"`
	Schedule string             `msgpack:"schedule,omitempty"`
	Meta     *ordered.Map       `msgpack:"metadata,omitempty"`
	// Started and Ended are Unix milliseconds by the minion's clock.
	Started int64 `msgpack:"started,omitempty"`
	Ended   int64 `msgpack:"ended,omitempty"`
	// Extra holds what only some returns carry: retcodes and successes of compound commands, tgt of a local call.
	Extra *ordered.Map `msgpack:"extra,omitempty"`
}

// Value decodes what the function gave back.
func (r *Return) Value() (any, error) { return DecodeAny(r.Return) }

// SetValue encodes what the function gave back.
func (r *Return) SetValue(v any) error {
	b, err := Encode(ordered.Of(v))
	if err != nil {
		return fmt.Errorf("encode return of job %s: %w", r.JID, err)
	}
	r.Return = b
	return nil
}

// JobAck says that a job has reached the minion and will be answered for.
type JobAck struct {
	JID string `msgpack:"jid"`
	// Known is set when the job had been accepted before.
	Known bool `msgpack:"known,omitempty"`
}

// Done tells the minion what the master has stored: it may forget these.
type Done struct {
	JIDs   []string `msgpack:"jids,omitempty"`
	Events uint64   `msgpack:"events,omitempty"` // all events up to this sequence number
}

// Cancel ends a job, running or not.
type Cancel struct {
	JID    string `msgpack:"jid"`
	Signal int    `msgpack:"signal"` // 15 or 9
}

// Event is one event of a minion, as it stands in its durable queue.
type Event struct {
	Seq  uint64       `msgpack:"seq"`
	Tag  string       `msgpack:"tag"`
	Data *ordered.Map `msgpack:"data"`
	// Time is when the event happened, Unix microseconds by the minion's clock.
	Time int64 `msgpack:"time"`
	// Depth is how many reactions led to it.
	Depth int `msgpack:"depth,omitempty"`
}

// Events is a batch in order.
type Events struct {
	// Queue names the queue that the sequence numbers belong to; a minion that lost its disk starts a new one.
	Queue string  `msgpack:"queue"`
	List  []Event `msgpack:"list"`
}

// Request asks the master for something: files, pillar, mine data.
type Request struct {
	ID   uint64             `msgpack:"id"`
	What string             `msgpack:"what"`
	Body msgpack.RawMessage `msgpack:"body"`
}

// Reply answers a Request.
type Reply struct {
	ID    uint64             `msgpack:"id"`
	Error string             `msgpack:"error,omitempty"`
	Body  msgpack.RawMessage `msgpack:"body,omitempty"`
}

// Ready is the first sealed message of a minion: it proves that the minion holds the key it offered, and tells what the
// master should know of it.
type Ready struct {
	// Challenge is the one of the master's Welcome.
	Challenge []byte `msgpack:"challenge"`
	// Start tells that the minion process has started since its last session.
	Start  bool         `msgpack:"start"`
	Grains *ordered.Map `msgpack:"grains,omitempty"`
	// Running lists the ids of jobs that are under way.
	Running []string `msgpack:"running,omitempty"`
	Version string   `msgpack:"version"`
}

// Bye announces that the minion leaves on purpose.
type Bye struct {
	// Until is when it means to be back, Unix milliseconds; 0 is unknown.
	Until  int64  `msgpack:"until,omitempty"`
	Reason string `msgpack:"reason"` // stop, sleep, reboot ...
}
